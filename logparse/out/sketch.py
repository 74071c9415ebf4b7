"""Percentiles of very many numbers in little memory: a histogram whose bounds grow by a constant factor."""

import math
from collections.abc import Sequence

import msgspec

from logparse.out.numbers import ABSURD

ERROR = 0.01
"""The relative error of a quantile: it is within 1 % of the number that stands at its rank."""

_GAMMA = (1 + ERROR) / (1 - ERROR)
_LOG = math.log(_GAMMA)
_ceil, _ln = math.ceil, math.log
# Below half a millisecond, the log's own unit, a number is counted as 0.
_LEAST = 0.0005


def edge(bucket: int) -> float:
    """The largest number that is counted in a bucket."""
    return math.exp(bucket * _LOG)


class Sketch(msgspec.Struct):
    """Numbers >= 0, such as seconds; at most 1,766 buckets, whatever is added.

    count, least, most: exact (least and most are None while it is empty). sum: as floats add up.
    zeros: numbers below 0.0005. buckets: i -> how many are in (g^(i-1), g^i], g = 1.01 / 0.99, so that
    2 g^i / (g + 1) is within 1 % of each of them (Masson, Rim and Lee, DDSketch, VLDB 2019).
    """

    count: int = 0
    sum: float = 0.0
    least: float | None = None
    most: float | None = None
    zeros: int = 0
    buckets: dict[int, int] = msgspec.field(default_factory=dict)

    def add(self, value: float) -> None:
        """Count a number. One below 0 counts as 0; what is no number, or above 10^12, is left out."""
        if not value <= ABSURD:
            return
        if value < 0:
            value = 0.0
        self.count += 1
        self.sum += value
        if self.least is None or value < self.least:
            self.least = value
        if self.most is None or value > self.most:
            self.most = value
        if value < _LEAST:
            self.zeros += 1
        else:
            bucket = _ceil(_ln(value) / _LOG)
            self.buckets[bucket] = self.buckets.get(bucket, 0) + 1

    def add_all(self, values: Sequence[float]) -> None:
        """Count what is `countable`: the same as if it were added one by one, in this order."""
        if not values:
            return
        self.count += len(values)
        total = self.sum
        for value in values:
            total += value
        self.sum = total
        least, most = min(values), max(values)
        if self.least is None or least < self.least:
            self.least = least
        if self.most is None or most > self.most:
            self.most = most
        if least < _LEAST:
            self.zeros += sum(value < _LEAST for value in values)
            values = [value for value in values if value >= _LEAST]
        buckets = self.buckets
        for value in values:
            bucket = _ceil(_ln(value) / _LOG)
            buckets[bucket] = buckets.get(bucket, 0) + 1

    def merge(self, other: "Sketch") -> None:
        """Add all that the other one counted: the same as if it had been added here."""
        if other.least is None or other.most is None:
            return
        self.count += other.count
        self.sum += other.sum
        self.zeros += other.zeros
        self.least = other.least if self.least is None else min(self.least, other.least)
        self.most = other.most if self.most is None else max(self.most, other.most)
        for bucket, count in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count

    def quantile(self, share: float) -> float | None:
        """The number below or at which a share (0 to 1) of all numbers is; None while it is empty.

        Within 1 % of the number at the rank ceil(share * count), or within 0.0005 of it; 0 and 1 give the
        least and the most, exactly.
        """
        if self.least is None or self.most is None:
            return None
        rank = math.ceil(share * self.count)
        if rank <= 1:
            return self.least
        if rank >= self.count:
            return self.most
        passed = self.zeros
        if passed >= rank:
            return max(self.least, 0.0)
        for bucket in sorted(self.buckets):
            passed += self.buckets[bucket]
            if passed >= rank:
                middle = 2 * math.exp(bucket * _LOG) / (_GAMMA + 1)
                return min(max(middle, self.least), self.most)
        return self.most
