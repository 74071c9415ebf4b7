"""Rotations of every kind, while the follower runs and while it is down: nothing lost, nothing doubled."""

import gzip
import os
from pathlib import Path

import pytest

from logparse.source.follow import Follower
from logparse.source.place import Place
from logparse.source.position import load, offset_files
from logparse.source.rotated import rank_of
from tests.source.rotating import COMPRESS, add, again, drain, lines, shift


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


@pytest.mark.parametrize("down", [False, True], ids=["up", "down"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_what_logrotate_found_in_the_place_of_the_new_file(suffix: str, down: bool, tmp_path: Path) -> None:
    """The program had made it already: logrotate puts it aside as `.backup`, and its `create` is done."""
    log = tmp_path / "odoo.log"
    log.write_bytes(lines(0, 10))
    follower = Follower(str(log), start="beginning")
    assert drain(follower) == lines(0, 10)
    at = 10
    for hour in (20, 21):
        add(log, lines(at, at + 5))
        shift(log, suffix)
        os.utime(f"{log}.1{suffix}", (hour * 3600, hour * 3600))
        log.write_bytes(lines(at + 5, at + 7))
        backup = log.rename(f"{log}-20261124{hour}.backup")
        os.utime(backup, (hour * 3600 + 0.01,) * 2)
        log.write_bytes(lines(at + 7, at + 9))
        at += 9
    follower = again(follower, down=down)
    assert drain(follower) == lines(10, at)
    assert (follower.lost, follower.warnings) == (0, [])


@pytest.mark.parametrize(
    ("name", "kind"),
    [("odoo.log.1", "number"), ("odoo.log-20261124.gz", "date"), ("odoo-2026-11-24.log", "date")]
    + [("odoo.log-2026112420.backup", "backup")]
    + [
        (name, None)
        for name in ("odoo.log.bak", "0.log", "odoo.conf", "odoo-errors.log", "odoo.log.offset", "odoo.1.log")
    ],
)
def test_which_names_are_rotations(name: str, kind: str | None) -> None:
    rank = rank_of(name, "odoo.log")
    assert (rank[0] if rank else None) == kind


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
