"""Finite logs as chunks: plain or compressed files and streams, read once, in bounded memory."""

import grp
import os
import pwd
import re
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from logparse.source import remote
from logparse.source.charset import in_utf8
from logparse.source.chunk import Chunk
from logparse.source.compression import Damaged, compression, decompress, undecided
from logparse.source.error import SourceError, named, shown
from logparse.source.url import is_url

CHUNK_SIZE = 1 << 18
"""Bytes of data in a chunk, by default."""

Progress = Callable[[str, int], None]
"""Called with a file's path and how many bytes more of it (compressed ones) were read."""

RAW_SIZE = 64 * 1024
"""Compressed bytes that are read at once, and how long the first chunk of a plain file is."""
_HEAD_SIZE = 1 << 20  # how far into a file its first record is looked for
_JUDGED_SIZE = 64 * 1024  # how much of a file tells whether it is binary

_DATE = rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} "
_HEADER = re.compile(rb"(?m)^(?:\xef\xbb\xbf)?(?:\x1b\[[0-9;]*m)*(" + _DATE + rb")")
_CLOCK = rb"\d\d:\d\d:\d\d"
_DATED = re.compile(
    rb"(?<!\d)(\d{4}-\d\d-\d\d)[T ]("
    + _CLOCK
    + rb")|(?m:^)(?:<\d+>)?([A-Z][a-z]{2} [ \d]\d "
    + _CLOCK
    + rb") "
)
# What a text has none of: NUL and the C0 controls, less tab to carriage return and escape; and DEL.
_CONTROL = bytes(set(range(32)) - set(range(9, 14)) - {0x1B} | {0x7F})
# Compressed or random bytes hold 10 % of them, machine code and databases far more.
_CONTROL_SHARE = 0.05
_OTHER_FORMATS = {
    b"PK\x03\x04": "a zip archive: unpack it first",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive: unpack it first",
    b"\x04\x22\x4d\x18": "compressed by lz4: decompress it first, such as with `lz4 -dc FILE | logparse … -`",
    b"LPKSHHRH": "a systemd journal: give what `journalctl -o cat` prints of Odoo's unit",
}


def read_files(
    paths: Sequence[str], *, chunk_size: int = CHUNK_SIZE, progress: Progress | None = None
) -> Iterator[Chunk]:
    """Yield the content of each file in the given order; see order_files for the order of time.

    paths: files, plain or compressed by gzip, zstd, bzip2 or xz (told by their first bytes, whatever
        their names), names of URLs (logparse.source.url), named pipes, or `-` for standard input. Streams
        are passed on as they come.
    chunk_size: most bytes of (uncompressed) data in a chunk.
    progress: told how many bytes of the file as it is stored were read since the last call.

    The last chunk of each file is empty and has `last` set. A file of which reading fails half-way is
    delivered as far as it goes, with such a chunk at its end, and the error follows.

    Raises SourceError: a file is missing, a directory, unreadable, binary and no log, damaged or cut
    short; or the disk failed.
    """
    for path in paths:
        offset = 0
        try:
            with _opened(path) as read:
                for block in _judged(path, _blocks(path, read, max(chunk_size, _JUDGED_SIZE), progress)):
                    for start in range(0, len(block), chunk_size):
                        data = block if len(block) <= chunk_size else block[start : start + chunk_size]
                        yield Chunk(path, offset, data)
                        offset += len(data)
        except SourceError:
            if offset:
                yield Chunk(path, offset, b"", last=True)
            raise
        yield Chunk(path, offset, b"", last=True)


