"""A file of events that grows: each event once, though the program is killed at any instant."""

import os
from collections.abc import Iterable
from pathlib import Path

from logparse.cli.error import CliError
from logparse.cli.logline import log
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
        self._half = 0  # bytes at the end of the file, of a line that is not whole yet
        self._failed = False  # when it was last to be on the disk
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
        if not self._synced() or os.path.samestat(os.fstat(fd), os.fstat(self._fd)):
            os.close(fd)
            return
        os.close(self._fd)
        self._fd, self.size = fd, os.fstat(fd).st_size

    def settle(self) -> bool:
        """Whether all that was added is on the disk now; that it cannot be, and can be again, is said."""
        settled = self._synced()
        if settled and self._failed:
            log("info", "the events can be written again")
        elif not settled and not self._failed:
            log(
                "error",
                f"{self.error}; check that there is space. The events wait in memory, and when they are "
                "many the log is read no further; the state is not saved meanwhile",
            )
        self._failed = not settled
        return settled

    def end(self, state: Path | None) -> str | None:
        """Write what waits; a sentence, where it cannot be, and nothing keeps it. No half line stays.

        state: the file of what is saved, None where nothing is to be. It knows only of events that are on
        the disk: after the next start the others are written, from what the log has then.
        """
        if self.settle():
            return None
        if self._half:
            try:
                os.ftruncate(self._fd, self.size - self._half)
            except OSError as error:
                self._fail(error)
        count = self._waiting.count(b"\n")
        missing = f"{count} event{'s were' if count != 1 else ' was'} never written"
        if state is not None and state.exists():
            log("warning", f"{self.error}; {missing}: the next start does it, so give it space before")
            return None
        kept = "without --state" if state is None else "as no state could be saved"
        return (
            f"{self.error}; {missing}, and {kept} nothing will write them: `logparse events` has them from "
            "the log"
        )

    def _synced(self) -> bool:
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
                whole = self._waiting.rfind(b"\n", 0, count) + 1
                self._half = count - whole + (0 if whole else self._half)
                del self._waiting[:count]
        except OSError as error:
            self._fail(error)
            return
        self.error = None

    def _fail(self, error: OSError) -> None:
        self.error = f"{shown(str(self._path))} cannot be written: {error.strerror}"
