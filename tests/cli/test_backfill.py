"""The verb `backfill`: whole blocks in Prometheus' storage, or none."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from logparse.out.blocks import block_hours
from logparse.out.family import SECONDS
from tests import prometheus
from tests.odoo import START_MS
from tests.skewed import skewed_log

Logparse = Callable[..., subprocess.CompletedProcess[str]]
ASKING = re.compile(r"^2026-\S+ \S+ \d+ INFO \? \S+\.runner: asking Odoo to run job ", re.MULTILINE)


@pytest.fixture
def log(fixtures: Path) -> Path:
    return fixtures / "16.0-w2-info" / "odoo.log"


def stand_in(folder: Path, script: str) -> Path:
    """A program in promtool's place."""
    program = folder / "promtool-stand-in"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


@pytest.mark.needs_promtool
def test_a_second_backfill_does_not_count_twice(logparse: Logparse, log: Path, tmp_path: Path) -> None:
    storage, text = tmp_path / "tsdb", tmp_path / "out.om"
    assert logparse("replay", "--openmetrics", text, log).returncode == 0
    for _ in range(2):
        ran = logparse("backfill", "--tsdb", storage, log)
        assert ran.returncode == 0, ran.stderr
    written = prometheus.written(text.read_text())
    samples = sum(map(len, written.values()))
    assert ran.stdout.startswith(f"{samples:,} samples (")
    assert "24 Nov 2026, 03:03:30 to 03:06:15 UTC" in ran.stdout
    assert len([path for path in storage.iterdir() if not path.name.startswith(".")]) == 2
    with prometheus.serving(storage) as url:
        end = max(at for times in written.values() for at in times) / 1000
        ((_, dispatched),) = prometheus.asked(url, "sum(odoo_queue_job_dispatched_total)", end)
        query = "sum(count_over_time(odoo_queue_job_run_duration_seconds_bucket[1h]))"
        ((_, taken),) = prometheus.asked(url, query, end)
        query = "histogram_quantile(0.95, sum by (le) (rate(odoo_queue_job_run_duration_seconds_bucket[5m])))"
        ((_, quantile),) = prometheus.asked(url, query, end)
    (database,) = json.loads(logparse("replay", "--json", log).stdout)["databases"]
    assert prometheus.in_its_bucket(database["duration"]["p95"], quantile, SECONDS)
    assert dispatched == len(ASKING.findall(log.read_text(errors="replace")))
    buckets = [times for (name, _), times in written.items() if name.endswith("run_duration_seconds_bucket")]
    assert taken == sum(map(len, buckets))


@pytest.mark.needs_promtool
def test_blocks_belong_to_whom_the_storage_belongs(logparse: Logparse, log: Path, tmp_path: Path) -> None:
    storage = tmp_path / "tsdb"
    storage.mkdir()
    if os.geteuid() == 0:
        os.chown(storage, 65534, 65534)
    ran = logparse("backfill", "--tsdb", storage, log)
    assert ran.returncode == 0, ran.stderr
    (block,) = storage.iterdir()
    owner = (storage.stat().st_uid, storage.stat().st_gid)
    paths = [block, *block.rglob("*")]
    assert len(paths) > 4
    assert {(path.stat().st_uid, path.stat().st_gid) for path in paths} == {owner}


@pytest.mark.needs_promtool
def test_blocks_of_a_long_log(logparse: Logparse, tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    log.write_bytes(skewed_log(3, jobs=40, over=5 * 3600))
    samples = {}
    for name, options, hours in (("usual", [], 2), ("long", ["--max-block-duration", "9h"], 6)):
        storage = tmp_path / name
        ran = logparse("backfill", "--step", "2m", "--tsdb", storage, *options, log)
        assert ran.returncode == 0, ran.stderr
        (storage / "wal").mkdir()
        samples[name] = prometheus.dumped(storage)
        times = {at for times in samples[name].values() for at in times}
        assert ran.stdout.count("\n") == 1 + len({at // (hours * 3_600_000) for at in times})
    assert prometheus.lines(samples["usual"]) == prometheus.lines(samples["long"])
    assert max(times) > START_MS + 4 * 3_600_000


def test_a_dozen_blocks_or_less() -> None:
    hour = 3_600_000
    assert [block_hours(hours * hour) for hours in (0, 24, 25, 24 * 30, 24 * 365)] == [2, 2, 6, 162, 1458]


def test_without_promtool(logparse: Logparse, log: Path, tmp_path: Path) -> None:
    ran = logparse("backfill", "--tsdb", tmp_path / "tsdb", "--promtool", "no-such-promtool", log)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "no-such-promtool is not there" in ran.stderr
    assert "apt-get install prometheus" in ran.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo 'err: something: no space left on device' >&2; exit 3", "promtool failed: err: something"),
        ('mkdir "$7"', "promtool took 0 of "),
        (
            'mkdir -p "$7/X"; echo \'{"ulid":"X","minTime":1,"stats":{"numSamples":7}}\' > "$7/X/meta.json"',
            "promtool took 7 of ",
        ),
    ],
)
def test_what_promtool_does_not_take_whole_is_not_put_there(
    logparse: Logparse, log: Path, tmp_path: Path, script: str, says: str
) -> None:
    storage = tmp_path / "tsdb"
    ran = logparse("backfill", "--tsdb", storage, "--promtool", stand_in(tmp_path, script), log)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert says in ran.stderr
    assert "is as it was" in ran.stderr
    assert list(storage.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "status", "says"),
    [(signal.SIGINT, 130, "logparse: interrupted\n"), (signal.SIGTERM, -15, "logparse: ended by SIGTERM\n")],
)
def test_who_is_told_to_end_leaves_nothing(
    started: Callable[..., subprocess.Popen[str]],
    log: Path,
    tmp_path: Path,
    number: signal.Signals,
    status: int,
    says: str,
) -> None:
    storage = tmp_path / "tsdb"
    program = stand_in(tmp_path, f"touch {tmp_path}/runs; exec sleep 60")
    process = started("backfill", "--tsdb", storage, "--promtool", program, log)
    for _ in range(600):
        if (tmp_path / "runs").exists():
            break
        time.sleep(0.05)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (status, says)
    assert list(storage.iterdir()) == []


def test_no_history(logparse: Logparse, tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    log.write_bytes(b"2026-11-24 03:00:00,000 7 INFO prod odoo.http: nothing about jobs \n")
    ran = logparse("backfill", "--tsdb", tmp_path / "tsdb", "--promtool", "true", log)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "no line is about a job" in ran.stderr


def test_no_such_directory(logparse: Logparse, log: Path, tmp_path: Path) -> None:
    ran = logparse("backfill", "--tsdb", tmp_path / "no" / "tsdb", "--promtool", "true", log)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "cannot be written to: No such file or directory" in ran.stderr
