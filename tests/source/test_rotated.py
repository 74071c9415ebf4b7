"""Rotations of every kind, while the follower runs and while it is down: nothing lost, nothing doubled."""

import bz2
import gzip
import lzma
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from logparse.source.chunk import Chunk
from logparse.source.follow import GRACE_SECONDS, Follower
from logparse.source.place import Place
from logparse.source.position import load, offset_files
from logparse.source.rotated import rank_of

try:
    from compression import zstd  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    from backports import zstd


def lines(start: int, stop: int) -> bytes:
    line = b"2026-11-24 03:00:%05d line of the log that is unlike all others\n"
    return b"".join(line % n for n in range(start, stop))


def drain(follower: Follower) -> bytes:
    chunks: list[Chunk] = []
    quiet = 0
    while quiet < 3:
        found = follower.poll()
        quiet = 0 if found else quiet + 1
        chunks += found
    return b"".join(chunk.data for chunk in chunks)


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


@pytest.mark.parametrize("down", [True, False], ids=["down", "running"])
@pytest.mark.parametrize("copy", [True, False], ids=["copytruncate", "rename"])
@pytest.mark.parametrize("suffix", list(COMPRESS))
@pytest.mark.parametrize("name", ["odoo.log", "odoo[1].log"])
def test_several_rotations_at_once(name: str, suffix: str, copy: bool, down: bool, tmp_path: Path) -> None:
    log = tmp_path / name
    log.write_bytes(lines(0, 30))
    follower = Follower(str(log), start="beginning")
    got = drain(follower)
    for start in range(30, 90, 10):
        add(log, lines(start, start + 10))
        if start % 20:
            shift(log, suffix, copy=copy)
    add(log, lines(90, 95))
    follower = again(follower, down=down)
    got += drain(follower)
    assert got == lines(0, 95)
    assert follower.lost == 0
    assert follower.warnings == []
    add(log, lines(95, 100))
    assert drain(follower) == lines(95, 100)


