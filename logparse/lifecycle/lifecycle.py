"""The lifecycle stage: facts in, what happened to which job out. The only state of the pipe."""

from collections import Counter
from collections.abc import Callable

import msgspec

from logparse.lifecycle.answer import duration_of
from logparse.lifecycle.course import Course
from logparse.lifecycle.event import Output
from logparse.lifecycle.installation import Installation, channel_state
from logparse.lifecycle.job import Job, Proof
from logparse.lifecycle.jobs import Jobs
from logparse.lifecycle.overdue import TAKEN, TAKEN_WHERE_RESET, Overdue
from logparse.lifecycle.placing import Handler, Placing
from logparse.lifecycle.processes import Processes
from logparse.lifecycle.runner import Runners
from logparse.lifecycle.sight import Sight
from logparse.lifecycle.worker import Place, Workers
from logparse.match.fact import Fact, seconds, whole

# Odoo series of which no queue_job release requeues dead jobs (12 and 15 as seen, 13 by its source).
_NEVER_REQUEUES = ("12", "13", "15")
# Lines of the runner's loggers that other processes may write: the prefork server's master.
_BY_MASTER = frozenset({"channel_config", "runner_start", "runner_stopping", "runner_disabled"})
# Hints that change what is told.
_HINTS = frozenset({"channel_config", "deps_failed", "deps_retry", "manual_action"})
# Facts that only the installation's story is made of.
_ELSEWHERE = frozenset(
    {
        "backpressure",
        "channel_config",
        "deps_failed",
        "deps_retry",
        "evented_start",
        "manual_action",
        "runner_crash",
        "runner_heartbeat",
        "runner_misconfigured",
        "runner_ready",
        "runner_standby",
        "runner_start",
        "runner_stopped",
        "server_http",
        "server_start",
        "server_stop",
        "worker_killed",
        "worker_start",
        "worker_stop",
    }
)


class Options(msgspec.Struct, frozen=True):
    """settle: seconds of log time after which an ending is settled. max_jobs: how many are tracked."""

    settle: float = 3600.0
    max_jobs: int = 200_000


