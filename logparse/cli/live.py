"""One log that grows: its follower, the pipe that its lines go through, and how far both are."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from logparse.cli.snapshot import Log
from logparse.pipe import Pipe
from logparse.record.reader import Reader
from logparse.record.record import Record
from logparse.source.chunk import Chunk
from logparse.source.error import shown
from logparse.source.follow import Follower
from logparse.source.patience import Asked, Patience
from logparse.source.place import Place

# With so many bytes that are not read yet, it is behind.
_MUCH = 1 << 16
# Without a new byte: after this a last line is taken for whole, and after that other files need not wait.
_QUIET_SECONDS, _LONG_QUIET_SECONDS = 1.0, 5.0
_UNREADABLE_SECONDS = 30.0
_HANGS_SECONDS = 10.0  # without an answer of the system: it is said


class Counted(NamedTuple):
    """As the Follower's, at one moment."""

    rotations: dict[str, int]
    lost: int
    lost_bytes: int


class Seen(NamedTuple):
    """What was found of the file after a poll; the follower itself may be in another thread, for ever.

    place: makes it, when it is wanted. lag: as the Follower's lag_bytes. size: as its live_size.
    """

    place: Callable[[], Place | None]
    position: int
    counted: Counted
    lag: int
    size: int | None


class Live:
    """One followed file: its follower, and the pipe that its lines go through.

    now: the time of its newest record, ms. last_byte: when a byte was last read, by this machine's clock.
    passed: what was the log's end when it was opened has been read, and its records are reported.
    behind: much was written that is not read yet.
    seen: what was found last. patience: makes all calls on the file, so that one that hangs holds nobody.
    kept: what the saved state counts of it. Another start may see a rotation otherwise, or not at all.
    """

    def __init__(self, follower: Follower, pipe: Pipe, patience: Patience) -> None:
        self.follower = follower
        self.pipe = pipe
        self.seen = self._look()
        self.kept = self._logged = Counted({}, 0, 0)
        self._patience = patience
        self._asked: Asked[tuple[list[Chunk], Seen]] | None = None  # a call that hangs
        self._hangs_since = 0.0
        self.now = 0
        self.last_byte = time.monotonic()
        self.judged = False
        self.rotations = follower.rotations.total()
        self.told: str | None = None
        """The error that was said last."""
        self.passed = False
        self.behind = follower.error is None and self.seen.lag > _MUCH
        self._opened = self.last_byte
        self._end: tuple[int, int] | None = None  # of the file itself when reading came to it; rotations then

    def poll(self) -> tuple[bool, list[Record]]:
        """Whether something new was read, and the records that are known to be whole.

        No more than one chunk is read, so that it takes little time.
        """
        records: list[Record] = []
        # Until it is looked: what comes meanwhile may be seen next time only.
        quiet = 0.0 if self.hangs else self._idle()
        chunks = self._take(lambda: (self.follower.poll(), self._look()))
        if self.hangs:
            self.passed = self.passed or time.monotonic() - self._opened > _UNREADABLE_SECONDS
            return False, []
        # Half a line, however long, is nothing that could be read.
        self.behind = bool(chunks) and self.seen.lag > _MUCH
        if chunks:
            for chunk in chunks:
                records += self.pipe.reader.feed(chunk)
            self.last_byte = time.monotonic()
        elif quiet >= _QUIET_SECONDS:
            reader = self.pipe.reader
            # Whatever may still get further lines stays open: when it was read must not matter.
            long = quiet >= _LONG_QUIET_SECONDS and isinstance(reader, Reader) and reader.whole
            records += reader.quiet(long=long)
        if not self.passed:
            self._see_end(anything=bool(chunks))
        return bool(chunks), records

    def _take(self, call: Callable[[], tuple[list[Chunk], Seen]]) -> list[Chunk]:
        """What the call found, or the one that hung before it; nothing while that hangs."""
        asked = self._asked or self._patience.ask(call)
        if not asked.done:
            if self._asked is None:
                self._asked, self._hangs_since = asked, time.monotonic()
            return []
        if self._asked is not None:
            self._asked, self.last_byte = None, time.monotonic()
        chunks, self.seen = asked.result()
        return chunks

    def _look(self) -> Seen:
        one = self.follower
        counted = Counted(dict(one.rotations), one.lost, one.lost_bytes)
        return Seen(one.placed, one.position, counted, one.lag_bytes, one.live_size)

    @property
    def hangs(self) -> bool:
        """Whether the system does not answer what was asked of the file."""
        return self._asked is not None

    @property
    def error(self) -> str | None:
        """Why the log cannot be read now; None while it can."""
        if self.hangs and time.monotonic() - self._hangs_since > _HANGS_SECONDS:
            return (
                f"{shown(self.follower.path)} cannot be read now (the system does not answer, as where the "
                "server of a network file system is away); it is waited for"
            )
        return self.follower.error

    @property
    def lag_bytes(self) -> int:
        """Bytes that are written and not read yet, as far as can be seen now."""
        if not self.hangs:
            self._take(lambda: ([], self._look()))
        return self.seen.lag

    @property
    def to_be_saved(self) -> bool:
        """Whether a rotation or a loss was seen since `log` was called: another start may not."""
        return self.seen.counted != self._logged

    def may_tell_older(self) -> bool:
        """Whether it may still have records that are older than those of other files."""
        if self.behind and not self.hangs:
            return True
        unread = self.pipe.reader.pending or (self.follower.error is None and self.lag_bytes)
        return bool(unread) and self._idle() < _LONG_QUIET_SECONDS

    def _see_end(self, *, anything: bool) -> None:
        seen = self.seen
        if seen.size is not None:
            rotations = sum(seen.counted.rotations.values())
            self._end = (seen.size, rotations) if self._end is None else self._end
            # The last record may have been counted before the start, since nothing came after it.
            reported = seen.position - self.pipe.reader.pending
            passed = reported >= self._end[0] or rotations != self._end[1]
            self.passed = passed or self._idle() >= _LONG_QUIET_SECONDS
        elif self.follower.error is not None and not anything:
            # What cannot be read must not keep the others from being scraped for ever.
            late = time.monotonic() - self._opened > _UNREADABLE_SECONDS
            self.passed = late or _missing(self.follower.path)

    def log(self) -> Log:
        """What is to be saved of it."""
        seen, pipe = self.seen, self.pipe
        self._logged = seen.counted
        return Log(
            path=str(Path(self.follower.path).absolute()),
            place=seen.place(),
            reader=None,
            now=self.now,
            lost=seen.counted.lost,
            lost_bytes=seen.counted.lost_bytes,
            rotations=seen.counted.rotations,
            facts=dict(pipe.facts),
            unmatched=dict(pipe.unmatched),
            odoo=pipe.matcher.odoo,
        )

    def saved(self) -> None:
        """What `log` told is on the disk."""
        self.kept = self._logged

    def go_on(self, log: Log) -> None:
        """Take over what was saved, but for the record stage."""
        follower, pipe = self.follower, self.pipe
        follower.lost += log.lost
        follower.lost_bytes += log.lost_bytes
        follower.rotations.update(log.rotations)
        self.seen = self._look()
        self.rotations = follower.rotations.total()
        self.kept = self._logged = Counted(log.rotations, log.lost, log.lost_bytes)
        self.now = log.now
        pipe.facts.update(log.facts)
        pipe.unmatched.update(log.unmatched)
        if log.odoo is not None:
            pipe.matcher.tell(log.odoo)

    def close(self) -> None:
        """Close the file; one that hangs is left to its thread."""
        if not self.hangs:
            self.follower.close()

    def _idle(self) -> float:
        return time.monotonic() - self.last_byte


def _missing(path: str) -> bool:
    """Whether there is no such file; a file in a folder that is closed to this user may be there."""
    try:
        Path(path).stat()
    except (FileNotFoundError, ValueError):
        return True
    except OSError:
        return False
    return False
