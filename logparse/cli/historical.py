"""The options of a history for Prometheus, which `replay --openmetrics` and `backfill` share."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from logparse.cli.options import Reading
from logparse.cli.times import parse_duration
from logparse.out.families import FAMILIES

if TYPE_CHECKING:
    from logparse.out.history import History

R = TypeVar("R")

_LABEL = r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*"
_OWN = frozenset({"le", *(label for family in FAMILIES for label in family.labels)})
_LONGEST_STEP = 240.0


def _step_ms(ctx: click.Context, param: click.Parameter, text: str) -> int:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from error
    if not 1 <= seconds <= _LONGEST_STEP:
        raise click.BadParameter(
            f"{text!r} is not from 1s to 4m: Prometheus looks back five minutes for a sample", ctx, param
        )
    return round(seconds * 1000)


def _labels(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    labels = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not re.fullmatch(_LABEL, name):
            raise click.BadParameter(f"{text!r} is not NAME=VALUE, such as job=odoo_queue_job", ctx, param)
        if name in _OWN:
            raise click.BadParameter(f"{name} is a label that the metrics have by themselves", ctx, param)
        labels[name] = value
    return labels


_OPTIONS = (
    click.option(
        "--step",
        metavar="DURATION",
        callback=_step_ms,
        default="15s",
        show_default=True,
        help="Of a history for Prometheus: the time between two samples of what changes.",
    ),
    click.option(
        "--label",
        "labels",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_labels,
        help="A label for all samples of a history for Prometheus, such as job=odoo_queue_job or "
        "instance=odoo-1:9747, which scraped ones have. Repeatable.",
    ),
)


def history_options(command: Callable[..., R]) -> Callable[..., R]:
    """Add --step and --label; the command gets `step` (ms) and `labels`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def history(path: str, step: int, labels: dict[str, str], reading: Reading) -> "History":
    """The sink of `--openmetrics`. Raises CliError where the path cannot be one."""
    from logparse.cli.outputs import checked
    from logparse.cli.run import context_of
    from logparse.out.history import History

    return History(checked(path, "--openmetrics", reading.all_files), step, context_of(reading), labels)
