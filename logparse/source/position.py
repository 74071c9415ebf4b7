"""Where reading a followed file stands, kept in pygtail's offset file; and the rotated file's name."""

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


def offset_file(state: Path, path: str) -> Path:
    """Return the name of the followed file's offset file in a state directory.

    It holds the file's own name, for people, and a digest of its absolute path, so that two logs of one
    name do not share it.
    """
    absolute = Path(path).absolute()
    name = re.sub(r"[^A-Za-z0-9._-]", "_", absolute.name)[:100]
    digest = hashlib.sha256(os.fsencode(absolute)).hexdigest()[:12]
    return state / f"{name}.{digest}.offset"


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


def save(file: Path, position: Position) -> None:
    """Write the position so that a crash at any instant leaves the old file or the new one.

    Raises SourceError: the directory is missing, full, or read-only.
    """
    draft = file.with_name(f"{file.name}.new")
    try:
        with draft.open("w", encoding="ascii") as writing:
            writing.write(f"{position.inode}\n{position.offset}\n")
            writing.flush()
            os.fsync(writing.fileno())
        draft.replace(file)
        directory = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        raise SourceError(
            f"the position could not be saved in {shown(str(file))}: {error.strerror}; "
            "check that the state directory exists, is writable and has space"
        ) from error


class RotatedFile(Pygtail):  # type: ignore[misc]  # pygtail has no types
    """pygtail's search for the file that a log was rotated to, and nothing else of it.

    It knows the names that logrotate (with dateext too), savelog and Python's TimedRotatingFileHandler
    give, and tells by the inode whether it is the file that was being read.

    Mended here: pygtail reads text and raises at the first invalid UTF-8, for ever; takes a line that
    is half written for a whole one; writes its offset file in place, so that a crash leaves a torn
    one, at which it raises; writes to stderr; and opens the log once more when it is collected. So
    reading is done by Follower, on bytes and whole lines, and saving by save(), atomically. The
    format of the offset file is kept, so that a user of pygtail or logtail2 can switch.
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
