"""A file is known by what is in it: moved, replaced, gone and back, or another under its name."""

import os
import shutil
import time
from pathlib import Path

import msgspec
import pytest

from logparse.source.follow import GRACE_SECONDS, Follower
from tests.source.rotating import add, again, drain, lines, shift


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


@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2"])
@pytest.mark.parametrize("times", [1, 2])
def test_copied_and_emptied_between_opening_and_reading(times: int, suffix: str, tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    log.write_bytes(lines(0, 10))
    follower = Follower(str(log), start="beginning")
    for turn in range(1, times + 1):
        shift(log, suffix, copy=True)
        add(log, lines(10 * turn, 10 * turn + 10))
    assert drain(follower) == lines(0, 10 * times + 10)
    assert (follower.lost, follower.warnings) == (0, [])


@pytest.mark.parametrize("copy", [True, False], ids=["copytruncate", "rename"])
def test_an_empty_file_that_was_filled_and_rotated_between_two_looks(copy: bool, tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    log.write_bytes(lines(0, 10))
    follower = Follower(str(log), start="beginning")
    got = drain(follower)
    shift(log, copy=True)
    os.utime(tmp_path / "odoo.log.1", (1_000_000, 1_000_000))
    os.utime(log, (2_000_000, 2_000_000))
    got += drain(follower)
    add(log, lines(10, 20))
    shift(log, copy=copy)
    add(log, lines(20, 25))
    assert got + drain(follower) == lines(0, 25)
    assert (follower.lost, follower.warnings) == (0, [])


def test_an_empty_file_that_was_filled_and_removed_is_read(tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    log.touch()
    follower = Follower(str(log), start="beginning")
    add(log, lines(0, 10))
    log.unlink()
    assert drain(follower) == lines(0, 10)


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


@pytest.mark.parametrize("down", [True, False], ids=["down", "running"])
def test_a_new_file_whose_first_record_begins_as_the_old_ones(down: bool, tmp_path: Path) -> None:
    """Two records of one process in one millisecond begin alike."""
    log = tmp_path / "odoo.log"
    line = b"2026-11-24 03:00:11,423 25485 INFO ? odoo.addons.queue_job.jobrunner.runner: %s \n"
    log.write_bytes(line % b"starting")
    follower = Follower(str(log), start="beginning")
    assert drain(follower) == line % b"starting"
    log.unlink()
    log.write_bytes(line % b"initializing database connections" + lines(0, 3))
    follower = again(follower, down=down)
    assert drain(follower) == line % b"initializing database connections" + lines(0, 3)
    assert follower.lost == down  # whether more was written to the old one nobody knows
    assert follower.lost_bytes == 0
