"""The verb `serve`: follow logs, and serve metrics of what happens in them."""

from functools import partial
from pathlib import Path

import click
import msgspec

from logparse import __version__
from logparse.cli.daemon import (
    Followed,
    close,
    listen_callback,
    save_every_option,
    signals,
    start_option,
    state_option,
    tell_files,
)
from logparse.cli.error import CliError
from logparse.cli.logline import log
from logparse.cli.options import Reading, files_argument, http_option, reading_options
from logparse.cli.outputs import refuse_log
from logparse.cli.service import Service
from logparse.cli.times import EXAMPLES
from logparse.out.http import DEFAULT_LISTEN, ListenError, serve_http
from logparse.out.requests import Requests
from logparse.source.follow import Start


@click.command("serve")
@files_argument
@click.option(
    "--listen",
    metavar="ADDRESS:PORT",
    callback=listen_callback,
    default=DEFAULT_LISTEN,
    show_default=True,
    help="Where to serve /metrics, /healthz, /livez and a landing page.",
)
@state_option(
    "Keep here how far each file was read, the open jobs and the counters, and go on from there after "
    "a restart or a kill, as if there had been none. One program at a time uses it."
)
@save_every_option(
    "How often what --state keeps is saved. A state that takes long to save is saved less often."
)
@start_option(
    "Where to begin in a file without a saved position: beginning, end, or a time, such as: "
    f"{EXAMPLES}. With a time, the file is read from its beginning, and what came before is not counted."
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
    of one installation. Runs until SIGTERM or Ctrl-C, and then ends with 0; with 1 where events for --events
    could not be written, and no state knows of it.

    \b
    Examples:
      logparse serve /var/log/odoo/odoo-server.log
      logparse serve --listen 0.0.0.0:9747 --state /var/lib/logparse --start beginning odoo.log
    """
    if events is not None:
        refuse_log(events, "--events", reading.all_files)
    requests = Requests(reading.selection) if http else None
    followed = Followed(msgspec.structs.replace(reading, http=http), start, state, requests)
    service = Service(followed.open, followed.store, events, save_every, requests)
    with signals(service.waiter.wake, service.reload) as stop:
        try:
            server = serve_http(
                listen,
                service.collector,
                service.health,
                ready=service.ready,
                alive=service.alive,
                warn=partial(log, "warning"),
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
        tell_files(service.following)
        try:
            service.run(stop)
        finally:
            close(server, service.end)
        log("info", "stopped")
    if service.lost is not None:
        raise CliError(service.lost)
