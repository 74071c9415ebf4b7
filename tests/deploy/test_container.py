"""The Containerfile: linted, and what it copies, installs, starts and asks, done here without an image."""

import json
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from logparse.out.http import DEFAULT_LISTEN, parse_listen
from tests.deploy.conftest import DEPLOY, ROOT, Serve, ask, options, until

FILE = DEPLOY / "Containerfile"
PORT = parse_listen(DEFAULT_LISTEN)[1]


@pytest.fixture(scope="module")
def steps() -> list[tuple[str, str]]:
    """(instruction, what follows it), the last stage's last."""
    lines = [line for line in FILE.read_text().splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in joined.splitlines())]


@pytest.fixture(scope="module")
def environment(steps: list[tuple[str, str]]) -> dict[str, str]:
    """What the image sets for logparse."""
    words = [word for name, rest in steps if name == "ENV" for word in shlex.split(rest)]
    return {name: value for name, _, value in (word.partition("=") for word in words) if name != "PATH"}


@pytest.fixture(scope="module")
def asked(steps: list[tuple[str, str]]) -> list[str]:
    """The command of the health check."""
    (check,) = [rest for name, rest in steps if name == "HEALTHCHECK"]
    return list(json.loads(check.partition("CMD ")[2]))


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    ran = subprocess.run([hadolint, FILE], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "")


def test_what_it_copies_is_all_that_the_package_is_made_of(
    steps: list[tuple[str, str]], tmp_path: Path
) -> None:
    """The wheel of what is copied is the wheel of the checkout."""
    copied = tmp_path / "src"
    copied.mkdir()
    for name, rest in steps:
        if name == "COPY" and not rest.startswith("--from"):
            *sources, target = shlex.split(rest)
            for source in sources:
                there = copied / Path(target).relative_to("/src")
                there = there / source if target.endswith("/") else there
                subprocess.run(["cp", "-r", ROOT / source, there], check=True)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path], cwd=copied, check=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info" not in name}
    packaged = [(ROOT, ROOT / "logparse"), (ROOT, ROOT / "patterns")]
    expected = {
        ("logparse/" if folder.name == "patterns" else "") + str(path.relative_to(base))
        for base, folder in packaged
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert inside == expected


def test_it_is_not_root_and_writes_only_to_its_volume(
    steps: list[tuple[str, str]], environment: dict[str, str]
) -> None:
    last = dict(steps)
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", last["USER"])
    user, group = last["USER"].split(":")
    assert json.loads(last["VOLUME"]) == [environment["LOGPARSE_SERVE_STATE"]]
    assert last["RUN"].endswith(f"-o {user} -g {group} {environment['LOGPARSE_SERVE_STATE']}")
    names = [name for name, _ in steps]
    assert "RUN" not in names[names.index("USER") :]
    assert int(last["EXPOSE"]) == PORT


def test_it_starts_and_tells_its_health(
    serve: Serve,
    steps: list[tuple[str, str]],
    environment: dict[str, str],
    asked: list[str],
    fixtures: Path,
    tmp_path: Path,
) -> None:
    last = dict(steps)
    assert json.loads(last["ENTRYPOINT"]) == ["logparse"]
    command = json.loads(last["CMD"])
    assert options(command, environment)["listen"] == f"0.0.0.0:{PORT}"
    log = tmp_path / "odoo-server.log"
    log.write_bytes((fixtures / "16.0-w2-info" / "odoo.log").read_bytes())
    env = environment | {
        "LOGPARSE_SERVE_STATE": str(tmp_path / "state"),
        "LOGPARSE_SERVE_LISTEN": "127.0.0.1:0",
    }
    url = serve([*command[:-1], str(log)], env=env)

    def healthy() -> bool:
        assert asked[0] == "python3"
        listening = {"LOGPARSE_SERVE_LISTEN": f"0.0.0.0:{url.rpartition(':')[2]}"}
        ran = subprocess.run(
            [sys.executable, *asked[1:]], env=listening, stderr=subprocess.DEVNULL, timeout=30
        )
        return ran.returncode == 0

    assert healthy()
    log.unlink()
    until(lambda: ask(f"{url}/healthz") == 503)
    assert not healthy()
