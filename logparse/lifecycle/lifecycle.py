"""The lifecycle stage: facts in, what happened to which job out. The only state of the pipe."""

from collections import Counter, OrderedDict
from collections.abc import Callable

import msgspec

from logparse.lifecycle.course import TAKEN, TAKEN_WHERE_RESET, Course
from logparse.lifecycle.event import Output
from logparse.lifecycle.evidence import Evidence, Trace
from logparse.lifecycle.installation import Installation, channel_state
from logparse.lifecycle.job import Ending, Job, Proof
from logparse.lifecycle.jobs import Jobs
from logparse.lifecycle.processes import Processes
from logparse.match.fact import Fact

# A failure that only the runner's own request shows: its traceback was written within this time (ms).
_SECOND = 2_000
# The runner sees the error answer within this time of the traceback (ms).
_ANSWERS_WITHIN = 300
# A dispatch right after somebody pressed Requeue in the user interface (ms).
_BY_HAND = 1_500
_HELD_FACTS = 10_000
# Odoo series of which no queue_job release requeues dead jobs (OBSERVED: 12 and 15; 13 by its source).
_NEVER_REQUEUES = ("12", "13", "15")


class Options(msgspec.Struct, frozen=True):
    """settle: seconds of log time after which an ending is settled. max_jobs: how many are tracked.

    server: the name of the server whose log it is; None where there is one.
    """

    settle: float = 3600.0
    max_jobs: int = 200_000


