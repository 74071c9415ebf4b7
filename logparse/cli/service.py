"""What `serve` counts of the followed files, the thread that reads them, and when the state is saved."""

import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from logparse import __version__
from logparse.cli.error import CliError
from logparse.cli.eventsfile import EventsFile
from logparse.cli.following import UNMATCHED, Following
from logparse.cli.kept import Unkept
from logparse.cli.logline import log
from logparse.cli.snapshot import Snapshot, Store
from logparse.out.collector import QueueJobCollector
from logparse.out.counts import Counts
from logparse.out.gauges import Build
from logparse.out.live import LiveGauges, LiveReaders
from logparse.source.error import SourceError, shown
from logparse.source.waiting import Waiter

if TYPE_CHECKING:
    from logparse.out.requests import Requests

_YIELD_SECONDS = 0.001  # between two blocks, so that a scrape need not wait until all is read
_ASKED_SECONDS = 1.0  # that a scrape waits for the reading thread, at most
_STALLED_SECONDS = 30.0  # without a sign of life of the reading thread
_BEHIND_SECONDS = 300.0  # in which what is written was never all read
# Between two savings: so many times the CPU that the last one took (at most a minute), and so many times as
# long as it took. What was not saved is only read again after a kill.
_CPU_TIMES, _MOST_SECONDS, _TIMES = 1000, 60.0, 10


