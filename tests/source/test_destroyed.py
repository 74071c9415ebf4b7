"""A log that is emptied, cut and replaced once it is read; a follower goes on from any place it saved."""

import os
from pathlib import Path
from random import Random

import pytest

from logparse.source.follow import Follower
from tests.faults.writer import RECORD
from tests.source.rotating import add, drain


def destroy(log: Path, chance: Random) -> None:
    how = chance.choice(["emptied", "cut", "replaced"])
    if how == "emptied":
        os.truncate(log, 0)
    elif how == "cut":
        ends = [n + 1 for n, byte in enumerate(log.read_bytes()) if byte == 10]
        os.truncate(log, chance.choice(ends[-200:]))
    else:
        log.unlink()
        log.touch()


# Those after 20 once lost or doubled something.
@pytest.mark.parametrize(
    "seed", [*range(20), 268, 302, 336, 399, 474, 536, 606, 631, 640, 706, 745, 810, 902]
)
def test_all_is_read_once(seed: int, fixtures: Path, tmp_path: Path) -> None:
    """Of a real log, with records that begin alike and tracebacks that are alike."""
    chance = Random(seed)
    text = (fixtures / "12.0-w2-info" / "odoo.log").read_bytes().decode()
    records = [record.encode() for record in RECORD.split(text) if record]
    first = chance.choice([0, 15, 820, 840, 940, 960, chance.randrange(len(records))])
    records = records[first : first + chance.randrange(20, 120)]
    log = tmp_path / "odoo.log"
    log.touch()
    follower = Follower(str(log), start="beginning")
    got, saved, saved_got = b"", None, b""
    at = 0
    while at < len(records):
        count = chance.choice([0, 1, 1, 1, 2, 3, 8])
        add(log, b"".join(records[at : at + count]))
        at += count
        if chance.random() < 0.7:
            for _ in range(chance.choice([1, 1, 2, 5])):
                got += b"".join(chunk.data for chunk in follower.poll())
            if chance.random() < 0.6:
                saved, saved_got = follower.place, got
        what = chance.random()
        if what < 0.35:
            got += drain(follower)
            saved, saved_got = follower.place, got
            if log.stat().st_size:
                destroy(log, chance)
        elif what < 0.6 and saved is not None:
            follower.close()
            got = saved_got
            follower = Follower(str(log), start="beginning", place=saved)
    got += drain(follower)
    follower.close()
    assert got == b"".join(records)
    assert follower.lost_bytes == 0
