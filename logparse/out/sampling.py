"""At which times a series is sampled, so that what Prometheus computes of it is right."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import TypeVar

import msgspec

T = TypeVar("T")

LOOKBACK_MS = 300_000
"""How far Prometheus looks back for a sample; also the span over which a rate is usually taken."""
SPARSE_MS = 120_000
"""At least so often is sampled: `rate(…[5m])` needs two samples in five minutes."""


class Span(msgspec.Struct, frozen=True):
    """The steps that a history has: from `first` to `last`, but those inside of holes.

    holes: (last step before it, first step after it), in order. sparse: steps between two samples of what
    does not change. dense: steps around a change, in which each is sampled.

    A rate extrapolates from the samples of its window as if they were evenly spaced. So whoever looks at
    a window that has a change in it must find every step.
    """

    first: int
    last: int
    step_ms: int
    holes: Sequence[tuple[int, int]] = ()

    @property
    def sparse(self) -> int:
        return max(1, SPARSE_MS // self.step_ms)

    @property
    def dense(self) -> int:
        return -(-LOOKBACK_MS // self.step_ms) + 1

    def clamped(self, step: int) -> int:
        """The step, or the nearest one of the span."""
        return min(max(step, self.first), self.last)


def sampled(
    changes: Iterable[tuple[int, T | None]], span: Span, *, evenly: bool
) -> Iterator[tuple[int, T | None]]:
    """The samples of what changes so, in order.

    changes: (step, what it is from there on), steps rising and within the span; None: it is not there
    any more, which is told once. evenly: sample every step around a change (counters).
    """
    dense = span.dense if evenly else 1
    past = span.last + 1
    at, value = 0, None
    begun = False
    for step, new in changes:
        if begun and value is not None:
            for between in _between(at, step, span, after=dense if evenly else 0, before=dense):
                yield between, value
        yield step, new
        at, value, begun = step, new, True
    if begun and value is not None:
        for between in _between(at, past, span, after=dense if evenly else 0, before=1):
            yield between, value


def _between(start: int, end: int, span: Span, *, after: int, before: int) -> Iterator[int]:
    """The steps after the start and before the end that are sampled."""
    if end - start <= 1:
        return
    edges = [start]
    for index in range(bisect_right(span.holes, start, key=itemgetter(1)), len(span.holes)):
        before_it, after_it = span.holes[index]
        if before_it >= end:
            break
        left, right = max(start, before_it), min(end, after_it)
        if right - left > 1:
            edges += (left, right)
    edges.append(end)
    if len(edges) == 2:
        yield from _steps(start, end, span.sparse, after, before)
        return
    for index, (left, right) in enumerate(pairwise(edges)):
        if index % 2:  # a hole; its far end is a sample of its own
            if right != end:
                yield right
            continue
        far_side = after if index == 0 else 0
        if index == len(edges) - 2:
            yield from _steps(left, right, span.sparse, far_side, before)
        else:
            yield from _steps(left, right + 1, span.sparse, far_side, 1)


def _steps(start: int, end: int, sparse: int, after: int, before: int) -> Iterator[int]:
    near = min(start + after, end - 1)
    far = max(end - before, near + 1)
    yield from range(start + 1, near + 1)
    yield from range(near + sparse, far, sparse)
    yield from range(far, end)
