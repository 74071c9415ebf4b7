"""What the files of deploy/ say, run as they say it."""

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from logparse.cli import cli

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"
Serve = Callable[..., str]


def options(arguments: list[str], env: dict[str, str] | None = None) -> dict[str, object]:
    """What `logparse serve` makes of these arguments and environment variables; it refuses wrong ones.

    arguments: what follows `logparse`. env: unknown names that begin with LOGPARSE_SERVE_ are refused too.
    """
    verb, *rest = arguments
    parent = click.Context(cli, info_name="logparse", auto_envvar_prefix="LOGPARSE")
    command = cli.get_command(parent, verb)
    assert command is not None
    known = {f"LOGPARSE_{verb}_{param.name}".upper() for param in command.params}
    for name in env or {}:
        assert not name.startswith("LOGPARSE_SERVE_") or name in known, name
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (env or {}).items():
            patch.setenv(name, value)
        context = command.make_context(verb, rest, parent=parent)
    return context.params


def ask(url: str) -> int:
    """The status of the answer."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def until(true: Callable[[], bool]) -> None:
    """Wait until it is so; a test that waits in vain for a minute has failed."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.05)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter (pytest's own are for one user)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """`serve(arguments, env=…, before=…)`: `logparse serve`, until the test is over; gives its URL.

    before: a command that starts the program, with arguments of its own.
    """
    running: list[subprocess.Popen[bytes]] = []

    def start(
        arguments: list[str], *, env: dict[str, str] | None = None, before: tuple[str, ...] = ()
    ) -> str:
        said = tmp_path / f"said-{len(running)}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LOGPARSE_")}
        with said.open("wb") as file:
            process = subprocess.Popen(
                [*before, sys.executable, "-m", "logparse", *arguments],
                env={"PYTHONPATH": str(ROOT), **kept, **(env or {})},
                stderr=file,
                cwd="/",
            )
        running.append(process)

        def listening() -> bool:
            assert process.poll() is None, said.read_text()
            return "listening" in said.read_text()

        until(listening)
        found = re.search(r"url=http://\S+:(\d+)", said.read_text())
        assert found is not None
        return f"http://127.0.0.1:{found[1]}"

    yield start
    for process in running:
        process.terminate()
    assert [process.wait(10) for process in running] == [0] * len(running)
