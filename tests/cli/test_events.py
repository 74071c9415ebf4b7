"""The verb events."""

import gzip
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import logparse as api

Ran = subprocess.CompletedProcess[str]
Logparse = Callable[..., Ran]
Started = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def log(fixtures: Path) -> Path:
    return fixtures / "16.0-w2-info" / "odoo.log"


def told(ran: Ran) -> list[dict[str, Any]]:
    assert (ran.returncode, ran.stderr) == (0, "")
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_each_event_is_one_line_with_all_keys_of_the_design(logparse: Logparse, log: Path) -> None:
    events = told(logparse("events", log))
    assert len(events) == len(list(api.events(log))) > 900
    (failed, *_) = (event for event in events if event["event"] == "failed")
    assert " ".join(failed) == (
        "ts event db uuid attempt evidence channel duration wait sql_queries sql_time exception reason "
        "pid server pattern file offset"
    )
    assert failed["file"] == str(log)
    with log.open("rb") as file:
        file.seek(failed["offset"])
        assert failed["uuid"].encode() in file.readline()


def test_only_what_happened_is_printed_nothing_for_metrics(logparse: Logparse, log: Path) -> None:
    words = {event["event"] for event in told(logparse("events", log))}
    assert {"dispatched", "done", "failed", "retried", "requeued", "runner_started"} <= words
    assert not any("wait" in word for word in words)


@pytest.mark.parametrize("name", ["odoo.log.gz", "-"])
def test_compressed_and_standard_input_tell_the_same(
    logparse: Logparse, log: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "odoo.log.gz").write_bytes(gzip.compress(log.read_bytes()))
    with log.open() as stdin:
        events = told(logparse("events", name, stdin=stdin))
    expected = told(logparse("events", log))
    assert [event | {"file": ""} for event in events] == [event | {"file": ""} for event in expected]


def test_pieces_in_any_order_are_one_log(logparse: Logparse, fixtures: Path) -> None:
    pieces = sorted((fixtures / "12.0-w2-rotate-rename").glob("odoo.log*"))
    assert len(pieces) > 3
    events = told(logparse("events", *pieces))
    assert events == told(logparse("events", *reversed(pieces)))
    assert {Path(event["file"]) for event in events} == set(pieces)


def test_in_the_order_of_proof_or_sorted(logparse: Logparse, log: Path) -> None:
    proven, ordered = told(logparse("events", log)), told(logparse("events", "--sort", log))
    times = [event["ts"] for event in proven]
    assert times != sorted(times)
    assert ordered == sorted(proven, key=lambda event: event["ts"])


def test_only_and_without_channel_state(logparse: Logparse, fixtures: Path) -> None:
    log = fixtures / "18.0-w2-debug" / "odoo.log.gz"
    everything = told(logparse("events", log))
    words = [event["event"] for event in everything]
    assert words.count("channel_state") > 100
    some = told(logparse("events", "--only", "failed,done", log))
    assert some == [event for event in everything if event["event"] in ("failed", "done")]
    without = told(logparse("events", "--no-channel-state", log))
    assert without == [event for event in everything if event["event"] != "channel_state"]
    state = next(event for event in everything if event["event"] == "channel_state")
    assert {"capacity", "pending", "running", "failed"} <= state.keys()


