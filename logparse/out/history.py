"""The metrics of a log at all its times, as OpenMetrics: as if Prometheus had scraped it all along."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from math import isnan
from operator import itemgetter

from logparse import __version__
from logparse.lifecycle.event import Output
from logparse.out.counts import Counts
from logparse.out.coverage import Coverage
from logparse.out.dated import DATED, Dated, Item
from logparse.out.families import FAMILIES
from logparse.out.family import PREFIX, Family
from logparse.out.gauges import Build
from logparse.out.live import LiveGauges, ReadOnce
from logparse.out.openmetrics import OpenMetricsText
from logparse.out.rows import ROWS, Moment, moment
from logparse.out.sampling import Span, sampled
from logparse.out.selection import Selection
from logparse.out.sink import NEVER, Sink, Source
from logparse.out.spool import Spool
from logparse.out.whole import WholeFile
from logparse.pipe import Pipe
from logparse.record.wrappers.wrapper import Context

# What is no count of events: it is told as a follower would have shown it at the time.
_SEEN = tuple(family for family in FAMILIES if family not in DATED)
_GONE = (float("nan"),)

Row = tuple[int, Sequence[float]]  # the step, and the numbers


class History(Sink):
    """Writes what every metric was at every step of the log's time (docs/history.md).

    step_ms: between two samples of what changes. context: of the log's times. labels: that every sample
    has beside its own, such as `job`.

    samples: how many were written. span: of which time; None: the log has none.

    An event is counted when it happened, though the log may prove it later. What is open is told as it was
    known at the time. Raises OSError.
    """

    def __init__(
        self, path: str, step_ms: int, context: Context, labels: Mapping[str, str] | None = None
    ) -> None:
        self.writes: str = path
        self.due = 0
        self.samples = 0
        self.span: Span | None = None
        self.tap = self._coverage = Coverage(context)
        self._step_ms = step_ms
        self._labels = dict(labels or {})
        self._counts = Counts()
        self._dated = Dated(step_ms)
        self._items: dict[Item, int] = {}
        self._values: dict[Item, float] = {}
        self._begin: int | None = None
        self._last = 0
        self._spool = Spool(path)
        self._target: WholeFile | None = None

    def open(self, source: Source) -> None:
        pipe = source.pipe
        self._lifecycle = pipe.lifecycle
        self._selection = source.selection
        self._gauges = _Selected(pipe, source.selection)
        self._readers = ReadOnce(pipe, source.files)
        self._build = Build(__version__, pipe.patterns.version, pipe.patterns.digest)
        self.due = source.selection.start_ms or 0
        self._target = WholeFile(self.writes)

    def add(self, outputs: Sequence[Output]) -> None:
        counts, dated = self._counts, self._dated
        counts.add_all(outputs)
        for output in outputs:
            dated.add(output, counts)
        if dated.full:
            self._keep()

    def look(self, time: int) -> None:
        step_ms, end = self._step_ms, self._selection.end_ms
        if end is not None and time >= end:
            if self._begin is not None or self._began_before():
                self._see(self._first_step(time))
                self._last = end
            self.due = NEVER
            return
        self._see(self._first_step(time))
        self._last = time
        self._coverage.add(time, time)
        self.due = (time // step_ms + 1) * step_ms

    def settle(self) -> None:
        if self._begin is not None and self.due != NEVER:
            self._see(self.due // self._step_ms)

    def finish(self) -> None:
        assert self._target is not None  # noqa: S101
        self._keep()
        text = OpenMetricsText(self._target.file, self._labels)
        if self._begin is not None:
            self.span = self._span(self._begin)
            if self.due != NEVER:  # else the log goes on after what is selected
                self._see(self.span.last)
            self._write(text, self.span)
        text.end()
        self._target.commit()
        self._spool.close()
        self.samples = text.samples

    def discard(self) -> None:
        if self._target is not None:
            self._target.discard()
        self._spool.close()

    # The time that it tells of

    def _began_before(self) -> bool:
        """Whether the log had begun before the time from which on it is told of."""
        return self._selection.start_ms is not None and self._lifecycle.now > 0

    def _first_step(self, time: int) -> int:
        """The step of which the numbers are seen now; sets the beginning, where this is it."""
        if self._begin is not None:
            return self.due // self._step_ms
        self._begin = self.due if self._began_before() else time
        return self._begin // self._step_ms

    def _span(self, begin: int) -> Span:
        """All that the log covers around what was seen, as far as it is selected."""
        step_ms, selection, coverage = self._step_ms, self._selection, self._coverage
        first, last = coverage.around(begin)[0], coverage.around(self._last)[1]
        if selection.start_ms is not None:
            first = max(first, min(selection.start_ms, begin))
        if selection.end_ms is not None:
            last = min(last, selection.end_ms - 1)
        holes = [(left // step_ms + 1, right // step_ms) for left, right in coverage.holes(first, last)]
        return Span(first // step_ms, last // step_ms + 1, step_ms, holes)

    # The numbers

    def _keep(self) -> None:
        for step, item, numbers in self._dated.take():
            self._spool.add(self._number(item), step, numbers)

    def _see(self, step: int) -> None:
        """Keep what has changed of all that is seen."""
        now = self._moment()
        values = {(family.name, labels): value for family in _SEEN for labels, value in _rows(family, now)}
        before, self._values = self._values, values
        for item, value in values.items():
            if before.get(item) != value:
                self._spool.add(self._number(item), step, (value,))
        for item in before.keys() - values.keys():
            self._spool.add(self._number(item), step, _GONE)

    def _moment(self) -> Moment:
        return moment(self._counts, self._gauges, self._readers, self._build)

    def _number(self, item: Item) -> int:
        return self._items.setdefault(item, len(self._items))

    def _write(self, text: OpenMetricsText, span: Span) -> None:
        now = self._moment()
        for family in DATED:
            for labels, _ in _rows(family, now):  # also what stays 0
                self._number((family.name, labels))
        by_family: dict[str, list[Item]] = {}
        for item in sorted(self._items):
            by_family.setdefault(item[0], []).append(item)
        self._spool.sort()
        for family in FAMILIES:
            items = by_family.get(family.name, ())
            bounds = now.state.bounds.get(family.name.removeprefix(PREFIX), ())
            if items:
                text.family(family)
            for item in items:
                changes = self._changes(family, item, span, width=len(bounds) + 2 if bounds else 1)
                samples = sampled(changes, span, evenly=family.kind in ("counter", "histogram"))
                timed = ((step * span.step_ms, _GONE if row is None else row) for step, row in samples)
                text.metric(family, item[1], timed, bounds)

    def _changes(
        self, family: Family, item: Item, span: Span, width: int
    ) -> Iterator[tuple[int, Sequence[float] | None]]:
        rows = self._spool.of(self._items[item])
        if family.kind not in ("counter", "histogram"):
            return _seen((span.clamped(step), row) for step, row in rows)
        # What began before the log is counted at its beginning; before, all counters are 0.
        later = ((span.clamped(max(step, span.first + 1)), row) for step, row in rows)
        zeros = (0.0,) * width
        return _added(later, span.first, zeros) if family in DATED else _from(span.first, zeros, _seen(later))


def _rows(family: Family, now: Moment) -> Iterable[tuple[tuple[str, ...], float]]:
    return ROWS[family.name](now) if family.name in ROWS else ()


def _added(rows: Iterable[Row], first: int, zeros: Sequence[float]) -> Iterator[Row]:
    """What was counted until each step, of what was counted at each: from zeros on."""
    totals = zeros
    yield first, totals
    for step, group in groupby(rows, key=itemgetter(0)):
        for _, row in group:
            totals = tuple(total + number for total, number in zip(totals, row, strict=True))
        yield step, tuple(round(total, 6) for total in totals)  # of seconds no further digit is known


def _seen(rows: Iterable[Row]) -> Iterator[tuple[int, Sequence[float] | None]]:
    """What was seen last at each step; None where it was gone."""
    for step, group in groupby(rows, key=itemgetter(0)):
        *_, (_, row) = group
        yield step, None if isnan(row[0]) else row


def _from(
    first: int, zeros: Sequence[float], rows: Iterator[tuple[int, Sequence[float] | None]]
) -> Iterator[tuple[int, Sequence[float] | None]]:
    yield first, zeros
    yield from rows


class _Selected(LiveGauges):
    """What is open now in the databases that are selected."""

    def __init__(self, pipe: Pipe, selection: Selection) -> None:
        super().__init__(pipe.lifecycle, [pipe])
        self._dbs = selection.dbs

    def open_jobs(self) -> Iterator[tuple[str | None, str | None, str, int, int]]:
        return (row for row in super().open_jobs() if not self._dbs or row[0] in self._dbs)

    def visible(self) -> Iterator[tuple[str | None, bool]]:
        return (row for row in super().visible() if not self._dbs or row[0] in self._dbs)

    def most_attempts(self) -> Iterator[tuple[str | None, str | None, int]]:
        return (row for row in super().most_attempts() if not self._dbs or row[0] in self._dbs)
