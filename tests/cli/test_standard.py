"""What a log holds does not steer the terminal, in whatever form it is printed."""

import json
import os
import pty
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import recorded

Logparse = Callable[..., subprocess.CompletedProcess[str]]
Started = Callable[..., subprocess.Popen[str]]

# Escape sequences of 7 and 8 bits, and a bell, as the names of what a customer may name.
CHANNEL = "root.\x9b31m\x85\x1b]0;owned\x07\x7f"
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
STYLE = re.compile("\x1b\\[[0-9;]*m|\r\n")  # of tables, by us


def on_terminal(started: Started, *arguments: str | Path) -> str:
    """What a terminal gets."""
    ours, theirs = pty.openpty()
    process = started(*arguments, stdout=theirs, env={"TERM": "xterm-256color"})
    os.close(theirs)
    got = bytearray()
    try:
        while data := os.read(ours, 1 << 16):
            got += data
    except OSError:  # how a terminal tells that nobody writes to it any more
        pass
    finally:
        os.close(ours)
    assert process.wait() == 0
    return got.decode()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log") / "odoo.log"
    text = b"".join(recorded.texts("18.0-w2-debug").values())
    path.write_bytes(text.replace(b"root.sub", CHANNEL.encode()))
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        ("events", "LOG"),
        ("check", "--json", "LOG"),
        ("replay", "--http", "LOG"),
        ("replay", "--json", "LOG"),
        ("replay", "--format", "csv", "LOG"),
        ("replay", "--format", "markdown", "LOG"),
        ("replay", "--metrics", "LOG"),
        ("sql", "SELECT DISTINCT channel FROM events", "LOG"),
        ("sql", "--format", "csv", "SELECT DISTINCT channel FROM events", "LOG"),
        ("sql", "--format", "json", "SELECT DISTINCT channel FROM events", "LOG"),
    ],
    ids=" ".join,
)
def test_a_terminal_is_not_steered(started: Started, log: Path, arguments: tuple[str, ...]) -> None:
    got = on_terminal(started, *(log if word == "LOG" else word for word in arguments))
    assert got
    assert STEERS.findall(STYLE.sub("", got)) == []


def test_json_on_a_terminal_says_the_same(
    started: Started, logparse: Callable[..., subprocess.CompletedProcess[str]], log: Path
) -> None:
    shown = [json.loads(line) for line in on_terminal(started, "events", log).splitlines()]
    assert shown == [json.loads(line) for line in logparse("events", log).stdout.split("\n")[:-1]]
    assert any("\x9b" in (event["channel"] or "") for event in shown)


@pytest.mark.parametrize("columns", ["0", "-3", "²", "x", ""])
@pytest.mark.parametrize(
    "verb", [["replay"], ["check"], ["job", "4e506296"], ["replay", "--group-by", "minute"]], ids=" ".join
)
def test_a_width_that_says_nothing_is_80(
    logparse: Logparse, fixtures: Path, verb: list[str], columns: str
) -> None:
    log = fixtures / "16.0-w2-info" / "odoo.log"
    ran = logparse(*verb, log, env={"COLUMNS": columns, "LINES": columns})
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == logparse(*verb, log, env={"COLUMNS": "80"}).stdout
    assert ran.stdout
