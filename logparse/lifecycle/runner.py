"""Facts of the process that dispatches jobs, and of the one that creates them.

Sources: queue_job/jobrunner/runner.py (run_jobs, _async_http_get, requeue_dead_jobs), channels.py
(ChannelManager.notify, Channel), queue_job/job.py (enqueue).
"""

from logparse.lifecycle.course import RIVAL, Course
from logparse.lifecycle.job import Ending, Job, Proof
from logparse.lifecycle.placing import Handler
from logparse.lifecycle.sight import Sight
from logparse.lifecycle.worker import Place, Workers
from logparse.match.fact import Fact

# A dispatch right after somebody pressed Requeue in the user interface (ms).
_BY_HAND = 1_500


class Runners:
    """What the runners' lines mean for the jobs.

    replaying: the runners that read all unfinished jobs anew, and print their states again.
    """

    def __init__(self, course: Course, workers: Workers, sight: Sight) -> None:
        self.replaying: set[Place] = set()
        self._course = course
        self._workers = workers
        self._sight = sight
        self._requeued_by_hand = -_BY_HAND - 1
        self._placing: dict[Place, tuple[str, str, str | None]] = {}  # channel, where it is put, of which job

    def requeued_by_hand(self, proof: Proof) -> None:
        """Somebody pressed Requeue; the line does not say for which jobs."""
        self._requeued_by_hand = proof.time

    def places(self, fact: Fact, proof: Proof) -> None:
        """`root.a.b has no specific configuration: using root.a`: said right before a job is placed there.

        By a slip of queue_job (get_channel_by_name) the place is `root.a.a.b`, made below the parent.
        """
        channel, parent = fact.fields.get("channel", ""), fact.fields["parent"]
        self._placing[proof.server, proof.pid] = (channel, parent + channel[channel.find(".") :], None)

    def created(self, job: Job, fact: Fact, proof: Proof) -> None:
        """`enqueued … with uuid`, written before the commit: the runner hears only of what was committed."""
        if job.told_queued or job.state is not None:
            return
        if self._sight.pending:
            job.queued = proof.time
            job.proof = proof
        else:
            self._course.queue(job, proof, proof.time, observed=True)

    def replayed(self, kind: str, *, again: bool) -> Handler | None:
        """What a line means of a runner that reads what there is, where it means another thing then.

        again: the log shows which jobs there were until the runner before it ended.
        """
        return {"pending": self.came if again else self.was_pending, "failed": self.was_failed}.get(kind)

    def came(self, job: Job, fact: Fact, proof: Proof) -> None:
        """The same of a job that is read: one that is not known has come since the runner before it ended."""
        if job.state is None and job.queued is None and fact.confidence == "proves":
            self._see_channel(job, fact, proof)
            self._course.queue(job, proof, proof.time, observed=False)
            job.queued = None  # when it came, and so how long it waits, no line tells
        else:
            self.was_pending(job, fact, proof)

    def was_pending(self, job: Job, fact: Fact, proof: Proof) -> None:
        """The same of a job that is read: it waited before."""
        self.pending(job, fact, proof, replayed=True)

    def pending(self, job: Job, fact: Fact, proof: Proof, *, replayed: bool = False) -> None:
        """`marked pending in channel`; `unknown channel …` (until 2022) for a job of such a channel."""
        course = self._course
        proves = fact.confidence == "proves"
        if proves:
            self._sight.pending = True
        self._see_channel(job, fact, proof)
        if not proves:
            # A line that puts it into the root channel may follow; or none, and then that of another job.
            self._placing[proof.server, proof.pid] = (fact.fields.get("channel", ""), "root", job.uuid)
        state = job.state
        if state is None:
            if not replayed or job.queued is not None:
                time = proof.time if job.queued is None else job.queued
                course.queue(job, proof, time, observed=proves)
            elif proves:
                # An old job: since when it waits, no line tells.
                course.jobs.move(job, "pending", proof.time)
        elif not proves or state == "pending":
            return
        elif replayed and (state != "closed" or job.proof is not None):
            course.came_back(job, "manual" if job.ending is None else None)
        elif job.ending is not None and job.ending.how in ("dead", "answered", "broken"):
            course.came_back(job, None)
        elif state != "closed":
            course.go_back(job, proof)
        elif job.outcome is None and job.done_in_channel is None:
            # No line told how it ended, so that none tells whether it came back by itself.
            course.requeue(job, proof, "unknown", observed=False)
        else:
            course.requeue(job, proof, "manual", observed=not replayed)

    def in_channel(self, job: Job, fact: Fact, proof: Proof) -> None:
        """`marked running in channel`: one line a level, so the deepest is the job's own."""
        self._see_channel(job, fact, proof, own=False)

    def _see_channel(self, job: Job, fact: Fact, proof: Proof, *, own: bool = True) -> None:
        """own: the line names the job's own channel, which may be another one now; else any that it is in.

        Source: channels.py, notify: job.channel.set_pending, set_done and set_failed write one line each.
        """
        placing = self._placing
        placed = placing.pop((proof.server, proof.pid), None) if placing else None
        channel = fact.fields.get("channel")
        if channel is None:
            return
        if placed is not None and placed[1] == channel and placed[2] in (None, job.uuid):
            channel = placed[0]
        known = job.channel
        if known is None or (known != channel and (own or channel.startswith(known + "."))):
            if job.state is None:
                job.channel = channel
            else:
                self._course.jobs.move(job, job.state, job.since, channel)

    def dispatched(self, job: Job, fact: Fact, proof: Proof) -> None:
        """`asking Odoo to run job`: written right before the state is stored and the worker is asked."""
        course = self._course
        self._sight.dispatched[job.db] += 1
        state = job.state
        if state is None:
            if job.queued is not None and not job.told_queued and job.proof is not None:
                course.queue(job, job.proof, job.queued, observed=True)
        elif state != "pending":
            if (
                state == "enqueued"
                and job.back is None
                and job.dispatched is not None
                and proof.pid != job.dispatcher
                and proof.time - job.dispatched <= RIVAL
            ):
                # Two runners on one database, before they elect a leader: one dispatch takes effect.
                return
            by_hand = job.started is None and 0 <= proof.time - self._requeued_by_hand <= _BY_HAND
            if state != "closed":
                course.came_back(job, "manual" if by_hand and job.ending is not None else None)
            elif job.outcome != "cancelled":
                # Until 2023 the runner kept a cancelled job in its queue, and ran it all the same.
                course.requeue(job, proof, "manual" if by_hand else "unknown", observed=False)
        course.dispatch(job, proof)

    def reset(self, job: Job, fact: Fact, proof: Proof) -> None:
        """`state of job … was reset`: no worker took the dispatch up within a second."""
        self._sight.resets = True
        unseen = job.state in ("pending", "closed") and not self._sight.dispatched[job.db]
        if job.started is None and job.ending is None and (job.state in (None, "enqueued") or unseen):
            self._course.requeue(job, proof, "timeout", observed=True)

    def dead(self, job: Job, fact: Fact, proof: Proof) -> None:
        """`Re-queued dead job`: requeued, or failed for having died too often; the next dispatch tells."""
        self._sight.resets = True  # Releases that write this one reset nothing.
        ending = job.ending
        back, job.back = job.back, None
        dead = Ending("dead", proof)
        # At WARNING no dispatch is logged: then each such line tells of another one.
        unseen = not self._sight.dispatched[job.db]
        if ending is not None and ending.how in ("answered", "broken"):
            # Its answer was counted already, with these numbers.
            dead.attempt, dead.duration, dead.wait = ending.attempt, ending.duration, ending.wait
            dead.sql_queries, dead.sql_time = ending.sql_queries, ending.sql_time
        elif job.state == "closed" and job.outcome == "failed" and not unseen:
            # It is still enqueued or started in the database: the failure was not stored.
            self._course.requeue(job, proof, "dead", observed=True)
            return
        elif ending is not None and ending.how == "dead" and unseen:
            self._course.came_back(job, None)
        elif (job.state == "closed" and job.outcome not in (None, "lost")) or (
            job.state == "pending" and not job.waited and not unseen
        ):
            return
        self._course.end(job, dead)
        if back is not None:
            self._course.came_back(job, None)

    def cancelled(self, job: Job, fact: Fact, proof: Proof) -> None:
        """`unexpected state cancelled`, of the releases that did not know that state."""
        if fact.confidence == "proves":
            self._course.cancel(job, proof)

    def was_failed(self, job: Job, fact: Fact, proof: Proof) -> None:
        """The same of a job that is read: it failed before."""
        self.failed_in_channel(job, fact, proof, replayed=True)

    def failed_in_channel(self, job: Job, fact: Fact, proof: Proof, *, replayed: bool = False) -> None:
        """`marked failed in channel`: the state is stored; not that it is new."""
        if fact.confidence != "proves":
            return
        self._see_channel(job, fact, proof)
        if job.ending is not None:
            if job.ending.how in ("dead", "broken"):
                self._course.settle_job(job, "failed", observed=True)
        elif job.state == "started" and not replayed:
            if self._sight.answers:
                job.failed_in_channel = proof
            else:
                self._workers.failed_without_answer(job, proof)

    def done_in_channel(self, job: Job, fact: Fact, proof: Proof) -> None:
        """`marked done in channel`: done, or cancelled or set done by hand."""
        self._see_channel(job, fact, proof)
        if job.ending is not None:
            if job.ending.how == "answered":
                self._course.settle_job(job, "done", observed=True)
        else:
            if job.state in ("pending", None):
                self._course.jobs.move(job, "closed", proof.time)
            job.done_in_channel = proof
