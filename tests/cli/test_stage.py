"""`logparse stage`: what goes in comes out at once, with the events of the whole pipe beside it."""

import os
import resource
import select
import shlex
import subprocess
import tracemalloc
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from logparse.cli.stage import Stage
from logparse.lifecycle.event import Event
from logparse.out.jsonl import encode
from logparse.out.stage import as_json, as_logfmt
from logparse.pipe import Pipe
from logparse.source.chunk import Chunk
from tests import recorded

Logparse = Callable[..., subprocess.CompletedProcess[Any]]
Started = Callable[..., subprocess.Popen[Any]]
UUID = "8eb07891-f7d0-4a19-8a53-3ffa1694941e"
ASKING = (
    "2026-11-24 03:00:18,770 25516 INFO ? odoo.addons.queue_job.jobrunner.runner: "
    f"asking Odoo to run job {UUID} on db prod \n"
)
RUNS = ["12.0-w2-info", "16.0-w2-debug", "17.0-w0-pty", "16.0-json-w2-info"]


def expected(run: str) -> list[dict[str, Any]]:
    """The events of the same bytes through a pipe, in one piece."""
    pipe = Pipe(recorded.patterns())
    out = pipe.feed(Chunk("-", 0, b"".join(recorded.texts(run).values()), last=True))
    out += pipe.finish(settle=False)
    return by_text([msgspec.json.decode(encode(event)) for event in out if isinstance(event, Event)])


