"""The summary in Markdown, for an issue or a chat: what the terminal shows, in short."""

from collections.abc import Iterable, Iterator, Sequence

from logparse.out.compare import Comparison
from logparse.out.difference import sentence as difference
from logparse.out.difference import table as differences
from logparse.out.difference import when as side
from logparse.out.findings import findings
from logparse.out.headline import nothing, sentence, told, when
from logparse.out.report import Database, Percentiles, Report
from logparse.out.table import Column, Table, Value, as_markdown, escaped
from logparse.out.units import NO_CLASS, plural


def headline(report: Report) -> str:
    """The period, what happened, and what deserves a look."""
    if not told(report):
        return "\n\n".join(map(escaped, nothing(report))) + "\n"
    lines = [f"**{escaped(''.join(part.text for part in sentence(report)))}**"]
    at = when(report)
    if at is not None:
        lines += ["", escaped(at)]
    found = findings(report)
    if found:
        lines += ["", *(f"- {escaped(one.text)}." for one in found)]
    return "\n".join(lines) + "\n"


def summary(report: Report) -> str:
    """The whole of it."""
    return "\n".join(_blocks(report))


def _blocks(report: Report) -> Iterator[str]:
    yield headline(report)
    for database in report.databases:
        yield f"## {escaped(database.db or 'database unknown')}\n"
        for title, table in _tables(database):
            if table.rows:
                yield f"### {title}\n"
                yield as_markdown(table)
    hidden = [one for one in report.visibility.items if one.shown in ("no", "partly")]
    if hidden:
        yield "## What this log cannot show\n"
        rows = [[one.what, one.why, one.setting.option if one.setting else ""] for one in hidden]
        yield as_markdown(Table([Column("what"), Column("why"), Column("shown_with")], rows))


def _tables(database: Database) -> Iterable[tuple[str, Table]]:
    yield (
        "Events",
        Table(
            [Column("event"), Column("count", "count")], [[word, n] for word, n in database.events.items()]
        ),
    )
    names = (("run time", database.duration), ("dispatch delay", database.dispatch_delay))
    measured = [(name, one) for name, one in (*names, ("queue wait", database.queue_wait)) if one is not None]
    columns = [Column(name, "seconds") for name in ("p50", "p90", "p95", "p99", "max")]
    yield (
        "Times",
        Table(
            [Column("time"), *columns, Column("count", "count")],
            [[name, *_times(one)] for name, one in measured],
        ),
    )
    yield (
        "Exceptions",
        Table(
            [Column("failures", "count"), Column("exception")],
            [[one.count, one.exception or NO_CLASS] for one in database.exceptions],
        ),
    )
    slowest: Sequence[Sequence[Value]] = [
        [one.uuid, one.duration, one.outcome, one.ended] for one in database.slowest
    ]
    yield (
        "Slowest attempts",
        Table([Column("job"), Column("took", "seconds"), Column("outcome"), Column("ended")], slowest),
    )
    for title, what, jobs in (
        ("Most failing jobs", "failures", database.most_failing),
        ("Most retried jobs", "retries", database.most_retried),
    ):
        rows: Sequence[Sequence[Value]] = [[one.uuid, one.times, one.exception, one.last] for one in jobs]
        yield title, Table([Column("job"), Column(what, "count"), Column("exception"), Column("last")], rows)


def _times(one: Percentiles) -> list[Value]:
    return [one.p50, one.p90, one.p95, one.p99, one.max, one.count]


def comparison(one: Comparison) -> str:
    """What changed for certain; then all that was compared."""
    changed = [found for found in one.differences if found.certain and found.verdict != "same"]
    lines = [f"- before: {escaped(side(one.before))}", f"- after: {escaped(side(one.after))}", ""]
    lines.append(f"**{len(changed)} changed for certain, of {plural(one.tests, 'comparison')}.**")
    lines += ["", *(f"- {found.verdict}: {escaped(difference(found))}." for found in changed)]
    return "\n".join(lines) + "\n\n" + as_markdown(differences(one))
