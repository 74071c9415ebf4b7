"""The verb `serve`: follow logs, and serve metrics of what happens in them."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec

from logparse import __version__
from logparse.cli.error import CliError
from logparse.cli.following import Following
from logparse.cli.logline import log
from logparse.cli.options import Reading, files_argument, reading_options
from logparse.cli.times import EXAMPLES, parse_time
from logparse.lifecycle.event import Output
from logparse.out.collector import QueueJobCollector
from logparse.out.counts import Counts
from logparse.out.gauges import Build
from logparse.out.http import DEFAULT_LISTEN, ListenError, MetricsServer, serve_http
from logparse.out.live import LiveGauges, LiveReaders
from logparse.source.error import SourceError, shown
from logparse.source.follow import POLL_SECONDS, Start, wait

_SAVE_SECONDS = 5.0
_YIELD_SECONDS = 0.001  # between two blocks, so that a scrape need not wait until all is read
_CLOSING_SECONDS = 1.0  # for requests under way at the end


def _start(ctx: click.Context, param: click.Parameter, text: str) -> tuple[Start, int | None]:
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
    help="Where to serve /metrics, /healthz and a landing page.",
)
@click.option(
    "--state",
    metavar="DIR",
    type=click.Path(readable=False, path_type=Path),
    help="Keep here how far each file was read, and go on from there after a restart. The counters then "
    "begin at 0 again, which Prometheus takes for the reset that it is.",
)
@click.option(
    "--start",
    metavar="WHERE",
    default="end",
    show_default=True,
    callback=_start,
    help="Where to begin in a file without a saved position: beginning, end, or a time, such as: "
    f"{EXAMPLES}. With a time, the file is read from its beginning, and what came before is not counted.",
)
@reading_options
def command(reading: Reading, listen: str, state: Path | None, start: tuple[Start, int | None]) -> None:
    """Follow logs and serve Prometheus metrics.

    FILE is a plain log that Odoo writes to; it may be rotated, and need not exist yet. Several are the logs
    of one installation. Runs until SIGTERM or Ctrl-C, and then ends with 0.

    \b
    Examples:
      logparse serve /var/log/odoo/odoo-server.log
      logparse serve --listen 0.0.0.0:9747 --state /var/lib/logparse --start beginning odoo.log
    """
    where, since = start
    selection = reading.selection
    if since is not None:
        begin = since if selection.start_ms is None else max(since, selection.start_ms)
        reading = msgspec.structs.replace(
            reading, selection=msgspec.structs.replace(selection, start_ms=begin)
        )
    if state is not None:
        _prepare(state)
    with _stopped_by_signals() as stop:
        service = _Service(Following(reading, where, state), saves=state is not None)
        try:
            server = serve_http(listen, service.collector, service.health)
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
            _close(server)
        log("info", "stopped")


class _Service:
    """What is counted of the followed files, and the thread that reads them."""

    def __init__(self, following: Following, *, saves: bool) -> None:
        self.following = following
        self._saves = saves
        self._lock = threading.Lock()
        self._counts = Counts()
        self._save_error: str | None = None
        pipes = [one.pipe for one in following.live]
        self._readers = LiveReaders(following.live)
        patterns = following.patterns
        self.collector = QueueJobCollector(
            self._counts,
            LiveGauges(following.lifecycle, pipes),
            self._readers,
            build=Build(__version__, patterns.version, patterns.digest),
            lock=self._lock,
        )

    def run(self, stop: threading.Event) -> None:
        """Read what is written, until `stop` is set; the block under way is read to its end."""
        last_save = time.monotonic()
        while not stop.is_set():
            with self._lock:
                read, out = self.following.poll()
                self._add(out)
            now = time.monotonic()
            if now - last_save >= _SAVE_SECONDS:
                last_save = now
                self._save()
            self._tell()
            wait(_YIELD_SECONDS if read else POLL_SECONDS, stop)

    def end(self) -> None:
        """Save the positions and close the files."""
        self._save()
        self._tell()
        self.following.close()

    def health(self) -> tuple[bool, dict[str, Any]]:
        """Whether every file can be read and the state can be saved."""
        files = {
            shown(one.follower.path): {
                "error": one.follower.error,
                "position": one.follower.position,
                "lag_bytes": one.lag_bytes,
            }
            for one in self.following.live
        }
        well = self._save_error is None and all(one.follower.error is None for one in self.following.live)
        return well, {"files": files, "state_error": self._save_error}

    def _add(self, outputs: list[Output]) -> None:
        for output in outputs:
            self._counts.add(output)

    def _save(self) -> None:
        if not self._saves:
            return
        try:
            self.following.save()
        except SourceError as error:
            self._readers.snapshot_errors += 1
            if self._save_error is None:
                log("error", str(error))
            self._save_error = str(error)
            return
        self._readers.snapshot = time.time()
        self._save_error = None

    def _tell(self) -> None:
        for level, note in self.following.notes:
            log(level, note)
        self.following.notes.clear()


def _prepare(state: Path) -> None:
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
def _stopped_by_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set, instead of ending the program at once."""
    stop = threading.Event()
    signals = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, lambda *_: stop.set()) for number in signals]
    try:
        yield stop
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


def _close(server: MetricsServer) -> None:
    """Stop listening; a client that does not take its answer is not waited for."""
    closing = threading.Thread(target=server.close, name="logparse-closing", daemon=True)
    closing.start()
    closing.join(_CLOSING_SECONDS)
