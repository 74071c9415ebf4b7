"""`replay --openmetrics`: what Prometheus has of a log is what the replay tells of it."""

import contextlib
import json
import math
import os
import pty
import random
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from logparse.out.family import PREFIX, SECONDS
from logparse.out.sketch import ERROR
from tests import prometheus
from tests.odoo import START_MS, asking, record, uuid
from tests.skewed import skewed_log

Logparse = Callable[..., subprocess.CompletedProcess[str]]

LOGS = [
    "16.0-w2-info/odoo.log",
    "16.0-w2-debug/odoo.log.gz",
    "18.0-w2-2db-info/odoo.log.gz",
    "14.0-w0-debug/odoo.log.gz",
]


def told(ran: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert ran.returncode == 0, ran.stderr
    report: dict[str, Any] = json.loads(ran.stdout)
    return report


def last(samples: prometheus.Samples, name: str, **labels: str) -> float | None:
    """The sum of what the series with these labels (empty: without) have at last; None without any."""
    found = [
        times[max(times)]
        for (one, own), times in samples.items()
        if one == PREFIX + name and all(dict(own).get(label, "") == value for label, value in labels.items())
    ]
    return sum(found) if found else None


def last_quantile(samples: prometheus.Samples, name: str, share: float, db: str) -> float:
    """The upper bound of the bucket that holds it, at last."""
    uppers = {dict(own)["le"] for (one, own), _ in samples.items() if one == f"{PREFIX}{name}_bucket"}
    counts = {float(le): last(samples, f"{name}_bucket", db=db, le=le) or 0 for le in uppers}
    rank = math.ceil(share * counts[math.inf])
    return min(le for le, count in counts.items() if count >= rank)


@pytest.mark.needs_promtool
@pytest.mark.parametrize("log", LOGS)
def test_promtool_takes_every_sample_and_the_last_ones_are_the_summary(
    logparse: Logparse, fixtures: Path, tmp_path: Path, log: str
) -> None:
    text = tmp_path / "out.om"
    report = told(logparse("replay", "--json", "--openmetrics", text, fixtures / log))
    prometheus.blocks(text, tmp_path / "tsdb")
    samples = prometheus.dumped(tmp_path / "tsdb")

    wrote = prometheus.written(text.read_text())
    assert prometheus.lines(samples) == prometheus.lines(wrote)

    for database in report["databases"]:
        db = database["db"] or ""
        for word, count in database["events"].items():
            assert last(samples, f"{word}_total", db=db) == count, word
        for reason, count in database["requeued"].items():
            assert last(samples, "requeued_total", db=db, reason=reason) == count
        for one in database["exceptions"]:
            exception = one["exception"] or ""
            assert last(samples, "failed_by_exception_total", db=db, exception=exception) == one["count"]
        assert last(samples, "runs_total", db=db) == database["runs"]
        for measure, name in (
            ("duration", "run_duration"),
            ("dispatch_delay", "dispatch_delay"),
            ("queue_wait", "queue_wait"),
        ):
            numbers = database[measure]
            if numbers is None or not numbers["count"]:
                continue
            assert last(samples, f"{name}_seconds_count", db=db) == numbers["count"]
            for share, figure in ((0.5, "p50"), (0.95, "p95")):
                upper = last_quantile(samples, f"{name}_seconds", share, db)
                lower = max((bound for bound in SECONDS if bound < upper), default=0.0)
                assert lower * (1 - ERROR) <= numbers[figure] <= upper * (1 + ERROR), (name, figure)
            total = last(samples, f"{name}_seconds_sum", db=db)
            assert total == pytest.approx(numbers["mean"] * numbers["count"], abs=0.001 * numbers["count"])
        for state in database["open"]:
            if state["jobs"] is not None:
                assert last(samples, "jobs", db=db, state=state["state"]) == state["jobs"]
    starts = report["installation"]["runner_starts"]
    assert starts is None or last(samples, "runner_starts_total") == starts


@pytest.mark.parametrize("log", [*LOGS, "17.0-w2-warn/odoo.log", "12.0-w2-syslog/syslog.log.gz"])
def test_the_last_samples_are_the_metrics_of_the_replay(
    logparse: Logparse, fixtures: Path, tmp_path: Path, log: str
) -> None:
    text = tmp_path / "out.om"
    ran = logparse("replay", "--metrics", "--openmetrics", text, fixtures / log)
    metrics = {
        (sample.name, frozenset(pair for pair in sample.labels.items() if pair[1])): sample.value
        for family in text_string_to_metric_families(ran.stdout)
        for sample in family.samples
    }
    written = {series: times[max(times)] for series, times in prometheus.written(text.read_text()).items()}
    assert metrics == pytest.approx({name: value for name, value in written.items() if not math.isnan(value)})
    assert len(metrics) > 50


@pytest.mark.needs_promtool
@pytest.mark.parametrize("seed", [1, 2])
def test_prometheus_answers_what_the_replay_of_the_same_minutes_tells(
    logparse: Logparse, tmp_path: Path, seed: int
) -> None:
    log, text = tmp_path / "odoo.log", tmp_path / "out.om"
    log.write_bytes(skewed_log(seed))
    assert logparse("replay", "--openmetrics", text, log).returncode == 0
    prometheus.blocks(text, tmp_path / "tsdb")
    buckets = "odoo_queue_job_run_duration_seconds_bucket"
    with prometheus.serving(tmp_path / "tsdb") as url:
        for minute in (5, 10, 15, 20):
            begin, end = START_MS // 1000 + 60 * (minute - 5), START_MS // 1000 + 60 * minute
            window = ["--from", f"@{begin}", "--to", f"@{end}"]
            (database,) = told(logparse("replay", "--json", *window, log))["databases"]
            for share, figure in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99")):
                query = f"histogram_quantile({share}, sum by (le) (rate({buckets}[5m])))"
                ((_, quantile),) = prometheus.asked(url, query, end)
                found = database["duration"][figure]
                assert prometheus.in_its_bucket(found, quantile, SECONDS), (minute, figure)
            for word in ("dispatched", "started", "done"):
                name = f"odoo_queue_job_{word}_total"
                ((_, difference),) = prometheus.asked(url, f"sum({name} - ({name} offset 5m))", end)
                assert difference == database["events"][word]
                ((_, increase),) = prometheus.asked(url, f"sum(increase({name}[5m]))", end)
                assert increase == pytest.approx(difference, rel=0.1)


@pytest.mark.needs_promtool
def test_rates_of_few_jobs_at_any_time(logparse: Logparse, tmp_path: Path) -> None:
    log, text, hours = tmp_path / "odoo.log", tmp_path / "out.om", 6
    log.write_bytes(skewed_log(5, jobs=200, over=hours * 3600))
    assert logparse("replay", "--openmetrics", text, log).returncode == 0
    asked = [
        datetime.fromisoformat(event["ts"]).timestamp()
        for event in map(json.loads, logparse("events", log).stdout.splitlines())
        if event["event"] == "dispatched"
    ]
    prometheus.blocks(text, tmp_path / "tsdb")
    chance = random.Random(1)
    errors = []
    with prometheus.serving(tmp_path / "tsdb") as url:
        for _ in range(60):
            end = round(START_MS / 1000 + chance.uniform(300, hours * 3600), 3)
            ((_, increase),) = prometheus.asked(
                url, "sum(increase(odoo_queue_job_dispatched_total[5m]))", end
            )
            truly = sum(end - 300 <= time < end for time in asked)
            # A job at either end of the window may be in the one and not in the other: steps are 15 s.
            assert abs(increase - truly) <= 2.5
            errors.append(increase - truly)
    assert abs(sum(errors)) / len(errors) < 0.15  # of 3 jobs in five minutes


@pytest.mark.needs_promtool
def test_a_part_of_the_time_and_one_database(logparse: Logparse, fixtures: Path, tmp_path: Path) -> None:
    log, text = fixtures / "18.0-w2-2db-info" / "odoo.log.gz", tmp_path / "out.om"
    whole = told(logparse("replay", "--json", log))
    first = datetime.fromisoformat(whole["first"]).timestamp()
    window = ["--from", f"@{round(first) + 40}", "--to", f"@{round(first) + 70}", "--db", "acme18"]
    report = told(logparse("replay", "--json", *window, "--openmetrics", text, log))
    (database,) = report["databases"]
    samples = prometheus.written(text.read_text())
    assert {dict(own)["db"] for (_, own) in samples if "db" in dict(own)} == {"acme18"}
    times = {at for times in samples.values() for at in times}
    assert min(times) <= (round(first) + 40) * 1000 < min(times) + 15_000
    assert max(times) - 15_000 < (round(first) + 70) * 1000 <= max(times)
    for word, count in database["events"].items():
        assert last(samples, f"{word}_total", db="acme18") == count
    assert database["events"]["dispatched"] > 0


def test_counters_begin_at_0_and_gauges_are_as_they_were_known(logparse: Logparse, tmp_path: Path) -> None:
    log, text = tmp_path / "odoo.log", tmp_path / "out.om"
    log.write_bytes(
        asking(0, 20, uuid(1), "prod")
        + answer(20_000, uuid(1), 20.0)
        + asking(60_000, 20, uuid(2), "prod")
        + record(600_000, 7, "INFO", "prod", "odoo.http", "the log goes on, and nothing happens to jobs")
    )
    assert logparse("replay", "--openmetrics", text, log).returncode == 0
    samples = prometheus.written(text.read_text())

    def at(seconds: int, name: str, **labels: str) -> float | None:
        """The newest sample until then, as Prometheus looks for it."""
        found = [
            (when, value)
            for (one, own), times in samples.items()
            if one == PREFIX + name and labels.items() <= dict(own).items()
            for when, value in times.items()
            if START_MS + seconds * 1000 - 300_000 < when <= START_MS + seconds * 1000
        ]
        return max(found)[1] if found else None

    for name in ("dispatched_total", "runs_total", "done_total", "run_duration_seconds_count"):
        assert at(0, name) == 0
    # The start of the attempt is told by its end, and its success by the end of the log.
    assert [at(15, name) for name in ("dispatched_total", "started_total", "runs_total")] == [1, 1, 0]
    assert [at(30, name) for name in ("runs_total", "done_total", "failed_total")] == [1, 1, 0]
    assert at(30, "run_duration_seconds_bucket", le="30.0") == 1
    assert at(30, "run_duration_seconds_bucket", le="10.0") == 0
    assert [at(seconds, "jobs", state="dispatched") for seconds in (15, 30, 75, 600, 615)] == [1, 0, 1, 1, 1]
    assert [at(seconds, "jobs", state="unsettled") for seconds in (15, 30, 600, 615)] == [0, 1, 1, 0]
    assert at(15, "oldest_timestamp_seconds", state="dispatched") == START_MS / 1000
    assert math.isnan(at(45, "oldest_timestamp_seconds", state="dispatched") or 0)
    assert at(600, "oldest_timestamp_seconds", state="dispatched") == START_MS / 1000 + 60
    assert at(616, "jobs", state="dispatched") == 1
    assert at(920, "jobs", state="dispatched") is None  # the log is over


def test_the_end_of_a_part_is_as_it_was_then(logparse: Logparse, tmp_path: Path) -> None:
    log, text = tmp_path / "odoo.log", tmp_path / "out.om"
    log.write_bytes(
        asking(0, 20, uuid(1), "prod")
        + asking(60_000, 20, uuid(2), "prod")
        + answer(100_000, uuid(1), 100.0)
        + answer(100_001, uuid(2), 40.0)
    )
    begin = START_MS // 1000
    window = ["--from", f"@{begin + 30}", "--to", f"@{begin + 75}"]
    assert logparse("replay", "--openmetrics", text, *window, log).returncode == 0
    samples = prometheus.written(text.read_text())
    jobs = [
        times
        for (name, own), times in samples.items()
        if name == PREFIX + "jobs" and ("state", "dispatched") in own
    ]
    assert [{(at - START_MS) // 1000: value for at, value in times.items()} for times in jobs] == [
        {30: 1, 60: 1, 75: 2}
    ]
    assert last(samples, "dispatched_total") == 1


def test_what_began_before_the_log_is_counted_at_its_beginning(logparse: Logparse, tmp_path: Path) -> None:
    log, text = tmp_path / "odoo.log", tmp_path / "out.om"
    log.write_bytes(asking(0, 20, uuid(2), "prod") + answer(20_000, uuid(1), 900.0))
    assert logparse("replay", "--openmetrics", text, log).returncode == 0
    samples = prometheus.written(text.read_text())
    (started,) = [times for (name, _), times in samples.items() if name == PREFIX + "started_total"]
    assert min(started) == START_MS
    assert list(started.values())[:2] == [0, 1]


def test_labels_of_scrapes(logparse: Logparse, fixtures: Path, tmp_path: Path) -> None:
    text = tmp_path / "out.om"
    labels = ["--label", "job=odoo", "--label", 'instance=a"b\\c\nd']
    ran = logparse("replay", "--openmetrics", text, *labels, fixtures / "16.0-w2-info" / "odoo.log")
    assert ran.returncode == 0
    for _, own in prometheus.written(text.read_text()):
        assert dict(own)["job"] == "odoo"
        assert dict(own)["instance"] == r"a\"b\\c\nd"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--step", "5m"], "not from 1s to 4m"),
        (["--step", "x"], "not a duration"),
        (["--label", "job"], "not NAME=VALUE"),
        (["--label", "__a=b"], "not NAME=VALUE"),
        (["--label", "db=b"], "by themselves"),
    ],
)
def test_wrong_use(logparse: Logparse, tmp_path: Path, given: list[str], says: str) -> None:
    ran = logparse("replay", "--openmetrics", tmp_path / "out.om", *given, "odoo.log")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert says in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk(logparse: Logparse, fixtures: Path) -> None:
    ran = logparse("replay", "--openmetrics", "/dev/full", fixtures / "16.0-w2-info" / "odoo.log")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("logparse: /dev/full cannot be written: No space left on device")


