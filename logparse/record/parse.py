"""One line of an Odoo log, taken apart by position."""

import re
from datetime import UTC, datetime

from logparse.record.record import Record

LEVELS = frozenset({"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"})
NO_DATABASE = frozenset({"?", "None", "False"})

# A PostgreSQL database name may hold blanks; then the four words before the message are not four.
_BLANKS_IN_DB = re.compile(r"(\S+) ([A-Z]+) (.+?) ([A-Za-z_][\w.\-]*): (.*)", re.DOTALL)
_COLOUR = re.compile(r"\x1b\[[0-9;:?]*[A-Za-z]")

# What repeats is looked up: times of the same second, milliseconds, what stands between time and message.
_seconds: dict[str, int] = {}
_millis = {f",{number:03d}": number for number in range(1000)}
_Head = tuple[int | None, str, str | None, str, str | None]
_heads: dict[str, _Head] = {}
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


def _head(number: str, level: str, db: str, logger: str) -> _Head | None:
    """(pid, level, db, logger, request) of the four words before a message."""
    pid, slash, request = number.partition("/")
    if pid != "-" and (not pid.isdecimal() or not pid.isascii() or len(pid) > 18):
        return None
    if level not in LEVELS:
        return None
    return (
        None if pid == "-" else int(pid),
        level,
        None if db in NO_DATABASE else db,
        logger,
        request if slash else None,
    )


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
    if millis is None:
        return None
    base = _seconds.get(line[:19])
    if base is None:
        base = _second(line[:19])
        if base is None:
            return None
    colon = line.find(": ", 23)
    text = line[23:colon] if colon >= 0 else ""
    head = _heads.get(text)
    if head is None:
        words = text.split(" ")
        if len(words) == 5 and not words[0]:
            head = _head(*words[1:])
            if head is not None and head[4] is None:
                if len(_heads) > _MOST:
                    _heads.clear()
                _heads[text] = head
        else:
            match = _BLANKS_IN_DB.fullmatch(line, 24) if line[23:24] == " " else None
            if match is None:
                return None
            head = _head(*match.groups()[:4])
            colon = match.start(5) - 2
        if head is None:
            return None
    pid, level, db, logger, request = head
    message = line[colon + 2 : -1] if line[-1] == " " else line[colon + 2 :]
    return base + millis, pid, level, db, logger, message, request


def parse_line(text: str, file: str = "", offset: int = 0) -> Record | None:
    """A record from its text (one line, or more with its continuation lines); None without a header."""
    line, _, body = _COLOUR.sub("", text).rstrip("\r\n").partition("\n")
    header = parse_header(line.rstrip("\r"))
    if header is None:
        return None
    time, pid, level, db, logger, message, request = header
    return Record(time, pid, level, db, logger, message, body, file, offset, request)
