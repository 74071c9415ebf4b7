"""Exposes what was counted, and what is open now, as Prometheus metrics."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from logparse.out.counts import Counts
from logparse.out.exposition import Buckets, buckets, heading, samples
from logparse.out.families import FAMILIES, PREFIX, Family, exposed
from logparse.out.gauges import Build, FileStats, Gauges, NoGauges, NoReaders, PipeStats, ReaderStats
from logparse.out.rows import ROWS, Moment, moment

__all__ = ["Build", "FileStats", "Gauges", "PipeStats", "QueueJobCollector", "ReaderStats"]


class QueueJobCollector(Collector):
    """All families of docs/metrics.md, for a `prometheus_client` registry.

    lock: held while the numbers are copied. Whoever calls `counts.add` in another thread, or changes
    what `gauges` and `readers` look at, holds it meanwhile; without another thread none is needed.
    """

    def __init__(
        self,
        counts: Counts,
        gauges: Gauges | None = None,
        readers: ReaderStats | None = None,
        *,
        build: Build | None = None,
        lock: AbstractContextManager[object] | None = None,
    ) -> None:
        self._counts = counts
        self._gauges: Gauges = NoGauges() if gauges is None else gauges
        self._readers: ReaderStats = NoReaders() if readers is None else readers
        self._build = build
        self._lock = threading.Lock() if lock is None else lock

    def describe(self) -> Iterable[Metric]:
        """The families without values, so that a registry knows their names."""
        return [_metric(family) for family in FAMILIES]

    def collect(self) -> Iterator[Metric]:
        """Every family, also those without a value yet, in the order of docs/metrics.md."""
        now = self._moment()
        for family in FAMILIES:
            metric = _metric(family)
            if family.kind == "histogram":
                metric.samples = list(_buckets(now, metric.name))
            else:
                name = exposed(family)
                metric.samples = [
                    Sample(name, dict(zip(family.labels, labels, strict=True)), value)
                    for labels, value in ROWS[family.name](now)
                ]
            yield metric

    def text(self, *, openmetrics: bool) -> str:
        """The same families as text (logparse.out.exposition)."""
        now = self._moment()
        parts = []
        for family in FAMILIES:
            parts.append(heading(family, openmetrics=openmetrics))
            if family.kind == "histogram":
                short = family.name.removeprefix(PREFIX)
                parts.append(buckets(family, now.state.bounds[short], _histograms(now, short)))
            else:
                parts.append(samples(family, ROWS[family.name](now)))
        return "".join(parts)

    def _moment(self) -> Moment:
        with self._lock:
            return moment(self._counts, self._gauges, self._readers, self._build)


def _metric(family: Family) -> Metric:
    name = family.name.removesuffix("_total") if family.kind == "counter" else family.name
    return Metric(name, family.help, family.kind, family.unit)


def _histograms(now: Moment, short: str) -> Iterator[Buckets]:
    for series in now.state.series:
        histogram = series.histograms.get(short)
        if histogram is not None:
            yield (series.db, series.channel), histogram.counts, histogram.sum


def _buckets(now: Moment, name: str) -> Iterator[Sample]:
    short = name.removeprefix(PREFIX)
    bounds = [repr(bound) for bound in now.state.bounds[short]] + ["+Inf"]
    for (db, channel), counts, seconds in _histograms(now, short):
        labels = {"db": db, "channel": channel}
        total = 0
        for bound, count in zip(bounds, counts, strict=True):
            total += count
            yield Sample(name + "_bucket", {**labels, "le": bound}, total)
        yield Sample(name + "_count", labels, total)
        yield Sample(name + "_sum", labels, seconds)
