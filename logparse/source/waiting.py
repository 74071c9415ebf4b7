"""Waiting until a log may have more: told by the system where it can tell, else by looking again."""

import os
import threading
from collections.abc import Iterable
from pathlib import Path

from watchfiles import watch

from logparse.source.error import shown

POLL_SECONDS = 0.08
"""Between two looks where the system does not tell of a write."""
LOOK_SECONDS = 1.0
"""Between two looks where it does: what was missed, and last lines of a quiet log."""

_STEP, _DEBOUNCE = 20, 40  # ms: how often watchfiles looks for news, and how long it gathers them at most
_REMOTE = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "9p", "virtiofs", "afs", "lustre", "glusterfs"}


class Waiter:
    """Wakes who waits when something changes in a directory of the logs; usable from any thread.

    paths: of the logs. A directory that is missing, on a network file system, or that the system will not
    watch (its limit of watches is reached) is polled: then `polled` says why.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self.polled: str | None = None
        self._woken = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        both = (one for path in paths for one in (path, os.path.realpath(path)))
        folders = {str(Path(one).absolute().parent) for one in both}
        for folder in sorted(folders):
            if not os.path.isdir(folder):  # noqa: PTH112 (Path's raises where a folder above it is closed)
                self.polled = f"the directory {shown(folder)} is missing, or closed to this user"
            elif (kind := file_system(folder)) in _REMOTE or kind.startswith("fuse"):
                self.polled = f"{shown(folder)} is on a {kind} file system, which does not tell of all writes"
        if self.polled is None:
            self._thread = threading.Thread(
                target=self._watch, args=(sorted(folders),), name="logparse-watching", daemon=True
            )
            self._thread.start()

    def wait(self, seconds: float = LOOK_SECONDS) -> None:
        """Wait until something may have changed, or `wake` is called; `seconds` at most."""
        self._woken.wait(min(seconds, POLL_SECONDS) if self.polled is not None else seconds)
        self._woken.clear()

    def wake(self) -> None:
        """End the wait."""
        self._woken.set()

    def close(self) -> None:
        """Watch no more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self, folders: list[str]) -> None:
        try:
            for _ in watch(
                *folders,
                watch_filter=None,
                debounce=_DEBOUNCE,
                step=_STEP,
                rust_timeout=5_000,
                recursive=False,
                stop_event=self._stop,
                raise_interrupt=False,
                ignore_permission_denied=True,
            ):
                self._woken.set()
        except (OSError, RuntimeError) as error:
            self.polled = f"the system does not watch the directories of the logs ({error})"
            self._woken.set()


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
