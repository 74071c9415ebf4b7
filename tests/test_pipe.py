"""The whole pipe on the recorded runs: the same events to the byte, however the log is cut or interrupted."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from logparse.lifecycle.event import Event, Output
from logparse.lifecycle.lifecycle import Lifecycle, Options
from logparse.out.jsonl import encode
from logparse.pipe import Pipe
from logparse.source.chunk import Chunk
from tests import recorded
from tests.golden import expected
from tests.recorded import RUNS, pipe_for

SMALL = ["17.0-w2-badport", "18.0-w2-dead-info", "17.0-w2-rotate-copytruncate"]


def feed(pipe: Pipe, run: str, size: int) -> list[Output]:
    return recorded.feed(pipe, recorded.chunks(run, size))


@pytest.mark.parametrize("run", RUNS)
def test_events_are_the_expected_ones(run: str) -> None:
    told = recorded.golden(run)
    # A line of difference says more than a megabyte of it.
    differences = [
        (before, after)
        for before, after in zip(expected(run).splitlines(), told.splitlines(), strict=False)
        if before != after
    ]
    assert differences[:1] == [], "look at it, then `make golden`"
    assert told == expected(run)


@pytest.mark.parametrize("run", RUNS)
def test_every_golden_is_stored_without_a_time(run: str) -> None:
    data = (recorded.FIXTURES / run / recorded.GOLDEN).read_bytes()
    assert data[4:8] == bytes(4)


@pytest.mark.parametrize("run", RUNS)
def test_blocks_give_the_same(run: str) -> None:
    pipe = pipe_for(run)
    out = [*feed(pipe, run, 4093), *pipe.finish()]
    assert out == list(recorded.outputs(run))


@pytest.mark.parametrize("run", SMALL)
def test_small_blocks_give_the_same(run: str) -> None:
    pipe = pipe_for(run)
    out = [*feed(pipe, run, 61), *pipe.finish()]
    assert out == list(recorded.outputs(run))


@pytest.mark.parametrize("run", RUNS)
def test_a_follower_tells_the_same_without_what_the_end_settles(run: str) -> None:
    pipe = pipe_for(run)
    told = feed(pipe, run, 1 << 16)
    assert pipe.finish(settle=False) == []
    whole = list(recorded.outputs(run))
    assert told == whole[: len(told)]
    settled = {event.event for event in whole[len(told) :] if isinstance(event, Event)}
    assert settled <= {"done", "failed", "lost", "requeued", "retried"}


@pytest.mark.parametrize("run", RUNS)
def test_done_is_what_a_follower_tells_and_what_it_holds_unsettled(run: str) -> None:
    pipe = pipe_for(run)
    told = feed(pipe, run, 1 << 16)
    unsettled = sum(
        job.state == "unsettled" and job.ending is not None and job.ending.how in ("answered", "done")
        for job in pipe.lifecycle.jobs.open()
    )
    done = sum(isinstance(event, Event) and event.event == "done" for event in told)
    whole = sum(isinstance(event, Event) and event.event == "done" for event in recorded.outputs(run))
    assert done + unsettled == whole


def test_settling_at_once_tells_the_same_but_for_retries() -> None:
    run = "18.0-w2-debug"
    pipe = pipe_for(run, options=Options(settle=0))
    out = [*feed(pipe, run, 1 << 16), *pipe.finish()]
    dispatched = [event for event in out if isinstance(event, Event) and event.event == "dispatched"]
    assert dispatched == [event for event in recorded.events(run) if event.event == "dispatched"]


def test_the_version_may_be_given() -> None:
    for run in ("12.0-w2-info", "17.0-w2-badport"):
        pipe = pipe_for(run, odoo=run[:4])
        out = [*feed(pipe, run, 1 << 20), *pipe.finish()]
        assert out == list(recorded.outputs(run))


def test_two_logs_of_one_installation_share_a_lifecycle() -> None:
    lifecycle = Lifecycle()
    pipes = [Pipe(recorded.patterns(), server=name, lifecycle=lifecycle) for name in ("a", "b")]
    out = feed(pipes[0], "18.0-w2-2db-info", 1 << 20) + feed(pipes[1], "18.0-w2-dead-info", 1 << 20)
    out += lifecycle.finish()
    events = [event for event in out if isinstance(event, Event)]
    assert {event.server for event in events} == {"a", "b"}
    for run, server in (("18.0-w2-2db-info", "a"), ("18.0-w2-dead-info", "b")):
        alone = sorted(encode(event) for event in recorded.events(run) if event.uuid)
        here = sorted(
            encode(msgspec.structs.replace(event, server=None))
            for event in events
            if event.uuid and event.server == server
        )
        assert here == alone


def test_facts_are_counted_by_pattern_and_nothing_of_queue_job_is_unknown() -> None:
    for run in RUNS:
        pipe = pipe_for(run)
        feed(pipe, run, 1 << 20)
        assert pipe.facts.total() > 0
        assert pipe.unmatched == {}


def test_an_unknown_message_of_queue_job_is_counted() -> None:
    pipe = Pipe(recorded.patterns())
    lines = b"".join(
        b"2026-11-24 03:00:00,%03d 7 WARNING ? odoo.addons.queue_job.l%d: a new message \n" % (number, number)
        for number in range(60)
    )
    pipe.feed(Chunk("x", 0, lines, last=True))
    assert pipe.unmatched.total() == 60
    assert pipe.unmatched["other"] == 10


def test_golden_refuses_where_the_databases_disagree(tmp_path: Path) -> None:
    root = recorded.FIXTURES.parent
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("tests", "fixtures", "logparse", "patterns", "pyproject.toml"):
        source = root / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    run = copy / "fixtures" / "18.0-w2-dead-info"
    log = run / "odoo.log"
    golden = run / recorded.GOLDEN
    before = golden.read_bytes()
    kept = [line for line in log.read_bytes().splitlines(keepends=True) if b"asking Odoo" not in line]
    log.write_bytes(b"".join(kept))
    command = [sys.executable, "-m", "tests.golden"]
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    look = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert (look.returncode, look.stdout) == (1, "18.0-w2-dead-info: events have changed\n")
    write = subprocess.run(
        [*command, "--write"], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    assert write.returncode == 2
    assert "nothing was written" in write.stderr
    assert golden.read_bytes() == before
