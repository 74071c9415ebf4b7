"""The verb `replay`: a summary of what happened to the jobs of a log."""

import sys

import click
import msgspec

from logparse.cli.error import CliError
from logparse.cli.historical import history, history_options
from logparse.cli.options import Reading, files_argument, http_option, reading_options
from logparse.cli.run import open_run
from logparse.out.sink import Sink


@click.command("replay")
@files_argument
@click.option(
    "--json", "as_json", is_flag=True, help="Print the summary as JSON (docs/replay.md has the keys)."
)
@click.option(
    "--metrics", is_flag=True, help="Print the counters as Prometheus metrics, the same that `serve` exposes."
)
@click.option(
    "--top",
    metavar="NUMBER",
    type=click.IntRange(0, 1000),
    default=10,
    show_default=True,
    help="How many of the slowest attempts, the most failing jobs and so on to name.",
)
@click.option(
    "--openmetrics",
    metavar="FILE",
    help="Write all metrics at all times to FILE, for Prometheus to take as history (docs/history.md).",
)
@history_options
@http_option
@reading_options
def command(
    reading: Reading,
    as_json: bool,
    metrics: bool,
    top: int,
    openmetrics: str | None,
    step: int,
    labels: dict[str, str],
    http: bool,
) -> None:
    """Summarise what happened to the jobs of a log.

    Per database: how often what happened, how long attempts took and waited, what failed and why, what is
    open at the end; and what this log cannot show, with the setting of Odoo that would. FILE may be plain,
    .gz, .zst, .bz2, .xz or - for standard input; several are one log in pieces, and are put in order by their
    first record's time.

    \b
    Examples:
      logparse replay odoo.log
      logparse replay --from "yesterday 14:00" --db prod odoo.log odoo.log.1.gz
      logparse replay --openmetrics out.om --step 15s odoo.log
      logparse replay --json odoo.log | jq '.databases[].events'
    """
    if as_json and metrics:
        raise click.UsageError("--json and --metrics are two forms of the same: give one of them")
    if sys.stdout is None:
        raise CliError("standard output is closed: there is nowhere to print to")
    from logparse.cli import printed
    from logparse.cli.outputs import run_into
    from logparse.out.counts import Counts
    from logparse.out.summary import Summary

    run = open_run(msgspec.structs.replace(reading, http=http), progress=True)
    form = printed.Json if as_json else printed.Metrics if metrics else printed.Tables
    # In the order in which they are finished: what is printed comes last.
    sinks: list[Sink] = []
    if openmetrics is not None:
        sinks.append(history(openmetrics, step, labels, reading))
    sinks.append(form(Summary(Counts(requests=run.requests), top=top)))
    run_into(run, sinks)
