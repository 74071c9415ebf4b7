"""Which of the pipe's outputs are told: those of a span of time and of some databases."""

import msgspec

from logparse.lifecycle.event import Event, Output


class Selection(msgspec.Struct, frozen=True):
    """What to tell; the log itself is always read whole, since a job's past decides what its lines mean.

    start_ms, end_ms: milliseconds since the epoch, UTC; from the start on, and before the end. None
        where there is no such bound.
    dbs: databases; all where empty.
    """

    start_ms: int | None = None
    end_ms: int | None = None
    dbs: frozenset[str] = frozenset()

    @property
    def everything(self) -> bool:
        """Nothing is left out."""
        return self.start_ms is None and self.end_ms is None and not self.dbs

    @property
    def spanned(self) -> bool:
        """There is a bound of time."""
        return self.start_ms is not None or self.end_ms is not None

    def covers(self, ts: int) -> bool:
        """Whether a time (ms since the epoch) is in the span."""
        if self.start_ms is not None and ts < self.start_ms:
            return False
        return self.end_ms is None or ts < self.end_ms

    def wants(self, output: Output) -> bool:
        """Whether to tell it: by its own time, and by its database.

        What happened to the whole installation carries no database, and is wanted with any of them.
        """
        if not self.covers(output.ts):
            return False
        if not self.dbs or output.db in self.dbs:
            return True
        return output.db is None and isinstance(output, Event) and output.uuid is None
