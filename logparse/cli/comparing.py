"""`replay --compare`: what is compared with what, and how it is read."""

import glob
from pathlib import Path
from typing import NamedTuple

import click
import msgspec

from logparse.cli import printed
from logparse.cli.options import Reading, Workers
from logparse.cli.outputs import run_into
from logparse.cli.run import open_run
from logparse.cli.times import EXAMPLES, parse_time
from logparse.out.selection import Selection
from logparse.source import remote
from logparse.source.url import is_url

MOST_ROWS = 20


class Before(NamedTuple):
    """What came before: a period (ms; None: no bound), or files."""

    start: int | None = None
    end: int | None = None
    files: tuple[str, ...] = ()


def parse(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> Before | None:
    """The option's value: logs, else a time, or a period of two."""
    if not given:
        return None
    files: list[str] = []
    for text in given:
        if text == "-":
            raise click.BadParameter("standard input is read once: name the files of before", ctx, param)
        if is_url(text):
            files += remote.expanded(text)
        elif Path(text).exists():
            files.append(text)
        elif glob.has_magic(text) and (found := sorted(glob.glob(text))):  # noqa: PTH207
            files += found
        elif len(given) > 1:
            raise click.BadParameter(f"{text!r} does not exist: several are logs, all of them", ctx, param)
    if files:
        return Before(files=tuple(files))
    start, dots, end = given[0].partition("..")
    try:
        if not dots:
            return Before(end=parse_time(start))
        before = Before(
            parse_time(start) if start.strip() else None, parse_time(end) if end.strip() else None
        )
    except ValueError as error:
        raise click.BadParameter(_neither(given[0]), ctx, param) from error
    if before.start is not None and before.end is not None and before.start >= before.end:
        raise click.BadParameter(
            f"{given[0]!r} does not begin before its end, so there is nothing to compare", ctx, param
        )
    return before


def _neither(text: str) -> str:
    return (
        f"{text!r} is neither a log that exists, nor a time ({EXAMPLES}), nor a period, such as "
        "'2026-11-20..2026-11-21'"
    )


def compare(reading: Reading, before: Before, form: str, most: int | None, *, workers: Workers) -> None:
    """Read both sides and print how they differ. Raises CliError, SourceError, click.UsageError.

    most: rows of a table. workers: who read large logs.
    """
    from logparse.out.compare import Side, compared

    selection = reading.selection
    if before.files:
        earlier = msgspec.structs.replace(reading, files=before.files, servers=())
        first, second = Side(selection), Side(selection)
        run_into(open_run(earlier, progress=True, workers=workers), [first])
        run_into(open_run(reading, progress=True, workers=workers), [second])
    else:
        start, end = _bounds(selection, before)
        first = Side(msgspec.structs.replace(selection, start_ms=start, end_ms=end))
        # After it: from --from on, else from the end of the period.
        own = selection.start_ms if before.start is not None and selection.start_ms is not None else end
        second = Side(msgspec.structs.replace(selection, start_ms=own))
        everything = msgspec.structs.replace(reading, selection=Selection(dbs=selection.dbs))
        run_into(open_run(everything, progress=True, workers=workers), [first, second])
    comparison = compared(first, second)
    if form == "json":
        printed.to_json(comparison)
    elif form == "csv":
        from logparse.out.difference import plain
        from logparse.out.table import as_csv

        printed.to_text(as_csv(plain(comparison)))
    elif form == "markdown":
        from logparse.out.markdown import comparison as text

        printed.to_text(text(comparison))
    else:
        from logparse.out.terminal.grid import show_comparison

        printed.to_console(lambda console: show_comparison(comparison, console, most or MOST_ROWS))


def _bounds(selection: Selection, before: Before) -> tuple[int | None, int]:
    """Of the period before: a single time divides what --from and --to select.

    Raises click.UsageError where nothing is left on one side.
    """
    start, end = before.start, before.end
    if start is None:
        start = selection.start_ms
    if end is None:
        end = selection.start_ms
    if end is None:
        raise click.UsageError("the period of --compare has no end: write it like 2026-11-20..2026-11-21")
    if start is not None and start >= end:
        if before.start is None:
            raise click.UsageError(
                "--from is not before the time of --compare, so nothing comes before it: give an earlier one"
            )
        raise click.UsageError(
            "--from, where the period of --compare ends, is not after its beginning: give the period an end"
        )
    if selection.end_ms is not None and end >= selection.end_ms:
        raise click.UsageError(
            "--to is not after what --compare names, so nothing comes after it: give a later --to"
        )
    return start, end
