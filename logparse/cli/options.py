"""The options that the verbs share, and what they amount to."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from logparse.cli.times import EXAMPLES, parse_duration, parse_time
from logparse.out.selection import Selection

R = TypeVar("R")


class Reading(msgspec.Struct, frozen=True):
    """What to read, how, and what of it to tell.

    files: paths as given, `-` for standard input. patterns: directories laid over the built-in ones.
    odoo: the log's series, such as `16.0`; None where the log tells. settle: seconds of log time.
    settle_at_end: whether a finite input is settled at its end. max_jobs: how many are tracked.
    """

    files: tuple[str, ...]
    selection: Selection = Selection()
    patterns: tuple[Path, ...] = ()
    odoo: str | None = None
    settle: float = 3600.0
    settle_at_end: bool = True
    max_jobs: int = 200_000


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


time_callback = _parsed(parse_time)
"""For an option that is a time."""


def files_argument(command: Callable[..., R]) -> Callable[..., R]:
    """Add FILE…: one or more; `-` is standard input. It becomes `reading.files`."""
    return click.argument("files", metavar="FILE...", nargs=-1, required=True, type=str)(command)


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


def reading_options(command: Callable[..., R]) -> Callable[..., R]:
    """Add the options of a verb that reads logs; the command gets them, and FILE…, as keyword `reading`."""

    @functools.wraps(command)
    def with_reading(**given: Any) -> R:
        start, end = given.pop("from"), given.pop("to")
        if start is not None and end is not None and start >= end:
            raise click.UsageError("--from is not before --to, so there is nothing to tell")
        reading = Reading(
            files=tuple(given.pop("files")),
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
