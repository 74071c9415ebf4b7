"""What is done to a log while it is written: by logrotate, by savelog, and by hand."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from random import Random

Paused = Callable[[], AbstractContextManager[None]]
"""While it is entered the writer writes nothing."""
Read = Callable[[], bool]
"""Waits until all that is written is read and saved; whether it is: nobody may be reading."""

_COMPRESSORS = {"gzip": ".gz", "bzip2": ".bz2", "xz": ".xz", "zstd": ".zst"}
_SAVELOG: list[list[str]] = [[], ["-j"], ["-J"]]


class Disturber:
    """Does things to a log. aside: a directory on the same file system that is no log's."""

    def __init__(self, log: Path, chance: Random, aside: Path, paused: Paused, read: Read) -> None:
        self.log = log
        self.chance = chance
        self.done: list[str] = []
        self.destroyed: float | None = None
        """When something was destroyed last, by the clock that only goes on."""
        self._aside = aside
        self._paused = paused
        self._read = read
        self._number = 0
        self._savelog = chance.choice(_SAVELOG)
        self._compressor = chance.choice(sorted(_COMPRESSORS))  # neither knows another's pieces

    def do(self, what: str) -> None:
        """Do it, if there is anything to do it to."""
        if self.log.exists() and self.log.stat().st_size:
            getattr(self, what)()
            self.done.append(what)

    # logrotate

    def create(self) -> None:
        """The default: renamed, and a new file made."""
        self._logrotate("create")

    def create_late(self) -> None:
        """The default, where the writer was faster: logrotate puts the file that it made aside."""
        backup = self.log.with_name(f"{self.log.name}-{time.strftime('%Y%m%d%H')}.backup")
        self.nocreate()
        deadline = time.monotonic() + 1
        while not self.log.exists() and time.monotonic() < deadline:
            time.sleep(0.001)
        if self.log.exists() and not backup.exists():  # a second one within the hour it writes over the first
            self.log.rename(backup)
            self.log.touch()

    def nocreate(self) -> None:
        """Renamed; the writer makes the new file."""
        self._logrotate("nocreate")

    def delaycompress(self) -> None:
        """Compressed when it is renamed for the second time."""
        self._logrotate("create", "compress", "delaycompress")

    def compress(self) -> None:
        """Compressed at once: what is written meanwhile logrotate itself loses."""
        with self._paused():
            self._logrotate("create", "compress")

    def copytruncate(self) -> None:
        """What is written between the copy and the truncation logrotate itself loses."""
        with self._paused():
            self._logrotate("copytruncate")

    def copytruncate_delayed(self) -> None:
        """The same, and the copy before it compressed."""
        with self._paused():
            self._logrotate("copytruncate", "compress", "delaycompress")

    def copytruncate_compress(self) -> None:
        """The same, and the copy compressed."""
        with self._paused():
            self._logrotate("copytruncate", "compress")

    def dateext(self) -> None:
        """Named by time; at most one a second, as logrotate overwrites nothing."""
        self._dated()

    def dateext_compress(self) -> None:
        """The same, with the log's extension at the end, compressed later."""
        self._dated("compress", "delaycompress")

    # Others

    def savelog(self) -> None:
        """Debian's other one: `.0`, and the older ones compressed; some day by another program.

        That one's pieces begin with `.1` again, beside those of the one before.
        """
        touch = self.chance.choice([[], ["-t"]])
        other = self.chance.choice(_SAVELOG) if self.chance.random() < 0.2 else self._savelog
        if other != self._savelog and not self._a_second_later():
            other = self._savelog
        self._run("savelog", "-q", "-c", "99", *touch, *self._savelog, str(self.log))
        self._savelog = other  # by which what is `.0` now will be compressed

    def _a_second_later(self) -> bool:
        """Whether the log was written after `.0` also by bzip2, which keeps the second and no more."""
        before = self.log.with_name(f"{self.log.name}.0")
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            if before.exists() and int(self.log.stat().st_mtime) > before.stat().st_mtime:
                return True
            time.sleep(0.1)
        return False

    def switch(self) -> None:
        """The log is a symbolic link, as Kubernetes has it, and now to another file."""
        target = self._aside / f"{self._number}.log"
        target.touch()
        self._number += 1
        link = self._aside / "link"
        link.symlink_to(target)
        link.replace(self.log)

    def away_and_back(self) -> None:
        """It disappears, and comes back."""
        with self._paused():
            self.log.rename(self._aside / "away")
            time.sleep(self.chance.random())
            (self._aside / "away").rename(self.log)

    def other_mount(self) -> None:
        """It is moved to another file system, and back."""
        with self._paused(), tempfile.TemporaryDirectory(dir="/dev/shm") as other:
            moved = Path(shutil.copy2(self.log, other))
            self.log.unlink()
            self.log.symlink_to(moved)
            time.sleep(self.chance.random())
            back = Path(shutil.copy2(moved, self._aside / "back"))
            back.replace(self.log)

    # What destroys something: only once it is read

    def truncate(self) -> None:
        """Emptied."""
        with self._paused():
            if self._read():
                os.truncate(self.log, 0)
                self.destroyed = time.monotonic()

    def cut(self) -> None:
        """Cut at a line end: what is left tells that nothing more is gone."""
        with self._paused():
            if self._read():
                ends = [n + 1 for n, byte in enumerate(self.log.read_bytes()) if byte == 10]
                os.truncate(self.log, self.chance.choice(ends[-200:]))

    def replace(self) -> None:
        """Removed, and a new one in its place, perhaps of the same inode: shorter, or soon longer."""
        with self._paused():
            if self._read():
                self.log.unlink()
                self.log.touch()
                self.destroyed = time.monotonic()

    def _dated(self, *directives: str) -> None:
        while any(self.log.parent.glob(f"{self.log.name}-*-{int(time.time())}*")):
            time.sleep(0.1)
        self._logrotate("create", "dateext", "dateformat -%Y%m%d-%s", *directives)

    def _logrotate(self, *directives: str) -> None:
        name = self._compressor
        common = [f"su {self.log.owner()} {self.log.group()}"]
        common += [f"compresscmd {shutil.which(name)}", f"compressext {_COMPRESSORS[name]}"]
        configuration = self._aside / "logrotate.conf"
        configuration.write_text(
            f"{self.log} {{\n rotate 999\n" + "".join(f" {one}\n" for one in (*common, *directives)) + "}\n"
        )
        configuration.chmod(0o644)
        self._run("logrotate", "-f", "-s", str(self._aside / "logrotate.state"), str(configuration))

    def _run(self, *command: str) -> None:
        # Debian keeps logrotate out of the users' PATH.
        program = shutil.which(command[0], path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        assert program is not None, f"{command[0]} is not installed: apt-get install {command[0]}"
        ran = subprocess.run([program, *command[1:]], capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
