"""Standard streams that are closed or that nobody reads, and Ctrl-C: what is said, and the status."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran, one_line

Logparse = Callable[..., Ran]
Started = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def log(fixtures: Path) -> Path:
    return fixtures / "16.0-w2-info" / "odoo.log"


@pytest.mark.parametrize("arguments", [("events", "LOG"), ("patterns", "list"), ("--help",)])
def test_closed_pipe_is_quiet(started: Started, log: Path, arguments: tuple[str, ...]) -> None:
    read, write = os.pipe()
    process = started(*(log if word == "LOG" else word for word in arguments), stdout=write)
    os.close(write)
    os.close(read)
    assert process.communicate() == (None, "")
    assert process.returncode == 0


def test_head_gets_its_line(started: Started, log: Path) -> None:
    process = started("events", log)
    assert process.stdout is not None
    assert process.stdout.readline().startswith('{"ts":"2026-')
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait() == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "LOG"),
        ("events", "LOG"),
        ("export", "lnav"),
        ("job", "0307e84d", "LOG"),
        ("patterns", "explain", "x"),
        ("patterns", "list"),
        ("replay", "LOG"),
        ("sql", "select 1", "LOG"),
        ("stage",),
    ],
)
def test_closed_standard_output(logparse: Logparse, log: Path, arguments: tuple[str, ...]) -> None:
    words = [log if word == "LOG" else word for word in arguments]
    ran = logparse(*words, stdout=None, preexec_fn=lambda: os.close(1))
    assert one_line(ran, 1) == "standard output is closed: there is nowhere to print to"


@pytest.mark.parametrize(
    "arguments",
    [
        ("stage",),
        ("patterns", "explain", "-"),
        ("replay", "-"),
        ("replay", "--compare", "2026-11-24 03:05", "-"),
        ("check", "-"),
        ("events", "-"),
        ("job", "0307e84d", "-"),
    ],
)
def test_closed_standard_input(logparse: Logparse, arguments: tuple[str, ...]) -> None:
    ran = logparse(*arguments, stdin=None, preexec_fn=lambda: os.close(0))
    assert one_line(ran, 1) == "standard input is closed: there is nothing to read"


def test_closed_standard_error_changes_nothing(logparse: Logparse, log: Path) -> None:
    ran = logparse("events", log, "nowhere.log", stderr=None, preexec_fn=lambda: os.close(2))
    assert ran.returncode == 1
    ran = logparse("events", log, stderr=None, preexec_fn=lambda: os.close(2))
    assert ran.returncode == 0
    assert ran.stdout != ""


def interrupt(process: subprocess.Popen[str]) -> None:
    """Ctrl-C, once the program reads its standard input or waits."""
    assert process.stdout is not None
    assert process.stdout.readline() != ""
    process.send_signal(signal.SIGINT)


def test_ctrl_c(started: Started, log: Path, tmp_path: Path) -> None:
    fifo = tmp_path / "odoo.log"
    os.mkfifo(fifo)
    process = started("events", fifo)
    with fifo.open("wb") as writer:
        # No more than fits into a pipe, since nobody reads the program's output yet.
        writer.write(log.read_bytes()[:16_000])
        writer.flush()
        interrupt(process)
        _, error = process.communicate()
    assert error == "logparse: interrupted\n"
    assert process.returncode == 130


def test_ctrl_c_while_following(started: Started, log: Path) -> None:
    process = started("events", "--follow", log)
    interrupt(process)
    _, error = process.communicate()
    assert error == "logparse: interrupted\n"
    assert process.returncode == 130
