"""Judges whether what looks like a record is one, by its form, its time and what was found before."""

from collections.abc import Iterator

from logparse.record.clock import Clock
from logparse.record.closing import (
    COMMON,
    FRAMES,
    HEADER,
    HEADERS,
    NEXT_HEADER,
    OPENERS,
    TRACEBACK_LINE,
    ZEROS,
    ended_before,
    ends_message,
    in_exception,
    in_message,
    in_old_traceback,
    is_fresh,
    old_traceback_open,
    traceback_end,
)
from logparse.record.parse import milliseconds

# How often a log must have ended its messages with a blank before the lack of one means something, and
# how many lines without one in a row mean that the format changed.
_SURE, _FORGET = 4, 100
# More often is not counted.
_SETTLED = 2 * _SURE
# The same where a line is doubtful, and as many follow.
_CHANGED = 20
ECHOES = 1024
"""So many rejected lines are known again."""
# How far around a record its neighbours are looked for, in bytes.
_NEIGHBOURHOOD = 1 << 18
# What the record before the text left open, besides a traceback (then: how many header-like lines it
# held so far, from 0 on).
_CLOSED, _MESSAGE = -2, -1
# How what may follow a record begins: a header, a traceback, the mark of a wrapper's continuation, nothing.
_FOLLOW = (b"", *(b"%d" % digit for digit in range(10)), b"T", b"\x01")
_DIGITS = frozenset(b"%d" % digit for digit in range(10))
_MINUTE, _HOUR = 60_000, 3_600_000


