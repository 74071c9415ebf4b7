"""Counts and times by what the user asks for: database, channel, exception, job, hour and so on."""

from collections.abc import Sequence

import msgspec

from logparse.lifecycle.event import JOB_EVENTS, Ended, Event, Output
from logparse.out.dimensions import DIMENSIONS, ENDINGS
from logparse.out.labels import OTHER
from logparse.out.sink import Sink
from logparse.out.sketch import Sketch
from logparse.out.table import Column, Table, Value
from logparse.out.units import NO_CLASS
from logparse.out.visible import Visibility

MOST = 20_000
"""Groups; where there would be more, the half of them in which least happened becomes one."""

_WORDS = {word: index for index, word in enumerate(JOB_EVENTS)}
_STARTED = _WORDS["started"]
_DISPATCHED = _WORDS["dispatched"]


class Group(msgspec.Struct):
    """counts: by JOB_EVENTS. runs: attempts that ended. duration, delay: seconds."""

    counts: list[int] = msgspec.field(default_factory=lambda: [0] * len(JOB_EVENTS))
    runs: int = 0
    duration: Sketch = msgspec.field(default_factory=Sketch)
    delay: Sketch = msgspec.field(default_factory=Sketch)

    def count(self, word: str) -> int:
        """How often it happened."""
        return self.counts[_WORDS[word]]

    @property
    def weight(self) -> int:
        """How much happened."""
        return self.runs + sum(self.counts)

    def merge(self, other: "Group") -> None:
        """Add what the other one counted."""
        self.counts = [one + more for one, more in zip(self.counts, other.counts, strict=True)]
        self.runs += other.runs
        self.duration.merge(other.duration)
        self.delay.merge(other.delay)


Key = tuple[str | None, ...]
# An event that has none of these is not of the group's kind, but for those whose own is not known.
_NEEDED = {
    "exception": frozenset({"failed"}),
    "reason": frozenset({"requeued", "lost"}),
    "worker": frozenset({"started", *ENDINGS, "requeued", "lost"}),
    "job": frozenset[str](),
}
# What no worker writes, so that a worker's row cannot tell that it was none of its attempts.
_OF_NO_WORKER = frozenset({"requeued", "lost"})
_UNKNOWN = {"exception": NO_CLASS}


class Groups(Sink):
    """Adds up by the dimensions that are named; at most 20,000 groups at once.

    Where a dimension is only told of by events of jobs (`job`, `exception`, …), attempts are the ends that
    such events tell. Events that can have no exception, reason or worker are left out where it is asked for;
    those that have one which the log does not tell are a group of their own, under None.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.groups: dict[Key, Group] = {}
        self.together = 0
        self._dimensions = [DIMENSIONS[name] for name in names]
        self._of = [dimension.of for dimension in self._dimensions]
        self._by_event = any(dimension.by_event for dimension in self._dimensions)
        self._needed = [(index, _NEEDED[name]) for index, name in enumerate(names) if name in _NEEDED]

    def add(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            if isinstance(output, Event):
                index = _WORDS.get(output.event)
                if index is None:
                    continue
                key = tuple([of(output) for of in self._of])
                if self._needed and any(
                    key[place] is None and output.event not in words for place, words in self._needed
                ):
                    continue
                group = self.groups.get(key) or self._enter(key)
                group.counts[index] += 1
                if index == _STARTED and output.wait is not None:
                    group.delay.add(output.wait)
                elif self._by_event and output.event in ENDINGS:
                    group.runs += 1
                    if output.duration is not None:
                        group.duration.add(output.duration)
            elif isinstance(output, Ended) and not self._by_event:
                key = tuple([of(output) for of in self._of])
                group = self.groups.get(key) or self._enter(key)
                group.runs += 1
                if output.duration is not None:
                    group.duration.add(output.duration)

    def _enter(self, key: Key) -> Group:
        if len(self.groups) >= MOST:
            ranked = sorted(self.groups.items(), key=lambda item: item[1].weight)
            rest = tuple(OTHER for _ in self.names)
            other = self.groups.get(rest) or Group()
            for small, group in ranked[: MOST // 2]:
                if small != rest:
                    other.merge(group)
                    del self.groups[small]
                    self.together += 1
            self.groups[rest] = other
        group = self.groups[key] = Group()
        return group

    def table(self, sees: Visibility, most: int | None = None) -> Table:
        """A row for each group: in the order of time, else the busiest first. most: rows."""
        items = list(self.groups.items())
        if self._dimensions[0].timed:
            items.sort(key=lambda item: [text or "" for text in item[0]])
        else:
            items.sort(key=lambda item: (-item[1].runs, -item[1].weight, [text or "" for text in item[0]]))
        shares = "exception" not in self.names
        worker = self.names.index("worker") if "worker" in self.names else None
        rows = []
        for key, group in items[:most]:
            unseen = _OF_NO_WORKER if worker is not None and key[worker] is not None else frozenset[str]()
            rows.append([*key, *_values(group, sees, unseen, shares=shares)])
        columns = [*(Column(name, unknown=_UNKNOWN.get(name, "–")) for name in self.names), *COLUMNS]
        return Table(columns, rows, len(items) - len(rows))


COLUMNS = (
    Column("attempts", "count"),
    Column("done", "count"),
    Column("failed", "count"),
    Column("failed_share", "share"),
    Column("retried", "count"),
    Column("requeued", "count"),
    Column("lost", "count"),
    Column("run_p50", "seconds"),
    Column("run_p95", "seconds"),
    Column("run_max", "seconds"),
    Column("delay_p95", "seconds"),
)
"""What is told of each group."""


def _values(group: Group, sees: Visibility, unseen: frozenset[str], *, shares: bool) -> list[Value]:
    """Of COLUMNS; None for what the log cannot show. unseen: what it cannot show of this group."""

    def count(word: str) -> int | None:
        found = group.count(word)
        return found if found or (word not in unseen and sees.shows(word)) else None

    done, failed = count("done"), count("failed")
    known = shares and done is not None and failed is not None and done + failed > 0
    return [
        group.runs if group.runs or sees.shows("done") else None,
        done,
        failed,
        (failed or 0) / ((done or 0) + (failed or 0)) if known else None,
        count("retried"),
        count("requeued"),
        count("lost"),
        rounded(group.duration.quantile(0.5)),
        rounded(group.duration.quantile(0.95)),
        rounded(group.duration.most),
        rounded(group.delay.quantile(0.95)),
    ]


def rounded(seconds: float | None) -> float | None:
    """To milliseconds, as the log has them."""
    return None if seconds is None else round(seconds, 3)
