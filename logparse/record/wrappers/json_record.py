"""One JSON object a record: camptocamp's logging_json, python-json-logger and their kin."""

import re
from typing import Any

import msgspec

from logparse.record.parse import LEVELS
from logparse.record.wrappers.wrapper import Context, Format, Line, asctime, canonical, stamp

_TIME = ("asctime", "timestamp", "@timestamp", "time", "date")
_LEVEL = ("levelname", "level", "severity")
_LOGGER = ("name", "logger", "logger_name")
_MESSAGE = ("message", "msg")
_EXCEPTION = ("exc_info", "exc_text", "stack_trace", "exception")
_REQUEST = re.compile(r"[0-9A-Za-z-]{1,64}")
_PLAIN_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}")
_decode = msgspec.json.Decoder(dict[str, Any]).decode


# The line read last: who finds out what a line is reads it, and so does who takes it then.
_read_last: tuple[bytes, str, int | None, Context, bytes | None] | None = None


def read(line: bytes, around: Line, context: Context) -> bytes | None:
    """The record in a JSON object, None where it is no log record."""
    global _read_last
    if not line.startswith(b"{"):
        return None
    last = _read_last
    if (
        last is not None
        and last[0] is line
        and last[3] is context
        and last[1] == around.pid
        and last[2] == around.time
    ):
        return last[4]
    record = _read(line, around, context)
    _read_last = (line, around.pid, around.time, context, record)
    return record


def _read(line: bytes, around: Line, context: Context) -> bytes | None:
    try:
        entry = _decode(line)
    except UnicodeDecodeError:
        return _read(line.decode(errors="replace").encode(), around, context)
    except (msgspec.DecodeError, RecursionError):
        return None
    message, logger = _text(entry, _MESSAGE), _text(entry, _LOGGER)
    level = (_text(entry, _LEVEL) or "").upper()
    level = {"WARN": "WARNING", "FATAL": "CRITICAL"}.get(level, level)
    if message is None or not logger or level not in LEVELS or any(blank in logger for blank in " \n:"):
        return None
    when = _when(entry, around, context)
    if when is None:
        return None
    pid = entry.get("pid", entry.get("process"))
    request = entry.get("request_id")
    perf = entry.get("perf_info")
    return canonical(
        when,
        _number(pid) or around.pid,
        request if isinstance(request, str) and _REQUEST.fullmatch(request) else "",
        level,
        (_text(entry, ("dbname", "db", "database")) or "?").replace("\n", " "),
        logger,
        message,
        perf if isinstance(perf, str) and "\n" not in perf else "",
        _text(entry, _EXCEPTION) or "",
    )


def _number(pid: object) -> str:
    text = str(pid) if isinstance(pid, int | str) and not isinstance(pid, bool) else ""
    return text if text.isascii() and text.isdecimal() and len(text) < 19 else ""


def _text(entry: dict[str, Any], names: tuple[str, ...]) -> str | None:
    for name in names:
        value = entry.get(name)
        if isinstance(value, str):
            return value
    return None


def _when(entry: dict[str, Any], around: Line, context: Context) -> str | None:
    text = _text(entry, _TIME)
    if text is not None:
        if context.utc and _PLAIN_TIME.fullmatch(text):
            return text
        time = stamp(text, context)
        if time is not None:
            return asctime(time)
    for name in ("created", *_TIME):
        # Python's record.created, or the time of another formatter: seconds since the epoch, or ms.
        number = entry.get(name)
        if isinstance(number, int | float) and not isinstance(number, bool) and 1e9 < number < 1e13:
            return asctime(int(number * 1000 if number < 1e11 else number))
    return None if around.time is None else asctime(around.time)


_FORMAT = Format(
    name="JSON records",
    read=read,
    samples=(
        (
            b'{"asctime": "2026-11-24 03:59:08,328", "pid": 9334, "levelname": "INFO", "dbname": "?", '
            b'"name": "odoo.addons.queue_job.jobrunner.runner", "message": "starting", "perf_info": "", '
            b'"request_id": null, "uid": null}',
            b"2026-11-24 03:59:08,328 9334 INFO ? odoo.addons.queue_job.jobrunner.runner: starting \n",
        ),
        (
            b'{"asctime": "2026-11-24 03:59:08,308", "pid": 9327, "levelname": "INFO", "dbname": "prod", '
            b'"name": "werkzeug", "message": '
            b'"127.0.0.1 - - [24/Nov/2026 03:59:08] \\"GET /x HTTP/1.1\\" 200 -", '
            b'"perf_info": "21 0.010 0.012", "request_id": "1ef8e590-6000"}',
            b"2026-11-24 03:59:08,308 9327/1ef8e590-6000 INFO prod werkzeug: "
            b'127.0.0.1 - - [24/Nov/2026 03:59:08] "GET /x HTTP/1.1" 200 - 21 0.010 0.012\n',
        ),
        (
            b'{"asctime": "2026-11-24 03:59:13,964", "pid": 7, "levelname": "ERROR", "dbname": "prod", '
            b'"name": "odoo.addons.x", "message": "two\\nlines"}',
            b"2026-11-24 03:59:13,964 7 ERROR prod odoo.addons.x: two\n\x01lines\n \n",
        ),
        (
            b'{"timestamp": "2026-11-24T04:59:13.964817+01:00", "process": 7, "level": "warn", '
            b'"logger": "odoo.addons.x", "msg": "x", '
            b'"exc_info": "Traceback (most recent call last):\\nE: y"}',
            b"2026-11-24 03:59:13,965 7 WARNING ? odoo.addons.x: x \n"
            b"\x01Traceback (most recent call last):\n\x01E: y\n",
        ),
    ),
    not_samples=(
        b'{"log":"2026-11-24 03:59:13,964 7 ERROR prod odoo.addons.x: two\\n","stream":"stderr"}',
        b'{"message": "no level", "name": "x"}',
        b"{not json",
    ),
)

FORMATS = (_FORMAT,)
