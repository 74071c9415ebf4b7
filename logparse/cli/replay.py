"""The verb `replay`: a summary of what happened to the jobs of a log."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from logparse.cli import printed
from logparse.cli.comparing import Before
from logparse.cli.comparing import compare as compare_sides
from logparse.cli.comparing import parse as parse_compare
from logparse.cli.error import CliError, say
from logparse.cli.historical import history, history_options
from logparse.cli.options import (
    Reading,
    Workers,
    files_argument,
    http_option,
    reading_options,
    workers_option,
)
from logparse.cli.run import open_run
from logparse.cli.standard import printing
from logparse.out.dimensions import DIMENSIONS
from logparse.out.error import TracesError
from logparse.out.sink import Sink
from logparse.source.error import shown
from logparse.source.url import is_url

if TYPE_CHECKING:
    from logparse.out.groups import Groups
    from logparse.out.summed import Summed
    from logparse.out.timeline import Timeline


def _dimensions(ctx: click.Context, param: click.Parameter, text: str | None) -> tuple[str, ...]:
    names = tuple(dict.fromkeys((text or "").replace(",", " ").split()))
    if unknown := [name for name in names if name not in DIMENSIONS]:
        raise click.BadParameter(
            f"nothing is grouped by {unknown[0]!r}; there are {', '.join(DIMENSIONS)}", ctx, param
        )
    if text is not None and not names:
        raise click.BadParameter(f"it names nothing; there are {', '.join(DIMENSIONS)}", ctx, param)
    return names


@click.command("replay")
@files_argument
@click.option(
    "--json", "as_json", is_flag=True, help="Print the summary as JSON (docs/replay.md has the keys)."
)
@click.option(
    "--metrics", is_flag=True, help="Print the counters as Prometheus metrics, the same that `serve` exposes."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(printed.FORMS),
    help="How to print it: table (for people, the default), json (as --json), csv (a row for each group), "
    "markdown.",
)
@click.option(
    "--group-by",
    metavar="WHAT[,WHAT…]",
    callback=_dimensions,
    help=f"Print a row for each of them, not the summary: {', '.join(DIMENSIONS)}.",
)
@click.option(
    "--compare",
    metavar="BEFORE",
    multiple=True,
    callback=parse_compare,
    help="Tell what got slower and what began to fail since BEFORE: a time (before it, and from it on), a "
    "period as TIME..TIME, or a log (repeatable; docs/compare.md).",
)
@click.option(
    "--html",
    metavar="FILE",
    help="Write the report as one HTML page: charts, jobs and their stories (docs/report.md).",
)
@click.option(
    "--with-text",
    is_flag=True,
    help="In the page and in traces, show messages and tracebacks of exceptions, too; they may hold personal "
    "data.",
)
@click.option(
    "--top",
    metavar="NUMBER",
    type=click.IntRange(0, 1000),
    help="How many of the slowest attempts, the most failing jobs and so on to name (10), or how many groups "
    "to print (tables: 40; else all).",
)
@click.option(
    "--openmetrics",
    metavar="FILE",
    help="Write all metrics at all times to FILE, for Prometheus to take as history (docs/history.md).",
)
@history_options
@click.option(
    "--otlp",
    metavar="FILE-OR-URL",
    help="Write a trace of each job to a file, as lines of OTLP JSON, or send it to the URL of an "
    "OpenTelemetry collector (docs/traces.md).",
)
@click.option(
    "--parquet",
    metavar="DIR",
    help="Write the tables events, attempts and jobs to DIR as Parquet, by day and database (docs/sql.md).",
)
@http_option
@workers_option
@reading_options
def command(
    reading: Reading,
    workers: Workers,
    as_json: bool,
    metrics: bool,
    form: str | None,
    group_by: tuple[str, ...],
    compare: Before | None,
    html: str | None,
    with_text: bool,
    top: int | None,
    openmetrics: str | None,
    step: int,
    labels: dict[str, str],
    otlp: str | None,
    parquet: str | None,
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
      logparse replay --html report.html --otlp http://127.0.0.1:4318 odoo.log
      logparse replay --group-by channel,hour --format csv odoo.log
      logparse replay --parquet tables odoo.log*
      logparse replay --compare "yesterday 22:00" odoo.log
      logparse replay --json odoo.log | jq '.databases[].events'
    """
    if metrics and (as_json or form or group_by):
        raise click.UsageError(
            "--metrics prints in its own form: leave it out, or --json, --format and --group-by"
        )
    if as_json and form not in (None, "json"):
        raise click.UsageError(f"--json and --format {form} are two forms of the same: give one of them")
    printing()
    form = form or ("json" if as_json else "table")
    if compare is not None:
        files = {"--html": html, "--openmetrics": openmetrics, "--otlp": otlp, "--parquet": parquet}
        others = [option for option, file in files.items() if file is not None]
        given = {"--metrics": metrics, "--group-by": group_by, "--http": http}
        others += [option for option, asked in given.items() if asked]
        if others:
            raise click.UsageError(
                f"--compare prints how two sides differ, and nothing else: leave out {' and '.join(others)}"
            )
        compare_sides(reading, compare, form, top, workers=workers)
        return
    from logparse.cli.outputs import checked, run_into
    from logparse.out.counts import Counts
    from logparse.out.summary import TOP, Summary
    from logparse.out.summed import Summed
    from logparse.out.timeline import Timeline

    if html is not None:
        checked(html, "--html", reading.all_files)
    if http and (
        others := [
            option
            for option, to in (
                ("--html", html),
                ("--openmetrics", openmetrics),
                ("--otlp", otlp),
                ("--parquet", parquet),
            )
            if to is not None
        ]
    ):
        say(f"requests are counted for the summary; what {' and '.join(others)} tells is of jobs")
    run = open_run(msgspec.structs.replace(reading, http=http), progress=True, workers=workers)
    summed = Summed(Summary(Counts(requests=run.requests), top=TOP if top is None else top))
    timeline = Timeline(summed.summary.counts)
    grouped = _groups(group_by) if group_by or form == "csv" else None
    # In the order in which they are finished: what is printed comes last.
    sinks: list[Sink] = [summed]
    if html is not None or (form == "table" and not metrics):
        sinks.append(timeline)
    if grouped is not None:
        sinks.append(grouped)
    if openmetrics is not None:
        sinks.append(history(openmetrics, step, labels, reading))
    if otlp is not None:
        sinks.append(_traces(otlp, reading, texts=with_text))
    if parquet is not None:
        sinks.append(_tables(parquet))
    if html is not None:
        sinks.append(_page(html, summed, timeline, texts=with_text))
    if metrics:
        sinks.append(printed.Metrics(summed))
    elif form == "json":
        sinks.append(printed.Json(summed, grouped, top))
    elif grouped is not None:
        sinks.append(printed.Grouped(summed, timeline, grouped, form, top))
    elif form == "markdown":
        sinks.append(printed.Markdown(summed))
    else:
        sinks.append(printed.Tables(summed, timeline))
    try:
        run_into(run, sinks)
    except TracesError as error:
        raise CliError(str(error)) from error


