"""A file of events that grows: each event once, though the program is killed at any instant."""

import os
from collections.abc import Iterable
from pathlib import Path

from logparse.cli.error import CliError
from logparse.lifecycle.event import Event, Output
from logparse.out.jsonl import encode
from logparse.source.error import shown

_MOST = 8 << 20  # bytes that wait in memory while the disk is full


class EventsFile:
    """Events are appended, as lines of JSON.

    known: its size as the last snapshot has it: what is behind is told again, and is cut off; None: it is
    appended to as it is, and so is one that is shorter (it was moved away). size: with all that was added
    and written. error: why it cannot be written now; what is added then waits in memory.

    Raises CliError: it cannot be opened.
    """

    def __init__(self, path: Path, known: int | None) -> None:
        self.error: str | None = None
        self._path = path
        self._waiting = bytearray()
        try:
            if str(path) == "-" or (path.exists() and not path.is_file()):
                raise CliError(
                    f"{shown(str(path))} is no plain file, which events are appended to: choose another one "
                    "with --events; `logparse events --follow` prints them"
                )
            self._fd = self._opened()
            self.size = os.fstat(self._fd).st_size
            if known is not None and self.size >= known:
                os.ftruncate(self._fd, known)
                self.size = known
        except OSError as error:
            raise CliError(
                f"{shown(str(path))} cannot be written: {error.strerror}; choose another file with --events"
            ) from error

    def add(self, outputs: Iterable[Output]) -> None:
        """Append the events among these."""
        for output in outputs:
            if isinstance(output, Event):
                self._waiting += encode(output)
        if self._waiting and self.error is None:
            self._write()

    def takes_more(self) -> bool:
        """Whether more may be added: not while much waits already, and it cannot be written."""
        if len(self._waiting) > _MOST:
            self._write()
        return len(self._waiting) <= _MOST

    def reopen(self) -> None:
        """Go on in a new file, where this one was renamed or removed. Raises OSError, and changes nothing."""
        fd = self._opened()
        if not self.settle() or os.path.samestat(os.fstat(fd), os.fstat(self._fd)):
            os.close(fd)
            return
        os.close(self._fd)
        self._fd, self.size = fd, os.fstat(fd).st_size

    def settle(self) -> bool:
        """Whether all that was added is on the disk now."""
        if self._waiting:
            self._write()
        if self._waiting:
            return False
        try:
            os.fsync(self._fd)
        except OSError as error:
            self._fail(error)
            return False
        return True

    def _opened(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)

    def _write(self) -> None:
        try:
            while self._waiting:
                count = os.pwrite(self._fd, self._waiting, self.size)
                self.size += count
                del self._waiting[:count]
        except OSError as error:
            self._fail(error)
            return
        self.error = None

    def _fail(self, error: OSError) -> None:
        self.error = f"{shown(str(self._path))} cannot be written: {error.strerror}"
