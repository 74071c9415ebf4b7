"""One JSON object a record: camptocamp's logging_json, python-json-logger and their kin."""

import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from logparse.record.parse import LEVELS
from logparse.record.wrappers.wrapper import Context, Format, canonical

_TIME = ("asctime", "timestamp", "@timestamp", "time", "date")
_LEVEL = ("levelname", "level", "severity")
_LOGGER = ("name", "logger", "logger_name")
_MESSAGE = ("message", "msg")
_EXCEPTION = ("exc_info", "exc_text", "stack_trace", "exception")
_REQUEST = re.compile(r"[0-9A-Za-z-]{1,64}")
_PLAIN_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}")
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def read(line: bytes, time: int | None, context: Context) -> bytes | None:
    """The record in a JSON object, None where it is no log record."""
    if not line.startswith(b"{"):
        return None
    try:
        entry = _decode(line)
    except (msgspec.DecodeError, RecursionError):
        return None
    message, logger = _text(entry, _MESSAGE), _text(entry, _LOGGER)
    level = (_text(entry, _LEVEL) or "").upper()
    level = {"WARN": "WARNING", "FATAL": "CRITICAL"}.get(level, level)
    if message is None or not logger or level not in LEVELS or any(blank in logger for blank in " \n:"):
        return None
    when = _when(_text(entry, _TIME), time, context)
    if when is None:
        return None
    pid = entry.get("pid", entry.get("process"))
    request = entry.get("request_id")
    perf = entry.get("perf_info")
    return canonical(
        when,
        str(pid) if isinstance(pid, int) or (isinstance(pid, str) and pid.isdecimal()) else "",
        request if isinstance(request, str) and _REQUEST.fullmatch(request) else "",
        level,
        (_text(entry, ("dbname", "db", "database")) or "?").replace("\n", " "),
        logger,
        message,
        perf if isinstance(perf, str) and "\n" not in perf else "",
        _text(entry, _EXCEPTION) or "",
    )


def _text(entry: dict[str, Any], names: tuple[str, ...]) -> str | None:
    for name in names:
        value = entry.get(name)
        if isinstance(value, str):
            return value
    return None


def _when(text: str | None, outer: int | None, context: Context) -> str | None:
    if text is not None and _PLAIN_TIME.fullmatch(text):
        return text
    if text is not None:
        try:
            when = datetime.fromisoformat(text.replace(",", "."))
        except ValueError:
            pass
        else:
            when = (when if when.tzinfo else when.replace(tzinfo=context.zone)).astimezone(UTC)
            return f"{when:%Y-%m-%d %H:%M:%S},{when.microsecond // 1000:03d}"
    if outer is None:
        return None
    when = datetime.fromtimestamp(outer // 1000, UTC)
    return f"{when:%Y-%m-%d %H:%M:%S},{outer % 1000:03d}"


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
    ),
    not_samples=(
        b'{"log":"2026-11-24 03:59:13,964 7 ERROR prod odoo.addons.x: two\\n","stream":"stderr"}',
        b'{"message": "no level", "name": "x"}',
        b"{not json",
    ),
)

FORMATS = (_FORMAT,)
