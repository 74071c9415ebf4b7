"""A directory in which nothing more can be written, for a while: its disk is full, or read-only."""

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

Limit = Callable[[int], object]
"""Lets a program write no file beyond this size, bytes; -1: any."""

SMALL = 1000  # bytes: smaller than any state


def _may_mount() -> bool:
    found = re.search(r"(?m)^CapEff:\s*(\w+)$", Path("/proc/self/status").read_text())
    return found is not None and bool(int(found[1], 16) >> 21 & 1)  # CAP_SYS_ADMIN


MEANS = ["mounted", "limited"] if _may_mount() else ["limited"]
"""A small file system; or, for any user, a limit on the size of files, by which each write fails as well."""


class Disk:
    """folder: in it. Where it is not mounted, only the program is kept from writing that `limit` is of."""

    def __init__(self, folder: Path, *, mounted: bool) -> None:
        self.folder = folder
        self._mounted = mounted
        self._filler = folder / "filler"

    def fill(self, limit: Limit) -> None:
        """No more can be written."""
        if not self._mounted:
            limit(SMALL)
            return
        with self._filler.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(4096)):
                pass

    def free(self, limit: Limit) -> None:
        """There is space again."""
        if self._mounted:
            self._filler.unlink()
        else:
            limit(-1)

    def close(self, limit: Limit) -> None:
        """It is read-only."""
        if self._mounted:
            _run("mount", "-o", "remount,ro", str(self.folder))
        else:
            limit(SMALL)

    def open(self, limit: Limit) -> None:
        """It can be written to again."""
        if self._mounted:
            _run("mount", "-o", "remount,rw", str(self.folder))
        else:
            limit(-1)


@contextmanager
def full_at_will(means: str, folder: Path) -> Iterator[Disk]:
    """A new directory `folder`, by one of MEANS."""
    folder.mkdir()
    mounted = means == "mounted"
    if mounted:
        _run("mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder))
    try:
        yield Disk(folder, mounted=mounted)
    finally:
        if mounted:
            _run("umount", "-l", str(folder))


def _run(*command: str) -> None:
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
