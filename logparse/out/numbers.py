"""Which observations, such as durations, count."""

from collections.abc import Iterable

ABSURD = 1e12
"""No observation is larger; a forged number must not drown the sums."""


def countable(values: Iterable[float | None]) -> list[float]:
    """Those of the values that count, in their order: not None, no NaN, not above ABSURD; none is below 0."""
    counted = [value for value in values if value is not None and value <= ABSURD]
    if counted and min(counted) < 0:  # of two processes' lines, out of order by a few milliseconds
        return [0.0 if value < 0 else value for value in counted]
    return counted
