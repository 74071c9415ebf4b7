"""One piece of a log while it is read: whole lines as they come, and the place that was reached."""

import os
from collections.abc import Callable, Iterator

from logparse.source.compression import Damaged, decompress
from logparse.source.place import HEAD_SIZE, TRACE_SIZE, Fit, Piece, Place, digest, started
from logparse.source.trail import Trail

CHUNK_SIZE = 1 << 20
"""So many bytes are read at once, at most."""
LONGEST = 8 << 20
"""Most bytes of a line that is waited for."""

_RAW_SIZE = 64 * 1024


class Changed(Exception):
    """What was read is not there any more."""


class Plain:
    """A piece that may grow. fd: of it, which is closed with it.

    position: the byte that comes next. rest: what stands after the last whole line.
    real: where it lies, symbolic links resolved.
    """

    def __init__(self, fd: int, path: str, offset: int) -> None:
        info = os.fstat(fd)
        self.device, self.inode = info.st_dev, info.st_ino
        self.real = os.path.realpath(path)
        self.rest = b""
        self._fd = fd
        self._head = os.pread(fd, HEAD_SIZE, 0)
        self._trail = Trail(fd, offset)
        self._seen, self._modified = info.st_size, info.st_mtime_ns

    @property
    def position(self) -> int:
        """The byte that comes next."""
        return self._trail.end

    def read(self) -> bytes:
        """The whole lines that come next, about 1 MiB at most; b"" where there is none. Raises Changed."""
        before = self._trail.last(TRACE_SIZE)
        start = self.position - len(before)
        # In one read with what stands before it, so that no truncation can come between.
        data = os.pread(self._fd, len(before) + CHUNK_SIZE, start)
        # What is read first is what was there when it was opened: by that its copy would be found.
        if not data.startswith(before or self._head):
            raise Changed
        new = data[len(before) :]
        if len(new) == CHUNK_SIZE and b"\n" not in new:
            new = os.pread(self._fd, len(before) + LONGEST, start)[len(before) :]
        end = new.rfind(b"\n") + 1 or (len(new) if len(new) == LONGEST else 0)
        self.rest = new[end:]
        self._seen = max(self._seen, self.position + len(new))
        if not end:
            return b""
        self.remember()
        return self._take(new[:end])

    def take_rest(self) -> bytes:
        """What stands after the last whole line: nothing will follow it."""
        rest, self.rest = self.rest, b""
        return self._take(rest)

    def left(self) -> Fit:
        """Where reading goes on after the file was cut."""
        offset, until = self._trail.kept(self._fd)
        end = min(until, os.fstat(self._fd).st_size)
        return Fit(offset) if until == offset else Fit(end, end - offset)

    @property
    def was_empty(self) -> bool:
        """Whether it was empty when it was opened and is not now: by no fingerprint is it known again."""
        return not self._head and not self.position and self.size > 0

    @property
    def size(self) -> int:
        """How large it is now, bytes."""
        return os.fstat(self._fd).st_size

    def place(self) -> Place:
        """The place that was reached."""
        return self.placed()()

    def placed(self) -> Callable[[], Place]:
        """The same, made when it is wanted: the digests of a thousand lines take as long as to read them."""
        position, head, size, modified = self.position, self._head, self._seen, self._modified
        trace, lately = self._trail.last(TRACE_SIZE), self._trail.lately()

        def made() -> Place:
            marks, lines = lately.marks()
            return Place(
                offset=position,
                inode=self.inode,
                path=self.real,
                device=self.device,
                head=digest(head),
                head_size=len(head),
                start=started(head),
                trace=digest(trace),
                trace_size=len(trace),
                marks=marks,
                lines=lines,
                size=size,
                modified=modified,
            )

        return made

    def remember(self) -> None:
        """Look at how large it is and when it was written."""
        info = os.fstat(self._fd)
        self._seen, self._modified = info.st_size, info.st_mtime_ns
        if len(self._head) < HEAD_SIZE:
            self._head = os.pread(self._fd, HEAD_SIZE, 0)

    def release(self) -> int:
        """The file descriptor, which is the caller's from now on."""
        fd, self._fd = self._fd, -1
        return fd

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self.release())

    def _take(self, data: bytes) -> bytes:
        self._trail.add(data)
        return data


class Packed:
    """A compressed piece, which does not grow; as Plain."""

    def __init__(self, fd: int, piece: Piece, kind: str, offset: int) -> None:
        self.device, self.inode = piece.device, piece.inode
        self.real = os.path.realpath(piece.path)
        self.position = offset
        self.damage: str | None = None
        """Why it could be read only up to the position."""
        self._fd = fd
        self._piece = piece
        self._blocks = _after(decompress(kind, _raw(fd), CHUNK_SIZE), offset)

    def read(self) -> bytes:
        """The next bytes; b"" where it ends."""
        try:
            block = next(self._blocks, b"")
        except Damaged as damage:
            self.damage = str(damage)
            return b""
        self.position += len(block)
        return block

    def place(self) -> Place:
        """The place that was reached."""
        piece = self._piece
        return Place(
            offset=self.position,
            inode=self.inode,
            path=self.real,
            device=self.device,
            head=digest(piece.head),
            head_size=len(piece.head),
            modified=piece.modified,
        )

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _after(blocks: Iterator[bytes], offset: int) -> Iterator[bytes]:
    """The blocks, without what was read before."""
    for block in blocks:
        if offset < len(block):
            yield block[offset:] if offset else block
        offset = max(0, offset - len(block))


def _raw(fd: int) -> Iterator[bytes]:
    offset = 0
    while data := os.pread(fd, _RAW_SIZE, offset):
        offset += len(data)
        yield data
