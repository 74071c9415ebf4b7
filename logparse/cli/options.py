"""The options that the verbs share, and what they amount to."""

import functools
import glob
import math
import os
import re
from collections.abc import Callable
from datetime import UTC, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from logparse.cli.times import EXAMPLES, parse_duration, parse_time
from logparse.out.selection import Selection
from logparse.record.wrappers.wrapper import Format
from logparse.source import remote
from logparse.source.url import is_url

R = TypeVar("R")


class Reading(msgspec.Struct, frozen=True):
    """What to read, how, and what of it to tell.

    files: paths as given, names of URLs, `-` for standard input. patterns: directories laid over the built-in
    ones. odoo: the log's series, such as `16.0`; None where the log tells. settle: seconds of log time.
    settle_at_end: whether a finite input is settled at its end. max_jobs: how many are tracked.
    servers: names, and the paths of each one's log. year, zone: of times that are written without one; 0: by
    the file's date. forms: of records, that the user gave. reverse: the logs have their newest line first.
    http: HTTP requests are counted, too.
    """

    files: tuple[str, ...]
    selection: Selection = Selection()
    patterns: tuple[Path, ...] = ()
    odoo: str | None = None
    settle: float = 3600.0
    settle_at_end: bool = True
    max_jobs: int = 200_000
    servers: tuple[tuple[str, tuple[str, ...]], ...] = ()
    year: int = 0
    zone: tzinfo = UTC
    forms: tuple[Format, ...] = ()
    reverse: bool = False
    http: bool = False

    @property
    def all_files(self) -> tuple[str, ...]:
        """Those of all servers, too."""
        return (*self.files, *(file for _, files in self.servers for file in files))


class Seconds(click.FloatRange):
    """An option's seconds, within bounds that also hold what is no number."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds: float = super().convert(value, param, ctx)
        if not math.isfinite(seconds):
            self.fail(f"{value!r} is no number of seconds", param, ctx)
        return seconds


def _parsed(parse: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    """An option's callback: its text, parsed; what `parse` says against it is the usage error."""

    def callback(ctx: click.Context, param: click.Parameter, text: str | None) -> Any:
        if text is None:
            return None
        try:
            return parse(text)
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, param) from error

    return callback


def _odoo(text: str) -> str:
    from logparse.match.versions import major_of

    if major_of(text) is None:
        raise ValueError(f"{text!r} is not an Odoo version; write it like 16.0")
    return text


