"""What was read of a file that may be cut: told again up to where it is still the same."""

import os
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

TELLING = 32
"""A shorter beginning may be that of several files: a record's begins with its time and its process."""

_RECENT_SIZE = 256 * 1024  # so many of the last bytes are remembered as they are, while the program runs
_SAVED_SIZE = 64 * 1024  # the ends of the lines in so many of them are saved as marks
_MARK_SIZE = 128  # bytes before a mark, of which its digest is made
_FIRST = 1024  # up to here each line end has a mark
_SPACE = 64 * 1024  # between two others, while there are few
_MOST = 2048

Mark = tuple[int, bytes]
"""A place in a file, and a digest of what stands before it."""


class Kept(NamedTuple):
    """How much of a file is still what was read.

    offset: it is so up to here at least. until: from here on it is not; the same where that is known.
    """

    offset: int
    until: int


class Trail:
    """Remembers the last bytes that were read, and marks in what was before them.

    end: the place that was reached.
    """

    def __init__(self, fd: int, end: int) -> None:
        self.end = end
        # Its front is cut off in place: to copy so much for each line that is read costs more than the line.
        self._recent = bytearray(os.pread(fd, min(_RECENT_SIZE, end), max(0, end - _RECENT_SIZE)))
        self._space = _SPACE
        while end // self._space > _MOST:
            self._space *= 2
        self._marks = _at_lines(os.pread(fd, min(_FIRST - 1, end), 0), 0, TELLING, 0)
        self._marks += [
            (at, _digest(os.pread(fd, _MARK_SIZE, at - _MARK_SIZE)))
            for at in (_FIRST, *range(self._space, end + 1, self._space))
            if at <= end
        ]

    def last(self, size: int) -> bytes:
        """So many of the last bytes, or what there is."""
        return bytes(self._recent[-size:])

    def add(self, data: bytes) -> None:
        """What was read next."""
        before = self.end
        self.end += len(data)
        if before < _FIRST or before // self._space < self.end // self._space:
            self._mark(data, before)
        self._recent += data[-_RECENT_SIZE:]
        del self._recent[:-_RECENT_SIZE]

    def _mark(self, data: bytes, before: int) -> None:
        known = bytes(self._recent[-_MARK_SIZE:])
        text, start = known + data, before - len(known)
        following = (before // self._space + 1) * self._space
        if before < _FIRST:
            known_to = self._marks[-1][0] if self._marks else 0
            self._marks += _at_lines(text[: _FIRST - 1 - start], start, max(TELLING, before + 1), known_to)
        for at in (_FIRST, *range(following, self.end + 1, self._space)):
            if before < at <= self.end:
                self._marks.append((at, _digest(text[at - start - _MARK_SIZE : at - start])))
        if len(self._marks) > _MOST:
            self._space *= 2
            self._marks = [mark for mark in self._marks if mark[0] <= _FIRST or not mark[0] % self._space]

    def lately(self) -> "Lately":
        """What marks to be saved can be made of, whatever is read meanwhile."""
        return Lately(self.end, bytes(self._recent[-_SAVED_SIZE:]), self._marks.copy())

    def kept(self, fd: int) -> Kept:
        """How much of the file is what was read: to the line, where it was cut within the last bytes.

        A new line may begin as the old one did. So what is left of a line is kept only where nothing follows.
        """
        recent = bytes(self._recent)
        start = self.end - len(recent)
        now = os.pread(fd, len(recent) + 1, start)
        same = _common(recent, now)
        end = same if same == len(now) else now.rfind(b"\n", 0, same) + 1
        if end >= TELLING:
            return Kept(start + end, start + end)
        marks = [mark for mark in self._marks if start and mark[0] < start + TELLING]
        return kept(fd, [*marks, (start + same, b"")], self.end)


class Lately(NamedTuple):
    """end: the place that was reached. data: the bytes before it. known: marks."""

    end: int
    data: bytes
    known: list[Mark]

    def marks(self) -> tuple[list[Mark], int]:
        """Marks to be saved, and from where on each line end has one; before it there are fewer."""
        start, data = self.end - len(self.data), self.data
        lines = start + _MARK_SIZE if start else TELLING
        marks = [mark for mark in self.known if start and mark[0] < lines]
        marks += _at_lines(data, start, lines, None if start else 0)
        return marks, start + _MARK_SIZE if start else 0


def kept(fd: int, marks: Sequence[Mark], lines: int) -> Kept:
    """The same by marks alone, up to the last of them. lines: from here on each line end has one."""
    offset = 0
    # The first that does not hold tells: a traceback behind it may be the same, and at the same place, again.
    for at, digest in marks:
        whole = offset >= lines or at < min(lines, _FIRST)
        size = max(min(_MARK_SIZE, at), at - offset if whole else 0)
        if _digest(os.pread(fd, size, at - size)) != digest:
            # Before the first one it may be any file.
            exact = not offset or offset >= lines or at <= _FIRST
            return Kept(offset, offset if exact else at)
        offset = at
    return Kept(offset, offset)


def _at_lines(data: bytes, start: int, first: int, before: int | None) -> list[Mark]:
    """A mark at each line end in `data`, which stands at `start`; from `first` on.

    Its digest is of all from the mark before on, which is at `before`; None: that of the first one is not.
    """
    marks = []
    at = data.find(b"\n", max(0, first - 1 - start))
    while at >= 0:
        end = start + at + 1
        since = end - _MARK_SIZE if before is None else min(before, end - _MARK_SIZE)
        marks.append((end, _digest(data[max(0, since - start) : at + 1])))
        before = end
        at = data.find(b"\n", at + 1)
    return marks


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=8).digest()


def _common(one: bytes, other: bytes) -> int:
    """How many first bytes are the same."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
