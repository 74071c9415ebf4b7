"""What the verbs share that follow logs until they are told to end: options, state directory, signals."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from logparse.cli.error import CliError
from logparse.cli.following import Following
from logparse.cli.logline import log
from logparse.cli.options import Reading, Seconds
from logparse.cli.snapshot import Snapshot, Store
from logparse.cli.times import parse_time
from logparse.out.http import ListenError, MetricsServer, parse_listen
from logparse.source.error import shown
from logparse.source.follow import Start

if TYPE_CHECKING:
    from logparse.out.requests import Requests

Option = Callable[[Callable[..., Any]], Callable[..., Any]]

_CLOSING_SECONDS = 1.0  # for requests under way at the end


def state_option(help: str) -> Option:
    """Add --state; the command gets a path, or None, as keyword `state`."""
    return click.option("--state", metavar="DIR", type=click.Path(readable=False, path_type=Path), help=help)


def listen_callback(ctx: click.Context, param: click.Parameter, text: str | None) -> str | None:
    """An option's callback: the address as it was given, which can be one."""
    if text is not None:
        try:
            parse_listen(text)
        except ListenError as error:
            raise click.BadParameter(str(error), ctx, param) from error
    return text


def save_every_option(help: str) -> Option:
    """Add --save-every; the command gets seconds, as keyword `save_every`."""
    return click.option(
        "--save-every",
        metavar="SECONDS",
        type=Seconds(min=0.05),
        default=5.0,
        show_default=True,
        help=help,
    )


def start_option(help: str) -> Option:
    """Add --start; the command gets, as keyword `start`, where to begin, and from which time on to tell.

    The time is in ms since the epoch, or None.
    """
    return click.option(
        "--start", metavar="WHERE", default="end", show_default=True, callback=_start, help=help
    )


def _start(ctx: click.Context, param: click.Parameter, text: str) -> tuple[Start, int | None]:
    if text in ("beginning", "end"):
        return ("beginning" if text == "beginning" else "end"), None
    try:
        return "beginning", parse_time(text)
    except ValueError as error:
        raise click.BadParameter(f"beginning, end or a time: {error}", ctx, param) from error


class Followed:
    """What is followed, from where, and where that is kept: the options of a verb, together.

    start: as `start_option` gives it. store: None where nothing is kept. requests: is told of HTTP requests.
    Raises CliError where the state directory cannot be used.
    """

    def __init__(
        self,
        reading: Reading,
        start: tuple[Start, int | None],
        state: Path | None,
        requests: "Requests | None" = None,
    ) -> None:
        self._where, self._since = start
        self._reading = _told_from(reading, self._since)
        self._state = state
        self._requests = requests
        self.store: Store | None = None
        if state is not None:
            _prepare(state)
            self.store = Store(state)

    def open(self, snapshot: Snapshot | None) -> Following:
        """Begin to follow, or go on from what was saved. Raises as Following does."""
        return Following(
            self._reading,
            self._where,
            since=self._since,
            snapshot=snapshot,
            state=self._state,
            requests=self._requests,
        )


def _told_from(reading: Reading, since: int | None) -> Reading:
    """The same, telling nothing from before `since` (ms), which --start gave."""
    selection = reading.selection
    if since is None:
        return reading
    begin = since if selection.start_ms is None else max(since, selection.start_ms)
    return msgspec.structs.replace(reading, selection=msgspec.structs.replace(selection, start_ms=begin))


def _prepare(state: Path) -> None:
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
def signals(wake: Callable[[], None], reload: threading.Event | None = None) -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set, instead of ending the program at once; then `wake` is called.

    SIGHUP sets `reload`; where there is none, it ends the program as the others do.
    """
    stop = threading.Event()

    def sets(event: threading.Event) -> Callable[..., None]:
        def handler(*_: object) -> None:
            event.set()
            wake()

        return handler

    handlers = {
        signal.SIGTERM: sets(stop),
        signal.SIGINT: sets(stop),
        signal.SIGHUP: sets(stop if reload is None else reload),
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def tell_files(following: Following) -> None:
    """Log each file that is followed, and from where."""
    for one in following.live:
        log("info", "following", file=shown(one.follower.path), position=one.follower.position)


def close(server: MetricsServer | None, end: Callable[[], None]) -> None:
    """Stop listening, and `end` meanwhile; a client that does not take its answer is not waited for."""
    if server is None:
        end()
        return
    until = time.monotonic() + _CLOSING_SECONDS
    closing = threading.Thread(target=server.close, name="logparse-closing", daemon=True)
    closing.start()
    try:
        end()
    finally:
        closing.join(max(0.0, until - time.monotonic()))
