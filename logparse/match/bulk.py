"""Makes of the pattern of access lines what finds them in bulk: the same regex, for lines within a text."""

import re
from collections.abc import Callable

import msgspec

from logparse.match.interest import interest
from logparse.match.pattern import Pattern, PatternSet
from logparse.record.bulk import Form, Lines, Row

# The groups that are one of a Row: what stands between them is a blank.
_REQUEST = ("method", "path")
_NUMBERS = ("queries", "sql_seconds", "other_seconds")
_NAMES = ((*_REQUEST, "status"), (*_REQUEST, "status", *_NUMBERS))
_TIME = rb"([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-5][0-9]:[0-5][0-9],[0-9]{3})"
_WRITER = rb"(?:[0-9]{1,18}|-)(?:/[^ \n]*+)?"
# Between them: lines that end as messages do in Odoo 12 and later (closing.ended_before).
_OTHER = rb"[^\n]*[^:\n] "
_NEVER = re.compile(rb"(?!)")
_CLASS = re.compile(r"\\.|\[(?P<not>\^?)(?P<of>(?:\\.|[^\]\\])+)\](?P<repeat>[+*](?![?+]))?", re.DOTALL)


def lines(patterns: PatternSet, of_jobs: PatternSet, take: Callable[[str, list[Row]], None]) -> Lines:
    """The lines that these patterns, all of requests, find; a user's pattern is tried record by record.

    of_jobs: the patterns that find what is wanted beside. take: is given the rows.
    """
    forms = tuple(
        Form(one.id, _line(one))
        for one in patterns.patterns
        if one.names in _NAMES and not (one.user or one.optional)
    )
    loggers = {one.loggers for one in patterns.patterns if one.id in {form.pattern for form in forms}}
    literals = interest(patterns).literals
    if len(loggers) != 1 or len(logger := loggers.pop()) != 1:
        return Lines(literals, (), b"", (), take, [])
    wanted = tuple(one for one in of_jobs.patterns if logger[0] in one.loggers)
    also = interest(msgspec.structs.replace(of_jobs, patterns=wanted)).literals
    return Lines(literals, forms, b" %s" % logger[0].encode(), also, take, [])


def _line(pattern: Pattern) -> re.Pattern[bytes]:
    message = pattern.python.removeprefix("^").removesuffix(r"\Z")
    # No class may match a line's end. And what follows a repeated class is none of its signs, so that no
    # repeat need give anything back: a failure is quick.
    message = _joined(_CLASS.sub(_within_a_line, message), _REQUEST)
    message = _joined(message, _NUMBERS) if _NUMBERS[0] in pattern.names else message + "()"
    levels, loggers = (
        "|".join(map(re.escape, words)).encode() for words in (pattern.levels, pattern.loggers)
    )
    head = rb"%s %s (?:%s) ([^ \n]++) (?:%s): " % (_TIME, _WRITER, levels, loggers)
    return re.compile(rb"(?<=\n)(?:%s%s|%s)\n(?=[0-9])" % (head, message.encode(), _OTHER))


def _joined(regex: str, names: tuple[str, ...]) -> str:
    """The regex with one group for these, which stand in a row."""
    groups = [rf"\(\?P<{name}>([^()]*)\)" for name in names]
    return re.sub(r"\\ ".join(groups), lambda found: "(" + r"\ ".join(found.groups()) + ")", regex)


def _within_a_line(found: re.Match[str]) -> str:
    if found["of"] is None:
        return found[0]
    newline = r"\n" if found["not"] and r"\n" not in found["of"] else ""
    repeat = found["repeat"]
    return f"[{found['not']}{found['of']}{newline}]{repeat + '+' if repeat else ''}"
