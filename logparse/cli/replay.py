"""The verb `replay`: a summary of what happened to the jobs of a log."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from logparse.cli.error import CliError, say
from logparse.cli.options import Reading, files_argument, reading_options
from logparse.cli.run import Run, open_run
from logparse.source.error import SourceError

if TYPE_CHECKING:
    from logparse.out.counts import Counts
    from logparse.out.report import Report


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
@reading_options
def command(reading: Reading, as_json: bool, metrics: bool, top: int) -> None:
    """Summarise what happened to the jobs of a log.

    Per database: how often what happened, how long attempts took and waited, what failed and why, what is
    open at the end; and what this log cannot show, with the setting of Odoo that would. FILE may be plain,
    .gz, .zst, .bz2, .xz or - for standard input; several are one log in pieces, and are put in order by their
    first record's time.

    \b
    Examples:
      logparse replay odoo.log
      logparse replay --from "yesterday 14:00" --db prod odoo.log odoo.log.1.gz
      logparse replay --json odoo.log | jq '.databases[].events'
    """
    if as_json and metrics:
        raise click.UsageError("--json and --metrics are two forms of the same: give one of them")
    if sys.stdout is None:
        raise CliError("standard output is closed: there is nowhere to print to")
    from logparse.out.summary import Summary

    run = open_run(reading, progress=True)
    summary = Summary(top=top)
    failure: SourceError | CliError | None = None
    try:
        for output in run.outputs():
            summary.add(output)
    except SourceError as error:
        failure = error
    finally:
        for warning in run.warnings:
            say(warning)
    if failure is not None and not run.pipe.tally.headers:
        raise failure
    if metrics:
        _print_metrics(run, summary.counts)
    else:
        report = summary.result(run.pipe, run.files)
        if as_json:
            _print_json(report)
        else:
            _print_tables(report)
    if failure is not None:
        raise failure


def _print_json(report: "Report") -> None:
    import msgspec

    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")


def _print_tables(report: "Report") -> None:
    from logparse.out.terminal.layout import printed
    from logparse.out.terminal.report import show

    printed(sys.stdout, lambda console: show(report, console))


def _print_metrics(run: Run, counts: "Counts") -> None:
    from prometheus_client import CollectorRegistry, generate_latest

    from logparse import __version__
    from logparse.out.collector import QueueJobCollector
    from logparse.out.gauges import Build, FileStats, PipeStats, ReaderStats
    from logparse.out.live import LiveGauges

    pipe = run.pipe

    class Readers(ReaderStats):
        def files(self) -> Iterator[FileStats]:
            tally = pipe.tally
            if len(run.files) == 1:
                yield FileStats(run.files[0], tally.lines, tally.bytes, last_record=tally.last)

        def pipe(self) -> PipeStats:
            tally = pipe.tally
            return PipeStats(pipe.facts, pipe.unmatched, tally.truncated, tally.decode_errors)

    registry = CollectorRegistry()
    patterns = pipe.patterns
    build = Build(__version__, patterns.version, patterns.digest)
    registry.register(QueueJobCollector(counts, LiveGauges(pipe.lifecycle, [pipe]), Readers(), build=build))
    sys.stdout.buffer.write(generate_latest(registry))
