"""A fact: a record that a pattern recognised."""

import msgspec

from logparse.record.record import Record


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
