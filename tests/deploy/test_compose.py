"""The compose example: valid by the Compose Specification's schema, and true to the Containerfile."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.conftest import DEPLOY, options

FILE = DEPLOY / "compose.yaml"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text())["services"]
    return found


def check(file: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("check-jsonschema")
    return subprocess.run(
        [program, "--builtin-schema", "vendor.compose-spec", file], capture_output=True, text=True
    )


def test_valid_by_the_specification() -> None:
    ran = check(FILE)
    assert ran.returncode == 0, ran.stdout


def test_the_specification_would_find_a_wrong_word(tmp_path: Path) -> None:
    wrong = tmp_path / FILE.name
    wrong.write_text(FILE.read_text().replace("read_only:", "readonly:"))
    assert check(wrong).returncode == 1


def test_what_is_started_is_understood(services: dict[str, Any]) -> None:
    one = services["logparse"]
    (file,) = options(one["command"])["files"]
    assert f"--logfile={file}" in services["odoo"]["command"]
    built = (FILE.parent / one["build"]["context"]).resolve()
    assert (built / one["build"]["dockerfile"]).samefile(DEPLOY / "Containerfile")


def test_it_has_no_rights_and_is_reached_from_here_only(services: dict[str, Any]) -> None:
    one = services["logparse"]
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert "user" not in one  # the image's own, which is not root
    assert [volume for volume in one["volumes"] if not volume.endswith(":ro")] == [
        "logparse-state:/var/lib/logparse"
    ]
    assert all(
        port.startswith("127.0.0.1:") for service in services.values() for port in service.get("ports", ())
    )
