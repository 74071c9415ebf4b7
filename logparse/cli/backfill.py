"""The verb `backfill`: the history of logs, put into Prometheus' own storage."""

import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from logparse.cli.error import CliError, say
from logparse.cli.historical import history, history_options
from logparse.cli.options import Reading, Workers, files_argument, reading_options, workers_option
from logparse.cli.times import parse_duration
from logparse.out.time import iso
from logparse.source.error import SourceError, shown

if TYPE_CHECKING:
    from logparse.out.blocks import Blocks

_RETENTION_MS = 15 * 86_400_000  # of a Prometheus that was told nothing else
_SHORTEST_HOURS = 2.0


def _hours(ctx: click.Context, param: click.Parameter, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        hours = parse_duration(text) / 3600
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from error
    if hours < _SHORTEST_HOURS:
        raise click.BadParameter("Prometheus has no shorter blocks than 2h", ctx, param)
    return hours


@click.command("backfill")
@files_argument
@click.option(
    "--tsdb",
    metavar="DIR",
    required=True,
    type=click.Path(path_type=Path),
    help="Prometheus' storage (its --storage.tsdb.path), or an empty directory to carry there.",
)
@history_options
@click.option(
    "--max-block-duration",
    "hours",
    metavar="DURATION",
    callback=_hours,
    help="The longest span of a block; by default so that there are a dozen of them or less, since promtool "
    "reads everything again for each.",
)
@click.option(
    "--promtool",
    metavar="PATH",
    default="promtool",
    show_default=True,
    help="Prometheus' tool, which makes the blocks.",
)
@workers_option
@reading_options
def command(
    reading: Reading,
    workers: Workers,
    tsdb: Path,
    step: int,
    labels: dict[str, str],
    hours: float | None,
    promtool: str,
) -> None:
    """Put the history of logs into Prometheus' storage, as if it had scraped them all along.

    Everything that `serve` exposes, at every time of the log: dashboards and queries then show what was
    before Prometheus looked. Prometheus may be running; it sees the new blocks within minutes. They appear
    when they are whole and when every sample was counted in them, or not at all. docs/history.md has it
    step by step.

    \b
    Examples:
      logparse backfill --tsdb /var/lib/prometheus/metrics2 odoo.log odoo.log.1.gz
      logparse backfill --tsdb data --label job=odoo_queue_job --label instance=odoo-1:9747 odoo.log
      logparse backfill --tsdb data --from 2026-11-01 --to 2026-11-08 --step 1m odoo.log*
    """
    tool = shutil.which(promtool)
    if tool is None:
        raise CliError(
            f"{shown(promtool)} is not there: it comes with Prometheus (Debian: apt-get install prometheus); "
            "name it with --promtool, or write a file for it with `logparse replay --openmetrics`"
        )
    from logparse.cli.outputs import run_into, working
    from logparse.cli.run import open_run
    from logparse.out.blocks import BlocksError, block_hours, make_blocks, move_blocks

    run = open_run(reading, progress=True, workers=workers)
    storage = _storage(tsdb)
    failure: SourceError | None = None
    with _workplace(storage) as place:
        written, made = Path(place) / "history.om", Path(place) / "blocks"
        sink = history(str(written), step, labels, reading)
        try:
            run_into(run, [sink])
        except SourceError as error:
            failure = error  # what could be read is told
        if sink.span is None:
            raise failure or CliError("no line is about a job, or the runner, so there is no history")
        length = (sink.span.last - sink.span.first) * sink.span.step_ms
        try:
            with working(f"promtool makes blocks of {sink.samples:,} samples"):
                blocks = make_blocks(tool, written, sink.samples, hours or block_hours(length), made)
            move_blocks(blocks, made, storage)
        except BlocksError as error:
            raise CliError(f"{error}; {shown(str(tsdb))} is as it was") from error
        except OSError as error:
            raise _refused(storage, error) from error
    _tell(blocks, sink.span.first * step, sink.span.last * step, tsdb)
    if failure is not None:
        raise failure


def _storage(tsdb: Path) -> Path:
    try:
        tsdb.mkdir(exist_ok=True)
    except OSError as error:
        raise _refused(tsdb, error) from error
    return tsdb


def _workplace(storage: Path) -> "tempfile.TemporaryDirectory[str]":
    """Beside the blocks, so that they can be moved there whole; Prometheus leaves it alone."""
    try:
        return tempfile.TemporaryDirectory(prefix=".logparse-", dir=storage)
    except OSError as error:
        raise _refused(storage, error) from error


def _refused(storage: Path, error: OSError) -> CliError:
    hint = "; run this as the user of Prometheus" if isinstance(error, PermissionError) else ""
    return CliError(f"{shown(str(storage))} cannot be written to: {error.strerror or error}{hint}")


def _tell(blocks: "Blocks", first: int, last: int, tsdb: Path) -> None:
    from logparse.out import units

    samples = units.plural(blocks.samples, "sample")
    period = units.period(iso(first) or "", iso(last) or "")
    click.echo(
        f"{samples} ({units.size(blocks.bytes)}), {period}, in {units.plural(len(blocks.names), 'block')}:"
    )
    for name in blocks.names:
        click.echo(shown(str(tsdb / name)))
    if first < time.time() * 1000 - _RETENTION_MS:
        say(
            "Prometheus deletes what is older than its --storage.tsdb.retention.time, 15 days unless it was "
            "told more: look that it is told enough"
        )
