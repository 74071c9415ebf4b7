"""What commands write into files: checked before anything is read, each whole or not there at all."""

import errno
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from logparse.cli.error import CliError, say
from logparse.cli.run import Run
from logparse.out.sink import Sink
from logparse.source.error import SourceError, shown
from logparse.source.remote import opened_system
from logparse.source.url import is_url, name_of, url_of


def run_into(run: Run, sinks: Sequence[Sink]) -> None:
    """Read once, for all sinks; then have each write what it has.

    What is damaged is left out and told at the end. A sink that cannot write, Ctrl-C, or a log of which
    nothing could be read leave nothing of what was not finished.

    Raises SourceError, when all else is written; CliError.
    """
    _refuse_shared(sinks)
    failure: SourceError | None = None
    at: Sink | None = None
    try:
        try:
            run.into(sinks)
        except SourceError as error:
            failure = error
        finally:
            for warning in run.warnings:
                say(warning)
        if failure is not None and not run.pipe.tally.headers:
            raise failure
        for at in sinks:
            with working(f"writing {shown(at.writes)}" if at.writes is not None else None):
                at.finish()
    except BaseException as error:
        for sink in sinks[sinks.index(at) if at is not None else 0 :]:
            sink.discard()
        if isinstance(error, OSError) and error.errno != errno.EPIPE:
            raise _unwritten(error, at, sinks) from error
        raise
    if failure is not None:
        raise failure


def _refuse_shared(sinks: Sequence[Sink]) -> None:
    written: set[Path] = set()
    for sink in sinks:
        if sink.writes is None:
            continue
        target = Path(sink.writes).resolve()
        if target in written and (target.is_file() or not target.exists()):
            raise CliError(f"{shown(sink.writes)} was given for two outputs: give each its own file")
        written.add(target)


@contextmanager
def working(what: str | None) -> Iterator[None]:
    """Show what is going on, where standard error is a terminal; None: show nothing."""
    if what is None or sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from logparse.out.terminal.room import opened

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=opened(stderr=True), transient=True) as bar:
        bar.add_task(what, total=None)
        yield


def _unwritten(error: OSError, at: Sink | None, sinks: Sequence[Sink]) -> BaseException:
    """What a sink could not write, in one sentence; what is no sink's file stays what it is."""
    names = {sink.writes for sink in sinks if sink.writes is not None}
    name = at.writes if at is not None else error.filename if error.filename in names else None
    return error if name is None else _nothing_left(name, error)


def _nothing_left(name: str, error: OSError) -> CliError:
    if is_url(name) and error.strerror:
        return CliError(f"{shown(name)} {error.strerror}; nothing of it is left")
    return CliError(f"{shown(name)} cannot be written: {error.strerror or error}; nothing of it is left")


def not_opened(path: str, option: str, error: OSError) -> CliError:
    """What says that nothing can be written there."""
    return CliError(f"{shown(path)} cannot be written: {error.strerror}; choose another file with {option}")


@contextmanager
def written(run: Run, path: str, option: str) -> Iterator[BinaryIO]:
    """A file (or URL) for what is read meanwhile, as `run_into` has it: there when all of it is.

    Raises SourceError, when all that could be read is written; CliError.
    """
    # It loads what a replay that writes no file has no use for.
    from logparse.out.whole import WholeFile

    failure: SourceError | None = None
    try:
        whole = WholeFile(path)
    except OSError as error:
        raise not_opened(path, option, error) from error
    try:
        with whole:
            try:
                yield whole.file
            except SourceError as error:
                if not run.pipe.tally.headers:
                    raise
                failure = error
    except OSError as error:
        # One of standard output or of the log is about that; a full disk has no name.
        if error.errno == errno.EPIPE or error.filename not in (None, path):
            raise
        raise _nothing_left(path, error) from error
    if failure is not None:
        raise failure


def checked(path: str, option: str, logs: Sequence[str]) -> str:
    """A path or URL to write to, before anything is read.

    Raises CliError, SourceError: it is one of the logs, or nothing can be written there.
    """
    target = Path(path)
    if is_url(path):
        writable(path, option)
        if path in map(url_of, logs):
            raise CliError(f"{shown(path)} is one of the logs: name another file for {option}")
        return path
    refuse_log(path, option, logs)
    if path == "-":
        raise CliError(f"standard output has the summary: name a file for {option}")
    if not path or target.is_dir():
        raise CliError(f"{shown(path)} is a directory: name a file for {option}")
    if not target.parent.is_dir():
        parent = shown(str(target.parent))
        raise CliError(f"there is no directory {parent}: make it, or name another file for {option}")
    return path


def refuse_log(path: str | Path, option: str, logs: Sequence[str]) -> None:
    """Raises CliError where what is to be written is one of the logs, under whatever name."""
    target = Path(path)
    for log in logs:
        if log == "-" or is_url(log):
            continue
        if _same(target, Path(log)):
            raise CliError(f"{shown(str(path))} is one of the logs: name another file for {option}")


def _same(target: Path, log: Path) -> bool:
    try:
        return target.resolve() == log.resolve() or target.samefile(log)
    except OSError:  # one of them is not there, or may not be looked at
        return False


def writable(url: str, option: str) -> None:
    """Raises CliError, SourceError: nothing can be written at such a URL."""
    if url.startswith(("http://", "https://")):
        raise CliError(f"nothing can be written to {shown(url)}: name a file, or such as s3://, for {option}")
    system, path = opened_system(name_of(url))
    if "file" in system.protocol and not Path(path).parent.is_dir():
        raise CliError(f"there is no directory {shown(str(Path(path).parent))}: make it first")
