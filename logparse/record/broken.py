"""Lines that a mail program broke: joined again where it is plain that they were broken."""

import re
from itertools import pairwise

from logparse.record.closing import HEADER
from logparse.record.wrappers.wrapper import Line

LONGEST = 84
"""No line of such a text is longer: 78 columns, and the marks of quotes. A log of jobs has longer ones."""
ENOUGH = 40
"""After so many lines without a longer one a text is taken for such a text, if any of its lines is broken."""

_WORD = re.compile(rb"\S+")
_NARROWEST = 60


def width_of(lines: list[bytes]) -> int | None:
    """At which column these lines were broken; None where none was.

    A line was broken where the first word of the next one would not have fitted into the longest line.
    """
    width = max(map(len, lines), default=0)
    if not _NARROWEST <= width <= LONGEST:
        return None
    for line, following in pairwise(lines):
        if HEADER.match(line) and _was_one(len(line), following, width):
            return width
    return None


def _was_one(length: int, following: bytes, width: int) -> bool:
    word = _WORD.match(following)
    return word is not None and not HEADER.match(following) and length + 1 + word.end() > width


class Rejoiner:
    """Takes the lines of a text that was broken at `width` columns, and gives back those before.

    open_at: the place of the line that it holds, None where it holds none.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._held: Line | None = None
        self._length = 0
        self.open_at: int | None = None

    def take(self, line: Line, place: int) -> tuple[Line, int] | None:
        """The lines before that are one, and their place; None where this one goes on with them."""
        held = self._held
        if held is not None and _was_one(self._length, line.content, self._width):
            content = held.content.rstrip(b" ") + b" " + line.content
            self._held = Line(content, held.time, held.key, pid=held.pid)
            self._length = len(line.content)
            return None
        before = self.rest()
        self._held, self.open_at, self._length = line, place, len(line.content)
        return before

    def rest(self) -> tuple[Line, int] | None:
        """What it holds."""
        held, at = self._held, self.open_at
        self._held = self.open_at = None
        return None if held is None or at is None else (held, at)
