"""Shows what a log is, what it can show, and what would show more."""

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from logparse.out.check import Check, Runner
from logparse.out.terminal.layout import NOT_VISIBLE, WHAT, columns, section
from logparse.out.trust import REASONS
from logparse.out.units import number, period, plural, printable, size
from logparse.out.visible import Setting
from logparse.source.error import shown as shown_path

_SHOWN = {
    "yes": ("observed", "green"),
    "inferred": ("inferred", "green"),
    "partly": ("in part", "yellow"),
    "no": (NOT_VISIBLE, "red"),
}
_LEVELS = {
    "debug": "DEBUG",
    "partly debug": "DEBUG for a part of queue_job's loggers",
    "info": "INFO (Odoo's default)",
    "warning": "WARNING or above",
}


def show(check: Check, console: Console) -> None:
    """Print it on a console. Everything that comes from the log is escaped."""
    console.print(_verdict(check))
    section(console, "The log")
    console.print(_facts(check))
    section(console, "What it can show")
    console.print(_visible(check))
    settings = list(dict.fromkeys(one.setting for one in check.visibility.items if one.setting is not None))
    if settings:
        section(console, "What would show more")
        _advise(settings, console)
    if check.unmatched:
        section(console, "Not recognised")
        console.print(_unmatched(check))
    if check.input.rejected:
        section(console, "Not believed")
        console.print(_rejected(check))


def _verdict(check: Check) -> RenderableType:
    failing = [one for one in check.problems if one.fails]
    if check.input.lines == 0:
        head = Text("The log is empty.", "bold")
    elif failing:
        head = Text(
            f"{plural(len(failing), 'problem')}: this log does not tell all that it should.", "bold red"
        )
    elif check.visibility.level is None:
        head = Text("No line of queue_job, nor of a server's start, is in this log.", "bold")
    else:
        head = Text(
            "Fine: this log tells how jobs end, and every line of queue_job is understood.", "bold green"
        )
    if not check.problems:
        return head
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column()
    for one in sorted(check.problems, key=lambda one: not one.fails):
        table.add_row(
            Text("▸", "red" if one.fails else "yellow"), Text(one.text[:1].upper() + one.text[1:] + ".")
        )
    return Group(head, Padding(table, (1, 0, 0, 0)))


def _facts(check: Check) -> RenderableType:
    read = check.input
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")

    def row(name: str, text: str) -> None:
        table.add_row(name, Text(text))

    row("read", f"{plural(read.lines, 'line')}, {size(read.bytes)}, {plural(len(read.files), 'file')}")
    if read.first is not None and read.last is not None:
        row("from, to", period(read.first, read.last))
    row("Odoo", ", ".join(map(printable, check.odoo)) or "not told: no server started in this log (--odoo)")
    row("queue_job", _release(check))
    row("level", _LEVELS.get(check.visibility.level or "", "no line tells"))
    if check.levels:
        row("recognised", ", ".join(f"{number(count)} {level}" for level, count in check.levels.items()))
    row("lines", _shape(check))
    row("processes", _processes(check))
    row("databases", _databases(check))
    return table


def _release(check: Check) -> str:
    releases = check.queue_job
    if releases is None:
        return "no line tells its release"
    if releases.first is not None and releases.last is not None:
        return f"{releases.first} to {releases.last}, by its lines"
    return (
        f"{releases.first} or later, by its lines"
        if releases.first
        else f"{releases.last} or earlier, by its lines"
    )


def _processes(check: Check) -> str:
    one = check.processes
    model = {
        "prefork": "prefork (workers > 0)",
        "threaded": "threaded (workers = 0): jobs share a process, and a traceback may be anyone's",
        "both": "prefork and threaded, at different times or of several servers",
    }.get(one.model or "", "no line tells whether prefork or threaded")
    parts = [model]
    if one.workers:
        parts.append(f"{plural(one.workers, 'process', 'processes')} ran jobs")
    if one.runners:
        pids = ", ".join(map(_runner, one.runners[:5]))
        more = ", …" if len(one.runners) > 5 else ""
        parts.append(f"job runner: {'pid' if len(one.runners) == 1 else 'pids'} {pids}{more}")
    else:
        parts.append("no job runner dispatched anything")
    return "; ".join(parts)


def _runner(runner: Runner) -> str:
    pid = "?" if runner.pid is None else str(runner.pid)
    return pid if runner.server is None else f"{pid} of {printable(runner.server)}"


def _shape(check: Check) -> str:
    parts = [" in ".join(reversed(one.around)) or "as Odoo writes them" for one in check.shapes]
    if check.colours:
        parts.append("some with colours")
    if check.crlf:
        parts.append("some end in CR LF")
    return ", ".join(map(printable, parts)) or "none"


def _databases(check: Check) -> str:
    named = [
        f"{printable(one.db)} ({plural(one.dispatches, 'dispatch', 'dispatches')}, "
        f"{plural(one.answers, 'answer')})"
        for one in check.databases[:20]
    ]
    if len(check.databases) > 20:
        named.append(f"and {len(check.databases) - 20} more")
    return ", ".join(named) or "none is named"


def _visible(check: Check) -> RenderableType:
    table = columns("", ("", "<"), ("shown", "<"), ("why", "*"))
    table.title = None
    for one in check.visibility.items:
        word, style = _SHOWN[one.shown]
        table.add_row(WHAT.get(one.what, one.what), Text(word, style), Text(one.why, "dim"))
    return table


def _advise(settings: list[Setting], console: Console) -> None:
    """Each setting on one line, however long, so that it can be copied."""
    handlers = [one.option.removeprefix("--log-handler=") for one in settings if "handler" in one.option]
    lines = [one.conf for one in settings if "handler" not in one.option]
    if handlers:
        lines.append(f"log_handler = {','.join([':INFO', *handlers])}")
    console.print(Text("on Odoo's command line:", "dim"))
    for one in settings:
        console.print(Text(f"  {one.option}", "cyan"), soft_wrap=True)
    console.print(Text("or in odoo.conf, section [options]:", "dim"))
    for line in lines:
        console.print(Text(f"  {line}", "cyan"), soft_wrap=True)


def _unmatched(check: Check) -> RenderableType:
    table = columns("", ("records", ">"), ("logger, and some of the messages", "*"))
    table.title = None
    for one in check.unmatched:
        samples = [
            Text(
                f"  {sample.level} {printable(sample.text)}  ({shown_path(sample.file)}:{sample.offset})",
                "dim",
            )
            for sample in one.samples
        ]
        table.add_row(number(one.count), Group(Text(printable(one.logger)), *samples))
    return table


def _rejected(check: Check) -> RenderableType:
    table = columns("", ("records", ">"), ("why", "*"))
    table.title = None
    for reason, count in check.input.rejected.items():
        table.add_row(number(count), Text(REASONS.get(reason, printable(reason))))
    return table
