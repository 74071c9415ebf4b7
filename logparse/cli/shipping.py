"""Following logs for `ship`: what they prove goes to Loki, and is saved as sent only when Loki has it."""

import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec

from logparse import __version__
from logparse.cli.error import CliError
from logparse.cli.following import Following
from logparse.cli.kept import Unkept
from logparse.cli.logline import log
from logparse.cli.sending import Sending, sentence
from logparse.cli.snapshot import Shipped, Snapshot, Store
from logparse.out.collector import QueueJobCollector
from logparse.out.counts import Counts
from logparse.out.endpoint import Endpoint
from logparse.out.gauges import Build
from logparse.out.live import LiveGauges, LiveReaders
from logparse.out.loki import Entries
from logparse.out.outbox import Outbox
from logparse.out.shipped import ShipCollector
from logparse.out.texts import Texts
from logparse.source.error import shown
from logparse.source.waiting import Waiter

_FLUSH_SECONDS = 1.0  # at the end, for what waits and for saving; two seconds is the whole end
_STALLED_SECONDS = 30.0
_AHEAD = 4  # batches that are read ahead of Loki


class Plan(msgspec.Struct, frozen=True):
    """How to send. labels: that every stream has. wanted: the words of events. wait: seconds.

    batch_bytes, batch_count: the most of one push.
    """

    endpoint: Endpoint
    labels: dict[str, str]
    wanted: frozenset[str]
    texts: bool = False
    wait: float = 1.0
    batch_bytes: int = 1 << 20
    batch_count: int = 5000

    def sending(self, saved: "Shipped | None", wake: Callable[[], None]) -> Sending:
        """To go on with what was saved."""
        saved = saved or Shipped()
        return Sending(
            self.endpoint,
            Outbox(self.batch_bytes, self.batch_count, saved.waiting),
            Entries(self.labels, saved.known),
            Texts(saved.texts) if self.texts else None,
            self.wanted,
            self.wait,
            wake,
        )


