"""A follower that is killed at random while its log is rotated tells what one reading of the log tells.

LOGPARSE_KILLS: how often it is killed in each test. LOGPARSE_SEED: by which all is chosen (`make faults`).
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.disk import MEANS, Disk, full_at_will
from tests.faults.harness import Harness

KILLS = int(os.environ.get("LOGPARSE_KILLS", "3"))
SEED = os.environ.get("LOGPARSE_SEED", "1")

_DESTROY = ["truncate", "cut", "replace"]
_MOVE = ["away_and_back", "other_mount"]
_PLAIN = ["create", "create_late", "nocreate", "copytruncate"]

# What is done to the log in one run, and how the writer writes. Pieces that are compressed and such that are
# not are not mixed: logrotate would write one over the other.
WAYS = {
    "plain": ("watched", [*_PLAIN, *_MOVE, *_DESTROY]),
    "delayed": ("watched", ["delaycompress", "copytruncate_delayed", *_MOVE]),
    "compressed": ("watched", ["compress", "copytruncate_compress"]),
    "dates": ("watched", ["dateext", "dateext", "dateext_compress", *_MOVE]),
    "savelog": ("watched", ["savelog"]),
    "destroyed": ("watched", _DESTROY),
    "timed": ("timed", _MOVE[:1]),
    "switched": ("switched", ["switch"]),
}


def disturbed(harness: Harness, what: list[str], kills: int) -> None:
    """Kill it so often, and do things to the log while it runs and while it does not."""
    chance = harness.chance
    with harness:
        for _ in range(kills):
            harness.start()
            for _ in range(chance.randrange(3)):
                time.sleep(chance.random() / 3)
                harness.disturber.do(chance.choice(what))
            if chance.random() < 0.2:
                harness.hold(chance.random())
            if chance.random() < 0.3:
                harness.set_clock()
            time.sleep(chance.random() / 2)
            harness.kill()
            for _ in range(chance.randrange(3)):
                harness.disturber.do(chance.choice(what))
                time.sleep(chance.random() / 5)
        while not harness.written:
            time.sleep(0.1)
        harness.log.touch()  # nobody else makes it now
        harness.start()
        harness.check()


@pytest.mark.parametrize("way", WAYS)
def test_kills_and_rotations(way: str, fixtures: Path, tmp_path: Path) -> None:
    how, what = WAYS[way]
    name = "12.0-w2-info" if len(way) % 2 else "16.0-w2-info"
    data = (fixtures / name / "odoo.log").read_bytes()
    disturbed(Harness(tmp_path, data, f"{SEED} {way}", how, KILLS * 1.2), what, KILLS)


@pytest.fixture(params=MEANS)
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    with full_at_will(request.param, tmp_path / "kept") as disk:
        yield disk


def test_the_disk_of_state_and_events_is_full(disk: Disk, fixtures: Path, tmp_path: Path) -> None:
    data = (fixtures / "16.0-w2-info" / "odoo.log").read_bytes()
    with Harness(tmp_path, data, f"{SEED} full", "watched", KILLS * 2.5, kept=disk.folder) as harness:
        chance = harness.chance
        harness.start()
        for turn in range(KILLS):
            disk.fill(harness.limit_files)
            until_health(harness, 503, "it does not say that it cannot save")
            harness.disturber.do(chance.choice(_PLAIN))
            if turn % 2:
                harness.kill()
                harness.disturber.do(chance.choice(_PLAIN))
                harness.start()
            time.sleep(chance.random() / 2)
            disk.free(harness.limit_files)
            until_health(harness, 200, "it does not recover")
        while not harness.written:
            time.sleep(0.1)
        harness.check()


def until_health(harness: Harness, status: int, what: str) -> None:
    deadline = time.monotonic() + 20
    while harness.health()[0] != status and not (status == 503 and harness.written):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
