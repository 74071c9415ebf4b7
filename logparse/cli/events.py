"""The verb `events`: what happened, as lines of JSON."""

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from logparse.cli.error import CliError, say
from logparse.cli.following import Following
from logparse.cli.options import Reading, Workers, files_argument, reading_options, workers_option
from logparse.cli.outputs import checked, not_opened, refuse_log, written
from logparse.cli.run import Run, open_run
from logparse.cli.standard import Writable, printing, standard_output
from logparse.lifecycle.event import JOB_EVENTS, Event, Output
from logparse.out.jsonl import encode
from logparse.source.error import SourceError
from logparse.source.files import total_bytes
from logparse.source.url import is_url
from logparse.source.waiting import Waiter

EVENTS = (
    *JOB_EVENTS,
    "runner_started",
    "runner_ready",
    "runner_stopped",
    "runner_error",
    "runner_standby",
    "channel_configured",
    "channel_state",
    "backpressure",
    "worker_started",
    "worker_stopped",
    "worker_killed",
    "server_started",
    "server_stopped",
)
"""All that an event can be."""

_BLOCK = 256  # lines that are written at once


def only_callback(ctx: click.Context, param: click.Parameter, text: str | None) -> frozenset[str] | None:
    """Of --only: the words of events, between commas."""
    if text is None:
        return None
    names = frozenset(text.replace(",", " ").split())
    if unknown := sorted(names - set(EVENTS)):
        raise click.BadParameter(
            f"no event is called {unknown[0]!r}; there are {', '.join(EVENTS)}", ctx, param
        )
    return names


@click.command("events")
@files_argument
@click.option(
    "--follow",
    "-f",
    is_flag=True,
    help="Go on with what is written to the files, like tail -F; from their start.",
)
@click.option("--sort", is_flag=True, help="Order by time; holds all events in memory until the log is read.")
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    help="Write there, not to standard output: whole or not at all, but with --follow, and of standard "
    "input, event by event.",
)
@click.option("--only", metavar="EVENT[,EVENT…]", callback=only_callback, help="Print these events only.")
@click.option(
    "--no-channel-state", is_flag=True, help="Leave out channel_state, of which DEBUG logs are full."
)
@workers_option
@reading_options
def command(
    reading: Reading,
    workers: Workers,
    follow: bool,
    sort: bool,
    output: str | None,
    only: frozenset[str] | None,
    no_channel_state: bool,
) -> None:
    """Print what happened to the jobs, as lines of JSON.

    One event a line, in the order in which the log proves them; docs/events.md explains the keys. FILE may be
    plain, .gz, .zst, .bz2, .xz or - for standard input; several are one log in pieces, and are put in order
    by their first record's time.

    \b
    Examples:
      logparse events odoo.log
      logparse events --from "yesterday 14:00" --only failed,lost odoo.log odoo.log.1.gz
      logparse events --follow --only failed odoo.log
    """
    wanted = frozenset(EVENTS) if only is None else only
    if no_channel_state:
        wanted -= {"channel_state"}
    if follow and sort:
        raise click.UsageError("--sort needs the end of the log, and --follow knows none: leave one out")
    if output == "-":
        output = None
    if output is not None:
        if follow and is_url(output):
            raise click.UsageError("nothing can be added to what is at a URL: with --follow name a file")
        (checked if is_url(output) else refuse_log)(output, "--output", reading.all_files)
    if not follow:
        run = open_run(reading, progress=output is not None or _redirected(), workers=workers)
        # What another program writes may have no end.
        endless = "-" in reading.all_files and (output is None or not is_url(output))
        with _opened(output) if endless else _output(run, output) as file:
            _print(run, file, wanted, sort=sort)
        return
    following = Following(reading, 0)
    with _opened(output) as file:
        _follow(following, file, wanted)


def _print(run: Run, file: Writable, wanted: frozenset[str], *, sort: bool) -> None:
    try:
        lines = _lines(run.outputs(), wanted)
        if sort:
            _write(file, _sorted(lines), at_once=False)
        else:
            # Who gives the log line by line through a pipe waits for each event.
            at_once = file.isatty() or total_bytes(run.files) is None
            _write(file, (line for _, line in lines), at_once=at_once)
    finally:
        for warning in run.warnings:
            say(warning)


def _lines(outputs: Iterable[Output], wanted: frozenset[str]) -> Iterator[tuple[int, bytes]]:
    for output in outputs:
        if isinstance(output, Event) and output.event in wanted:
            yield output.ts, encode(output)


def _sorted(lines: Iterator[tuple[int, bytes]]) -> Iterator[bytes]:
    """By time; of one time, in the order of their proofs. What came before an error is yielded before it."""
    failure: Exception | None = None
    held: list[tuple[int, bytes]] = []
    try:
        for line in lines:
            held.append(line)  # noqa: PERF402 (what came before an error is kept)
    except (SourceError, CliError) as error:
        failure = error
    held.sort(key=lambda line: line[0])
    yield from (line for _, line in held)
    if failure is not None:
        raise failure


def _write(file: Writable, lines: Iterable[bytes], *, at_once: bool) -> None:
    """In blocks, or each line at once; all that came before an error is written."""
    block: list[bytes] = []
    try:
        for line in lines:
            if at_once:
                file.write(line)
                file.flush()
                continue
            block.append(line)
            if len(block) == _BLOCK:
                data = b"".join(block)
                block.clear()  # first, so that an interrupted write is not repeated
                file.write(data)
    finally:
        file.write(b"".join(block))
        file.flush()


def _follow(following: Following, file: Writable, wanted: frozenset[str]) -> None:
    waiter = Waiter()
    try:
        while True:
            read, out = following.poll()
            if lines := [line for _, line in _lines(out, wanted)]:
                file.write(b"".join(lines))
                file.flush()
            for _, note in following.notes:
                say(note)
            following.notes.clear()
            if not read:
                following.wait(waiter)
    finally:
        waiter.close()
        following.close()


def _redirected() -> bool:
    """Whether standard output is a file: what a pipe's reader prints would run into a progress bar."""
    return sys.stdout is not None and stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)


@contextmanager
def _output(run: Run, output: str | None) -> Iterator[Writable]:
    if output is None:
        printing()
        yield standard_output()
        return
    with written(run, output, "--output") as file:
        yield file


@contextmanager
def _opened(output: str | None) -> Iterator[Writable]:
    """For what has no end: each event is there at once."""
    if output is None:
        printing()
        yield standard_output()
        return
    path = Path(output)
    try:
        file = path.open("wb")
    except OSError as error:
        raise not_opened(output, "--output", error) from error
    try:
        with file:
            yield file
    except OSError as error:
        error.filename = error.filename or output
        raise
