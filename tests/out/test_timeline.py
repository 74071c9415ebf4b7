"""The time line: nothing is lost or counted twice, however wide its intervals become; and what was open."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logparse.lifecycle.event import JOB_EVENTS, Ended, Event, Output, QueueWait
from logparse.out.counts import Counts
from logparse.out.selection import Selection
from logparse.out.sink import Source
from logparse.out.timeline import MOST, WIDTHS, Timeline
from logparse.pipe import Pipe
from logparse.source.chunk import Chunk

TS = 1_795_000_000_000
TIMES = st.lists(st.integers(0, 40 * 86_400_000), min_size=1, max_size=60)


def timeline(pipe: Pipe | None = None, selection: Selection = Selection()) -> Timeline:  # noqa: B008
    made = Timeline(Counts())
    made.open(Source(pipe if pipe is not None else Pipe(), ["odoo.log"], selection))
    return made


def counted(made: Timeline, word: str) -> int:
    index = JOB_EVENTS.index(word)
    return sum(cell.counts[index] for lane in made.lanes.values() for cell in lane.cells.values())


def test_each_width_holds_the_one_before_a_whole_number_of_times() -> None:
    assert all(wide % narrow == 0 for narrow, wide in pairwise(WIDTHS))


@given(TIMES)
def test_every_event_is_in_its_interval_once(times: list[int]) -> None:
    made = timeline()
    for number, time in enumerate(times):
        ts = TS + time
        outputs: list[Output] = [
            Event(ts, "started", "prod", f"u{number}", 1, wait=0.5),
            Event(ts, "failed", "prod", f"u{number}", 1, channel=f"root.{number % 3}"),
            Ended(ts, "prod", None, 2.0, None, None),
            QueueWait(ts, "prod", None, 7.0),
            Event(ts, "worker_killed", reason="limit_time_real"),
        ]
        made.add(outputs)
    assert len(made.intervals) <= MOST
    assert counted(made, "started") == counted(made, "failed") == len(times)
    for lane in made.lanes.values():
        assert all(interval in made.intervals for interval in lane.cells)
    cells = made.lanes["prod", ""].cells
    assert sum(cell.ended for cell in cells.values()) == len(times)
    for kind in ("run", "delay", "wait"):
        assert sum(sum(getattr(cell, kind).values()) for cell in cells.values()) == len(times)
    assert sum(mark.count for mark in made.marks.values()) == len(times)
    where: dict[int, int] = {}
    for time in times:
        interval = (TS + time) // made.width
        where[interval] = where.get(interval, 0) + 1
    assert {interval: cell.ended for interval, cell in cells.items()} == where


@given(TIMES)
def test_the_intervals_are_no_wider_than_they_must_be(times: list[int]) -> None:
    made = timeline()
    made.add([Event(TS + time, "done", "prod", "u", 1) for time in times])
    narrower = [width for width in WIDTHS if width < made.width]
    if narrower:
        before = narrower[-1]
        assert (TS + max(times)) // before - (TS + min(times)) // before >= MOST


def test_channels_beyond_the_limit_are_one() -> None:
    made = timeline()
    made.add([Event(TS, "done", "prod", "u", 1, channel=f"root.{number}") for number in range(300)])
    assert counted(made, "done") == 300
    assert len(made.lanes) == 65
    assert made.lanes["prod", "other"].cells[TS // 1000].counts[JOB_EVENTS.index("done")] == 236


def test_an_absurd_duration_is_left_out() -> None:
    made = timeline()
    made.add([Ended(TS, "prod", None, seconds, None, None) for seconds in (float("nan"), 1e300, 0.0, -1.0)])
    (cell,) = made.lanes["prod", ""].cells.values()
    assert (cell.ended, sum(cell.run.values())) == (4, 2)


LINE = "2026-11-24 03:{:02}:{:02},000 7 INFO ? odoo.addons.queue_job.jobrunner.runner: {} \n"
ANSWER = (
    "2026-11-24 03:{:02}:{:02},000 {} INFO prod werkzeug: 127.0.0.1 - - [24/Nov/2026 03:00:00] "
    '"GET /queue_job/runjob?db=prod&job_uuid={} HTTP/1.1" 200 - 16 0.1 {}\n'
)


def uuid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def read(text: str, selection: Selection = Selection()) -> Timeline:  # noqa: B008
    """As a replay does: looked at whenever it is due."""
    pipe = Pipe()
    made = timeline(pipe, selection)
    for record in pipe.read(Chunk("odoo.log", 0, text.encode(), last=True)):
        if record.time >= made.due:
            made.look(record.time)
        made.add([output for output in pipe.follow([record]) if selection.wants(output)])
    made.finish()
    return made


def test_what_is_open_is_so_until_it_ends() -> None:
    asked = [LINE.format(0, second, f"asking Odoo to run job {uuid(second)} on db prod") for second in (0, 2)]
    ended = [ANSWER.format(0, 30, 8, uuid(0), 29.9), ANSWER.format(0, 42, 9, uuid(2), 39.9)]
    made = read("".join(asked + ended + [LINE.format(0, 50, f"asking Odoo to run job {uuid(9)} on db prod")]))
    cells = made.lanes["prod", ""].cells
    start = made.intervals.start
    opened = [sum(cells[start + second].open[:3]) for second in range(51) if cells[start + second].seen]
    assert made.width == 1000
    assert opened[:2] == [1, 1]
    assert opened[2:30] == [2] * 28
    assert opened[31:42] == [1] * 11
    assert opened[43:50] == [0] * 7
    assert [cells[start + second].left for second in (0, 5, 29, 35, 45, 50)] == [1, 2, 2, 1, 0, 1]
    ages = [cells[start + second].oldest for second in (10, 20, 29)]
    assert ages == pytest.approx([11, 21, 30], abs=0.1)


def test_what_is_left_is_so_in_wider_intervals() -> None:
    made = read(
        LINE.format(0, 1, f"asking Odoo to run job {uuid(1)} on db prod")
        + ANSWER.format(0, 3, 8, uuid(1), 1.9)
        + LINE.format(0, 4, f"asking Odoo to run job {uuid(2)} on db prod")
        + ANSWER.format(0, 21, 8, uuid(2), 17.0)
        + LINE.format(0, 30, "asking Odoo to run job nothing on db prod")
    )
    made.widen()
    cells = made.lanes["prod", ""].cells
    assert [cells[interval].left if interval in cells else 0 for interval in made.intervals][:4] == [
        1,
        1,
        1,
        1,
    ]
    made.widen()
    cells = made.lanes["prod", ""].cells
    assert cells[made.intervals.start].left == 1
    made.widen()
    (cell,) = made.lanes["prod", ""].cells.values()
    assert cell.left == 0


def test_what_begins_and_ends_between_two_looks_was_open() -> None:
    text = "".join(
        LINE.format(minute, 1, f"asking Odoo to run job {uuid(minute)} on db prod")
        + LINE.format(minute, 2, f"asking Odoo to run job {uuid(minute + 100)} on db prod")
        + ANSWER.format(minute, 5, 8, uuid(minute), 3.9)
        + ANSWER.format(minute, 6, 9, uuid(minute + 100), 3.9)
        for minute in range(60)
    )
    made = read(text)
    assert made.width > 5_000
    cells = [cell for _, cell in sorted(made.lanes["prod", ""].cells.items())]
    busy = [cell for cell in cells if cell.ended]
    assert len(busy) == 60
    assert all((sum(cell.open[:3]), cell.left) == (2, 0) for cell in busy)
    assert all(cell.oldest >= 3.9 for cell in busy)


def test_what_comes_after_the_selection_is_not_looked_at() -> None:
    end = 1_795_489_200_000 + 20_000  # 03:00:20
    asked = [
        LINE.format(0, second, f"asking Odoo to run job {uuid(second)} on db prod") for second in (5, 30, 31)
    ]
    made = read("".join(asked) + ANSWER.format(1, 10, 8, uuid(5), 64.9), Selection(end_ms=end))
    cells = made.lanes["prod", ""].cells
    assert max(cells) * made.width < end
    assert [cells[interval].left for interval in sorted(cells)] == [1] * 15
    assert [sum(cells[interval].open[:3]) for interval in sorted(cells)] == [1] * 15


def test_another_database_is_not_looked_at() -> None:
    text = "".join(
        LINE.format(
            0, second, f"asking Odoo to run job {uuid(second)} on db {'prod' if second % 2 else 'test'}"
        )
        for second in range(20)
    )
    made = read(text, Selection(dbs=frozenset({"test"})))
    assert {lane.db for lane in made.lanes.values() if any(cell.seen for cell in lane.cells.values())} == {
        "test"
    }


def test_all_of_a_real_log(fixtures: Path) -> None:
    text = (fixtures / "16.0-w2-info" / "odoo.log").read_text()
    made = read(text)
    asked = re.findall(r"^2026-\S+ \S+ \d+ INFO \? \S+\.runner: asking Odoo to run job", text, re.MULTILINE)
    assert counted(made, "dispatched") == len(asked)
