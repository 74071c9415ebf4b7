"""Following a log that grows: whole lines as they are written, across rotations and restarts."""

import os
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from logparse.source.chunk import Chunk
from logparse.source.compression import Damaged, compression, decompress
from logparse.source.error import SourceError, shown
from logparse.source.place import HEAD_SIZE, TRACE_SIZE, Piece, Place, digest, open_plain
from logparse.source.rotated import Family

_CHUNK_SIZE = 1 << 20
_LONGEST = 8 << 20  # most bytes of a line that is waited for
_RAW_SIZE = 64 * 1024
# A rotation renames several files one after the other: what is missing in one look is there in another.
_LOOKS = 5

Start = Literal["beginning", "end"] | int


class Follower:
    """Reads a plain file that is being written to, again and again; one thread's.

    path: the file; it need not exist yet. It may be a symbolic link, and that may be switched.
    start: where to begin in a file of which no place is known: at the `beginning` of all its pieces, at its
        `end` (a file that appears later is read whole), or at a byte offset of the file itself.
    since: with `beginning`: pieces that were last written before this time (ms since the epoch) are left out.
    place: where reading stands, to go on from; None: nowhere yet.

    position: the byte (uncompressed) that comes next in the piece that is being read; `inode` tells which.
    rotations: how many were seen, by kind: `rename`, and `truncate` (copied before, or not).
    lost, lost_bytes: how often something was lost that was written and not read, and how many bytes of it
        are known.
    error: why the log cannot be read now; None while it can. It is tried again at the next poll.
    warnings: sentences on what was lost or not understood, for the caller to show and clear.

    A file is known again by its first bytes and by those before the place, under any name, compressed or
    not (logparse.source.rotated); by its inode alone only where the place is another program's.

    Raises SourceError: the path is not a plain file, or is compressed.
    """

    def __init__(
        self, path: str, *, start: Start, place: Place | None = None, since: int | None = None
    ) -> None:
        self.path = path
        self.position = 0 if place is None else place.offset
        self.inode: int | None = None if place is None else place.inode
        self.rotations: Counter[str] = Counter()
        self.lost = 0
        self.lost_bytes = 0
        self.error: str | None = None
        self.warnings: list[str] = []
        self._start = start
        self._since = since
        self._at = place  # where to go on, while nothing is open
        self._fd: int | None = None
        self._stream: Iterator[bytes] | None = None  # of a compressed piece
        self._device = 0
        self._real = ""
        self._head = b""
        self._trace = b""  # what stands before the position
        self._size = self._modified = 0
        self._idle = False  # the last poll found nothing more in a file that is no longer at `path`
        self._counted = False  # the rotation by which what is read came off the path
        self._end: Chunk | None = None  # to be returned first: what was read before goes on nowhere
        self._open_first()

    def poll(self) -> list[Chunk]:
        """Return the whole lines that are there now and were not returned before, at most one chunk.

        A chunk is of about 1 MiB, or one longer line. Never waits. A line that has no newline yet is left
        until it has, or until its file is rotated away, or until it is longer than 8 MiB (then it comes in
        pieces). Where a piece ends for good, there is a chunk with `last`.
        """
        try:
            if self._fd is None:
                self._reopen()
            if self._end is not None:
                end, self._end = self._end, None
                return [end]
            if self._stream is not None:
                return self._inflate(self._stream)
            if self._fd is not None:
                return self._advance(self._fd)
        except OSError as error:
            self._fail(error)
        return []

    @property
    def place(self) -> Place | None:
        """Where reading stands, to go on from it later; None where nothing was opened yet."""
        if self._fd is None:
            return self._at
        return Place(
            offset=self.position,
            inode=self.inode or 0,
            path=self._real,
            device=self._device,
            head=digest(self._head),
            head_size=len(self._head),
            trace=digest(self._trace),
            trace_size=len(self._trace),
            size=self._size,
            modified=self._modified,
        )

    @property
    def lag_bytes(self) -> int:
        """Bytes that are written and not yet returned by poll(), as far as can be seen now."""
        lag = 0
        try:
            if self._fd is not None and self._stream is None:
                lag = max(0, os.fstat(self._fd).st_size - self.position)
            live = os.stat(self.path)  # noqa: PTH116 (at every poll)
            if self._fd is None or (live.st_dev, live.st_ino) != (self._device, self.inode):
                lag += live.st_size
        except OSError:
            return lag
        return lag

    @property
    def live_size(self) -> int | None:
        """The size of the file at `path`, bytes; None while another piece is being read, or none."""
        if self._fd is None or self._stream is not None:
            return None
        try:
            live = os.stat(self.path)  # noqa: PTH116
        except OSError:
            return None
        return live.st_size if (live.st_dev, live.st_ino) == (self._device, self.inode) else None

    def close(self) -> None:
        """Close the file; `place` stays as it is."""
        if self._fd is not None:
            self._at = self.place
            os.close(self._fd)
            self._fd = self._stream = None

    # Opening

    def _open_first(self) -> None:
        try:
            info = Path(self.path).stat()
            if not stat.S_ISREG(info.st_mode):
                raise SourceError(f"{shown(self.path)} is not a plain file, and only such can be followed")
            fd = open_plain(self.path)
            kind = compression(os.pread(fd, 8, 0))
            os.close(fd)
            if kind is not None:
                raise SourceError(
                    f"{shown(self.path)} is compressed ({kind}) and will not grow: "
                    "read it with `logparse replay` or `logparse events`"
                )
            self._reopen()
        except FileNotFoundError as error:
            if self._start == "end" and self._at is None:
                self._start = "beginning"
                self._since = None
            self._fail(error)
        except OSError as error:
            self._fail(error)

    def _reopen(self) -> None:
        """Open what is to be read next, at its place, where nothing is open."""
        if self._at is not None:
            self._go_on(self._at)
        elif self._start == "beginning":
            family = Family(self.path)
            first = family.since(self._since or 0)
            if first is None:
                raise FileNotFoundError(2, os.strerror(2))
            self._enter(first, 0)
        else:
            fd = open_plain(self.path)
            size = os.fstat(fd).st_size
            offset = size if self._start == "end" else self._start
            if offset > size:
                self.warnings.append(
                    f"{shown(self.path)} ends before byte {offset}: it is read from its beginning"
                )
                offset = 0
            self._take_up(fd, self.path, offset)
        if self._fd is not None:
            self.error = None

    def _go_on(self, at: Place) -> None:
        """Open the piece that the place is in, or, where it was read to its end, the one after it."""
        for _ in range(_LOOKS):
            family = Family(self.path, at)
            piece, goes_on = family.find(at)
            if piece is not None or at.finished:
                break
        live = family.live
        if piece is not None and goes_on and not at.finished:
            if live is not None and live.inode == at.inode and piece is not live:
                self._count("truncate")
            self._enter(piece, at.offset)
            return
        if not at.finished and (piece is not None or live is not None):
            self._end = Chunk(self.path, at.offset, b"", last=True)
        if piece is not None and piece is live and not goes_on and not at.finished:
            # Cut, to what was read before: what is written from here on is new.
            self._count("truncate")
            if at.size > at.offset:
                self._lose(at, "was cut short", at.offset)
            self._enter(live, live.size)
            return
        if live is None:
            raise FileNotFoundError(2, os.strerror(2))
        if piece is None and family.closed is not None:
            raise family.closed
        if piece is None and not at.finished:
            self._count("truncate" if live.inode == at.inode else "rename")
            self._lose(at, "was rotated while it was not read, and the rotated file was not found", at.offset)
        following = family.after(piece, at)
        if following is None:
            # What was read to its end is the file itself: it came back.
            self._enter(live, at.offset)
            return
        self._counted = False
        self._enter(following, 0)

    def _count(self, kind: str) -> None:
        if not self._counted:
            self.rotations[kind] += 1
        self._counted = True

    def _lose(self, at: Place, how: str, offset: int) -> None:
        known = max(0, at.size - offset)
        self.lost += 1
        self.lost_bytes += known
        much = f" ({known} bytes of it were seen)" if known else ""
        self.warnings.append(
            f"{shown(self.path)} {how}: what the old one held after byte {offset} is lost{much}; "
            "reading goes on with what was written later"
        )

    def _enter(self, piece: Piece, offset: int) -> None:
        fd = open_plain(piece.path)
        info = os.fstat(fd)
        if (info.st_dev, info.st_ino) != (piece.device, piece.inode):
            os.close(fd)  # it was rotated in this very moment: the next poll looks again
            return
        if piece.kind is None:
            self._take_up(fd, piece.path, offset)
            return
        self._fd = fd
        self._stream = decompress(piece.kind, _raw(fd), _CHUNK_SIZE)
        self._device, self.inode, self._real = piece.device, piece.inode, os.path.realpath(piece.path)
        self._head, self._trace, self.position = piece.head, b"", 0
        self._size, self._modified = 0, piece.modified
        self._at = None
        self._skip(offset)

    def _take_up(self, fd: int, path: str, offset: int) -> None:
        info = os.fstat(fd)
        self._fd, self._device, self.inode, self.position = fd, info.st_dev, info.st_ino, offset
        self._stream = None
        self._real = os.path.realpath(path)
        self._head = os.pread(fd, HEAD_SIZE, 0)
        self._trace = os.pread(fd, min(TRACE_SIZE, offset), max(0, offset - TRACE_SIZE))
        self._size, self._modified = info.st_size, info.st_mtime_ns
        self._idle = False
        self._at = None

    # Reading

    def _advance(self, fd: int) -> list[Chunk]:
        before = self._trace
        start = self.position - len(before)
        # In one read with what stands before it, so that no truncation can come between.
        data = os.pread(fd, len(before) + _CHUNK_SIZE, start)
        if not data.startswith(before):
            return self._truncated(fd)
        new = data[len(before) :]
        if len(new) == _CHUNK_SIZE and b"\n" not in new:
            new = os.pread(fd, len(before) + _LONGEST, start)[len(before) :]
        end = new.rfind(b"\n") + 1 or (len(new) if len(new) == _LONGEST else 0)
        if end:
            self._idle = False
            self.error = None
            self._remember(fd)
            return [self._take(new[:end])]
        try:
            live = os.stat(self.path)  # noqa: PTH116 (at every poll)
        except FileNotFoundError as error:
            if self._later_exists():
                if self._idle:
                    return self._moved_on(new)
                self._idle = True
                return []
            # Renamed away, and its successor not made yet: what is still written to it is read.
            self._fail(error, close=False)
            return []
        if (live.st_dev, live.st_ino) == (self._device, self.inode):
            self.error = None
            self._size = self.position + len(new)
            return []
        if not stat.S_ISREG(live.st_mode):
            raise OSError(22, "it is not a plain file now")
        if not self._idle:
            # A writer may be about to write its last line to the old file: look once more.
            self._idle = True
            return []
        self._remember(fd)
        return self._moved_on(new)

    def _later_exists(self) -> bool:
        """Whether what is read is not the newest piece, so that nobody writes to it."""
        at = self.place
        if at is None:
            return False
        family = Family(self.path, at)
        piece, _ = family.find(at)
        return piece is not None and family.after(piece, at) is not None

    def _moved_on(self, rest: bytes) -> list[Chunk]:
        """The piece is read to its end, of which no newline need be the last byte; another one follows."""
        fd, at = self._fd, self.place
        if fd is None or at is None:
            return []
        family = Family(self.path, at)
        piece, goes_on = family.find(at)
        if piece is not None and piece is family.live and goes_on:
            # The same log in another place, such as on another disk: it goes on there.
            self._enter(piece, self.position)
            os.close(fd)
            return []
        chunk = self._take(rest, last=True)
        self.error = None
        self._count("rename")
        self._counted = False
        self._leave(fd)
        return [chunk]

    def _leave(self, fd: int) -> None:
        place = self.place
        if place is not None:
            self._at = msgspec.structs.replace(place, finished=True)
        os.close(fd)
        self._fd = self._stream = None

    def _take(self, data: bytes, *, last: bool = False) -> Chunk:
        chunk = Chunk(self.path, self.position, data, last)
        self.position += len(data)
        self._trace = (self._trace + data[-TRACE_SIZE:])[-TRACE_SIZE:]
        return chunk

    def _remember(self, fd: int) -> None:
        info = os.fstat(fd)
        self._size, self._modified = info.st_size, info.st_mtime_ns
        if len(self._head) < HEAD_SIZE:
            self._head = os.pread(fd, HEAD_SIZE, 0)

    def _truncated(self, fd: int) -> list[Chunk]:
        """The file was emptied: go on in the copy that was made of it before, or with what it holds now."""
        at = self.place
        if at is None:
            return []
        self._count("truncate")
        family = Family(self.path, at)
        piece, goes_on = family.find(at, at_path=False)
        end = Chunk(self.path, self.position, b"", last=True)
        if piece is not None:
            self._leave(fd)
            self._at = at if goes_on else msgspec.structs.replace(at, finished=True)
            return [] if goes_on else [end]
        same, _ = family.find(at)
        if same is not None and same is family.live and same.size:
            os.close(fd)
            if at.size > at.offset:
                self._lose(at, "was cut short", at.offset)
            self._enter(same, same.size)
            return [end]
        if at.size > at.offset:
            self._lose(at, "was truncated", at.offset)
        self._counted = False
        self._take_up(fd, self.path, 0)
        return [end]

    def _fail(self, error: OSError, *, close: bool = True) -> None:
        reason = error.strerror or str(error)
        self.error = f"{shown(self.path)} cannot be read now ({reason}); it is tried again"
        if close:
            self.close()

    # Compressed pieces

    def _inflate(self, stream: Iterator[bytes]) -> list[Chunk]:
        fd = self._fd
        if fd is None:
            return []
        try:
            block = next(stream, b"")
        except Damaged as damage:
            self.lost += 1
            self.warnings.append(
                f"{shown(self._real)}, a piece of {shown(self.path)}, can be read only up to its byte "
                f"{self.position}: {damage}"
            )
            block = b""
        if block:
            return [self._take(block)]
        return self._moved_on(b"")

    def _skip(self, offset: int) -> None:
        """Pass over what was read before."""
        stream = self._stream
        try:
            while stream is not None and self.position < offset and (block := next(stream, b"")):
                rest = block[offset - self.position :]
                self._take(block[: offset - self.position])
                if rest:
                    self._stream = _with_first(rest, stream)
        except Damaged:
            self._stream = iter(())


def _raw(fd: int) -> Iterator[bytes]:
    offset = 0
    while data := os.pread(fd, _RAW_SIZE, offset):
        offset += len(data)
        yield data


def _with_first(block: bytes, stream: Iterator[bytes]) -> Iterator[bytes]:
    yield block
    yield from stream
