"""What people and their programs put around lines that they paste: quotes, fences, indentation, commas."""

import re
from functools import lru_cache

from logparse.record.wrappers.wrapper import Context, Line, Wrapper

_QUOTE = re.compile(rb"(?:>+ ?)+")
_BLANKS = re.compile(rb"[ \t]+(?=\S)")
_UTC = re.compile(rb"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) (?:UTC|GMT|Z) (.*)", re.DOTALL)
_TICKS = b"`\"'"


def unwrap_quoted(line: bytes, context: Context) -> Line | None:
    """E-mail's and Markdown's `> ` before each line; a line without it is taken as it is."""
    match = _QUOTE.match(line)
    return Line(line[match.end() :] if match else line)


@lru_cache(maxsize=64)
def indented(indent: bytes) -> Wrapper:
    """Lines that are all indented so; what is indented less is taken as it is."""

    def unwrap(line: bytes, context: Context) -> Line | None:
        return Line(line.removeprefix(indent))

    return Wrapper("indentation", unwrap, ((indent + b"x", b"x"), (b"x", b"x")), ())


def _measured(line: bytes) -> Wrapper:
    match = _BLANKS.match(line)
    return indented(match[0] if match else b"")


def unwrap_ticks(line: bytes, context: Context) -> Line | None:
    """Each line in back-ticks or quotes, perhaps in a list: a comma after it."""
    if line[:1] in (b"`", b'"', b"'"):
        tick, rest = line[:1], line[1:].rstrip(b" ,")
        return Line(rest.removesuffix(tick) if rest.endswith(tick) else line[1:])
    return Line(line)


def unwrap_commas(line: bytes, context: Context) -> Line | None:
    """A comma after each line."""
    return Line(line[:-1] if line.endswith(b",") else line)


def unwrap_utc(line: bytes, context: Context) -> Line | None:
    """`UTC` after the time of a record."""
    match = _UTC.match(line)
    return Line(match[1] + b" " + match[2] if match else line)


_RECORD = b"2026-11-24 02:54:42,000 7 INFO ? odoo: x "

COMMAS = Wrapper("commas after the lines", unwrap_commas, ((_RECORD + b",", _RECORD), (b"x", b"x")), ())
"""Found by the lines before it: its lines are records as they are."""

WRAPPERS = (
    Wrapper("quoted text (>)", unwrap_quoted, ((b"> x", b"x"), (b">>   File", b"  File"), (b"x", b"x")), ()),
    Wrapper(
        "indentation",
        unwrap_quoted,
        (),
        (),
        measure=_measured,
    ),
    Wrapper(
        "back-ticks or quotes",
        unwrap_ticks,
        (
            (b"`" + _RECORD + b"`", _RECORD),
            (b'"' + _RECORD + b'",', _RECORD),
            (b"'" + _RECORD, _RECORD),
            (b"x", b"x"),
        ),
        (),
    ),
    Wrapper(
        "UTC after the time",
        unwrap_utc,
        (
            (
                b"2026-11-24 02:54:42,000 UTC 7 INFO ? odoo: x",
                b"2026-11-24 02:54:42,000 7 INFO ? odoo: x",
            ),
            (b"  File", b"  File"),
        ),
        (),
    ),
)
