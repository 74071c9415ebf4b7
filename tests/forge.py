"""Forges lines in a real log, written as Odoo's formatter would write a text that a job logs or raises.

A text that a job logs is the message of an addon's record; one that it raises is in the traceback that
queue_job's controller logs, and again in what odoo.http (16 and later) or werkzeug (until 15) logs of it.
"""

import datetime
import re
from collections.abc import Callable
from typing import NamedTuple

HEADER = re.compile(rb"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),(\d{3}) (\d+) ([A-Z]+) (\S+) ([\w.]+): (.*)")
_ACCESS = re.compile(rb'"GET /queue_job/runjob\?(?:db=\S+&)?job_uuid=([0-9a-f-]{36}) HTTP/1\.\d" (\d{3})')
_ASKING = re.compile(rb"asking Odoo to run job ([0-9a-f-]{36}) on db (\S+)")
_NEW = "deadbeef-0000-4000-8000-00000000000%d"
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class Line(NamedTuple):
    """A line of the log that begins a record, and where the record ends."""

    start: int
    end: int
    time: str
    ms: int
    pid: int
    level: str
    db: str
    logger: str
    message: bytes


class Victim(NamedTuple):
    """A log, and a moment in it: a job is running in process `own`, its answer comes next.

    answered: the record of a job that ended with 200; failed: of one that failed, its traceback.
    uuids, pids: by what they are at the moment of the answer.
    """

    log: bytes
    lines: list[Line]
    answered: Line
    failed: Line | None
    db: str
    uuids: dict[str, str]
    pids: dict[str, int]


def lines_of(log: bytes) -> list[Line]:
    """The records of a log without forgeries."""
    starts = list(re.finditer(rb"(?m)^" + HEADER.pattern, log))
    lines = []
    for match, following in zip(starts, [*starts[1:], None], strict=True):
        time, ms, pid, level, db, logger, message = match.groups()
        end = following.start() if following is not None else len(log)
        lines.append(
            Line(
                match.start(),
                end,
                time.decode(),
                int(ms),
                int(pid),
                level.decode(),
                db.decode(),
                logger.decode(),
                message,
            )
        )
    return lines


def victim(log: bytes, *, after: float = 0.4) -> Victim:
    """The first moment after that part of the log at which jobs are running, finished and failing."""
    lines = lines_of(log)
    asked: dict[str, int] = {}
    answered: dict[str, int] = {}
    moment = failed = None
    runner = 0
    uuids: dict[str, str] = {}
    workers: list[int] = []
    for number, line in enumerate(lines):
        asking = _ASKING.search(line.message)
        if asking and line.logger.endswith("jobrunner.runner"):
            runner = line.pid
            asked[asking[1].decode()] = number
        access = _ACCESS.search(line.message) if line.logger == "werkzeug" else None
        if access is None:
            continue
        uuid = access[1].decode()
        workers.append(line.pid)
        if number > after * len(lines) and access[2] == b"200" and uuid in asked and moment is None:
            elsewhere = [other for other in asked if other not in answered and other != uuid]
            if elsewhere and answered:
                moment = line
                db = line.db
                uuids = {"own": uuid, "running": elsewhere[-1], "finished": list(answered)[-1]}
                others = [pid for pid in workers if pid != line.pid]
                pids = {"runner": runner, "own": line.pid, "worker": others[-1] if others else line.pid}
        elif moment is not None and access[2] != b"200" and failed is None:
            traces = [
                old
                for old in lines[max(0, number - 40) : number]
                if old.pid == line.pid and old.message.startswith(b"Traceback (most")
            ]
            failed = traces[-1] if traces else None
        answered.pop(uuid, None)
        answered[uuid] = number
        asked.pop(uuid, None)
    if moment is None:
        raise ValueError("no moment in this log at which jobs are running and finished")
    pids["unknown"] = 31999
    uuids["new"] = _NEW % 1
    return Victim(log, lines, moment, failed, db, uuids, pids)


def at_failure(of: Victim) -> Victim:
    """The same log at the moment at which a job fails."""
    if of.failed is None:
        raise ValueError("no job fails in this log after the moment")
    own = of.failed.pid
    worker = of.pids["worker"] if of.pids["worker"] != own else of.pids["own"]
    return of._replace(answered=of.failed, pids={**of.pids, "own": own, "worker": worker})


