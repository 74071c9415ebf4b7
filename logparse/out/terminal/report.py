"""Shows the summary of a log: its headline, and tables."""

from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from logparse.out.report import Attempt, Database, Percentiles, Repeated, Report
from logparse.out.terminal.headline import headline
from logparse.out.terminal.layout import COLOURS, NOT_VISIBLE, columns, flow, hidden, section
from logparse.out.terminal.room import fitted
from logparse.out.timeline import Timeline
from logparse.out.trust import REASONS
from logparse.out.units import NO_CLASS, duration, moment, number, plural, printable, share, size

_REASONS = {
    "dead": "dead",
    "timeout": "no free worker",
    "manual": "by hand",
    "unknown": "for no visible reason",
}
_KILLS = {"exception": "by an exception"}


def show(report: Report, console: Console, timeline: Timeline | None = None) -> None:
    """Print the report on a console. Everything that comes from the log is escaped.

    timeline: what is drawn in the headline.
    """
    console.print(headline(report, timeline, width=console.width))
    if not report.input.lines and not report.databases:
        return
    one_day = _one_day(report)
    for database in report.databases:
        section(console, printable(database.db or "database unknown"))
        console.print(flow(console, _database(report, database, one_day, console)))
    if report.requests is not None:
        from logparse.out.terminal.requests import show_requests

        show_requests(report.requests, console)
    section(console, "Installation and log")
    console.print(flow(console, [_installation(report), _reading(report)]))
    shown = hidden(report.visibility)
    if shown is not None:
        section(console, "What this log cannot show")
        console.print(shown)


def _one_day(report: Report) -> bool:
    """Whether all that is told happened on one day, so that a time of day says it all."""
    return report.first is not None and report.last is not None and report.first[:10] == report.last[:10]


def _database(report: Report, database: Database, one_day: bool, console: Console) -> list[RenderableType]:
    failing = _repeated("Most failing jobs", "failures", database.most_failing, one_day, exceptions=True)
    retried = _repeated("Most retried jobs", "retries", database.most_retried, one_day, exceptions=False)
    # Each with what is left out first where there is no room.
    tables: tuple[tuple[Table | None, tuple[tuple[int, str], ...]], ...] = (
        (_events(report, database), ((3, "notes"), (2, "evidence"))),
        (_times(database), ((6, "count"), (4, "p99"), (2, "p90"), (5, "max"), (1, "p50"))),
        (_open(database, one_day), ((2, "the oldest since"),)),
        (_exceptions(database), ((1, "share"),)),
        (_slowest(database.slowest, one_day), ((3, "ended"), (2, "outcome"))),
        (failing, ((2, "last"), (3, "exception"))),
        (retried, ((2, "last"),)),
        (_channels(database), ((1, "dispatched"), (4, "retried"), (2, "done"), (5, "p95"))),
    )
    return [fitted(table, console, spare) for table, spare in tables if table is not None]


def _events(report: Report, database: Database) -> Table:
    table = columns("Events", ("event", "<"), ("count", ">"), ("evidence", "<"), ("", "*"))
    for word, count in database.events.items():
        if count is None:
            table.add_row(Text(word, "dim"), Text("–", "dim"), Text(NOT_VISIBLE, "dim"))
            continue
        evidence = _evidence(report, word)
        colour = COLOURS.get(word, "") if count else "dim"
        note = _note(database, word)
        table.add_row(
            Text(word, colour), Text(number(count), colour), Text(evidence, "dim"), Text(note, "dim")
        )
    return table


def _evidence(report: Report, word: str) -> str:
    shown = report.visibility[word].shown
    if shown == "partly":
        return "in part"
    total = sum(database.events[word] or 0 for database in report.databases)
    inferred = report.inferred.get(word, 0)
    if inferred == 0 and (total or shown == "yes"):
        return "observed"
    return "inferred" if inferred >= total else "some inferred"


def _note(database: Database, word: str) -> str:
    if word == "done" and database.success_rate is not None:
        return f"{share(database.success_rate)} of the outcomes"
    if word == "failed" and database.success_rate is not None:
        return f"{share(1 - database.success_rate)} of the outcomes"
    if word == "retried" and database.retry_rate is not None:
        return f"{share(database.retry_rate)} of {plural(database.runs or 0, 'attempt')}"
    if word == "requeued":
        return ", ".join(
            f"{number(count)} {_REASONS[why]}" for why, count in database.requeued.items() if count
        )
    return ""


def _times(database: Database) -> Table | None:
    rows: list[tuple[str, Percentiles]] = [
        (name, measured)
        for name, measured in (
            ("attempt", database.duration),
            ("dispatch delay", database.dispatch_delay),
            ("queue wait", database.queue_wait),
        )
        if measured is not None
    ]
    if not rows:
        return None
    table = columns(
        "Times",
        ("", "<"),
        ("p50", ">"),
        ("p90", ">"),
        ("p95", ">"),
        ("p99", ">"),
        ("max", ">"),
        ("count", ">"),
    )
    for name, times in rows:
        shown = (times.p50, times.p90, times.p95, times.p99, times.max)
        table.add_row(name, *(duration(value) for value in shown), Text(number(times.count), "dim"))
    return table


