"""One reading of finite logs, from the files to what is told of them."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from logparse.cli.error import CliError
from logparse.cli.foreign import EXPECTED, guess
from logparse.cli.options import Reading
from logparse.lifecycle.event import Output
from logparse.lifecycle.lifecycle import Lifecycle, Options
from logparse.match.error import PatternError
from logparse.match.load import load_patterns
from logparse.match.pattern import PatternSet
from logparse.pipe import Pipe
from logparse.source.error import SourceError, shown
from logparse.source.files import order_files, read_files, total_bytes

_HEAD_SIZE = 4096


class Run:
    """Reads the files of a Reading through one pipe, once.

    files: in the order of time. pipe: what it holds is complete when `outputs` is at its end. warnings:
    sentences for standard error, which the caller shows.
    """

    def __init__(self, reading: Reading, pipe: Pipe, *, progress: bool = False) -> None:
        self.reading = reading
        self.pipe = pipe
        self.warnings: list[str] = []
        self.files = order_files(reading.files, warnings=self.warnings)
        self._progress = progress

    def outputs(self) -> Iterator[Output]:
        """What the logs prove and the selection wants, in the order in which it is proven.

        Where a file can be read only in part, what it proves so far comes first, then the error.
        Raises SourceError as read_files does; CliError where all that was read is no log of Odoo.
        """
        wants = self.reading.selection.wants
        feed = self.pipe.feed
        failure: SourceError | None = None
        with _reported(self.files, shown_=self._progress) as report:
            seen, headers, head = 0, 0, b""
            foreign: dict[str, bytes] = {}
            try:
                for chunk in read_files(self.files, progress=report):
                    seen += len(chunk.data)
                    if len(head) < _HEAD_SIZE:
                        head += chunk.data[: _HEAD_SIZE - len(head)]
                    for output in feed(chunk):
                        if wants(output):
                            yield output
                    if chunk.last:
                        found = self.pipe.tally.headers
                        if not seen:
                            self.warnings.append(f"{_name(chunk.file)} is empty: nothing was in it")
                        elif found == headers:
                            foreign[chunk.file] = head
                        seen, headers, head = 0, found, b""
            except SourceError as error:
                failure = error
            for output in self.pipe.finish(settle=self.reading.settle_at_end):
                if wants(output):
                    yield output
        if failure is not None:
            raise failure
        for file, beginning in foreign.items():
            sentence = (
                f"{_name(file)} is not an Odoo server log: no line of it begins like `{EXPECTED}`; "
                f"{guess(beginning)}"
            )
            if not headers:
                raise CliError(sentence)
            self.warnings.append(sentence)


def open_run(reading: Reading, *, progress: bool = False) -> Run:
    """Prepare a run: the patterns are loaded and every file is known to open.

    progress: show a bar on standard error while the outputs are taken, where that is a terminal.
    Raises SourceError, CliError.
    """
    return Run(reading, open_pipe(reading), progress=progress)


def open_pipe(
    reading: Reading, lifecycle: Lifecycle | None = None, patterns: PatternSet | None = None
) -> Pipe:
    """The pipe that a Reading asks for; lifecycle: one to share. Raises CliError for refused patterns."""
    return Pipe(
        open_patterns(reading) if patterns is None else patterns,
        odoo=reading.odoo,
        options=Options(settle=reading.settle, max_jobs=reading.max_jobs),
        lifecycle=lifecycle,
    )


def open_patterns(reading: Reading) -> PatternSet:
    """The patterns that a Reading asks for. Raises CliError where a directory is refused."""
    try:
        return load_patterns(*reading.patterns)
    except PatternError as error:
        raise refused(error) from error


def refused(error: PatternError) -> CliError:
    """The refusal of a pattern in one sentence."""
    where = f"{error.file}:{error.line}" if error.line else error.file
    hint = f" ({error.hint})" if error.hint else ""
    return CliError(f"{where}: {error.message}{hint}; `logparse patterns test DIR` shows the place")


@contextmanager
def _reported(files: list[str], *, shown_: bool) -> Iterator[Callable[[str, int], None] | None]:
    """A progress bar over the bytes of the files as they are stored, where standard error is a terminal."""
    if not shown_ or sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=total_bytes(files))
        name = ""

        def report(path: str, count: int) -> None:
            nonlocal name
            if path != name:
                name = path
                bar.update(task, description=_name(path))
            bar.update(task, advance=count)

        yield report


def _name(path: str) -> str:
    return "standard input" if path == "-" else shown(path)
