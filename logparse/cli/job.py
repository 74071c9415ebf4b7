"""The verb `job`: one job's whole story."""

import re
import sys
from typing import TYPE_CHECKING

import click

from logparse.cli.error import CliError, say
from logparse.cli.options import Reading, files_argument, reading_options
from logparse.cli.run import Run, open_run
from logparse.cli.standard import printing, standard_output
from logparse.source.error import SourceError

if TYPE_CHECKING:
    from logparse.out.story import Stories

_BEGINNING = re.compile(r"[0-9a-f]{4}[0-9a-f-]{0,32}")


def _uuid(ctx: click.Context, param: click.Parameter, text: str) -> str:
    beginning = text.strip().lower()
    if _BEGINNING.fullmatch(beginning) is None:
        raise click.BadParameter(
            f"{text!r} is not a job's uuid, nor the first four or more characters of one", ctx, param
        )
    return beginning


@click.command("job")
@click.argument("uuid", callback=_uuid)
@files_argument
@click.option("--json", "as_json", is_flag=True, help="Print the story as JSON (docs/job.md has the keys).")
@click.option("--full", is_flag=True, help="Show long records whole, not only the job's own tracebacks.")
@reading_options
def command(reading: Reading, uuid: str, as_json: bool, full: bool) -> None:
    """Tell one job's whole story: its events, the lines that prove them, the tracebacks of its failures.

    UUID may be its beginning, of four characters or more, if only one job's begins so. What is printed holds
    the job's own lines, and so whatever personal data they hold.

    \b
    Examples:
      logparse job 05bad9a4-4f83-46fd-b636-1a0346d3a5bc odoo.log
      logparse job 05bad9a4 odoo.log odoo.log.1.gz
      logparse job 05bad9a4 --json odoo.log | jq '.jobs[].steps[].event.event'
    """
    printing()
    from logparse.out.story import Stories
    from logparse.out.story_json import stories_json

    run = open_run(reading, progress=True)
    stories = Stories(uuid, reading.selection)
    run.pipe.tap = stories
    failure: SourceError | None = None
    try:
        for _ in run.outputs():
            pass  # the stories look on: what is not selected may tell what is
    except SourceError as error:
        failure = error
    finally:
        for warning in run.warnings:
            say(warning)
    found = stories.candidates()
    if not found:
        if failure is not None and not run.pipe.tally.headers:
            raise failure
        raise _refused(_not_found(uuid, run, whole=failure is None), failure)
    if len(found) > 1:
        from logparse.out.terminal.room import opened
        from logparse.out.terminal.story import show_candidates

        show_candidates(found, opened(stderr=True))
        many = f"{len(found):,}" if len(found) < 1000 else "1,000 or more"
        raise _refused(f"{uuid} is the beginning of {many} jobs' uuids: give more of it", failure)
    told = stories.stories(found[0].uuid, run.pipe)
    dbs = reading.selection.dbs
    if dbs:
        told = [story for story in told if story.db in dbs]
        if not told:
            other = ", ".join(sorted(dbs))
            raise _refused(f"job {found[0].uuid} is not of database {other}: leave out --db", failure)
    told = [story for story in told if story.steps]
    if not told:
        raise _refused(_not_selected(found[0].uuid, stories, run), failure)
    if as_json:
        import msgspec

        standard_output().write(
            msgspec.json.format(msgspec.json.encode(stories_json(told)), indent=2) + b"\n"
        )
    else:
        from logparse.out.terminal.layout import printed
        from logparse.out.terminal.story import show

        spanned = reading.selection.spanned
        printed(sys.stdout, lambda console: show(told, console, full=full, spanned=spanned))
    if failure is not None:
        raise failure


def _refused(message: str, failure: SourceError | None) -> CliError:
    """Why nothing is told; failure: what was not read, which is said first, since the job may be there."""
    if failure is not None:
        say(str(failure))
    return CliError(message)


def _not_selected(uuid: str, stories: "Stories", run: Run) -> str:
    """Why nothing of a job that the log names is told."""
    where = "this log" if len(run.files) == 1 else "these logs"
    text = f"nothing of job {uuid} is in what --from and --to select of {where}"
    period = stories.period(uuid)
    if period is None:
        return f"{text}: leave them out"
    from logparse.out.time import iso

    first, last = ((iso(time) or "")[:19] for time in period)
    return f"{text}: its lines are of {first} to {last} UTC"


def _not_found(uuid: str, run: Run, *, whole: bool) -> str:
    from logparse.out.time import iso
    from logparse.out.visibility import visibility

    tally = run.pipe.tally
    first, last = iso(tally.first), iso(tally.last)
    where = "this log" if len(run.files) == 1 else "these logs"
    if not whole:
        where = f"what could be read of {where}"
    span = f" ({first[:19]} to {last[:19]} UTC)" if first is not None and last is not None else ""
    hint = "give the rotated pieces too (odoo.log*)"
    queued = visibility(run.pipe)["queued"]
    if queued.shown != "yes" and queued.setting is not None:
        hint += "; at this log level a job leaves no line before it is dispatched"
    return (
        f"no line of {where}{span} names a job {uuid}…: {hint}"
        if len(uuid) < 36
        else (f"no line of {where}{span} names the job {uuid}: {hint}")
    )
