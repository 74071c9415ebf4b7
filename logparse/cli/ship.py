"""The verb `ship`: follow logs, and push what happens in them to Loki, as events."""

import re
from functools import partial
from pathlib import Path

import click

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
from logparse.cli.error import CliError, say
from logparse.cli.events import EVENTS, only_callback
from logparse.cli.logline import log
from logparse.cli.loki import endpoint_options, url_option
from logparse.cli.once import send_once
from logparse.cli.options import Reading, Seconds, files_argument, reading_options
from logparse.cli.shipping import Plan, Shipping
from logparse.export.signal import SHIPPED, SOURCE
from logparse.out.endpoint import Endpoint
from logparse.out.http import ListenError, serve_http
from logparse.source.follow import Start

_LABEL = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.{1,1000})", re.DOTALL)


def _labels(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    labels = {"job": "logparse", SOURCE: SHIPPED}
    for text in given:
        match = _LABEL.fullmatch(text)
        if match is None or not match[2].isprintable():
            raise click.BadParameter(f"{text!r} is not NAME=VALUE, such as env=prod", ctx, param)
        if match[1] in (SOURCE, "event", "db", "server", "late"):
            raise click.BadParameter(f"the label {match[1]} is set by logparse", ctx, param)
        labels[match[1]] = match[2]
    if len(labels) > 11:  # with its own two
        raise click.BadParameter("Loki takes 15 labels at most, and five are set by logparse", ctx, param)
    return labels


@click.command("ship")
@files_argument
@url_option
@state_option(
    "Keep here how far each file was read and what is not in Loki yet, and go on from there after a "
    "restart or a kill. One program at a time uses it."
)
@start_option("Where to begin in a file without a saved position: beginning, end, or a time, as in `serve`.")
@click.option(
    "--once",
    is_flag=True,
    help="Send what the files hold now, which may be compressed, and end; needs no --state.",
)
@click.option("--only", metavar="EVENT[,EVENT…]", callback=only_callback, help="Send these events only.")
@click.option(
    "--no-channel-state", is_flag=True, help="Leave out channel_state, of which DEBUG logs are full."
)
@click.option(
    "--label",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_labels,
    help="A label for all streams; job=logparse is one unless given. Repeatable.",
)
@click.option(
    "--with-text",
    is_flag=True,
    help="Also send texts of the log: tracebacks of failures, messages of refusals and retries. They may "
    "hold personal data.",
)
@endpoint_options
@click.option(
    "--batch-wait",
    metavar="SECONDS",
    type=Seconds(0.05, 3600),
    default=1.0,
    show_default=True,
    help="How long an event may wait for others to be sent with it.",
)
@click.option(
    "--batch-bytes",
    metavar="BYTES",
    type=click.IntRange(1 << 10, 3 << 20),
    default=1 << 20,
    show_default=True,
    help="The most of one push, before compression; four times as much may wait in memory.",
)
@click.option(
    "--batch-count",
    metavar="NUMBER",
    type=click.IntRange(1, 100_000),
    default=5000,
    show_default=True,
    help="The most events of one push.",
)
@save_every_option("How often what --state keeps is saved, beside after each push.")
@click.option(
    "--listen",
    metavar="ADDRESS:PORT",
    callback=listen_callback,
    help="Serve /metrics and /healthz of the sending here; else nowhere.",
)
@reading_options
def command(
    reading: Reading,
    loki: Endpoint,
    state: Path | None,
    start: tuple[Start, int | None],
    once: bool,
    only: frozenset[str] | None,
    no_channel_state: bool,
    label: dict[str, str],
    with_text: bool,
    batch_wait: float,
    batch_bytes: int,
    batch_count: int,
    save_every: float,
    listen: str | None,
) -> None:
    """Follow logs and push what happens to the jobs to Loki, one entry for each event.

    FILE is a plain log that Odoo writes to, as for `serve`. An entry's line is the event as `logparse events`
    prints it; event, db and server are labels, the job's uuid and the rest are structured metadata. While
    Loki is away, events wait. Runs until SIGTERM or Ctrl-C, and then ends with 0 (docs/pipelines.md).

    \b
    Examples:
      logparse ship --loki http://loki:3100 --state /var/lib/logparse-ship /var/log/odoo/odoo.log
      logparse ship --loki https://loki.example.org --user odoo --password-file /etc/logparse/loki odoo.log
      logparse ship --loki http://loki:3100 --once odoo.log.2.gz odoo.log.1.gz
    """
    wanted = frozenset(EVENTS) if only is None else only
    if no_channel_state:
        wanted -= {"channel_state"}
    if once and (state is not None or listen is not None):
        raise click.UsageError("--once neither keeps a state nor listens: leave out --state and --listen")
    if loki.bare:
        say(f"warning: the login goes to {loki.host} as it is, since the URL is not https")
    plan = Plan(loki, label, wanted, with_text, batch_wait, batch_bytes, batch_count)
    if once:
        send_once(reading, plan)
    else:
        _follow(Followed(reading, start, state), plan, save_every, listen)


def _follow(followed: Followed, plan: Plan, save_every: float, listen: str | None) -> None:
    shipping = Shipping(followed.open, followed.store, plan, save_every)
    with signals(shipping.waiter.wake) as stop:
        server = None
        if listen is not None:
            try:
                server = serve_http(
                    listen,
                    shipping.collector,
                    shipping.health,
                    alive=shipping.alive,
                    warn=partial(log, "warning"),
                    description="What is sent to Loki of Odoo's queue jobs.",
                )
            except ListenError as error:
                raise CliError(str(error)) from error
            log("info", "listening", url=server.url, version=__version__)
        log("info", "sending", loki=plan.endpoint.url, waiting=len(shipping.sending.outbox))
        tell_files(shipping.following)
        try:
            shipping.run(stop)
        finally:
            close(server, shipping.end)
        log("info", "stopped", sent=shipping.sending.outbox.sent)
