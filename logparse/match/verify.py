"""Holds patterns to their own samples: each must be recognised by its pattern, as a whole set and alone."""

import regex

from logparse.match.error import PatternError
from logparse.match.matcher import TIMEOUT, Matcher
from logparse.match.pattern import Pattern, PatternSet
from logparse.match.re2 import check
from logparse.record.parse import parse_line
from logparse.record.record import Record


def verify(patterns: PatternSet, chosen: list[Pattern] | None = None) -> None:
    """PatternError for the first sample or not_sample that breaks its promise.

    chosen: the patterns whose samples are tried, all by default; always against the whole set.
    """
    for pattern in patterns.patterns if chosen is None else chosen:
        together = Matcher(patterns)  # one for each, since a sample may tell the log's version
        alone = Matcher(PatternSet((pattern,), patterns.version, patterns.digest))
        for sample in pattern.samples:
            record = _record(pattern, sample.line, "sample")
            fact = together(record)
            if alone(record) is None:
                if alone.timeouts:
                    hint = "say what it must not match, rather than .* within a repeat"
                    message = f"its regex needs more than {TIMEOUT} s for a sample"
                    raise _refusal(pattern, message, pattern.regex, None, hint)
                problem, column = why_not(pattern, record)
                raise _refusal(pattern, f"a sample does not match: {problem}", record.message, column)
            if fact is None or fact.pattern != pattern.id:
                other = fact.pattern if fact else "none"
                hint = f"make the regex of {other} tighter, or put the closer pattern before it"
                raise _refusal(pattern, f"a sample is taken by {other}", record.message, None, hint)
            if fact.fields != sample.fields:
                raise _refusal(pattern, _difference(sample.fields, fact.fields), record.message, None)
        for line in pattern.not_samples:
            record = _record(pattern, line, "not_sample")
            if alone(record) is not None:
                hint = "make the regex, the level, the logger or db tighter, or remove the not_sample"
                raise _refusal(pattern, "a not_sample matches", record.message, None, hint)


def why_not(pattern: Pattern, record: Record) -> tuple[str, int | None]:
    """What keeps `pattern` from taking `record`, and the index in its message at which its regex stops.

    The index is None where the regex matches, and something else is wrong.
    """
    reasons = []
    if record.logger not in pattern.loggers:
        reasons.append(f"its logger is {record.logger}, not {' or '.join(pattern.loggers)}")
    if record.level not in pattern.levels:
        reasons.append(f"its level is {record.level}, not {' or '.join(pattern.levels)}")
    if pattern.db == "none" and record.db is not None:
        reasons.append(f"it carries the database {record.db}, and such a record carries ?")
    if pattern.db == "job" and record.db is None:
        reasons.append("it carries no database, and such a record carries the job's")
    stop = _stop(pattern, record.message)
    if stop is not None:
        reasons.append("its message differs")
    return "; ".join(reasons), stop


def _stop(pattern: Pattern, message: str) -> int | None:
    """The index in `message` up to which the longest beginning of the regex matches; None: all of it does."""
    pieces = check(pattern.regex).pieces
    low, high, end = 0, len(pieces), 0
    while low < high:
        middle = (low + high + 1) // 2
        try:
            beginning = regex.compile("".join(pieces[:middle]), regex.ASCII | regex.VERSION0)
            found = beginning.search(message, timeout=TIMEOUT)
        except TimeoutError:
            found = None
        if found is None:
            high = middle - 1
        else:
            low, end = middle, found.end()
    return None if low == len(pieces) else end


def _record(pattern: Pattern, line: str, what: str) -> Record:
    record = parse_line(line)
    if record is None:
        hint = "copy it with its header: date time,ms pid LEVEL db logger: message"
        raise _refusal(pattern, f"a {what} is no record of an Odoo log", line.partition("\n")[0], None, hint)
    return record


def _refusal(pattern: Pattern, message: str, text: str, column: int | None, hint: str = "") -> PatternError:
    return PatternError(
        pattern.file, pattern.line, f"pattern {pattern.id}: {message}", hint=hint, text=text, column=column
    )


def _difference(expected: dict[str, str], found: dict[str, str]) -> str:
    for name in sorted(expected.keys() | found.keys()):
        want, got = expected.get(name), found.get(name)
        if want != got:
            return (
                f"a sample's field {name} is {got!r}, not {want!r}"
                if name in found
                else (f"a sample's field {name} is not captured")
            )
    return "a sample's fields differ"
