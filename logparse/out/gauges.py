"""What the other stages may offer at a scrape, beside what is counted from their outputs."""

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec


class Gauges(Protocol):
    """What the lifecycle knows at the moment of a scrape. Inherit to offer a part of it."""

    def open_jobs(self) -> Iterable[tuple[str | None, str | None, str, int, int]]:
        """(db, channel, state, number of jobs, since when the oldest: ms since the epoch)."""
        return ()

    def most_attempts(self) -> Iterable[tuple[str | None, str | None, int]]:
        """(db, channel, the most attempts that any of its open jobs has taken)."""
        return ()

    def states(self) -> Iterable[str]:
        """The states that this log can show; those have `jobs` at 0 where no job is in them."""
        return ()

    def visible(self) -> Iterable[tuple[str | None, bool]]:
        """(db, whether the log shows how its attempts end)."""
        return ()

    def tracked_jobs(self) -> int:
        """Jobs held in memory."""
        return 0

    def evicted_jobs(self) -> int:
        """Jobs dropped at the limit, since the beginning."""
        return 0

    def rejected(self) -> Mapping[str, int]:
        """Records not believed, by reason."""
        return {}

    def clock_skew(self) -> int:
        """Records out of order by more than the usual."""
        return 0

    def runner_activity(self) -> Mapping[str, int]:
        """The newest line of each server's runner: ms since the epoch; the server is empty where unknown."""
        return {}

    def runner_wakeup(self) -> Mapping[str, int]:
        """When each server's runner means to wake up, if nothing wakes it before: ms since the epoch."""
        return {}


class NoGauges(Gauges):
    """Nothing is open, and nothing known."""


class FileStats(msgspec.Struct, frozen=True):
    """What a reader knows of one file, by its path as configured, all rotated pieces together.

    lag_bytes: None where the end is not known (a pipe). last_record: ms since the epoch, None
    before the first. rotations: by kind. lines_lost: where lines cannot be known, bytes; 1 for each loss
    of which nothing is known.
    """

    file: str
    lines: int = 0
    bytes: int = 0
    lag_bytes: int | None = None
    last_record: int | None = None
    rotations: Mapping[str, int] = {}
    lines_lost: int = 0


class PipeStats(msgspec.Struct, frozen=True):
    """What the stages before the lifecycle, and the keeper of the state, counted since the beginning.

    facts: by pattern. unmatched: by logger. snapshot: when the state was last saved, in seconds since
    the epoch of this machine's clock; None where none is kept. memory: bytes that this process holds; None
    where that is not known, or no matter.
    """

    facts: Mapping[str, int] = {}
    unmatched: Mapping[str, int] = {}
    truncated_records: int = 0
    decode_errors: int = 0
    snapshot: float | None = None
    snapshot_errors: int = 0
    memory: int | None = None


class ReaderStats(Protocol):
    """What the stages before the lifecycle know at the moment of a scrape. Inherit to offer a part."""

    def files(self) -> Iterable[FileStats]:
        """One for each configured file."""
        return ()

    def pipe(self) -> PipeStats:
        """Of all files together."""
        return PipeStats()


class NoReaders(ReaderStats):
    """Nothing was read."""


class Build(msgspec.Struct, frozen=True):
    """Which logparse with which patterns: the labels of logparse_build_info."""

    version: str
    patterns: str = ""
    digest: str = ""
