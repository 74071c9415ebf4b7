"""Says in a few sentences what happened in a log, or why it tells of no job; for terminal and page alike."""

from typing import NamedTuple

from logparse.out.report import Database, Report
from logparse.out.units import number, period, plural, printable

_ENDINGS = ("done", "failed", "retried", "requeued", "refused", "cancelled", "lost")


class Part(NamedTuple):
    """A piece of a sentence. word: the event that it counts, where it is one that happened."""

    text: str
    word: str | None = None


def told(report: Report) -> bool:
    """Whether there is anything of a job to tell."""
    return any(
        any(database.events.values()) or bool(database.runs) or any(one.jobs for one in database.open)
        for database in report.databases
    )


def when(report: Report) -> str | None:
    """`24 Nov 2026, 03:03:30 to 03:06:08 UTC (2 min 38 s) · Odoo 16.0 · 2 databases`."""
    if report.first is None or report.last is None:
        return None
    what = [period(report.first, report.last)]
    if report.input.odoo:
        what.append(f"Odoo {printable(report.input.odoo)}")
    if len(report.databases) > 1:
        what.append(plural(len(report.databases), "database"))
    return " · ".join(what)


def total(databases: list[Database], word: str) -> int | None:
    """How often something happened in all databases; None where none shows it."""
    known = [count for database in databases if (count := database.events[word]) is not None]
    return sum(known) if known else None


def sentence(report: Report) -> list[Part]:
    """`236 jobs ran in 270 attempts: 191 done, 46 failed, 27 retried.`"""
    databases = report.databases
    jobs = [database.jobs for database in databases if database.jobs is not None]
    runs = sum(database.runs or 0 for database in databases)
    dispatched = total(databases, "dispatched")
    parts: list[Part] = []
    if jobs and runs:
        parts.append(Part(f"{plural(sum(jobs), 'job')} ran in {plural(runs, 'attempt')}: "))
    elif dispatched:
        parts.append(Part(f"{plural(dispatched, 'dispatch', 'dispatches')}: "))
    elif runs:
        parts.append(Part(f"{plural(runs, 'attempt')} ended: "))
    counted = False
    for word in _ENDINGS:
        count = total(databases, word)
        if count or (count == 0 and word in ("done", "failed")):
            parts += [Part(", ")] if counted else []
            parts.append(Part(f"{number(count)} {word}", word if count else None))
            counted = True
    if not counted:
        parts.append(Part("how they ended is not visible"))
    return [*parts, Part(".")]


def nothing(report: Report) -> list[str]:
    """Why there is nothing to tell; the first sentence says that there is."""
    read = report.input
    selected = read.job_records > 0
    what = "what --from, --to and --db select of this log" if selected else "this log"
    lines = [f"No queue job in {what}."]
    if selected:
        lines.append(f"{plural(read.job_records, 'record names a job', 'records name a job')} in all of it.")
    elif read.bytes == 0:
        lines.append("The log is empty.")
    elif report.visibility.level is None:
        lines.append(
            "No line of queue_job, of its job runner or of a server's start is in it. Is queue_job among "
            "the server_wide_modules, and is this the log of the server that runs the job runner?"
        )
    elif not report.visibility.shows("dispatched"):
        why = report.visibility["dispatched"].why
        lines.append(f"{why[:1].upper()}{why[1:]}.")
    elif report.installation.runner_starts:
        lines.append("The job runner ran, but dispatched no job: none was due.")
    else:
        lines.append(
            "No job runner started in this log: it runs elsewhere, or queue_job is not among the "
            "server_wide_modules."
        )
    return lines
