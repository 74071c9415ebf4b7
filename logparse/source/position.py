"""The offset files of pygtail and logtail2, and pygtail's search for the name of a rotated file."""

import hashlib
import os
import re
from pathlib import Path

import msgspec
from pygtail import Pygtail

from logparse.source.error import SourceError, shown


class Position(msgspec.Struct, frozen=True):
    """inode: of the file that was read; offset: the byte of it that is to be read next."""

    inode: int
    offset: int


def offset_files(path: str, state: Path | None = None) -> list[Path]:
    """Return where a position of this log may be saved: by pygtail and logtail2 beside it, by older
    releases of logparse in the state directory.
    """
    found = [Path(f"{path}.offset")]
    if state is not None:
        absolute = Path(path).absolute()
        name = re.sub(r"[^A-Za-z0-9._-]", "_", absolute.name)[:100]
        number = hashlib.sha256(os.fsencode(absolute)).hexdigest()[:12]
        found.insert(0, state / f"{name}.{number}.offset")
    return found


def load(file: Path) -> Position | None:
    """Return the saved position; None where there is no such file or it is empty, as for pygtail.

    Raises SourceError: it does not hold two numbers (torn, or not an offset file), or cannot be read.
    """
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SourceError(f"the saved position {shown(str(file))} is unreadable: {error.strerror}") from error
    if not content:
        return None
    # A newline after the second number proves that it was written to its end.
    match = re.fullmatch(rb"\s*(\d{1,20})\s*\n\s*(\d{1,20})\s*\n", content)
    if match is None:
        raise SourceError(
            f"{shown(str(file))} is torn or no offset file (an inode and an offset, a line each)"
        )
    return Position(int(match[1]), int(match[2]))


class RotatedFile(Pygtail):  # type: ignore[misc]  # pygtail has no types
    """pygtail's search for the file that a log was rotated to, and nothing else of it.

    It knows the names that logrotate (with dateext too), savelog and Python's TimedRotatingFileHandler
    give, and tells by the inode whether it is the file that was being read.

    Mended here: pygtail reads text and raises at the first invalid UTF-8, for ever; takes a line that
    is half written for a whole one; writes its offset file in place, so that a crash leaves a torn
    one, at which it raises; writes to stderr; and opens the log once more when it is collected. It finds
    one rotated piece only, so that two rotations while it is down lose lines; no compressed one; takes a
    reused inode for the old file; does not see a file that was truncated and grew past its old size; and
    takes `[` in a path for a pattern. So reading is done by Follower, on bytes and whole lines; the pieces
    are found by Family, by content; the place is saved with all other state, atomically. What is kept is
    this search, for places of which only an inode and an offset are known: a user of pygtail or
    logtail2 can switch without a gap.
    """

    def __init__(self, path: str, position: Position) -> None:
        # pygtail takes an offset file of no size for none; the position is given below instead.
        super().__init__(path, offset_file=os.devnull, copytruncate=True)
        self.offset_file_inode = position.inode
        self.offset = position.offset

    def __del__(self) -> None:
        """Open nothing, unlike pygtail."""

    def find(self) -> str | None:
        """Return the path of the rotated file, or of a copy that may be it; None where none is there.

        A copy (copytruncate) has an inode of its own: whether it continues what was read is for the
        caller to check.
        """
        try:
            found: str | None = self._determine_rotated_logfile()
        except OSError:  # a file went away while pygtail was looking at it
            return None
        return found