def test_a_span_of_time_and_a_database(logparse: Logparse, fixtures: Path) -> None:
    log = fixtures / "18.0-w2-2db-info" / "odoo.log.gz"
    everything = told(logparse("events", log))
    middle = sorted(event["ts"] for event in everything)[len(everything) // 2]
    before = told(logparse("events", "--to", middle, log))
    after = told(logparse("events", "--from", middle, log))
    assert before == [event for event in everything if event["ts"] < middle]
    assert after == [event for event in everything if event["ts"] >= middle]
    one = told(logparse("events", "--db", "acme18", log))
    assert one == [
        event for event in everything if event["db"] == "acme18" or event["db"] is event["uuid"] is None
    ]
    assert 0 < len(one) < len(everything)


def test_unsettled_stays_open_when_told_so(logparse: Logparse, log: Path) -> None:
    settled = [event["event"] for event in told(logparse("events", log))]
    open_ = [event["event"] for event in told(logparse("events", "--no-settle-at-end", log))]
    soon = [
        event["event"] for event in told(logparse("events", "--no-settle-at-end", "--settle", "20s", log))
    ]
    assert settled.count("done") > soon.count("done") > open_.count("done") == 0


def test_to_a_file(logparse: Logparse, log: Path, tmp_path: Path) -> None:
    ran = logparse("events", "--output", "events.jsonl", log)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert (tmp_path / "events.jsonl").read_text() == logparse("events", log).stdout


def test_from_the_environment(logparse: Logparse, log: Path) -> None:
    ran = logparse("events", log, env={"LOGPARSE_EVENTS_ONLY": "failed"})
    assert {event["event"] for event in told(ran)} == {"failed"}


def until(process: subprocess.Popen[str], count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline() for _ in range(count)]


def test_follow_tells_what_is_written_across_a_rotation(
    logparse: Logparse, started: Started, log: Path, tmp_path: Path
) -> None:
    expected = logparse("events", "--no-settle-at-end", log).stdout.splitlines(keepends=True)
    live = tmp_path / "odoo.log"
    lines = log.read_bytes().splitlines(keepends=True)
    # Cut where a record begins, as a rotation does.
    cut = next(n for n in range(len(lines) // 2, len(lines)) if lines[n].startswith(b"2026-"))
    live.write_bytes(b"".join(lines[: cut // 2]))
    process = started("events", "--follow", live)
    first = until(process, 1)
    with live.open("ab") as writer:
        writer.write(b"".join(lines[cut // 2 : cut]))
        live.rename(tmp_path / "odoo.log.1")
        live.write_bytes(b"".join(lines[cut:]))
    found = first + until(process, len(expected) - 1)

    def plain(line: str) -> dict[str, Any]:
        return json.loads(line) | {"file": "", "offset": 0}

    assert [plain(line) for line in found] == [plain(line) for line in expected]


def test_follow_waits_for_a_file_that_is_not_there_yet(started: Started, log: Path, tmp_path: Path) -> None:
    live = tmp_path / "odoo.log"
    process = started("events", "--follow", live)
    assert process.stderr is not None
    assert process.stderr.readline().startswith(f"logparse: {live} cannot be read now (No such file or dir")
    (tmp_path / "new").write_bytes(log.read_bytes())
    (tmp_path / "new").rename(live)
    assert '"event":"server_started"' in until(process, 1)[0]


def test_events_of_a_stream_are_printed_as_they_come(started: Started, log: Path) -> None:
    lines = log.read_text().splitlines(keepends=True)
    process = started("events", "-", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write("".join(lines[:200]))
    process.stdin.flush()
    assert '"event":"server_started"' in until(process, 1)[0]
    assert process.poll() is None


def test_events_of_a_stream_are_in_the_file_as_they_come(started: Started, log: Path, tmp_path: Path) -> None:
    """`docker logs --follow … | logparse events -o FILE -` has no end."""
    lines = log.read_text().splitlines(keepends=True)
    file = tmp_path / "events"
    process = started("events", "-o", file, "-", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write("".join(lines[:200]))
    process.stdin.flush()
    deadline = time.monotonic() + 20
    while not (file.exists() and '"event":"server_started"' in file.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert process.poll() is None


def test_a_last_line_counts_soon(started: Started, tmp_path: Path) -> None:
    live = tmp_path / "odoo.log"
    uuid = "0f0f0f0f-1111-2222-3333-444444444444"
    live.write_text(
        "2026-11-24 03:05:01,123 4711 INFO ? odoo.addons.queue_job.jobrunner.runner: "
        f"asking Odoo to run job {uuid} on db prod \n"
    )
    process = started("events", "--follow", live)
    found = []
    while not found or json.loads(found[-1])["event"] != "dispatched":
        found += until(process, 1)
    assert json.loads(found[-1])["uuid"] == uuid


@pytest.mark.parametrize("to_file", [True, False])
def test_a_progress_bar_on_a_terminal_and_nowhere_else(
    started: Started, log: Path, tmp_path: Path, to_file: bool
) -> None:
    leader, follower = os.openpty()
    target = ("--output", "events.jsonl") if to_file else ()
    process = started("events", *target, log, stderr=follower)
    os.close(follower)
    output, _ = process.communicate()
    assert process.returncode == 0
    seen = b""
    try:
        while data := os.read(leader, 65536):
            seen += data
    except OSError:  # nobody has the terminal open any more
        pass
    finally:
        os.close(leader)
    if to_file:
        assert output == ""
        assert b"kB" in seen
    else:
        assert output.startswith('{"ts":')
        assert seen == b""
