"""Tells where a record ends, so that a header inside a message is not taken for a record of its own.

From 12.0 Odoo's formatter ends every message with a blank and `perf_info`: nothing for most loggers,
`queries seconds seconds` for werkzeug (odoo/netsvc.py, PerfFilter). A record is one write to the file, so
its lines stand together. Hence, in such a log, a message that has not ended yet cannot be followed by a
record; what looks like one is part of its text. Before 12.0 nothing marks the end but, after the
traceback of a job, an empty line.
"""

import re

HEADER = re.compile(
    rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (?:\d+|-)(?:/[\w-]+)? (?:DEBUG|INFO|WARNING|ERROR|CRITICAL) "
)
HEADERS = re.compile(rb"(?m)^" + HEADER.pattern)
NEXT_HEADER = re.compile(rb"\n(?=" + HEADER.pattern + rb")")
_PERF_ENDS = frozenset(b"0123456789-wo")
# What is left of ` 16 0.065 0.044` without its digits; each number may be `-`, and a replica adds a word.
# The seconds are differences of time.time(): less than 0 after a step back of the clock; the last one, which
# is all but the time in SQL, by rounding, too (`-0.000`). Such signs are taken off.
_PERF_TAILS = tuple(
    queries + sql + other + mode
    for queries in (b" ", b" -")
    for sql in (b" .", b" -")
    for other in (b" .", b" -")
    for mode in (b"", b" ro", b" rw", b" ro->rw", b" -")
)

# The commonest ends of access lines, with a 0 for each digit: to look for these takes a third of the time.
ZEROS = bytes.maketrans(b"123456789", b"000000000")
COMMON = frozenset({b"- 0 0.000 0.000", b" 00 0.000 0.000"})

# Odoo's job controller logs the traceback of a failed job as the message itself.
TRACEBACK_LINE = b": Traceback (most recent call last):"
# First lines of messages that hold a traceback, and with it any text, header-like lines included.
OPENERS = (TRACEBACK_LINE, b" werkzeug: Error on request:")
# How the line after it begins: with a frame, or with the mark of a wrapper's continuation (unwrap).
FRAMES = (b"  ", b"\x01")
_RUNNER = b".jobrunner.runner: "
# A header whose message begins with a line break: of the two blanks that an empty message has, one is there.
_BEGUN = re.compile(HEADER.pattern + rb"\S+ [\w.]+: ")
# What follows the first line of a record that has an exception.
_EXCEPTION = b"Traceback (most recent call last):"
# A traceback cut by a crash never ends: after so many lines that look like headers they are believed.
_BELIEVED = 32


def ends_message(data: bytes, start: int, end: int) -> bool:
    """Whether the line data[start:end] ends as a message does in Odoo 12 and later."""
    if end <= start:
        return False
    last = data[end - 1]
    if last == 32:
        return data[end - 2] != 58 or _BEGUN.fullmatch(data, start, end) is None
    if last not in _PERF_ENDS:
        return False
    if end - start >= 15 and data[end - 15 : end].translate(ZEROS) in COMMON:
        return True
    tail = data[max(start, end - 48) : end].translate(None, b"0123456789")
    if tail.endswith(b"  . .") or tail.endswith(_PERF_TAILS):
        return True
    return b" -." in tail and tail.replace(b" -.", b" .").endswith(_PERF_TAILS)


def ended_before(data: bytes, start: int) -> bool:
    """Whether the line before the one at `start` surely ends as a message does; cheap."""
    if data[start - 2] == 32:
        return data[start - 3] != 58
    if data[start - 16 : start - 1].translate(ZEROS) in COMMON:
        return True
    tail = data[max(0, start - 48) : max(0, start - 1)].translate(None, b"0123456789")
    return tail.endswith(b"  . .")


def traceback_end(data: bytes, start: int, seen: int, limit: int) -> tuple[int, int]:
    """Where a job's traceback that goes on at the line start `start` ends: at a line of one blank.

    seen: how many lines that look like headers it held before. Returns the start of the line after its
    end, or -1 where it does not end before `limit`, and the new `seen`.
    """
    while start < limit:
        stop = data.find(b"\n", start, limit)
        if stop < 0:
            stop = limit
        if stop - start == 1 and data[start] == 32:
            return stop + 1, 0
        if HEADER.match(data, start):
            seen += 1
            if seen > _BELIEVED:
                return start, 0
        start = stop + 1
    return -1, seen