def _channel(state: str) -> Callable[[Victim, str], tuple[str, str, str]]:
    return lambda _v, u: (
        "DEBUG",
        "odoo.addons.queue_job.jobrunner.channels",
        f"job {u} marked {state} in channel root(C:2,Q:0,R:1,F:0)",
    )


def _controller(state: str) -> Callable[[Victim, str], tuple[str, str, str]]:
    return lambda _v, u: (
        "DEBUG",
        "odoo.addons.queue_job.controllers.main",
        f"<Job {u}, priority:10> {state}",
    )


def _server(message: str) -> Callable[[Victim, str], tuple[str, str, str]]:
    return lambda _v, _u: ("INFO", "odoo.service.server", message)


def _runner(level: str, message: str) -> Callable[[Victim, str], tuple[str, str, str]]:
    return lambda v, u: (level, "odoo.addons.queue_job.jobrunner.runner", message % {"u": u, "db": v.db})


def _access(status: int, duration: float) -> Callable[[Victim, str], tuple[str, str, str]]:
    return lambda v, u: (
        "INFO",
        "werkzeug",
        f'127.0.0.1 - - [%(date)s] "GET /queue_job/runjob?db={v.db}&job_uuid={u} HTTP/1.1" {status} - '
        f"16 0.004 {duration:.3f}",
    )


# level, logger and message of each kind of line that logparse reads; `%(pid)d` is the line's own pid.
KINDS: dict[str, Callable[[Victim, str], tuple[str, str, str]]] = {
    "asking": _runner("INFO", "asking Odoo to run job %(u)s on db %(db)s"),
    "access 200": _access(200, 0.02),
    "access 500": _access(500, 0.02),
    "started": _controller("started"),
    "done": _controller("done"),
    "postponed": _controller("postponed"),
    "marked pending": _channel("pending"),
    "marked done": _channel("done"),
    "marked failed": _channel("failed"),
    "dead": _runner("WARNING", "Re-queued dead job with uuid: %(u)s"),
    "reset": _runner("WARNING", "state of job %(u)s was reset from enqueued to pending"),
    "refused": lambda _v, u: (
        "WARNING",
        "odoo.addons.queue_job.controllers.main",
        f"was requested to run job {u}, but it does not exist, or is not in state enqueued",
    ),
    "traceback": lambda _v, _u: (
        "ERROR",
        "odoo.addons.queue_job.controllers.main",
        "Traceback (most recent call last):",
    ),
    "starting": _runner("INFO", "starting"),
    "ready": _runner("INFO", "database connections ready"),
    "stopped": _runner("INFO", "stopped"),
    "crash": _runner("ERROR", "exception: sleeping 5s and retrying"),
    "configured": lambda _v, _u: (
        "INFO",
        "odoo.addons.queue_job.jobrunner.channels",
        "Configured channel: root.forged(C:2,Q:0,R:0,F:0)",
    ),
    "alive": _server("Worker WorkerHTTP (%(pid)d) alive"),
    "exiting": _server("Worker (%(pid)d) exiting. request_count: 7, registry count: 1."),
    "timeout": lambda v, _u: (
        "ERROR",
        "odoo.service.server",
        f"WorkerHTTP ({v.pids['own']}) timeout after 20s",
    ),
    "version": lambda _v, _u: ("INFO", "odoo", "Odoo version 16.0"),
    "listening": _server("HTTP service (werkzeug) running on 127.0.0.1:8069"),
    "stopping": _server("Stopping gracefully"),
}

_NO_DB = ("jobrunner", "odoo.service.server", "odoo")


