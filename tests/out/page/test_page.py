"""What a page holds and what it does not; that it is small; that its parts are what they are said to be."""

import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from logparse.lifecycle.event import Ended, Event
from logparse.out.counts import Counts
from logparse.out.page import data
from logparse.out.report import Report
from logparse.out.sink import Source
from logparse.out.summary import Summary
from logparse.out.timeline import Timeline
from logparse.pipe import Pipe
from tests.out.page.conftest import ROOT, replayed

TS = 1_795_000_000_000
UPLOT = ROOT / "logparse" / "out" / "page" / "uplot"
MESSAGES = ("plain failure", "explicit FailedJobError", "never works", "duplicate key value")


def test_texts_only_where_they_are_asked_for(fixtures: Path, tmp_path: Path) -> None:
    log, path = fixtures / "16.0-w2-info" / "odoo.log", tmp_path / "report.html"
    text = log.read_text()
    assert all(message in text for message in MESSAGES)
    replayed(log, "--html", path)
    page = path.read_text()
    assert not [message for message in MESSAGES if message in page]
    assert "qj_lab/models/qj_lab.py:93 in job_fail" in page
    replayed(log, "--html", path, "--with-text")
    page = path.read_text()
    assert all(message in page for message in MESSAGES)
    assert "Max. retries (&lt;n&gt;) reached: never works" in page
    assert "raise Exception(&#34;plain failure %s&#34; % i)" in page


def test_rotations_restarts_and_kills_are_marks(fixtures: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    pieces = sorted((fixtures / "12.0-w2-rotate-rename").glob("odoo.log*"))
    report = replayed(*pieces, "--html", path)
    marks = json.loads(re.findall(r'id="data">(.*?)</script>', path.read_text())[0])["marks"]
    by_kind: dict[str, int] = {}
    for _, kind, times, _ in marks:
        by_kind[kind] = by_kind.get(kind, 0) + times
    assert by_kind["rotation"] == len(pieces) - 1
    installation = report["installation"]
    assert by_kind["server_started"] == installation["servers_started"] > 0
    assert by_kind["runner_started"] == installation["runner_starts"] > 0
    assert by_kind.get("worker_killed", 0) == sum(installation["worker_kills"].values())


def test_a_million_jobs_of_many_channels_stay_below_two_megabytes() -> None:
    chance = random.Random(7)
    counts = Counts()
    summary = Summary(counts)
    timeline = Timeline(counts)
    pipe = Pipe()
    timeline.open(Source(pipe, ["odoo.log"]))
    channels = [f"root.channel_{number}" for number in range(60)]
    # A hundred times fewer jobs than a million, but as many different numbers as there can be.
    for number in range(12_000):
        ts = TS + number * 250_000
        for channel in chance.sample(channels, 20):
            seconds = chance.lognormvariate(0, 3)
            event = Event(ts, "done", "prod", f"{number}-{channel}", 1, channel=channel, duration=seconds)
            ended = Ended(ts, "prod", channel, seconds, None, None)
            timeline.add([event, ended])
            if number < 50:
                summary.add(event)
                summary.add(ended)
    report: Report = summary.result(pipe)
    encoded = data.encoded(report, timeline)
    assert len(encoded) <= data.MOST_BYTES
    lanes = json.loads(encoded)["lanes"]
    assert sum(sum(lane["counts"]["done"]) for lane in lanes) == 240_000
    assert len(timeline.intervals) > 30
    parts = sum(path.stat().st_size for path in UPLOT.parent.rglob("*") if path.is_file())
    assert data.MOST_BYTES + parts < 1_500_000


def test_the_charting_library_is_the_one_that_is_named() -> None:
    named = dict(re.findall(r"^\| (\S+) \| ([0-9a-f]{64}) \|$", (UPLOT / "ORIGIN.md").read_text(), re.M))
    assert set(named) == {path.name for path in UPLOT.iterdir()} - {"ORIGIN.md"}
    for name, digest in named.items():
        assert hashlib.sha256((UPLOT / name).read_bytes()).hexdigest() == digest
    version = re.findall(r"\(v([\d.]+)\)", (UPLOT / "uPlot.iife.min.js").read_text()[:100])
    assert f"# uPlot {version[0]}\n" in (UPLOT / "ORIGIN.md").read_text()


def test_it_goes_together_with_what_is_printed(fixtures: Path, tmp_path: Path) -> None:
    log, path = fixtures / "16.0-w2-info" / "odoo.log", tmp_path / "report.html"
    assert replayed(log, "--html", path) == replayed(log)
    assert [found.name for found in tmp_path.iterdir()] == ["report.html"]


Run = Callable[..., "subprocess.CompletedProcess[str]"]


def logparse(*arguments: str | Path, env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "logparse", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_what_cannot_be_written_is_told_before_anything_is_read(fixtures: Path, tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    log.write_bytes((fixtures / "16.0-w2-info" / "odoo.log").read_bytes())
    for path, told in (
        (log, "is one of the logs"),
        (tmp_path, "is a directory"),
        (tmp_path / "no" / "report.html", "there is no directory"),
    ):
        ran = logparse("replay", "--html", path, log)
        assert (ran.returncode, ran.stdout) == (1, "")
        assert told in ran.stderr
        assert ran.stderr.count("\n") == 1
    ran = logparse("replay", "--html", "/dev/full", log)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("logparse: /dev/full cannot be written: No space left on device")


def test_the_extra_that_is_missing_is_named(fixtures: Path, tmp_path: Path) -> None:
    (tmp_path / "jinja2.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'jinja2'\", name='jinja2')\n"
    )
    ran = logparse(
        *("replay", "--html", tmp_path / "report.html", fixtures / "16.0-w2-info" / "odoo.log"),
        env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "logparse: --html needs jinja2: install it with `pip install 'logparse[report]'`\n"


def test_ctrl_c_leaves_nothing_half_written(fixtures: Path, tmp_path: Path) -> None:
    pipe, path = tmp_path / "pipe", tmp_path / "out" / "report.html"
    path.parent.mkdir()
    os.mkfifo(pipe)
    process = subprocess.Popen(
        [sys.executable, "-m", "logparse", "replay", "--html", path, pipe],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with pipe.open("wb") as log:
        log.write((fixtures / "16.0-w2-info" / "odoo.log").read_bytes())
        log.flush()
        deadline = time.monotonic() + 20
        while not list(path.parent.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert list(path.parent.iterdir())  # it is under way
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, "", "logparse: interrupted\n")
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_percentiles_of_an_interval_are_within_5_percent(share: float) -> None:
    from logparse.out.timeline import Steps, _count, quantile

    chance = random.Random(3)
    numbers = [chance.lognormvariate(0, 2) for _ in range(2_000)]
    steps: Steps = {}
    for number in numbers:
        _count(steps, number)
    exact = sorted(numbers)[round(share * len(numbers)) - 1]
    assert quantile(steps, share) == pytest.approx(exact, rel=0.05)
