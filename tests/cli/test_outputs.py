"""What is written into files is there whole or not at all, and no log is ever written over."""

import gzip
import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.conftest import without_roots_rights

Logparse = Callable[..., subprocess.CompletedProcess[str]]
Started = Callable[..., subprocess.Popen[str]]

OUTPUTS = ("--html", "--openmetrics", "--otlp", "--parquet")


@pytest.fixture
def log(fixtures: Path, tmp_path: Path) -> Path:
    return shutil.copy(fixtures / "16.0-w2-info" / "odoo.log", tmp_path / "odoo.log")


def _with_little_room() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))


def sentence(ran: subprocess.CompletedProcess[str]) -> str:
    assert ran.returncode == 1, ran.stderr
    (line,) = ran.stderr.splitlines()
    return line


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_replay_that_is_ended_leaves_nothing(
    started: Started, log: Path, tmp_path: Path, number: signal.Signals
) -> None:
    fifo = tmp_path / "odoo.fifo"
    os.mkfifo(fifo)
    folder = tmp_path / "written"
    folder.mkdir()
    named = [word for option in OUTPUTS for word in (option, folder / option[2:])]
    process = started("replay", "--json", *named, fifo)
    with fifo.open("wb") as writer:  # it reads until this is closed
        writer.write(log.read_bytes()[:16_000])
        writer.flush()
        for _ in range(600):
            if len(list(folder.iterdir())) == len(OUTPUTS):
                break
            time.sleep(0.05)
        process.send_signal(number)
        _, error = process.communicate(timeout=30)
    assert process.returncode == (130 if number == signal.SIGINT else -number)
    assert error == f"logparse: {'interrupted' if number == signal.SIGINT else f'ended by {number.name}'}\n"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("sort", [(), ("--sort",)])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_events_that_are_ended_leave_what_was_there(
    started: Started, log: Path, tmp_path: Path, number: signal.Signals, sort: tuple[str, ...]
) -> None:
    fifo = tmp_path / "odoo.fifo"
    os.mkfifo(fifo)
    folder = tmp_path / "written"
    folder.mkdir()
    there = folder / "events.jsonl"
    there.write_text("before\n")
    process = started("events", *sort, "-o", there, fifo)
    with fifo.open("wb") as writer:  # it reads until this is closed
        writer.write(log.read_bytes())
        writer.flush()
        for _ in range(600):
            if any(sort or one.stat().st_size for one in folder.glob(".events*")):
                break
            time.sleep(0.05)
        assert there.read_text() == "before\n"
        process.send_signal(number)
        process.communicate(timeout=30)
    assert process.returncode == (130 if number == signal.SIGINT else -number)
    assert list(folder.iterdir()) == [there]
    assert there.read_text() == "before\n"


def test_events_and_a_disk_that_is_full(logparse: Logparse, log: Path, tmp_path: Path) -> None:
    folder = tmp_path / "written"
    folder.mkdir()
    ran = logparse("events", "-o", folder / "x", log, preexec_fn=_with_little_room)
    assert sentence(ran).startswith(f"logparse: {folder}/x cannot be written: ")
    assert sentence(ran).endswith("nothing of it is left")
    assert list(folder.iterdir()) == []


def test_events_of_no_log_leave_what_was_there(logparse: Logparse, tmp_path: Path) -> None:
    there, other = tmp_path / "events.jsonl", tmp_path / "other.log"
    there.write_text("before\n")
    other.write_text("hello\n" * 1000)
    assert "is not an Odoo server log" in sentence(logparse("events", "-o", there, other))
    assert there.read_text() == "before\n"
    assert {one.name for one in tmp_path.iterdir()} == {"events.jsonl", "other.log"}


def test_events_of_a_damaged_log_are_there_as_far_as_it_goes(
    logparse: Logparse, log: Path, tmp_path: Path
) -> None:
    damaged, there = tmp_path / "odoo.log.gz", tmp_path / "events.jsonl"
    damaged.write_bytes(gzip.compress(log.read_bytes())[:-1000])
    assert "could be read only in part" in sentence(logparse("events", "-o", there, damaged))
    assert there.read_text() == logparse("events", damaged).stdout != ""


