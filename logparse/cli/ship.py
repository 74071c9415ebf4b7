"""The verb `ship`: follow logs, and push what happens in them to Loki, as events."""

import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from logparse import __version__
from logparse.cli.error import CliError, say
from logparse.cli.events import EVENTS, only_callback
from logparse.cli.following import Following
from logparse.cli.logline import log
from logparse.cli.once import send_once
from logparse.cli.options import Reading, files_argument, reading_options
from logparse.cli.serve import close, prepare, start_callback, told_from
from logparse.cli.shipping import Plan, Shipping
from logparse.cli.snapshot import Snapshot, Store
from logparse.export.signal import SHIPPED, SOURCE
from logparse.out.endpoint import Endpoint, EndpointError, Login, endpoint
from logparse.out.http import ListenError, serve_http
from logparse.source.error import shown
from logparse.source.follow import Start

PASSWORD, TOKEN = "LOGPARSE_SHIP_PASSWORD", "LOGPARSE_SHIP_TOKEN"
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
@click.option("--loki", metavar="URL", required=True, help="Where Loki is, such as http://loki:3100.")
@click.option(
    "--state",
    metavar="DIR",
    type=click.Path(readable=False, path_type=Path),
    help="Keep here how far each file was read and what is not in Loki yet, and go on from there after a "
    "restart or a kill. One program at a time uses it.",
)
@click.option(
    "--start",
    metavar="WHERE",
    default="end",
    show_default=True,
    callback=start_callback,
    help="Where to begin in a file without a saved position: beginning, end, or a time, as in `serve`.",
)
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
@click.option("--tenant", metavar="ID", help="The tenant in Loki (X-Scope-OrgID).")
@click.option(
    "--user",
    metavar="NAME",
    help=f"For basic authentication; the password is in --password-file, or in the variable {PASSWORD}.",
)
@click.option(
    "--password-file", metavar="FILE", type=click.Path(path_type=Path), help="Holds the password of --user."
)
@click.option(
    "--token-file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help=f"Holds a bearer token, which may be replaced at any time; or it is in the variable {TOKEN}.",
)
@click.option(
    "--ca-file", metavar="FILE", type=click.Path(path_type=Path), help="Certificates that sign Loki's, PEM."
)
@click.option(
    "--cert-file", metavar="FILE", type=click.Path(path_type=Path), help="A certificate to show to Loki, PEM."
)
@click.option("--key-file", metavar="FILE", type=click.Path(path_type=Path), help="Its key, PEM.")
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(0.1, 300),
    default=10.0,
    show_default=True,
    help="How long to wait for an answer.",
)
@click.option(
    "--batch-wait",
    metavar="SECONDS",
    type=click.FloatRange(0.05, 3600),
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
@click.option(
    "--save-every",
    metavar="SECONDS",
    type=click.FloatRange(min=0.05),
    default=5.0,
    show_default=True,
    help="How often what --state keeps is saved, beside after each push.",
)
@click.option(
    "--listen", metavar="ADDRESS:PORT", help="Serve /metrics and /healthz of the sending here; else nowhere."
)
@reading_options
def command(
    reading: Reading,
    loki: str,
    state: Path | None,
    start: tuple[Start, int | None],
    once: bool,
    only: frozenset[str] | None,
    no_channel_state: bool,
    label: dict[str, str],
    with_text: bool,
    tenant: str | None,
    user: str | None,
    password_file: Path | None,
    token_file: Path | None,
    ca_file: Path | None,
    cert_file: Path | None,
    key_file: Path | None,
    timeout: float,
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
    where = _endpoint(
        loki,
        _login(user, password_file, token_file),
        tenant,
        (ca_file, cert_file, key_file),
        timeout,
    )
    if where.bare:
        say(f"warning: the login goes to {where.host} as it is, since the URL is not https")
    plan = Plan(where, label, wanted, with_text, batch_wait, batch_bytes, batch_count)
    if once:
        send_once(reading, plan)
    else:
        _follow(reading, plan, start, state, save_every, listen)


def _login(user: str | None, password_file: Path | None, token_file: Path | None) -> Login:
    password = os.environ.get(PASSWORD) if password_file is None else None
    token = os.environ.get(TOKEN) if token_file is None else None
    if user is not None and password is None and password_file is None:
        raise click.UsageError(f"--user needs --password-file, or the variable {PASSWORD}")
    if user is None and password_file is not None:
        raise click.UsageError("--password-file needs --user")
    if user is not None and token_file is not None:
        raise click.UsageError("--user and --token-file are two logins: give one")
    if user is not None:
        return Login(user=user, password=password, password_file=password_file)
    return Login(token=token, token_file=token_file)


def _endpoint(
    url: str,
    login: Login,
    tenant: str | None,
    tls: tuple[Path | None, Path | None, Path | None],
    timeout: float,
) -> Endpoint:
    ca_file, cert_file, key_file = tls
    try:
        return endpoint(
            url,
            login=login,
            tenant=tenant,
            ca_file=ca_file,
            cert_file=cert_file,
            key_file=key_file,
            timeout=timeout,
        )
    except EndpointError as error:
        raise CliError(str(error)) from error


def _follow(
    reading: Reading,
    plan: Plan,
    start: tuple[Start, int | None],
    state: Path | None,
    save_every: float,
    listen: str | None,
) -> None:
    where, since = start
    reading = told_from(reading, since)
    store = None
    if state is not None:
        prepare(state)
        store = Store(state)

    def following(snapshot: Snapshot | None) -> Following:
        return Following(reading, where, since=since, snapshot=snapshot, state=state)

    shipping = Shipping(following, store, plan, save_every)
    with _signals(shipping) as stop:
        server = None
        if listen is not None:
            try:
                server = serve_http(
                    listen,
                    shipping.collector,
                    shipping.health,
                    alive=shipping.alive,
                    description="What is sent to Loki of Odoo's queue jobs.",
                )
            except ListenError as error:
                raise CliError(str(error)) from error
            log("info", "listening", url=server.url, version=__version__)
        log("info", "sending", loki=plan.endpoint.url, waiting=len(shipping.sending.outbox))
        for one in shipping.following.live:
            log("info", "following", file=shown(one.follower.path), position=one.follower.position)
        try:
            shipping.run(stop)
        finally:
            shipping.end()
            if server is not None:
                close(server)
        log("info", "stopped", sent=shipping.sending.outbox.sent)


@contextmanager
def _signals(shipping: Shipping) -> Iterator[threading.Event]:
    """An event that SIGTERM, SIGINT and SIGHUP set, instead of ending the program at once."""
    stop = threading.Event()

    def end(*_: object) -> None:
        stop.set()
        shipping.waiter.wake()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
