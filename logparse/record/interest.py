"""What the matcher wants to see, so that all other bytes can be passed over unread."""

import msgspec


class Interest(msgspec.Struct, frozen=True):
    """Derived from a set of patterns (logparse.match.interest).

    literals: every record that any pattern can match holds at least one of these in its first line.
        Empty: every record must be parsed.
    bodies: the loggers whose continuation lines some pattern reads.
    """

    literals: tuple[bytes, ...]
    bodies: frozenset[str]
