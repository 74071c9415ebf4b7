"""`replay --openmetrics`: what Prometheus has of a log is what the replay tells of it."""

import json
import math
import subprocess
from bisect import bisect_left
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from logparse.out.families import PREFIX, SECONDS
from logparse.out.sketch import ERROR
from tests import prometheus
from tests.odoo import START_MS
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


def same_bucket(quantile: float | None, seconds: float, bounds: tuple[float, ...]) -> bool:
    """Whether a figure of Prometheus is in the bucket of the figure of the replay, that has its error."""
    assert quantile is not None
    index = bisect_left(bounds, quantile)
    lower, upper = (0.0, *bounds)[index], (*bounds, math.inf)[index]
    return lower * (1 - ERROR) <= seconds <= upper * (1 + ERROR)


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
    assert repr(by_name(samples)) == repr(by_name(wrote))  # as text, in which NaN is NaN

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


def by_name(samples: prometheus.Samples) -> list[Any]:
    return sorted((name, sorted(labels), sorted(times.items())) for (name, labels), times in samples.items())


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
                assert same_bucket(database["duration"][figure], quantile, SECONDS), (minute, figure)
            for word in ("dispatched", "started", "done"):
                name = f"odoo_queue_job_{word}_total"
                ((_, difference),) = prometheus.asked(url, f"sum({name} - ({name} offset 5m))", end)
                assert difference == database["events"][word]
                ((_, increase),) = prometheus.asked(url, f"sum(increase({name}[5m]))", end)
                assert increase == pytest.approx(difference, rel=0.1)
