"""The verb `check`: what a log is, and what it can show."""

import sys

import click

from logparse.cli.error import BAD_INPUT, CliError, say
from logparse.cli.options import Reading, files_argument, reading_options
from logparse.cli.run import open_run
from logparse.source.error import SourceError


@click.command("check")
@files_argument
@click.option(
    "--json", "as_json", is_flag=True, help="Print the result as JSON (docs/check.md has the keys)."
)
@click.option(
    "--with-text",
    is_flag=True,
    help="Show messages that are not recognised as they are; they may hold personal data.",
)
@reading_options
@click.pass_context
def command(ctx: click.Context, reading: Reading, as_json: bool, with_text: bool) -> None:
    """Tell what a log is and what it can show: versions, level, shape, processes, databases, gaps.

    For each event it tells whether this log can show it, why not, and which setting of Odoo would. The exit
    status is 1 where the outcomes of jobs are not visible, or where lines were not understood.

    \b
    Examples:
      logparse check odoo.log
      logparse check --json odoo.log | jq '.problems'
    """
    if sys.stdout is None:
        raise CliError("standard output is closed: there is nowhere to print to")
    from logparse.out.check import Inspection

    run = open_run(reading, progress=True)
    inspection = Inspection(with_text=with_text)
    run.pipe.tap = inspection
    failure: SourceError | None = None
    try:
        for output in run.outputs():
            inspection.add(output)
    except SourceError as error:
        failure = error
    finally:
        for warning in run.warnings:
            say(warning)
    if failure is not None and not run.pipe.tally.headers:
        raise failure
    check = inspection.result(run.pipe, run.files)
    if as_json:
        import msgspec

        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(check), indent=2) + b"\n")
    else:
        from logparse.out.terminal.check import show
        from logparse.out.terminal.layout import printed

        printed(sys.stdout, lambda console: show(check, console))
    if failure is not None:
        raise failure
    if not check.ok:
        ctx.exit(BAD_INPUT)
