"""Logs of all kinds, given to the real program."""

import gzip
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.record.wrapping import BARS, bars, lines_of, syslog_old

Program = Callable[..., subprocess.CompletedProcess[str]]
NOON = 1795521600  # 2026-11-24 12:00:00 UTC


def events(ran: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def essence(ran: subprocess.CompletedProcess[str]) -> list[tuple[str, str, str]]:
    return [(event["ts"], event["event"], event["uuid"]) for event in events(ran)]


@pytest.fixture
def log(fixtures: Path) -> Path:
    return fixtures / "16.0-w2-info" / "odoo.log"


def wrapped(path: Path, lines: list[bytes]) -> Path:
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    os.utime(path, (NOON, NOON))
    return path


def test_servers(logparse: Program, fixtures: Path) -> None:
    folder = fixtures / "16.0-2servers-info"
    told = events(
        logparse("events", "--server", f"a={folder}/odoo-a.log.gz", "--server", f"b={folder}/odoo-b*.gz")
    )
    expected = [
        json.loads(line) for line in gzip.decompress((folder / "events.jsonl.gz").read_bytes()).splitlines()
    ]
    assert len(told) > 1000
    for event in told + expected:
        event.pop("file")
    assert told == expected
    assert {event["server"] for event in told} == {"a", "b"}


def test_servers_in_the_other_verbs(logparse: Program, fixtures: Path) -> None:
    folder = fixtures / "16.0-2servers-info"
    both = ["--server", f"a={folder}/odoo-a.log.gz", "--server", f"b={folder}/odoo-b.log.gz"]
    report = json.loads(logparse("replay", "--json", *both).stdout)
    assert len(report["input"]["files"]) == 2
    assert report["input"]["lines"] > 1_000
    assert logparse("check", *both).returncode == 0
    metrics = logparse("replay", "--metrics", *both).stdout
    assert 'server="a"' in metrics
    assert 'server="b"' in metrics


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--server", "a"], "is not NAME=FILE"),
        (["--server", "a=/nowhere/*.log"], "no file is called like"),
        (["--server", "a=-"], "standard input cannot be one of several"),
        (["--timezone", "Europe/Nowhere", "x"], "there is no time zone"),
        (["--timezone", "../../etc/passwd", "x"], "there is no time zone"),
        (["--year", "26", "x"], "26 is not in the range"),
        (["--log-format", "%(message)s", "x"], "it lacks %(asctime)s"),
        ([], "Missing argument 'FILE...'"),
    ],
)
def test_wrong_uses(logparse: Program, arguments: list[str], reason: str) -> None:
    ran = logparse("events", *arguments)
    assert ran.returncode == 2
    assert reason in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_a_file_of_two_servers_is_refused(logparse: Program, log: Path) -> None:
    ran = logparse("events", "--server", f"a={log}", "--server", f"b={log}")
    assert ran.returncode == 1
    assert "was given for two servers" in ran.stderr


def test_the_year_of_a_syslog(logparse: Program, log: Path, tmp_path: Path) -> None:
    lines = [line for line in lines_of(log.read_bytes()) if line.startswith(b"2026-")]
    path = wrapped(tmp_path / "syslog", syslog_old(lines))
    bare = wrapped(tmp_path / "bare", lines)
    assert essence(logparse("events", path)) == essence(logparse("events", bare))


def test_syslog_of_another_year(logparse: Program, tmp_path: Path) -> None:
    runner = "odoo.addons.queue_job.jobrunner.runner"
    path = wrapped(tmp_path / "s", [f"Nov 24 02:00:00 vm Odoo Server 16.0:?:INFO:{runner}:starting".encode()])
    assert events(logparse("events", path))[0]["ts"].startswith("2026-11-24T02:00:00")
    assert events(logparse("events", "--year", "2019", path))[0]["ts"].startswith("2019-11-24T02:00:00")
    zoned = events(logparse("events", "--timezone", "Europe/Berlin", path))
    assert zoned[0]["ts"].startswith("2026-11-24T01:00:00")
    offset = events(logparse("events", "--timezone", "-05:30", path))
    assert offset[0]["ts"].startswith("2026-11-24T07:30:00")


def test_a_format_of_its_own(logparse: Program, log: Path, tmp_path: Path) -> None:
    path = wrapped(tmp_path / "bars", bars(lines_of(log.read_bytes())))
    assert essence(logparse("events", "--log-format", BARS, path)) == essence(logparse("events", log))
    ran = logparse("events", path)
    assert ran.returncode == 1
    assert "is not an Odoo server log" in ran.stderr


def test_newest_first(logparse: Program, log: Path, tmp_path: Path) -> None:
    path = wrapped(tmp_path / "turned", lines_of(log.read_bytes())[::-1])
    ran = logparse("events", path)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.rstrip().endswith("has its newest record first: read it with --reverse")
    assert essence(logparse("events", "--reverse", path)) == essence(logparse("events", log))
    packed = tmp_path / "turned.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert essence(logparse("events", "--reverse", packed)) == essence(logparse("events", log))
    ran = logparse("events", "--reverse", log)
    assert ran.returncode == 1
    assert "has its oldest record first" in ran.stderr


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16(logparse: Program, log: Path, tmp_path: Path, codec: str) -> None:
    path = tmp_path / "odoo.log"
    path.write_bytes(log.read_text(encoding="utf-8").replace("\n", "\r\n").encode(codec))
    assert essence(logparse("events", path)) == essence(logparse("events", log))


def test_check_tells_what_is_around_and_what_it_loses(logparse: Program, fixtures: Path) -> None:
    ran = logparse("check", "--json", "--year", "2026", fixtures / "12.0-w2-syslog" / "syslog.log.gz")
    check = json.loads(ran.stdout)
    (shape,) = check["shapes"]
    assert shape["around"] == ["syslog (RFC 3164)", "Odoo's syslog format"]
    assert any("no durations" in text for text in shape["loses"])
