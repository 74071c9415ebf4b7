"""The verb `serve`: follow logs, and serve metrics of what happens in them."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec

from logparse import __version__
from logparse.cli.error import CliError
from logparse.cli.eventsfile import EventsFile
from logparse.cli.following import Following
from logparse.cli.kept import Unkept
from logparse.cli.logline import log
from logparse.cli.options import Reading, files_argument, http_option, reading_options
from logparse.cli.snapshot import Snapshot, Store
from logparse.cli.times import EXAMPLES, parse_time
from logparse.out.collector import QueueJobCollector
from logparse.out.counts import Counts
from logparse.out.gauges import Build
from logparse.out.http import DEFAULT_LISTEN, ListenError, MetricsServer, serve_http
from logparse.out.live import LiveGauges, LiveReaders
from logparse.out.requests import Requests
from logparse.source.error import SourceError, shown
from logparse.source.follow import Start
from logparse.source.waiting import Waiter

_YIELD_SECONDS = 0.001  # between two blocks, so that a scrape need not wait until all is read
_STALLED_SECONDS = 30.0  # without a sign of life of the reading thread
_BEHIND_SECONDS = 300.0  # in which what is written was never all read
_CLOSING_SECONDS = 1.0  # for requests under way at the end


def start_callback(ctx: click.Context, param: click.Parameter, text: str) -> tuple[Start, int | None]:
    """Of --start: where to begin, and from which time on to tell (ms since the epoch)."""
    if text in ("beginning", "end"):
        return ("beginning" if text == "beginning" else "end"), None
    try:
        return "beginning", parse_time(text)
    except ValueError as error:
        raise click.BadParameter(f"beginning, end or a time: {error}", ctx, param) from error


@click.command("serve")
@files_argument
@click.option(
    "--listen",
    metavar="ADDRESS:PORT",
    default=DEFAULT_LISTEN,
    show_default=True,
    help="Where to serve /metrics, /healthz, /livez and a landing page.",
)
@click.option(
    "--state",
    metavar="DIR",
    type=click.Path(readable=False, path_type=Path),
    help="Keep here how far each file was read, the open jobs and the counters, and go on from there after "
    "a restart or a kill, as if there had been none. One program at a time uses it.",
)
@click.option(
    "--save-every",
    metavar="SECONDS",
    type=click.FloatRange(min=0.05),
    default=5.0,
    show_default=True,
    help="How often what --state keeps is saved. A state that takes long to save is saved less often.",
)
@click.option(
    "--start",
    metavar="WHERE",
    default="end",
    show_default=True,
    callback=start_callback,
    help="Where to begin in a file without a saved position: beginning, end, or a time, such as: "
    f"{EXAMPLES}. With a time, the file is read from its beginning, and what came before is not counted.",
)
@click.option(
    "--events",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Append the events to this file, as lines of JSON. After a kill it is cut to what the state in "
    "--state knows of, and they are written again: each is there once.",
)
@http_option
@reading_options
def command(
    reading: Reading,
    listen: str,
    state: Path | None,
    start: tuple[Start, int | None],
    events: Path | None,
    save_every: float,
    http: bool,
) -> None:
    """Follow logs and serve Prometheus metrics.

    FILE is a plain log that Odoo writes to; it may be rotated, and need not exist yet. Several are the logs
    of one installation. Runs until SIGTERM or Ctrl-C, and then ends with 0.

    \b
    Examples:
      logparse serve /var/log/odoo/odoo-server.log
      logparse serve --listen 0.0.0.0:9747 --state /var/lib/logparse --start beginning odoo.log
    """
    where, since = start
    reading = msgspec.structs.replace(told_from(reading, since), http=http)
    requests = Requests(reading.selection) if http else None
    store = None
    if state is not None:
        prepare(state)
        store = Store(state)

    def following(snapshot: Snapshot | None) -> Following:
        return Following(reading, where, since=since, snapshot=snapshot, state=state, requests=requests)

    service = _Service(following, store, events, save_every, requests)
    with _signals(service) as stop:
        try:
            server = serve_http(
                listen, service.collector, service.health, ready=service.ready, alive=service.alive
            )
        except ListenError as error:
            raise CliError(str(error)) from error
        log(
            "info",
            "listening",
            url=server.url,
            version=__version__,
            patterns=service.following.patterns.digest,
        )
        for one in service.following.live:
            log("info", "following", file=shown(one.follower.path), position=one.follower.position)
        try:
            service.run(stop)
        finally:
            service.end()
            close(server)
        log("info", "stopped")


def told_from(reading: Reading, since: int | None) -> Reading:
    """The same, telling nothing from before `since` (ms), which --start gave."""
    selection = reading.selection
    if since is None:
        return reading
    begin = since if selection.start_ms is None else max(since, selection.start_ms)
    return msgspec.structs.replace(reading, selection=msgspec.structs.replace(selection, start_ms=begin))


class _Service:
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
        requests: Requests | None = None,
    ) -> None:
        self._save_every = save_every
        self._open = open_following
        self._store = store
        self._lock = threading.Lock()
        self._counts = Counts(requests=requests)
        self._save_error: str | None = None
        self._last_save = time.monotonic()
        self._pause = save_every
        self._beat = self._at_end = time.monotonic()
        self._reload_error: str | None = None
        self.reload = threading.Event()
        following, snapshot = self._first()
        self.following = following
        self._passed = snapshot is None
        self._events = None if events is None else EventsFile(events, snapshot.events if snapshot else None)
        self._readers = LiveReaders(following.live)
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
        self.waiter = Waiter([one.follower.path for one in following.live] or ["."])

    def _first(self) -> tuple[Following, Snapshot | None]:
        """Go on from what was saved; where it cannot be used it is set aside, and said."""
        if self._store is None:
            return self._open(None), None
        snapshot, why = self._store.load()
        if snapshot is not None:
            try:
                following = self._open(snapshot)
                if snapshot.counts is not None:
                    self._counts.from_state(snapshot.counts)
                return following, snapshot
            except (Unkept, KeyError) as error:
                why = self._store.set_aside(str(error))
                self._counts = self._counts.anew()
        following = self._open(None)
        if why is not None:
            following.notes.append(("error", why))
        return following, None

    def run(self, stop: threading.Event) -> None:
        """Read what is written, until `stop` is set; the block under way is read to its end."""
        self._save()
        while not stop.is_set():
            if self.reload.is_set():
                self.reload.clear()
                self._reload()
            with self._lock:
                read, out = self.following.poll()
                for output in out:
                    self._counts.add(output)
                if self._events is not None:
                    self._events.add(out)
                if any(one.rotated for one in self.following.live):
                    # The next start may take it for one of another kind: so it is saved before it is scraped.
                    self._save()
            now = self._beat = time.monotonic()
            if not self._passed:
                self._passed = self.following.passed
            if not any(one.behind for one in self.following.live):
                self._at_end = now
            if now - self._last_save >= self._pause:
                self._save()
            self._tell()
            if read:
                # So that a scrape need not wait until all is read.
                time.sleep(_YIELD_SECONDS)
            else:
                self.waiter.wait()

    def end(self) -> None:
        """Save the state and close the files."""
        self._save()
        self._tell()
        self.waiter.close()
        self.following.close()

    def ready(self) -> str | None:
        """Why the counters are not to be scraped yet: they would be older than what was scraped before."""
        return None if self._passed else "Reading what was written since the last stop; try again."

    def alive(self) -> bool:
        """Whether the reading thread gave a sign of life lately."""
        return time.monotonic() - self._beat <= _STALLED_SECONDS

    def health(self) -> tuple[bool, dict[str, Any]]:
        """Whether every file is read as it is written, and the state is saved."""
        following = self.following
        files = {
            shown(one.follower.path): {
                "error": one.follower.error,
                "position": one.follower.position,
                "lag_bytes": one.lag_bytes,
            }
            for one in following.live
        }
        now = time.monotonic()
        stalled = not self.alive()
        behind = now - self._at_end if now - self._at_end > _BEHIND_SECONDS else None
        events = self._events.error if self._events is not None else None
        well = (
            self._save_error is None
            and events is None
            and not stalled
            and behind is None
            and all(one.follower.error is None for one in following.live)
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
        started = time.monotonic()
        if self._events is not None and not self._events.settle():
            # What is saved must not be ahead of the events: they are written again from here.
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
            self._readers.snapshot = time.time()
        self._last_save = time.monotonic()
        # A large state is saved less often, so that saving takes a tenth of the time at most.
        self._pause = max(self._save_every, 10 * (self._last_save - started))

    def _reload(self) -> None:
        """Open everything anew, with the patterns as they are now; what is refused changes nothing."""
        try:
            with self._lock:
                following = self._open(self.following.snapshot())
                self.following.close()
                self.following = following
                self._gauges.turn_to(following.lifecycle, following.pipes)
                self._readers.turn_to(following.live)
        except (CliError, SourceError, Unkept) as error:
            self._reload_error = str(error)
            log("error", f"the files and patterns are not reloaded, and the old ones stay: {error}")
            return
        self._reload_error = None
        log("info", "reloaded", patterns=self.following.patterns.digest)

    def _tell(self) -> None:
        for level, note in self.following.notes:
            log(level, note)
        self.following.notes.clear()


def prepare(state: Path) -> None:
    """Make the state directory. Raises CliError."""
    try:
        state.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CliError(
            f"the state directory {shown(str(state))} cannot be made: {error.strerror}; "
            "name another with --state"
        ) from error
    if not os.access(state, os.W_OK | os.X_OK):
        raise CliError(
            f"nothing can be saved in the state directory {shown(str(state))}: this user may not write "
            "there; change its owner, or name another with --state"
        )


@contextmanager
def _signals(service: _Service) -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set, instead of ending the program at once; SIGHUP reloads."""
    stop = threading.Event()

    def end(*_: object) -> None:
        stop.set()
        service.waiter.wake()

    def reload(*_: object) -> None:
        service.reload.set()
        service.waiter.wake()

    handlers = {signal.SIGTERM: end, signal.SIGINT: end, signal.SIGHUP: reload}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def close(server: MetricsServer) -> None:
    """Stop listening; a client that does not take its answer is not waited for."""
    closing = threading.Thread(target=server.close, name="logparse-closing", daemon=True)
    closing.start()
    closing.join(_CLOSING_SECONDS)
