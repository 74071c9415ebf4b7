"""A file that is there whole or not at all: written beside its place, and put there by a rename."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import BinaryIO, Self

from logparse.out.uploaded import upload
from logparse.source.url import is_url


class WholeFile:
    """`write` to it, or to its `file`; `commit` puts it at `path`, `discard` leaves `path` as it was.

    What is no regular file (a pipe, /dev/stdout) is written to directly, and a symbolic link is followed. At
    a URL it is put by `commit`, and `path` is where it is until then. As a context it commits where nothing
    was raised. Raises OSError, with the path as it was given.
    """

    def __init__(self, path: str | Path) -> None:
        self._given = str(path)
        self._partial: Path | None = None
        self._place: TemporaryDirectory[str] | None = None
        if is_url(self._given):
            self._place = TemporaryDirectory(prefix="logparse-")
            path = Path(self._place.name) / "file"
        self.path = Path(os.path.realpath(path))
        with self._named():
            self.file = self._opened()

    def _opened(self) -> BinaryIO:
        try:
            direct = not stat.S_ISREG(self.path.stat().st_mode)
        except FileNotFoundError:
            direct = False
        if direct:
            return self.path.open("wb")
        self._partial = self.path.with_name(f".{self.path.name[:200]}.{os.getpid()}.partial")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.fdopen(os.open(self._partial, flags, 0o666), "wb")

    @contextmanager
    def _named(self) -> Iterator[None]:
        """An error is about the file as the user named it."""
        try:
            yield
        except OSError as error:
            error.filename = self._given
            raise

    def write(self, data: bytes) -> None:
        """Add it."""
        with self._named():
            self.file.write(data)

    def commit(self) -> None:
        """All is written: let it be there, on the disk."""
        with self._named():
            self.file.flush()
            if self._partial is not None:
                os.fsync(self.file.fileno())
            self.file.close()
            if self._partial is not None:
                self._partial.replace(self.path)
                self._partial = None
            if self._place is not None:
                upload(self.path, self._given)
                self._place.cleanup()
                self._place = None

    def discard(self) -> None:
        """Leave nothing of it; after `commit` it does nothing."""
        with suppress(OSError):  # what is left in the buffer is not wanted
            self.file.close()
        if self._partial is not None:
            self._partial.unlink(missing_ok=True)
            self._partial = None
        if self._place is not None:
            self._place.cleanup()
            self._place = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.commit()
        finally:
            self.discard()
