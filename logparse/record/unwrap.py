"""Finds out what is around the lines of a log, several layers deep, and takes it off."""

import re

import msgspec

from logparse.record.closing import HEADER
from logparse.record.wrappers import formats, wrappers
from logparse.record.wrappers.wrapper import Context, Format, Line, Wrapper

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


def find(line: bytes, context: Context, time: int | None = None, depth: int = _DEEPEST) -> Found | None:
    """How this line holds the first line of a record; None where it holds none, however opened.

    time: that of what was around it already, ms.
    """
    line = without_noise(line)
    if HEADER.match(line):
        return Found((), None)
    form = form_of(line, time, context)
    if form is not None:
        return Found((), form)
    if not depth:
        return None
    for wrapper in wrappers():
        inner = wrapper.unwrap(line, context)
        if inner is not None and inner.content != line:
            found = find(inner.content, context, inner.time if inner.time is not None else time, depth - 1)
            if found is not None:
                return Found((wrapper, *found.layers), found.form)
    return None


def form_of(line: bytes, time: int | None, context: Context) -> Format | None:
    """The form in which this line is a whole record; None where it has none but, perhaps, Odoo's own."""
    for form in formats():
        if form.read(line, time, context) is not None:
            return form
    return None


def open_layers(line: bytes, layers: Layers, context: Context) -> Line | None:
    """The line without its layers; None where it has others."""
    time, key, partial = None, b"", False
    for layer in layers:
        inner = layer.unwrap(line, context)
        if inner is None:
            return None
        line = inner.content
        time = inner.time if inner.time is not None else time
        key = inner.key or key
        partial = partial or inner.partial
    return Line(line, time, key, partial)