class Lifecycle:
    """Joins facts into the lives of jobs (docs/lifecycle.md states the rules and their proofs).

    `feed` it facts in file order; it returns what they prove. `finish` at the end of a finite log.
    """

    def __init__(self, options: Options = Options()) -> None:  # noqa: B008 (frozen)
        self.jobs = Jobs(options.max_jobs)
        self.processes = Processes()
        self.installation = Installation(self.processes)
        self.rejected: Counter[str] = Counter()
        self.runner_activity: dict[str, int] = {}
        self.sees_pending = self.sees_started = self.sees_answers = self.sees_traces = False
        self.databases: dict[str, None] = {}
        self.dispatches: Counter[str | None] = Counter()
        self.answers: Counter[str | None] = Counter()
        self._course = Course(self.jobs, int(options.settle * 1000))
        self._evidence: dict[tuple[str | None, int | None], Evidence] = {}
        self._running: dict[tuple[str | None, int | None], list[Job]] = {}
        self._homeless: OrderedDict[str, list[tuple[Fact, Proof]]] = OrderedDict()
        self._replaying: dict[tuple[str | None, int | None], list[tuple[Fact, Proof]]] = {}
        self._ready: set[tuple[str | None, int | None]] = set()
        self._runner_since: dict[str | None, int] = {}
        self._asks_from: set[tuple[str | None, int | None]] = set()
        self._looked = 0
        self._manual = -_BY_HAND - 1
        self._placing: dict[tuple[str | None, int | None], tuple[str, str]] = {}
        self._of_job: dict[str, Callable[[Job, Fact, Proof], None]] = {
            "created": self._created,
            "pending": self._pending,
            "dispatched": self._dispatched,
            "started": self._started,
            "done": self._done,
            "failed": self._failed_in_channel,
            "postponed": self._postponed,
            "postponed_concurrency": self._postponed,
            "dispatch_reset": self._reset,
            "dead_requeued_or_failed": self._dead,
            "refused": self._refused,
            "cancelled": self._cancelled,
            "attempt_ended": self._answered,
            "dispatch_http_error": self._runner_saw,
            "running_in_channel": self._in_channel,
            "done_or_cancelled": self._done_in_channel,
        }

    @property
    def now(self) -> int:
        """The log's clock, milliseconds, UTC; 0 before the first fact."""
        return self._course.now

    def feed(self, fact: Fact, server: str | None = None) -> list[Output]:
        """What this fact proves, in the order in which it is proven."""
        record = fact.record
        proof = Proof(record.time, record.pid, server, fact.pattern, record.file, record.offset)
        course = self._course
        out = course.out
        course.advance(record.time)
        if record.time - self._looked > TAKEN:
            self._lose_the_dead()
        reason = self._reject(fact, proof)
        if reason is None:
            handler = self._of_job.get(fact.kind)
            if handler is None or fact.uuid is None:
                reason = self._of_no_job(fact, proof)
            elif fact.confidence != "hint":
                if "running" in fact.fields:
                    out.append(channel_state(fact, proof))
                self._place(handler, fact, proof)
        if reason is not None:
            self.rejected[reason] += 1
        while (evicted := self.jobs.evict()) is not None:
            course.forget(evicted)
        course.out = []
        return out

    def _never_requeues(self) -> bool:
        return (self.installation.version or "").partition(".")[0] in _NEVER_REQUEUES

    def _lose_the_dead(self) -> None:
        """Where nothing requeues dead jobs, tell those whose worker is certainly gone."""
        self._looked = self.now
        if not self._never_requeues():
            return
        for job in self.jobs.open():
            if job.state not in ("enqueued", "started") or job.proof is None or job.ending is not None:
                continue
            if self.now - job.since > self._course.taken and self.processes.moved_on(job.proof.server, job.since + 2_000):
                job.orphaned = self.now if job.orphaned is None else job.orphaned
                self._course.lose(job, "worker gone")

    def finish(self) -> list[Output]:
        """Nothing follows: settle what is left."""
        for uuid in list(self._homeless):
            for fact, proof in self._homeless.pop(uuid):
                self._give(self._of_job[fact.kind], fact, proof, self._only_database())
        self._lose_the_dead()
        self._course.finish()
        out, self._course.out = self._course.out, []
        return out

    # Who may have written it

    def _reject(self, fact: Fact, proof: Proof) -> str | None:
        logger = fact.record.logger
        server, pid, time = proof.server, proof.pid, proof.time
        if pid is None:
            return None
        if ".jobrunner." in logger or logger.endswith(".jobrunner"):
            if fact.kind in ("channel_config", "runner_start", "runner_stopping", "runner_disabled"):
                return None
            if not self.processes.may_run(server, pid, time):
                return "role"
            self.runner_activity[server or ""] = time
        elif ".controllers." in logger or ("uuid" in fact.fields and fact.kind == "attempt_ended" and "status" in fact.fields):
            if not self.processes.may_work(server, pid, time):
                return "role"
        elif "cron_jobrunner" in logger:
            if not self.processes.may_run_cron(server, pid, time):
                return "role"
        return None

    # Whose job it is

    def _only_database(self) -> str | None:
        return next(iter(self.databases)) if len(self.databases) == 1 else None

    def _place(self, handler: Callable[[Job, Fact, Proof], None], fact: Fact, proof: Proof) -> None:
        db, uuid = fact.db, fact.uuid
        assert uuid is not None  # noqa: S101
        if db is None:
            named = self.jobs.named(uuid)
            if len(named) == 1:
                handler(named[0], fact, proof)
                return
            if named:
                handler(max(named, key=lambda job: (job.state not in (None, "closed"), job.since)), fact, proof)
                return
            waiting = self._replaying.get((proof.server, proof.pid))
            if waiting is not None:
                waiting.append((fact, proof))
                return
            db = self._only_database()
            if db is None:
                self._homeless.setdefault(uuid, []).append((fact, proof))
                if len(self._homeless) > _HELD_FACTS:
                    self._homeless.popitem(last=False)
                return
        elif db not in self.databases and len(self.databases) < 1000:
            self.databases[db] = None
        if self._homeless and uuid in self._homeless:
            for old, old_proof in self._homeless.pop(uuid):
                self._give(self._of_job[old.kind], old, old_proof, db)
        self._give(handler, fact, proof, db)

    def _give(
        self, handler: Callable[[Job, Fact, Proof], None], fact: Fact, proof: Proof, db: str | None
    ) -> None:
        uuid = fact.uuid
        assert uuid is not None  # noqa: S101
        job = self.jobs.get(db, uuid)
        if job is None:
            if handler == self._answered and self._is_orphan(fact, proof):
                self.rejected["orphan"] += 1
                return
            job = self.jobs.add(db, uuid)
        handler(job, fact, proof)

    def _is_orphan(self, fact: Fact, proof: Proof) -> bool:
        """An answer for a job that this log's own runner, seen from its start, never asked for."""
        since = self._runner_since.get(proof.server)
        duration = _duration(fact)
        if since is None or duration is None or self.jobs.evicted or not self.dispatches[fact.db]:
            return False
        return proof.time - int(duration * 1000) > since + 1000

    # Facts of no job

    def _of_no_job(self, fact: Fact, proof: Proof) -> str | None:
        kind = fact.kind
        key = (proof.server, proof.pid)
        if kind == "failed":
            if fact.confidence == "implies":
                self._traceback(fact, proof)
            elif fact.confidence == "hint":
                self._at(key).error(proof.time)
            return None
        if kind in ("deps_retry", "deps_failed"):
            self._at(key).release(proof.time)
            return None
        if kind == "channel_config" and "parent" in fact.fields:
            # The runner says it right before it places a job of that channel in the parent.
            self._placing[key] = (fact.fields.get("channel", ""), fact.fields["parent"])
            return None
        if kind == "manual_action":
            if "requeue" in fact.fields.get("method", ""):
                self._manual = proof.time
            return None
        reason = self.installation.tell(fact, proof, self._course.out)
        if reason is not None:
            return reason
        if kind in ("runner_start", "runner_crash"):
            self._replaying.setdefault(key, [])
            if kind == "runner_start":
                self._runner_since.setdefault(proof.server, proof.time)
        elif kind == "runner_ready" and fact.confidence == "proves":
            if fact.db is not None and "db" in fact.fields:
                self.databases[fact.db] = None
                for old, old_proof in self._replaying.get(key, []):
                    self._give(self._of_job[old.kind], old, old_proof, fact.db)
                if key in self._replaying:
                    self._replaying[key] = []
            else:
                for old, old_proof in self._replaying.pop(key, []):
                    self._place(self._of_job[old.kind], old, old_proof)
        elif kind in ("worker_start", "worker_stop", "worker_killed"):
            self._worker_changed(fact, proof)
        while self.installation.restarted:
            self._orphan(*self.installation.restarted.pop())
            self._course.taken = TAKEN_WHERE_RESET if self._never_requeues() else TAKEN
        return None

    def _at(self, key: tuple[str | None, int | None]) -> Evidence:
        evidence = self._evidence.get(key)
        if evidence is None:
            if len(self._evidence) > 5000:
                del self._evidence[next(iter(self._evidence))]
            evidence = self._evidence[key] = Evidence([], {}, [], [])
        return evidence

    def _worker_changed(self, fact: Fact, proof: Proof) -> None:
        named = fact.fields.get("worker_pid")
        key = (proof.server, int(named) if named else proof.pid)
        self._evidence.pop(key, None)
        jobs = self._running.pop(key, [])
        if fact.kind == "worker_killed":
            for job in jobs:
                if job.state == "started":
                    job.orphaned = proof.time

    def _orphan(self, server: str | None, time: int) -> None:
        for job in self.jobs.open():
            if job.state in ("enqueued", "started") and job.proof is not None and job.proof.server == server:
                if job.orphaned is None and job.since < time:
                    job.orphaned = time
        self._evidence = {key: value for key, value in self._evidence.items() if key[0] != server}
        self._running = {key: value for key, value in self._running.items() if key[0] != server}
        self._runner_since.pop(server, None)

    # Facts of a job

    def _created(self, job: Job, fact: Fact, proof: Proof) -> None:
        if job.told_queued or job.state is not None:
            return
        if self.sees_pending:
            # Written before the commit: the runner hears of the job only where it was committed.
            job.queued = proof.time
            job.proof = proof
            return
        self._course.queue(job, proof, proof.time, observed=True, channel=None)

    def _pending(self, job: Job, fact: Fact, proof: Proof) -> None:
        channel = self._channel_of(fact, proof)
        self.sees_pending = self.sees_pending or fact.confidence == "proves"
        course = self._course
        if channel is not None:
            self._set_channel(job, channel)
        if job.state is None:
            course.queue(
                job, proof, proof.time if job.queued is None else job.queued,
                observed=fact.confidence == "proves", channel=channel,
            )
            return
        if fact.confidence != "proves" or job.state == "pending":
            return
        if (proof.server, proof.pid) in self._replaying:
            course.came_back(job, "manual" if job.ending is None else None)
        elif job.ending is not None and job.ending.how in ("dead", "answered", "broken"):
            course.came_back(job, None)
        elif job.state == "closed":
            if job.outcome is None:
                course.queue(job, proof, proof.time, observed=True, channel=channel)
            else:
                course.requeue(job, proof, "manual", observed=True)
        else:
            course.go_back(job, proof)

    def _channel_of(self, fact: Fact, proof: Proof) -> str | None:
        """The job's own channel: the one told, or the one that the runner just replaced by it."""
        channel = fact.fields.get("channel")
        own, parent = self._placing.pop((proof.server, proof.pid), (None, None))
        if own is None or parent is None or channel is None:
            return channel
        # The place may be the parent, or one made below it (of a longer name, by a slip of queue_job).
        return own if channel == parent or channel.startswith(parent + ".") else channel

    def _set_channel(self, job: Job, channel: str) -> None:
        known = job.channel
        if known is None or (known != channel and channel.startswith(known + ".")):
            if job.state is None:
                job.channel = channel
            else:
                self.jobs.move(job, job.state, job.since, channel)

    def _in_channel(self, job: Job, fact: Fact, proof: Proof) -> None:
        if (channel := self._channel_of(fact, proof)) is not None:
            self._set_channel(job, channel)

    def _dispatched(self, job: Job, fact: Fact, proof: Proof) -> None:
        course = self._course
        self.dispatches[job.db] += 1
        if job.state is None and job.queued is not None and not job.told_queued and job.proof is not None:
            course.queue(job, job.proof, job.queued, observed=True, channel=None)
        rival = (
            job.state == "enqueued"
            and job.back is None
            and proof.pid != job.dispatcher
            and job.dispatched is not None
            and proof.time - job.dispatched <= 2_000
        )
        if job.state not in (None, "pending") and not rival:
            by_hand = job.started is None and 0 <= proof.time - self._manual <= _BY_HAND
            if job.outcome == "cancelled":
                # Until 2023 the runner kept a cancelled job in its queue, and ran it all the same.
                pass
            elif job.state == "closed":
                course.requeue(job, proof, "manual" if by_hand else "unknown", observed=False)
            else:
                course.came_back(job, "manual" if by_hand and job.ending is not None else None)
        course.dispatch(job, proof)

    def _started(self, job: Job, fact: Fact, proof: Proof) -> None:
        if job.uuid and ".controllers." in fact.record.logger:
            self.sees_started = True
        job.back = None
        self._course.start(job, proof, proof.time, observed=True)
        key = (proof.server, proof.pid)
        if self.processes.shares(*key):
            jobs = [other for other in self._running.get(key, []) if other.state == "started" and other is not job]
            self._running[key] = [*jobs, job][-64:]
        else:
            self._running[key] = [job]

    def _done(self, job: Job, fact: Fact, proof: Proof) -> None:
        duration = (proof.time - job.started) / 1000 if job.started is not None else None
        ending = Ending("done", proof, duration=duration, observed=True)
        self._course.end(job, ending, told_started=job.started is not None)
        self._await_answer(job, ending)

    def _await_answer(self, job: Job, ending: Ending) -> None:
        self._course.hold(job, ending)

    def _postponed(self, job: Job, fact: Fact, proof: Proof) -> None:
        ending = job.ending
        if ending is not None and ending.how == "retried" and job.started is None:
            return
        if job.state == "pending" and job.started is None:
            return
        duration = (proof.time - job.started) / 1000 if job.started is not None else None
        ending = Ending("retried", proof, duration=duration, observed=True)
        self._course.end(job, ending, told_started=job.started is not None)
        self._await_answer(job, ending)

    def _reset(self, job: Job, fact: Fact, proof: Proof) -> None:
        if job.started is not None or job.ending is not None:
            return
        if job.state in (None, "enqueued"):
            self._course.requeue(job, proof, "timeout", observed=True)

    def _dead(self, job: Job, fact: Fact, proof: Proof) -> None:
        course = self._course
        back, job.back = job.back, None
        attempt = None
        if job.ending is not None and job.ending.how in ("answered", "broken"):
            attempt = job.ending.attempt
        elif job.state == "closed" and job.outcome is not None and job.outcome != "lost":
            return
        elif job.state == "pending" and not job.waited:
            return
        started = job.started is not None
        ending = Ending("dead", proof, attempt=attempt, observed=False)
        if started:
            course.end(job, ending, told_started=True)
        else:
            course.end(job, ending, told_started=False)
        if back is not None:
            course.came_back(job, None)

    def _refused(self, job: Job, fact: Fact, proof: Proof) -> None:
        self._at((proof.server, proof.pid)).refuse(job.uuid, proof.time)
        self._course.refuse(job, proof)

    def _cancelled(self, job: Job, fact: Fact, proof: Proof) -> None:
        if fact.confidence == "proves":
            self._course.cancel(job, proof)

    def _traceback(self, fact: Fact, proof: Proof) -> None:
        self.sees_traces = True
        self._at((proof.server, proof.pid)).trace(Trace(fact.fields.get("exception"), proof))

    def _answered(self, job: Job, fact: Fact, proof: Proof) -> None:
        """The worker answered, or (the cron jobrunner) went on to the next job."""
        status_text = fact.fields.get("status")
        key = (proof.server, proof.pid)
        shared = self.processes.shares(*key)
        evidence = self._at(key)
        if status_text is None:
            self._cron_ended(job, proof, evidence, shared)
            return
        self.sees_answers = True
        self.answers[job.db] += 1
        status = int(status_text)
        duration = _duration(fact)
        began = proof.time - int(duration * 1000) if duration is not None else None
        if began is not None:
            self.processes.answered(proof.server, proof.pid, began)
        if evidence.was_refused(job.uuid, began - 50 if began is not None and shared else None):
            if not shared:
                evidence.clear()
            if job.state == "enqueued" and job.refusals >= job.asked and not self.sees_started:
                self.jobs.move(job, "closed", proof.time)
            return
        ending = job.ending
        if ending is not None and ending.how in ("done", "retried", "failed"):
            # The line of which the ending was known already.
            ending.sql_queries, ending.sql_time = _sql(fact)
            if ending.duration is None:
                ending.duration = duration
            evidence.clear() if not shared else None
            self._course.release(job)
            return
        told = job.started is not None
        if told and not shared and job.start_proof is not None and job.start_proof.pid != proof.pid:
            return
        since = job.started if told and job.started is not None else began
        if since is None:
            since = job.dispatched if job.dispatched is not None else proof.time - 600_000
        released = any(time >= since - 50 for time in evidence.releases)
        failed = False
        trace = None
        if status >= 400:
            failed, trace = evidence.take_trace(since - 50, shared=shared)
        if not failed and (status == 404 or status >= 300 and fact.record.db is None or 300 <= status < 400):
            if not shared:
                evidence.clear()
            return
        if job.state == "closed" and job.outcome is not None and not told and job.dispatched is None:
            # Nobody asked for it again: a second line of the same answer (two handlers), or a late one.
            return
        if not told:
            self._infer_start(job, proof, began)
        if status < 300:
            how = "answered"
        elif failed:
            how = "failed"
        elif released:
            how = "answered"
        elif self.sees_traces:
            how = "broken"
        else:
            how = "failed"
        queries, sql = _sql(fact)
        ending = Ending(
            how, proof, duration=duration, sql_queries=queries, sql_time=sql,
            exception=trace.exception if trace is not None else None,
        )
        if told and job.started is not None:
            ending.duration = (proof.time - job.started) / 1000 if duration is None else duration
        done = job.done_in_channel
        back = job.back
        broke = job.failed_in_channel
        self._course.end(job, ending, told_started=True)
        if not shared:
            evidence.clear()
        if how == "failed" or (how == "broken" and broke is not None):
            self._course.settle_job(job, "failed", observed=broke is not None)
        elif how == "answered" and done:
            self._course.settle_job(job, "done", observed=True)
        elif how == "answered" and back is not None:
            self._course.settle_job(job, "retried")

    def _infer_start(self, job: Job, proof: Proof, began: int | None) -> None:
        time = began
        if time is None:
            time = job.dispatched if job.dispatched is not None else proof.time
        elif job.dispatched is not None and time < job.dispatched <= proof.time:
            time = job.dispatched
        self._course.start(job, proof, time, observed=False)

    def _cron_ended(self, job: Job, proof: Proof, evidence: Evidence, shared: bool) -> None:
        if job.started is None or job.ending is not None:
            return
        failed, trace = evidence.take_trace(job.started - 50, shared=shared)
        ending = Ending("failed" if failed else "done", proof, duration=(proof.time - job.started) / 1000)
        ending.exception = trace.exception if trace is not None else None
        self._course.end(job, ending, told_started=True)
        self._course.settle_job(job)

    def _runner_saw(self, job: Job, fact: Fact, proof: Proof) -> None:
        """`exception in GET`: where there are no access lines, an HTTP error and a traceback tell a failure."""
        status = _http_error(fact)
        if status is None or status == 404 or self.sees_answers:
            return
        if job.ending is not None:
            return
        key, trace = self._nearest_trace(proof)
        if key is None:
            return
        ending = Ending("failed", proof, exception=trace.exception if trace is not None else None)
        self._course.end(job, ending, told_started=job.started is not None)
        self._course.settle_job(job, "failed")

    def _nearest_trace(self, proof: Proof) -> tuple[tuple[str | None, int | None] | None, Trace | None]:
        """The process that wrote a traceback right before, and the traceback, where only one can be meant."""
        near = [
            (trace.proof.time, key, trace)
            for key, evidence in self._evidence.items()
            if key[0] == proof.server
            for trace in evidence.traces
            if -50 <= proof.time - trace.proof.time <= _SECOND
        ]
        if not near:
            return None, None
        near.sort(key=lambda item: item[0])
        time, key, trace = near[-1]
        others = {other.exception for when, _, other in near if proof.time - when <= _ANSWERS_WITHIN}
        # The older ones of this process were answered before it wrote this one.
        evidence = self._evidence[key]
        evidence.traces = [other for other in evidence.traces if other.proof.time > time]
        return key, trace if len(others | {trace.exception}) == 1 else None

    def _failed_in_channel(self, job: Job, fact: Fact, proof: Proof) -> None:
        self._in_channel(job, fact, proof)
        if fact.confidence != "proves":
            return
        course = self._course
        ending = job.ending
        if ending is not None and ending.how in ("dead", "broken"):
            course.settle_job(job, "failed", observed=True)
        elif job.state == "started" and (proof.server, proof.pid) not in self._replaying:
            if self.sees_answers:
                job.failed_in_channel = proof
                return
            start = job.start_proof
            key = (start.server, start.pid) if start is not None else (None, None)
            _, trace = self._at(key).take_trace((job.started or 0) - 50, shared=self.processes.shares(*key))
            ending = Ending(
                "failed",
                proof,
                duration=(proof.time - job.started) / 1000 if job.started is not None else None,
                exception=trace.exception if trace is not None else None,
                observed=True,
            )
            course.end(job, ending, told_started=True)
            course.settle_job(job, "failed")

    def _done_in_channel(self, job: Job, fact: Fact, proof: Proof) -> None:
        self._in_channel(job, fact, proof)
        course = self._course
        ending = job.ending
        if ending is not None and ending.how == "answered":
            course.settle_job(job, "done", observed=True)
        elif job.state in ("pending", None):
            self.jobs.move(job, "closed", proof.time)
        else:
            job.done_in_channel = True


def _duration(fact: Fact) -> float | None:
    """Seconds of an attempt, from the numbers of its access line (odoo/netsvc.py, PerfFilter)."""
    fields = fact.fields
    if "seconds" in fields:
        return float(fields["seconds"])
    if "sql_seconds" not in fields or "other_seconds" not in fields:
        return None
    return round(float(fields["sql_seconds"]) + float(fields["other_seconds"]), 6)


def _sql(fact: Fact) -> tuple[int | None, float | None]:
    fields = fact.fields
    queries, seconds = fields.get("queries"), fields.get("sql_seconds")
    return int(queries) if queries else None, float(seconds) if seconds else None


def _http_error(fact: Fact) -> int | None:
    """The HTTP status in `requests.exceptions.HTTPError: 500 Server Error: …`; None for another error."""
    if not fact.fields.get("exception", "").endswith("HTTPError"):
        return None
    number = fact.fields.get("exception_text", "")[:3]
    return int(number) if number.isdecimal() and number.isascii() else None
