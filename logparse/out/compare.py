"""Before and after: what got slower, what began to fail, and whether that is chance (docs/compare.md)."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

import logparse
from logparse.lifecycle.event import JOB_EVENTS, Event, Output
from logparse.out.groups import Group, Groups, rounded
from logparse.out.selection import Selection
from logparse.out.significance import fisher, holm, ranks, tail
from logparse.out.sink import Sink, Source
from logparse.out.sketch import Sketch
from logparse.out.time import iso
from logparse.out.visibility import visibility
from logparse.out.visible import Visibility
from logparse.source.error import shown

SCHEMA = 1
CERTAIN = 0.05
"""Differences whose corrected chance is below it are told as such."""
RELEVANT = 1.1
"""A difference of times, or of shares, of less than that factor is not worth a word, however certain."""

Verdict = Literal["worse", "better", "new", "gone", "same"]

_MOST_CHANNELS = 50
_MOST_CLASSES = 100
_SHARES = ("failed", "retried", "requeued", "lost")
_WHATS = (
    *("failed", "exception", "lost", "requeued", "retried"),
    *("run_time", "run_time_tail", "dispatch_delay", "dispatch_delay_tail"),
)


class Side(Sink):
    """One of the two sets: adds up what a selection wants of it.

    first, last: ms, of the events of jobs; None without any.
    """

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self.channels = Groups(("database", "channel"))
        self.classes = Groups(("database", "exception"))
        self.first: int | None = None
        self.last: int | None = None

    def open(self, source: Source) -> None:
        self._source = source

    def add(self, outputs: Sequence[Output]) -> None:
        wants = self._selection.wants
        wanted = [output for output in outputs if wants(output)]
        for output in wanted:
            if isinstance(output, Event) and output.uuid is not None:
                ts = output.ts
                self.first = ts if self.first is None or ts < self.first else self.first
                self.last = ts if self.last is None or ts > self.last else self.last
        self.channels.add(wanted)
        self.classes.add(wanted)

    @property
    def sees(self) -> Visibility:
        """What its log can show."""
        every = self.group(None, None)
        told = Counter({word: every.count(word) for word in JOB_EVENTS if every.count(word)})
        return visibility(self._source.pipe, told)

    def group(self, db: str | None, channel: str | None) -> Group:
        """Of a database and a channel; None: of all of them together."""
        found = Group()
        for (its_db, its_channel), group in self.channels.groups.items():
            if db in (None, its_db) and channel in (None, its_channel):
                found.merge(group)
        return found

    def failures(self, db: str | None) -> Counter[str]:
        """By class of exception; db: None: of all of them."""
        found: Counter[str] = Counter()
        for (its_db, name), group in self.classes.groups.items():
            if db in (None, its_db) and name is not None and group.count("failed"):
                found[name] += group.count("failed")
        return found

    def period(self) -> "Period":
        """What it is of."""
        every = self.group(None, None)
        return Period(
            iso(self.first),
            iso(self.last),
            every.runs,
            every.count("done"),
            every.count("failed"),
            [shown(file) for file in self._source.files],
        )


class Part(msgspec.Struct, frozen=True):
    """One side of a difference. count, of: how many of how many. p50, p95: seconds; None of shares."""

    count: int
    of: int
    p50: float | None = None
    p95: float | None = None

    @property
    def share(self) -> float | None:
        """From 0 to 1."""
        return self.count / self.of if self.of else None


class Difference(msgspec.Struct, frozen=True):
    """One thing compared.

    what: `failed`, `retried`, `requeued`, `lost` (shares of attempts), `exception`, `run_time`,
    `run_time_tail`, `dispatch_delay`, `dispatch_delay_tail`. db, channel: None: all of them together.
    ratio: of the shares, or of the medians (tails: of the 95th percentiles). greater: of times, the share of
    pairs in which the later one is greater. above: of tails, seconds that are compared. chance: of such a
    difference where nothing changed, by this test alone; None: too few. corrected: with regard to all tests.
    certain: corrected is below 5 %.
    """

    what: str
    db: str | None
    channel: str | None
    exception: str | None
    before: Part
    after: Part
    ratio: float | None = None
    greater: float | None = None
    above: float | None = None
    chance: float | None = None
    corrected: float | None = None
    certain: bool = False
    verdict: Verdict = "same"


class Period(msgspec.Struct, frozen=True):
    """One side. first, last: UTC, of the events of jobs. files: that were read."""

    first: str | None
    last: str | None
    runs: int
    done: int
    failed: int
    files: list[str]


class Comparison(msgspec.Struct, frozen=True):
    """tests: how many were made, for which the chances are corrected. differences: the worst first."""

    schema: int
    version: str
    before: Period
    after: Period
    tests: int
    differences: list[Difference]


def compared(before: Side, after: Side) -> Comparison:
    """The differences of what both sides were told."""
    found = list(_differences(before, after))
    corrected = holm([one.chance for one in found if one.chance is not None])
    told = iter(corrected)
    differences = [_judged(one, None if one.chance is None else next(told)) for one in found]
    differences.sort(key=_importance)
    return Comparison(
        SCHEMA, logparse.__version__, before.period(), after.period(), len(corrected), differences
    )


Scope = tuple[str | None, str | None]
"""A database and a channel; None: all of them."""


def _dbs(before: Side, after: Side) -> list[str]:
    """The databases that are on both sides."""
    found = [{key[0] for key in side.channels.groups if key[0] is not None} for side in (before, after)]
    return sorted(found[0] & found[1])


def _scopes(before: Side, after: Side) -> list[Scope]:
    """All, each database, each channel, of those on both sides; what is the same is not told twice."""
    dbs = _dbs(before, after)
    scopes: list[Scope] = [(None, None)]
    if len(dbs) > 1:
        scopes += [(db, None) for db in dbs]
    for db in dbs:
        channels = {
            channel
            for its_db, channel in before.channels.groups
            if its_db == db and channel is not None and (db, channel) in after.channels.groups
        }
        runs = {
            channel: sum(side.channels.groups.get((db, channel), Group()).runs for side in (before, after))
            for channel in channels
        }
        most = sorted(channels, key=lambda channel: (-runs[channel], channel))[:_MOST_CHANNELS]
        scopes += [(db, channel) for channel in most]
    return scopes


def _differences(before: Side, after: Side) -> Iterator[Difference]:
    sees = before.sees, after.sees

    def shown(what: str) -> bool:
        return all(one.shows(what) for one in sees)

    for scope in _scopes(before, after):
        first, second = before.group(*scope), after.group(*scope)
        for word in _SHARES:
            counts = first.count(word), second.count(word)
            if any(counts) and shown(word) and shown("done"):
                # Of the outcomes, or of all attempts; more are requeued than ended where workers die.
                of = [
                    _outcomes(one) if word == "failed" else max(one.runs, one.count(word))
                    for one in (first, second)
                ]
                yield _share(word, scope, None, (counts[0], of[0]), (counts[1], of[1]))
        yield from _times("run_time", scope, first.duration, second.duration)
        if shown("dispatch_delay"):
            yield from _times("dispatch_delay", scope, first.delay, second.delay)
    if not (shown("failed") and shown("done")):
        return
    dbs = _dbs(before, after)
    for db in [None, *(dbs if len(dbs) > 1 else [])]:
        yield from _exceptions(before, after, db)


def _exceptions(before: Side, after: Side, db: str | None) -> Iterator[Difference]:
    failures = [side.failures(db) for side in (before, after)]
    weight = failures[0] + failures[1]
    of = [_outcomes(side.group(db, None)) for side in (before, after)]
    for name, _ in weight.most_common(_MOST_CLASSES):
        counts = [(found[name], all_) for found, all_ in zip(failures, of, strict=True)]
        yield _share("exception", (db, None), name, *counts)


def _outcomes(group: Group) -> int:
    return group.count("done") + group.count("failed")


def _share(
    what: str, scope: Scope, exception: str | None, before: tuple[int, int], after: tuple[int, int]
) -> Difference:
    first, second = Part(*before), Part(*after)
    testable = before[1] > 0 and after[1] > 0
    return Difference(
        what,
        *scope,
        exception,
        first,
        second,
        ratio=second.share / first.share if first.share and second.share is not None else None,
        chance=fisher(before, after) if testable else None,
    )


def _times(what: str, scope: Scope, before: Sketch, after: Sketch) -> Iterator[Difference]:
    ranked, slowest = ranks(before, after), tail(before, after)
    if ranked is None or slowest is None:
        return
    first, second = _part(before), _part(after)
    yield Difference(
        what,
        *scope,
        None,
        first,
        second,
        ratio=_ratio(first.p50, second.p50),
        greater=ranked.greater,
        chance=ranked.chance,
    )
    yield Difference(
        f"{what}_tail",
        *scope,
        None,
        msgspec.structs.replace(first, count=slowest.first[0]),
        msgspec.structs.replace(second, count=slowest.second[0]),
        ratio=_ratio(first.p95, second.p95),
        above=rounded(slowest.above),
        chance=fisher(slowest.first, slowest.second),
    )


def _part(sketch: Sketch) -> Part:
    return Part(sketch.count, sketch.count, rounded(sketch.quantile(0.5)), rounded(sketch.quantile(0.95)))


def _ratio(before: float | None, after: float | None) -> float | None:
    return after / before if before and after is not None else None


def _judged(one: Difference, corrected: float | None) -> Difference:
    certain = corrected is not None and corrected < CERTAIN
    verdict: Verdict = "same"
    if one.what == "exception" and not one.before.count:
        verdict = "new"
    elif one.what == "exception" and not one.after.count:
        verdict = "gone"
    elif certain and (one.ratio is None or not 1 / RELEVANT < one.ratio < RELEVANT):
        if one.greater is not None:
            worse = one.greater > 0.5
        else:
            worse = (one.after.share or 0) > (one.before.share or 0)
        verdict = "worse" if worse else "better"
    return msgspec.structs.replace(one, corrected=corrected, certain=certain, verdict=verdict)


_ORDER = {"worse": 0, "new": 0, "better": 1, "gone": 1, "same": 3}


def _importance(one: Difference) -> tuple[object, ...]:
    rank = _ORDER[one.verdict] if one.certain else 2 if one.verdict in ("new", "gone") else 3
    far = one.ratio if one.ratio is not None and one.ratio >= 1 else 1 / one.ratio if one.ratio else 1e9
    return (
        rank,
        one.corrected if one.corrected is not None else 1.0,
        -far,
        _WHATS.index(one.what),
        str(one.db),
    )
