"""Logs that have their newest line first, read from their end, in bounded memory."""

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import IO

from logparse.source.chunk import Chunk
from logparse.source.error import SourceError, shown
from logparse.source.files import Progress, read_files

_BLOCK = 1 << 20
# A line, or a record, that is longer comes in pieces.
_LONGEST = 8 << 20
_TRACEBACK = re.compile(rb'Traceback \(most recent call last\):[^\n]*\n[^\n]*?  File \\?"')
_TURNED = re.compile(rb'  File \\?"[^\n]*\n[^\n]*Traceback \(most recent call last\):')


def read_reversed(
    paths: Sequence[str], begins: Callable[[bytes], bool], *, progress: Progress | None = None
) -> Iterator[Chunk]:
    """Yield the content of each file with its order turned round; the oldest record is then the first.

    begins: whether a line is the first one of a record. Where the further lines of a record follow its first
    line, whole records are turned round; where they come before it, as `tac` prints a log, lines are.

    A chunk's offset counts the bytes in the order in which they come. Raises SourceError as read_files does,
    and where no room is left for what is put down in TMPDIR.
    """
    for path in paths:
        # What is compressed, or a stream, is put down in a file without a name.
        with tempfile.TemporaryFile() as spool:
            for chunk in read_files([path], progress=progress):
                _put(spool, chunk.data)
            yield from _turned(path, spool, begins)


def _put(spool: IO[bytes], data: bytes) -> None:
    try:
        spool.write(data)
        spool.flush()
    except OSError as error:
        raise SourceError(
            f"temporary files cannot be written in {shown(tempfile.gettempdir())} ({error.strerror}): a log "
            "in reverse is put down there first; name a directory with room by TMPDIR"
        ) from error


def _turned(path: str, spool: IO[bytes], begins: Callable[[bytes], bool]) -> Iterator[Chunk]:
    spool.seek(0)
    by_records = _follows(spool.read(_BLOCK))
    offset, length = 0, 0
    block: list[bytes] = []
    for part in _records(spool, begins) if by_records else _lines(spool):
        block.append(part)
        length += len(part)
        if length >= _BLOCK:
            yield Chunk(path, offset, b"".join(block))
            offset += length
            block, length = [], 0
    yield Chunk(path, offset, b"".join(block))
    yield Chunk(path, offset + length, b"", last=True)


def _follows(head: bytes) -> bool:
    """Whether the further lines of records follow their first ones; told by the tracebacks."""
    return len(_TURNED.findall(head)) <= len(_TRACEBACK.findall(head))


def _lines(spool: IO[bytes]) -> Iterator[bytes]:
    """The lines, each with an end, from the last to the first."""
    position = spool.seek(0, os.SEEK_END)
    rest = b""
    while position > 0:
        size = min(_BLOCK, position)
        position -= size
        spool.seek(position)
        rest = spool.read(size) + rest
        lines = rest.split(b"\n")
        if not lines[-1]:
            lines.pop()  # what stands before the end of the last line, and the block's
        if position > 0 and len(lines) > 0 and len(lines[0]) <= _LONGEST:
            # Its beginning is in the block before.
            rest = lines[0] + (b"\n" if len(lines) > 1 or rest.endswith(b"\n") else b"")
            lines = lines[1:]
        else:
            rest = b""
        for line in reversed(lines):
            yield line + b"\n"


def _records(spool: IO[bytes], begins: Callable[[bytes], bool]) -> Iterator[bytes]:
    """The records, from the last to the first."""
    record: list[bytes] = []
    length = 0
    for line in _lines(spool):
        record.append(line)
        length += len(line)
        if length > _LONGEST or begins(line[:-1]):
            yield b"".join(reversed(record))
            record, length = [], 0
    yield b"".join(reversed(record))
