"""Tells why a line is recognised, or how far each pattern of its logger got with it."""

import msgspec

from logparse.match.error import pointed
from logparse.match.fact import Fact
from logparse.match.matcher import Matcher
from logparse.match.pattern import Pattern, PatternSet
from logparse.match.verify import why_not
from logparse.record.parse import parse_line
from logparse.record.record import Record


class Attempt(msgspec.Struct, frozen=True):
    """A pattern that did not take the line.

    reason: every condition that fails. stops_at: the index in the record's message at which the regex stops;
    None where it matches, and something else fails.
    """

    pattern: Pattern
    reason: str
    stops_at: int | None


class Explanation(msgspec.Struct, frozen=True):
    """record: None where the line has no header. fact: None where no pattern took it.

    attempts: the patterns of its logger that did not take it, the closest first; none where one took it.
    watched: the logger is one whose every record should be recognised.
    """

    record: Record | None
    fact: Fact | None
    attempts: tuple[Attempt, ...]
    watched: bool

    def __str__(self) -> str:
        """For a person; `logparse patterns explain` prints it."""
        if self.record is None:
            return "No record of an Odoo log: it must begin with date time,ms pid LEVEL db logger: message."
        record = self.record
        if self.fact is not None:
            fact = self.fact
            lines = [f"{fact.pattern}: {fact.confidence} {fact.kind}"]
            lines += [f"  {name} = {value}" for name, value in fact.fields.items()]
            return "\n".join(lines)
        if not self.attempts:
            return f"No pattern has the logger {record.logger}."
        lines = [f"None of the {len(self.attempts)} patterns of {record.logger} takes it."]
        close = [attempt for attempt in self.attempts if attempt.stops_at != 0]
        for attempt in close:
            lines.append(f"{attempt.pattern.id}: {attempt.reason}")
            if attempt.stops_at is not None:
                lines += pointed(record.message, attempt.stops_at)
            lines.append(f"    {attempt.pattern.regex}")
        if others := len(self.attempts) - len(close):
            lines.append(f"{others} of them want a message that begins differently.")
        return "\n".join(lines)


def explain(line: str, patterns: PatternSet, odoo: str | None = None) -> Explanation:
    """What `patterns` make of one line (or record of several lines) of a log.

    odoo: the log's Odoo version, such as `17.0`; ValueError where it is none.
    """
    matcher = Matcher(patterns, odoo)
    record = parse_line(line)
    if record is None:
        return Explanation(None, None, (), False)
    fact = matcher(record)
    watched = matcher.watches(record.logger)
    if fact is not None:
        return Explanation(record, fact, (), watched)
    attempts = []
    for pattern in patterns.patterns:
        if record.logger in pattern.loggers:
            reason, stops_at = why_not(pattern, record)
            attempts.append(Attempt(pattern, reason, stops_at))
    attempts.sort(key=lambda attempt: _closeness(attempt, record), reverse=True)
    return Explanation(record, None, tuple(attempts), watched)


def _closeness(attempt: Attempt, record: Record) -> tuple[bool, bool, int]:
    """The better the closer: the regex matches; all else does; how far the regex got."""
    pattern = attempt.pattern
    right_db = pattern.db == "any" or (record.db is None) is (pattern.db == "none")
    return attempt.stops_at is None, right_db and record.level in pattern.levels, attempt.stops_at or 0
