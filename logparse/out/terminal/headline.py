"""Shows in a few lines what happened in a log, or why it tells of no job."""

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from logparse.out.findings import findings
from logparse.out.headline import nothing, sentence, told, when
from logparse.out.report import Report
from logparse.out.terminal.layout import COLOURS
from logparse.out.terminal.sparks import sparks
from logparse.out.timeline import Timeline
from logparse.out.units import period


def headline(report: Report, timeline: Timeline | None = None, *, width: int = 80) -> RenderableType:
    """The period, a sentence of what happened, and what deserves a look; or why there is nothing to tell.

    timeline: what is drawn small below the sentence. width: characters that there are.
    """
    if not told(report):
        lines: list[RenderableType] = [
            Text(line, "" if index else "bold") for index, line in enumerate(nothing(report))
        ]
        read = report.input
        if read.first is not None and read.last is not None:
            lines.append(Text(period(read.first, read.last), "dim"))
        return Group(*lines)
    text = Text(style="bold")
    for part in sentence(report):
        text.append(part.text, COLOURS.get(part.word or "", ""))
    at = when(report)
    lines = [Text(at, "dim"), text] if at is not None else [text]
    if found := findings(report):
        table = Table.grid(padding=(0, 1))
        table.add_column(style="red", no_wrap=True)
        table.add_column()
        for index, one in enumerate(found[:3]):
            table.add_row("▸", Text(one.text + ".", "bold" if index == 0 else ""))
        lines.append(Padding(table, (1, 0, 0, 0)))
    drawn = sparks(timeline, width) if timeline is not None else None
    if drawn is not None:
        lines.append(Padding(drawn, (1, 0, 0, 0)))
    return Group(*lines)
