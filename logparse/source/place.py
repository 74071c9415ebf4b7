"""How far a log was read, in words by which the file is known again under any name and after any rotation."""

import os
import stat
from hashlib import blake2b
from itertools import islice
from typing import NamedTuple

import msgspec

from logparse.source.compression import Damaged, compression, decompress
from logparse.source.trail import TELLING, Mark, kept

HEAD_SIZE = 1024
"""Of so many first bytes a file's fingerprint is made, or of what is there."""
TRACE_SIZE = 4096
"""So many bytes before the place that was reached are remembered."""

_RAW_SIZE = 64 * 1024
_START_SIZE = 64


def digest(data: bytes) -> bytes:
    """A fingerprint; the bytes themselves are personal data, and are not to be saved."""
    return blake2b(data, digest_size=16).digest()


def started(head: bytes) -> bytes:
    """The fingerprint of a file's very first bytes; b"" where they are too few to tell it from others.

    No more than the first line, so that they are still there where the file is cut after it.
    """
    size = head.find(b"\n", TELLING - 1, _START_SIZE) + 1 or _START_SIZE
    return digest(head[:size]) if len(head) >= size else b""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a piece of a log: the byte `offset` of its uncompressed content is to be read next.

    path: where the piece lay, symbolic links resolved. device, inode: of it; 0 where not known.
    head, head_size: the fingerprint of its first bytes, and of how many; start: of the first few alone, which
    a file that is cut keeps for longest; trace, trace_size: of those before `offset`. All are 0 or empty in a
    place that comes from another program's offset file.
    marks, lines: as Lately.marks makes them, for a file that is cut; none of a compressed piece.
    size, modified: when it was last looked at: in bytes, and its time of modification, ns.
    finished: all of it was read, and another piece follows it.
    """

    offset: int
    inode: int
    path: str = ""
    device: int = 0
    head: bytes = b""
    head_size: int = 0
    start: bytes = b""
    trace: bytes = b""
    trace_size: int = 0
    marks: list[Mark] = []
    lines: int = 0
    size: int = 0
    modified: int = 0
    finished: bool = False


class Piece(msgspec.Struct, frozen=True):
    """A file that may be a piece of the log. size: as it is stored. kind: of compression; None: plain.

    head: its first uncompressed bytes, up to HEAD_SIZE.
    """

    path: str
    device: int
    inode: int
    size: int
    modified: int
    kind: str | None
    head: bytes

    def copies(self, other: "Piece") -> bool:
        """Whether one is a copy of the other, or of its beginning: as far as both go they are alike.

        Of plain files the end of what both have is compared too: logs that only begin alike differ there.
        """
        size = min(len(self.head), len(other.head))
        if size < TELLING or self.head[:size] != other.head[:size]:
            return False
        if self.kind is not None or other.kind is not None:
            return True
        until = min(self.size, other.size)
        return self._before(until) == other._before(until)

    def _before(self, until: int) -> bytes | None:
        try:
            fd = open_plain(self.path)
        except OSError:
            return None
        try:
            return os.pread(fd, TRACE_SIZE, max(0, until - TRACE_SIZE))
        finally:
            os.close(fd)


def look(path: str) -> Piece | None:
    """The file at this path as a piece; None where it is missing or no plain file.

    Raises OSError: it cannot be read.
    """
    try:
        fd = open_plain(path)
    except FileNotFoundError:
        return None
    except OSError:
        if not os.path.isfile(path):  # noqa: PTH113
            return None
        raise
    try:
        info = os.fstat(fd)
        head = os.pread(fd, HEAD_SIZE, 0)
        kind = compression(head)
        if kind is not None:
            try:
                raw = os.pread(fd, _RAW_SIZE, 0)
                head = b"".join(islice(decompress(kind, [raw], HEAD_SIZE), 1))
            except Damaged:
                head = b""
        return Piece(path, info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, kind, head)
    finally:
        os.close(fd)


def open_plain(path: str) -> int:
    """A file descriptor to read from. Raises OSError, also where the path is no plain file."""
    # A pipe at that path must not make us wait for its writer.
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(22, "it is not a plain file now")
    return fd


class Fit(NamedTuple):
    """Where reading goes on in a piece: at the place, or before it, where the piece holds less than was read.

    doubtful: of so many bytes before it is not known whether they were read.
    """

    offset: int
    doubtful: int = 0


def fits(piece: Piece, place: Place) -> Fit | None:
    """Whether it is the piece that the place is in, or what is left of it; None: it is another.

    Of a compressed piece only the beginning is compared.
    """
    if not place.head_size and place.offset:
        # Nothing tells but the inode; of an offset file the device is not known.
        known = piece.kind is None and piece.inode == place.inode and piece.size >= place.offset
        return Fit(place.offset) if known else None
    same = piece.inode == place.inode and piece.device == place.device
    head = len(piece.head) >= place.head_size and digest(piece.head[: place.head_size]) == place.head
    if piece.kind is not None:
        return Fit(place.offset) if head and place.head_size >= TELLING else None
    # Where it was cut within its first bytes, and then moved or copied, the very first ones tell it.
    began = head or started(piece.head) == place.start != b""
    if not began and (place.start or not same):
        return None
    try:
        fd = open_plain(piece.path)
    except OSError:
        return None
    try:
        if head and piece.size >= place.offset:
            if not place.trace_size:
                return Fit(place.offset) if same or place.head_size >= TELLING else None
            if digest(os.pread(fd, place.trace_size, place.offset - place.trace_size)) == place.trace:
                return Fit(place.offset)
        return _left(fd, piece, place) if same or place.head_size >= TELLING else None
    finally:
        os.close(fd)


def _left(fd: int, piece: Piece, place: Place) -> Fit | None:
    """What is left of a file that was cut, or is in a copy that was made before the place was reached."""
    if not place.marks:
        shorter = piece.size < place.offset and piece.head[: place.head_size] and place.trace_size
        return Fit(piece.size) if shorter and digest(piece.head[: place.head_size]) == place.head else None
    offset, until = kept(fd, place.marks, place.lines)
    if not offset:
        # Not even its first line: another file, of which the first record has the same time.
        return None
    if until != offset:
        end = min(until, piece.size)
        return Fit(end, end - offset)
    if piece.size < place.offset and b"\n" not in os.pread(fd, _RAW_SIZE, offset):
        # Half of a line that was read whole.
        return Fit(piece.size)
    return Fit(offset)
