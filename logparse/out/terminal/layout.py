"""What the views share: sections, tables that stand beside each other where there is room, and the output."""

import io
from collections.abc import Callable
from typing import TextIO

from rich import box
from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from logparse.out.terminal.room import opened
from logparse.out.visible import Setting, Visibility, Visible

COLOURS = {"done": "green", "failed": "red", "lost": "red", "requeued": "yellow", "retried": "yellow"}
"""By event; others have none."""
NOT_VISIBLE = "not visible"

_GAP = 4
WHAT = {
    "dispatch_delay": "dispatch delay",
    "queue_wait": "queue wait",
    "exception": "exceptions",
    "channel": "channels",
    "duration": "durations",
    "runner": "job runner",
    "worker": "workers",
}
"""What a log may show, where it is not called by the word of an event."""


def printed(file: TextIO, show: Callable[[Console], None]) -> None:
    """Let `show` print to a terminal; to anything else without colours and blanks at the ends of lines.

    What the file's encoding lacks becomes `?`.
    """
    if isinstance(file, io.TextIOWrapper):
        file.reconfigure(errors="replace")
    console = opened(file)
    if console.is_terminal:
        show(console)
        return
    with console.capture() as capture:
        show(console)
    file.write("\n".join(line.rstrip() for line in capture.get().split("\n")))


def section(console: Console, title: str) -> None:
    """Print a heading, and a line to the right of it."""
    console.print()
    console.print(Rule(Text(title, "bold"), align="left", style="dim"))


def columns(title: str, *headings: tuple[str, str]) -> Table:
    """A table of (heading, `<`, `>` or `*`: left, right, or left and as wide as there is room)."""
    table = Table(
        title=Text(title, "bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
        pad_edge=False,
        show_edge=False,
        header_style="dim",
    )
    for heading, kind in headings:
        table.add_column(
            heading,
            justify="right" if kind == ">" else "left",
            no_wrap=kind != "*",
            overflow="fold" if kind == "*" else "ellipsis",
        )
    return table


def below(blocks: list[RenderableType]) -> RenderableType:
    """The blocks with an empty line between them."""
    spaced: list[RenderableType] = []
    for block in blocks:
        spaced += [block] if not spaced else [Text(""), block]
    return Group(*spaced)


def flow(console: Console, blocks: list[RenderableType]) -> RenderableType:
    """The blocks in their order, as many beside each other as have room, at their natural widths."""
    rows: list[list[RenderableType]] = []
    left = 0
    for block in blocks:
        width = Measurement.get(console, console.options, block).maximum
        if not rows or width + _GAP > left:
            rows.append([])
            left = console.width
        else:
            left -= _GAP
        rows[-1].append(block)
        left -= width
    return below([row[0] if len(row) == 1 else beside(row) for row in rows])


def beside(blocks: list[RenderableType]) -> RenderableType:
    """The blocks in a row."""
    grid = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
    for _ in blocks:
        grid.add_column(vertical="top")
    grid.add_row(*blocks)
    return grid


def hidden(visibility: Visibility) -> RenderableType | None:
    """What is not visible, by the setting that would show it."""
    sights = [one for one in visibility.items if one.shown in ("no", "partly")]
    if not sights:
        return None
    by_setting: dict[Setting | None, list[Visible]] = {}
    for sight in sights:
        by_setting.setdefault(sight.setting, []).append(sight)
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column()
    blocks: list[RenderableType] = []
    for setting in sorted(by_setting, key=lambda one: one is None):
        block = Table.grid(padding=(0, 2))
        block.add_column(no_wrap=True, width=16)
        block.add_column(overflow="fold")
        for sight in by_setting[setting]:
            what = WHAT.get(sight.what, sight.what)
            partly = " in part: " if sight.shown == "partly" else ""
            block.add_row(what, Text(f"{partly.strip()} {sight.why}".strip(), "dim"))
        if setting is not None:
            block.add_row(Text("  shown with", "dim"), Text(setting.option, "cyan"))
        blocks.append(block)
    return below(blocks)