def _zone(text: str) -> tzinfo:
    if text.upper() in ("UTC", "GMT", "Z"):
        return UTC
    if offset := re.fullmatch(r"(?:UTC)?([+-])(\d{1,2})(?::?([0-5]\d))?", text, re.ASCII):
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        if minutes < 24 * 60:
            return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes))
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(text)
    except (ValueError, OSError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise ValueError(_no_zone(text)) from error
    except KeyError as error:
        raise ValueError(_no_zone(text)) from error


def _no_zone(text: str) -> str:
    return f"there is no time zone {text!r}; write it like Europe/Berlin or +01:00"


def _form(text: str) -> Format:
    from logparse.record.template import template

    return template(text)


def _servers(
    ctx: click.Context, param: click.Parameter, given: tuple[str, ...]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Files by the names of their servers; a name may be given several times."""
    servers: dict[str, list[str]] = {}
    for text in given:
        name, equals, pattern = text.partition("=")
        if not name or not equals or not pattern:
            raise click.BadParameter(
                f"{text!r} is not NAME=FILE, such as web-1=/var/log/web-1/*.log", ctx, param
            )
        paths = expanded(pattern)
        if not paths:
            raise click.BadParameter(f"no file is called like {pattern!r}", ctx, param)
        if "-" in paths:
            raise click.BadParameter(
                "standard input cannot be one of several servers: name files", ctx, param
            )
        servers.setdefault(name, []).extend(paths)
    return tuple((name, tuple(paths)) for name, paths in servers.items())


def expanded(pattern: str) -> list[str]:
    """The files that a pattern stands for, and the names of a URL; what is neither stands for itself."""
    if is_url(pattern):
        return remote.expanded(pattern)
    return sorted(glob.glob(pattern)) if glob.has_magic(pattern) else [pattern]  # noqa: PTH207


http_option = click.option(
    "--http",
    is_flag=True,
    help="Also count HTTP requests, of which every access line tells (docs/requests.md).",
)
"""For the verbs that count."""

time_callback = _parsed(parse_time)
"""For an option that is a time."""


def files_argument(command: Callable[..., R]) -> Callable[..., R]:
    """Add FILE…: one or more, or --server; `-` is standard input. It becomes `reading.files`."""
    return click.argument("files", metavar="FILE...", nargs=-1, type=str)(command)


# In the order of the help.
_OPTIONS = (
    click.option(
        "--from",
        metavar="TIME",
        callback=time_callback,
        help=f"Tell what happened from this time on, such as: {EXAMPLES}. Without a zone: UTC, as the log.",
    ),
    click.option("--to", metavar="TIME", callback=time_callback, help="Tell what happened before this time."),
    click.option("--db", multiple=True, metavar="NAME", help="Tell of this database only. Repeatable."),
    click.option(
        "--patterns",
        multiple=True,
        metavar="DIR",
        type=click.Path(readable=False, path_type=Path),
        help="Lay the patterns of this directory over the built-in ones. Repeatable.",
    ),
    click.option(
        "--odoo",
        metavar="VERSION",
        callback=_parsed(_odoo),
        help="The log's Odoo version, such as 16.0, where it does not tell.",
    ),
    click.option(
        "--server",
        multiple=True,
        metavar="NAME=FILE",
        callback=_servers,
        help="The log of one of several servers of the installation; FILE may be a pattern such as "
        "'/var/log/a/odoo.log*'. Repeatable. The logs are read together, in the order of time.",
    ),
    click.option(
        "--timezone",
        metavar="ZONE",
        callback=_parsed(_zone),
        default="UTC",
        show_default=True,
        help="The zone of times that the log has no zone for, such as Europe/Berlin or +01:00 (Odoo writes "
        "UTC, but on Windows; syslog writes the machine's time).",
    ),
    click.option(
        "--year",
        metavar="YEAR",
        type=click.IntRange(1970, 9998),
        help="The year in which a syslog without years begins, where the file's date does not tell.",
    ),
    click.option(
        "--log-format",
        metavar="FORMAT",
        callback=_parsed(_form),
        help="The log's own format, as Python's logging has it: '%(asctime)s|%(process)d|%(levelname)s|"
        "%(dbname)s|%(name)s|%(message)s'.",
    ),
    click.option("--reverse", is_flag=True, help="The log has its newest line first."),
    click.option(
        "--settle",
        metavar="DURATION",
        callback=_parsed(parse_duration),
        default="1h",
        show_default=True,
        help="How long, by the log's time, an attempt that ended without error may still prove a retry.",
    ),
    click.option(
        "--no-settle-at-end",
        is_flag=True,
        help="Leave open at the end what the log's time has not settled, as a follower does.",
    ),
    click.option(
        "--max-jobs",
        metavar="NUMBER",
        type=click.IntRange(min=1),
        default=200_000,
        show_default=True,
        help="How many jobs are tracked at once; beyond it finished ones are forgotten, then the oldest.",
    ),
)


class Workers(msgspec.Struct, frozen=True):
    """Who reads large logs: so many processes of this machine, or a Dask cluster at this address."""

    number: int = 1
    cluster: str | None = None


def workers_option(command: Callable[..., R]) -> Callable[..., R]:
    """Add --workers and --dask; the command gets Workers as keyword `workers`."""

    @functools.wraps(command)
    def with_workers(workers: int, dask: str | None, **given: Any) -> R:
        return command(workers=Workers(workers, dask), **given)

    options = (
        click.option(
            "--workers",
            metavar="NUMBER",
            type=click.IntRange(1, 256),
            default=_cores,
            help="How many processes read a large log at once; by default as many as there are cores. What "
            "is told is the same with any number.",
        ),
        click.option(
            "--dask",
            metavar="ADDRESS",
            help="Have the workers of a Dask cluster read the logs, such as tcp://scheduler:8786 "
            "(docs/cluster.md). What is told is the same.",
        ),
    )
    decorated: Callable[..., R] = with_workers
    for option in reversed(options):
        decorated = option(decorated)
    return decorated


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def reading_options(command: Callable[..., R]) -> Callable[..., R]:
    """Add the options of a verb that reads logs; the command gets them, and FILE…, as keyword `reading`."""

    @functools.wraps(command)
    def with_reading(**given: Any) -> R:
        start, end = given.pop("from"), given.pop("to")
        if start is not None and end is not None and start >= end:
            raise click.UsageError("--from is not before --to, so there is nothing to tell")
        form = given.pop("log_format")
        if not given["files"] and not given["server"]:
            raise click.UsageError("Missing argument 'FILE...'")
        reading = Reading(
            files=tuple(
                name
                for file in given.pop("files")
                # What a shell has not put in for a pattern is a file that is called so.
                for name in (remote.expanded(file) if is_url(file) else [file])
            ),
            servers=given.pop("server"),
            year=given.pop("year") or 0,
            zone=given.pop("timezone"),
            forms=() if form is None else (form,),
            reverse=given.pop("reverse"),
            selection=Selection(start, end, frozenset(given.pop("db"))),
            patterns=given.pop("patterns"),
            odoo=given.pop("odoo"),
            settle=given.pop("settle"),
            settle_at_end=not given.pop("no_settle_at_end"),
            max_jobs=given.pop("max_jobs"),
        )
        return command(reading=reading, **given)

    decorated: Callable[..., R] = with_reading
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated
