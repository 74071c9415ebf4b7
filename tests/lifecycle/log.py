"""A log that a test writes line by line, and what the lifecycle tells of each line.

The lines are Odoo's and queue_job's own texts, and go through the real formatter's form and the real matcher:
a line that no pattern knows fails the test. Times are seconds since tests.odoo.START.
"""

from datetime import timedelta

from logparse.lifecycle.event import Event, Output
from logparse.lifecycle.lifecycle import Lifecycle, Options
from logparse.match.fact import Fact
from logparse.match.matcher import Matcher
from logparse.record.parse import parse_line
from tests.odoo import CHANNELS, CONTROLLER, JOB, JOBRUNNER, RUNNER, SERVER, START, record, traceback, uuid
from tests.recorded import patterns

# Usual pids: of the master, the runner, two workers, the cron worker, the evented process.
MASTER, RUN, W1, W2, CRON, EVENTED = 10, 20, 31, 32, 40, 50
DB = "prod"
A, B, C = uuid(0xA), uuid(0xB), uuid(0xC)
BOOM = "odoo.addons.x.models.y.Boom: text"


class Log:
    """`write` lines, or have a line of a kind written; `told` is what came of them.

    series: Odoo's, for the lines whose form it decides. events: all so far. outputs: with what is for
    metrics only.
    """

    def __init__(
        self,
        series: int = 16,
        options: Options | None = None,
        *,
        lifecycle: Lifecycle | None = None,
        server: str | None = None,
    ) -> None:
        self.series = series
        self.lifecycle = lifecycle or Lifecycle(options or Options())
        self.server = server
        self.double = False  # every line is written twice
        self.outputs: list[Output] = []
        self._matcher = Matcher(patterns())
        self._offset = 0

    @property
    def events(self) -> list[Event]:
        return [output for output in self.outputs if isinstance(output, Event)]

    def told(self, job: str | None = A, db: str | None = "*") -> list[str]:
        """The events of a job, each with its attempt and reason; None: of the installation."""
        return [
            " ".join(str(word) for word in (event.event, event.attempt, event.reason) if word is not None)
            for event in self.events
            if event.uuid == job and event.event != "channel_state" and db in ("*", event.db)
        ]

    def last(self, name: str, job: str | None = A) -> Event:
        """The last event of this name."""
        return [event for event in self.events if event.uuid == job and event.event == name][-1]

    def state(self, job: str = A, db: str | None = DB) -> str | None:
        known = self.lifecycle.jobs.get(db, job)
        return known.state if known is not None else None

    def gauges(self) -> dict[str, int]:
        """How many jobs are open, by state."""
        counts: dict[str, int] = {}
        for _, _, state, count, _ in self.lifecycle.jobs.states():
            counts[state] = counts.get(state, 0) + count
        return counts

    def write(
        self,
        at: float,
        pid: int,
        level: str,
        db: str | None,
        logger: str,
        message: str,
        *,
        perf: str = "",
        trace: str = "",
    ) -> list[Event]:
        """One record; what it proves."""
        raw = record(
            round(at * 1000), pid, level, db, logger, message, perf=perf, trace=trace, old=self.series < 12
        )
        parsed = parse_line(raw.decode(), "odoo.log", self._offset)
        assert parsed is not None, raw
        self._offset += len(raw)
        fact = self._matcher(parsed)
        assert fact is not None, f"no pattern knows {raw!r}"
        return self._feed(fact)

    def _feed(self, fact: Fact) -> list[Event]:
        outputs = self.lifecycle.feed(fact, self.server)
        if self.double:
            outputs += self.lifecycle.feed(fact, self.server)
        self.outputs += outputs
        return [output for output in outputs if isinstance(output, Event)]

    def end(self) -> list[Event]:
        """The log is at its end."""
        outputs = self.lifecycle.finish()
        self.outputs += outputs
        return [output for output in outputs if isinstance(output, Event)]

    def tick(self, at: float) -> list[Event]:
        """A line about something else, which only shows the time."""
        return self.ask(at, uuid(0x71C), db="other")

    # The runner

    def ask(self, at: float, job: str = A, *, db: str = DB, pid: int = RUN) -> list[Event]:
        return self._runner(at, pid, "INFO", f"asking Odoo to run job {job} on db {db}")

    def dead(self, at: float, job: str = A, *, pid: int = RUN) -> list[Event]:
        return self._runner(at, pid, "WARNING", f"Re-queued dead job with uuid: {job}")

    def reset(self, at: float, job: str = A, *, pid: int = RUN) -> list[Event]:
        return self._runner(at, pid, "WARNING", f"state of job {job} was reset from enqueued to pending")

    def get_exception(
        self, at: float, job: str = A, *, status: int | None = 500, pid: int = RUN, db: str = DB
    ) -> list[Event]:
        """The runner's request failed: with a status, or without an answer."""
        url = f"http://127.0.0.1:8069/queue_job/runjob?db={db}&job_uuid={job}"
        error = (
            f"requests.exceptions.HTTPError: {status} Server Error: INTERNAL SERVER ERROR for url: {url}"
            if status
            else "requests.exceptions.ConnectionError: ('Connection aborted.', RemoteDisconnected('…'))"
        )
        return self._runner(at, pid, "ERROR", f"exception in GET {url}", trace=traceback(error))

    def starting(self, at: float, *, pid: int = RUN) -> list[Event]:
        return self._runner(at, pid, "INFO", "starting")

    def ready(self, at: float, db: str | None = DB, *, pid: int = RUN) -> list[Event]:
        return self._runner(
            at, pid, "INFO", f"queue job runner ready for db {db}" if db else "database connections ready"
        )

    def read(self, at: float, db: str = DB, *, pid: int = RUN) -> None:
        """A runner has read the only database: lines without one are of it."""
        self.ready(at, db, pid=pid)
        self.ready(at, None, pid=pid)

    def stopped(self, at: float, *, pid: int = RUN) -> list[Event]:
        return self._runner(at, pid, "INFO", "stopped")

    def crash(self, at: float, *, pid: int = RUN) -> list[Event]:
        return self._runner(
            at, pid, "ERROR", "exception: sleeping 5s and retrying", trace=traceback("psycopg2.Error: x")
        )

    def _runner(self, at: float, pid: int, level: str, message: str, trace: str = "") -> list[Event]:
        return self.write(at, pid, level, None, RUNNER, message, trace=trace)

    def channel(
        self, at: float, state: str, job: str = A, *, channel: str = "root", pid: int = RUN
    ) -> list[Event]:
        """`job … marked pending|running|done|failed in channel …`."""
        message = f"job {job} marked {state} in channel {channel}(C:2,Q:1,R:0,F:0)"
        return self.write(at, pid, "DEBUG", None, CHANNELS, message)

    def cancelled(self, at: float, job: str = A, *, pid: int = RUN) -> list[Event]:
        return self.write(
            at, pid, "ERROR", None, CHANNELS, f"unexpected state cancelled for job <ChannelJob {job}>"
        )

    # The workers

    def access(
        self,
        at: float,
        job: str = A,
        status: int = 200,
        duration: float = 0.1,
        *,
        db: str = DB,
        pid: int = W1,
        queries: int = 15,
        own_db: str | None = "*",
    ) -> list[Event]:
        """The answer to the runner's request, after `duration` seconds."""
        when = START + timedelta(seconds=at)
        url = f"db={db}&job_uuid={job}" if self.series < 19 else f"job_uuid={job}"
        message = (
            f'127.0.0.1 - - [{when:%d/%b/%Y %H:%M:%S}] "GET /queue_job/runjob?{url} HTTP/1.1" {status} -'
        )
        perf = f"{queries} {duration / 4:.3f} {duration - duration / 4:.3f}"
        own = db if own_db == "*" else own_db
        return self.write(at, pid, "INFO", own, "werkzeug", message, perf=perf)

    def controller(self, at: float, word: str, job: str = A, *, db: str = DB, pid: int = W1) -> list[Event]:
        """`<Job …> started|done|postponed|OperationalError, postponed`."""
        return self.write(at, pid, "DEBUG", db, CONTROLLER, f"<Job {job}, priority:10> {word}")

    def trace(self, at: float, error: str = BOOM, *, db: str = DB, pid: int = W1) -> list[Event]:
        """The traceback of a job, which does not say which."""
        return self.write(at, pid, "ERROR", db, CONTROLLER, traceback(error) + "\n")

    def fail(
        self,
        at: float,
        job: str = A,
        error: str = BOOM,
        *,
        pid: int = W1,
        duration: float = 0.1,
        status: int = 500,
    ) -> list[Event]:
        """A failure: its traceback, its answer."""
        told = self.trace(at - duration / 10, error, pid=pid)
        return told + self.access(at, job, status, duration, pid=pid)

    def refuse(
        self, at: float, job: str = A, *, db: str = DB, pid: int = W1, how: str = "state"
    ) -> list[Event]:
        why = {
            "state": "it does not exist, or is not in state enqueued",
            "worker": "it does not exist, or is not in state enqueued, or is being handled by another worker",
            "lock": "it could not be locked",
        }[how]
        return self.write(at, pid, "WARNING", db, CONTROLLER, f"was requested to run job {job}, but {why}")

    def releases(self, at: float, *, db: str = DB, pid: int = W1, gives_up: bool = False) -> list[Event]:
        """The release of the jobs that waited for this one failed, and is tried again or given up."""
        if gives_up:
            message = "SERIALIZATION_FAILURE, maximum number of tries reached to update dependencies"
            return self.write(at, pid, "ERROR", db, CONTROLLER, message)
        message = "SERIALIZATION_FAILURE, retry 1/5 in 0.8421 sec..."
        return self.write(at, pid, "INFO", db, CONTROLLER, message)

    def created(self, at: float, job: str = A, *, db: str = DB, pid: int = W2) -> list[Event]:
        message = f"enqueued res.partner(7,):action_sync(*(1,), **{{'force': True}}) with uuid: {job}"
        return self.write(at, pid, "DEBUG", db, JOB, message)

    def by_hand(self, at: float, *, db: str = DB, pid: int = W2) -> list[Event]:
        """Somebody pressed Requeue."""
        url = "/web/dataset/call_button/queue.requeue.job/requeue"
        message = f'10.0.0.7 - - [24/Nov/2026 03:10:00] "POST {url} HTTP/1.1" 200 -'
        return self.write(at, pid, "INFO", db, "werkzeug", message, perf="21 0.010 0.020")

    # The server

    def version(self, at: float, *, pid: int = MASTER) -> list[Event]:
        return self.write(at, pid, "INFO", None, "odoo", f"Odoo version {self.series}.0")

    def listens(self, at: float, *, pid: int = MASTER) -> list[Event]:
        return self.server_says(at, pid, "HTTP service (werkzeug) running on 127.0.0.1:8069", db=None)

    def alive(
        self, at: float, pid: int, role: str = "WorkerHTTP", *, named: int | None = None
    ) -> list[Event]:
        return self.server_says(at, pid, f"Worker {role} ({named or pid}) alive")

    def exits(self, at: float, pid: int) -> list[Event]:
        return self.server_says(at, pid, f"Worker ({pid}) exiting. request_count: 7, registry count: 1.")

    def timeout(self, at: float, worker: int, *, pid: int = MASTER) -> list[Event]:
        return self.server_says(at, pid, f"WorkerHTTP ({worker}) timeout after 120s", level="ERROR")

    def stopping(self, at: float, *, pid: int = MASTER) -> list[Event]:
        return self.server_says(at, pid, "Stopping gracefully")

    def server_says(
        self, at: float, pid: int, message: str, *, level: str = "INFO", db: str | None = DB
    ) -> list[Event]:
        return self.write(at, pid, level, db, SERVER, message)

    def boot(self, at: float = -20, *, workers: tuple[int, ...] = (W1, W2), runner: int = RUN) -> None:
        """A prefork server starts, and its runner is ready five seconds later."""
        self.version(at)
        self.listens(at + 0.5)
        for number, pid in enumerate(workers):
            self.alive(at + 1 + number / 100, pid)
        self.alive(at + 1.2, CRON, "WorkerCron")
        self.alive(at + 1.3, runner, "WorkerJobRunner")
        self.starting(at + 6, pid=runner)
        self.ready(at + 6.1, pid=runner)
        self.ready(at + 6.2, None, pid=runner)

    def boot_threaded(self, at: float = -20, *, pid: int = MASTER) -> None:
        """A threaded server starts: one process for all."""
        self.version(at, pid=pid)
        message = "starting jobrunner thread (in threaded server)"
        self.write(at + 0.4, pid, "INFO", None, JOBRUNNER, message)
        self.listens(at + 0.5, pid=pid)
        self.starting(at + 5, pid=pid)
        self.ready(at + 5.1, pid=pid)
        self.ready(at + 5.2, None, pid=pid)
