"""One log that grows: its follower, the pipe that its lines go through, and how far both are."""

import time
from pathlib import Path

from logparse.cli.snapshot import Log
from logparse.pipe import Pipe
from logparse.record.reader import Reader
from logparse.record.record import Record
from logparse.source.follow import Follower

# With so many bytes that are not read yet, it is behind.
_MUCH = 1 << 16
# Without a new byte: after this a last line is taken for whole, and after that other files need not wait.
_QUIET_SECONDS, _LONG_QUIET_SECONDS = 1.0, 5.0
_UNREADABLE_SECONDS = 30.0


class Live:
    """One followed file: its follower, and the pipe that its lines go through.

    now: the time of its newest record, ms. last_byte: when a byte was last read, by this machine's clock.
    passed: what was the log's end when it was opened has been read, and its records are reported.
    behind: much was written that is not read yet.
    """

    def __init__(self, follower: Follower, pipe: Pipe) -> None:
        self.follower = follower
        self.pipe = pipe
        self.now = 0
        self.last_byte = time.monotonic()
        self.judged = False
        self.rotations = follower.rotations.total()
        self.error: str | None = None
        self.passed = False
        self.behind = follower.error is None and follower.lag_bytes > _MUCH
        self._saved = self._unforeseen
        self._opened = self.last_byte
        self._end: tuple[int, int] | None = None  # of the file itself when reading came to it; rotations then

    def poll(self) -> tuple[bool, list[Record]]:
        """Whether something new was read, and the records that are known to be whole.

        No more than one chunk is read, so that it takes little time.
        """
        records: list[Record] = []
        chunks = self.follower.poll()
        # Half a line, however long, is nothing that could be read.
        self.behind = bool(chunks) and self.follower.lag_bytes > _MUCH
        if chunks:
            for chunk in chunks:
                records += self.pipe.reader.feed(chunk)
            self.last_byte = time.monotonic()
        elif (idle := self._idle()) >= _QUIET_SECONDS:
            reader = self.pipe.reader
            # Whatever may still get further lines stays open: when it was read must not matter.
            long = idle >= _LONG_QUIET_SECONDS and isinstance(reader, Reader) and reader.whole
            records += reader.quiet(long=long)
        if not self.passed:
            self._see_end(anything=bool(chunks))
        return bool(chunks), records

    @property
    def lag_bytes(self) -> int:
        """Bytes that are written and not read yet, as far as can be seen now."""
        return self.follower.lag_bytes

    @property
    def to_be_saved(self) -> bool:
        """Whether a rotation or a loss was seen since `log` was called: another start may not."""
        return self._unforeseen != self._saved

    @property
    def _unforeseen(self) -> tuple[int, int]:
        return self.follower.rotations.total(), self.follower.lost

    def may_tell_older(self) -> bool:
        """Whether it may still have records that are older than those of other files."""
        if self.behind:
            return True
        unread = self.pipe.reader.pending or (self.follower.error is None and self.follower.lag_bytes)
        return bool(unread) and self._idle() < _LONG_QUIET_SECONDS

    def _see_end(self, *, anything: bool) -> None:
        follower = self.follower
        if (size := follower.live_size) is not None:
            rotations = follower.rotations.total()
            self._end = (size, rotations) if self._end is None else self._end
            # The last record may have been counted before the start, since nothing came after it.
            reported = follower.position - self.pipe.reader.pending
            passed = reported >= self._end[0] or rotations != self._end[1]
            self.passed = passed or self._idle() >= _LONG_QUIET_SECONDS
        elif follower.error is not None and not anything:
            # What cannot be read must not keep the others from being scraped for ever.
            late = time.monotonic() - self._opened > _UNREADABLE_SECONDS
            self.passed = late or _missing(follower.path)

    def log(self) -> Log:
        """What is to be saved of it."""
        follower, pipe = self.follower, self.pipe
        self._saved = self._unforeseen
        return Log(
            path=str(Path(follower.path).absolute()),
            place=follower.place,
            reader=None,
            now=self.now,
            lost=follower.lost,
            lost_bytes=follower.lost_bytes,
            rotations=dict(follower.rotations),
            facts=dict(pipe.facts),
            unmatched=dict(pipe.unmatched),
            odoo=pipe.matcher.odoo,
        )

    def go_on(self, log: Log) -> None:
        """Take over what was saved, but for the record stage."""
        follower, pipe = self.follower, self.pipe
        follower.lost += log.lost
        follower.lost_bytes += log.lost_bytes
        follower.rotations.update(log.rotations)
        self.rotations = follower.rotations.total()
        self._saved = (sum(log.rotations.values()), log.lost)
        self.now = log.now
        pipe.facts.update(log.facts)
        pipe.unmatched.update(log.unmatched)
        if log.odoo is not None:
            pipe.matcher.tell(log.odoo)

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