def is_fresh(data: bytes, start: int, limit: int, *, fresh: bool) -> bool:
    """Whether a header at the line start `start` cannot be the text of an exception before it.

    That of a record ends without a mark, and may hold anything, blanks at the ends of its lines included;
    only the runner's own exceptions hold no text of a job. limit: how many bytes to look back. fresh: the
    answer for the start of data.
    """
    low = max(0, start - limit)
    stop, last = start - 1, -1
    while start > low:
        end = start - 1
        start = data.rfind(b"\n", 0, end) + 1
        if last < 0:
            last = start
            if data[start:end] == b" " or (
                end > start and data[end - 1] != 32 and ends_message(data, start, end)
            ):
                return True
        if HEADER.match(data, start):
            if not data.startswith(_EXCEPTION, end + 1):
                return ends_message(data, last, stop)
            return data[end - 1] == 32 and data.find(_RUNNER, start, min(end, start + 200)) >= 0
    # Lines without a header: they go on with what was before the data.
    return fresh and (last < 0 or ends_message(data, last, stop))


def in_message(data: bytes, start: int, limit: int, *, fresh: bool, inside: bool = False) -> bool:
    """Whether the line at `start` stands inside the message of the record before it, as far as that shows.

    Not where what looks like a record before it may itself be the text of an exception.
    limit, fresh: as for `is_fresh`. inside: the answer for the start of data.
    """
    low = max(0, start - limit)
    while start > low:
        end = start - 1
        start = data.rfind(b"\n", 0, end) + 1
        if ends_message(data, start, end):
            return False
        if HEADER.match(data, start) and is_fresh(data, start, limit, fresh=fresh):
            return True
    return inside and start == 0


def in_exception(data: bytes, start: int, limit: int, *, opened: bool) -> bool:
    """Whether the record before the line at `start` has an exception, and may go on with its text.

    Not where it is the runner's, or a job's traceback, which has an end. limit: as for `is_fresh`. opened:
    the answer for the start of data.
    """
    low = max(0, start - limit)
    while start > low:
        stop = start - 1
        start = data.rfind(b"\n", 0, stop) + 1
        if HEADER.match(data, start):
            return (
                data[stop - 1] == 32
                and data.startswith(_EXCEPTION, stop + 1)
                and data.find(_RUNNER, start, min(stop, start + 200)) < 0
            )
    return opened and start == 0


def in_old_traceback(
    data: bytes, start: int, end: int, limit: int, *, opened: bool, final: bool
) -> int | None:
    """The same for a log of Odoo 11 and earlier, where an empty line ends the traceback of a job.

    data[start:end] is the line, header-like. Where an empty line follows it, or a run of such lines, and
    the record before is a job's traceback that no empty line has ended: where the run ends; else 0. None:
    what tells does not follow yet; only where not `final`. opened: as for `old_traceback_open`.
    """
    for _ in range(_BELIEVED):
        if not HEADER.match(data, end + 1):
            break
        following = data.find(b"\n", end + 1)
        if following < 0:
            end = len(data) - 1
            break
        end = following
    if end + 1 < len(data) and data[end + 1] != 10:
        return 0
    if not old_traceback_open(data, start, limit, opened=opened):
        return 0
    if end + 1 >= len(data):
        return 0 if final else None
    return end + 1


def old_traceback_open(data: bytes, start: int, limit: int, *, opened: bool) -> bool:
    """Whether the line at `start` may stand in the traceback of a job of Odoo 11 and earlier.

    limit: how many bytes to look back. opened: the answer for the start of data.
    """
    low = max(0, start - limit)
    begun = data.rfind(TRACEBACK_LINE + b"\n", max(0, low - len(TRACEBACK_LINE)), start)
    if begun < 0 and not (opened and data.find(b"\n", 0, low) < 0):
        return False
    # An empty line ends what began before it.
    if data.rfind(b"\n\n", max(begun, low - 1, 0), start) >= 0:
        return False
    if begun < 0:
        return low > 0 or not data.startswith(b"\n", 0, start)
    return HEADER.match(data, data.rfind(b"\n", 0, begun) + 1) is not None
