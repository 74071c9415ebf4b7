"""Says in a few lines what happened in a log, or why it tells of no job."""

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from logparse.out.findings import findings
from logparse.out.report import Database, Report
from logparse.out.terminal.layout import COLOURS
from logparse.out.units import number, period, plural, printable


def headline(report: Report) -> RenderableType:
    """The period, a sentence of what happened, and what deserves a look; or why there is nothing to tell."""
    if not any(_told(database) for database in report.databases):
        return _nothing(report)
    first, last = report.first, report.last
    lines: list[RenderableType] = []
    if first is not None and last is not None:
        what = [period(first, last)]
        if report.input.odoo:
            what.append(f"Odoo {printable(report.input.odoo)}")
        if len(report.databases) > 1:
            what.append(plural(len(report.databases), "database"))
        lines.append(Text(" · ".join(what), "dim"))
    lines.append(_sentence(report))
    found = findings(report)
    if found:
        table = Table.grid(padding=(0, 1))
        table.add_column(style="red", no_wrap=True)
        table.add_column()
        for index, one in enumerate(found[:3]):
            table.add_row("▸", Text(one.text + ".", "bold" if index == 0 else ""))
        lines.append(Padding(table, (1, 0, 0, 0)))
    return Group(*lines)


def _told(database: Database) -> bool:
    return any(database.events.values()) or bool(database.runs) or any(one.jobs for one in database.open)


def _sentence(report: Report) -> Text:
    """`236 jobs ran in 270 attempts: 191 done, 46 failed, 27 retried.`"""
    databases = report.databases

    def total(word: str) -> int | None:
        counts = [database.events[word] for database in databases]
        known = [count for count in counts if count is not None]
        return sum(known) if known else None

    jobs = [database.jobs for database in databases if database.jobs is not None]
    runs = sum(database.runs or 0 for database in databases)
    text = Text(style="bold")
    if jobs and runs:
        text.append(f"{plural(sum(jobs), 'job')} ran in {plural(runs, 'attempt')}: ")
    elif total("dispatched"):
        text.append(f"{plural(total('dispatched') or 0, 'dispatch', 'dispatches')}: ")
    elif runs:
        text.append(f"{plural(runs, 'attempt')} ended: ")
    parts: list[Text] = []
    for word in ("done", "failed", "retried", "requeued", "refused", "cancelled", "lost"):
        count = total(word)
        if count or (count == 0 and word in ("done", "failed")):
            parts.append(Text(f"{number(count)} {word}", COLOURS.get(word, "") if count else ""))
    text.append(Text(", ").join(parts) if parts else Text("how they ended is not visible"))
    text.append(".")
    return text


def _nothing(report: Report) -> RenderableType:
    """Why there is nothing to tell."""
    read = report.input
    selected = read.job_records > 0
    what = "what --from, --to and --db select of this log" if selected else "this log"
    lines: list[RenderableType] = [Text(f"No queue job in {what}.", "bold")]
    if selected:
        lines.append(
            Text(f"{plural(read.job_records, 'record names a job', 'records name a job')} in all of it.")
        )
    elif read.bytes == 0:
        lines.append(Text("The log is empty."))
    elif report.visibility.level is None:
        lines.append(
            Text(
                "No line of queue_job, of its job runner or of a server's start is in it. Is queue_job among "
                "the server_wide_modules, and is this the log of the server that runs the job runner?"
            )
        )
    elif not report.visibility.shows("dispatched"):
        lines.append(Text(_sentence_case(report.visibility["dispatched"].why) + "."))
    elif report.installation.runner_starts:
        lines.append(Text("The job runner ran, but dispatched no job: none was due."))
    else:
        lines.append(
            Text(
                "No job runner started in this log: it runs elsewhere, or queue_job is not among the "
                "server_wide_modules."
            )
        )
    if read.first is not None and read.last is not None:
        lines.append(Text(period(read.first, read.last), "dim"))
    return Group(*lines)


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]
