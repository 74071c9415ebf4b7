"""The verb `serve`: follow logs, and serve metrics of what happens in them."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec

from logparse import __version__
from logparse.cli.error import CliError
from logparse.cli.following import Following
from logparse.cli.logline import log
from logparse.cli.options import Reading, files_argument, http_option, reading_options
from logparse.cli.service import Service
from logparse.cli.snapshot import Snapshot, Store
from logparse.cli.times import EXAMPLES, parse_time
from logparse.out.http import DEFAULT_LISTEN, ListenError, MetricsServer, serve_http
from logparse.out.requests import Requests
from logparse.source.error import shown
from logparse.source.follow import Start

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

    service = Service(following, store, events, save_every, requests)
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


def prepare(state: Path) -> None:
    """Make the state directory. Raises CliError."""
    try:
        state.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CliError(
            f"the state directory {shown(str(state))} cannot be made: {error.strerror}; "
            "name another with --state"
        ) from error
    read_only = os.statvfs(state).f_flag & os.ST_RDONLY  # that may pass: it is said, and tried again
    if not os.access(state, os.W_OK | os.X_OK) and not read_only:
        raise CliError(
            f"nothing can be saved in the state directory {shown(str(state))}: this user may not write "
            "there; change its owner, or name another with --state"
        )


@contextmanager
def _signals(service: Service) -> Iterator[threading.Event]:
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
