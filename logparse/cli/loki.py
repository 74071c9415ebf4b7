"""The options that say where Loki is and how it is spoken to; they amount to an Endpoint."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from logparse.cli.error import CliError
from logparse.cli.options import Seconds
from logparse.out.endpoint import EndpointError, Login, endpoint

R = TypeVar("R")
Option = Callable[[Callable[..., Any]], Callable[..., Any]]

_PASSWORD, _TOKEN = "LOGPARSE_SHIP_PASSWORD", "LOGPARSE_SHIP_TOKEN"


def _file_option(name: str, help: str) -> Option:
    return click.option(name, metavar="FILE", type=click.Path(path_type=Path), help=help)


# In the order of the help.
_OPTIONS = (
    click.option("--tenant", metavar="ID", help="The tenant in Loki (X-Scope-OrgID)."),
    click.option(
        "--user",
        metavar="NAME",
        help=f"For basic authentication; the password is in --password-file, or in the variable {_PASSWORD}.",
    ),
    _file_option("--password-file", "Holds the password of --user."),
    _file_option(
        "--token-file",
        f"Holds a bearer token, which may be replaced at any time; or it is in the variable {_TOKEN}.",
    ),
    _file_option("--ca-file", "Certificates that sign Loki's, PEM."),
    _file_option("--cert-file", "A certificate to show to Loki, PEM."),
    _file_option("--key-file", "Its key, PEM."),
    click.option(
        "--timeout",
        metavar="SECONDS",
        type=Seconds(0.1, 300),
        default=10.0,
        show_default=True,
        help="How long to wait for an answer.",
    ),
)

url_option = click.option(
    "--loki", metavar="URL", required=True, help="Where Loki is, such as http://loki:3100."
)
"""Goes with `endpoint_options`, which take its value."""


def endpoint_options(command: Callable[..., R]) -> Callable[..., R]:
    """Add the options beside `url_option`; the command gets them all as keyword `loki`, an Endpoint."""

    @functools.wraps(command)
    def with_endpoint(**given: Any) -> R:
        login = _login(given.pop("user"), given.pop("password_file"), given.pop("token_file"))
        named = {name: given.pop(name) for name in ("tenant", "ca_file", "cert_file", "key_file", "timeout")}
        try:
            loki = endpoint(given.pop("loki"), login=login, **named)
        except EndpointError as error:
            if error.option is not None:
                raise click.BadParameter(str(error), param_hint=f"'{error.option}'") from error
            raise CliError(str(error)) from error
        return command(loki=loki, **given)

    decorated: Callable[..., R] = with_endpoint
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


def _login(user: str | None, password_file: Path | None, token_file: Path | None) -> Login:
    password = os.environ.get(_PASSWORD) if password_file is None else None
    token = os.environ.get(_TOKEN) if token_file is None else None
    if user is not None and password is None and password_file is None:
        raise click.UsageError(f"--user needs --password-file, or the variable {_PASSWORD}")
    if user is None and password_file is not None:
        raise click.UsageError("--password-file needs --user")
    if user is not None and token_file is not None:
        raise click.UsageError("--user and --token-file are two logins: give one")
    if user is not None:
        return Login(user=user, password=password, password_file=password_file)
    return Login(token=token, token_file=token_file)