class Judge:
    """For one stream of text, given in pieces that each begin with a header-like line (or with none).

    `begin` a piece, `judge` its candidates in order, `end` it where the next one will begin.

    echoes: the lines that were rejected last, as keys, in order. told: gets each that is, unless None.
    stray: others write to this log too: what follows a record need not be its text.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self.echoes: dict[bytes, None] = {}
        self.told: list[bytes] | None = None
        self._style = 0  # how surely this log ends its messages with a blank
        self._bare = 0  # lines without one since the last with one
        self.stray = False
        self._ended = False  # the last piece ended with a record that is whole
        self._open = _CLOSED
        self._fresh = True  # a header at the start of the piece is no text of an exception
        self._data = b""
        self._trace = self._seen = 0  # a traceback: where it goes on, what it held before
        self._shut = -1  # and where it ends
        # Of Odoo 11 and earlier: a job's traceback is open where the piece starts; the line before it is
        # header-like; header-like lines that start before `_run` are inside.
        self._old = self._after_header = False
        self._run = 0
        self._exception = False  # the text of an exception may go on where the piece starts
        self._good = -1  # where the line after the last good record starts

    def new_file(self, *, goes_on: bool = False) -> None:
        """Another file begins: nothing is open, and its time is its own. goes_on: it is the next piece."""
        self.skipped()
        self._ended = False
        self._fresh = True
        if not goes_on:
            self.clock.now = None

    def learn(self, other: "Judge") -> None:
        """Of the same log, elsewhere in it: what was learned there is known here."""
        self.stray = self.stray or other.stray
        self._style = max(self._style, other._style)
        own, self.echoes = self.echoes, dict(other.echoes)
        for line in own:
            remember(self.echoes, line)

    def skipped(self) -> None:
        """Text was left out: what was open is not known any more."""
        self._open = _CLOSED
        self._fresh = self._old = self._after_header = self._exception = False
        self._run = 0

    def begin(self, data: bytes) -> None:
        """The next piece, which goes on where the last one ended."""
        self._good = 0 if self._ended else -1
        self._follows(data)
        self._data = data
        self._shut = -1
        if self._open >= 0:
            self._trace, self._seen = 0, self._open
            self._shut = self._end_of_traceback(0)

    def passed(self, data: bytes) -> None:
        """A piece that goes on where the last one ended, of which nothing is to be judged."""
        self._follows(data)
        if not data.endswith(b"\n"):
            return
        if self._open >= 0:
            end, seen = traceback_end(data, 0, self._open, len(data))
            self._open = _CLOSED if end >= 0 else seen
        else:
            self._data = data
            self._good = self._shut = -1
            self.end(len(data))

    def _follows(self, data: bytes) -> None:
        if self._ended and data:
            self.stray = self.stray or data[:1] not in _FOLLOW

    def judge(self, start: int, end: int, time: int, perf: bool, final: bool, whole: bool) -> str | None:
        """Why the header-like line data[start:end] is no record: `inside`, `unfinished`, `echo`, `time`.

        "" where it is one; None where what follows is needed to tell, and is not there yet.
        time: of its header, ms. perf: its logger's messages end with the request's numbers.
        final: nothing follows the piece. whole: the end of the record is in the piece.
        """
        data = self._data
        blank = data[end - 1] == 32
        # Inline for what ends nearly every access line: calls would take as long as all else here.
        ended = blank or (
            perf and (data[end - 15 : end].translate(ZEROS) in COMMON or ends_message(data, start, end))
        )
        good = self._good
        style = self._style
        # Most records are plain: the line before ends a message, this one does, and a header may follow.
        plain = (
            ended
            and start >= self._shut
            and data[end + 1 : end + 2] in _DIGITS
            and (
                start == good
                or (
                    style >= _SURE
                    and start >= self._run
                    and (
                        data[start - 3] != 58
                        if data[start - 2] == 32
                        else data[start - 16 : start - 1].translate(ZEROS) in COMMON
                        or ended_before(data, start)
                    )
                )
            )
            and (start or self._open != _MESSAGE)
        )
        # And most plain ones say nothing new of the log.
        if plain and style == _SETTLED and not (self.echoes and data[start:end].rstrip() in self.echoes):
            clock = self.clock
            now = clock.now
            if now is not None and -_MINUTE <= time - now <= _MINUTE:
                clock.now = time
                if blank:
                    self._bare = 0
                self._good = end + 1
                return ""
        if plain or (ended and start == good and start >= self._shut and data[end : end + 3] != b"\n \n"):
            reason = ""
        else:
            found = self._form(start, end, blank, ended, whole, final)
            if found and not blank and self._style >= _SURE and whole:
                changed = self._changed(start, final or len(data) - end >= _NEIGHBOURHOOD)
                if changed:
                    self._style = self._bare = 0
                    self._open, self._shut = _CLOSED, -1
                    found = ""
                elif changed is None:
                    found = None
            if found is None:
                return None
            reason = found
        if not reason and self.echoes and data[start:end].rstrip() in self.echoes:
            reason = "echo"
        if not reason:
            clock = self.clock
            now = clock.now
            if now is not None and -_MINUTE <= time - now <= _MINUTE:
                clock.now = time
            elif now is not None and _MINUTE < time - now <= _HOUR:
                following = next(self._times_after(end), None)
                if following is None and not final and len(data) - end < _NEIGHBOURHOOD:
                    return None
                if following is not None and now - _MINUTE <= following < time - _MINUTE:
                    reason = "time"
                else:
                    self.clock.now = time
            else:
                near = len(data) - end >= _NEIGHBOURHOOD
                believed = self.clock.believes(time, self._times_after(end), final=final or near)
                if believed is None:
                    return None
                if not believed:
                    reason = "time"
        if blank:
            if self._bare or style < _SETTLED:
                self._style = min(self._style + 1, _SETTLED)
                self._bare = 0
        elif self._style and not perf:
            self._bare += 1
            if self._bare >= _FORGET:
                self._style = self._bare = 0
        if reason:
            remember(self.echoes, data[start:end].rstrip())
            if self.told is not None:
                self.told.append(data[start:end].rstrip())
        elif ended:
            self._good = end + 1
            if not plain and not self.stray and whole and data[end + 1 : end + 2] not in _FOLLOW:
                self.stray = True
        return reason

    @property
    def sure(self) -> bool:
        """Whether this log surely ends its messages with a blank."""
        return self._style >= _SURE

    def follows(self, start: int) -> bool:
        """Whether the line at `start` is a record, and so is each that follows it at once, where it is a
        header-like line that ends as its message does, and a header may follow it; but for times and echoes.
        """
        if start <= 0 or start < self._shut or start < self._run:
            return False
        if self._style < _SURE:
            return _after_header(self._data, start)
        return start == self._good or ended_before(self._data, start)

    def heard(self, text: bytes) -> bool:
        """Whether a line of the text, of those that end with no blank, was inside a message before."""
        return bool(self.echoes) and not self.echoes.keys().isdisjoint(text.split(b"\n"))

    def took(self, stop: int, *, ends: bool) -> None:
        """Records that `follows` promised were taken up to `stop`.

        ends: the last of them is the last line, too.
        """
        data = self._data
        start = data.rfind(b"\n", 0, stop - 1) + 1
        self._good = stop if ends and ends_message(data, start, stop - 1) else -1

    def goes_on(self, start: int, end: int, following: int) -> None:
        """The record that begins with the line data[start:end] is believed; the next is at `following`."""
        data = self._data
        if data[end - 1] == 32:
            self._good = following
        elif self._style >= _SURE and data.endswith(TRACEBACK_LINE, start, end):
            # All up to its end is text, header-like lines included.
            self._trace, self._seen = end + 1, 0
            self._shut = self._end_of_traceback(end + 1)
            self._good = following if self._shut == following else -1

    def end(self, stop: int) -> None:
        """The next piece begins at `stop`."""
        data = self._data
        if stop < self._shut:
            self._open = traceback_end(data, self._trace, self._seen, stop)[1]
        elif self._style >= _SURE and in_message(
            data, stop, _NEIGHBOURHOOD, fresh=self._fresh, inside=self._open == _MESSAGE
        ):
            self._open = _MESSAGE
        elif stop > 0:
            self._open = _CLOSED
        self._run = max(0, self._run - stop)
        if stop > 0:
            self._ended = stop == self._good
            self._old = self._style < _SURE and old_traceback_open(
                data, stop, _NEIGHBOURHOOD, opened=self._old
            )
            self._after_header = _after_header(data, stop)
            self._exception = in_exception(data, stop, _NEIGHBOURHOOD, opened=self._exception)
            self._fresh = is_fresh(data, stop, _NEIGHBOURHOOD, fresh=self._fresh)
        self._data = b""
        self._good = self._shut = -1
        self._trace = self._seen = 0

    def _end_of_traceback(self, start: int) -> int:
        end, _ = traceback_end(self._data, start, self._seen, len(self._data))
        return end if end >= 0 else len(self._data)

    def _form(self, start: int, end: int, blank: bool, ended: bool, whole: bool, final: bool) -> str | None:
        data = self._data
        if start < self._shut or (start == 0 and self._open == _MESSAGE):
            return "inside"
        if start < self._run:
            return "inside"
        if self._style < _SURE:
            if _after_header(data, start) if start else self._after_header:
                return ""
            run = in_old_traceback(data, start, end, _NEIGHBOURHOOD, opened=self._old, final=final)
            if run is None:
                return None
            self._run = run
            return "inside" if run else ""
        if (
            start
            and start != self._good
            and (data[start - 2] != 32 or data[start - 3] == 58)
            and in_message(data, start, _NEIGHBOURHOOD, fresh=self._fresh, inside=self._open == _MESSAGE)
        ):
            return "inside"
        if (
            whole
            and not self.stray
            and data[end + 1 : end + 2] not in (_FOLLOW if final else _FOLLOW[1:])
            and in_exception(data, start, _NEIGHBOURHOOD, opened=self._exception)
            and (ended or ends_message(data, start, end))
        ):
            return "inside" if end + 1 < len(data) else None
        if blank:
            # A line of one blank is the end of a job's traceback, and never of a record of one line.
            return "inside" if data[end : end + 3] == b"\n \n" else ""
        if whole and not ended and not ends_message(data, start, end):
            if data.endswith(OPENERS, start, end):
                # Until the end of a traceback all is text: a line that opens none must not hide what follows.
                if end + 1 >= len(data) or not data.endswith(TRACEBACK_LINE, start, end):
                    return ""
                return "" if data.startswith(FRAMES, end + 1) else "unfinished"
            following = NEXT_HEADER.search(data, end)
            last = following.start() if following else len(data.rstrip(b"\n"))
            if not ends_message(data, data.rfind(b"\n", 0, last) + 1, last):
                return "unfinished"
        return ""

    def _changed(self, start: int, final: bool) -> bool | None:
        """Whether messages end without a blank from the header at `start` on; None: not enough follows."""
        data = self._data
        for count, match in enumerate(HEADERS.finditer(data, start, start + _NEIGHBOURHOOD)):
            line = data.find(b"\n", match.start())
            if data[line - 1] == 32:
                return False
            if count == _CHANGED:
                return True
        return False if final else None

    def _times_after(self, end: int) -> Iterator[int]:
        for match in NEXT_HEADER.finditer(self._data, end, end + _NEIGHBOURHOOD):
            time = milliseconds(self._data[match.end() : match.end() + 23].decode("ascii"))
            if time is not None:
                yield time


def remember(echoes: dict[bytes, None], line: bytes) -> None:
    """Add a rejected line; of more than 1,024 the oldest is forgotten."""
    if len(echoes) >= ECHOES:
        del echoes[next(iter(echoes))]
    echoes[line] = None


def _after_header(data: bytes, start: int) -> bool:
    return HEADER.match(data, data.rfind(b"\n", 0, start - 1) + 1) is not None
