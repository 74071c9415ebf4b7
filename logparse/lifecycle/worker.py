"""Facts of the processes that run jobs: started, done, failed, refused, answered.

Sources: queue_job/controllers/main.py (runjob, _try_perform_job), werkzeug's access line through
odoo/service/server.py, queue_job_cron_jobrunner/models/queue_job.py (_process).
"""

from logparse.lifecycle.answer import ROUNDING, between, http_error, times, unanswered
from logparse.lifecycle.course import HOLD, Course
from logparse.lifecycle.event import Unanswered
from logparse.lifecycle.evidence import Evidence, Trace
from logparse.lifecycle.job import Ending, Job, Proof
from logparse.lifecycle.processes import CRON, Processes
from logparse.lifecycle.sight import Sight
from logparse.match.fact import Fact, whole

# How long before its answer an attempt may have begun, where no line tells (ms).
_LONGEST = 600_000
# The runner sees the error answer within this time of the traceback (ms), and asks no longer than that.
_ANSWERS_WITHIN, _ASKS = 300, 2_000
# The logger of connector's polling workers (until 8.0): one thread of a process for each database.
_POLLING = ".connector.queue.worker"

Place = tuple[str | None, int | None]
# A process, or, where the log tells them apart, one request.
Writer = tuple[str | None, int | str | None]


