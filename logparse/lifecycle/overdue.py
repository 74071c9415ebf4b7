"""Jobs of which no line will tell any more: what becomes of them, as far as the rest of the log shows."""

from logparse.lifecycle.answer import between
from logparse.lifecycle.course import RIVAL, Course
from logparse.lifecycle.job import Ending, Job
from logparse.lifecycle.processes import Processes

# From when on the lack of a reset or a requeue proves that a worker took the dispatch up (ms): a reset
# comes after 1 s, a dead job is found within 10 s to 60 s (queue_job/jobrunner/runner.py).
TAKEN = 70_000
TAKEN_WHERE_RESET = 5_000
# A dead job that is requeued is asked for again within this time, if its channel has room (ms).
REDISPATCH = 10_000


class Overdue:
    """Looks through the open jobs, now and then and at the end.

    taken: from when on the lack of a reset or a requeue proves that a worker took a dispatch up, ms.
    """

    def __init__(self, course: Course, processes: Processes) -> None:
        self.taken = TAKEN
        self._course = course
        self._processes = processes

    def finish(self) -> None:
        """Nothing follows: settle everything."""
        course = self._course
        for job in course.jobs.open():
            course.release(job)
            ending = job.ending
            if ending is not None and ending.how == "dead" and course.now - ending.proof.time < REDISPATCH:
                course.requeue_ended(job, ending, "dead")
            elif ending is not None:
                course.settle_job(job)
            elif not self._end_as_channel_tells(job) and job.orphaned is not None:
                self.lose(job)

    def look(self) -> None:
        """Let go of jobs of which no line will tell any more, after the time that endings have to settle.

        They leave their open state, so that it doesn't grow for ever. An attempt whose server was started
        anew is lost. A dispatch without an answer, in a log that shows no answers, is not known to be lost,
        nor one that waits, in a log that shows no dispatches: of these nothing is told.
        """
        course = self._course
        for job in course.jobs.open(ended=False):
            if job.ending is not None or job.back is not None or course.now - job.since <= course.settle:
                continue
            if self._end_as_channel_tells(job):
                continue
            if job.orphaned is not None:
                if course.now - job.orphaned > course.settle:
                    self.lose(job)
            elif (job.state == "enqueued" and not self._sees_end(job)) or (
                job.state == "pending" and not course.sight.pending and not course.sight.dispatched
            ):
                self._let_go(job, course.now)

    def orphan(self, server: str | None, time: int) -> None:
        """A server was started at `time`: what ran in it before cannot end any more.

        A dispatch does not say which server takes it up: where others run jobs too, any of them may have.
        """
        for job in self._course.jobs.open(ended=False):
            if (
                job.state in ("enqueued", "started")
                and job.orphaned is None
                and job.since < time
                and self._runs_in(job, server)
            ):
                job.orphaned, job.killed = time, False

    def lose_where_all_moved_on(self) -> None:
        """Tell the jobs that no worker can be at: all of their server began and answered others since."""
        course, processes = self._course, self._processes
        for job in course.jobs.open(ended=False):
            if (
                job.state in ("enqueued", "started")
                and course.now - job.since > self.taken
                and job.ending is None
                and (proof := job.start_proof or job.proof) is not None
                and processes.moved_on(proof.server, job.since + RIVAL)
                and self._runs_in(job, proof.server)
            ):
                self.lose(job, "worker gone")

    def lose(self, job: Job, reason: str | None = None) -> None:
        """The attempt under way can no longer end; where no ends are logged, nothing is known of it."""
        course = self._course
        time = job.orphaned if job.orphaned is not None else course.now
        taken = job.started is not None or (job.dispatched is not None and time - job.dispatched > self.taken)
        proof = job.start_proof or job.proof
        if taken and self._sees_end(job) and proof is not None:
            if job.started is None:
                job.attempts += 1
            ending = Ending("lost", proof)
            course.tell_run(job, ending)
            reason = reason or ("worker gone" if job.killed else "server restart")
            course.tell("lost", job, proof, time=time, observed=False, attempt=job.attempts, reason=reason)
            job.outcome = "lost"
        self._let_go(job, time)

    def forget(self, job: Job) -> None:
        """There are too many jobs, and this one is the longest in its state."""
        course = self._course
        proof = job.start_proof or job.proof
        if proof is not None:
            attempt = job.attempts if job.started is not None else None
            course.tell(
                "lost", job, proof, time=course.now, observed=False, attempt=attempt, reason="evicted"
            )
        job.ending = job.back = None

    def _runs_in(self, job: Job, server: str | None) -> bool:
        """Whether the job, if a worker runs it, is run by one of this server."""
        if job.start_proof is not None:
            return job.start_proof.server == server
        return (
            job.proof is not None
            and job.proof.server == server
            and not self._processes.work_elsewhere(server, job.db)
        )

    def _sees_end(self, job: Job) -> bool:
        """Whether the end of the attempt under way would be in this log: answers are, or starts."""
        sight = self._course.sight
        return job.start_proof is not None or sight.started or sight.answered[job.db] > 0

    def _end_as_channel_tells(self, job: Job) -> bool:
        """The runner saw a started job done, and no answer came, in a log without any: NothingToDoJob."""
        course = self._course
        proof = job.done_in_channel
        if proof is None or job.started is None or job.ending is not None or course.sight.answered[job.db]:
            return False
        course.end(job, Ending("done", proof, duration=between(job.started, proof.time)))
        course.settle_job(job)
        return True

    def _let_go(self, job: Job, time: int) -> None:
        """Close it, and tell nothing."""
        course = self._course
        course.rest(job)
        course.jobs.move(job, "closed", time)
