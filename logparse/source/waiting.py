"""Waiting until a log may have more: told by the system where it can tell, else by looking again."""

import os
import stat
import threading
import time
from collections.abc import Iterable, Iterator
from glob import has_magic
from pathlib import Path

from watchfiles import watch

from logparse.source.error import shown

POLL_SECONDS = 0.08
"""Between two looks where the system does not tell of a write."""
LOOK_SECONDS = 1.0
"""Between two looks where it does: what was missed, and last lines of a quiet log."""
BUSY_SECONDS = 0.25
"""Between two looks at a log that is written to all the while; each costs something, whatever it finds."""

_BEGINNING_SECONDS = 0.5
"""In which the system may not watch yet."""

_STEP, _DEBOUNCE = 30, 60  # ms: how often watchfiles looks for news, and how long it gathers them at most
_REMOTE = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "9p", "virtiofs", "afs", "lustre", "glusterfs"}


class Waiter:
    """Wakes who waits when something changes in a directory of the logs; `wake` from any thread.

    polled: why it is looked again and again, where the system does not tell: a directory is missing, is on a
    network file system, or is not watched (the limit of watches is reached). None while it tells.
    """

    def __init__(self) -> None:
        self.polled: str | None = None
        self._unwatched: str | None = None
        self._folders: dict[str, int | None] | None = None  # which were watched, if they are still the same
        self._looked = self._began = 0.0
        self._woken = threading.Event()
        self._called = False  # by `wake`
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, paths: Iterable[str]) -> None:
        """Watch the directories of these logs from now on; one may be a pattern, or a symbolic link.

        Does nothing within a second of the last time.
        """
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS and self._folders is not None:
            return
        self._looked = now
        folders = {folder: _inode(folder) for path in paths for folder in _folders(path)}
        missing = {folder for folder, inode in folders.items() if inode is None}
        if folders != self._folders:
            self._folders = folders
            self._start(set(folders) - missing)
        self.polled = self._unwatched
        if missing:
            self.polled = f"the directory {shown(min(missing))} is missing, or closed to this user"

    def _start(self, folders: set[str]) -> None:
        self.close()
        self._stop = threading.Event()
        self._unwatched = None
        for folder in folders:
            if (kind := file_system(folder)) in _REMOTE or kind.startswith("fuse"):
                self._unwatched = (
                    f"{shown(folder)} is on a {kind} file system, which does not tell of all writes"
                )
                return
        self._began = time.monotonic()
        self._thread = threading.Thread(
            target=self._run, args=(sorted(folders), self._stop), name="logparse-watching", daemon=True
        )
        self._thread.start()

    def wait(self, seconds: float = LOOK_SECONDS) -> None:
        """Wait until something may have changed, or `wake` is called; `seconds` at most."""
        untold = self.polled is not None or time.monotonic() - self._began < _BEGINNING_SECONDS
        self._woken.wait(min(seconds, POLL_SECONDS) if untold else seconds)
        self._called = False
        self._woken.clear()

    def rest(self, seconds: float = BUSY_SECONDS) -> None:
        """Wait until `wake` is called, `seconds` at most; what is watched is not until `watch` is called."""
        if self._folders is not None:
            self.close()
            self._folders = None
            self._woken.clear()  # of what was watched
            if self._called:
                self._woken.set()
        self._woken.wait(seconds)
        self._called = False
        self._woken.clear()

    def wake(self) -> None:
        """End the wait."""
        self._called = True
        self._woken.set()

    def close(self) -> None:
        """Watch no more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, folders: list[str], stop: threading.Event) -> None:
        try:
            for _ in watch(
                *folders,
                watch_filter=None,
                debounce=_DEBOUNCE,
                step=_STEP,
                rust_timeout=5_000,
                recursive=False,
                stop_event=stop,
                raise_interrupt=False,
                ignore_permission_denied=True,
            ):
                self._woken.set()
        except (OSError, RuntimeError) as error:
            self._unwatched = f"the system does not watch the directories of the logs ({error})"
            self._woken.set()


def _folders(path: str) -> Iterator[str]:
    """The directories where a file of this path, or of this pattern, can be written or appear."""
    for one in {path, os.path.realpath(path)}:
        folder = Path(one).absolute().parent
        while has_magic(str(folder)) and not os.path.exists(folder):  # noqa: PTH110
            folder = folder.parent
        yield str(folder)


def _inode(folder: str) -> int | None:
    try:
        info = Path(folder).stat()
    except OSError:
        return None
    return info.st_ino if stat.S_ISDIR(info.st_mode) else None


def file_system(folder: str) -> str:
    """The kind of file system that holds this directory, such as `ext4`; "" where it is not known."""
    try:
        mounts = Path("/proc/self/mounts").read_text(errors="surrogateescape")
    except OSError:
        return ""
    real = os.path.realpath(folder)
    best, kind = "", ""
    for line in mounts.splitlines():
        words = line.split(" ")
        point = words[1].replace("\\040", " ").rstrip("/")
        if len(words) > 2 and (real + "/").startswith(point + "/") and len(point) >= len(best):
            best, kind = point, words[2]
    return kind
