"""What the record stage counts while it reads."""

from collections import Counter

import msgspec


class Tally(msgspec.Struct):
    """Counts since the start, of one or more files.

    lines, bytes: read. headers: of a sample, so that 0 after a whole file means: not an Odoo log.
    first, last: time of the first and the last record of interest, milliseconds, None before one.
    rejected: records that are not what they seem, by reason (docs/trust.md): `inside` a message,
        `unfinished` (lacks the end that this log's formatter writes), `echo` (the same text was inside a
        message before), `time` (far from its neighbours).
    truncated: records longer than the limit, of which the rest was not read.
    decode_errors: records with bytes that are not UTF-8. clock_skew: steps back of the log's clock.
    """

    lines: int = 0
    bytes: int = 0
    headers: int = 0
    first: int | None = None
    last: int | None = None
    truncated: int = 0
    decode_errors: int = 0
    clock_skew: int = 0
    rejected: Counter[str] = msgspec.field(default_factory=Counter)

    def add(self, part: "Tally") -> None:
        """Add what a part counted that was read on its own, but not its lines and bytes."""
        self.headers += part.headers
        self.truncated += part.truncated
        self.decode_errors += part.decode_errors
        self.clock_skew += part.clock_skew
        self.rejected.update(part.rejected)
        if part.first is not None:
            self.first = part.first if self.first is None else min(self.first, part.first)
        if part.last is not None:
            self.last = part.last if self.last is None else max(self.last, part.last)
