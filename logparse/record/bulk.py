"""Access lines in bulk: those that stand together, and are plainly records, need not be taken apart singly.

They tell what they would tell as records. Wherever that is not certain, they are read as records.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from operator import itemgetter

import msgspec

from logparse.record.closing import ends_message
from logparse.record.judge import Judge
from logparse.record.parse import milliseconds

Row = tuple[bytes, bytes, bytes, bytes, bytes]
"""An access line: time, database, method and path without query, status, and its numbers: queries, seconds in
SQL and elsewhere (empty where it has none). To tell more apart here would cost much."""

Place = tuple[int, int]
"""Where a line starts and ends."""
Hits = Callable[[bytes, int, int, Sequence[bytes]], Iterable[Place]]
"""(data, start, stop, literals): the lines that start there and hold a literal, in order."""

# Bytes of the lines that are read at once, and so few that it is not worth the trouble.
_MOST, _LEAST = 1 << 16, 400
_MINUTE = 60_000
_TIME = itemgetter(0)
# The commonest ends of access lines, without digits (closing.ends_message).
_ENDS = (b"  . .\n", b"  . . rw\n", b"  . . ro\n", b" - - -\n", b"  . . ro->rw\n")


class Form(msgspec.Struct, frozen=True):
    """One form of the lines. pattern: whose records they are.

    line: matches such a line whole, before a digit; its groups are a Row. It also matches, with empty groups,
        a line that ends as messages do, since such lines may stand between.
    ends: whether all that it matches end as messages do in Odoo 12 and later.
    """

    pattern: str
    line: re.Pattern[bytes]
    ends: bool


class Lines(msgspec.Struct, frozen=True):
    """Which lines can be read in bulk (logparse.match.bulk makes it of the patterns).

    literals: every record that tells of a request holds one of these in its first line.
    forms: of the lines; a log has one of them for long.
    literal: stands in every line that is a Row.
    wanted: such a line that holds one of these is to be read as a record, too.
    take: is given the pattern and what was read. times: of some of it, ms, until the reader has seen them.
    """

    literals: tuple[bytes, ...]
    forms: tuple[Form, ...]
    literal: bytes
    wanted: tuple[bytes, ...]
    take: Callable[[str, list[Row]], None]
    times: list[int]


class _Window(msgspec.Struct, frozen=True):
    """Lines that are certain. rows: one for each, empty for what is no access line. end: where they end.

    access: whether all are access lines.
    """

    rows: list[Row]
    end: int
    access: bool


class Bulk:
    """For one scanner. literals: of lines that are wanted anyway. max_line: bytes of a line that are read."""

    def __init__(self, lines: Lines, literals: tuple[bytes, ...], max_line: int) -> None:
        self._lines = lines
        others = (one for one in lines.literals if one != lines.literal)
        self._literals = tuple(dict.fromkeys((*literals, *others)))  # of what is read as a record
        self._max_line = max_line
        self._form = 0
        self._most = self._size = min(_MOST, max_line)  # what is tried at once; as much as the log allows

    def candidates(self, data: bytes, stop: int, judge: Judge, hits: Hits) -> Iterator[Place]:
        """Starts and ends of the lines before `stop` that are to be read as records; others are taken here.

        judge: at `data`; it judges a line before the next is asked for. hits: finds what is wanted anyway.
        """
        at = 0
        while (start := self._next(data, at, stop)) >= 0:
            if start > at:
                yield from hits(data, at, start, self._literals)
            window = self._window(data, start, stop, judge)
            if window is None:
                end = data.find(b"\n", start)
                yield start, end if end >= 0 else len(data)
                at = end + 1 if end >= 0 else stop
                continue
            # What is wanted anyway is read as a record, and so is no row.
            done, counted, at = 0, start, window.end
            literals = self._lines.wanted if window.access else self._literals
            for hit in hits(data, start, window.end, literals) if literals else ():
                number = done + data.count(b"\n", counted, hit[0])
                self._put(window.rows[done:number], judge, access=window.access)
                yield hit
                done, counted = number + 1, hit[1] + 1
                if not _near(judge.clock.now, islice(window.rows, done, None)):
                    at = counted
                    break
            else:
                self._put(window.rows[done:] if done else window.rows, judge, access=window.access)
                judge.took(window.end, ends=bool(window.rows[-1][0]))
        if at < stop:
            yield from hits(data, at, stop, self._literals)

    def _put(self, rows: list[Row], judge: Judge, *, access: bool) -> None:
        """Rows are taken; the log's clock goes on to the last of them."""
        if not access:
            rows = [row for row in rows if row[0]]
        if rows:
            self._lines.take(self._lines.forms[self._form].pattern, rows)
            for row in (rows[0], rows[-1]):
                time = milliseconds(row[0].decode())
                if time is not None:
                    self._lines.times.append(time)
                    judge.clock.now = time

    def _next(self, data: bytes, at: int, limit: int) -> int:
        """The start of the next line, before `limit`, that may be a Row; -1: there is none."""
        literal = self._lines.literal
        while literal and at < limit:
            first = data.find(literal, at, limit)
            if first < 0:
                return -1
            start = data.rfind(b"\n", at, first) + 1 or at
            if first - start < self._max_line:
                return start
            at = data.find(b"\n", first) + 1 or limit
        return -1

    def _window(self, data: bytes, at: int, stop: int, judge: Judge) -> _Window | None:
        """What can be taken from the line start `at` on."""
        if not self._lines.forms or stop - at < _LEAST or not judge.follows(at):
            return None
        end = stop if stop - at <= self._size else data.rfind(b"\n", at, at + self._size) + 1
        window = self._certain(data, at, end, judge) if end > at else None
        if window is None and self._other_form(data, at, end):
            window = self._certain(data, at, end, judge)
        if window is not None and window.end == end:
            self._size = min(2 * self._size, self._most)
        else:
            self._size = max(2 * (window.end - at) if window is not None else 0, _LEAST)
        return window

    def _other_form(self, data: bytes, at: int, end: int) -> bool:
        """Whether the line at `at` has another form than those before; it is that of the next ones, then."""
        for number, form in enumerate(self._lines.forms):
            match = form.line.match(data, at, end + 1)
            if number != self._form and match is not None and match[1]:
                self._form = number
                return True
        return False

    def _certain(self, data: bytes, at: int, end: int, judge: Judge) -> _Window | None:
        """The lines of data[at:end] that are certain."""
        form = self._lines.forms[self._form]
        line = form.line
        rows: list[Row] = line.findall(data, at, end + 1)
        if len(rows) != data.count(b"\n", at, end):
            rows, end = _run(line, data, at, end, end)
        times = list(map(_TIME, rows))
        access = all(times)
        if not access and not judge.sure:
            rows, end = _run(line, data, at, end, times.index(b""))
            times, access = list(map(_TIME, rows)), True
        if not times or not times[0]:
            return None
        if not _together(times if access else list(filter(None, times))):
            minute = times[0][:16]
            certain = next(number for number, time in enumerate(times) if time and time[:16] != minute)
            rows, end = _run(line, data, at, end, certain)
            del times[certain:]
            access = all(times)
        known = times if access else list(filter(None, times))
        text = data[at:end]
        if not text.isascii() or judge.heard(text):
            return None
        if not access and text.count(self._lines.literal) != len(known):
            return None
        if judge.sure and not (form.ends or _all_end(text, len(known))):
            return None
        return _Window(rows, end, access) if _near(judge.clock.now, rows) else None


