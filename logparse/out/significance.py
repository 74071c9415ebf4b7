"""Whether two sets of counts or of durations differ by more than chance (docs/compare.md: why so).

Fisher's exact test for shares; Mann and Whitney's for durations, from sketches; Holm's correction for many.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from logparse.out.sketch import Sketch, edge

FEWEST = 8
"""Durations on either side; with fewer, the normal approximation of the rank test does not hold."""

_NOTHING = 1e-18


def fisher(first: tuple[int, int], second: tuple[int, int]) -> float:
    """The chance that two shares differ as much as these, or more, where both are of one kind; two-sided.

    first, second: (how many it happened to, of how many). The sum of the probabilities of all tables with the
    same margins that are no likelier than this one; terms below 10^-18 of the likeliest are left out.

    Raises ValueError: more than all of them.
    """
    (a, all_a), (b, all_b) = first, second
    if not (0 <= a <= all_a and 0 <= b <= all_b):
        raise ValueError(f"{a} of {all_a} and {b} of {all_b} are no shares")
    happened, everything = a + b, all_a + all_b
    low, high = max(0, happened - all_b), min(happened, all_a)
    if low == high:
        return 1.0
    mode = (happened + 1) * (all_a + 1) // (everything + 2)
    mode = min(max(mode, low), high)
    # log of the probability of this table, relative to that of the likeliest
    own = _log_weight(a, all_a, happened, everything) - _log_weight(mode, all_a, happened, everything)
    limit = own + 1e-7
    total = extreme = 0.0
    for step in (1, -1):
        k, log_weight = (mode, 0.0) if step == 1 else (mode - 1, _down(mode, all_a, happened, everything))
        while low <= k <= high and log_weight > math.log(_NOTHING):
            weight = math.exp(log_weight)
            total += weight
            if log_weight <= limit:
                extreme += weight
            log_weight += (
                -_down(k + 1, all_a, happened, everything)
                if step == 1
                else _down(k, all_a, happened, everything)
            )
            k += step
    return min(1.0, extreme / total)


def _log_weight(k: int, drawn: int, happened: int, everything: int) -> float:
    """Up to a constant, log of the hypergeometric probability of k."""
    return -(
        math.lgamma(k + 1)
        + math.lgamma(happened - k + 1)
        + math.lgamma(drawn - k + 1)
        + math.lgamma(everything - happened - drawn + k + 1)
    )


def _down(k: int, drawn: int, happened: int, everything: int) -> float:
    """log of P(k - 1) / P(k); -inf where there is no such table."""
    above = k * (everything - happened - drawn + k)
    below = (happened - k + 1) * (drawn - k + 1)
    return math.log(above / below) if above > 0 and below > 0 else -math.inf


class Ranks(NamedTuple):
    """greater: share (0 to 1) of the pairs in which the second is; a tie counts half. chance: two-sided."""

    greater: float
    chance: float


def ranks(first: Sketch, second: Sketch) -> Ranks | None:
    """Mann and Whitney's U test of two sets of durations; None where either has fewer than 8.

    Those within 2 % (in one bucket of the sketches) are ties, which the variance is corrected for; with the
    correction for continuity.
    """
    n, m = first.count, second.count
    if n < FEWEST or m < FEWEST:
        return None
    below = 0
    wins = ties = 0.0
    for a, b in _side_by_side(first, second):
        # of the second's b: greater than all of the first's before, and equal to a
        wins += b * below + a * b / 2
        both = a + b
        ties += both**3 - both
        below += a
    total = n + m
    mean = n * m / 2
    variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    if variance <= 0:
        return Ranks(0.5, 1.0)
    distance = max(0.0, abs(wins - mean) - 0.5)
    return Ranks(wins / (n * m), math.erfc(distance / math.sqrt(2 * variance)))


class Tail(NamedTuple):
    """above: seconds. first, second: (how many took longer, of how many)."""

    above: float
    first: tuple[int, int]
    second: tuple[int, int]


def tail(first: Sketch, second: Sketch, share: float = 0.95) -> Tail | None:
    """How many of each took longer than the `share` quantile of both together; None where either has few.

    For Fisher's test (Mood's, of a quantile): what only slows the slowest down moves no median. Where many
    are as long as that quantile, they are put to the side on which the share is met best.
    """
    if first.count < FEWEST or second.count < FEWEST:
        return None
    everything = first.count + second.count
    wanted = everything - math.ceil(share * everything)
    below_first, below_second, above = first.zeros, second.zeros, 0.0
    for bucket in sorted(first.buckets.keys() | second.buckets.keys()):
        a, b = first.buckets.get(bucket, 0), second.buckets.get(bucket, 0)
        left = everything - below_first - below_second
        if left <= wanted or left - wanted <= wanted - (left - a - b):
            break
        below_first, below_second, above = below_first + a, below_second + b, edge(bucket)
    return Tail(above, (first.count - below_first, first.count), (second.count - below_second, second.count))


def _side_by_side(first: Sketch, second: Sketch) -> list[tuple[int, int]]:
    """How many each has of the same size, the smallest first."""
    buckets = sorted(first.buckets.keys() | second.buckets.keys())
    pairs = [(first.zeros, second.zeros)]
    pairs += [(first.buckets.get(bucket, 0), second.buckets.get(bucket, 0)) for bucket in buckets]
    return pairs


def holm(chances: Sequence[float]) -> list[float]:
    """The chances, corrected for there being so many: below 5 %, one of them is wrong in one log of twenty.

    Holm (1979): it holds however the tests depend on each other, as those of a database and its channels do.
    """
    corrected = [1.0] * len(chances)
    least = 0.0
    for rank, index in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        least = max(least, min(1.0, chances[index] * (len(chances) - rank)))
        corrected[index] = least
    return corrected
