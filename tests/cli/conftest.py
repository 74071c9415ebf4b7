"""Runs the real program, as a user does."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.loki import Loki

ROOT = Path(__file__).parent.parent.parent
PROGRAM = [sys.executable, "-m", "logparse"]
NOW = 1795489600.0  # when the recorded logs were written


def without_roots_rights() -> None:
    """In a child before its program starts: root, too, must be allowed to read what it reads."""
    drop, cap_dac_override, cap_dac_read_search = 24, 1, 2  # PR_CAPBSET_DROP; capabilities(7)
    for capability in (cap_dac_override, cap_dac_read_search):
        ctypes.CDLL(None).prctl(drop, capability, 0, 0, 0)


Ran = subprocess.CompletedProcess[str]


def one_line(ran: Ran, status: int) -> str:
    """The one line on standard error, without the program's name."""
    assert ran.returncode == status, ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stderr.endswith("\n")
    (line,) = ran.stderr.splitlines()
    assert line.startswith("logparse: ")
    return line.removeprefix("logparse: ")


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """The program's environment: this checkout, every warning an error, no LOGPARSE_ from outside."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOGPARSE_")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", "COLUMNS": "100"}


@pytest.fixture
def logparse(environment: dict[str, str], tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`logparse("events", path, env={…})`: run it to its end."""

    def run(
        *arguments: str | Path, env: dict[str, str] | None = None, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        if "stdout" not in options:
            options["stdout"] = subprocess.PIPE
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        # One that may write little would leave a .pyc that is cut, for all that come after it.
        kept = {"PYTHONDONTWRITEBYTECODE": "1"} if "preexec_fn" in options else {}
        return subprocess.run(
            [*PROGRAM, *map(str, arguments)],
            env={**environment, **kept, **(env or {})},
            **{"stderr": subprocess.PIPE, "text": True, "timeout": 60, "cwd": tmp_path, **options},
        )

    return run


@pytest.fixture
def started(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """`started("serve", path)`: run it in the background, until the test is over."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
        # A shell that runs the tests in the background has its children ignore Ctrl-C.
        options.setdefault("preexec_fn", lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        options["env"] = {**environment, **options.get("env", {})}
        process = subprocess.Popen(
            [*PROGRAM, *map(str, arguments)],
            **{
                "stdin": subprocess.DEVNULL,
                "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE,
                "text": True,
                "cwd": tmp_path,
                **options,
            },
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture
def loki() -> Iterator[Loki]:
    """A stand-in for Loki, at the time of the recorded logs."""
    server = Loki()
    server.now = NOW
    yield server
    server.close()
