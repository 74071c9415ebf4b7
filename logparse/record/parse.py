"""One line of an Odoo log, taken apart by position."""

import re
from datetime import UTC, datetime

from logparse.record.record import Record

LEVELS = frozenset({"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"})
NO_DATABASE = frozenset({"?", "None", "False"})

# A PostgreSQL database name may hold blanks; then the four words before the message are not four.
_BLANKS_IN_DB = re.compile(r"(\S+) ([A-Z]+) (.+?) ([A-Za-z_][\w.\-]*): (.*)", re.DOTALL)
_COLOUR = re.compile(r"\x1b\[[0-9;:?]*[A-Za-z]")

# What repeats is looked up: times of the same second, milliseconds, pids.
_seconds: dict[str, int] = {}
_millis = {f",{number:03d}": number for number in range(1000)}
_writers: dict[str, tuple[int | None, str | None]] = {}
_MOST = 4096


def _second(text: str) -> int | None:
    if len(text) < 19 or text[4] != "-" or text[10] != " ":
        return None
    try:
        base = int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000
    except ValueError:
        return None
    if len(_seconds) > _MOST:
        _seconds.clear()
    _seconds[text] = base
    return base


def _writer(text: str) -> tuple[int | None, str | None] | None:
    number, slash, request = text.partition("/")
    if number != "-" and (not number.isdecimal() or not number.isascii() or len(number) > 18):
        return None
    writer = (None if number == "-" else int(number), request if slash else None)
    if not slash:
        if len(_writers) > _MOST:
            _writers.clear()
        _writers[text] = writer
    return writer


def milliseconds(text: str) -> int | None:
    """`2026-11-24 03:03:42,576` as milliseconds since the epoch, UTC; None where it is no such time.

    Odoo's asctime is UTC: it sets TZ=UTC at import (odoo/__init__.py).
    """
    base = _seconds.get(text[:19])
    if base is None:
        base = _second(text[:19])
    millis = _millis.get(text[19:23])
    return None if base is None or millis is None else base + millis


def parse_header(line: str) -> tuple[int, int | None, str, str | None, str, str, str | None] | None:
    """(time, pid, level, db, logger, message, request) of a line in Odoo's format, None where it has another.

    The format is `%(asctime)s %(pid)s %(levelname)s %(dbname)s %(name)s: %(message)s %(perf_info)s`
    (odoo/netsvc.py; perf_info from 12.0). `line` has no colour codes and no line end. A record of another
    form (logparse.record.wrappers) has `-` for an unknown pid, and may have `pid/request`.
    """
    millis = _millis.get(line[19:23])
    if millis is None or line[23:24] != " ":
        return None
    base = _seconds.get(line[:19])
    if base is None:
        base = _second(line[:19])
        if base is None:
            return None
    words = line[24:].split(" ", 4)
    if len(words) == 5 and words[3][-1:] == ":":
        number, level, db, logger, message = words
        logger = logger[:-1]
    else:
        match = _BLANKS_IN_DB.fullmatch(line, 24)
        if match is None:
            return None
        number, level, db, logger, message = match.groups()
    writer = _writers.get(number) or _writer(number)
    if writer is None or level not in LEVELS:
        return None
    if message[-1:] == " ":
        message = message[:-1]
    pid, request = writer
    return base + millis, pid, level, None if db in NO_DATABASE else db, logger, message, request


def parse_line(text: str, file: str = "", offset: int = 0) -> Record | None:
    """A record from its text (one line, or more with its continuation lines); None without a header."""
    line, _, body = _COLOUR.sub("", text).rstrip("\r\n").partition("\n")
    header = parse_header(line.rstrip("\r"))
    if header is None:
        return None
    time, pid, level, db, logger, message, request = header
    return Record(time, pid, level, db, logger, message, body, file, offset, request)
