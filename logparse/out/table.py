"""A table of plain values, and the forms in which it is written: for people, spreadsheets, issues."""

import csv
import io
from collections.abc import Sequence
from typing import Literal, NamedTuple

from logparse.out import units

Kind = Literal["text", "count", "share", "seconds", "ratio", "chance"]
Value = str | int | float | None


class Column(NamedTuple):
    """name: of the column, a word in snake case. kind: what its values are. unknown: how people read None."""

    name: str
    kind: Kind = "text"
    unknown: str = "–"


class Table(NamedTuple):
    """rows: values in the order of the columns; None: unknown, or not visible. left_out: more rows."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]
    left_out: int = 0


def shown(value: Value, column: Column) -> str:
    """As people read it. A text of the log cannot steer a terminal."""
    kind = column.kind
    if value is None:
        return column.unknown
    if isinstance(value, str):
        return units.printable(value)
    if kind == "count":
        return units.number(int(value))
    if kind == "share":
        return units.share(value)
    if kind == "seconds":
        return units.duration(value)
    if kind == "ratio":
        return f"×{value:.2f}" if value < 100 else f"×{value:,.0f}"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def heading(column: Column) -> str:
    """As people read it."""
    return column.name.replace("_", " ")


def as_csv(table: Table) -> str:
    """RFC 4180 with `\\n`: numbers as they are (seconds, shares from 0 to 1), nothing for what is unknown.

    A text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.name for column in table.columns])
    for row in table.rows:
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def csv_text(text: str) -> str:
    """A text of the log as a cell of CSV: it cannot steer a terminal, nor is it a spreadsheet's formula."""
    text = units.printable(text)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


def _cell(value: Value) -> Value:
    if isinstance(value, str):
        return csv_text(value)
    return round(value, 6) if isinstance(value, float) else value


def as_markdown(table: Table) -> str:
    """A table of GitHub's Markdown."""
    heads = [heading(column) for column in table.columns]
    lines = ["| " + " | ".join(heads) + " |"]
    lines.append("|" + "|".join("---" if column.kind == "text" else "--:" for column in table.columns) + "|")
    for row in table.rows:
        cells = [escaped(shown(value, column)) for value, column in zip(row, table.columns, strict=True)]
        lines.append("| " + " | ".join(cells) + " |")
    if table.left_out:
        lines += ["", f"and {units.number(table.left_out)} more"]
    return "\n".join(lines) + "\n"


_MARKS = {char: f"\\{char}" for char in "\\`*_{}[]()#+!|~"}
_MARKDOWN = str.maketrans({**_MARKS, "<": "&lt;", ">": "&gt;", "&": "&amp;", "@": "&#64;"})


def escaped(text: str) -> str:
    """The text, such that Markdown takes nothing in it for a mark, for HTML or for somebody's name."""
    return units.printable(text).translate(_MARKDOWN)
