"""Which time a log covers, whatever its lines say: from what its records begin with, here and there."""

from bisect import insort
from collections.abc import Iterator
from itertools import pairwise

from logparse.pipe import Tap
from logparse.record.direction import time_of
from logparse.record.wrappers.wrapper import Context
from logparse.source.chunk import Chunk

QUIET = 12 * 3_600_000
"""A log that says nothing for so long (ms) has a hole: a night may be quiet, a missing day is not."""

_LINES = 200  # of a traceback, say, between two records
_SPANS = 1000
_LOOKS = 1000  # into one chunk, whatever times stand there

Span = tuple[int, int]


class Coverage(Tap):
    """Looks on at the chunks of a log. A span is the times of its first and its last record, ms, UTC.

    Two records of a chunk that are not QUIET apart have none between them that is: so few lines are read.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._spans: list[Span] = []

    def chunk(self, chunk: Chunk) -> None:
        """Find the times of its records."""
        data = chunk.data
        begin = 0 if chunk.offset == 0 else data.find(b"\n") + 1
        first = self._after(data, begin, len(data))
        if first is None:
            return
        last = self._before(data, len(data)) or first
        for start, end in self._spans_of(data, first, last):
            self.add(start, end)

    def add(self, start: int, end: int) -> None:
        """The log covers these times, and all between."""
        if end < start:
            start, end = end, start
        near = [span for span in self._spans if span[0] - QUIET <= end and start <= span[1] + QUIET]
        for span in near:
            self._spans.remove(span)
        if len(self._spans) < _SPANS:
            insort(self._spans, (min([start, *(a for a, _ in near)]), max([end, *(b for _, b in near)])))

    def around(self, time: int) -> Span:
        """The span that the time is in, or only the time."""
        return next((span for span in self._spans if span[0] <= time <= span[1]), (time, time))

    def holes(self, start: int, end: int) -> list[Span]:
        """Between these times: from the last record before each hole to the first one after it."""
        inside = [span for span in self._spans if span[1] >= start and span[0] <= end]
        return [(before[1], after[0]) for before, after in pairwise(inside)]

    def _spans_of(self, data: bytes, first: tuple[int, int], last: tuple[int, int]) -> Iterator[Span]:
        """What is between two records, each (place, time), without the holes."""
        pieces = [(first, last)]
        for _ in range(_LOOKS):
            if not pieces:
                return
            (place, time), (end, until) = pieces.pop()
            if abs(until - time) <= QUIET:
                yield time, until
                continue
            middle = self._after(data, data.find(b"\n", (place + end) // 2) + 1, end)
            if middle is None and (begin := data.find(b"\n", place) + 1):
                middle = self._after(data, begin, end)
            if middle is None or middle[0] <= place:
                yield time, time
                yield until, until
            else:
                pieces += [((place, time), middle), (middle, (end, until))]

    def _after(self, data: bytes, place: int, end: int) -> tuple[int, int] | None:
        """The next record that begins at a place or after it, and before the end: (place, time)."""
        for _ in range(_LINES):
            if not 0 <= place < end:
                return None
            stop = data.find(b"\n", place)
            stop = stop if stop >= 0 else len(data)
            time = time_of(data[place:stop], self._context)
            if time is not None:
                return place, time
            place = stop + 1
        return None

    def _before(self, data: bytes, end: int) -> tuple[int, int] | None:
        """The last record before the end."""
        for _ in range(_LINES):
            place = data.rfind(b"\n", 0, max(end - 1, 0)) + 1
            time = time_of(data[place:end].rstrip(b"\n"), self._context)
            if time is not None:
                return place, time
            if place == 0:
                return None
            end = place
        return None
