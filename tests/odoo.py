"""Writes records as Odoo's formatter does (odoo/netsvc.py), for logs that tests make up."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
START_MS = int(START.timestamp() * 1000)

RUNNER = "odoo.addons.queue_job.jobrunner.runner"
CHANNELS = "odoo.addons.queue_job.jobrunner.channels"
JOBRUNNER = "odoo.addons.queue_job.jobrunner"
CONTROLLER = "odoo.addons.queue_job.controllers.main"
JOB = "odoo.addons.queue_job.job"
SERVER = "odoo.service.server"


def uuid(number: int) -> str:
    """A uuid that is easy to tell."""
    return f"{number:08x}-0000-4000-8000-000000000000"


def stamp(ms: int) -> str:
    """`2026-11-24 03:00:00,000` and so many milliseconds."""
    when = START + timedelta(milliseconds=ms)
    return f"{when:%Y-%m-%d %H:%M:%S},{when.microsecond // 1000:03d}"


def record(
    ms: int,
    pid: int,
    level: str,
    db: str | None,
    logger: str,
    message: str,
    *,
    perf: str = "",
    trace: str = "",
    old: bool = False,
) -> bytes:
    """One record, its line end included.

    ms: since START. perf: `queries seconds seconds`. trace: the text of exc_info. old: of Odoo 11 and
    earlier, which adds nothing to a message.
    """
    end = "" if old else f" {perf}"
    text = f"{stamp(ms)} {pid} {level} {db or '?'} {logger}: {message}{end}"
    return (text + (f"\n{trace}" if trace else "") + "\n").encode(errors="surrogateescape")


def asking(ms: int, pid: int, job: str, db: str, *, old: bool = False) -> bytes:
    """The runner asks Odoo to run a job."""
    return record(ms, pid, "INFO", None, RUNNER, f"asking Odoo to run job {job} on db {db}", old=old)


def traceback(error: str) -> str:
    """What Python prints of an exception; `error`: its last lines."""
    return (
        "Traceback (most recent call last):\n"
        '  File "/opt/odoo/addons/qj_lab/models/qj_lab.py", line 33, in job_fail\n'
        f'    raise Exception("…")\n{error}'
    )
