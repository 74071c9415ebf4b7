"""A log that is rotated by hand, and what a follower reads of it."""

import bz2
import gzip
import lzma
import os
from collections.abc import Callable
from pathlib import Path

from logparse.source.follow import Follower
from tests.source import writing

try:
    from compression import zstd  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    from backports import zstd


def lines(start: int, stop: int) -> bytes:
    line = b"2026-11-24 03:00:%05d line of the log that is unlike all others\n"
    return b"".join(line % n for n in range(start, stop))


def drain(follower: Follower) -> bytes:
    return b"".join(chunk.data for chunk in writing.drain(follower))


def add(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstd.compress,
}


def shift(log: Path, suffix: str = "", *, copy: bool = False, names: Callable[[int], str] = str) -> None:
    """Rotate by numbers, and compress at once."""
    numbers = [n for n in range(20, 0, -1) if (log.parent / f"{log.name}.{n}{suffix}").exists()]
    for n in numbers:
        (log.parent / f"{log.name}.{n}{suffix}").rename(log.parent / f"{log.name}.{n + 1}{suffix}")
    piece = log.parent / f"{log.name}.1{suffix}"
    data = log.read_bytes()
    if copy:
        piece.write_bytes(COMPRESS[suffix](data))
        os.truncate(log, 0)
    elif suffix:
        piece.write_bytes(COMPRESS[suffix](data))
        log.unlink()
    else:
        log.rename(piece)
    if not copy:
        log.touch()


def again(follower: Follower, *, down: bool) -> Follower:
    if not down:
        return follower
    follower.close()
    return Follower(follower.path, start="end", place=follower.place)
