"""What a scrape shows of a lifecycle that goes on, by what the log's level can show."""

import re
from collections import Counter
from pathlib import Path

import pytest

from logparse import Chunk, Pipe
from logparse.out.live import LiveGauges
from logparse.out.memory import resident
from logparse.source.files import read_files


def read(log: Path, *, half: bool = False) -> tuple[Pipe, LiveGauges]:
    pipe = Pipe()
    for chunk in read_files([str(log)], chunk_size=4096):
        pipe.feed(chunk)
        if half and pipe.lifecycle.sight.dispatched.total() > 60:
            break
    return pipe, LiveGauges(pipe.lifecycle, [pipe])


def test_at_info_a_job_that_was_handed_over_is_dispatched_whether_it_runs_or_not(fixtures: Path) -> None:
    _, gauges = read(fixtures / "16.0-w2-info" / "odoo.log", half=True)
    assert gauges.states() == ("dispatched", "unsettled")
    shown = {state: count for _, _, state, count, _ in gauges.open_jobs()}
    assert shown.keys() == {"dispatched", "unsettled"}
    assert all(shown.values())


def test_at_debug_all_states_are_told_apart(fixtures: Path) -> None:
    pipe, gauges = read(fixtures / "18.0-w2-debug" / "odoo.log.gz", half=True)
    assert gauges.states() == ("pending", "enqueued", "started", "unsettled")
    shown = list(gauges.open_jobs())
    assert shown == list(pipe.lifecycle.jobs.states())
    assert {state for _, _, state, _, _ in shown} >= {"pending", "started"}


@pytest.mark.parametrize(
    ("name", "visible"),
    [
        ("16.0-w2-info/odoo.log", True),
        ("18.0-w2-debug/odoo.log.gz", True),
        # Its access lines are silenced: what was dispatched is never seen to end.
        ("16.0-werkzeug-silenced-info/odoo.log.gz", False),
    ],
)
def test_whether_outcomes_are_visible(fixtures: Path, name: str, visible: bool) -> None:
    pipe, gauges = read(fixtures / name)
    (db,) = pipe.lifecycle.sight.databases
    assert dict(gauges.visible()) == {db: visible}


def test_nothing_is_said_to_be_invisible_after_a_few_dispatches(fixtures: Path) -> None:
    lines = (fixtures / "16.0-w2-info" / "odoo.log").read_bytes().splitlines(keepends=True)
    asking = [line for line in lines if b"asking Odoo to run job" in line]
    for count, visible in ((19, True), (20, False)):
        pipe = Pipe()
        pipe.feed(Chunk("odoo.log", 0, b"".join(asking[:count]), last=True))
        assert dict(LiveGauges(pipe.lifecycle, [pipe]).visible()) == {"qj16_w2_info_a": visible}


def test_what_was_not_believed_is_that_of_all_stages(fixtures: Path) -> None:
    pipe, gauges = read(fixtures / "16.0-w2-info" / "odoo.log")
    pipe.lifecycle.rejected["inside"] += 1
    pipe.lifecycle.rejected["role"] += 2
    expected = dict(pipe.tally.rejected)
    assert expected["inside"] > 0
    assert dict(gauges.rejected()) == expected | {"inside": expected["inside"] + 1, "role": 2}
    assert gauges.tracked_jobs() == len(pipe.lifecycle.jobs) > 100
    assert gauges.runner_activity()[""] > 0


def test_attempts_of_open_jobs_are_counted_as_the_log_tells_them(fixtures: Path) -> None:
    _, gauges = read(fixtures / "16.0-w2-info" / "odoo.log")
    # The last answer of each job that was answered, by uuid: those of 200 are not settled within the hour.
    lines = (fixtures / "16.0-w2-info" / "odoo.log").read_text().splitlines()
    answers = [match for line in lines if (match := re.search(r"job_uuid=(\S+) HTTP/1.1\" (\d+)", line))]
    tries = Counter(match[1] for match in answers)
    unsettled = {match[1]: match[2] == "200" for match in answers}
    expected = max(count for job, count in tries.items() if unsettled[job])
    assert max(most for _, _, most in gauges.most_attempts()) == expected > 1


def test_the_runner_tells_at_debug_when_it_means_to_wake_up(fixtures: Path) -> None:
    _, gauges = read(fixtures / "18.0-w2-debug" / "odoo.log.gz")
    # 03:10:02,669 … select() timeout: 60.00 sec
    assert gauges.runner_wakeup() == {"": 1795489802669 + 60_000}
    _, gauges = read(fixtures / "16.0-w2-info" / "odoo.log")
    assert gauges.runner_wakeup() == {}


def test_the_memory_of_this_process_is_what_linux_says() -> None:
    before = resident()
    kept = bytearray(b"x" * 50_000_000)
    after = resident()
    assert before is not None
    assert after is not None
    assert 40_000_000 < after - before < 150_000_000
    assert kept