def test_ctrl_c_leaves_what_was_there(
    started: Callable[..., subprocess.Popen[str]], fixtures: Path, tmp_path: Path
) -> None:
    text = tmp_path / "out.om"
    text.write_text("of yesterday")
    process = started("replay", "--openmetrics", text, "-", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write((fixtures / "16.0-w2-info" / "odoo.log").read_text(errors="replace"))
    process.stdin.flush()
    while len(list(tmp_path.iterdir())) < 2:  # what is being written
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (130, "logparse: interrupted\n")
    assert [path.name for path in tmp_path.iterdir()] == ["out.om"]
    assert text.read_text() == "of yesterday"


def test_writing_is_shown_on_a_terminal(logparse: Logparse, fixtures: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    log = fixtures / "16.0-w2-info" / "odoo.log"
    ran = logparse("replay", "--openmetrics", tmp_path / "out.om", log, stderr=theirs, env={"TERM": "xterm"})
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # all was read, and the other end is closed
        while block := os.read(ours, 65536):
            shown += block
    os.close(ours)
    assert ran.returncode == 0
    assert b"writing" in shown


def answer(ms: int, job: str, duration: float) -> bytes:
    url = f"/queue_job/runjob?db=prod&job_uuid={job}"
    message = f'127.0.0.1 - - [24/Nov/2026 03:00:00] "GET {url} HTTP/1.1" 200 -'
    return record(ms, 31, "INFO", "prod", "werkzeug", message, perf=f"9 0.001 {duration:.3f}")
