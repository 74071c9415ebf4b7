"""One line of an Odoo log, taken apart by position."""

import re
from datetime import UTC, datetime

from logparse.record.record import Record

LEVELS = frozenset({"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"})
NO_DATABASE = frozenset({"?", "None", "False"})

# A PostgreSQL database name may hold blanks; then the four words before the message are not four.
_BLANKS_IN_DB = re.compile(r"(\d+) ([A-Z]+) (.+?) ([A-Za-z_][\w.\-]*): (.*)", re.DOTALL)
_COLOUR = re.compile(r"\x1b\[[0-9;:?]*[A-Za-z]")

_seconds: dict[str, int] = {}


def milliseconds(text: str) -> int | None:
    """`2026-11-24 03:03:42,576` as milliseconds since the epoch, UTC; None where it is no such time.

    Odoo's asctime is UTC: it sets TZ=UTC at import (odoo/__init__.py).
    """
    base = _seconds.get(text[:19])
    if base is None:
        if len(text) < 23 or text[4] != "-" or text[10] != " ":
            return None
        try:
            base = int(datetime.fromisoformat(text[:19]).replace(tzinfo=UTC).timestamp()) * 1000
        except ValueError:
            return None
        if len(_seconds) > 4096:
            _seconds.clear()
        _seconds[text[:19]] = base
    if text[19] != "," or not (millis := text[20:23]).isdecimal() or not millis.isascii():
        return None
    return base + int(millis)


def parse_header(line: str) -> tuple[int, int, str, str | None, str, str] | None:
    """(time, pid, level, db, logger, message) of a line in Odoo's format, None where it has another.

    The format is `%(asctime)s %(pid)s %(levelname)s %(dbname)s %(name)s: %(message)s %(perf_info)s`
    (odoo/netsvc.py; perf_info from 12.0). `line` has no colour codes and no line end.
    """
    if line[19:20] != "," or line[23:24] != " ":
        return None
    time = milliseconds(line)
    if time is None:
        return None
    words = line[24:].split(" ", 4)
    if len(words) == 5 and words[3][-1:] == ":":
        pid, level, db, logger, message = words
        logger = logger[:-1]
    else:
        match = _BLANKS_IN_DB.fullmatch(line, 24)
        if match is None:
            return None
        pid, level, db, logger, message = match.groups()
    if level not in LEVELS or not pid.isdecimal() or not pid.isascii() or len(pid) > 18:
        return None
    if message[-1:] == " ":
        message = message[:-1]
    return time, int(pid), level, None if db in NO_DATABASE else db, logger, message


def parse_line(text: str, file: str = "", offset: int = 0) -> Record | None:
    """A record from its text (one line, or more with its continuation lines); None without a header."""
    line, _, body = _COLOUR.sub("", text).rstrip("\r\n").partition("\n")
    header = parse_header(line.rstrip("\r"))
    if header is None:
        return None
    time, pid, level, db, logger, message = header
    return Record(time, pid, level, db, logger, message, body, file, offset)
