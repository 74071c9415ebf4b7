"""The course of a job: queued, dispatched, started, ended, settled; each step told once."""

from collections import deque

from logparse.lifecycle.event import Ended, Event, Output, QueueWait
from logparse.lifecycle.job import Ending, Job, Proof
from logparse.lifecycle.jobs import Jobs
from logparse.lifecycle.sight import Sight

# How long a known ending waits for its access line, and a known return to pending for its reason (ms).
HOLD = 2_000
# Two runners on one database ask for the same job within this time (ms); only one dispatch takes effect.
RIVAL = 2_000
_NEVER = 1 << 62
# Endings that come to something else, or to what they are, by what follows.
_UNSETTLED = frozenset({"answered", "dead", "broken"})


class Course:
    """Moves jobs through their states and tells the events, in the order in which they are proven.

    jobs: the table. settle: how long an ending may stay unsettled, ms of log time. sight: what the log
    can show. out: what was told since it was last taken. now: the log's clock. due: when it is to `advance`
    again, since something is held or settled then (ms).
    """

    def __init__(self, jobs: Jobs, settle: int, sight: Sight) -> None:
        self.jobs = jobs
        self.settle = settle
        self.sight = sight
        self.out: list[Output] = []
        self.now = 0
        self.due = 0
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
        self.due = min(
            held[0][0] + 1 if held else _NEVER, unsettled[0][0] + self.settle if unsettled else _NEVER
        )

    # What happened

    def queue(self, job: Job, proof: Proof, time: int, *, observed: bool) -> None:
        """The job exists and waits."""
        job.queued = time
        job.told_queued = True
        self.jobs.move(job, "pending", time)
        self.tell("queued", job, proof, time=time, observed=observed)

    def dispatch(self, job: Job, proof: Proof) -> None:
        """The runner asks Odoo to run the job."""
        time = proof.time
        job.dispatched = time
        job.dispatcher = proof.pid
        job.asked += 1
        job.outcome = job.orphaned = job.failed_in_channel = job.done_in_channel = None
        job.proof = proof
        self.jobs.move(job, "enqueued", time)
        self._tell("dispatched", job, proof, time)
        if not job.waited:
            job.waited = True
            if job.queued is not None:
                seconds = max(0, time - job.queued) / 1000
                self.out.append(QueueWait(time, job.db, job.channel, seconds))

    def start(self, job: Job, proof: Proof, time: int, *, observed: bool, dated: bool = True) -> None:
        """An attempt starts. dated: False where no line tells when, but that it was before `time`."""
        if job.ending is not None or job.back is not None:
            self.release(job)
            # It was done only if it was put back by hand since, and that shows as a further dispatch.
            self.settle_job(job, "retried" if job.ending and job.ending.how == "answered" else None)
        job.attempts += 1
        job.started = time
        job.dated = dated
        job.start_proof = proof
        job.outcome = None
        job.orphaned = None
        if observed:
            self.jobs.move(job, "started", time)
        evidence = "observed" if observed else "inferred"
        wait = self._wait(job) if dated else None
        self._tell("started", job, proof, time, evidence, job.attempts, None, wait)

    def infer_start(self, job: Job, proof: Proof, began: int | None) -> None:
        """The attempt that ends now began at `began`, or, where no line tells, not before the dispatch."""
        dispatched = job.dispatched
        if began is None:
            time = dispatched if dispatched is not None else proof.time
        elif dispatched is not None and began < dispatched <= proof.time:
            time = dispatched
        else:
            time = began
        back = job.back
        if back is not None and (began is None or began < back.time):
            # It waits again since this attempt's end, which is stored before the answer is sent.
            job.back = None
        else:
            back = None
        self.start(job, proof, time, observed=False, dated=began is not None)
        job.back = back

    def end(self, job: Job, ending: Ending) -> None:
        """The attempt under way ended; where no start was told there was one, unless the dispatch is dead."""
        before, time = job.ending, ending.proof.time
        if before is not None and before.how != "dead" and ending.attempt is None:
            # It was still held, or unsettled: another ending follows it, and must not hide it.
            self.settle_job(job)
        if job.started is not None:
            ending.attempt = job.attempts
            if job.dated:
                ending.wait = self._wait(job)
            self.tell_run(job, ending)
        elif ending.attempt is None and ending.how != "dead":
            job.attempts += 1
            ending.attempt = job.attempts
            self.tell_run(job, ending)
        job.ending = ending
        job.started = job.start_proof = job.back = job.orphaned = None
        job.asked = job.refusals = 0
        how = ending.how
        if how != "failed":
            self.jobs.move(job, "unsettled", time)
            if how in _UNSETTLED:
                unsettled = self._unsettled
                if not unsettled:
                    self.due = min(self.due, time + self.settle)
                unsettled.append((time, job, ending))

    def hold(self, job: Job, what: Ending | Proof) -> None:
        """Give what is known now some time to become more."""
        if not self._held:
            self.due = min(self.due, self.now + HOLD + 1)
        self._held.append((self.now + HOLD, job, what))

    def go_back(self, job: Job, proof: Proof) -> None:
        """The job waits again; a line that follows may tell why."""
        job.back = proof
        self.hold(job, proof)

    def requeue(self, job: Job, proof: Proof, reason: str, *, observed: bool) -> None:
        """The job went back to wait without having ended."""
        attempt = job.attempts if job.started is not None else None
        if attempt is not None:
            self.tell_run(job, Ending("requeued", proof))
        self.tell("requeued", job, proof, observed=observed, attempt=attempt, reason=reason)
        self.rest(job)
        self.jobs.move(job, "pending", proof.time)

    def cancel(self, job: Job, proof: Proof) -> None:
        """A line says that the job was cancelled."""
        if job.outcome == "cancelled":
            return
        self.tell("cancelled", job, proof)
        job.outcome = "cancelled"
        if job.state in (None, "pending", "closed"):
            self.jobs.move(job, "closed", proof.time)

    # What it comes to

    def release(self, job: Job) -> None:
        """Tell what was held."""
        ending = job.ending
        if ending is not None and ending.how in ("done", "retried", "failed"):
            self._conclude(job, ending, ending.how)
        if job.back is not None and job.state != "pending":
            proof, job.back = job.back, None
            asked = job.dispatched if job.state == "enqueued" else None
            reason, observed = self.sight.why_pending(None if asked is None else proof.time - asked)
            self.requeue(job, proof, reason, observed=observed)

    def settle_job(self, job: Job, how: str | None = None, *, observed: bool = False) -> None:
        """An unsettled ending comes to what its time tells, or to `how`."""
        ending = job.ending
        if ending is None:
            return
        if how is None:
            if ending.how == "dead" and not self.sight.dispatched:
                # That no dispatch follows means nothing where none is logged: the line says requeued.
                self.requeue_ended(job, ending, "dead")
                return
            how = {"answered": "done", "dead": "failed", "broken": "lost"}.get(ending.how, ending.how)
        ending.observed = ending.observed or observed
        if ending.how == "dead" and how == "failed":
            ending.exception = "odoo.addons.queue_job.exception.JobFoundDead"
            if ending.attempt is None:
                # The dispatch was taken up, or the job could not have died of it.
                job.attempts += 1
                ending.attempt = job.attempts
                self.tell_run(job, ending)
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
                self.requeue_ended(job, ending, "dead")
                return
            else:
                self.requeue_ended(job, ending, reason or "unknown")
                return
        proof = job.proof
        if proof is None or job.state in (None, "pending"):
            return
        self.requeue(job, proof, reason or "unknown", observed=False)

    # Telling

    def requeue_ended(self, job: Job, ending: Ending, reason: str) -> None:
        """The job waits again, and its attempt has ended: with the numbers that were counted for it."""
        proof, evidence = ending.proof, "observed" if ending.how == "dead" else "inferred"
        numbers = (ending.attempt, ending.duration, ending.wait, ending.sql_queries, ending.sql_time)
        self._tell("requeued", job, proof, proof.time, evidence, *numbers, reason=reason)
        job.ending = None
        self.rest(job)
        self.jobs.move(job, "pending", ending.proof.time)

    def _conclude(self, job: Job, ending: Ending, how: str) -> None:
        proof = ending.proof
        self._tell(
            how,
            job,
            proof,
            proof.time,
            "observed" if ending.observed else "inferred",
            ending.attempt,
            ending.duration,
            ending.wait,
            ending.sql_queries,
            ending.sql_time,
            ending.exception if how == "failed" else None,
            "error answer" if how == "lost" else None,
        )
        back = job.back
        job.ending = None
        self.rest(job)
        job.proof = proof
        if how == "retried":
            self.jobs.move(job, "pending", proof.time)
        else:
            job.outcome = how
            job.back = back
            self.jobs.move(job, "closed", proof.time)

    def rest(self, job: Job) -> None:
        """Nothing is under way any more."""
        job.started = job.start_proof = job.dispatched = job.dispatcher = None
        job.back = job.failed_in_channel = job.done_in_channel = job.orphaned = None
        job.asked = job.refusals = 0

    def _wait(self, job: Job) -> float | None:
        """Seconds from the dispatch to the start; None where a line is missing that tells them."""
        started, dispatched = job.started, job.dispatched
        if started is None or dispatched is None:
            return None
        return (started - dispatched) / 1000 if started > dispatched else 0.0

    def tell_run(self, job: Job, ending: Ending) -> None:
        self.out.append(
            Ended(
                ending.proof.time, job.db, job.channel, ending.duration, ending.sql_queries, ending.sql_time
            )
        )

    def tell(
        self,
        event: str,
        job: Job,
        proof: Proof,
        *,
        time: int | None = None,
        observed: bool = True,
        attempt: int | None = None,
        reason: str | None = None,
    ) -> None:
        evidence = "observed" if observed else "inferred"
        time = proof.time if time is None else time
        self._tell(event, job, proof, time, evidence, attempt, reason=reason)

    def _tell(
        self,
        event: str,
        job: Job,
        proof: Proof,
        time: int,
        evidence: str = "observed",
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
                time,
                event,
                job.db,
                job.uuid,
                attempt,
                evidence,
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
        self.tell("refused", job, proof)
