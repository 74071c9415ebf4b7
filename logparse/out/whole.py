"""A file that is there whole or not at all: written beside its place, and put there by a rename."""

import os
import stat
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self


class WholeFile:
    """Write to `file`; `commit` puts it at `path`, `discard` leaves what was at `path` as it was.

    What is no regular file (a pipe, /dev/stdout) is written to directly, and a symbolic link is followed.
    As a context it commits where nothing was raised. Raises OSError.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(os.path.realpath(path))
        try:
            direct = not stat.S_ISREG(self.path.stat().st_mode)
        except FileNotFoundError:
            direct = False
        self._partial: Path | None = None
        if direct:
            self.file: BinaryIO = self.path.open("wb")
            return
        self._partial = self.path.with_name(f".{self.path.name[:200]}.{os.getpid()}.partial")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        self.file = os.fdopen(os.open(self._partial, flags, 0o666), "wb")

    def commit(self) -> None:
        """All is written: let it be there, on the disk."""
        self.file.flush()
        if self._partial is not None:
            os.fsync(self.file.fileno())
        self.file.close()
        if self._partial is not None:
            self._partial.replace(self.path)
            self._partial = None

    def discard(self) -> None:
        """Leave nothing of it; after `commit` it does nothing."""
        with suppress(OSError):  # what is left in the buffer is not wanted
            self.file.close()
        if self._partial is not None:
            self._partial.unlink(missing_ok=True)
            self._partial = None

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
