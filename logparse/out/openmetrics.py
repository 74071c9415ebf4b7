"""Writes samples with times as OpenMetrics text (https://prometheus.io/docs/specs/om/open_metrics_spec/)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import BinaryIO

from logparse.out.exposition import END, escaped, heading
from logparse.out.family import Family, exposed

_MOST_WAITING = 10_000


class OpenMetricsText:
    """Families one after the other, in each the metrics (a metric: one set of labels), in each the times.

    file: is written to. labels: that every sample has beside its own. samples: how many were written.
    """

    def __init__(self, file: BinaryIO, labels: Mapping[str, str]) -> None:
        self.samples = 0
        self._file = file
        self._labels = labels

    def family(self, family: Family) -> None:
        """What all following samples are of."""
        self._file.write(heading(family, openmetrics=True).encode())

    def metric(
        self,
        family: Family,
        values: Sequence[str],
        samples: Iterable[tuple[int, Sequence[float]]],
        bounds: Sequence[float] = (),
    ) -> None:
        """One metric at all its times.

        values: of the family's labels. samples: (ms since the epoch, numbers), times rising. numbers: one;
        of a histogram as many as there are buckets, not cumulated, and the sum behind them.
        """
        labels = {**self._labels, **dict(zip(family.labels, values, strict=True))}
        if family.kind != "histogram":
            name = exposed(family)
            series = [_series(name, labels)]
        else:
            series = [_series(family.name + "_bucket", {**labels, "le": repr(bound)}) for bound in bounds]
            series.append(_series(family.name + "_bucket", {**labels, "le": "+Inf"}))
            series += [_series(family.name + "_count", labels), _series(family.name + "_sum", labels)]
        waiting: list[str] = []
        for time, numbers in samples:
            shown = numbers if family.kind != "histogram" else _cumulated(numbers)
            at = _seconds(time)
            waiting += [f"{one} {_shown(number)} {at}\n" for one, number in zip(series, shown, strict=True)]
            if len(waiting) > _MOST_WAITING:
                self._write(waiting)
        self._write(waiting)

    def end(self) -> None:
        """Nothing follows."""
        self._file.write(END.encode())

    def _write(self, lines: list[str]) -> None:
        self._file.write("".join(lines).encode())
        self.samples += len(lines)
        lines.clear()


def _cumulated(numbers: Sequence[float]) -> list[float]:
    total = 0.0
    cumulated = [total := total + number for number in numbers[:-1]]
    return [*cumulated, total, numbers[-1]]


def _series(name: str, labels: Mapping[str, str]) -> str:
    inside = ",".join(f'{label}="{escaped(value)}"' for label, value in labels.items())
    return f"{name}{{{inside}}}" if inside else name


def _shown(number: float) -> str:
    if number == number // 1 and abs(number) < 1e15:
        return str(int(number))
    return {"inf": "+Inf", "nan": "NaN"}.get(repr(number), repr(number))


def _seconds(ms: int) -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{seconds}.{rest:03}" if rest else str(seconds)