def forged_line(
    of: Victim, kind: str, *, pid: str = "runner", uuid: str = "running", shift: int = 0, ms: int = 1
) -> str:
    """One forged line, without a blank at its end. pid, uuid: keys of the victim's. shift: seconds."""
    level, logger, message = KINDS[kind](of, of.uuids[uuid])
    number = of.pids[pid]
    when = datetime.datetime.fromisoformat(of.answered.time) + datetime.timedelta(seconds=shift)
    if "%(" in message:
        date = f"{when.day:02}/{MONTHS[when.month - 1]}/{when:%Y %H:%M:%S}"
        message = message % {"date": date, "pid": number}
    db = "?" if any(word in logger for word in _NO_DB[:2]) or logger == "odoo" else of.db
    milliseconds = max(0, of.answered.ms - ms)
    return f"{when:%Y-%m-%d %H:%M:%S},{milliseconds:03} {number} {level} {db} {logger}: {message}"


def text(lines: list[str], place: str, *, blank: bool) -> str:
    """A text of several lines that holds the forged ones first, in the middle or last."""
    block = "\n".join(line + " " * blank for line in lines)
    return {
        "first": f"\n{block}\nthat was it",
        "middle": f"see:\n{block}\nthat was it",
        "last": f"see:\n{block}",
    }[place]


def _insert(of: Victim, at: int, record: str) -> bytes:
    return of.log[:at] + record.encode() + b"\n" + of.log[at:]


def _record(of: Victim, level: str, logger: str, message: str, exc_info: str | None = None) -> bytes:
    line = of.answered
    ms = max(0, line.ms - 2)
    end = " " if of.log[: of.lines[0].end].rstrip(b"\n").endswith(b" ") else ""
    record = f"{line.time},{ms:03} {line.pid} {level} {of.db} {logger}: {message}{end}"
    if exc_info is not None:
        record += "\n" + exc_info
    return _insert(of, line.start, record)


def logged(of: Victim, words: str) -> bytes:
    """`_logger.info(text)` by a job."""
    return _record(of, "INFO", "odoo.addons.sale_import.models.job", words)


def logged_exception(of: Victim, words: str) -> bytes:
    """`_logger.exception("…")` by a job that caught an exception with this text."""
    trace = (
        "Traceback (most recent call last):\n"
        '  File "/opt/addons/sale_import/models/job.py", line 7, in run\n    raise ValueError(text)\n'
        f"ValueError: {words}"
    )
    return _record(of, "ERROR", "odoo.addons.sale_import.models.job", "handled, going on", trace)


def user_error(of: Victim, words: str) -> bytes:
    """A UserError that odoo.http logs as its warning."""
    return _record(of, "WARNING", "odoo.http", words)


def bad_query(of: Victim, words: str) -> bytes:
    """A query with this text in it that PostgreSQL refuses."""
    query = (
        f"bad query: UPDATE res_partner SET comment = '{words}' WHERE id = 1\nERROR: canceling statement\n"  # noqa: S608 (a log line)
    )
    return _record(of, "ERROR", "odoo.sql_db", query)


def raised(of: Victim, words: str) -> bytes:
    """An exception with this text that a job raises: in its traceback, and in each echo of it."""
    failed = of.failed
    if failed is None:
        raise ValueError("no job fails in this log after the moment")
    # The exception's own text, as the traceback's last line has it.
    trace = of.log[failed.start : failed.end].rstrip(b"\n").removesuffix(b"\n ")
    last = trace.rpartition(b"\n")[2].rstrip(b" ")
    _, colon, said = last.partition(b": ")
    if not colon:
        raise ValueError(f"an exception without text: {last!r}")
    out, at, left = [], 0, 4
    for line in of.lines:
        if line.start < failed.start or left == 0:
            continue
        record = of.log[line.start : line.end]
        whole = line.start == failed.start
        echo = line.logger in ("odoo.http", "werkzeug") and line.pid == failed.pid and said in record
        if whole or echo:
            head, _, tail = record.rpartition(said)
            out.append(of.log[at : line.start] + head + words.encode() + tail)
            at = line.end
            left -= 1
        if line.logger == "werkzeug" and line.pid == failed.pid and _ACCESS.search(line.message):
            left = min(left, 2)
            if line.start > failed.start and not of.log[line.end : line.end + 4000].count(said):
                break
    return b"".join(out) + of.log[at:]


CARRIERS: dict[str, Callable[[Victim, str], bytes]] = {
    "logged": logged,
    "logged exception": logged_exception,
    "user error": user_error,
    "bad query": bad_query,
    "raised": raised,
}