class Lifecycle:
    """Joins facts into the lives of jobs (docs/lifecycle.md states the rules and their proofs).

    `feed` it facts in file order; it returns what they prove. `finish` at the end of a finite log.

    jobs, processes, installation, sight: what is known. rejected: facts that were not believed, by reason
    (`role`: the process cannot have written it; `orphan`: an answer to what nobody asked).
    runner_activity: by server, when its runner last wrote, ms. runner_wakeup: by server, when its runner
    means to wake up if nothing wakes it before, ms, as its last line of waiting told (DEBUG).
    """

    def __init__(self, options: Options = Options()) -> None:  # noqa: B008 (frozen)
        self.jobs = Jobs(options.max_jobs)
        self.processes = Processes()
        self.installation = Installation(self.processes)
        self.sight = Sight()
        self.rejected: Counter[str] = Counter()
        self.runner_activity: dict[str, int] = {}
        self.runner_wakeup: dict[str, int] = {}
        self._course = Course(self.jobs, int(options.settle * 1000), self.sight)
        self._overdue = Overdue(self._course, self.processes)
        self._workers = Workers(self._course, self.processes, self.sight)
        self._runners = Runners(self._course, self._workers, self.sight)
        self._placing = Placing(self.jobs, self.sight)
        self._runner_since: dict[str | None, int] = {}
        self._looked = 0
        self._last: dict[Place, tuple[int, str, str]] = {}
        self._sides: dict[str, Callable[[Fact, Proof], bool] | None] = {}
        runners, workers = self._runners, self._workers
        self._of_job: dict[str, Handler] = {
            "created": runners.created,
            "pending": runners.pending,
            "running_in_channel": runners.in_channel,
            "dispatched": runners.dispatched,
            "dispatch_reset": runners.reset,
            "dead_requeued_or_failed": runners.dead,
            "dispatch_http_error": workers.runner_saw,
            "done_or_cancelled": runners.done_in_channel,
            "cancelled": runners.cancelled,
            "failed": runners.failed_in_channel,
            "started": workers.started,
            "done": workers.done,
            "postponed": workers.postponed,
            "postponed_concurrency": workers.postponed,
            "refused": workers.refused,
            "attempt_ended": self._answered,
        }

    def needs(self, kind: str, confidence: str) -> bool:
        """Whether facts of this kind mean something here; others need not be found."""
        if confidence == "hint":
            return kind in _HINTS
        return kind in _ELSEWHERE or kind in self._of_job

    @property
    def now(self) -> int:
        """The log's clock, ms, UTC; 0 before the first fact."""
        return self._course.now

    def feed(self, fact: Fact, server: str | None = None) -> list[Output]:
        """What this fact of this server's log proves, in the order in which it is proven."""
        self.take(fact, server)
        return self.told()

    def take(self, fact: Fact, server: str | None = None) -> None:
        """The same, to be `told` with what others prove."""
        record = fact.record
        time, pid = record.time, record.pid
        proof = Proof(time, pid, server, fact.pattern, record.file, record.offset)
        course = self._course
        if time > course.now:
            if time < course.due:
                course.now = time
            else:
                course.advance(time)
        if time - self._looked > TAKEN:
            self._lose_the_dead()
        logger = record.logger
        try:
            side = self._sides[logger]
        except KeyError:
            side = self._side_of(logger)
        if side is not None and pid is not None and not side(fact, proof):
            self.rejected["role"] += 1
        else:
            uuid = fact.uuid
            handler = self._of_job.get(fact.kind)
            if handler is None or uuid is None:
                self._of_no_job(fact, proof)
            elif fact.confidence != "hint":
                if "running" in fact.fields:
                    course.out.append(channel_state(fact, proof))
                # Where a process's last line about a job comes again, two handlers write to one file.
                last, place, line = self._last, (server, pid), (time, fact.pattern, record.message)
                if last.get(place) != line:
                    if len(last) > 5000:
                        last.clear()
                    last[place] = line
                    if fact.db is None and fact.kind == "dispatch_http_error" and not self.sight.answers:
                        fact = msgspec.structs.replace(fact, db=self._workers.database_of_failure(proof))
                    if self._runners.replaying and place in self._runners.replaying:
                        handler = self._replayed(place, fact) or handler
                    self._placing.place(handler, fact, proof, uuid)
        while self.jobs.crowded:
            evicted = self.jobs.evict()
            if evicted is not None:
                self._overdue.forget(evicted)

    def told(self) -> list[Output]:
        """What was proven since this was asked last."""
        course = self._course
        out, course.out = course.out, []
        return out

    def finish(self) -> list[Output]:
        """Nothing follows: settle what is left."""
        self._placing.finish()
        self._lose_the_dead()
        self._overdue.finish()
        return self.told()

    # Who may have written it

    def _side_of(self, logger: str) -> Callable[[Fact, Proof], bool] | None:
        side: Callable[[Fact, Proof], bool] | None = None
        if ".jobrunner." in logger or logger.endswith(".jobrunner"):
            side = self._by_runner
        elif ".controllers." in logger or logger in ("werkzeug", "longpolling"):
            side = self._by_worker
        elif "cron_jobrunner" in logger:
            side = self._by_cron
        if len(self._sides) < 1000:
            self._sides[logger] = side
        return side

    def _by_runner(self, fact: Fact, proof: Proof) -> bool:
        if fact.kind in _BY_MASTER:
            return self.processes.may_configure(proof.server, proof.pid)
        if not self.processes.may_run(proof.server, proof.pid, proof.time):
            return False
        self.runner_activity[proof.server or ""] = proof.time
        return True

    def _by_worker(self, fact: Fact, proof: Proof) -> bool:
        if fact.uuid is None and "status" in fact.fields:
            return True
        return self.processes.may_work(proof.server, proof.pid, proof.time)

    def _by_cron(self, fact: Fact, proof: Proof) -> bool:
        return self.processes.may_run_cron(proof.server, proof.pid, proof.time)

    # Facts

    def _replayed(self, place: Place, fact: Fact) -> Handler | None:
        """What else the fact means where it does not show that this runner has read all old jobs."""
        if self._placing.is_over(place, fact):
            self._has_read(place)
            return None
        again = self._placing.reads_again(place) and not self.jobs.evicted
        return self._runners.replayed(fact.kind, again=again)

    def _has_read(self, place: Place) -> None:
        self._placing.has_read(place, None)
        self._runners.replaying.discard(place)

    def _answered(self, job: Job, fact: Fact, proof: Proof) -> None:
        if job.state is None and self._is_orphan(fact, proof):
            self.rejected["orphan"] += 1
            return
        self._workers.answered(job, fact, proof)

    def _is_orphan(self, fact: Fact, proof: Proof) -> bool:
        """An answer for a job that this log's own runner, seen from its start, never asked for."""
        since = self._runner_since.get(proof.server)
        duration = duration_of(fact)
        if since is None or duration is None or self.jobs.evicted or not self.sight.dispatched[fact.db]:
            return False
        return proof.time - round(duration * 1000) > since + 1000

    def _of_no_job(self, fact: Fact, proof: Proof) -> None:
        kind = fact.kind
        if kind == "failed":
            if fact.confidence == "implies":
                self._workers.traceback(fact, proof)
        elif kind in ("deps_retry", "deps_failed"):
            self._workers.release(fact, proof)
        elif kind == "channel_config" and "parent" in fact.fields:
            self._runners.places(fact, proof)
        elif kind == "manual_action":
            if "requeue" in fact.fields.get("method", ""):
                self._runners.requeued_by_hand(proof)
        else:
            reason = self.installation.tell(fact, proof, self._course.out)
            if reason is not None:
                self.rejected[reason] += 1
                return
            self._follow_installation(kind, fact, proof)

    def _follow_installation(self, kind: str, fact: Fact, proof: Proof) -> None:
        place = (proof.server, proof.pid)
        if kind == "runner_heartbeat" and (told := fact.fields.get("seconds")) is not None:
            # `select() timeout: 60.00 sec`; less than 0 where it is late, and so does not wait.
            wait = max(0.0, seconds(told))
            self.runner_wakeup[proof.server or ""] = proof.time + round(wait * 1000)
        elif kind in ("runner_start", "runner_crash"):
            self._placing.reads(place)
            self._runners.replaying.add(place)
            if kind == "runner_start":
                self._runner_since.setdefault(proof.server, proof.time)
        elif kind == "runner_ready" and fact.confidence == "proves":
            named = fact.fields.get("db")
            if named is None:
                self._has_read(place)
            else:
                self._placing.has_read(place, named)
        elif kind == "server_stop":
            self.processes.rests(proof.server)
        elif kind in ("worker_start", "worker_stop", "worker_killed"):
            pid = fact.fields.get("worker_pid")
            place = (proof.server, whole(pid) if pid else proof.pid)
            self._workers.gone(place, killed=kind == "worker_killed", time=proof.time)
        for server, time in self.installation.restarts():
            self._workers.restarted(server)
            self._runner_since.pop(server, None)
            self._overdue.orphan(server, time)
            self.sight.odoo(self.installation.version)
            self._overdue.taken = TAKEN_WHERE_RESET if self._never_requeues() else TAKEN

    def _never_requeues(self) -> bool:
        return (self.installation.version or "").partition(".")[0] in _NEVER_REQUEUES

    def _lose_the_dead(self) -> None:
        """Let go of what no line will tell of; tell the jobs whose worker is gone where nothing requeues."""
        self._looked = self.now
        self._overdue.look()
        if self._never_requeues():
            self._overdue.lose_where_all_moved_on()