def by_text(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(events, key=repr)


@pytest.mark.parametrize("run", RUNS)
def test_raw_changes_no_byte(run: str, logparse: Logparse) -> None:
    text = b"".join(recorded.texts(run).values())
    ran = logparse("stage", input=text, text=False)
    assert (ran.returncode, ran.stdout == text, ran.stderr) == (0, True, b"")


@pytest.mark.parametrize("run", RUNS)
def test_json_has_every_line_and_the_events_of_the_pipe(run: str, logparse: Logparse) -> None:
    text = b"".join(recorded.texts(run).values())
    ran = logparse("stage", "--format", "json", input=text, text=False)
    assert ran.returncode == 0, ran.stderr
    rows = [msgspec.json.decode(line) for line in ran.stdout.splitlines()]
    lines = [row["line"] for row in rows if row["line"] is not None]
    assert lines == text.decode(errors="replace").removesuffix("\n").split("\n")
    assert by_text([event for row in rows for event in row["events"]]) == expected(run)


def test_an_event_stands_beside_its_own_line(logparse: Logparse) -> None:
    ran = logparse(
        "stage", "--format", "json", input=recorded.texts("16.0-w2-debug")["odoo.log.gz"], text=False
    )
    beside = 0
    for row in map(msgspec.json.decode, ran.stdout.splitlines()):
        for event in row["events"]:
            if event["event"] == "dispatched":
                assert row["line"] is not None
                beside += f"asking Odoo to run job {event['uuid']} " in row["line"]
    assert beside == [event.event for event in recorded.events("16.0-w2-debug")].count("dispatched")


def test_events_go_to_a_file_beside_untouched_lines(logparse: Logparse, tmp_path: Path) -> None:
    text = b"".join(recorded.texts("16.0-w2-info").values())
    kept = tmp_path / "jobs.jsonl"
    ran = logparse("stage", "--events", kept, input=text, text=False)
    assert ran.stdout == text
    assert by_text([msgspec.json.decode(line) for line in kept.read_bytes().splitlines()]) == expected(
        "16.0-w2-info"
    )


def test_logfmt_can_be_split_like_a_command_line(logparse: Logparse) -> None:
    text = recorded.texts("16.0-w2-info")["odoo.log"]
    ran = logparse("stage", "--format", "logfmt", input=text, text=False)
    rows = [dict(word.split("=", 1) for word in shlex.split(row)) for row in ran.stdout.decode().splitlines()]
    counts = Counter(row.get("event", "") for row in rows)
    told = Counter(event["event"] for event in expected("16.0-w2-info"))
    assert {event: counts[event] for event in told} == told
    assert sum("line" in row for row in rows) == text.count(b"\n")


def test_a_line_comes_out_while_the_input_waits(started: Started) -> None:
    for arguments in ([], ["--format", "json"]):
        process = started("stage", *arguments, stdin=subprocess.PIPE, text=False, bufsize=0)
        process.stdin.write(ASKING.encode())
        ready, _, _ = select.select([process.stdout], [], [], 30)
        assert ready, "nothing came"
        assert ASKING[:-1].encode() in os.read(process.stdout.fileno(), 1 << 16)
        process.stdin.close()
        assert process.wait(30) == 0


def test_a_line_is_the_same_however_the_bytes_come() -> None:
    text = recorded.texts("12.0-w2-info")["odoo.log"][:60_000]
    whole = Stage(Pipe(recorded.patterns()), as_json, None)
    pieces = Stage(Pipe(recorded.patterns()), as_json, None)
    once = whole.feed(text) + whole.finish()
    cut = b"".join(pieces.feed(text[at : at + 7]) for at in range(0, len(text), 7)) + pieces.finish()
    assert once == cut


def _only_events(_: bytes | None, events: Sequence[Event]) -> bytes:
    return b"".join(map(encode, events))


@pytest.mark.parametrize("run", [*RUNS, "12.0-w2-syslog", "16.0-w2-info", "17.0-w2-warn", "14.0-w0-debug"])
def test_lines_that_prove_nothing_are_not_read_one_by_one_and_all_is_as_if_they_were(run: str) -> None:
    """Beside each line stand the events that a pipe tells that is given line by line."""
    text = b"".join(recorded.texts(run).values())
    pipe, at = Pipe(recorded.patterns()), 0
    expected = []
    for line in text.splitlines(keepends=True):
        out = [*pipe.feed(Chunk("-", at, line)), *pipe.quiet()]
        at += len(line)
        expected.append([encode(event) for event in out if isinstance(event, Event)])
    stage = Stage(Pipe(recorded.patterns()), _only_events, None)
    assert [stage.feed(line).splitlines(keepends=True) for line in text.splitlines(keepends=True)] == expected


def test_the_first_lines_of_a_plain_log_are_told_after_a_pause() -> None:
    """Their time is doubtful before others follow; a pause shows that none do."""
    second = ASKING.replace(UUID, UUID.replace("8", "9"))
    stage = Stage(Pipe(recorded.patterns()), as_json, None)
    assert b'"events":[]' in stage.feed(ASKING.encode())
    stage.feed(second.encode())
    row = msgspec.json.decode(stage.pause(long=False))
    assert [event["event"] for event in row["events"]] == ["dispatched", "dispatched"]
    assert stage.pause(long=True) == b""


def test_a_pause_shows_what_is_whole(started: Started) -> None:
    process = started("stage", "--format", "json", stdin=subprocess.PIPE, text=False, bufsize=0)
    process.stdin.write(ASKING.encode())
    row = msgspec.json.decode(process.stdout.readline())
    assert (row["line"], row["events"]) == (ASKING[:-1], [])
    row = msgspec.json.decode(process.stdout.readline())  # while the input stays open
    assert (row["line"], [event["uuid"] for event in row["events"]]) == (None, [UUID])
    process.stdin.close()
    assert process.wait(30) == 0


def test_a_plain_log_that_becomes_json() -> None:
    """What a plain log left open is at its place when other lines begin."""
    record = {"asctime": "2026-11-24 03:00:20,000", "pid": 1, "levelname": "INFO", "dbname": "?"}
    record |= {
        "name": "odoo.addons.queue_job.jobrunner.runner",
        "message": f"asking Odoo to run job {UUID} on db x",
    }
    text = ASKING.replace("asking", "saying").encode() + 4 * (msgspec.json.encode(record) + b"\n")
    stage = Stage(Pipe(recorded.patterns()), as_json, None)
    out = b"".join(stage.feed(line) for line in text.splitlines(keepends=True)) + stage.finish()
    rows = list(map(msgspec.json.decode, out.splitlines()))
    assert next(event["offset"] for row in rows for event in row["events"]) == len(ASKING)


def test_a_line_without_end_is_written_in_pieces() -> None:
    stage = Stage(Pipe(recorded.patterns()), as_json, None)
    out = stage.feed(b"x" * (3 << 20))
    assert sum(len(msgspec.json.decode(row)["line"]) for row in out.splitlines()) == 2 << 20
    assert len(msgspec.json.decode(stage.finish())["line"]) == 1 << 20


def test_long_lines_are_not_held() -> None:
    """Lines that prove nothing wait for the next one that may, but not without end."""
    stage = Stage(Pipe(recorded.patterns()), _only_events, None)
    stage.feed(ASKING.encode() * 2)
    line = b"x" * (1 << 20) + b"\n"
    tracemalloc.start()
    try:
        for _ in range(64):
            stage.feed(line)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 << 20


def test_further_events_of_a_line_have_lines_of_their_own_in_logfmt() -> None:
    events = [Event(0, "done", db="my db"), Event(0, "queued")]
    first, second = as_logfmt(b"x", events).decode().splitlines()
    assert first.startswith('line="x" ts=1970-01-01T00:00:00.000+00:00 event=done db="my db" ')
    assert second.startswith("ts=1970")
    assert as_logfmt(None, events[:1]).startswith(b"ts=")
    assert as_logfmt(b"\xff\x1b", []) == 'line="\ufffd\\u001b"\n'.encode()


def test_a_file_that_cannot_be_written_is_told(logparse: Logparse) -> None:
    ran = logparse("stage", "--events", "nowhere/x", input="")
    assert ran.returncode == 1
    assert ran.stderr == "logparse: nowhere/x cannot be written: No such file or directory\n"


def test_a_file_that_takes_no_more_is_told(logparse: Logparse) -> None:
    ran = logparse(
        "stage",
        "--events",
        "x",
        input=ASKING * 2,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10)),
    )
    assert ran.returncode == 1
    assert ran.stderr == "logparse: x cannot be written: File too large\n"


def test_events_are_not_written_into_the_log(logparse: Logparse, tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    log.write_text(ASKING)
    with log.open() as source:
        ran = logparse("stage", "--events", log, stdin=source)
    assert ran.returncode == 1
    assert ran.stderr == f"logparse: {log} is the log itself: name another file for --events\n"
    assert log.read_text() == ASKING


def test_a_closed_output_ends_it_quietly(started: Started) -> None:
    process = started("stage", stdin=subprocess.PIPE, text=False, bufsize=0)
    process.stdout.close()
    process.stdin.write(ASKING.encode())
    assert process.wait(30) == 0
    assert process.stderr.read() == b""
