"""Logs that grow, read through one lifecycle."""

import time
from bisect import bisect_right
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from logparse import __version__
from logparse.cli.foreign import EXPECTED
from logparse.cli.given import Found, expanded, left_out, looked_for, pieces
from logparse.cli.kept import to_data
from logparse.cli.live import Live
from logparse.cli.options import Reading
from logparse.cli.restored import fill
from logparse.cli.run import open_patterns, open_pipe, streams_of
from logparse.cli.snapshot import Snapshot
from logparse.lifecycle.event import Output
from logparse.lifecycle.lifecycle import Lifecycle, Options
from logparse.out.state import State
from logparse.pipe import Pipe, Tap
from logparse.record.record import Record
from logparse.source.error import SourceError, shown
from logparse.source.follow import Follower, Start
from logparse.source.patience import Asked, Patience
from logparse.source.place import Place
from logparse.source.position import load, offset_files
from logparse.source.url import is_url
from logparse.source.waiting import BUSY_SECONDS, LOOK_SECONDS, POLL_SECONDS, Waiter

if TYPE_CHECKING:
    from logparse.out.requests import Requests

# A file of which so many bytes hold no record of Odoo is not its log.
_JUDGED = 1 << 16
_LOOK_SECONDS = 1.0
# A log that had something new at so many looks one after the other will have more: it need not be watched.
_BUSY_LOOKS = 30
# A record that is so much older than the one before it shows that the clock was set back, in ms.
_CLOCK_SET = 60_000

UNMATCHED = "is matched by no file that this user can see now"


class Following:
    """Follows the files of a Reading; one thread's.

    They are the logs of one installation: each is read by itself, and their records go to one lifecycle in
    the order of their times. A record waits until no file can have an older one.

    A name with `*`, `?` or `[` that is no file stands for all logs of such names, also of those that appear
    later. Rotated pieces of other logs that are given are not logs of their own.

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
        requests: "Requests | None" = None,
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
        self._patience = Patience()
        self._fruitful = 0  # looks, since the last one that found nothing
        self._watching: Asked[None] | None = None
        self._finding: Asked[Found] | None = None
        self.unmatched: list[str] = []
        """The given patterns that no file has matched yet."""
        found = [(path, expanded(path)) for path in reading.all_files]
        rotated = pieces(name for _, names in found for name in names)
        for path, names in found:
            for name in names:
                if name not in rotated:
                    self._follow(name, path, whole=name in rotated.values())
            if not names:
                self.unmatched.append(path)
                self.notes.append(("warning", f"{shown(path)} {UNMATCHED}; it is looked for again"))
        named = {name: log for name, log in rotated.items() if name in reading.all_files}
        self.notes += (("warning", sentence) for sentence in left_out(named))
        if snapshot is not None and snapshot.lifecycle is not None:
            self._restore(snapshot)
        self._logs = {}

    def _follow(self, path: str, given: str, *, late: bool = False, whole: bool = False) -> None:
        """late: it appeared. whole: pieces of it were given, too, and are read where its start is."""
        if path == "-":
            raise SourceError(
                "standard input cannot be followed: name the file, or read it with `logparse events -`"
            )
        if is_url(path):
            raise SourceError(
                f"{shown(path)} is a URL and cannot be followed: name the file that Odoo writes"
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
        start: Start = "beginning" if late or (whole and self._start == 0) else self._start
        follower = Follower(path, start=start, place=place, since=None if late else self._since)
        server = self._servers.get(given)
        pipe = open_pipe(self.reading, self.lifecycle, self.patterns, server=server, requests=self._requests)
        pipe.tap = self._tap
        one = Live(follower, pipe, self._patience)
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

    def saved(self) -> None:
        """What `snapshot` returned last is on the disk."""
        for one in self.live:
            one.saved()

    def go_on(self, before: "Following") -> None:
        """Follow on what `before` followed: by its snapshot, which need not be on the disk."""
        kept = {one.follower.path: one.kept for one in before.live}
        for one in self.live:
            one.kept = kept.get(one.follower.path, one.kept)

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

    @property
    def at_end(self) -> bool:
        """Whether all that was written was read, and nothing is held for another log's sake: there is one."""
        return len(self.live) == 1 and self.live[0].passed and not self.live[0].seen.lag

    def wait(self, waiter: Waiter, seconds: float = LOOK_SECONDS) -> None:
        """Wait until something may have been written, or may be said though nothing was; not longer.

        Where something was at each of the last looks, it is only waited for a while.
        """
        if self._fruitful >= _BUSY_LOOKS and self._watching is None:
            waiter.rest(min(seconds, BUSY_SECONDS))
            return
        if self._watching is None:
            paths = [*self.reading.all_files, *(one.follower.path for one in self.live)]
            self._watching = self._patience.ask(lambda: waiter.watch(paths))
        if self._watching.done:
            self._watching.result()
            self._watching = None
        soon = any(one.follower.soon for one in self.live)
        waiter.wait(min(seconds, POLL_SECONDS) if soon else seconds)

    def look_for_files(self) -> None:
        """Follow files that appeared and match a given pattern; does nothing within a second."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        if self._finding is None:
            given, live = self.reading.all_files, [one.follower.path for one in self.live]
            self._finding = self._patience.ask(lambda: looked_for(given, live))
        if not self._finding.done:
            return
        finding, self._finding = self._finding, None
        found = finding.result()
        self.unmatched = [path for path in self.unmatched if path not in found.matched]
        for path, name in found.new:
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
        self._fruitful = self._fruitful + 1 if anything else 0
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
            one.close()
        self._patience.close()

    def _note(self, one: Live) -> None:
        follower, tally = one.follower, one.pipe.tally
        name = shown(follower.path)
        if (error := one.error) != one.told:
            self.notes.append(("warning", error) if error else ("info", f"{name} can be read again"))
            one.told = error
        if one.hangs:
            return
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
