"""The course of a job: queued, dispatched, started, ended, settled; each step told once."""

from collections import deque
from collections.abc import Callable

from logparse.lifecycle.event import Ended, Event, Output, QueueWait
from logparse.lifecycle.job import Ending, Job, Proof
from logparse.lifecycle.jobs import Jobs
from logparse.lifecycle.sight import Sight

# How long a known ending waits for its access line, and a known return to pending for its reason (ms).
HOLD = 2_000
# From when on the lack of a reset or a requeue proves that a worker took the dispatch up (ms): a reset
# comes after 1 s, a dead job is found within 10 s to 60 s (queue_job/jobrunner/runner.py).
TAKEN = 70_000
TAKEN_WHERE_RESET = 5_000
# A dead job that is requeued is asked for again within this time, if its channel has room (ms).
REDISPATCH = 10_000
# Two runners on one database ask for the same job within this time (ms); only one dispatch takes effect.
RIVAL = 2_000


class Course:
    """Moves jobs through their states and tells the events, in the order in which they are proven.

    jobs: the table. settle: how long an ending may stay unsettled, ms of log time. sight: what the log
    can show. out: what was told since it was last taken.
    """

    def __init__(self, jobs: Jobs, settle: int, sight: Sight) -> None:
        self.jobs = jobs
        self.settle = settle
        self.sight = sight
        self.out: list[Output] = []
        self.now = 0
        self.taken = TAKEN
        self._unsettled: deque[tuple[int, Job, Ending]] = deque()
        self._held: deque[tuple[int, Job, Ending | Proof]] = deque()

    def advance(self, time: int) -> None:
        """The log's clock shows `time`: settle what is due by now."""
        if time <= self.now:
            return
        self.now = time
        held = self._held
        while held and held[0][0] < time:
            _, job, what = held.popleft()
            if job.ending is what or job.back is what:
                self.release(job)
        unsettled = self._unsettled
        while unsettled and unsettled[0][0] + self.settle <= time:
            _, job, ending = unsettled.popleft()
            if job.ending is ending:
                self.settle_job(job)

    def finish(self) -> None:
        """Nothing follows: settle everything."""
        for job in self.jobs.open():
            self.release(job)
            ending = job.ending
            if ending is not None and ending.how == "dead" and self.now - ending.proof.time < REDISPATCH:
                self._requeue_ended(job, ending, "dead")
            elif ending is not None:
                self.settle_job(job)
            elif not self._end_as_channel_tells(job) and job.orphaned is not None:
                self.lose(job)

    def look(self) -> None:
        """Let go of jobs of which no line will tell any more, after the time that endings have to settle.

        They leave their open state, so that it doesn't grow for ever. An attempt whose server was started
        anew is lost. A dispatch without an answer, in a log that shows no answers, is not known to be lost,
        nor one that waits, in a log that shows no dispatches: of these nothing is told.
        """
        for job in self.jobs.open(ended=False):
            if job.ending is not None or job.back is not None or self.now - job.since <= self.settle:
                continue
            if self._end_as_channel_tells(job):
                continue
            if job.orphaned is not None:
                if self.now - job.orphaned > self.settle:
                    self.lose(job)
            elif (job.state == "enqueued" and not self._sees_end(job)) or (
                job.state == "pending" and not self.sight.pending and not self.sight.dispatched
            ):
                self._let_go(job, self.now)

    # What happened

    def queue(self, job: Job, proof: Proof, time: int, *, observed: bool) -> None:
        """The job exists and waits."""
        job.queued = time
        job.told_queued = True
        self.jobs.move(job, "pending", time)
        self._tell("queued", job, proof, time=time, observed=observed)

    def dispatch(self, job: Job, proof: Proof) -> None:
        """The runner asks Odoo to run the job."""
        job.dispatched = proof.time
        job.dispatcher = proof.pid
        job.asked += 1
        job.outcome = None
        job.orphaned = None
        job.failed_in_channel = job.done_in_channel = None
        job.proof = proof
        self.jobs.move(job, "enqueued", proof.time)
        self._tell("dispatched", job, proof)
        if job.queued is not None and not job.waited:
            seconds = max(0, proof.time - job.queued) / 1000
            self.out.append(QueueWait(proof.time, job.db, job.channel, seconds))
        job.waited = True

    def start(self, job: Job, proof: Proof, time: int, *, observed: bool, dated: bool = True) -> None:
        """An attempt starts. dated: False where no line tells when, but that it was before `time`."""
        if job.ending is not None or job.back is not None:
            self.release(job)
            self.settle_job(job)
        job.attempts += 1
        job.started = time
        job.dated = dated
        job.start_proof = proof
        job.outcome = None
        job.orphaned = None
        wait = self._wait(job)
        if observed:
            self.jobs.move(job, "started", time)
        self._tell("started", job, proof, time=time, observed=observed, attempt=job.attempts, wait=wait)

    def infer_start(self, job: Job, proof: Proof, began: int | None) -> None:
        """The attempt that ends now began at `began`, or, where no line tells, not before the dispatch."""
        dispatched = job.dispatched
        if began is None:
            time = dispatched if dispatched is not None else proof.time
        elif dispatched is not None and began < dispatched <= proof.time:
            time = dispatched
        else:
            time = began
        self.start(job, proof, time, observed=False, dated=began is not None)

    def end(self, job: Job, ending: Ending) -> None:
        """The attempt under way ended; where no start was told there was one, unless the dispatch is dead."""
        before = job.ending
        if before is not None and before.how != "dead" and ending.attempt is None:
            # It was still held, or unsettled: another ending follows it, and must not hide it.
            self.settle_job(job)
        if job.started is not None:
            ending.attempt = job.attempts
            ending.wait = self._wait(job)
            self._ended(job, ending)
        elif ending.attempt is None and ending.how != "dead":
            job.attempts += 1
            ending.attempt = job.attempts
            self._ended(job, ending)
        job.ending = ending
        job.started = None
        job.start_proof = None
        job.asked = job.refusals = 0
        job.back = None
        job.orphaned = None
        how = ending.how
        if how != "failed":
            self.jobs.move(job, "unsettled", ending.proof.time)
        if how in ("answered", "dead", "broken"):
            self._unsettled.append((ending.proof.time, job, ending))

    def hold(self, job: Job, what: Ending | Proof) -> None:
        """Give what is known now some time to become more."""
        self._held.append((self.now + HOLD, job, what))

    def go_back(self, job: Job, proof: Proof) -> None:
        """The job waits again; a line that follows may tell why."""
        job.back = proof
        self.hold(job, proof)

    def requeue(self, job: Job, proof: Proof, reason: str, *, observed: bool) -> None:
        """The job went back to wait without having ended."""
        attempt = job.attempts if job.started is not None else None
        if attempt is not None:
            self._ended(job, Ending("requeued", proof))
        self._tell("requeued", job, proof, observed=observed, attempt=attempt, reason=reason)
        self._rest(job)
        self.jobs.move(job, "pending", proof.time)

    def cancel(self, job: Job, proof: Proof) -> None:
        """A line says that the job was cancelled."""
        if job.outcome == "cancelled":
            return
        self._tell("cancelled", job, proof)
        if job.state in (None, "pending", "closed"):
            job.outcome = "cancelled"
            self.jobs.move(job, "closed", proof.time)

    def lose(self, job: Job, reason: str = "server restart") -> None:
        """The attempt under way can no longer end; where no ends are logged, nothing is known of it."""
        time = job.orphaned if job.orphaned is not None else self.now
        taken = job.started is not None or (job.dispatched is not None and time - job.dispatched > self.taken)
        proof = job.start_proof or job.proof
        if taken and self._sees_end(job) and proof is not None:
            if job.started is None:
                job.attempts += 1
            ending = Ending("lost", proof)
            self._ended(job, ending)
            self._tell("lost", job, proof, time=time, observed=False, attempt=job.attempts, reason=reason)
            job.outcome = "lost"
        self._let_go(job, time)

    def orphan(self, server: str | None, time: int) -> None:
        """A server was started at `time`: what ran in it before cannot end any more."""
        for job in self.jobs.open(ended=False):
            if (
                job.state in ("enqueued", "started")
                and job.orphaned is None
                and job.since < time
                and job.proof is not None
                and job.proof.server == server
            ):
                job.orphaned = time

    def lose_where(self, moved_on: Callable[[str | None, int], bool]) -> None:
        """Tell the jobs that no worker can be at: all of their server have `moved_on` since."""
        for job in self.jobs.open(ended=False):
            if (
                job.state in ("enqueued", "started")
                and self.now - job.since > self.taken
                and job.ending is None
                and job.proof is not None
                and moved_on(job.proof.server, job.since + RIVAL)
            ):
                self.lose(job, "worker gone")

    def forget(self, job: Job) -> None:
        """There are too many jobs, and this one is the longest in its state."""
        proof = job.start_proof or job.proof
        if proof is not None:
            attempt = job.attempts if job.started is not None else None
            self._tell("lost", job, proof, time=self.now, observed=False, attempt=attempt, reason="evicted")
        job.ending = job.back = None

    # What it comes to

    def release(self, job: Job) -> None:
        """Tell what was held."""
        ending = job.ending
        if ending is not None and ending.how in ("done", "retried", "failed"):
            self._conclude(job, ending, ending.how)
        if job.back is not None and job.state != "pending":
            proof, job.back = job.back, None
            self.requeue(job, proof, "manual", observed=True)

    def settle_job(self, job: Job, how: str | None = None, *, observed: bool = False) -> None:
        """An unsettled ending comes to what its time tells, or to `how`."""
        ending = job.ending
        if ending is None:
            return
        if how is None:
            if ending.how == "dead" and not self.sight.dispatched:
                # That no dispatch follows means nothing where none is logged: the line says requeued.
                self._requeue_ended(job, ending, "dead")
                return
            how = {"answered": "done", "dead": "failed", "broken": "lost"}.get(ending.how, ending.how)
        ending.observed = ending.observed or observed
        if ending.how == "dead" and how == "failed":
            ending.exception = "odoo.addons.queue_job.exception.JobFoundDead"
            if ending.attempt is None:
                # The dispatch was taken up, or the job could not have died of it.
                job.attempts += 1
                ending.attempt = job.attempts
                self._ended(job, ending)
        self._conclude(job, ending, how)

    def came_back(self, job: Job, reason: str | None) -> None:
        """A job is asked for, or seen pending: tell how its last attempt ended, or why it came back.

        reason: where another line told it (`manual`), else None.
        """
        self.release(job)
        ending = job.ending
        if ending is not None:
            if ending.how == "answered":
                if reason is None:
                    self.settle_job(job, "retried")
                    return
                self.settle_job(job)
            elif ending.how == "dead":
                self._requeue_ended(job, ending, "dead")
                return
            else:
                self._requeue_ended(job, ending, reason or "unknown")
                return
        proof = job.proof
        if proof is None or job.state in (None, "pending"):
            return
        self.requeue(job, proof, reason or "unknown", observed=False)

    def _sees_end(self, job: Job) -> bool:
        """Whether the end of the attempt under way would be in this log: answers are, or starts."""
        sight = self.sight
        return job.start_proof is not None or sight.started or sight.answered[job.db] > 0

    def _end_as_channel_tells(self, job: Job) -> bool:
        """The runner saw a started job done, and no answer came, in a log without any: NothingToDoJob."""
        proof = job.done_in_channel
        if proof is None or job.started is None or job.ending is not None or self.sight.answered[job.db]:
            return False
        self.end(job, Ending("done", proof, duration=max(0, proof.time - job.started) / 1000))
        self.settle_job(job)
        return True

    def _let_go(self, job: Job, time: int) -> None:
        self._rest(job)
        self.jobs.move(job, "closed", time)

    # Telling

    def _requeue_ended(self, job: Job, ending: Ending, reason: str) -> None:
        self._tell(
            "requeued",
            job,
            ending.proof,
            observed=ending.how == "dead",
            attempt=ending.attempt,
            reason=reason,
        )
        job.ending = None
        self._rest(job)
        self.jobs.move(job, "pending", ending.proof.time)

    def _conclude(self, job: Job, ending: Ending, how: str) -> None:
        self._tell(
            how,
            job,
            ending.proof,
            observed=ending.observed,
            attempt=ending.attempt,
            duration=ending.duration,
            wait=ending.wait,
            sql_queries=ending.sql_queries,
            sql_time=ending.sql_time,
            exception=ending.exception if how == "failed" else None,
            reason="error answer" if how == "lost" else None,
        )
        back = job.back
        job.ending = None
        self._rest(job)
        job.proof = ending.proof
        if how == "retried":
            self.jobs.move(job, "pending", ending.proof.time)
        else:
            job.outcome = how
            job.back = back
            self.jobs.move(job, "closed", ending.proof.time)

    def _rest(self, job: Job) -> None:
        """Nothing is under way any more."""
        job.started = job.start_proof = job.dispatched = job.dispatcher = None
        job.back = job.failed_in_channel = job.done_in_channel = job.orphaned = None
        job.asked = job.refusals = 0

    def _wait(self, job: Job) -> float | None:
        """Seconds from the dispatch to the start; None where a line is missing that tells them."""
        if job.started is None or job.dispatched is None or not job.dated:
            return None
        return max(0, job.started - job.dispatched) / 1000

    def _ended(self, job: Job, ending: Ending) -> None:
        self.out.append(
            Ended(
                ending.proof.time, job.db, job.channel, ending.duration, ending.sql_queries, ending.sql_time
            )
        )

    def _tell(
        self,
        event: str,
        job: Job,
        proof: Proof,
        *,
        time: int | None = None,
        observed: bool = True,
        attempt: int | None = None,
        duration: float | None = None,
        wait: float | None = None,
        sql_queries: int | None = None,
        sql_time: float | None = None,
        exception: str | None = None,
        reason: str | None = None,
    ) -> None:
        self.out.append(
            Event(
                proof.time if time is None else time,
                event,
                job.db,
                job.uuid,
                attempt,
                "observed" if observed else "inferred",
                job.channel,
                duration,
                wait,
                sql_queries,
                sql_time,
                exception,
                reason,
                proof.pid,
                proof.server,
                proof.pattern,
                proof.file,
                proof.offset,
            )
        )

    def refuse(self, job: Job, proof: Proof) -> None:
        """A worker was asked and did not run it."""
        job.refusals += 1
        self._tell("refused", job, proof)
