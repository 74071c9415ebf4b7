"""Shows one job's story: who it is, and a time line of its events with the lines that prove them."""

import re
from pathlib import PurePath

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from logparse.lifecycle.event import Event
from logparse.out.steps import Line, Step
from logparse.out.story import Candidate, Story
from logparse.out.terminal.layout import COLOURS
from logparse.out.time import iso
from logparse.out.units import duration, moment, parsed, period, plural, printable
from logparse.source.error import shown as shown_path

_OPEN = {
    "pending": "it waits to be dispatched",
    "dispatched": "it was dispatched; whether it runs yet, this log does not tell",
    "enqueued": "it was dispatched, and waits for a worker",
    "started": "it runs",
    "unsettled": "its attempt ended without an error, and may still be retried",
}
_ADDONS = re.compile(r"^(?:odoo|openerp)\.addons\.")
_SHORT = 4  # a record of more lines than that is shortened
_BARS = {"DEBUG": "dim", "INFO": "dim", "WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}


def show(stories: list[Story], console: Console, *, full: bool = False, spanned: bool = False) -> None:
    """Print the stories on a console. Everything that comes from the log is escaped.

    full: also all continuation lines of records other than the tracebacks of the job's own failures.
    spanned: they are of what --from and --to select.
    """
    for number, story in enumerate(stories):
        if number:
            console.print()
        console.print(_header(story))
        console.print()
        console.print(_timeline(story, full))
        console.print()
        console.print(_ending(story, spanned))


def _header(story: Story) -> RenderableType:
    title = Text("Job ", "bold")
    title.append(printable(story.uuid), "bold")
    outcome = story.outcome or story.state or "not told"
    facts = [Text(outcome, f"bold {COLOURS.get(outcome, '')}".strip())]
    facts.append(Text(f"database {printable(story.db) if story.db else 'unknown'}"))
    if story.channel:
        facts.append(Text(f"channel {printable(story.channel)}"))
    if story.attempts:
        facts.append(Text(plural(story.attempts, "attempt")))
    lines: list[RenderableType] = [title, Text(" · ").join(facts)]
    first, last = iso(story.steps[0].time) if story.steps else None, None
    if first is not None:
        last = iso(max(step.time for step in story.steps))
    if first is not None and last is not None:
        lines.append(Text(period(first, last), "dim"))
    lines += [Text(f"in {shown_path(file)}", "dim") for file in _files(story)]
    return Group(*lines)


def _files(story: Story) -> dict[str, str]:
    """The files of its lines, each with the name by which they are told apart below."""
    files = dict.fromkeys(line.file for step in story.steps for line in (step.line, step.trace) if line)
    names = [PurePath(file).name for file in files]
    unique = len(set(names)) == len(names)
    return {file: shown_path(name if unique else file) for file, name in zip(files, names, strict=True)}


def _timeline(story: Story, full: bool) -> RenderableType:
    files = _files(story)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(overflow="fold")
    start = story.steps[0].time if story.steps else 0
    before: int | None = None
    for step in story.steps:
        when = Text(_relative(step.time - start) if step.time != before else "", "" if step.event else "dim")
        before = step.time
        grid.add_row(when, _step(step, files, full))
    return grid


def _relative(ms: int) -> str:
    """`+0.132 s`; beyond a quarter of an hour as people read it."""
    return f"+{ms / 1000:.3f} s" if ms < 900_000 else f"+{duration(ms / 1000)}"


def _step(step: Step, files: dict[str, str], full: bool) -> RenderableType:
    parts: list[RenderableType] = []
    if step.event is not None:
        parts.append(_event(step.event))
    if step.line is not None:
        own = step.trace is None and step.event is not None and step.event.event == "failed"
        line = _line(step.line, files, full or own)
        parts.append(Padding(line, (0, 0, 0, 2 if step.event is not None else 0)))
    if step.trace is not None:
        parts.append(Padding(_line(step.trace, files, True), (0, 0, 0, 2)))
    if step.maybe:
        places = [f"{files.get(line.file, shown_path(line.file))}:{line.offset}" for line in step.maybe[:5]]
        more = f", and {len(step.maybe) - 5} more" if len(step.maybe) > 5 else ""
        text = f"its traceback is one of those at {', '.join(places)}{more}: several jobs failed at once"
        parts.append(Padding(Text(text, "dim"), (0, 0, 0, 2)))
    return Group(*parts)


def _event(event: Event) -> Text:
    text = Text(event.event, f"bold {COLOURS.get(event.event, '')}".strip())
    details = []
    if event.attempt is not None and event.event in (
        "started",
        "done",
        "failed",
        "retried",
        "lost",
        "requeued",
    ):
        details.append(f"attempt {event.attempt}")
    if event.duration is not None:
        details.append(f"took {duration(event.duration)}")
    if event.wait is not None and event.event == "started":
        details.append(f"{duration(event.wait)} after its dispatch")
    if event.sql_queries is not None:
        spent = f" in {duration(event.sql_time)}" if event.sql_time is not None else ""
        details.append(f"{plural(event.sql_queries, 'query', 'queries')}{spent}")
    if event.exception:
        details.append(printable(event.exception))
    if event.reason:
        details.append(printable(event.reason))
    if details:
        text.append("  " + ", ".join(details))
    text.append(f"  {event.evidence}", "dim" if event.evidence == "observed" else "dim italic")
    return text


def _line(line: Line, files: dict[str, str], full: bool) -> RenderableType:
    """The record: where it is and who wrote it, then its text behind a bar."""
    style = _BARS.get(line.level, "dim")
    pid = "" if line.pid is None else f" pid {line.pid}"
    head = Text(f"{files[line.file]}:{line.offset}{pid} ", "dim")
    head.append(line.level, style)
    head.append(f" {printable(_ADDONS.sub('', line.logger))}", "dim")
    if not line.believed:
        head.append("  not believed: this process cannot have written it", "yellow")
    rows = [Text(printable(row.replace("\t", "    "))) for row in line.text.split("\n")]
    if not full and len(rows) > _SHORT:
        left_out = Text(f"… {plural(len(rows) - 2, 'line')}: --full shows them", "dim")
        rows = [rows[0], left_out, rows[-1]]
    if line.cut:
        rows.append(Text("… the rest is left out", "dim"))
    return Group(head, *(_Barred(row, style) for row in rows))


class _Barred:
    """A text behind a bar, that goes on beside all lines into which it is wrapped."""

    def __init__(self, text: Text, style: str) -> None:
        self._text = text
        self._bar = Text("│ ", style)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(1, options.max_width - len(self._bar))
        for line in self._text.wrap(console, width, overflow="fold") or [Text()]:
            yield Text.assemble(self._bar, line)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(1 + len(self._bar), self._text.cell_len + len(self._bar))


def _ending(story: Story, spanned: bool) -> RenderableType:
    of = "what --from and --to select of this log" if spanned else "this log"
    lines: list[RenderableType] = []
    if story.state is not None:
        since = iso(story.since)
        at = f" since {moment(since)} UTC" if since is not None else ""
        lines.append(Text(f"Open: {story.state}{at}: {_OPEN.get(story.state, 'it goes on')}.", "yellow"))
    elif story.outcome is not None:
        lines.append(Text(f"Nothing of it is open at the end of {of if spanned else 'the log'}."))
    else:
        lines.append(Text(f"What came of it is not in {of}."))
    if story.outside:
        names = plural(story.outside, "more line names it", "more lines name it")
        lines.append(Text(f"{names} in this log, before or after that.", "dim"))
    if story.left_out:
        lines.append(Text(f"{plural(story.left_out, 'line')} more of it are left out.", "dim"))
    return Group(*lines)


def show_candidates(candidates: list[Candidate], console: Console) -> None:
    """Print the jobs among which the beginning of a uuid does not choose."""
    table = Table.grid(padding=(0, 2))
    for _ in range(4):
        table.add_column(no_wrap=True)
    for one in candidates[:20]:
        last = one.last
        when = iso(last.ts) if last is not None else None
        table.add_row(
            Text(printable(one.uuid)),
            Text(printable(one.db or "")),
            Text(
                last.event if last is not None else "",
                COLOURS.get(last.event, "") if last is not None else "",
            ),
            Text(f"{parsed(when):%Y-%m-%d %H:%M:%S}" if when is not None else "", "dim"),
        )
    console.print(table)
    if len(candidates) > 20:
        console.print(Text(f"and {len(candidates) - 20} more", "dim"))
