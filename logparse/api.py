"""What stands behind `logparse.events`: paths or lines in, events out."""

import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from logparse.lifecycle.event import Event
from logparse.lifecycle.lifecycle import Options
from logparse.match.load import load_patterns
from logparse.match.pattern import PatternSet
from logparse.pipe import Pipe
from logparse.record.closing import HEADER
from logparse.record.wrappers.wrapper import Context
from logparse.source import remote
from logparse.source.chunk import Chunk
from logparse.source.error import SourceError
from logparse.source.files import order_files, read_files, written
from logparse.source.url import is_url

Log = str | os.PathLike[str] | Iterable[str | bytes | os.PathLike[str]]

_BLOCK = 1 << 16  # bytes of lines that are put together, where all of them are there


def read_events(
    log: Log,
    *,
    settle: float,
    settle_at_end: bool,
    odoo: str | None,
    patterns: PatternSet | Iterable[str | os.PathLike[str]] | None,
) -> Iterator[Event]:
    """See `logparse.events`."""
    if not isinstance(patterns, PatternSet):
        patterns = load_patterns(*(Path(directory) for directory in patterns or ()))
    paths = _files(log)
    # The years of a syslog are by its files' dates, or by that of today.
    context = Context(dates={path: written(path) for path in paths or ("-",)})
    pipe = Pipe(patterns, odoo=odoo, options=Options(settle=settle), context=context)
    failure: SourceError | None = None
    try:
        for chunk in _chunks(log, paths):
            for output in pipe.feed(chunk):
                if isinstance(output, Event):
                    yield output
    except SourceError as error:
        failure = error
    for output in pipe.finish(settle=settle_at_end):
        if isinstance(output, Event):
            yield output
    if failure is not None:
        raise failure


def _files(log: Log) -> list[str]:
    """The files, in the order of time; none where lines are given."""
    if isinstance(log, str | os.PathLike):
        return _named([os.fspath(log)])
    if isinstance(log, list | tuple | set | frozenset) and (paths := _paths(log)):
        return order_files(_named(paths))
    return []


def _named(paths: Iterable[str]) -> list[str]:
    return [name for path in paths for name in (remote.expanded(path) if is_url(path) else [path])]


def _chunks(log: Log, paths: list[str]) -> Iterator[Chunk]:
    if paths or isinstance(log, str | os.PathLike):
        return read_files(paths)
    if isinstance(log, list | tuple | set | frozenset):
        return _of_lines(log, _BLOCK)
    # The lines of a pipe may be long in coming, and tell before what they hold.
    waits = not (isinstance(log, io.IOBase) and log.seekable())
    return _of_lines(log, 0 if waits else _BLOCK)


def _paths(items: Iterable[str | bytes | os.PathLike[str]]) -> list[str]:
    """The items as paths; none where they are lines: one of them is a record's, ends, or is empty."""
    paths: list[str] = []
    for item in items:
        if isinstance(item, os.PathLike):
            paths.append(os.fspath(item))
        elif isinstance(item, str) and item.strip() and "\n" not in item and not HEADER.match(_bytes(item)):
            paths.append(item)
        else:
            return []
    return paths


def _of_lines(lines: Iterable[str | bytes | os.PathLike[str]], size: int) -> Iterator[Chunk]:
    """Chunks of at least `size` bytes; with 0, each line at once."""
    offset = length = 0
    block: list[bytes] = []
    for line in lines:
        if not isinstance(line, str | bytes):
            raise TypeError(f"a line of a log is str or bytes, not {type(line).__name__}")
        data = _bytes(line)
        if not data.endswith(b"\n"):
            data += b"\n"
        block.append(data)
        length += len(data)
        if length > size:
            yield Chunk("-", offset, b"".join(block))
            offset += length
            block, length = [], 0
    yield Chunk("-", offset, b"".join(block), last=True)


def _bytes(line: str | bytes) -> bytes:
    return line.encode(errors="surrogateescape") if isinstance(line, str) else line
