"""The verb `check`, run as a user runs it."""

import gzip
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Logparse = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    "path", ["16.0-w2-info/odoo.log", "18.0-w2-debug/odoo.log.gz", "17.0-w0-pty/pty-capture.log"]
)
def test_a_good_log(logparse: Logparse, fixtures: Path, path: str) -> None:
    ran = logparse("check", fixtures / path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("Fine: ")
    assert path[:4] in ran.stdout


@pytest.mark.parametrize(
    ("path", "setting"),
    [
        ("16.0-werkzeug-silenced-info/odoo.log.gz", "--log-handler=werkzeug:INFO"),
        ("17.0-w2-warn/odoo.log", "--log-level=info"),
    ],
)
def test_a_log_that_does_not_show_how_jobs_end(
    logparse: Logparse, fixtures: Path, path: str, setting: str
) -> None:
    ran = logparse("check", fixtures / path)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert ran.stdout.startswith("1 problem: ")
    assert f"\n  {setting}\n" in ran.stdout


def unknown(fixtures: Path, folder: Path) -> Path:
    text = (fixtures / "16.0-w2-info" / "odoo.log").read_text(errors="replace")
    path = folder / "odoo.log"
    line = (
        "2026-11-24 03:06:20,000 77 WARNING prod odoo.addons.queue_job.controllers.main: Job eaten by Jane \n"
    )
    path.write_text(text + line)
    return path


def test_lines_that_are_not_recognised(logparse: Logparse, fixtures: Path, tmp_path: Path) -> None:
    path = unknown(fixtures, tmp_path)
    ran = logparse("check", path)
    assert ran.returncode == 1
    assert "Job eaten by …" in ran.stdout
    assert "Jane" not in ran.stdout
    assert "Jane" not in logparse("check", "--json", path).stdout
    assert "Job eaten by Jane" in logparse("check", "--with-text", path).stdout
    assert "Job eaten by Jane" in logparse("check", path, env={"LOGPARSE_CHECK_WITH_TEXT": "1"}).stdout


def test_json(logparse: Logparse, fixtures: Path, tmp_path: Path) -> None:
    docs = (Path(__file__).parent.parent.parent / "docs" / "check.md").read_text()
    ran = logparse("check", "--json", unknown(fixtures, tmp_path))
    assert ran.returncode == 1
    check = json.loads(ran.stdout)
    assert check["ok"] is False
    assert [one["kind"] for one in check["problems"]] == ["unmatched"]
    assert check["odoo"] == ["16.0"]
    parts = [
        check,
        check["processes"],
        check["processes"]["runners"][0],
        check["databases"][0],
        check["shapes"][0],
    ]
    parts += [check["problems"][0], check["unmatched"][0], check["unmatched"][0]["samples"][0]]
    for part in parts:
        for key in part:
            assert re.search(rf"[`.]{key}(?:\[\])?`", docs), key


def test_what_could_be_read_only_in_part_does_not_pass(
    logparse: Logparse, fixtures: Path, tmp_path: Path
) -> None:
    path = tmp_path / "odoo.log.gz"
    path.write_bytes(gzip.compress((fixtures / "16.0-w2-info" / "odoo.log").read_bytes())[:8000])
    ran = logparse("check", path)
    assert ran.returncode == 1
    assert ran.stdout.startswith("1 problem: ")
    assert "Fine" not in ran.stdout
    assert "only in part" in " ".join(ran.stdout.split())
    check = json.loads(logparse("check", "--json", path).stdout)
    assert check["ok"] is False
    assert [(one["kind"], one["fails"]) for one in check["problems"]] == [("unread", True)]


def test_one_of_several_files_that_cannot_be_read_does_not_pass(
    logparse: Logparse, fixtures: Path, tmp_path: Path
) -> None:
    path = tmp_path / "odoo.log.1.gz"
    path.write_bytes(b"\x1f\x8b\x08no gzip data")
    ran = logparse("check", "--json", path, fixtures / "16.0-w2-info" / "odoo.log")
    assert ran.returncode == 1
    check = json.loads(ran.stdout)
    assert (check["ok"], [one["kind"] for one in check["problems"]]) == (False, ["unread"])


def test_an_empty_file_is_fine(logparse: Logparse, tmp_path: Path) -> None:
    path = tmp_path / "odoo.log"
    path.touch()
    ran = logparse("check", path)
    assert ran.returncode == 0
    assert ran.stdout.startswith("The log is empty.")


def test_help_has_an_example(logparse: Logparse) -> None:
    assert "logparse check odoo.log" in logparse("check", "--help").stdout
