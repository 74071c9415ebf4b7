"""What a reader counts of a log, beside what its scanners count; and of a piece of one."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from logparse.record.tally import Tally


class Taken(msgspec.Struct, frozen=True, array_like=True):
    """What a reader counted of a piece: its tally, what was `seen` around the lines, and `foreign` lines."""

    tally: Tally
    seen: dict[tuple[str, ...], int]
    foreign: int


class Counted:
    """lines, bytes: that were read. too_long: lines that were dropped. foreign: lines of no form of the log.

    seen: what was around the lines, by names, with how often a file, or a part of one, began so. first,
    last: times of records, ms since the epoch. others: what other readers counted.
    """

    def __init__(self) -> None:
        self.seen: Counter[tuple[str, ...]] = Counter()
        self.clear()

    def clear(self) -> None:
        """Nothing is counted."""
        self.lines = self.bytes = self.too_long = self.foreign = 0
        self.first: int | None = None
        self.last: int | None = None
        self.others = Tally()
        self.seen.clear()

    def see(self, first: int | None, last: int | None) -> None:
        """Records came that are from `first` to `last`; None: no such time."""
        if self.first is None:
            self.first = first
        if last is not None:
            self.last = last

    def add(self, taken: Taken) -> None:
        """Count what another reader has read, of what follows."""
        tally = taken.tally
        self.lines += tally.lines
        self.bytes += tally.bytes
        self.others.add(tally)
        self.foreign += taken.foreign
        self.seen.update(taken.seen)
        self.see(tally.first, tally.last)

    def tally(self, parts: Iterable[Tally]) -> Tally:
        """All together; parts: of the scanners."""
        tally = Tally(lines=self.lines, bytes=self.bytes, truncated=self.too_long)
        for part in (self.others, *parts):
            tally.add(part)
        tally.first, tally.last = self.first, self.last
        return tally