class Workers:
    """What the workers' lines mean for the jobs."""

    def __init__(self, course: Course, processes: Processes, sight: Sight) -> None:
        self._course = course
        self._processes = processes
        self._sight = sight
        self._evidence: dict[Writer, Evidence] = {}
        self._running: dict[Place, list[Job]] = {}

    def at(self, place: Writer) -> Evidence:
        """What a process left behind since its last answer."""
        evidence = self._evidence.get(place)
        if evidence is None:
            if len(self._evidence) > 5000:
                del self._evidence[next(iter(self._evidence))]
            evidence = self._evidence[place] = Evidence([], {}, [])
        return evidence

    def gone(self, place: Place, *, killed: bool, time: int) -> None:
        """A process ended, or its pid names another one now."""
        self._evidence.pop(place, None)
        for job in self._running.pop(place, []):
            if killed and job.state == "started" and job.orphaned is None:
                job.orphaned, job.killed = time, True

    def restarted(self, server: str | None) -> None:
        """All processes of a server ended."""
        self._evidence = {place: left for place, left in self._evidence.items() if place[0] != server}
        self._running = {place: jobs for place, jobs in self._running.items() if place[0] != server}

    def traceback(self, fact: Fact, proof: Proof) -> None:
        """A job failed in this process; the line does not say which."""
        self._sight.traces = True
        if fact.db is not None:
            self._sight.database(fact.db)
        if _without_answer(fact):
            place = (proof.server, proof.pid)
            here = [
                job for job in self._running.get(place, []) if job.state == "started" and job.db == fact.db
            ]
            if len(here) == 1:
                self._fail(here[0], proof, fact.fields.get("exception"))
                return
        self.at(_writer(fact, proof)).trace(Trace(fact.fields.get("exception"), proof, fact.db))

    def release(self, fact: Fact, proof: Proof) -> None:
        """The release of jobs that waited for one that is done was tried again, or given up."""
        self.at(_writer(fact, proof)).release(proof.time)

    def started(self, job: Job, fact: Fact, proof: Proof) -> None:
        """`<Job …> started`: the state was committed."""
        if ".controllers." in fact.record.logger:
            self._sight.started = True
        job.back = None
        place = (proof.server, proof.pid)
        if "cron_jobrunner" in fact.record.logger and self._processes.role(*place) == CRON:
            # A cron worker runs one job after the other, and until 2023 it did not log that one was done.
            for other in self._running.get(place, []):
                if other is not job:
                    self._cron_ended(other, proof, self.at(place), shared=False, timed=False)
        self._processes.works(proof.server, job.db)
        self._course.start(job, proof, proof.time, observed=True)
        if self._processes.shares(*place) or fact.record.logger.endswith(_POLLING):
            others = [other for other in self._running.get(place, []) if other.state == "started"]
            self._running[place] = [*(other for other in others if other is not job), job][-64:]
        else:
            self._running[place] = [job]

    def done(self, job: Job, fact: Fact, proof: Proof) -> None:
        """`<Job …> done`: after the last commit; the only line that proves it."""
        self._ended(job, proof, "done")

    def postponed(self, job: Job, fact: Fact, proof: Proof) -> None:
        """`<Job …> postponed`, alone or after `OperationalError, postponed` of the same attempt."""
        ending = job.ending
        if job.started is None and (
            job.state == "pending" or (ending is not None and ending.how == "retried")
        ):
            return
        self._ended(job, proof, "retried")

    def _ended(self, job: Job, proof: Proof, how: str) -> None:
        started = job.started
        duration = between(started, proof.time) if started is not None else None
        ending = Ending(how, proof, duration=duration, observed=True)
        self._course.end(job, ending)
        self._course.hold(job, ending)

    def refused(self, job: Job, fact: Fact, proof: Proof) -> None:
        """`was requested to run job …, but …`: the answer that follows is no attempt."""
        self.at(_writer(fact, proof)).refuse(job.uuid, proof.time)
        self._course.refuse(job, proof)

    def answered(self, job: Job, fact: Fact, proof: Proof) -> None:
        """The access line of /runjob, at the end of the attempt; of the cron jobrunner, its last line."""
        fields, request = fact.fields, fact.record.request
        place = (proof.server, proof.pid)
        shared = request is None and self._processes.shares(*place)
        writer = place if request is None else (proof.server, request)
        evidence = self._evidence.get(writer) or self.at(writer)
        status_text = fields.get("status")
        if status_text is None:
            self._cron_ended(job, proof, evidence, shared=shared)
            return
        sight = self._sight
        sight.answers = True
        sight.answered[job.db] += 1
        began = None
        duration, sql = times(fields)
        if duration is not None:
            began = proof.time - round(duration * 1000)
            self._processes.answered(*place, began, job.db)
        else:
            self._processes.works(proof.server, job.db)
        queries = fields.get("queries")
        ending = Ending("", proof, None, duration, None, whole(queries) if queries else None, sql)
        self._answer(job, fact, ending, evidence, int(status_text), began, shared=shared)
        if not shared:
            evidence.clear()

    def _answer(
        self,
        job: Job,
        fact: Fact,
        told: Ending,
        evidence: Evidence,
        status: int,
        began: int | None,
        *,
        shared: bool,
    ) -> None:
        """told: what the line tells of the attempt's ending, but how."""
        course, proof = self._course, told.proof
        since_began = began - ROUNDING if shared and began else None
        if (
            evidence.refused
            and evidence.was_refused(job.uuid, since_began)
            # Where the release of dependents was given up, the whole request is tried again (16.0 and later):
            # it did the job, and then refused to do it once more.
            # In a shared process another job may have released them.
            and (shared or not evidence.has_released(None))
        ):
            if job.state == "enqueued" and job.refusals >= job.asked and not self._sight.started:
                course.jobs.move(job, "closed", proof.time)
            return
        ending = job.ending
        if ending is not None and ending.how in ("done", "retried", "failed"):
            # It was known how the attempt ended; this is its line.
            ending.sql_queries, ending.sql_time = told.sql_queries, told.sql_time
            if ending.duration is None:
                ending.duration = told.duration
            course.release(job)
            return
        started = job.started
        if started is not None and not shared and job.start_proof and job.start_proof.pid != proof.pid:
            return
        since = started if started is not None else began if began is not None else job.dispatched
        # The clock may have been set back since then.
        if since is None or since > proof.time:
            since = proof.time - _LONGEST
        since -= ROUNDING
        failed, trace = False, None
        if status >= 400:
            self._sight.failed[job.db] += 1
            failed, trace = evidence.take_trace(since, job.db, shared=shared)
        if not failed and (
            300 <= status < 400 or status == 404 or (status >= 400 and fact.record.db is None)
        ):
            # The request did not get as far as the job (queue_job is not loaded, no such database).
            return
        if self._is_before_dispatch(job, proof, began):
            return
        if started is None and job.dispatched is None and self._is_known(job, proof, began):
            return
        if status < 300:
            how = "answered"
        elif failed:
            how = "failed"
        elif evidence.has_released(since):
            # The job was done; the release of those that wait for it failed.
            how = "answered"
        else:
            # Every failure that is stored was logged first; where tracebacks show, this one was not stored.
            how = "broken" if self._sight.traces else "failed"
        told.how = how
        if trace is not None:
            told.exception = trace.exception
        if started is None:
            course.infer_start(job, proof, began)
        elif told.duration is None:
            told.duration = between(started, proof.time)
        done, back, broke = job.done_in_channel, job.back, job.failed_in_channel
        course.end(job, told)
        if how == "failed" or (how == "broken" and broke is not None):
            course.settle_job(job, "failed", observed=broke is not None)
        elif how == "answered" and done is not None:
            course.settle_job(job, "done", observed=True)
        elif how == "answered" and back is not None:
            course.settle_job(job, "retried")

    def _is_before_dispatch(self, job: Job, proof: Proof, began: int | None) -> bool:
        """Whether the request began before the job was asked for, and its attempt was told by other lines.

        A job that is to be tried again at once is asked for before its answer is written. Two servers may
        have two clocks.
        """
        asked, runner = job.dispatched, job.proof
        return (
            self._sight.started
            and job.started is None
            and job.attempts > 0
            and began is not None
            and asked is not None
            and began < asked - ROUNDING
            and runner is not None
            and runner.server == proof.server
        )

    def _is_known(self, job: Job, proof: Proof, began: int | None) -> bool:
        """Whether the answer for a job that nobody asked for, as far as the log shows, is of a told ending.

        Two handlers write a line twice, and another line may have told the end. Where no dispatches are
        logged, a request that began later is one more execution.
        """
        ending = job.ending
        last = ending.proof if ending is not None else job.proof if job.outcome is not None else None
        if last is None:
            return False
        if began is None:
            began = proof.time - HOLD
        return began <= last.time or (job.outcome is not None and self._sight.dispatched[job.db] > 0)

    def _cron_ended(
        self, job: Job, proof: Proof, evidence: Evidence, *, shared: bool, timed: bool = True
    ) -> None:
        if job.started is None or job.ending is not None:
            return
        failed, trace = evidence.take_trace(job.started - ROUNDING, job.db, shared=shared)
        duration = between(job.started, proof.time) if timed else None
        ending = Ending("failed" if failed else "done", proof, duration=duration)
        ending.exception = trace.exception if trace is not None else None
        self._course.end(job, ending)
        self._course.settle_job(job)

    def _fail(self, job: Job, proof: Proof, exception: str | None) -> None:
        """The traceback itself ends the attempt: it is not followed by an answer."""
        if job.started is None or job.ending is not None:
            return
        duration = between(job.started, proof.time)
        self._course.end(job, Ending("failed", proof, duration=duration, exception=exception))
        self._course.settle_job(job)

    def failed_without_answer(self, job: Job, proof: Proof) -> None:
        """The runner saw the job failed, and this log has no access lines: the traceback tells the rest."""
        start, since = job.start_proof, job.started
        if start is None or since is None:
            return
        place = (start.server, start.pid)
        shared = self._processes.shares(*place)
        _, trace = self.at(place).take_trace(since - ROUNDING, job.db, shared=shared)
        ending = Ending("failed", proof, duration=between(since, proof.time), observed=True)
        ending.exception = trace.exception if trace is not None else None
        self._course.end(job, ending)
        self._course.settle_job(job)

    def runner_saw(self, job: Job, fact: Fact, proof: Proof) -> None:
        """`exception in GET …`: where there are no access lines, its HTTP error and a traceback tell."""
        status = http_error(fact)
        if (reason := unanswered(fact)) is not None:
            self._course.out.append(Unanswered(proof.time, job.db, job.channel, reason))
        if status is None or self._sight.answers or job.ending is not None:
            return
        found, trace = self._nearest_trace(proof)
        if not found:
            return
        if job.started is None:
            self._course.infer_start(job, proof, None)
        ending = Ending("failed", proof, exception=trace.exception if trace is not None else None)
        self._course.end(job, ending)
        self._course.settle_job(job)

    def _nearest_trace(self, proof: Proof) -> tuple[bool, Trace | None]:
        """(whether a traceback was written right before, the one that is certain), and forget it."""
        near = self._traces_near(proof)
        if not near:
            return False, None
        # A process answers in order, and may fail the next job before the runner sees the answer.
        lately = [item for item in near if proof.time - item[0] <= _ANSWERS_WITHIN]
        time, place, trace = min(lately, key=_time) if lately else max(near, key=_time)
        others = {other.exception for _, _, other in lately}
        evidence = self._evidence[place]
        evidence.traces = [other for other in evidence.traces if other.proof.time > time]
        return True, trace if len(others | {trace.exception}) == 1 else None

    def database_of_failure(self, proof: Proof) -> str | None:
        """The database of the tracebacks that the runner's error may be about; None where they have several.

        queue_job 19.0.2.0.2 and later name it in no line of the runner but `asking`, which is INFO.
        """
        databases = {trace.db for _, _, trace in self._traces_near(proof)}
        return databases.pop() if len(databases) == 1 else None

    def _traces_near(self, proof: Proof) -> list[tuple[int, Writer, Trace]]:
        return [
            (trace.proof.time, place, trace)
            for place, evidence in self._evidence.items()
            if place[0] == proof.server
            for trace in evidence.traces
            if -ROUNDING <= proof.time - trace.proof.time <= _ASKS
        ]


def _without_answer(fact: Fact) -> bool:
    """Whether jobs run where no request is answered: in connector's polling workers, or in cron workers."""
    return fact.record.logger.endswith(_POLLING) or "cron_jobrunner" in fact.record.logger


def _writer(fact: Fact, proof: Proof) -> Writer:
    request = fact.record.request
    return proof.server, proof.pid if request is None else request


def _time(item: tuple[int, Writer, Trace]) -> int:
    return item[0]
