"""Counts what happened by the step of time in which it happened, whenever the log proves it."""

from collections.abc import Iterator, Sequence

import msgspec

from logparse.lifecycle.event import Event, Output
from logparse.out.counts import Counts
from logparse.out.families import FAMILIES
from logparse.out.family import PREFIX
from logparse.out.gauges import NoGauges, NoReaders
from logparse.out.rows import ROWS, moment

DATED = tuple(
    family
    for family in FAMILIES
    if family.kind == "histogram"
    or (family.kind == "counter" and family.name.startswith((PREFIX, "logparse_inferred")))
)
"""The families whose numbers are made of events alone: each event has its own time."""

Item = tuple[str, tuple[str, ...]]
"""A metric: its family's name, and the values of its labels."""

_COUNTERS = tuple(family for family in DATED if family.kind == "counter")
_MOST = 4_000
_UNLIMITED = 2**62
_NOTHING_OPEN, _NOTHING_READ = NoGauges(), NoReaders()


class Dated:
    """Add outputs, and take what is counted by step; what was taken is not given again.

    step_ms: of the steps. Outputs of a step k are later than k - 1 steps since the epoch, or just then,
    and before k steps: who looks at k sees them.
    """

    def __init__(self, step_ms: int) -> None:
        self._step_ms = step_ms
        self._outputs: dict[int, list[Output]] = {}
        self._count = 0

    @property
    def full(self) -> bool:
        """So much is held that it should be taken."""
        return self._count >= _MOST

    def add(self, output: Output, counts: Counts) -> None:
        """An output that `counts` has counted: it is counted here under the same labels."""
        step = output.ts // self._step_ms + 1
        self._outputs.setdefault(step, []).append(_labelled(output, counts))
        self._count += 1

    def take(self) -> Iterator[tuple[int, Item, Sequence[float]]]:
        """(step, metric, numbers): one; of a histogram its buckets, not cumulated, and its sum."""
        outputs, self._outputs, self._count = self._outputs, {}, 0
        for step, group in outputs.items():
            counts = Counts(
                max_exceptions=_UNLIMITED,
                max_databases=_UNLIMITED,
                max_channels=_UNLIMITED,
                max_servers=_UNLIMITED,
                max_series=_UNLIMITED,
            )
            counts.add_all(group)
            for item, numbers in _counted(counts):
                yield step, item, numbers


def _counted(counts: Counts) -> Iterator[tuple[Item, Sequence[float]]]:
    now = moment(counts, _NOTHING_OPEN, _NOTHING_READ, None)
    for family in _COUNTERS:
        for labels, value in ROWS[family.name](now):
            if value:
                yield (family.name, labels), (value,)
    for series in now.state.series:
        for name, histogram in series.histograms.items():
            yield (PREFIX + name, (series.db, series.channel)), (*histogram.counts, histogram.sum)


def _labelled(output: Output, counts: Counts) -> Output:
    """The output with label values for names of the log, as far as they count."""
    if not isinstance(output, Event):
        db, channel = counts.labels(output.db, output.channel)
        if db == output.db and channel == output.channel:
            return output
        return msgspec.structs.replace(output, db=db, channel=channel)
    if output.uuid is None:
        reason = output.reason
        if output.event == "worker_killed":
            reason = counts.kill_label(counts.server_label(output.server), reason)
        elif not output.event.startswith("runner_"):
            return output  # counts nothing
        return msgspec.structs.replace(output, server=counts.server_label(output.server), reason=reason)
    db, channel = counts.labels(output.db, output.channel)
    exception = output.exception
    if output.event == "failed":
        exception = counts.exception_label(db, exception)
    elif db == output.db and channel == output.channel:
        return output
    return msgspec.structs.replace(output, db=db, channel=channel, exception=exception)
