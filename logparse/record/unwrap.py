"""Finds out what is around the lines of a log, several layers deep, and takes it off."""

import re

import msgspec

from logparse.record.closing import HEADER, ends_message
from logparse.record.wrappers import formats, wrappers
from logparse.record.wrappers.pasted import COMMAS
from logparse.record.wrappers.wrapper import BARE, Context, Format, Line, Wrapper

_DEEPEST = 3
_NOISE = re.compile(rb"\x1b\[[0-9;:?]*[ -/]*[@-~]|\x00+|\r+\Z")

# What is around each line, outermost first.
Layers = tuple[Wrapper, ...]


class Found(msgspec.Struct, frozen=True):
    """How a line holds the first line of a record: within these layers, in this form (None: Odoo's own)."""

    layers: Layers
    form: Format | None

    @property
    def names(self) -> list[str]:
        """As `logparse check` says them, outermost first."""
        return [layer.name for layer in self.layers] + ([self.form.name] if self.form else [])


def without_noise(line: bytes) -> bytes:
    """The line without colour codes, NULs and the CR of CRLF."""
    return _NOISE.sub(b"", line) if b"\x1b" in line or b"\x00" in line or line.endswith(b"\r") else line


def find(line: bytes, context: Context, around: Line = BARE, depth: int = _DEEPEST) -> Found | None:
    """How this line holds the first line of a record; None where it holds none, however opened.

    around: what was around it already.
    """
    line = without_noise(line)
    if HEADER.match(line):
        commas = depth and line.endswith(b",") and ends_message(line, 0, len(line) - 1)
        return Found((COMMAS,) if commas else (), None)
    form = form_of(line, around, context)
    if form is not None:
        return Found((), form)
    if not depth:
        return None
    for wrapper in wrappers():
        if wrapper.measure is not None:
            wrapper = wrapper.measure(line)
        inner = wrapper.unwrap(line, context)
        if inner is not None and inner.content != line:
            first = inner.content.split(b"\n", 1)[0]
            found = find(first, context, _within(around, inner), depth - 1)
            if found is not None:
                return Found((wrapper, *found.layers), found.form)
    return None


def form_of(line: bytes, around: Line, context: Context) -> Format | None:
    """The form in which this line is a whole record; None where it has none but, perhaps, Odoo's own."""
    for form in (*context.forms, *formats()):
        if form.read(line, around, context) is not None:
            return form
    return None


def open_layers(line: bytes, layers: Layers, context: Context) -> Line | None:
    """The line without its layers; None where it has others."""
    opened = Line(line)
    for layer in layers:
        inner = layer.unwrap(opened.content, context)
        if inner is None:
            return None
        opened = _within(opened, inner)
    return opened


def _within(around: Line, inner: Line) -> Line:
    """The inner line, with what only the outer one told."""
    return Line(
        inner.content,
        inner.time if inner.time is not None else around.time,
        inner.key or around.key,
        partial=inner.partial or around.partial,
        pid=inner.pid or around.pid,
    )
