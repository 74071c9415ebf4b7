"""A process that writes a log, and what is read of it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from logparse.source.chunk import Chunk
from logparse.source.follow import Follower

# Writes numbered lines as Odoo does (WatchedFileHandler: the file is opened anew when it was renamed),
# one for each line on its standard input; answers when it is written.
WRITER = """
import logging, logging.handlers, sys
handler = logging.handlers.WatchedFileHandler(sys.argv[1], encoding="utf-8")
for line in sys.stdin:
    handler.emit(logging.makeLogRecord({"msg": line.rstrip("\\n")}))
    print(flush=True)
"""


class Writer:
    """A process that writes to a log, a line when it is told to."""

    def __init__(self, path: Path) -> None:
        command = [sys.executable, "-c", WRITER, str(path)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def write(self, *lines: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        for line in lines:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            assert self._process.stdout.readline() == "\n"

    def close(self) -> None:
        self._process.communicate()


def drain(follower: Follower) -> list[Chunk]:
    """Poll as long as anything comes; a rotation needs a poll that finds nothing before the next file."""
    chunks: list[Chunk] = []
    quiet = 0
    while quiet < 3:
        found = follower.poll()
        quiet = 0 if found else quiet + 1
        chunks += found
    return chunks


def text(chunks: list[Chunk]) -> str:
    return b"".join(chunk.data for chunk in chunks).decode()


def numbers(start: int, stop: int) -> str:
    return "".join(f"{n}\n" for n in range(start, stop))


def copytruncate(log: Path, *, between: Callable[[], object] = lambda: None) -> None:
    shutil.copy(log, f"{log}.1")
    between()
    os.truncate(log, 0)