@pytest.mark.parametrize("down", [True, False], ids=["down", "running"])
@pytest.mark.parametrize(
    "names",
    [
        ["odoo.log.2", "odoo.log.1"],
        ["odoo.log.2.gz", "odoo.log.1"],
        ["odoo.log.1.gz", "odoo.log.0"],
        ["odoo.log-20261123.gz", "odoo.log-20261124"],
        ["odoo-20261123.log.gz", "odoo-20261124.log"],
        ["odoo.log.2026-11-23", "odoo.log.2026-11-24"],
        ["odoo.log.2026-11-24_03-00-00", "odoo.log.2026-11-24_04-00-00"],
        ["odoo.log-20261124-1795489200.xz", "odoo.log-20261124-1795492800"],
        ["odoo.log.old2", "odoo.log.1"],
    ],
)
def test_names_of_pieces(names: list[str], down: bool, tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    add(log, lines(0, 10))
    follower = Follower(str(log), start="beginning")
    assert drain(follower) == lines(0, 10)
    for n, name in enumerate(names):
        add(log, lines(10 + 5 * n, 15 + 5 * n))
        piece = tmp_path / name
        suffix = piece.suffix if piece.suffix in COMPRESS else ""
        if suffix:
            piece.write_bytes(COMPRESS[suffix](log.read_bytes()))
            os.utime(piece, ns=(0, log.stat().st_mtime_ns))
            log.unlink()
        else:
            log.rename(piece)
        log.touch()
        if n:
            os.utime(tmp_path / names[0])  # somebody touched it: names tell more than times
    if names[0] == "odoo.log.old2":
        os.utime(tmp_path / names[0], (0, 0))
    add(log, lines(20, 22))
    follower = again(follower, down=down)
    assert drain(follower) == lines(10, 22)
    assert follower.lost == 0


def test_a_symbolic_link_that_is_switched(tmp_path: Path) -> None:
    """As Kubernetes does for a container that is started anew."""
    log = tmp_path / "0.log"
    for n in range(3):
        (tmp_path / f"pod{n}").mkdir()
    first = tmp_path / "pod0" / "0.log"
    add(first, lines(0, 5))
    log.symlink_to(first)
    follower = Follower(str(log), start="beginning")
    got = drain(follower)
    add(first, lines(5, 10))
    for n, start in ((1, 10), (2, 15)):
        target = tmp_path / f"pod{n}" / "0.log"
        add(target, lines(start, start + 5))
        log.unlink()
        log.symlink_to(target)
        follower = again(follower, down=n == 2)
        got += drain(follower)
    assert got == lines(0, 20)


@pytest.mark.parametrize("down", [True, False], ids=["down", "running"])
def test_containers_that_are_started_anew_several_times(down: bool, tmp_path: Path) -> None:
    """Kubernetes' own rotation in between: each container's logs lie beside those before."""
    log, pod = tmp_path / "odoo.log", tmp_path / "pod"
    pod.mkdir()
    add(pod / "9.log", lines(0, 5))
    log.symlink_to(pod / "9.log")
    follower = Follower(str(log), start="beginning")
    got = drain(follower)
    add(pod / "9.log", lines(5, 10))
    (pod / "9.log").rename(pod / "9.log.20261124-080000")
    add(pod / "9.log", lines(10, 15))
    (pod / "9.log").rename(pod / "9.log.20261124-090000")
    add(pod / "9.log", lines(15, 20))
    for n in (10, 11):
        add(pod / f"{n}.log", lines(5 * n - 30, 5 * n - 25))
        log.unlink()
        log.symlink_to(pod / f"{n}.log")
    oldest = pod / "9.log.20261124-080000"
    oldest.with_name(f"{oldest.name}.gz").write_bytes(gzip.compress(oldest.read_bytes()))
    oldest.unlink()
    follower = again(follower, down=down)
    assert got + drain(follower) == lines(0, 30)
    assert follower.lost == 0


def test_moved_across_a_mount(tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    log.write_bytes(lines(0, 5))
    follower = Follower(str(log), start="beginning")
    got = drain(follower)
    for start, down in ((5, False), (10, True)):
        shutil.copy(log, tmp_path / "elsewhere")
        log.unlink()
        shutil.copy(tmp_path / "elsewhere", tmp_path / "back")
        (tmp_path / "back").rename(log)
        add(log, lines(start, start + 5))
        follower = again(follower, down=down)
        got += drain(follower)
    assert got == lines(0, 15)
    assert follower.lost == 0


def test_gone_and_back(tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    log.write_bytes(lines(0, 5))
    follower = Follower(str(log), start="beginning")
    got = drain(follower)
    log.rename(tmp_path / "away")
    got += drain(follower)
    assert follower.error is not None
    add(tmp_path / "away", lines(5, 8))
    (tmp_path / "away").rename(log)
    got += drain(follower)
    assert got == lines(0, 8)
    assert follower.error is None
    assert follower.rotations.total() == 0


@pytest.mark.parametrize("down", [True, False], ids=["down", "running"])
@pytest.mark.parametrize("count", [3, 60], ids=["shorter", "longer"])
@pytest.mark.parametrize("how", ["replaced", "truncated"])
def test_another_content(how: str, count: int, down: bool, tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    log.write_bytes(lines(0, 20))
    follower = Follower(str(log), start="beginning")
    got = drain(follower)
    if how == "replaced":
        (tmp_path / "new").write_bytes(lines(100, 100 + count))
        (tmp_path / "new").replace(log)
    else:
        os.truncate(log, 0)
        add(log, lines(100, 100 + count))
    follower = again(follower, down=down)
    got += drain(follower)
    assert got == lines(0, 20) + lines(100, 100 + count)
    assert follower.rotations.total() == 1
    assert follower.lost_bytes == 0


def test_a_reused_inode_is_not_the_old_file(tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    log.write_bytes(lines(0, 5))
    follower = Follower(str(log), start="beginning")
    got = drain(follower)
    follower.close()
    shutil.copy2(log, tmp_path / "odoo.log.1")
    log.write_bytes(lines(5, 40))  # the same inode, and longer than before
    follower = again(follower, down=True)
    assert got + drain(follower) == lines(0, 40)


def test_what_is_gone_is_counted_and_said(tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    log.write_bytes(lines(0, 5))
    follower = Follower(str(log), start="beginning")
    drain(follower)
    place = follower.place
    assert place is not None
    follower.close()
    add(log, lines(5, 9))
    shift(log)
    add(log, lines(9, 12))
    shift(log)
    (tmp_path / "odoo.log.2").unlink()
    add(log, lines(12, 15))
    follower = Follower(str(log), start="end", place=place)
    assert drain(follower) == lines(9, 15)
    assert follower.lost == 1
    assert "is lost" in follower.warnings[0]


def test_first_start_with_pieces_that_lie_before(tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    for n in range(3):
        add(log, lines(5 * n, 5 * n + 5))
        os.utime(log, (1_000_000 + n, 1_000_000 + n))
        shift(log)
    add(log, lines(15, 18))
    (tmp_path / "odoo.log.bak").write_bytes(b"not a piece\n")
    assert drain(Follower(str(log), start="beginning")) == lines(0, 18)
    assert drain(Follower(str(log), start="beginning", since=1_000_001_000)) == lines(5, 18)
    assert drain(Follower(str(log), start="end")) == b""


@pytest.mark.parametrize("copy", [True, False], ids=["copytruncate", "rename"])
def test_an_empty_file_that_was_filled_and_rotated_while_down(copy: bool, tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    log.write_bytes(lines(0, 10))
    follower = Follower(str(log), start="beginning")
    got = drain(follower)
    shift(log)
    os.utime(tmp_path / "odoo.log.1", (1_000_000, 1_000_000))
    got += drain(follower)
    os.utime(log, (2_000_000, 2_000_000))
    place = follower.place
    assert place is not None
    follower.close()
    add(log, lines(10, 20))
    shift(log, copy=copy)
    add(log, lines(20, 25))
    follower = Follower(str(log), start="end", place=msgspec.structs.replace(place, modified=2 * 10**15))
    assert got + drain(follower) == lines(0, 25)


@pytest.mark.parametrize("rotated", [False, True])
def test_goes_on_from_the_offset_file_of_pygtail(rotated: bool, tmp_path: Path) -> None:
    from pygtail import Pygtail

    log = tmp_path / "odoo.log"
    log.write_bytes(lines(0, 5))
    assert "".join(Pygtail(str(log))).encode() == lines(0, 5)
    add(log, lines(5, 8))
    if rotated:
        shift(log)
    add(log, lines(8, 10))
    (file,) = (file for file in offset_files(str(log), tmp_path) if file.exists())
    at = load(file)
    assert at is not None
    follower = Follower(str(log), start="end", place=Place(offset=at.offset, inode=at.inode))
    assert drain(follower) == lines(5, 10)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("odoo.log.1", "number"), ("odoo.log-20261124.gz", "date"), ("odoo-2026-11-24.log", "date")]
    + [
        (name, None)
        for name in ("odoo.log.bak", "0.log", "odoo.conf", "odoo-errors.log", "odoo.log.offset", "odoo.1.log")
    ],
)
def test_which_names_are_rotations(name: str, kind: str | None) -> None:
    rank = rank_of(name, "odoo.log")
    assert (rank[0] if rank else None) == kind


def test_pieces_that_begin_alike_are_told_apart(tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    alike = b"the same banner, without a time, each time that the program starts\n" * 100
    log.write_bytes(alike + lines(0, 10))
    follower = Follower(str(log), start="beginning")
    assert drain(follower) == alike + lines(0, 10)
    place = follower.place
    add(log, lines(10, 20))
    for start in (20, 40):
        shift(log)
        log.write_bytes(alike + lines(start, start + 20))
    again = Follower(str(log), start="end", place=place)
    assert drain(again) == lines(10, 20) + alike + lines(20, 40) + alike + lines(40, 60)
    assert (again.lost, again.warnings) == (0, [])


@pytest.mark.parametrize("left", [2, 10, 15])
def test_cut_within_its_first_bytes_and_moved_to_another_disk_while_down(left: int, tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    log.write_bytes(lines(0, 100))
    follower = Follower(str(log), start="beginning")
    assert drain(follower) == lines(0, 100)
    place = follower.place
    log.write_bytes(lines(0, left) + lines(200, 220))
    moved = tmp_path / "moved"
    shutil.copy2(log, moved)
    moved.replace(log)
    again = Follower(str(log), start="end", place=place)
    assert drain(again) == lines(200, 220)
    assert again.lost == 0


def test_moved_to_another_disk_and_rotated_there_at_once(tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    log.write_bytes(lines(0, 50))
    follower = Follower(str(log), start="beginning")
    assert drain(follower) == lines(0, 50)
    copy = tmp_path / "copy"
    shutil.copy2(log, copy)
    copy.replace(log)
    add(log, lines(50, 80))
    shift(log)
    log.write_bytes(lines(80, 90))
    time.sleep(GRACE_SECONDS)
    drain_first = drain(follower)
    time.sleep(GRACE_SECONDS)
    assert drain_first + drain(follower) == lines(50, 90)
    assert follower.lost == 0


def test_another_compressor_begins_with_number_one_again(tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    log.write_bytes(lines(0, 10))
    follower = Follower(str(log), start="beginning")
    assert drain(follower) == lines(0, 10)
    add(log, lines(10, 20))
    for n, suffix in enumerate([".gz", ".gz", ".bz2", ".bz2", ".bz2", ".gz"]):
        shift(log, suffix)
        # gzip and bzip2 give it the time of what they compress.
        os.utime(f"{log}.1{suffix}", (1_700_000_000 + n * 3600,) * 2)
        log.write_bytes(lines(20 + 10 * n, 30 + 10 * n))
    again = Follower(str(log), start="end", place=follower.place)
    assert drain(again) == lines(10, 80)
    assert (again.lost, again.warnings) == (0, [])