class Service:
    """What is counted of the followed files, and the thread that reads them.

    open_following: makes a Following, of a snapshot or of none. store: None where nothing is to be saved.
    requests: what the Following tells of HTTP requests.
    """

    def __init__(
        self,
        open_following: Callable[[Snapshot | None], Following],
        store: Store | None,
        events: Path | None = None,
        save_every: float = 5.0,
        requests: "Requests | None" = None,
    ) -> None:
        self._save_every = save_every
        self._open = open_following
        self._store = store
        self._lock = threading.Lock()
        self._counts = Counts(requests=requests)
        self._save_error: str | None = None
        self._last_save = time.monotonic()
        self._changed = True  # since the state was saved
        self._pause = save_every
        self._beat = self._at_end = time.monotonic()
        self._reload_error: str | None = None
        self.lost: str | None = None
        """At the end: that events are lost; a sentence."""
        self.reload = threading.Event()
        following, snapshot = self._first()
        self.following = following
        self._passed = snapshot is None
        self._asked: deque[threading.Event] = deque()  # by who waits until what is written now is read
        self._events = None if events is None else EventsFile(events, snapshot.events if snapshot else None)
        self._readers = LiveReaders(following.live, kept=store is not None)
        if snapshot is not None:
            self._readers.snapshot_errors = snapshot.snapshot_errors
        self._gauges = LiveGauges(following.lifecycle, following.pipes)
        patterns = following.patterns
        self.collector = QueueJobCollector(
            self._counts,
            self._gauges,
            self._readers,
            build=Build(__version__, patterns.version, patterns.digest),
            lock=self._lock,
        )
        self.waiter = Waiter()

    def _first(self) -> tuple[Following, Snapshot | None]:
        """Go on from what was saved; where it cannot be used it is set aside, and said."""
        if self._store is None:
            return self._open(None), None
        snapshot, why = self._store.load()
        if snapshot is None:
            following = self._open(None)
            if why is not None:
                following.notes.append(("error", why))
            return following, None
        if snapshot.ship is not None:
            raise CliError(
                f"{shown(str(self._store.file))} is the state of another verb (`ship`): name another "
                "directory with --state"
            )
        try:
            if snapshot.counts is not None:
                self._counts.from_state(snapshot.counts)
        except KeyError as error:
            why = self._store.set_aside(f"it counts {error}, which this release does not know")
            self._counts = self._counts.anew()
            following = self._open(None)
            following.notes.append(("error", why))
            return following, None
        try:
            following = self._open(snapshot)
        except Unkept as error:
            following = self._open(msgspec.structs.replace(snapshot, lifecycle=None))
            sentence = (
                f"of the state {shown(str(self._store.file))} only positions and counters are used, and not "
                f"which jobs were open: {error}; it is kept as {shown(str(self._store.copy_aside()))}"
            )
            following.notes.append(("error", sentence))
        if snapshot.patterns != following.patterns.digest:
            following.notes.append(("info", "the patterns are others than those that made the state"))
        return following, snapshot

    def run(self, stop: threading.Event) -> None:
        """Read what is written, until `stop` is set; the block under way is read to its end."""
        self._save()
        while not stop.is_set():
            if self.reload.is_set():
                self.reload.clear()
                self._reload()
            asked = len(self._asked)
            with self._lock:
                # While the events cannot be written the log is what keeps them: it is read no further.
                held = self._events is not None and not self._events.takes_more()
                read, out = (False, []) if held else self.following.poll()
                self._counts.add_all(out)
                if self._events is not None:
                    self._events.add(out)
                self._changed = self._changed or read or bool(out)
                if any(one.to_be_saved for one in self.following.live):
                    # Before it is scraped.
                    self._changed = True
                    self._save()
            for _ in range(asked):
                self._asked.popleft().set()
            now = self._beat = time.monotonic()
            if not self._passed:
                self._passed = self.following.has_passed()
            if not (held or any(one.behind for one in self.following.live)):
                self._at_end = now
            if now - self._last_save >= self._pause:
                self._save()
            self._tell()
            if read and not self.following.at_end:
                # So that a scrape need not wait until all is read.
                stop.wait(_YIELD_SECONDS)
            else:
                self.following.wait(self.waiter)

    def end(self) -> None:
        """Save the state and close the files."""
        while self._asked:
            self._asked.popleft().set()  # nothing more is read
        self._save()
        if self._events is not None:
            self.lost = self._events.end(None if self._store is None else self._store.file)
        self._tell()
        self.waiter.close()
        self.following.close()

    def ready(self) -> str | None:
        """Why the counters are not to be scraped yet: they would be older than what was scraped before.

        Where they are, what is written now is read first, but for what takes long.
        """
        if not self._passed:
            return "Reading what was written since the last stop; try again."
        read = threading.Event()
        self._asked.append(read)
        self.waiter.wake()
        read.wait(_ASKED_SECONDS)
        return None

    def alive(self) -> bool:
        """Whether the reading thread gave a sign of life lately."""
        return time.monotonic() - self._beat <= _STALLED_SECONDS

    def health(self) -> tuple[bool, dict[str, Any]]:
        """Whether every file is read as it is written, and the state is saved."""
        following = self.following
        files = {
            shown(one.follower.path): {
                "error": one.error,
                "position": one.seen.position,
                "lag_bytes": one.seen.lag,
            }
            for one in following.live
        }
        for path in following.unmatched:
            files[shown(path)] = {"error": f"{shown(path)} {UNMATCHED}", "position": 0, "lag_bytes": 0}
        now = time.monotonic()
        stalled = not self.alive()
        behind = now - self._at_end if now - self._at_end > _BEHIND_SECONDS else None
        events = self._events.error if self._events is not None else None
        well = (
            self._save_error is None
            and events is None
            and not stalled
            and behind is None
            and not following.unmatched
            and all(one.error is None for one in following.live)
        )
        return well, {
            "files": files,
            "state_error": self._save_error,
            "events_error": events,
            "patterns_error": self._reload_error,
            "stalled": stalled,
            "behind_seconds": behind,
        }

    def _save(self) -> None:
        store = self._store
        started, cpu = time.monotonic(), time.thread_time()
        if store is not None and not self._changed and self._save_error is None and store.file.exists():
            self._readers.snapshot = time.time()  # it is as good as new
            self._last_save = started
            return
        if self._events is not None and not self._events.settle():
            # What is saved must not be ahead of the events: they are written again from here.
            if store is not None:
                self._readers.snapshot_errors += 1
            self._last_save = started
            return
        if store is None:
            self._last_save = started
            return
        try:
            snapshot = self.following.snapshot(self._counts.to_state())
            snapshot.snapshot_errors = self._readers.snapshot_errors
            snapshot.events = self._events.size if self._events is not None else None
            store.save(snapshot)
        except (OSError, Unkept) as error:
            self._readers.snapshot_errors += 1
            reason = error.strerror if isinstance(error, OSError) else str(error)
            sentence = (
                f"the state could not be saved in {shown(str(store.file))}: {reason}; check that the state "
                "directory is writable and has space. The metrics go on from memory"
            )
            if self._save_error is None:
                log("error", sentence)
            self._save_error = sentence
        else:
            if self._save_error is not None:
                log("info", "the state can be saved again")
            self._save_error = None
            self._changed = False
            self._readers.snapshot = time.time()
            self.following.saved()
        self._last_save = time.monotonic()
        pause = min(_CPU_TIMES * (time.thread_time() - cpu), _MOST_SECONDS)
        self._pause = max(self._save_every, pause, _TIMES * (self._last_save - started))

    def _reload(self) -> None:
        """Open everything anew, with the patterns as they are now; what is refused changes nothing."""
        try:
            with self._lock:
                if self._events is not None:
                    self._events.reopen()
                following = self._open(self.following.snapshot())
                following.go_on(self.following)
                self.following.close()
                self.following = following
                self._gauges.turn_to(following.lifecycle, following.pipes)
                self._readers.turn_to(following.live)
            # The size of the old file of events must not be taken for one of the new.
            self._changed = True
            self._save()
        except (CliError, SourceError, Unkept, OSError) as error:
            self._reload_error = str(error)
            log("error", f"the files and patterns are not reloaded, and the old ones stay: {error}")
            return
        self._reload_error = None
        log("info", "reloaded", patterns=self.following.patterns.digest)

    def _tell(self) -> None:
        for level, note in self.following.notes:
            log(level, note)
        self.following.notes.clear()
