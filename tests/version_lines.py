"""The lines that a server of any Odoo series and queue_job release would write.

Nobody keeps servers of fourteen series at hand. What each release writes, with which words and in which
order, was read from its source and stands in the catalogue (fixtures/catalogue/lines.json has the words and
their ranges of releases); this module writes those lines, and tests.version_logs plays the lives of jobs with
them. A line that a release does not have cannot be written: that is an error here. What the log must show of
each job is noted along the way: an event is shown where a line that proves it was written.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tests.releases import Release, catalogue
from tests.truth import Change

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
START = datetime(2026, 11, 24, 3, 0, 0, tzinfo=UTC)
MASTER = 100  # the pid of a server's first process


class Seen(NamedTuple):
    """An event of a job as the log must show it."""

    event: str
    attempt: int | None = None
    exception: str | None = None
    reason: str | None = None


class Job:
    """One job: what the database went through, and what the log must show of it.

    attempts: how many the log has shown. asked: by which runner's line it was last asked for.
    """

    def __init__(self, uuid: str, db: str, channel: str) -> None:
        self.uuid = uuid
        self.db = db
        self.channel = channel
        self.state = ""
        self.known = False
        self.attempts = 0
        self.running = False
        self.seen: list[Seen] = []
        self.began: datetime | None = None
        self.pid = 0
        self.duration: float | None = None
        self.pending_retry = False

    def __str__(self) -> str:
        return f"<Job {self.uuid}, priority:10>"


class Log:
    """The lines of one or more servers on one clock, and what happened."""

    def __init__(self) -> None:
        self.now = START
        self.lines: list[str] = []
        self.changes: list[Change] = []
        self.jobs: list[Job] = []

    @property
    def data(self) -> bytes:
        return "".join(line + "\n" for line in self.lines).encode()

    def wait(self, seconds: float) -> None:
        """Time goes by."""
        self.now += timedelta(seconds=seconds)


class Lines:
    """What one server and its processes write.

    model: `prefork`, or `threaded`, `evented` (jobs are run by the gevent process). level: of the log,
    `debug`, `info` or `warn`. hides: what keeps lines out of the log, of `werkzeug` and `mangono`.
    """

    def __init__(
        self,
        log: Log,
        release: str,
        *,
        model: str = "prefork",
        level: str = "info",
        hides: str = "",
        databases: tuple[str, ...] = ("prod",),
        replica: bool = False,
        pid: int = MASTER,
    ) -> None:
        self.log = log
        self.release = Release(release)
        self.model = model
        self.level = level
        self.hides = hides
        self.databases = databases
        self.replica = replica
        self.master = pid
        self.next_pid = pid
        self.runner = 0
        self.workers: list[int] = []
        self.turn = 0
        self.leads = True

    @property
    def series(self) -> int:
        return self.release.series

    @property
    def base(self) -> str:
        return "openerp.addons.connector" if self.release.old else "odoo.addons.queue_job"

    @property
    def root(self) -> str:
        return "openerp" if self.release.old else "odoo"

    @property
    def date(self) -> str:
        """Now, as access lines have it."""
        now = self.log.now
        return f"{now.day:02}/{_MONTHS[now.month - 1]}/{now:%Y %H:%M:%S}"

    def write(
        self,
        level: str,
        pid: int,
        db: str,
        logger: str,
        message: str,
        *,
        perf: str = "",
        exc: str = "",
        hidden: bool = False,
    ) -> bool:
        """A record, as the formatter of this series prints it; whether it is in the log."""
        self.log.wait(0.002)
        shown = {"debug": 0, "info": 1, "warn": 2}[self.level]
        if {"DEBUG": 0, "INFO": 1}.get(level, 2) < shown or hidden:
            return False
        now = self.log.now
        text = f"{now:%Y-%m-%d %H:%M:%S},{now.microsecond // 1000:03} {pid} {level} {db} {logger}: {message}"
        if self.series >= 12:
            text += " " + perf
        self.log.lines.append(text + ("\n" + exc if exc else ""))
        return True

    def line(
        self, name: str, *values: object, pid: int, db: str = "?", exc: str = "", hidden: bool = False
    ) -> bool:
        """A line of the catalogue; an error where this release does not write it."""
        if not self.release.writes(name):
            raise ValueError(f"{self.release.name} does not write {name}")
        entry = catalogue()[name]
        logger = entry["logger"].replace("odoo.addons.queue_job", self.base)
        logger = logger.replace("openerp.addons.connector", self.base)
        level = entry["level"].partition(" ")[0]
        return self.write(level, pid, db, logger, entry["template"] % values, exc=exc, hidden=hidden)

    def maybe(self, name: str, *values: object, pid: int, db: str = "?", hidden: bool = False) -> bool:
        """The same, where this release writes it."""
        return self.release.writes(name) and self.line(name, *values, pid=pid, db=db, hidden=hidden)

    def core(self, level: str, pid: int, logger: str, message: str, db: str = "?", *, exc: str = "") -> bool:
        """A line of Odoo's own."""
        return self.write(level, pid, db, f"{self.root}.{logger}" if logger else self.root, message, exc=exc)

    def channel_line(self, job: Job, what: str) -> bool:
        hidden = self.hides == "mangono" and what != "failed"
        names = [job.channel, "root"] if job.channel != "root" else ["root"]
        written = [
            self.line(
                f"channels.{what}", job.uuid, f"{name}(C:2,Q:0,R:1,F:0)", pid=self.runner, hidden=hidden
            )
            for name in names
        ]
        return any(written)

    def exception(self, kind: str) -> tuple[str, int]:
        """(the class as a traceback of this series names it, HTTP status)."""
        package = "openerp" if self.release.old else "odoo"
        addon = "openerp.addons.connector" if self.release.old else "odoo.addons.queue_job"
        name, status = {
            "ValueError": ("ValueError", 500),
            "UserError": (f"{package}.exceptions.UserError", 422 if self.series >= 19 else 400),
            "MissingError": (f"{package}.exceptions.MissingError", 404 if self.series >= 19 else 400),
            "AccessError": (f"{package}.exceptions.AccessError", 403),
            "LockError": (f"{package}.exceptions.LockError", 409),
            "max retries": (f"{addon}.exception.FailedJobError", 500),
        }[kind]
        if self.series <= 10:  # Python 2 prints no module
            name = name.rpartition(".")[2]
        return name, status if self.series >= 16 else 500

    def trace(self, last: str) -> str:
        return (
            "Traceback (most recent call last):\n"
            f'  File "/opt/odoo/{self.base.replace(".", "/")}/controllers/main.py", line 100, in runjob\n'
            "    self._try_perform_job(env, job)\n"
            f'  File "/opt/odoo/{self.base.replace(".", "/")}/job.py", line 500, in perform\n'
            "    self.result = self.func(*tuple(self.args), **self.kwargs)\n"
            f"{last}"
        )

    def url(self, job: Job) -> str:
        return "http://localhost:8069" + self.path(job)

    def path(self, job: Job) -> str:
        start = "/connector" if self.release.old else "/queue_job"
        db = "" if self.release.writes("core.access.header_db") else f"db={job.db}&"
        return f"{start}/runjob?{db}job_uuid={job.uuid}"

    def access(self, job: Job, status: int, *, queries: int = 16) -> bool:
        """The answer to /runjob."""
        now = self.log.now
        hidden = self.hides == "werkzeug" or (self.hides == "mangono" and status < 300)
        seconds = (now - job.began).total_seconds() if job.began else 0.01
        request = f"GET {self.path(job)} HTTP/1.1"
        if self.model == "evented":
            message = f'127.0.0.1 - - [{now:%Y-%m-%d %H:%M:%S}] "{request}" {status} 133 {seconds:.6f}'
            return self.write("INFO", job.pid, job.db, "longpolling", message, hidden=hidden)
        if self.series in (14, 15) and status != 200:
            request = f"\x1b[35m\x1b[1m{request}\x1b[0m"
        message = f'127.0.0.1 - - [{self.date}] "{request}" {status} -'
        perf = f"{queries} 0.004 {seconds:.3f}" + (" rw" if self.replica else "")
        job.duration = round(seconds + 0.004, 3) if self.series >= 12 else None
        return self.write("INFO", job.pid, job.db, "werkzeug", message, perf=perf, hidden=hidden)