def _near(now: int | None, rows: Iterable[Row]) -> bool:
    """Whether the first access line of these, where there is one, is no question to a clock at `now`."""
    text = next(filter(None, map(_TIME, rows)), None)
    if text is None:
        return True
    time = milliseconds(text.decode())
    return now is not None and time is not None and abs(time - now) <= _MINUTE


def _together(times: Sequence[bytes]) -> bool:
    """Whether they are so near to one another that the log's clock has nothing to ask."""
    low, high = min(times), max(times)
    if low[:16] == high[:16]:
        return True
    first, last = milliseconds(low.decode()), milliseconds(high.decode())
    # Within one hour, so that a text between two times of it is one.
    return first is not None and last is not None and last - first <= _MINUTE and low[:13] == high[:13]


def _all_end(text: bytes, count: int) -> bool:
    """Whether all lines end as messages do in Odoo 12 and later; count: of those that end with no blank."""
    bare = text.translate(None, b"0123456789")
    for end in _ENDS:
        count -= bare.count(end)
        if count == 0:
            return True
    return all(ends_message(line, 0, len(line)) for line in text.splitlines())


def _run(line: re.Pattern[bytes], data: bytes, at: int, end: int, most: int) -> tuple[list[Row], int]:
    """As many rows as follow one another in data[at:end], and where they end."""
    rows: list[Row] = []
    while len(rows) < most and (match := line.match(data, at, end + 1)) is not None:
        rows.append(match.groups(b""))  # type: ignore[arg-type] # a Row's groups
        at = match.end()
    return rows, at
