"""Writes families in the text formats that Prometheus scrapes, as prometheus_client would, ten times as fast.

A scrape of many databases and channels is tens of thousands of lines, of which most are buckets that differ
in one number. What is written is the same, byte for byte: text format 0.0.4, or OpenMetrics 1.0.0.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Protocol, runtime_checkable

from prometheus_client.utils import floatToGoString

from logparse.out.family import Family, exposed

Row = tuple[tuple[str, ...], float]
"""The label values, in the order of the family's labels, and the number."""

Buckets = tuple[tuple[str, ...], Sequence[int], float]
"""The label values, the count of each bucket (not cumulated), the sum."""

END = "# EOF\n"
"""The last line of OpenMetrics."""


@runtime_checkable
class Written(Protocol):
    """A collector that writes its families itself."""

    def text(self, *, openmetrics: bool) -> str:
        """All of its families, without the last line."""


# From here on numbers are written with an exponent, as Go writes them.
_LARGE = 1_000_000


def heading(family: Family, *, openmetrics: bool) -> str:
    """The lines HELP, TYPE and, in OpenMetrics, UNIT."""
    kind, name = family.kind, exposed(family)
    text = family.help.replace("\\", "\\\\").replace("\n", "\\n")
    if not openmetrics:
        return f"# HELP {name} {text}\n# TYPE {name} {'gauge' if kind == 'info' else kind}\n"
    text = text.replace('"', '\\"')
    name = family.name.removesuffix("_total") if kind == "counter" else family.name
    unit = f"# UNIT {name} {family.unit}\n" if family.unit else ""
    return f"# HELP {name} {text}\n# TYPE {name} {kind}\n{unit}"


def samples(family: Family, rows: Iterable[Row]) -> str:
    """A line for each row."""
    name = exposed(family)
    if not family.labels:
        return "".join([f"{name} {_number(value)}\n" for _, value in rows])
    order = sorted(range(len(family.labels)), key=family.labels.__getitem__)
    form = name + "{" + ",".join([family.labels[one] + '="%s"' for one in order]) + "} %s\n"
    return "".join(
        [form % (*[escaped(labels[one]) for one in order], _number(value)) for labels, value in rows]
    )


def buckets(family: Family, bounds: Sequence[float], rows: Iterable[Buckets]) -> str:
    """The lines of each row's histogram: _bucket, _count and _sum."""
    name = family.name
    les = [f'le="{bound!r}"' for bound in bounds] + ['le="+Inf"']
    order = sorted(range(len(family.labels)), key=family.labels.__getitem__)
    lines: list[str] = []
    for labels, counts, total in rows:
        before = after = own = ""
        for one in order:
            label = f'{family.labels[one]}="{escaped(labels[one])}"'
            own += f",{label}" if own else label
            if family.labels[one] < "le":
                before += f"{label},"
            else:
                after += f",{label}"
        left, right = f"{name}_bucket{{{before}", f"{after}}} "
        sums = list(accumulate(counts))
        if sums[-1] < _LARGE:
            lines += [f"{left}{le}{right}{count}.0\n" for le, count in zip(les, sums, strict=True)]
        else:
            lines += [f"{left}{le}{right}{_number(count)}\n" for le, count in zip(les, sums, strict=True)]
        lines.append(f"{name}_count{{{own}}} {_number(sums[-1])}\n{name}_sum{{{own}}} {_number(total)}\n")
    return "".join(lines)


def _number(value: float) -> str:
    if type(value) is int and -_LARGE < value < _LARGE:
        return f"{value}.0"
    return str(floatToGoString(value))  # type: ignore[no-untyped-call]


def escaped(text: str) -> str:
    """As the value of a label."""
    if '"' in text or "\\" in text or "\n" in text:
        return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return text
