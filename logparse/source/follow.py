"""Following a log that grows: whole lines as they are written, across rotations and restarts."""

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from logparse.source.account import Account
from logparse.source.chunk import Chunk
from logparse.source.compression import compression
from logparse.source.error import SourceError, shown
from logparse.source.late import Late
from logparse.source.onward import onward
from logparse.source.opened import Changed, Packed, Plain
from logparse.source.place import Piece, Place, open_plain
from logparse.source.rotated import Family

GRACE_SECONDS = 0.3
"""How long a renamed file is still watched: a writer may be about to write its last line to it."""

Start = Literal["beginning", "end"] | int


class Follower(Account):
    """Reads a plain file that is being written to, again and again; one thread's.

    path: the file; it need not exist yet. It may be a symbolic link, and that may be switched.
    start: where to begin in a file of which no place is known: at the `beginning` of all its pieces, at its
        `end` (a file that appears later is read whole), or at a byte offset of the file itself.
    since: with `beginning`: pieces that were last written before this time (ms since the epoch) are left out.
    place: where reading stands, to go on from; None: nowhere yet.

    error: why the log cannot be read now; None while it can. It is tried again at the next poll.

    A file is known again by its first bytes and by those before the place, under any name, compressed or
    not (logparse.source.rotated); by its inode alone only where the place is another program's.

    Raises SourceError: the path is not a plain file, or is compressed.
    """

    def __init__(
        self, path: str, *, start: Start, place: Place | None = None, since: int | None = None
    ) -> None:
        super().__init__(path)
        self.error: str | None = None
        self._start = start
        self._since = since
        self._at = place  # where to go on, while nothing is open
        self._open: Plain | Packed | None = None
        self._idle: float | None = None  # since when there is nothing more in a file that is not at `path`
        self._late: Late | None = None  # the file before
        self._end: Chunk | None = None  # to be returned first: what was read before goes on nowhere
        self._open_first()

    def poll(self) -> list[Chunk]:
        """Return the whole lines that are there now and were not returned before, at most one chunk.

        A chunk is of about 1 MiB, or one longer line. Never waits. A line that has no newline yet is left
        until it has, or until its file is rotated away, or until it is longer than 8 MiB (then it comes in
        pieces). Where a piece ends for good, there is a chunk with `last`.
        """
        try:
            if self._late is not None:
                self._look_late(self._late)
            if self._open is None:
                self._reopen()
            if self._end is not None:
                end, self._end = self._end, None
                return [end]
            if isinstance(self._open, Packed):
                return self._inflate(self._open)
            if self._open is not None:
                return self._advance(self._open)
        except OSError as error:
            self._fail(error)
        return []

    @property
    def place(self) -> Place | None:
        """Where reading stands, to go on from it later; None where nothing was opened yet."""
        return self.placed()

    @property
    def placed(self) -> Callable[[], Place | None]:
        """The same, made when it is wanted, whatever is read meanwhile."""
        opened, place = self._open, self._at
        if isinstance(opened, Plain):
            return opened.placed()
        if opened is not None:
            place = opened.place()
        return lambda: place

    @property
    def position(self) -> int:
        """The byte (uncompressed) that comes next in the piece that is being read."""
        opened, at = self._open, self._at
        if opened is not None:
            return opened.position
        return 0 if at is None else at.offset

    @property
    def soon(self) -> bool:
        """Whether something happens though nothing is written: a renamed file is about to be left."""
        return self._idle is not None

    @property
    def lag_bytes(self) -> int:
        """Bytes that are written and not yet returned by poll(), as far as can be seen now."""
        lag, opened = 0, self._open
        try:
            if isinstance(opened, Plain):
                lag = max(0, opened.size - opened.position)
            live = os.stat(self.path)  # noqa: PTH116 (at every poll)
            if opened is None or (live.st_dev, live.st_ino) != (opened.device, opened.inode):
                lag += live.st_size
        except OSError:
            return lag
        return lag

    @property
    def live_size(self) -> int | None:
        """The size of the file at `path`, bytes; None while another piece is being read, or none."""
        opened = self._open
        if not isinstance(opened, Plain):
            return None
        try:
            live = os.stat(self.path)  # noqa: PTH116
        except OSError:
            return None
        return live.st_size if (live.st_dev, live.st_ino) == (opened.device, opened.inode) else None

    def close(self) -> None:
        """Close the file; `place` stays as it is."""
        if self._late is not None:
            self._late.close()
            self._late = None
        self._shut()

    def _shut(self) -> None:
        if self._open is not None:
            self._at = self._open.place()
            self._open.close()
            self._open = None

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
            self._take_up(Plain(fd, self.path, offset))
        if self._open is not None:
            self.error = None

    def _go_on(self, at: Place) -> None:
        """Open the piece that the place is in, or, where it was read to its end, the one after it."""
        on = onward(self.path, at)
        self._enter(on.piece, on.offset)
        if self._open is None:
            return
        if on.breaks:
            self._end = Chunk(self.path, at.offset, b"", last=True)
        if on.kind is not None:
            self._count(on.kind)
        if on.gone:
            self._lose_rest(at, "was rotated while it was not read, and the rotated file was not found")
        if on.cut is not None:
            self._was_cut(at, on.cut)
        if on.next_one:
            self._counted = False

    def _enter(self, piece: Piece, offset: int) -> None:
        fd = open_plain(piece.path)
        info = os.fstat(fd)
        if (info.st_dev, info.st_ino) != (piece.device, piece.inode):
            os.close(fd)  # it was rotated in this very moment: the next poll looks again
            return
        self._take_up(
            Plain(fd, piece.path, offset) if piece.kind is None else Packed(fd, piece, piece.kind, offset)
        )

    def _take_up(self, opened: Plain | Packed) -> None:
        self._open = opened
        self._idle = None
        self._at = None

    # Reading

    def _advance(self, opened: Plain) -> list[Chunk]:
        if opened.was_empty and not self._begins(opened):
            return []
        offset = opened.position
        try:
            data = opened.read()
        except Changed:
            return self._truncated(opened)
        if data:
            self._idle = self.error = None
            return [Chunk(self.path, offset, data)]
        try:
            live = os.stat(self.path)  # noqa: PTH116 (at every poll)
        except FileNotFoundError as error:
            if self._later_exists(opened):
                return self._leave(opened)
            # Renamed away, and its successor not made yet: what is still written to it is read.
            self._fail(error, close=False)
            return []
        if (live.st_dev, live.st_ino) == (opened.device, opened.inode):
            self._idle = self.error = None
            return []
        if not stat.S_ISREG(live.st_mode):
            raise OSError(22, "it is not a plain file now")
        return self._leave(opened)

    def _begins(self, opened: Plain) -> bool:
        """Whether a file that was empty holds what was written to it first, and no copy of it holds that."""
        at = opened.place()
        opened.remember()
        try:
            on = onward(self.path, at)
        except OSError:
            return True
        if on.gone or (on.piece.device, on.piece.inode) == (opened.device, opened.inode):
            return True
        self._shut()
        self._enter(on.piece, on.offset)
        return False

    def _leave(self, opened: Plain) -> list[Chunk]:
        """Go on to the next piece, but first give the writer some time, if it may still write to this one."""
        if self._idle is None:
            self._idle = time.monotonic()
            return []
        if time.monotonic() - self._idle < GRACE_SECONDS and not self._later_exists(opened):
            return []
        opened.remember()
        return self._moved_on(opened)

    def _later_exists(self, opened: Plain) -> bool:
        """Whether what is read is not the newest piece, so that nobody writes to it."""
        at = opened.place()
        family = Family(self.path, at)
        piece, _ = family.find(at)
        return piece is not None and family.after(piece, at) not in (None, family.live)

    def _moved_on(self, opened: Plain | Packed) -> list[Chunk]:
        """The piece is read to its end, of which no newline need be the last byte; another one follows."""
        at = opened.place()
        family = Family(self.path, at)
        piece, fit = family.find(at)
        elsewhere = piece is not None and (
            piece is family.live or (piece.device, piece.inode) != (opened.device, opened.inode)
        )
        if piece is not None and elsewhere and fit.offset == at.offset:
            # The same log in another place, such as on another disk, perhaps rotated since: it goes on there.
            opened.close()
            self._open, self._at = None, at
            self._enter(piece, at.offset)
            return []
        data = opened.take_rest() if isinstance(opened, Plain) else b""
        self.error = self._idle = None
        self._count("rename")
        self._counted = False
        self._at = msgspec.structs.replace(opened.place(), finished=True)
        self._open = None
        if isinstance(opened, Plain):
            if self._late is not None:
                self._late.close()
            self._late = Late(opened.release(), opened.position)
        opened.close()
        return [Chunk(self.path, at.offset, data, last=True)]

    def _look_late(self, late: Late) -> None:
        if size := late.look():
            self._was_late(size)
        if late.over:
            late.close()
            self._late = None

    def _truncated(self, opened: Plain) -> list[Chunk]:
        """The file was emptied or cut: go on in a copy that was made of it, or with what it holds."""
        at = opened.place()
        self._count("truncate")
        family = Family(self.path, at)
        piece, fit = family.find(at, at_path=False)
        self._idle = None
        if piece is not None and (piece.device, piece.inode) != (opened.device, opened.inode):
            goes_on = fit.offset == at.offset
            opened.close()
            self._open = None
            self._at = at if goes_on else msgspec.structs.replace(at, finished=True)
            return [] if goes_on else [Chunk(self.path, at.offset, b"", last=True)]
        fit = opened.left()
        if fit.offset:
            self._was_cut(at, fit)
        elif at.size > at.offset:
            self._lose_rest(at, "was truncated")
        self._counted = False
        self._take_up(Plain(opened.release(), self.path, fit.offset))
        return [Chunk(self.path, at.offset, b"", last=True)]

    def _inflate(self, opened: Packed) -> list[Chunk]:
        offset = opened.position
        data = opened.read()
        if data:
            return [Chunk(self.path, offset, data)]
        if opened.damage is not None:
            self._was_damaged(opened.real, offset, opened.damage)
        return self._moved_on(opened)

    def _fail(self, error: OSError, *, close: bool = True) -> None:
        reason = error.strerror or str(error)
        self.error = f"{shown(self.path)} cannot be read now ({reason}); it is tried again"
        if close:
            self._shut()
