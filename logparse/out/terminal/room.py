"""How much room there is, and what is left out where it is too little."""

import os
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

ENDLESS = 10_000
_NARROWEST = 16
"""Characters that a text which is folded should have."""


def opened(file: TextIO | None = None, *, stderr: bool = False) -> Console:
    """A console that is as wide as its terminal; of 80 characters where that is not known."""
    environ = dict(os.environ)
    for name in ("COLUMNS", "LINES"):
        # Some shells and schedulers export 0 for unknown, and rich would print nothing at that width.
        if not _counts(environ.get(name, "")):
            environ.pop(name, None)
    return Console(file=file, stderr=stderr, highlight=False, emoji=False, _environ=environ)


def _counts(text: str) -> bool:
    try:
        return int(text) > 0
    except ValueError:
        return False


def fitted(table: Table, console: Console, spare: Sequence[tuple[int, str]]) -> RenderableType:
    """The table without what has no room; that is said.

    spare: columns and what they are called, the least needed first. Where all that is not enough, texts are
    folded rather than cut.
    """
    left_out: list[tuple[int, str]] = []
    while (wide := _width(_without(table, left_out, most=_NARROWEST), console) > console.width) and (
        len(left_out) < len(spare)
    ):
        left_out.append(spare[len(left_out)])
    if not left_out and not wide:
        return table
    found = _without(table, left_out)
    if wide:
        fold(found)
    if not left_out:
        return found
    names = ", ".join(name for _, name in sorted(left_out))
    return Group(found, Text(f"no room for {names}: a wider terminal, or --format json", "dim"))


def fold(table: Table) -> None:
    """Fold what has no room, in every column, rather than cut it."""
    for column in table.columns:
        column.no_wrap, column.overflow, column.min_width = False, "fold", None


def _width(table: Table, console: Console) -> int:
    return Measurement.get(console, console.options.update(max_width=ENDLESS), table).maximum


def _without(table: Table, left_out: Sequence[tuple[int, str]], most: int | None = None) -> Table:
    """A copy without these columns. most: the width of what may be folded."""
    dropped = {index for index, _ in left_out}
    made = Table(
        title=table.title,
        title_justify=table.title_justify,
        box=table.box,
        padding=table.padding,
        pad_edge=table.pad_edge,
        show_edge=table.show_edge,
        header_style=table.header_style,
    )
    kept = [column for index, column in enumerate(table.columns) if index not in dropped]
    for column in kept:
        made.add_column(
            column.header,
            justify=column.justify,
            no_wrap=column.no_wrap,
            overflow=column.overflow,
            max_width=None if column.no_wrap else most,
        )
    for cells in zip(*(column.cells for column in kept), strict=True):
        made.add_row(*cells)
    return made
