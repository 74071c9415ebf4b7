"""Logs that grow, read through one lifecycle."""

import os
import time
from bisect import bisect_right
from collections.abc import Iterator
from glob import glob, has_magic
from itertools import groupby
from pathlib import Path

from logparse import __version__
from logparse.cli.foreign import EXPECTED
from logparse.cli.kept import to_data
from logparse.cli.options import Reading
from logparse.cli.restored import fill
from logparse.cli.run import open_patterns, open_pipe, streams_of
from logparse.cli.snapshot import Log, Snapshot
from logparse.lifecycle.event import Output
from logparse.lifecycle.lifecycle import Lifecycle, Options
from logparse.out.requests import Requests
from logparse.out.state import State
from logparse.pipe import Pipe, Tap
from logparse.record.reader import Reader
from logparse.record.record import Record
from logparse.source.error import SourceError, shown
from logparse.source.follow import Follower, Start
from logparse.source.place import Place
from logparse.source.position import load, offset_files
from logparse.source.rotated import COMPRESSED, rank_of
from logparse.source.waiting import LOOK_SECONDS, POLL_SECONDS, Waiter

# A file of which so many bytes hold no record of Odoo is not its log.
_JUDGED = 1 << 16
# Without a new byte: after this a last line is taken for whole, and after that other files need not wait.
_QUIET_SECONDS, _LONG_QUIET_SECONDS = 1.0, 5.0
_LOOK_SECONDS = 1.0
_UNREADABLE_SECONDS = 30.0
# A record that is so much older than the one before it shows that the clock was set back, in ms.
_CLOCK_SET = 60_000


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
        self.behind = follower.error is None and follower.lag_bytes > _JUDGED
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
        self.behind = bool(chunks) and self.follower.lag_bytes > _JUDGED
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


UNMATCHED = "is matched by no file that this user can see now"