def order_files(paths: Sequence[str], *, warnings: list[str] | None = None) -> list[str]:
    """Return the files in the order of time: several are one log, in pieces.

    A file's time is that of its first record, searched for in its first MiB, of which no more is
    read; a file with no record there (a piece that holds only the rest of a traceback, or nothing)
    has the time of its last modification, which lies before the next piece's first record. Equal times
    go by name. What cannot be looked into without using it up, standard input and pipes, comes last,
    in the given order. A file that is given twice, under whatever name, is kept once.

    warnings: gets one sentence for each file that was left out as given already.

    Raises SourceError as read_files does, so that nothing is read before all files are known to open.
    """
    files: list[str] = []
    streams: list[str] = []
    seen: dict[tuple[int, int] | str, str] = {}
    looked = remote.each(_look, paths)
    for path, info in zip(paths, looked, strict=True):
        identity = info.identity or path
        if identity in seen:
            if warnings is not None:
                first = seen[identity]
                same = "twice" if first == path else f"also as {shown(first)}"
                warnings.append(f"{named(path)} was given {same}; it is read once")
            continue
        seen[identity] = path
        (files if info.regular else streams).append(path)
    times = remote.each(_time_of, files)
    return [path for _, path in sorted(zip(times, files, strict=True))] + streams


def total_bytes(paths: Sequence[str]) -> int | None:
    """Return the size of all files as they are stored, in bytes; None where a stream is among them.

    Raises SourceError: a file is missing, a directory, or may not be looked at.
    """
    total = 0
    for path in paths:
        info = _look(path)
        if info.size is None:
            return None
        total += info.size
    return total


def written(path: str) -> int:
    """When the file was last written, ms since the epoch; for what is no file, or not there: now."""
    try:
        return _look(path).modified
    except SourceError:
        return _now()


class _Looked(NamedTuple):
    """What is known of a file. identity: equal of two paths to the same. size: None where not known."""

    regular: bool
    identity: tuple[int, int] | None
    size: int | None
    modified: int


