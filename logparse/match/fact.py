"""A fact: a record that a pattern recognised."""

import msgspec

from logparse.record.record import Record

MOST = 1e9
"""No seconds of a log are more (31 years); a text may hold a number of thousands of digits."""
_DIGITS = 18


def seconds(text: str) -> float:
    """What a group captured, `0.036`; a number that is absurd is cut to one that can be worked with."""
    number = float(text)
    if -MOST < number < MOST:
        return number
    return MOST if number > 0 else -MOST


def whole(text: str) -> int:
    """The same for a whole number."""
    return int(text[:_DIGITS])


class Fact(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What one record proves, by which pattern.

    pattern: the pattern's id, such as `runner.asking`; "" of a record that no pattern knows.
    kind: what it is evidence of, such as `dispatched` (the catalogue's word; see docs/patterns.md).
    confidence: `proves` (it certainly happened), `implies` (true but for the exceptions that the
        pattern's notes state) or `hint` (needs other evidence).
    uuid: of the job, where the line names one.
    db: of the job: from the message, else the record's own; None where neither tells.
    fields: every named group that took part in the match, and `exception` where the pattern reads
        the traceback in the record's continuation lines.
    record: the proof.
    """

    pattern: str
    kind: str
    confidence: str
    uuid: str | None
    db: str | None
    fields: dict[str, str]
    record: Record
