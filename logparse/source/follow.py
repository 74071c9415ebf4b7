"""Following a log that grows: whole lines as they are written, across rotations and restarts."""

import errno
import os
import stat
import threading
from collections import Counter
from pathlib import Path
from typing import Literal

from logparse.source import position as saved
from logparse.source.chunk import Chunk
from logparse.source.compression import compression
from logparse.source.error import SourceError, shown
from logparse.source.position import Position, RotatedFile

POLL_SECONDS = 0.25
"""How long to wait between two polls that found nothing."""

_POLL_BYTES = 8 << 20  # most bytes of one poll, and of a line that is waited for
_CHUNK_SIZE = 1 << 20
_TRACE_SIZE = 64  # bytes before the position, by which a file is known again

Start = Literal["beginning", "end"] | int


def wait(seconds: float, stop: threading.Event) -> bool:
    """Wait until there may be more to read: `seconds`, or until `stop` is set; return whether it is."""
    return stop.wait(seconds)


class Follower:
    """Reads a plain file that is being written to, again and again; one thread's.

    path: the file; it need not exist yet.
    start: where to begin in a file of which no position is saved: at its `beginning`, its `end` (a file
        that appears later is read whole), or a byte offset.
    offset_file: where save() keeps the position, and where it is taken from now; None for nowhere.

    position: the byte of the file being read (`inode` tells which) that comes next.
    rotations: how many were seen, by kind: `rename` (the old file is read to its end, then the new one
        from its beginning), `truncate` (the rest is read from the copy where one is found that holds
        what was read last, then the file from its beginning).
    error: why the file cannot be read now; None while it can. It is tried again at the next poll.
    warnings: sentences on what was lost or not understood, for the caller to show and clear.

    Raises SourceError: the path is not a plain file, or is compressed.
    """

    def __init__(self, path: str, *, start: Start, offset_file: Path | None = None) -> None:
        self.path = path
        self.position = 0
        self.inode: int | None = None
        self.rotations: Counter[str] = Counter()
        self.error: str | None = None
        self.warnings: list[str] = []
        self._offset_file = offset_file
        self._start = start
        self._fd: int | None = None
        self._device = 0
        self._trace = b""  # what stands before the position
        self._idle = False  # the last poll found nothing more in a file that is no longer at `path`
        self._piece = False  # what is read is a rotated file or a copy, not what stands at `path`
        self._saved = self._load()
        self._open_first()

    def poll(self) -> list[Chunk]:
        """Return the whole lines that are there now and were not returned before, at most 8 MiB.

        Never waits. A line that has no newline yet is left until it has, or until its file is rotated
        away, or until it is longer than 8 MiB (then it comes in pieces). Where a file ends for good,
        there is a chunk with `last`.
        """
        chunks: list[Chunk] = []
        try:
            if self._fd is None:
                self._reopen()
            if self._fd is not None:
                self._advance(self._fd, chunks)
        except OSError as error:
            self._fail(error)
        return chunks

    def save(self) -> None:
        """Write the position to the offset file; nothing where there is none or no file was opened.

        Raises SourceError: it cannot be written.
        """
        if self._offset_file is not None and self.inode is not None:
            saved.save(self._offset_file, Position(self.inode, self.position))

    @property
    def lag_bytes(self) -> int:
        """Bytes that are written and not yet returned by poll(), as far as can be seen now."""
        lag = 0
        try:
            if self._fd is not None:
                lag = max(0, os.fstat(self._fd).st_size - self.position)
            live = Path(self.path).stat()
            if (live.st_dev, live.st_ino) != (self._device, self.inode):
                lag += live.st_size
        except OSError:
            return lag
        return lag

    def close(self) -> None:
        """Close the file; the position stays as it is, and save() still works."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _load(self) -> Position | None:
        if self._offset_file is None:
            return None
        try:
            return saved.load(self._offset_file)
        except SourceError as error:
            aside = self._offset_file.with_name(f"{self._offset_file.name}.damaged")
            try:
                self._offset_file.replace(aside)
                kept = f"; it is kept as {shown(str(aside))}"
            except OSError:
                kept = ""
            where = f"byte {self._start}" if isinstance(self._start, int) else f"the {self._start}"
            self.warnings.append(f"{error}{kept}, and {shown(self.path)} is read from {where}")
            return None

    def _open_first(self) -> None:
        try:
            info = Path(self.path).stat()
            if not stat.S_ISREG(info.st_mode):
                raise SourceError(f"{shown(self.path)} is not a plain file, and only such can be followed")
            self._reopen()
            if self._fd is not None and (kind := compression(os.pread(self._fd, 8, 0))):
                self.close()
                raise SourceError(
                    f"{shown(self.path)} is compressed ({kind}) and will not grow: "
                    "read it with `logparse replay` or `logparse events`"
                )
        except FileNotFoundError as error:
            if self._start == "end":
                self._start = "beginning"
            self._fail(error)
        except OSError as error:
            self._fail(error)

    def _reopen(self) -> None:
        """Open what is to be read next, at its position, where none is open."""
        fd = self._open(self.path)
        size = os.fstat(fd).st_size
        if self.inode is not None:
            # It could not be read for a while: the same file goes on, another one is a rotation.
            self._resume(fd, Position(self.inode, self.position))
        elif self._saved is not None:
            self._resume(fd, self._saved)
        elif self._start == "end":
            self._enter(fd, size)
        elif self._start == "beginning":
            self._enter(fd, 0)
        elif self._start <= size:
            self._enter(fd, self._start)
        else:
            self.warnings.append(
                f"{shown(self.path)} ends before byte {self._start}: it is read from its beginning"
            )
            self._enter(fd, 0)
        self.error = None

    def _resume(self, fd: int, at: Position) -> None:
        """Go on in the file that was read before, at its path or where it was rotated to."""
        live = os.fstat(fd)
        if live.st_ino == at.inode and live.st_size >= at.offset:
            trace = self._trace
            self._enter(fd, at.offset)
            self._trace = trace or self._trace
            return
        self.inode, self.position = at.inode, at.offset
        self.rotations["truncate" if live.st_ino == at.inode else "rename"] += 1
        if self._enter_rotated(at):
            os.close(fd)
            return
        self.warnings.append(
            f"{shown(self.path)} was rotated while it was not read, and the rotated file was not found: "
            f"what the old one held after byte {at.offset} is lost; the new one is read from its beginning"
        )
        self._enter(fd, 0)

    def _enter(self, fd: int, offset: int) -> None:
        info = os.fstat(fd)
        self._fd, self._device, self.inode, self.position = fd, info.st_dev, info.st_ino, offset
        self._idle = self._piece = False
        self._trace = os.pread(fd, min(_TRACE_SIZE, offset), max(0, offset - _TRACE_SIZE))

    def _enter_rotated(self, at: Position) -> bool:
        """Open the file that the log was rotated to, where it is found and holds what was read last."""
        found = RotatedFile(self.path, at).find()
        if found is None:
            return False
        try:
            fd = self._open(found)
        except OSError:
            return False
        trace = self._trace
        self._enter(fd, at.offset)
        # Only a plain one: in a compressed one the offset says nothing.
        fits = os.fstat(fd).st_size >= at.offset and (not trace or trace == self._trace)
        if not fits or compression(os.pread(fd, 8, 0)):
            self.close()
            return False
        self._piece = True
        return True

    def _advance(self, fd: int, chunks: list[Chunk]) -> None:
        size = os.fstat(fd).st_size
        if size < self.position or self._trace_changed(fd):
            self._truncated(fd, chunks)
            return
        if self._read_lines(fd, size, chunks):
            self._idle = False
            self.error = None
            return
        try:
            live = Path(self.path).stat()
        except FileNotFoundError as error:
            # Renamed away, and its successor not made yet: what is still written to it is read.
            self._fail(error, close=False)
            return
        if (live.st_dev, live.st_ino) == (self._device, self.inode):
            self.error = None
            return
        if not self._idle:
            # A writer may be about to write its last line to the old file: look once more.
            self._idle = True
            return
        successor = self._open(self.path)
        self.error = None
        self._finish(fd, size, chunks)
        if not self._piece:
            self.rotations["rename"] += 1
        os.close(fd)
        self._enter(successor, 0)

    def _read_lines(self, fd: int, size: int, chunks: list[Chunk]) -> bool:
        """Add the whole lines between the position and `size`; return whether there were any."""
        start = self.position
        while self.position < size and self.position - start <= _POLL_BYTES - _CHUNK_SIZE:
            data = os.pread(fd, _CHUNK_SIZE, self.position)
            if b"\n" not in data and len(data) == _CHUNK_SIZE:
                if self.position > start:
                    break  # a long line is a poll's only one, so that the bound holds
                data = os.pread(fd, _POLL_BYTES, self.position)
            end = data.rfind(b"\n") + 1 or (len(data) if len(data) == _POLL_BYTES else 0)
            if end == 0:
                break
            self._take(data[:end], chunks)
        return self.position > start

    def _take(self, data: bytes, chunks: list[Chunk], *, last: bool = False) -> None:
        chunks.append(Chunk(self.path, self.position, data, last))
        self.position += len(data)
        self._trace = (self._trace + data[-_TRACE_SIZE:])[-_TRACE_SIZE:]

    def _finish(self, fd: int, size: int, chunks: list[Chunk]) -> None:
        """Add the half line at the end of a file that nobody writes to any more, and mark its end."""
        rest = os.pread(fd, _POLL_BYTES, self.position) if size > self.position else b""
        self._take(rest, chunks, last=True)

    def _trace_changed(self, fd: int) -> bool:
        length = len(self._trace)
        return os.pread(fd, length, self.position - length) != self._trace

    def _truncated(self, fd: int, chunks: list[Chunk]) -> None:
        """The file was emptied: go on in the copy that was made of it before, or at its beginning."""
        assert self.inode is not None  # noqa: S101 (a file is open)
        self.rotations["truncate"] += 1
        end = Chunk(self.path, self.position, b"", last=True)
        if self._enter_rotated(Position(self.inode, self.position)):
            os.close(fd)
            return
        chunks.append(end)
        self._enter(fd, 0)

    def _open(self, path: str) -> int:
        # A pipe at that path must not make poll() wait for its writer.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise OSError(errno.EINVAL, "it is not a plain file now")
        return fd

    def _fail(self, error: OSError, *, close: bool = True) -> None:
        reason = error.strerror or str(error)
        self.error = f"{shown(self.path)} cannot be read now ({reason}); it is tried again"
        if close:
            self.close()