class Shipping:
    """Follows, sends and saves, in one thread.

    What is saved after each batch is one file: how far was read, what the stages hold, and the events that
    were read and are not known to be in Loki. So no event is behind the position and not in Loki either.

    open_following: makes a Following, of a snapshot or of none. store: None where nothing is to be saved.
    """

    def __init__(
        self,
        open_following: Callable[[Snapshot | None], Following],
        store: Store | None,
        plan: Plan,
        save_every: float,
    ) -> None:
        self._store = store
        self._plan = plan
        self._most_waiting = _AHEAD * plan.batch_bytes
        self._save_every = self._pause = save_every
        self._saving = 0.0  # seconds that it takes
        self._save_error: str | None = None
        self._last_save = self._beat = time.monotonic()
        self._lock = threading.Lock()
        self.following, saved = self._first(open_following)
        self.waiter = Waiter()
        self.sending = plan.sending(saved.ship if saved is not None else None, self.waiter.wake)
        self.following.tap(self.sending.tap)
        self._readers = LiveReaders(self.following.live, kept=self._store is not None)
        patterns = self.following.patterns
        inner = QueueJobCollector(
            Counts(),
            LiveGauges(self.following.lifecycle, self.following.pipes),
            self._readers,
            build=Build(__version__, patterns.version, patterns.digest),
            lock=self._lock,
        )
        self.collector = ShipCollector(self.sending.outbox, inner, self._lock)

    def _first(
        self, open_following: Callable[[Snapshot | None], Following]
    ) -> tuple[Following, Snapshot | None]:
        if self._store is None:
            return open_following(None), None
        snapshot, why = self._store.load()
        if snapshot is not None and snapshot.ship is None:
            raise CliError(
                f"{shown(str(self._store.file))} is the state of another verb (`serve`): name another "
                "directory with --state"
            )
        if snapshot is not None:
            try:
                following = open_following(snapshot)
            except Unkept as error:
                # Another release made it: its jobs are not understood, its positions and what waits are.
                following = open_following(msgspec.structs.replace(snapshot, lifecycle=None))
                sentence = (
                    f"of the state {shown(str(self._store.file))} only positions and the events that wait "
                    f"are used: {error}; it is kept as {shown(str(self._store.copy_aside()))}"
                )
                following.notes.append(("error", sentence))
            return following, snapshot
        following = open_following(None)
        if why is not None:
            following.notes.append(("error", why))
        return following, None

    def run(self, stop: threading.Event) -> None:
        """Read what is written and send what it proves, until `stop` is set."""
        self._save()
        while not stop.is_set():
            with self._lock:
                read = self._read()
                settled = self.sending.step()
                self.collector.up = self.sending.problem is None
            self._beat = now = time.monotonic()
            if settled or now - self._last_save >= self._pause:
                self._save()
            self._tell()
            if not read and not settled:
                self.following.wait(self.waiter, min(1.0, self.sending.idle))

    def _read(self) -> bool:
        """Whether something was read; nothing is while so much waits for Loki."""
        if self.sending.outbox.bytes >= self._most_waiting:
            return False
        read, outputs = self.following.poll()
        if self.following.pipes:
            self.sending.add(outputs, self.following.pipes[0])
        return read

    def end(self) -> None:
        """Send what waits, as far as Loki takes it within a second; save, and close the files."""
        sending, outbox = self.sending, self.sending.outbox
        deadline = time.monotonic() + _FLUSH_SECONDS - 2 * self._saving
        while time.monotonic() < deadline and (sending.busy or (len(outbox) and sending.problem is None)):
            if sending.step(flush=True):
                self._save()
            else:
                time.sleep(0.005)
        sending.close()
        self._save()
        self._tell()
        if len(outbox) and self._store is None:
            log("warning", "events are not sent, and without --state forgotten", events=len(outbox))
        elif len(outbox):
            log("info", "events that are not sent are kept for the next start", events=len(outbox))
        self.waiter.close()
        self.following.close()

    def alive(self) -> bool:
        """Whether the thread gave a sign of life lately."""
        return time.monotonic() - self._beat <= _STALLED_SECONDS

    def health(self) -> tuple[bool, dict[str, Any]]:
        """Whether every file is read as it is written, Loki takes what it proves, and the state is saved."""
        problem = self.sending.problem
        files = {
            shown(one.follower.path): {
                "error": one.error,
                "position": one.seen.position,
                "lag_bytes": one.seen.lag,
            }
            for one in self.following.live
        }
        well = (
            problem is None
            and self._save_error is None
            and self.alive()
            and all(one.error is None for one in self.following.live)
        )
        return well, {
            "files": files,
            "loki_error": None if problem is None else sentence(problem, self._plan.endpoint),
            "waiting": len(self.sending.outbox),
            "state_error": self._save_error,
        }

    def _save(self) -> None:
        store, started = self._store, time.monotonic()
        self._last_save = started
        if store is None:
            return
        sending = self.sending
        try:
            snapshot = self.following.snapshot()
            snapshot.ship = Shipped(
                sending.outbox.waiting,
                sending.entries.known,
                sending.texts.kept if sending.texts is not None else [],
            )
            store.save(snapshot)
        except (OSError, Unkept) as error:
            self._readers.snapshot_errors += 1
            reason = error.strerror if isinstance(error, OSError) else str(error)
            if self._save_error is None:
                log(
                    "error",
                    f"the state could not be saved in {shown(str(store.file))}: {reason}; after a kill more "
                    "than one batch would be sent again",
                )
            self._save_error = f"{shown(str(store.file))}: {reason}"
        else:
            if self._save_error is not None:
                log("info", "the state can be saved again")
            self._save_error = None
            self._readers.snapshot = time.time()
            self.following.saved()
        self._last_save = time.monotonic()
        # A large state takes long to save, and each batch needs it: a tenth of the time is enough.
        self._saving = self._last_save - started
        self._pause = max(self._save_every, 10 * self._saving)
        sending.wait = max(self._plan.wait, 10 * self._saving)

    def _tell(self) -> None:
        for level, note in self.following.notes:
            log(level, note)
        self.following.notes.clear()
