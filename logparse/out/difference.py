"""Differences between before and after, in words and as a table."""

from logparse.out.compare import Comparison, Difference, Part, Period
from logparse.out.table import Column, Table
from logparse.out.units import duration, number, period, plural, printable, share

_NAMES = {
    "failed": "failures",
    "retried": "retries",
    "requeued": "requeued",
    "lost": "lost",
    "exception": "exception",
    "run_time": "run time",
    "run_time_tail": "longest run times",
    "dispatch_delay": "dispatch delay",
    "dispatch_delay_tail": "longest dispatch delays",
}

_SHORT = {"run_time_tail": "run time", "dispatch_delay_tail": "dispatch delay"}


def where(one: Difference) -> str:
    """`prod, root.sub`; empty where it is of all."""
    return ", ".join(printable(text) for text in (one.db, one.channel) if text)


def name(one: Difference) -> str:
    """`failures`, or `exception ValueError`."""
    return f"exception {printable(one.exception)}" if one.exception else _NAMES[one.what]


def side(one: Difference, part: Part) -> str:
    """`41 of 1,950, 2.1 %`, or `100 ms` and `p95 2.10 s` of times."""
    if one.what.endswith("_tail"):
        return "" if part.p95 is None else duration(part.p95)
    if part.p50 is not None:
        return duration(part.p50)
    counted = f"{number(part.count)} of {number(part.of)}"
    return f"{counted}, {share(part.share)}" if part.share is not None else counted


def sentence(one: Difference) -> str:
    """What changed, as a sentence without a full stop."""
    at = f"{where(one)}: " if where(one) else ""
    if one.verdict == "new":
        return (
            f"{at}{printable(one.exception or '')} is new: {plural(one.after.count, 'failure')}, none before"
        )
    if one.verdict == "gone":
        return f"{at}{printable(one.exception or '')} is gone: {plural(one.before.count, 'failure')} before"
    if one.what.endswith("_tail"):
        shares = f"{share(one.before.count / one.before.of)}, then {share(one.after.count / one.after.of)}"
        return f"{at}{name(one)}: {shares} took longer than {duration(one.above or 0.0)}"
    text = f"{at}{name(one)}: {side(one, one.before)}; then {side(one, one.after)}"
    if one.greater is not None:
        text += f" (median; longer in {share(one.greater)} of all pairs)"
    return text


def when(one: Period) -> str:
    """`24 Nov 2026, 03:03:30 to 03:04:20 UTC (50 s): 120 attempts, 12 failed`."""
    if one.first is None or one.last is None:
        return "no job"
    return f"{period(one.first, one.last)}: {plural(one.runs, 'attempt')}, {number(one.failed)} failed"


def verdict(one: Difference) -> str:
    """`worse`; `new?` where it may be chance; `–` where nothing is to be said."""
    if one.verdict == "same":
        return "–"
    return one.verdict if one.certain else f"{one.verdict}?"


def table(comparison: Comparison, most: int | None = None) -> Table:
    """For people: a row for each difference that was tested, or that is new or gone. most: rows."""
    columns = [
        *map(Column, ("verdict", "what", "before", "after")),
        Column("ratio", "ratio"),
        Column("chance", "chance"),
    ]
    told = [one for one in comparison.differences if one.chance is not None]
    rows = [
        [
            verdict(one),
            _what(one),
            side(one, one.before),
            side(one, one.after),
            one.ratio,
            one.corrected,
        ]
        for one in told[:most]
    ]
    return Table(columns, rows, len(told) - len(rows))


def _what(one: Difference) -> str:
    text = name(one).removeprefix("exception ")
    if one.exception:
        text = text.rpartition(".")[2]
    measure = " p95" if one.what.endswith("_tail") else " median" if one.greater is not None else ""
    at = where(one)
    return f"{_SHORT.get(one.what, text)}{measure}" + (f" · {at}" if at else "")


def plain(comparison: Comparison) -> Table:
    """For programs: every number by itself."""
    columns = [*map(Column, ("verdict", "what", "database", "channel", "exception"))]
    for when_ in ("before", "after"):
        columns += [
            *(Column(f"{when_}_{what}", "count") for what in ("count", "of")),
            *(Column(f"{when_}_{what}", "seconds") for what in ("p50", "p95")),
        ]
    columns += [Column("ratio", "ratio"), Column("greater", "share"), Column("above", "seconds")]
    columns += [Column("chance", "chance"), Column("corrected", "chance"), Column("certain")]
    rows = [
        [
            *(one.verdict, one.what, one.db, one.channel, one.exception),
            *(one.before.count, one.before.of, one.before.p50, one.before.p95),
            *(one.after.count, one.after.of, one.after.p50, one.after.p95),
            *(one.ratio, one.greater, one.above, one.chance, one.corrected, "yes" if one.certain else "no"),
        ]
        for one in comparison.differences
    ]
    return Table(columns, rows)
