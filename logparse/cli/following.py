"""Logs that grow, read through one lifecycle."""

import time
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from logparse.cli.foreign import EXPECTED
from logparse.cli.options import Reading
from logparse.cli.run import open_patterns, open_pipe, streams_of
from logparse.lifecycle.event import Output
from logparse.lifecycle.lifecycle import Lifecycle
from logparse.pipe import Pipe
from logparse.record.record import Record
from logparse.source.chunk import Chunk
from logparse.source.error import SourceError, shown
from logparse.source.follow import Follower, Start
from logparse.source.position import Position, offset_file, save

# A file of which so many bytes hold no record of Odoo is not its log.
_JUDGED = 1 << 16
# Without a new byte: after this a last line is taken for whole, and after that a traceback too.
_QUIET_SECONDS, _LONG_QUIET_SECONDS = 1.0, 5.0
# A record that is so much older than the one before it shows that the clock was set back, in ms.
_CLOCK_SET = 60_000


class Live:
    """One followed file: its follower, the pipe that its lines go through, and where its position is kept.

    now: the time of its newest record, ms. last_byte: when a byte was last read, by this machine's clock.
    """

    def __init__(self, follower: Follower, pipe: Pipe, kept: Path | None) -> None:
        self.follower = follower
        self.pipe = pipe
        self.kept = kept
        self.now = 0
        self._chunks: deque[Chunk] = deque()
        self.last_byte = time.monotonic()
        self.judged = False
        self.rotations = 0
        self.error: str | None = None

    def poll(self) -> tuple[bool, list[Record]]:
        """Whether something new was read, and the records that are known to be whole.

        No more than one chunk is read, so that it takes little time.
        """
        if not self._chunks:
            self._chunks.extend(self.follower.poll())
        records: list[Record] = []
        if self._chunks:
            records += self.pipe.reader.feed(self._chunks.popleft())
            self.last_byte = time.monotonic()
            return True, records
        if (idle := self._idle()) >= _QUIET_SECONDS:
            records += self.pipe.reader.quiet(long=idle >= _LONG_QUIET_SECONDS)
        return False, records

    @property
    def lag_bytes(self) -> int:
        """Bytes that are written and not read yet, as far as can be seen now."""
        return self.follower.lag_bytes + sum(len(chunk.data) for chunk in self._chunks)

    @property
    def behind(self) -> bool:
        """Whether much was written that is not read yet."""
        return bool(self._chunks) or (self.follower.error is None and self.follower.lag_bytes > _JUDGED)

    def may_tell_older(self) -> bool:
        """Whether it may still have records that are older than those of other files."""
        if self.behind:
            return True
        unread = self.pipe.reader.pending or (self.follower.error is None and self.follower.lag_bytes)
        return bool(unread) and self._idle() < _LONG_QUIET_SECONDS

    def save(self, waiting: int | None) -> None:
        """Save from where it is to be read again; not while what waits to be read spans two files.

        waiting: the offset of its first record that was read and waits for those of other files.
        """
        inode = self.follower.inode
        if self.kept is None or inode is None or any(chunk.last for chunk in self._chunks):
            return
        at = self._chunks[0].offset if self._chunks else self.follower.position
        # What the reader still holds is to be read again, too.
        at = max(0, at - self.pipe.reader.pending)
        save(self.kept, Position(inode, at if waiting is None else min(at, waiting)))

    def _idle(self) -> float:
        return time.monotonic() - self.last_byte


class Following:
    """Follows the files of a Reading; one thread's.

    They are the logs of one installation: each is read by itself, and their records go to one lifecycle in
    the order of their times. A record waits until no file can have an older one.

    state: the directory where positions are saved; None for nowhere.
    """

    def __init__(self, reading: Reading, start: Start, state: Path | None = None) -> None:
        self.reading = reading
        self.notes: list[tuple[str, str]] = []
        """(`info` or `warning`, a sentence) on what happens to the files, to be shown and cleared."""
        patterns = open_patterns(reading)
        self.patterns = patterns
        self.live: list[Live] = []
        self._held: list[tuple[int, Live, Record]] = []
        servers = {file: server for server, files in streams_of(reading) for file in files}
        shared: Lifecycle | None = None
        for path in self._distinct(reading.all_files):
            kept = None if state is None else offset_file(state, path)
            follower = Follower(path, start=start, offset_file=kept)
            pipe = open_pipe(reading, shared, patterns, server=servers[path])
            shared = pipe.lifecycle
            self.live.append(Live(follower, pipe, kept))
        self.lifecycle: Lifecycle = self.live[0].pipe.lifecycle

    def poll(self) -> tuple[bool, list[Output]]:
        """Whether something new was read, and what it proves (and is wanted).

        A last line that is whole counts when nothing has come for a second, a traceback after five.
        """
        anything = False
        # The one that is the furthest behind, by its records, goes first; the others while it has nothing.
        for one in sorted(self.live, key=lambda one: (not one.behind, one.now)):
            ahead = one.behind
            read, records = one.poll()
            anything = anything or read
            self._hold(one, records)
            self._note(one)
            if ahead and read:
                break
        wants = self.reading.selection.wants
        return anything, [output for output in self._released() if wants(output)]

    def _hold(self, one: Live, records: list[Record]) -> None:
        for record in records:
            # Those of one file stay in its order; but its clock may have been set back.
            if record.time > one.now or record.time < one.now - _CLOCK_SET:
                one.now = record.time
            self._held.append((one.now, one, record))

    def _released(self) -> Iterator[Output]:
        held = self._held
        if len(self.live) > 1:
            held.sort(key=lambda item: item[0])
            until = min((one.now for one in self.live if one.may_tell_older()), default=None)
            if until is not None:
                held = held[: bisect_right(held, until, key=lambda item: item[0])]
        for _, group in groupby(held, key=lambda item: item[1]):
            items = list(group)
            yield from items[0][1].pipe.follow([record for _, _, record in items])
        del self._held[: len(held)]

    def save(self) -> None:
        """Save the positions. Raises SourceError where one cannot be saved."""
        for one in self.live:
            held = (record.offset for _, live, record in self._held if live is one)
            one.save(next(held, None))

    def close(self) -> None:
        """Close the files."""
        for one in self.live:
            one.follower.close()

    def _note(self, one: Live) -> None:
        follower, tally = one.follower, one.pipe.tally
        name = shown(follower.path)
        if follower.error != one.error:
            self.notes.append(
                ("warning", follower.error) if follower.error else ("info", f"{name} can be read again")
            )
            one.error = follower.error
        if (rotations := follower.rotations.total()) != one.rotations:
            one.rotations = rotations
            self.notes.append(("info", f"{name} was rotated"))
        self.notes += (("warning", warning) for warning in follower.warnings)
        follower.warnings.clear()
        if not one.judged and tally.bytes > _JUDGED:
            one.judged = True
            if not tally.headers:
                sentence = (
                    f"{name} does not look like an Odoo server log: no line of it begins like `{EXPECTED}`"
                )
                self.notes.append(("warning", sentence))

    def _distinct(self, paths: tuple[str, ...]) -> Iterator[str]:
        seen: set[tuple[int, int] | str] = set()
        for path in paths:
            if path == "-":
                raise SourceError(
                    "standard input cannot be followed: name the file, or read it with `logparse events -`"
                )
            identity: tuple[int, int] | str
            try:
                info = Path(path).stat()
                identity = (info.st_dev, info.st_ino)
            except (OSError, ValueError):
                identity = str(Path(path).absolute())
            if identity in seen:
                self.notes.append(("warning", f"{shown(path)} was given twice; it is read once"))
                continue
            seen.add(identity)
            yield path
