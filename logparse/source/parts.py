"""Finite logs in parts that can be read at the same time: whole files, and spans of large plain ones."""

import os
import stat
from collections.abc import Iterator, Sequence

import msgspec

from logparse.source import remote
from logparse.source.charset import utf16
from logparse.source.chunk import Chunk
from logparse.source.compression import compression
from logparse.source.error import SourceError
from logparse.source.files import CHUNK_SIZE, RAW_SIZE, Progress, read_files, refusal, refuse_binary
from logparse.source.url import is_url

SPAN = 8 << 20
"""Bytes of a part of a plain file, by default."""

# What a compressed log is taken to hold, as a multiple of its own size.
_PACKED = 8


class Part(msgspec.Struct, frozen=True, array_like=True):
    """Bytes of one file, `start` to `stop` (None: to its end, wherever it is then).

    whole: it can only be read from the file's start to its end: it is compressed, of another charset, small.
    """

    file: str
    start: int = 0
    stop: int | None = None

    @property
    def whole(self) -> bool:
        """Whether it is all of the file."""
        return not self.start and self.stop is None


class CutShort(Exception):
    """A file ends before the end of a part: it was cut since it was looked at."""


def parts(paths: Sequence[str], *, span: int = SPAN, chunk_size: int = CHUNK_SIZE) -> list[Part]:
    """The parts of these files, in their order. Their bounds are bounds of the chunks of read_files.

    span: about how many bytes a part has. The first one is one chunk, which mostly tells what log it is; the
    next ones are smaller than the others, so that all who read soon have something to do.
    """
    found: list[Part] = []
    sizes = [0, span // 4, span // 2]
    for path, (size, divisible) in zip(paths, remote.each(_look, paths), strict=True):
        start, stop = 0, min(RAW_SIZE, chunk_size)
        while divisible:
            wanted = sizes.pop(0) if sizes else max(chunk_size, span)
            stop += wanted // chunk_size * chunk_size
            if stop + wanted // 2 >= size:
                break
            found.append(Part(path, start, stop))
            start = stop
        found.append(Part(path, start))
    return found


def weight(paths: Sequence[str], enough: int) -> int:
    """About how many bytes of log these files hold; 0 where one is a stream, or cannot be looked at.

    enough: it may stop at so many.
    """
    total = 0
    for path in paths:
        try:
            size = _size(path)
            if size is None:
                return 0
            packed = compression(_bytes(path, 0, 16)) is not None
        except (SourceError, OSError, ValueError):
            return 0
        total += size * (_PACKED if packed else 1)
        if total >= enough and all(map(is_url, paths)):
            break  # each costs a request
    return total


def read_part(
    part: Part, *, skip: int = 0, chunk_size: int = CHUNK_SIZE, progress: Progress | None = None
) -> Iterator[Chunk]:
    """Yield its chunks, but for the first `skip` ones; that which ends the file is empty and has `last` set.

    progress: as read_files has it. Raises SourceError as read_files does, and CutShort.
    """
    if part.whole:
        for number, chunk in enumerate(read_files([part.file], chunk_size=chunk_size, progress=progress)):
            if number >= skip:
                yield chunk
        return
    offset = part.start
    while part.stop is None or offset < part.stop:
        size = chunk_size if offset else min(RAW_SIZE, chunk_size)
        if skip:
            skip -= 1
            offset += size
            continue
        data = _bytes(part.file, offset, size)
        if data:
            if progress is not None:
                progress(part.file, len(data))
            yield Chunk(part.file, offset, data)
            offset += len(data)
        if part.stop is not None and len(data) < size:
            raise CutShort
        if not data:
            yield Chunk(part.file, offset, b"", last=True)
            return


def before(part: Part, size: int) -> Chunk:
    """Up to `size` bytes that stand before a part, from the start of a line. Raises SourceError."""
    begin = max(0, part.start - size)
    data = _bytes(part.file, begin, part.start - begin)
    cut = data.find(b"\n") + 1 if begin else 0
    return Chunk(part.file, begin + cut, data[cut:])


def first_bytes(path: str, size: int) -> bytes:
    """Up to so many, as they are stored. Raises SourceError."""
    return _bytes(path, 0, size)


def _look(path: str) -> tuple[int, bool]:
    """The size of a file in bytes, and whether it can be divided: it is plain text of one byte a sign."""
    try:
        size = _size(path)
        if size is None or (is_url(path) and not remote.look(path).ranged):
            return 0, False
        head = _bytes(path, 0, RAW_SIZE)
        if compression(head) or utf16(head) or head[:1] == b"\0":
            return size, False
        refuse_binary(path, head)
    except (SourceError, OSError, ValueError):
        return 0, False  # told when it is read
    return size, True


def _size(path: str) -> int | None:
    """In bytes; None of a stream, or where a server does not tell.

    Raises SourceError, OSError, ValueError.
    """
    if is_url(path):
        return remote.look(path).size
    info = os.stat(path)  # noqa: PTH116 (Path("") is a directory)
    return info.st_size if path != "-" and stat.S_ISREG(info.st_mode) else None


def _bytes(path: str, offset: int, size: int) -> bytes:
    if is_url(path):
        return remote.fetch(path, offset, size)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
        try:
            return os.pread(fd, size, offset)
        finally:
            os.close(fd)
    except (OSError, ValueError) as error:
        raise refusal(path, error) from error
