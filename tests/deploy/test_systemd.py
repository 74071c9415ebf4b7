"""The systemd unit: checked by systemd's own tools, and its command run with the rights that it gives."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.conftest import DEPLOY, Serve, ask, options, until

UNIT = DEPLOY / "logparse.service"
PROGRAM = "/opt/logparse/bin/logparse"
# systemd's measure of what a service could do, in tenths: 10 is of one that may almost nothing, 96 of one
# without any restriction. What is left is the network, which Prometheus comes by.
MOST_EXPOSED = 12
NOBODY, GROUP = 65534, 54321


def directives(text: str) -> list[tuple[str, str]]:
    """(name, value) of each line that sets something."""
    lines = (line.strip() for line in text.splitlines())
    return [
        (name, value)
        for line in lines
        if line[:1] not in ("", "#", "[")
        for name, _, value in [line.partition("=")]
    ]


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with a program that exists here."""
    there = tmp_path / UNIT.name
    program = tmp_path / "logparse"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    there.write_text(UNIT.read_text().replace(PROGRAM, str(program)))
    return there


@pytest.fixture
def environment() -> dict[str, str]:
    """What the unit sets."""
    return dict(
        value.partition("=")[::2] for name, value in directives(UNIT.read_text()) if name == "Environment"
    )


@pytest.fixture
def command(environment: dict[str, str]) -> list[str]:
    """What it starts, after the program's name, with its variables put in as systemd does."""
    started = dict(directives(UNIT.read_text()))["ExecStart"]
    program, *arguments = shlex.split(started)
    assert program == PROGRAM
    words = [environment[word[1:]].split() if word.startswith("$") else [word] for word in arguments]
    return [word for several in words for word in several]


def test_systemd_finds_nothing_wrong(unit: Path) -> None:
    ran = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    about_it = [line for line in (ran.stdout + ran.stderr).splitlines() if unit.name in line]
    assert (ran.returncode, about_it) == (0, [])


def test_a_broken_unit_would_be_found(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("ProtectSystem=", "ProtectSistem="))
    ran = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    assert "ProtectSistem" in ran.stdout + ran.stderr


def test_it_may_do_little(unit: Path) -> None:
    measure = ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(unit)]
    ran = subprocess.run(measure, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout
    unit.write_text(unit.read_text().replace("CapabilityBoundingSet=\n", ""))
    assert subprocess.run(measure, capture_output=True).returncode != 0


def test_what_it_starts_is_understood(command: list[str], environment: dict[str, str]) -> None:
    understood = options(command, environment)
    assert understood["state"] == Path("/var/lib/logparse")
    assert str(understood["listen"]).startswith("127.0.0.1:")
    assert ("StateDirectory", "logparse") in directives(UNIT.read_text())


def test_the_defaults_file_shows_what_the_unit_takes(environment: dict[str, str]) -> None:
    text = (DEPLOY / "logparse.default").read_text()
    shown = dict(
        directives("\n".join(line[1:] for line in text.splitlines() if line.startswith("#LOGPARSE")))
    )
    assert {name: shown[name] for name in environment} == environment
    options(["serve", shown["LOGPARSE_LOGS"]], shown)


def test_its_user_is_made(tmp_path: Path) -> None:
    for folder in ("etc", "usr/lib/sysusers.d"):
        (tmp_path / folder).mkdir(parents=True)
    given = (DEPLOY / "logparse.sysusers").read_text()
    (tmp_path / "usr/lib/sysusers.d/logparse.conf").write_text(given)
    subprocess.run(["systemd-sysusers", f"--root={tmp_path}"], check=True, capture_output=True)
    assert (tmp_path / "etc/passwd").read_text().startswith("logparse:")
    members = dict(line.split(":")[::3] for line in (tmp_path / "etc/group").read_text().splitlines())
    assert members["odoo"] == "logparse"
    set_by_unit = dict(directives(UNIT.read_text()))
    assert (set_by_unit["User"], set_by_unit["Group"]) == ("logparse", "logparse")


def without_rights(user: int, *groups: int) -> tuple[str, ...]:
    """What starts a program as this user in these groups, without any capability."""
    given = ["--clear-groups"] if not groups else [f"--groups={','.join(map(str, groups))}"]
    started = [
        "setpriv",
        f"--reuid={user}",
        f"--regid={user}",
        *given,
        "--bounding-set=-all",
        "--inh-caps=-all",
    ]
    return (*started, "--no-new-privs")


def runs(user: int) -> bool:
    """Whether this user can reach this checkout and its Python."""
    ran = subprocess.run(
        [*without_rights(user), sys.executable, "-c", "import logparse"], capture_output=True
    )
    return ran.returncode == 0


@pytest.mark.parametrize("member", [True, False])
def test_it_reads_the_log_as_a_member_of_its_group(
    serve: Serve,
    command: list[str],
    environment: dict[str, str],
    open_folder: Path,
    fixtures: Path,
    member: bool,
) -> None:
    """A folder and a log as Odoo's package makes them; nothing but the state can be written."""
    root = os.geteuid() == 0
    user = NOBODY if not root or runs(NOBODY) else 0
    folder, state = open_folder / "odoo", open_folder / "state"
    log = folder / "odoo-server.log"
    folder.mkdir()
    state.mkdir()
    log.write_bytes((fixtures / "16.0-w2-info" / "odoo.log").read_bytes())
    log.chmod(0o640 if member else 0o200)
    folder.chmod(0o750 if member or root else 0o550)
    before: tuple[str, ...] = ()
    if root:  # else it is our own log, which we may read or not
        os.chown(folder, 12345, GROUP)
        os.chown(log, 12345, GROUP)
        log.chmod(0o640)
        os.chown(state, user, user)
        before = without_rights(user, *([GROUP] if member else []))
    placed = {"/var/lib/logparse": str(state), "/var/log/odoo/odoo-server.log": str(log)}
    arguments = [placed.get(word, word) for word in command]
    url = serve(arguments, env=environment | {"LOGPARSE_SERVE_LISTEN": "127.0.0.1:0"}, before=before)
    assert ask(f"{url}/healthz") == (200 if member else 503)
    assert ask(f"{url}/livez") == 200
    until(lambda: sorted(path.name for path in state.iterdir()) == ["lock", "logparse.state"])
    if root and not member:
        # It is tried again, and read as soon as it may be.
        folder.chmod(0o755)
        log.chmod(0o644)
        until(lambda: ask(f"{url}/healthz") == 200)
