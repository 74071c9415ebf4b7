"""A file that is cut while it is followed: what is left of it is not read twice, what comes then is read."""

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from logparse.source.follow import Follower
from logparse.source.trail import Trail, kept
from tests.source.rotating import add, again, drain, lines


@pytest.mark.parametrize("down", [True, False], ids=["down", "running"])
@pytest.mark.parametrize("then", [0, 1, 20, 5000], ids=["not", "little", "less", "past"])
@pytest.mark.parametrize("left", [1, 30, 400, 999])
def test_cut_at_a_line_and_grown(left: int, then: int, down: bool, tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    log.write_bytes(lines(0, 1000))
    follower = Follower(str(log), start="beginning")
    got = drain(follower)
    os.truncate(log, len(lines(0, left)))
    add(log, lines(2000, 2000 + then))
    follower = again(follower, down=down)
    got += drain(follower)
    add(log, lines(9000, 9001))
    got += drain(follower)
    assert got == lines(0, 1000) + lines(2000, 2000 + then) + lines(9000, 9001)
    assert follower.rotations.total() == 1
    assert (follower.lost, follower.lost_bytes) == (0, 0)


@pytest.mark.parametrize("down", [True, False], ids=["down", "running"])
def test_cut_and_rotated_while_it_is_not_read(down: bool, tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    log.write_bytes(lines(0, 100))
    follower = Follower(str(log), start="beginning")
    got = drain(follower)
    os.truncate(log, len(lines(0, 40)))
    add(log, lines(200, 300))
    log.rename(tmp_path / "odoo.log.1")
    add(log, lines(300, 310))
    follower = again(follower, down=down)
    assert got + drain(follower) == lines(0, 100) + lines(200, 310)


def test_unread_bytes_that_a_cut_destroys_are_counted(tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    log.write_bytes(lines(0, 10) + b"half a line")
    follower = Follower(str(log), start="beginning")
    drain(follower)
    os.truncate(log, len(lines(0, 5)))
    drain(follower)
    assert (follower.lost, follower.lost_bytes) == (1, len(b"half a line"))


@pytest.mark.parametrize("down", [True, False], ids=["down", "running"])
@pytest.mark.parametrize("grown", [0, 60_000])
def test_cut_so_far_back_that_the_line_is_not_known(grown: int, down: bool, tmp_path: Path) -> None:
    """Nothing is read twice, and what may be lost is counted as lost."""
    log = tmp_path / "odoo.log"
    whole = lines(0, 30_000)
    log.write_bytes(whole)
    follower = Follower(str(log), start="beginning")
    got = drain(follower)
    left = len(lines(0, 5_000))
    os.truncate(log, left)
    new = lines(50_000, 50_000 + grown)
    add(log, new)
    follower = again(follower, down=down)
    got += drain(follower)
    assert got.startswith(whole)
    assert new.endswith(got[len(whole) :])
    assert len(new) - (len(got) - len(whole)) <= follower.lost_bytes <= 1 << 16
    assert follower.lost == 1
    assert "may be lost" in follower.warnings[0]


@example(sizes=[1, 1, 1, 1, 83364, 200000], part=0.07512937411595912, saved=False)  # until the cut
@given(
    sizes=st.lists(st.integers(1, 200_000), min_size=1, max_size=6), part=st.floats(0, 1), saved=st.booleans()
)
def test_what_is_kept(
    sizes: list[int], part: float, saved: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """However it was read: it is kept up to the cut at most, and not from `until` on, which is no earlier."""
    path = tmp_path_factory.mktemp("log") / "odoo.log"
    text = lines(0, sum(sizes) // 50)
    path.write_bytes(b"")
    with path.open("rb") as file:
        trail, at = Trail(file.fileno(), 0), 0
        path.write_bytes(text)
        for size in sizes:
            trail.add(text[at : at + size])
            at = min(len(text), at + size)
        cut = int(part * at)
        path.write_bytes(text[:cut] + b"#" * (at + 1000))
        marks, from_ = trail.lately().marks()
        offset, until = kept(file.fileno(), marks, from_) if saved else trail.kept(file.fileno())
    assert offset <= cut
    if offset < until:
        assert cut <= until
    elif offset:
        line = len(lines(0, 1))
        assert cut - offset < line
    else:
        assert cut < 1024


@pytest.mark.parametrize("down", [True, False], ids=["down", "running"])
@pytest.mark.parametrize("left", [1, 2, 3])
def test_cut_after_a_short_first_line(left: int, down: bool, tmp_path: Path) -> None:
    """What is left, and the beginning of the next line's time, is the beginning of another file, too."""
    log = tmp_path / "odoo.log"
    line = b"2026-11-24 02:59:%02d,703 1 INFO ? odoo: short \n"
    old = [line % n for n in range(10)]
    log.write_bytes(b"".join(old))
    follower = Follower(str(log), start="beginning")
    assert drain(follower) == b"".join(old)
    os.truncate(log, len(b"".join(old[:left])))
    new = b"".join(line % n for n in range(20, 40))
    add(log, new)
    follower = again(follower, down=down)
    assert drain(follower) == new
    assert (follower.lost, follower.lost_bytes, follower.warnings) == (0, 0, [])


@pytest.mark.parametrize("down", [True, False], ids=["down", "running"])
@pytest.mark.parametrize("left", [1, 3])
def test_cut_before_a_record_that_the_next_one_is_like(left: int, down: bool, tmp_path: Path) -> None:
    """Only the time differs; the traceback after it is the same, and stands at the same place."""
    log = tmp_path / "odoo.log"
    trace = (
        b"Traceback (most recent call last):\n" + b'  File "/odoo/addons/some/models/job.py", line 7\n' * 9
    )
    error = (
        b"2026-11-24 03:00:%02d,000 1 ERROR db odoo.addons.queue_job.controllers.main: " + b"x" * 200 + b"\n"
    )
    old = [error % n + trace for n in range(5)]
    new = [error % n + trace for n in range(20, 25)]
    log.write_bytes(b"".join(old))
    follower = Follower(str(log), start="beginning")
    assert drain(follower) == b"".join(old)
    os.truncate(log, len(b"".join(old[:left])))
    add(log, b"".join(new))
    follower = again(follower, down=down)
    assert drain(follower) == b"".join(new)
    assert (follower.lost, follower.warnings) == (0, [])


@pytest.mark.parametrize("size", [64 * 1024 + extra for extra in (-1, 1, 60, 400, 900, 5000)])
@pytest.mark.parametrize("left", [1, 3, 12, 840])
def test_cut_while_down_wherever_the_saved_marks_begin(left: int, size: int, tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    line = b"2026-11-24 03:00:00,%03d 1 INFO ? odoo: " + b"y" * 30 + b"\n"
    old = [line % n for n in range(850)]
    old.append(b"z" * (size - len(b"".join(old)) - 1) + b"\n")
    log.write_bytes(b"".join(old))
    follower = Follower(str(log), start="beginning")
    assert len(drain(follower)) == size
    os.truncate(log, len(b"".join(old[:left])))
    add(log, b"new\n")
    after = again(follower, down=True)
    assert drain(after) == b"new\n"
    assert (after.lost, after.warnings) == (0, [])