class Following:
    """Follows the files of a Reading; one thread's.

    They are the logs of one installation: each is read by itself, and their records go to one lifecycle in
    the order of their times. A record waits until no file can have an older one.

    A name with `*`, `?` or `[` that is no file stands for all logs of such names, also of those that appear
    later; their rotated pieces are not logs of their own.

    start, since: as the Follower's, for files of which nothing was saved. snapshot: what was saved. state:
    the directory where an older release may have kept positions. requests: is told of HTTP requests.

    Raises Unkept: the snapshot is not of this program's form.
    """

    def __init__(
        self,
        reading: Reading,
        start: Start,
        *,
        since: int | None = None,
        snapshot: Snapshot | None = None,
        state: Path | None = None,
        requests: Requests | None = None,
    ) -> None:
        self.reading = reading
        self.notes: list[tuple[str, str]] = []
        """(`info` or `warning`, a sentence) on what happens to the files, to be shown and cleared."""
        self.patterns = open_patterns(reading)
        self.live: list[Live] = []
        self.pipes: list[Pipe] = []
        self.lifecycle = Lifecycle(Options(settle=reading.settle, max_jobs=reading.max_jobs))
        self._start, self._since, self._state, self._requests = start, since, state, requests
        self._tap: Tap | None = None
        self._held: list[tuple[int, Live, Record]] = []
        self._passed_at: int | None = None  # the time of the last record that was held then
        self._logs = {log.path: log for log in snapshot.logs} if snapshot is not None else {}
        self._servers = {file: server for server, files in streams_of(reading) for file in files}
        self._seen: dict[tuple[int, int] | str, str] = {}
        self._looked = time.monotonic()
        self.unmatched: list[str] = []
        """The given patterns that no file has matched yet."""
        for path in reading.all_files:
            found = _expanded(path)
            for name in found:
                self._follow(name, path)
            if not found:
                self.unmatched.append(path)
                self.notes.append(("warning", f"{shown(path)} {UNMATCHED}; it is looked for again"))
        if snapshot is not None and snapshot.lifecycle is not None:
            self._restore(snapshot)
        self._logs = {}

    def _follow(self, path: str, given: str, *, late: bool = False) -> None:
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
        if identity in self._seen:
            if not late and given == path:
                self.notes.append(("warning", f"{shown(path)} was given twice; it is read once"))
            return
        log = self._logs.get(str(Path(path).absolute()))
        place = log.place if log is not None else None
        if log is None and not late:
            place = self._of_another_program(path)
        start: Start = "beginning" if late else self._start
        follower = Follower(path, start=start, place=place, since=None if late else self._since)
        server = self._servers.get(given)
        pipe = open_pipe(self.reading, self.lifecycle, self.patterns, server=server, requests=self._requests)
        pipe.tap = self._tap
        one = Live(follower, pipe)
        self._seen[identity] = path
        self.live.append(one)
        self.pipes.append(pipe)
        if log is not None:
            one.go_on(log)

    def _of_another_program(self, path: str) -> Place | None:
        for file in offset_files(path, self._state):
            try:
                at = load(file)
            except SourceError as error:
                self.notes.append(("warning", f"{error}; it is not used"))
                continue
            if at is not None:
                self.notes.append(
                    ("info", f"{shown(path)} is read on from byte {at.offset}, as {shown(str(file))} says")
                )
                return Place(offset=at.offset, inode=at.inode)
        return None

    def _restore(self, snapshot: Snapshot) -> None:
        """Make the stages what they were: all at once, since they share what they hold."""
        numbers = {log.path: number for number, log in enumerate(snapshot.logs)}
        readers: list[object] = [None] * len(snapshot.logs)
        lives: dict[int, Live] = {}
        for one in self.live:
            number = numbers.get(str(Path(one.follower.path).absolute()))
            if number is not None:
                readers[number] = one.pipe.reader
                lives[number] = one
        saved = [log.reader for log in snapshot.logs]
        parts = [snapshot.classes, *saved, snapshot.held, snapshot.lifecycle]
        *_, held, _ = fill(parts, *readers, None, self.lifecycle, forms=self.reading.forms)
        self._held = [(at, lives[number], record) for at, number, record in held if number in lives]

    def snapshot(self, counts: State | None = None) -> Snapshot:
        """All that is known now, to go on from. Raises Unkept."""
        numbers = {id(one): number for number, one in enumerate(self.live)}
        held = [(at, numbers[id(one)], record) for at, one, record in self._held]
        classes, *readers, kept, lifecycle = to_data(
            *(pipe.reader for pipe in self.pipes), held, self.lifecycle, forms=self.reading.forms
        )
        logs = [one.log() for one in self.live]
        for log, reader in zip(logs, readers, strict=True):
            log.reader = reader
        return Snapshot(
            release=__version__,
            patterns=self.patterns.digest,
            logs=logs,
            lifecycle=lifecycle,
            classes=classes,
            held=kept,
            counts=counts,
        )

    def tap(self, tap: Tap) -> None:
        """Let it look on at all pipes, also of files that appear later."""
        self._tap = tap
        for pipe in self.pipes:
            pipe.tap = tap

    def has_passed(self) -> bool:
        """Whether all that was written when the files were opened has been read, and is told."""
        if not all(one.passed for one in self.live):
            return False
        if self._passed_at is None:
            self._passed_at = max((at for at, _, _ in self._held), default=0)
        return all(at > self._passed_at for at, _, _ in self._held)

    def wait(self, waiter: Waiter, seconds: float = LOOK_SECONDS) -> None:
        """Wait until something may have been written, or may be said though nothing was; not longer."""
        waiter.watch([*self.reading.all_files, *(one.follower.path for one in self.live)])
        soon = any(one.follower.soon for one in self.live)
        waiter.wait(min(seconds, POLL_SECONDS) if soon else seconds)

    def look_for_files(self) -> None:
        """Follow files that appeared and match a given pattern; does nothing within a second."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        for path in self.reading.all_files:
            if not magic(path):
                continue
            found = _expanded(path)
            if found and path in self.unmatched:
                self.unmatched.remove(path)
            for name in found:
                if all(one.follower.path != name for one in self.live):
                    try:
                        self._follow(name, path, late=True)
                    except SourceError as error:
                        self.notes.append(("warning", str(error)))
                        self._seen[name] = name

    def poll(self) -> tuple[bool, list[Output]]:
        """Whether something new was read, and what it proves (and is wanted).

        A last line that is whole counts when nothing has come for a second; what may go on, with the next
        record.
        """
        self.look_for_files()
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


def _missing(path: str) -> bool:
    """Whether there is no such file; a file in a folder that is closed to this user may be there."""
    try:
        Path(path).stat()
    except (FileNotFoundError, ValueError):
        return True
    except OSError:
        return False
    return False


def magic(path: str) -> bool:
    """Whether this is a pattern, and no file."""
    return has_magic(path) and not os.path.exists(path)  # noqa: PTH110 (Path's raises)


def _expanded(path: str) -> list[str]:
    """The logs that a given name stands for; not what they were rotated to."""
    if not magic(path):
        return [path]
    found = sorted(name for name in glob(path) if os.path.isfile(name))  # noqa: PTH113, PTH207
    bases = {Path(name).name for name in found}
    return [
        name
        for name in found
        if not COMPRESSED.search(name)
        and not any(rank_of(Path(name).name, base) for base in bases if base != Path(name).name)
    ]
