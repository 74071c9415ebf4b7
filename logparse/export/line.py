"""A pattern as one regex over a whole line of the log, header included, for tools that see only lines.

The message's own regex is kept as it is: its anchors become the header before it and the line's end behind
it, its named groups stay.
"""

import re
from collections.abc import Collection

from logparse.match.pattern import LEVELS, Pattern
from logparse.match.re2 import check

__all__ = [
    "COLOUR",
    "DATABASE",
    "END",
    "NO_DATABASE",
    "OLD_END",
    "PREFIX",
    "ExportError",
    "any_of",
    "coloured",
    "header",
    "message_of",
    "renamed",
    "unnamed",
]

PREFIX = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+ "
"""Time and pid, as Odoo's formatter writes them (odoo/netsvc.py, init_logger)."""

NO_DATABASE = r"(?:\?|None|False)"
"""What stands where a record has no database of its own."""

DATABASE = r"\S*[^\s:](?: \S*[^\s:])*"
"""A record's database. PostgreSQL allows blanks in its name; the logger's name behind it ends with a colon,
and so no word of a database may, lest a text in a message be taken for the logger."""

COLOUR = r"(?:\x1b\[[0-9;]*m)*"
"""What Odoo writes around a level on a terminal."""

END = r" ?\r?$"
"""The end of a line: Odoo 12 and later leave a blank there, a terminal a carriage return."""

OLD_END = r"\r?$"
"""The end of a line of Odoo 11 and earlier, which leave no blank there."""

_NUMBER = re.compile(r"\(\?:\(\?P<(?:queries|sql_seconds|other_seconds)>[^)]*\)\|-\)")
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?P<[a-z_][a-z0-9_]*>|.", re.DOTALL)


class ExportError(ValueError):
    """A pattern that cannot be exported; one sentence."""


def any_of(texts: tuple[str, ...]) -> str:
    """A regex for one of these literal texts."""
    escaped = [re.sub(r"([.^$*+?()\[\]{}|\\])", r"\\\1", text) for text in texts]
    return escaped[0] if len(escaped) == 1 else f"(?:{'|'.join(escaped)})"


def header(
    pattern: Pattern, *, database: str = DATABASE, colour: str = "", prefix: str = PREFIX, names: bool = False
) -> str:
    """A regex for the header of the records of `pattern`, from the line's start to the message's.

    database: how one is written, where the pattern's rule lets the record have one. names: captures `level`
    and `logger`. Where the rule says `job`, this does not exclude a record without a database: RE2 cannot say
    "not these words" briefly, and each tool adds it by its own means.
    """
    if pattern.db == "none":
        database = NO_DATABASE
    levels = any_of(tuple(level for level in LEVELS if level in pattern.levels))
    loggers = any_of(pattern.loggers)
    if names:
        levels, loggers = f"(?P<level>{levels})", f"(?P<logger>{loggers})"
    return f"^{prefix}{colour}{levels}{colour} {database} {loggers}: "


def message_of(pattern: Pattern, end: str = END) -> str:
    """The regex of the message, without its anchors, to be put behind a header; `end` for its `$`.

    ExportError where the regex is an alternation, or is not anchored at the message's beginning.
    """
    regex = check(pattern.regex)
    if (
        not regex.anchored
        or not pattern.regex.startswith("^")
        or (len(regex.pieces) == 1 and "|" in regex.source)
    ):
        raise ExportError(
            f"pattern {pattern.id} cannot stand in a regex of a whole line: write it as ^(?:…)$, one sequence"
        )
    source = pattern.regex[1:]
    if source.endswith("$") and not _escaped(source):
        source = source[:-1]
        # A group that takes all there is must leave what ends the line.
        if source.endswith((".+)", ".*)")):
            source = f"{source[:-1]}?)"
        return source + end
    return source


def coloured(regex: str) -> str:
    """The same regex, which lets the colours of an access line be.

    werkzeug 2.0 and later put them within the request's quotes (serving.py, log_request), Odoo around slow
    numbers (odoo/netsvc.py, ColoredPerfFilter).
    """
    regex = regex.replace('"GET ', f'"{COLOUR}GET ').replace(r'HTTP/1\.[01]"', rf'HTTP/1\.[01]{COLOUR}"')
    return _NUMBER.sub(lambda found: f"{COLOUR}{found[0]}{COLOUR}", regex)


def unnamed(regex: str, keep: Collection[str] = ()) -> str:
    """The same regex with its named groups unnamed, but for `keep`: Go refuses one name twice in a regex."""
    return "".join(
        "(?:" if token.startswith("(?P<") and token[4:-1] not in keep else token
        for token in _TOKEN.findall(regex)
    )


def renamed(regex: str) -> str:
    """The same regex with named groups as PCRE and lnav write them: `(?<name>`."""
    return "".join(
        f"(?<{token[4:]}" if token.startswith("(?P<") else token for token in _TOKEN.findall(regex)
    )


def _escaped(source: str) -> bool:
    """Whether the last character has a backslash before it that is not itself escaped."""
    before = source[:-1]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1