def _open(database: Database, one_day: bool) -> Table | None:
    if not any(one.jobs for one in database.open):
        return None
    table = columns("Open at the end", ("state", "<"), ("jobs", ">"), ("the oldest since", "<"))
    for one in database.open:
        if one.jobs is None:
            table.add_row(Text(one.state, "dim"), Text("–", "dim"), Text(NOT_VISIBLE, "dim"))
        elif one.jobs:
            table.add_row(one.state, number(one.jobs), _when(one.oldest or "", one_day))
    return table


def _exceptions(database: Database) -> Table | None:
    if not database.exceptions:
        return None
    table = columns("Exceptions", ("failures", ">"), ("share", ">"), ("class", "*"))
    total = sum(one.count for one in database.exceptions)
    for one in database.exceptions[:15]:
        name = Text(printable(one.exception)) if one.exception else Text(NO_CLASS, "dim")
        table.add_row(number(one.count), share(one.count / total), name)
    if len(database.exceptions) > 15:
        table.add_row("", "", Text(f"and {len(database.exceptions) - 15} more", "dim"))
    return table


def _slowest(attempts: Iterable[Attempt], one_day: bool) -> Table | None:
    rows = list(attempts)
    if not rows:
        return None
    table = columns("Slowest attempts", ("took", ">"), ("job", "<"), ("", "<"), ("ended", "<"))
    for one in rows:
        table.add_row(
            duration(one.duration),
            Text(printable(one.uuid or "?")),
            Text(one.outcome, COLOURS.get(one.outcome, "")),
            _when(one.ended, one_day),
        )
    return table


def _repeated(
    title: str, heading: str, jobs: list[Repeated], one_day: bool, *, exceptions: bool
) -> Table | None:
    """Only jobs to which it happened more than once; all of them, where it happened to none twice."""
    if not jobs:
        return None
    often = [one for one in jobs if one.times > 1 or not one.exact]
    headings = [(heading, ">"), ("job", "<"), ("last", "<")]
    if not often:
        title = "Failed jobs, the latest" if exceptions else "Retried jobs, the latest"
    table = columns(title, *headings, *([("exception", "*")] if exceptions else []))
    for one in often or jobs:
        times = number(one.times) if one.exact else f"≥ {number(one.times)}"
        row: list[RenderableType] = [times, Text(printable(one.uuid or "?")), _when(one.last, one_day)]
        if exceptions:
            name = (one.exception or "").rpartition(".")[2]
            row.append(Text(printable(name)) if name else Text("?", "dim"))
        table.add_row(*row)
    return table


def _channels(database: Database) -> Table | None:
    if not database.channels:
        return None
    table = columns(
        "Channels",
        ("channel", "*"),
        ("dispatched", ">"),
        ("done", ">"),
        ("failed", ">"),
        ("retried", ">"),
        ("p95", ">"),
    )
    for one in database.channels[:15]:
        name = Text(printable(one.channel)) if one.channel else Text("not told", "dim")
        counts = [number(one.events.get(word, 0)) for word in ("dispatched", "done", "failed", "retried")]
        table.add_row(name, *counts, duration(one.duration.p95) if one.duration else "")
    if len(database.channels) > 15:
        table.add_row(Text(f"and {len(database.channels) - 15} more", "dim"))
    return table


def _when(text: str, one_day: bool) -> Text:
    return Text(moment(text, day=not one_day)) if text else Text("?", "dim")


def _installation(report: Report) -> RenderableType:
    one = report.installation
    table = _facts()
    rows: list[tuple[str, int | None, str]] = [
        ("job runner started", one.runner_starts, ""),
        ("job runner stopped", one.runner_stops, ""),
        ("job runner errors", sum(one.runner_errors.values()), _listed(one.runner_errors)),
        ("servers started", one.servers_started, ""),
        ("servers stopped", one.servers_stopped, ""),
        ("workers started", one.workers_started, ""),
        ("workers killed", sum(one.worker_kills.values()), _listed(one.worker_kills)),
    ]
    for name, count, note in rows:
        if count is None:
            table.add_row(Text(name, "dim"), Text("–", "dim"), Text(NOT_VISIBLE, "dim"))
        else:
            bad = count and name.endswith(("errors", "killed"))
            table.add_row(name, Text(number(count), "red" if bad else ""), Text(note, "dim"))
    return table


def _listed(counts: dict[str, int]) -> str:
    counts = {_KILLS.get(name, printable(name)): count for name, count in counts.items()}
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{number(count)} {name}" for name, count in counts.items())


def _facts() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _reading(report: Report) -> RenderableType:
    read = report.input
    table = _facts()
    files = plural(len(read.files), "file")
    table.add_row("lines", number(read.lines), Text(f"{size(read.bytes)} in {files}", "dim"))
    inferred = sum(report.inferred.values())
    most = ", ".join(f"{number(count)} {word}" for word, count in report.inferred.items())
    table.add_row("events inferred", number(inferred), Text(most, "dim"))
    for reason, count in read.rejected.items():
        table.add_row("records rejected", number(count), Text(REASONS.get(reason, printable(reason)), "dim"))
    for logger, count in read.unmatched.items():
        table.add_row(Text("not recognised", "yellow"), number(count), Text(printable(logger), "dim"))
    for name, count in (
        ("records cut", read.truncated),
        ("not UTF-8", read.decode_errors),
        ("clock set back", read.clock_steps_back),
        ("jobs forgotten", read.evicted),
    ):
        if count:
            table.add_row(name, number(count))
    return table