def _groups(names: tuple[str, ...]) -> "Groups":
    from logparse.out.groups import Groups

    return Groups(names or ("database", "channel"))


def _page(path: str, summed: "Summed", timeline: "Timeline", *, texts: bool) -> Sink:
    try:
        from logparse.out.page.sink import Page
    except ModuleNotFoundError as error:
        if error.name not in ("jinja2", "markupsafe"):
            raise
        raise CliError("--html needs jinja2: install it with `pip install 'logparse[report]'`") from error
    return Page(path, summed, timeline, texts=texts)


def _traces(to: str, reading: Reading, *, texts: bool) -> Sink:
    from logparse.cli.outputs import checked

    try:
        from logparse.out.otlp import Otlp, is_url
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("opentelemetry"):
            raise
        raise CliError("--otlp needs opentelemetry: run `pip install 'logparse[otlp]'`") from error
    if not is_url(to):
        checked(to, "--otlp", reading.all_files)
    return Otlp(to, texts=texts, most=reading.max_jobs)


def _tables(path: str) -> Sink:
    try:
        from logparse.out.sql.parquet import Parquet, written
        from logparse.out.uploaded import is_empty
    except ModuleNotFoundError as error:
        if error.name != "duckdb":
            raise
        raise CliError("--parquet needs duckdb: install it with `pip install 'logparse[sql]'`") from error
    if is_url(path):
        from logparse.cli.outputs import writable

        writable(path, "--parquet")
        try:
            empty = is_empty(path)
        except OSError as error:
            raise CliError(f"{shown(path)} {error.strerror}") from error
        if not empty:
            raise CliError(f"there is something at {shown(path)}: name an empty place for --parquet")
        return Parquet(path)
    folder = Path(path)
    if path in ("", "-") or (folder.exists() and not folder.is_dir()):
        raise CliError(f"{shown(path)} is no directory: name another one for --parquet")
    if not folder.absolute().parent.is_dir():
        parent = shown(str(folder.parent))
        raise CliError(f"there is no directory {parent}: make it, or name another one for --parquet")
    if folder.exists() and not written(folder):
        raise CliError(f"{shown(path)} holds other files: name an empty directory for --parquet, or none yet")
    return Parquet(path)