def test_events_go_into_a_pipe_as_they_come(started: Started, log: Path, tmp_path: Path) -> None:
    fifo = tmp_path / "events.fifo"
    os.mkfifo(fifo)
    process = started("events", "-o", fifo, "-", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(log.read_text()[:16_000])  # less than a pipe holds
    process.stdin.flush()
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        found = b""
        for _ in range(600):
            with suppress(BlockingIOError):
                found += os.read(reader, 1 << 16)
            if b"\n" in found:
                break
            time.sleep(0.05)
        assert found.startswith(b'{"ts":')
        process.stdin.close()
        assert process.wait(30) == 0
    finally:
        os.close(reader)


def test_a_signal_that_is_ignored_stays_so(started: Started, log: Path, tmp_path: Path) -> None:
    """As `nohup` and a shell that goes on without its terminal have it."""
    process = started(
        "events", "-", stdin=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)
    )
    process.send_signal(signal.SIGHUP)
    printed, _ = process.communicate(log.read_text(), timeout=30)
    assert process.returncode == 0
    assert printed.count("\n") > 100


@pytest.mark.parametrize("option", OUTPUTS)
def test_a_disk_that_is_full(logparse: Logparse, log: Path, tmp_path: Path, option: str) -> None:
    folder = tmp_path / "written"
    folder.mkdir()
    ran = logparse(
        "replay",
        option,
        folder / "x",
        log,
        preexec_fn=_with_little_room,
    )
    assert sentence(ran).startswith(f"logparse: {folder}/x cannot be written: ")
    assert sentence(ran).endswith("nothing of it is left")
    assert ran.stdout == ""
    assert list(folder.iterdir()) == []


def test_no_room_for_the_tables_of_a_query(logparse: Logparse, log: Path, tmp_path: Path) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    ran = logparse(
        "sql",
        "select 1",
        log,
        env={"TMPDIR": str(folder)},
        preexec_fn=_with_little_room,
    )
    assert sentence(ran).startswith(f"logparse: the tables cannot be made in {folder} (")
    assert sentence(ran).endswith("name a directory with room by TMPDIR")
    assert list(folder.iterdir()) == []


def test_no_room_to_put_a_log_in_reverse_down(logparse: Logparse, log: Path, tmp_path: Path) -> None:
    ran = logparse(
        "events",
        "--reverse",
        log,
        env={"TMPDIR": str(tmp_path)},
        preexec_fn=_with_little_room,
    )
    assert sentence(ran).startswith(f"logparse: temporary files cannot be written in {tmp_path} (")
    assert sentence(ran).endswith("name a directory with room by TMPDIR")
    assert ran.returncode == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_query_that_goes_on_is_ended(
    started: Started, log: Path, tmp_path: Path, number: signal.Signals
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    query = "SELECT count(*) FROM range(10_000_000_000), range(100_000)"
    process = started("sql", query, log, env={"TMPDIR": str(folder)})
    for _ in range(600):
        if list(folder.glob("*/tables.duckdb")) and not list(folder.glob("*/*.jsonl")):
            break
        time.sleep(0.05)
    process.send_signal(number)
    _, error = process.communicate(timeout=30)
    assert process.returncode == (130 if number == signal.SIGINT else -number)
    assert error == f"logparse: {'interrupted' if number == signal.SIGINT else 'ended by SIGTERM'}\n"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("option", OUTPUTS)
def test_a_place_where_nothing_may_be_written(
    logparse: Logparse, log: Path, tmp_path: Path, option: str
) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    ran = logparse("replay", option, folder / "x", log, preexec_fn=without_roots_rights)
    assert sentence(ran).startswith(f"logparse: {folder}/x cannot be written: Permission denied")


@pytest.mark.parametrize("option", OUTPUTS)
def test_standard_output_is_no_place_for_a_file(
    logparse: Logparse, log: Path, tmp_path: Path, option: str
) -> None:
    assert f"for {option}" in sentence(logparse("replay", option, "-", log))
    assert list(tmp_path.iterdir()) == [log]


@pytest.mark.parametrize("name", ["odoo.log", "./odoo.log", "same.log", "link.log"])
def test_events_are_not_written_into_the_log(
    logparse: Logparse, log: Path, tmp_path: Path, name: str
) -> None:
    before = log.read_bytes()
    os.link(log, tmp_path / "same.log")
    (tmp_path / "link.log").symlink_to(log)
    for arguments in (
        ("events", "--output", name, log),
        ("serve", "--listen", "127.0.0.1:0", "--events", name, log),
        ("replay", "--otlp", name, log),
    ):
        assert f"{Path(name).name} is one of the logs: name another file" in sentence(logparse(*arguments))
    assert log.read_bytes() == before


def test_a_log_that_is_not_there_yet_is_no_place_for_events(logparse: Logparse, tmp_path: Path) -> None:
    ran = logparse("serve", "--listen", "127.0.0.1:0", "--events", "odoo.log", tmp_path / "odoo.log")
    assert sentence(ran).startswith("logparse: odoo.log is one of the logs")
    assert list(tmp_path.iterdir()) == []
