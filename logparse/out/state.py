"""What is counted, as plain data: to be saved, to go on from, and to be read at a scrape."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import msgspec

from logparse.out.request_state import RequestState

LIMITED = ("db", "channel", "server", "exception", "reason")
"""The labels whose values the log chooses, and that are limited in number."""

_FEW = 8


class Histogram(msgspec.Struct):
    """counts: per bucket, not cumulated; the last one is above the last bound."""

    counts: list[int]
    sum: float = 0.0

    def add_all(self, values: Sequence[float], bounds: Sequence[float]) -> None:
        """Count what is `countable`, each value under the first bound that is not lower."""
        total = self.sum
        for value in values:
            total += value
        self.sum = total
        counts = self.counts
        if len(values) < _FEW:
            for value in values:
                counts[bisect_left(bounds, value)] += 1
            return
        # Once they are in order, only the bounds between the least and the most are looked for.
        ordered = sorted(values)
        place, below = bisect_left(bounds, ordered[0]), 0
        for bound in bounds[place : bisect_left(bounds, ordered[-1], place)]:
            upto = bisect_right(ordered, bound, below)
            counts[place] += upto - below
            place, below = place + 1, upto
        counts[place] += len(ordered) - below


class Series(msgspec.Struct):
    """The counters of the jobs of one (db, channel); both are label values, empty where unknown."""

    db: str
    channel: str
    events: dict[str, int] = {}
    requeued: dict[str, int] = {}
    unanswered: dict[str, int] = {}
    runs: int = 0
    histograms: dict[str, Histogram] = {}


class Channel(msgspec.Struct):
    """The last numbers that a runner printed of a channel. capacity: None without a limit."""

    db: str
    channel: str
    server: str
    capacity: int | None
    pending: int
    running: int
    failed: int


class Server(msgspec.Struct):
    """Of one server and its runner.

    up: None until a line of the runner was seen. up_since, activity: milliseconds since the epoch, or
    0: the newest line that showed the runner up, and its newest line of any kind.
    """

    up: int | None = None
    up_since: int = 0
    starts: int = 0
    errors: int = 0
    activity: int = 0
    kills: dict[str, int] = {}


class State(msgspec.Struct):
    """Everything counted, to be saved and to be read at a scrape. Only types that JSON and msgpack hold.

    bounds: of every histogram, by family name. exceptions: by db, then class. shown: the words of
    events (and reasons of requeued, and `runs`) that this log has proven to be able to show. requests: None
    where they are not counted.
    """

    bounds: dict[str, list[float]]
    series: list[Series] = []
    exceptions: dict[str, dict[str, int]] = {}
    channels: list[Channel] = []
    servers: dict[str, Server] = {}
    inferred: dict[str, int] = {}
    overflow: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys(LIMITED, 0))
    shown: list[str] = []
    requests: RequestState | None = None


def copied(series: Series) -> Series:
    """A series that shares nothing with the given one."""
    return Series(
        series.db,
        series.channel,
        dict(series.events),
        dict(series.requeued),
        dict(series.unanswered),
        series.runs,
        {name: Histogram(list(one.counts), one.sum) for name, one in series.histograms.items()},
    )


def moved(counts: Sequence[int], old: Sequence[float], new: Sequence[float]) -> list[int]:
    """The counts of a histogram's buckets under other bounds: each under the next that is not lower."""
    found = [0] * (len(new) + 1)
    for count, bound in zip(counts, [*old, float("inf")], strict=True):
        found[bisect_left(new, bound)] += count
    return found