def _look(path: str) -> _Looked:
    if is_url(path):
        found = remote.look(path)
        return _Looked(True, None, found.size, _now() if found.modified is None else found.modified)
    try:
        info = os.fstat(0) if path == "-" else os.stat(path)  # noqa: PTH116 (Path("") is a directory)
    except (OSError, ValueError) as error:
        raise refusal(path, error) from error
    if stat.S_ISDIR(info.st_mode):
        raise SourceError(f"{named(path)} is a directory: name the log files in it")
    if path == "-" or not stat.S_ISREG(info.st_mode):
        return _Looked(False, None, None, _now())
    return _Looked(True, (info.st_dev, info.st_ino), info.st_size, info.st_mtime_ns // 1_000_000)


def _now() -> int:
    return round(time.time() * 1000)


@contextmanager
def _opened(path: str, *, head: bool = False) -> Iterator[remote.Read]:
    """head: hardly more than the beginning is wanted."""
    if is_url(path):
        with remote.opened(path, RAW_SIZE) if head else remote.opened(path) as read:
            yield read
        return
    _look(path)
    if path == "-":
        yield partial(_read, path, 0)
        return
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        raise refusal(path, error) from error
    try:
        yield partial(_read, path, fd)
    finally:
        os.close(fd)


def _read(path: str, fd: int, size: int) -> bytes:
    try:
        return os.read(fd, size)
    except OSError as error:
        raise refusal(path, error) from error


def _blocks(path: str, read: remote.Read, size: int, progress: Progress | None) -> Iterator[bytes]:
    """Yield the uncompressed content in blocks of at most `size` bytes."""
    head = read(RAW_SIZE)
    while undecided(head) and (more := read(RAW_SIZE)):
        head += more
    kind = compression(head)

    def raw(block_size: int) -> Iterator[bytes]:
        data = head
        while data:
            if progress is not None:
                progress(path, len(data))
            yield data
            data = read(block_size)

    if kind is None:
        yield from in_utf8(raw(size))
        return
    try:
        yield from in_utf8(decompress(kind, raw(RAW_SIZE), size))
    except Damaged as damage:
        raise SourceError(
            f"{named(path)} could be read only in part: {damage}; what stands before was read; "
            "copy it again, or wait until it is written"
        ) from damage


def _judged(path: str, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Pass the blocks on; refuse a binary file by the first that holds anything but NULs.

    A log that was truncated under a writer without O_APPEND begins with as many NULs as it had bytes.
    """
    decided = False
    for block in blocks:
        if not decided and (head := block.lstrip(b"\0")[:_JUDGED_SIZE]):
            decided = True
            refuse_binary(path, head)
        yield block


def refuse_binary(path: str, head: bytes) -> None:
    """Raise SourceError where a file that begins so is no log."""
    if _HEADER.search(head):
        return
    for magic, what in _OTHER_FORMATS.items():
        if head.startswith(magic):
            raise SourceError(f"{named(path)} is {what}")
    controls = len(head) - len(head.translate(None, _CONTROL))
    if controls > _CONTROL_SHARE * len(head):
        raise SourceError(f"{named(path)} is a binary file and no log: give Odoo's log file (its --logfile)")


def _time_of(path: str) -> int:
    """The time by which a file is put in order, ms since the epoch."""
    written_at = _look(path).modified
    first = _first_time(path, written_at)
    return written_at if first is None else first


def _first_time(path: str, written_at: int) -> int | None:
    """Return the time of the first record in the file's head, milliseconds since the epoch, UTC.

    Where no line begins as a record does, that of the first time in any form that wrappers have; the year
    that syslog leaves out is by when the file was written, ms. What is not UTC is not corrected.
    """
    head = b""
    try:
        with _opened(path, head=True) as read:
            for block in _judged(path, _blocks(path, read, _HEAD_SIZE, None)):
                head += block[: _HEAD_SIZE - len(head)]
                if (found := _of_header(head)) is not None:
                    return found
                if len(head) == _HEAD_SIZE:
                    break
    except SourceError as error:
        # That it is cut short is told when it is read.
        if not isinstance(error.__cause__, Damaged):
            raise
    for match in _DATED.finditer(head):
        day, clock, syslog = (part.decode() if part else "" for part in match.groups())
        try:
            if day:
                time = datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=UTC)
            else:
                time = _in_year(syslog, datetime.fromtimestamp(written_at / 1000 + 86400, UTC))
        except ValueError:
            continue
        return round(time.timestamp() * 1000)
    return None


def _of_header(head: bytes) -> int | None:
    for match in _HEADER.finditer(head):
        try:
            time = datetime.fromisoformat(match[1].decode().rstrip())
        except ValueError:
            continue
        return round(time.replace(tzinfo=UTC).timestamp() * 1000)
    return None


def _in_year(text: str, latest: datetime) -> datetime:
    """A time of syslog in the last year in which it is not after `latest`."""
    time = datetime.strptime(f"{latest.year} {text}", "%Y %b %d %H:%M:%S").replace(tzinfo=UTC)
    return time if time <= latest else time.replace(year=latest.year - 1)


def refusal(path: str, error: OSError | ValueError) -> SourceError:
    """What the system refused, as a sentence."""
    if isinstance(error, FileNotFoundError):
        return SourceError(f"{named(path)} does not exist: check its path (Odoo's --logfile)")
    if isinstance(error, PermissionError):
        return SourceError(f"{named(path)} may not be read by this user: {_allowed(path)}")
    reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    return SourceError(f"{named(path)} cannot be read ({reason}): check the disk, the mount and the path")


def _allowed(path: str) -> str:
    try:
        info = os.stat(path)  # noqa: PTH116
        user = pwd.getpwuid(info.st_uid).pw_name
        group = grp.getgrgid(info.st_gid).gr_name
    except (OSError, KeyError):
        return "run logparse as the user that Odoo runs as"
    mode = f"it belongs to {user}:{group} with mode {stat.S_IMODE(info.st_mode):04o}"
    return f"{mode}; run logparse as {user} or as a member of {group}"
