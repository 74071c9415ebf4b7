"""Exposes what was counted, and what is open now, as Prometheus metrics."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from logparse.out.counts import Counts
from logparse.out.exposition import Buckets, buckets, heading, samples
from logparse.out.families import FAMILIES
from logparse.out.family import PREFIX, Family, exposed
from logparse.out.gauges import Build, FileStats, Gauges, NoGauges, NoReaders, PipeStats, ReaderStats
from logparse.out.request_families import REQUEST_FAMILIES
from logparse.out.request_rows import REQUEST_HISTOGRAMS, REQUEST_ROWS
from logparse.out.rows import ROWS, Moment, moment

__all__ = ["Build", "FileStats", "Gauges", "PipeStats", "QueueJobCollector", "ReaderStats"]

_ROWS = {**ROWS, **REQUEST_ROWS}


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
        return [_metric(family) for family in self._families()]

    def collect(self) -> Iterator[Metric]:
        """Every family, also those without a value yet, in the order of docs/metrics.md."""
        now = self._moment()
        for family in self._families():
            metric = _metric(family)
            if family.kind == "histogram":
                metric.samples = list(_buckets(now, family))
            else:
                name = exposed(family)
                metric.samples = [
                    Sample(name, dict(zip(family.labels, labels, strict=True)), value)
                    for labels, value in _ROWS[family.name](now)
                ]
            yield metric

    def text(self, *, openmetrics: bool) -> str:
        """The same families as text (logparse.out.exposition)."""
        now = self._moment()
        parts = []
        for family in self._families():
            parts.append(heading(family, openmetrics=openmetrics))
            if family.kind == "histogram":
                parts.append(buckets(family, *_histograms(now, family)))
            else:
                parts.append(samples(family, _ROWS[family.name](now)))
        return "".join(parts)

    def _families(self) -> tuple[Family, ...]:
        return FAMILIES if self._counts.requests is None else (*FAMILIES, *REQUEST_FAMILIES)

    def _moment(self) -> Moment:
        with self._lock:
            return moment(self._counts, self._gauges, self._readers, self._build)


def _metric(family: Family) -> Metric:
    name = family.name.removesuffix("_total") if family.kind == "counter" else family.name
    return Metric(name, family.help, family.kind, family.unit)


def _histograms(now: Moment, family: Family) -> tuple[Sequence[float], Iterator[Buckets]]:
    """The upper bounds of a family, and its series."""
    of_requests = REQUEST_HISTOGRAMS.get(family.name)
    if of_requests is not None:
        return family.bounds, of_requests(now)
    short = family.name.removeprefix(PREFIX)
    return now.state.bounds[short], _of_jobs(now, short)


def _of_jobs(now: Moment, short: str) -> Iterator[Buckets]:
    for series in now.state.series:
        histogram = series.histograms.get(short)
        if histogram is not None:
            yield (series.db, series.channel), histogram.counts, histogram.sum


def _buckets(now: Moment, family: Family) -> Iterator[Sample]:
    name = family.name
    upper, series = _histograms(now, family)
    bounds = [repr(bound) for bound in upper] + ["+Inf"]
    for values, counts, observed in series:
        labels = dict(zip(family.labels, values, strict=True))
        total = 0
        for bound, count in zip(bounds, counts, strict=True):
            total += count
            yield Sample(name + "_bucket", {**labels, "le": bound}, total)
        yield Sample(name + "_count", labels, total)
        yield Sample(name + "_sum", labels, observed)
