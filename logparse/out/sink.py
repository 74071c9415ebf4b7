"""One output of a replay: it takes what the pipe tells, as it comes, and writes at the end, or not at all."""

from collections.abc import Sequence

import msgspec

from logparse.lifecycle.event import Output
from logparse.match.fact import Fact
from logparse.out.selection import Selection
from logparse.pipe import Pipe, Tap
from logparse.record.record import Record
from logparse.source.chunk import Chunk
from logparse.source.error import SourceError

NEVER = 2**63


class Source(msgspec.Struct, frozen=True):
    """What is read. pipe: the one pipe; its lifecycle, tally and visibility may be asked at any time.

    files: paths, in the order of time, of each server by itself. selection: which outputs are handed on; what
    a sink asks of the lifecycle is of all databases and times. streams: the files of each server. failures:
    why files were read only in part, or not; complete when all was read.
    """

    pipe: Pipe
    files: Sequence[str]
    selection: Selection = Selection()
    streams: Sequence[Sequence[str]] = ()
    failures: Sequence[SourceError] = ()


class Sink:
    """Inherit, and overwrite what is needed.

    writes: the path that is written, as the user gave it; None for standard output.
    due: when `look` is wanted next, by the log's clock (ms since the epoch); NEVER where it is not.
    tap: looks on at chunks and facts, before what they prove comes to `add`; None where nothing is wanted.
    """

    writes: str | None = None
    due: int = NEVER
    tap: Tap | None = None

    def open(self, source: Source) -> None:
        """Called once, before anything is read."""

    def add(self, outputs: Sequence[Output]) -> None:
        """Take what was told next and is selected; in the order in which it is proven."""

    def look(self, time: int) -> None:
        """The log's clock comes to `time` (ms), at or after `due`: the lifecycle is as all before left it.

        It must set `due` to a later time.
        """

    def settle(self) -> None:
        """The last record was followed; next come outputs that only the log's end proves, if it settles."""

    def finish(self) -> None:
        """All was read: write what is to be written, whole or not at all (logparse.out.whole)."""

    def discard(self) -> None:
        """It ends early, or `finish` failed: leave nothing behind. May be called after `finish`, too."""


class Taps(Tap):
    """Several taps as one."""

    def __init__(self, taps: Sequence[Tap]) -> None:
        self._taps = taps

    def chunk(self, chunk: Chunk) -> None:
        for tap in self._taps:
            tap.chunk(chunk)

    def fact(self, fact: Fact, *, believed: bool) -> None:
        for tap in self._taps:
            tap.fact(fact, believed=believed)

    def told(self, outputs: Sequence[Output], now: int) -> None:
        for tap in self._taps:
            tap.told(outputs, now)

    def unmatched(self, record: Record) -> None:
        for tap in self._taps:
            tap.unmatched(record)
