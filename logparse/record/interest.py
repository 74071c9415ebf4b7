"""What the matcher wants to see, so that all other bytes can be passed over unread."""

import msgspec

from logparse.record.bulk import Lines


class Interest(msgspec.Struct, frozen=True):
    """Derived from a set of patterns (logparse.match.interest).

    literals: every record that any pattern can match holds at least one of these in its first line.
        Empty: every record must be parsed.
    bodies: the loggers whose continuation lines some pattern reads.
    requests: the lines that tell of HTTP requests, where those are wanted.
    """

    literals: tuple[bytes, ...]
    bodies: frozenset[str]
    requests: Lines | None = None
