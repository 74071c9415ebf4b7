"""Makes of the pattern of access lines what finds them in bulk: the same regex, for lines within a text."""

import re
from collections.abc import Callable

import msgspec

from logparse.match.interest import interest
from logparse.match.pattern import REQUEST_KINDS, Pattern, PatternSet
from logparse.record.bulk import Form, Lines, Row

# The groups that are one of a Row: what stands between them is a blank.
_REQUEST = ("method", "path")
_NUMBERS = ("queries", "sql_seconds", "other_seconds")
_NAMES = ((*_REQUEST, "status"), (*_REQUEST, "status", *_NUMBERS))
_TIME = rb"([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-5][0-9]:[0-5][0-9],[0-9]{3})"
_WRITER = rb"(?:[0-9]{1,18}|-)(?:/[^ \n]*+)?"
# How access lines end with numbers; and such of these ends as messages have (closing.ends_message).
_ANY_END = r"([\-0-9]++\ [\-.0-9]++\ [\-.0-9]++)(?:\ [\-row>]++)?"
_END = r"([0-9]++\ [0-9]++\.[0-9]++\ [0-9]++\.[0-9]++)(?:\ r[ow])?"
# Between them: lines that end as messages do in Odoo 12 and later (closing.ended_before).
_OTHER = rb"[^\n]*[^:\n] "
_NEVER = re.compile(rb"(?!)")
_CLASS = re.compile(r"\\.|\[(?P<not>\^?)(?P<of>(?:\\.|[^\]\\])+)\](?P<repeat>[+*](?![?+]))?", re.DOTALL)


def lines(patterns: PatternSet, of_jobs: PatternSet, take: Callable[[str, list[Row]], None]) -> Lines:
    """The lines that these patterns, all of requests, find; a user's pattern is tried record by record.

    of_jobs: the patterns that find what is wanted beside. take: is given the rows.
    """
    forms = tuple(
        _form(one) for one in patterns.patterns if one.names in _NAMES and not (one.user or one.optional)
    )
    loggers = {one.loggers for one in patterns.patterns if one.id in {form.pattern for form in forms}}
    literals = interest(patterns).literals
    none = Lines(literals, (), b"", (), take, [])
    if len(loggers) != 1 or len(logger := loggers.pop()) != 1:
        return none
    literal = b" %s" % logger[0].encode()
    also = tuple(
        one
        for one in (*of_jobs.patterns, *patterns.patterns)
        if logger[0] in one.loggers and (one.user or one.kind not in REQUEST_KINDS)
    )
    wanted = interest(msgspec.structs.replace(patterns, patterns=also)).literals
    if literal in wanted:
        return none
    return Lines(literals, forms, literal, wanted, take, [])


def _form(pattern: Pattern) -> Form:
    message = pattern.python.removeprefix("^").removesuffix(r"\Z")
    # No class may match a line's end. And what follows a repeated class is none of its signs, so that no
    # repeat need give anything back: a failure is quick.
    message = _joined(_CLASS.sub(_within_a_line, message), _REQUEST)
    message = _joined(message, _NUMBERS) if _NUMBERS[0] in pattern.names else message + "()"
    if ends := message.endswith(_ANY_END):
        message = message.removesuffix(_ANY_END) + _END
    levels, loggers = (
        "|".join(map(re.escape, words)).encode() for words in (pattern.levels, pattern.loggers)
    )
    head = rb"%s %s (?:%s) ([^ \n]++) (?:%s): " % (_TIME, _WRITER, levels, loggers)
    line = re.compile(rb"(?<=\n)(?:%s%s|%s)\n(?=[0-9])" % (head, message.encode(), _OTHER))
    return Form(pattern.id, line, ends)


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
