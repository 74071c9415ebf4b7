"""The metrics of `ship`: what was sent, what not, and what waits."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from logparse.out.collector import QueueJobCollector
from logparse.out.families import table
from logparse.out.family import PREFIX, Family
from logparse.out.outbox import Outbox
from logparse.out.refusal import REASONS

FAMILIES = (
    Family("logparse_ship_sent_total", "counter", (), "Events that Loki has taken."),
    Family(
        "logparse_ship_dropped_total",
        "counter",
        ("reason",),
        "Events that were given up: Loki refuses them for good (docs/pipelines.md has the reasons).",
    ),
    Family(
        "logparse_ship_retries_total",
        "counter",
        ("status",),
        "Pushes that are to be made again, by the HTTP status of the answer; 0 where there was none.",
    ),
    Family("logparse_ship_waiting_events", "gauge", (), "Events that are not known to be in Loki yet."),
    Family(
        "logparse_ship_oldest_waiting_timestamp_seconds",
        "gauge",
        (),
        "Time of the first event that waits (Unix time of the log's clock); none where none waits.",
    ),
    Family(
        "logparse_ship_up", "gauge", (), "1 where the last push was answered as it should be, 0 where not."
    ),
)


class ShipCollector(Collector):
    """The families of FAMILIES, and those of logparse itself that `inner` has.

    lock: held while the numbers are read.
    """

    def __init__(
        self,
        outbox: Outbox,
        inner: QueueJobCollector,
        lock: AbstractContextManager[object] | None = None,
    ) -> None:
        self.up = True
        self._outbox = outbox
        self._inner = inner
        self._lock = threading.Lock() if lock is None else lock

    def describe(self) -> Iterable[Metric]:
        """The families without values."""
        ours = [metric for metric in self._inner.describe() if not metric.name.startswith(PREFIX)]
        return [*ours, *map(_metric, FAMILIES)]

    def collect(self) -> Iterator[Metric]:
        """Every family, with its values."""
        for metric in self._inner.collect():
            if not metric.name.startswith(PREFIX):
                yield metric
        with self._lock:
            values = list(self._values())
        for family, samples in zip(FAMILIES, values, strict=True):
            metric = _metric(family)
            metric.samples = [
                Sample(family.name, dict(zip(family.labels, labels, strict=True)), value)
                for labels, value in samples
            ]
            yield metric

    def _values(self) -> Iterator[list[tuple[tuple[str, ...], float]]]:
        outbox = self._outbox
        yield [((), outbox.sent)]
        yield [((reason,), outbox.dropped[reason]) for reason in REASONS]
        yield [((status,), count) for status, count in sorted(outbox.retries.items())]
        yield [((), len(outbox))]
        oldest = outbox.oldest
        yield [] if oldest is None else [((), oldest / 1e9)]
        yield [((), float(self.up))]


def ship_table() -> str:
    """The families as a Markdown table, for docs/metrics.md."""
    return table(FAMILIES)


def _metric(family: Family) -> Metric:
    name = family.name.removesuffix("_total") if family.kind == "counter" else family.name
    return Metric(name, family.help, family.kind, family.unit)
