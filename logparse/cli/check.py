"""The verb `check`: what a log is, and what it can show."""

from typing import TYPE_CHECKING

import click

from logparse.cli.error import BAD_INPUT
from logparse.cli.options import Reading, files_argument, reading_options
from logparse.cli.outputs import run_into
from logparse.cli.run import open_run
from logparse.cli.standard import printing
from logparse.out.sink import Sink

if TYPE_CHECKING:
    from logparse.out.check import Inspection


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
    status is 1 where the outcomes of jobs are not visible, where lines were not understood, or where not all
    of it could be read.

    \b
    Examples:
      logparse check odoo.log
      logparse check --json odoo.log | jq '.problems'
    """
    printing()
    from logparse.out.check import Inspection

    inspection = Inspection(with_text=with_text)
    result = _Result(inspection, as_json=as_json)
    run_into(open_run(reading, progress=True), [inspection, result])
    if not result.ok:
        ctx.exit(BAD_INPUT)


class _Result(Sink):
    """Prints what was found. inspection: has come to its end before it. ok: whether the check passes."""

    ok = False

    def __init__(self, inspection: "Inspection", *, as_json: bool) -> None:
        self._inspection = inspection
        self._as_json = as_json

    def finish(self) -> None:
        from logparse.cli.printed import to_console, to_json
        from logparse.out.terminal.check import show

        check = self._inspection.result()
        if self._as_json:
            to_json(check)
        else:
            to_console(lambda console: show(check, console))
        self.ok = check.ok
