"""Puts a history into Prometheus' own storage: promtool makes blocks of it, which are checked, then moved."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

_HOUR_MS = 3_600_000
_MOST_BLOCKS = 12


class BlocksError(Exception):
    """The blocks were not made; the message says why, in one sentence."""


class Blocks(msgspec.Struct, frozen=True):
    """What promtool made. names: of the blocks, in the order of time. bytes: of all their files."""

    names: Sequence[str]
    samples: int
    bytes: int


def block_hours(span_ms: int) -> int:
    """The longest span of a block, in hours, with which a history becomes a few of them.

    promtool reads its whole input anew for each block. Prometheus' own spans are 2 h and threefold.
    """
    hours = 2
    while span_ms > _MOST_BLOCKS * hours * _HOUR_MS:
        hours *= 3
    return hours


def make_blocks(promtool: str, history: Path, samples: int, hours: float, made: Path) -> Blocks:
    """Have promtool make blocks of an OpenMetrics file in the directory `made`, which does not exist yet.

    samples: how many the file holds; promtool drops silently what it takes for out of order, so they are
    counted. Raises BlocksError.
    """
    minutes = round(hours * 60)
    command = [promtool, "tsdb", "create-blocks-from", f"--max-block-duration={minutes}m"]
    status, said = _run([*command, "openmetrics", "-q", str(history), str(made)])
    if status:
        raise BlocksError(f"promtool failed: {said[-1] if said else f'exit status {status}'}")
    metas = sorted(
        (
            json.loads((block / "meta.json").read_bytes())
            for block in made.iterdir()
            if (block / "meta.json").exists()
        ),
        key=lambda meta: meta["minTime"],
    )
    taken = sum(meta["stats"]["numSamples"] for meta in metas)
    if taken != samples:
        raise BlocksError(f"promtool took {taken:,} of {samples:,} samples")
    return Blocks(
        [meta["ulid"] for meta in metas],
        taken,
        sum(file.stat().st_size for file in made.rglob("*") if file.is_file()),
    )


def _run(command: Sequence[str]) -> tuple[int, list[str]]:
    """The exit status, and the lines that it says. However this ends, it has ended then."""
    try:
        process = subprocess.Popen(  # noqa: S603 (the user's own promtool)
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise BlocksError(f"{command[0]} cannot be run: {error.strerror}") from error
    try:
        output, errors = process.communicate()
    except BaseException:
        process.kill()
        process.communicate()
        raise
    return process.returncode, (errors.strip() or output.strip()).splitlines()


def move_blocks(blocks: Blocks, made: Path, storage: Path) -> None:
    """Put them into the storage, all or none; they belong to whom it belongs. Raises OSError."""
    owner = storage.stat()
    if os.geteuid() == 0:
        for path in (made, *made.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid)
    moved: list[Path] = []
    try:
        for name in blocks.names:
            (made / name).rename(storage / name)
            moved += [storage / name]
    except BaseException:
        for path in moved:
            shutil.rmtree(path, ignore_errors=True)
        raise
