"""The one file that holds all state: written whole or not at all, and checked before it is believed."""

import errno
import fcntl
import os
import sys
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from logparse.cli.error import CliError
from logparse.out.loki import Entry
from logparse.out.state import State
from logparse.out.steps import Trace
from logparse.source.error import shown
from logparse.source.place import Place

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdError, compress, decompress
else:
    from backports.zstd import ZstdError, compress, decompress

NAME = "logparse.state"
_MAGIC = b"logparse state "
_VERSION = 2  # 1 had no columns (logparse.cli.kept), and is read as well


class Log(msgspec.Struct):
    """Of one followed file. lost, lost_bytes, rotations: as the Follower's. facts, unmatched: as the Pipe's.

    reader: the record stage, as logparse.cli.kept has it. odoo: the version that the log told.
    """

    path: str
    place: Place | None
    reader: Any
    now: int = 0
    lost: int = 0
    lost_bytes: int = 0
    rotations: dict[str, int] = {}
    facts: dict[str, int] = {}
    unmatched: dict[str, int] = {}
    odoo: str | None = None


class Shipped(msgspec.Struct):
    """Of `ship`. waiting: events that are read and not known to be in Loki. known: values of labels so far.

    texts: those that events to come may be about.
    """

    waiting: list[Entry] = []
    known: dict[str, list[str]] = {}
    texts: list[Trace] = []


class Snapshot(msgspec.Struct):
    """All that a follower knows. patterns: the digest of those that it was made with.

    classes, lifecycle, held: as logparse.cli.kept has them; held: (time, number of the log, record).
    lifecycle is None where only places and counters are to be taken over.
    events: the size of the file of events, bytes; None where none is written. ship: None of other verbs.
    """

    release: str
    patterns: str
    logs: list[Log]
    lifecycle: Any
    classes: Any = []
    held: Any = []
    counts: State | None = None
    snapshot_errors: int = 0
    events: int | None = None
    ship: Shipped | None = None


class Refused(Exception):
    """A file that is no snapshot of this program, or torn, or of a newer release; one clause says which."""


def encode(snapshot: Snapshot) -> bytes:
    """The content of the file: a line with the version and a checksum, then zstd of MessagePack."""
    body = compress(msgspec.msgpack.encode(snapshot), 1)
    head = b"%s%d %s\n" % (_MAGIC, _VERSION, blake2b(body, digest_size=20).hexdigest().encode())
    return head + body


def decode(content: bytes) -> Snapshot:
    """Raises Refused."""
    head, newline, body = content.partition(b"\n")
    words = head.removeprefix(_MAGIC).split(b" ")
    if not head.startswith(_MAGIC) or not newline or len(words) != 2 or not words[0].isdigit():
        raise Refused("it is no state of logparse")
    if int(words[0]) > _VERSION:
        raise Refused(f"a newer release wrote it (form {int(words[0])}; this one knows {_VERSION})")
    if blake2b(body, digest_size=20).hexdigest().encode() != words[1]:
        raise Refused("it is torn or damaged (its checksum differs)")
    try:
        return msgspec.msgpack.decode(decompress(body), type=Snapshot)
    except (msgspec.MsgspecError, ZstdError, ValueError) as error:
        raise Refused(f"its content is not of the form of a state ({error})") from error


class Store:
    """A state directory, held by one program at a time.

    Raises CliError: it cannot be made or written to, or another program holds it.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / NAME
        self._folder = folder
        try:
            self._lock = _lockable(folder)
        except OSError as error:
            raise CliError(
                f"nothing can be saved in the state directory {shown(str(folder))}: {error.strerror}; "
                "change its owner, or name another with --state"
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise CliError(
                f"another logparse uses the state directory {shown(str(folder))}: stop it, or name another "
                "directory with --state"
            ) from error

    def load(self) -> tuple[Snapshot | None, str | None]:
        """What was saved last, None where there is nothing; and a sentence where it was set aside."""
        try:
            return decode(self.file.read_bytes()), None
        except FileNotFoundError:
            return None, None
        except OSError as error:
            raise CliError(f"{shown(str(self.file))} cannot be read: {error.strerror}") from error
        except Refused as why:
            return None, self.set_aside(str(why))

    def set_aside(self, why: str) -> str:
        """Keep the file under another name; the sentence that says so."""
        aside = self._aside()
        try:
            self.file.rename(aside)
        except OSError as error:
            raise CliError(
                f"{shown(str(self.file))} cannot be used ({why}) nor moved: {error.strerror}"
            ) from error
        return f"the state {shown(str(self.file))} cannot be used: {why}; it is kept as {shown(str(aside))}"

    def copy_aside(self) -> Path:
        """Keep what the file is now under another name, too; that name."""
        aside = self._aside()
        os.link(self.file, aside)
        return aside

    def _aside(self) -> Path:
        number = 1
        while (aside := self._folder / f"{NAME}.aside.{number}").exists():
            number += 1
        return aside

    def save(self, snapshot: Snapshot) -> None:
        """Write it so that a crash at any instant leaves the old file or the new one. Raises OSError."""
        draft = self._folder / f"{NAME}.new"
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            with open(fd, "wb") as file:  # noqa: PTH123
                file.write(encode(snapshot))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.file)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def close(self) -> None:
        """Let another program use the directory."""
        os.close(self._lock)


def _lockable(folder: Path) -> int:
    """What is locked: a file in the directory; the directory itself, where no file can be made in it now."""
    try:
        return os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.ENOSPC, errno.EDQUOT):
            raise
    try:
        return os.open(folder / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
