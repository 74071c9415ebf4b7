"""All ways to look at a log tell the same numbers: one pass writes them, and each is read back."""

import json
import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest

from logparse.lifecycle.event import JOB_EVENTS
from logparse.out.family import PREFIX
from logparse.out.sketch import ERROR
from tests import prometheus

ROOT = Path(__file__).parent.parent
LOGS = [
    "16.0-w2-info/odoo.log",
    "16.0-w2-debug/odoo.log.gz",
    "18.0-w2-2db-info/odoo.log.gz",
    "14.0-w0-debug/odoo.log.gz",
]
SHARES = {"p50": 0.5, "p95": 0.95}
PAGE_ERROR = 0.05

Range = tuple[float, float]


class Told(NamedTuple):
    """Of one database. counts: events by word, without those that are 0 or not visible.

    attempts: whose duration is told. quantiles: within which each percentile of the durations is.
    """

    counts: dict[str, int]
    attempts: int
    quantiles: dict[str, Range]


def of_json(report: dict[str, Any]) -> dict[str, Told]:
    return {
        one["db"]: Told(
            {word: count for word, count in one["events"].items() if count},
            one["duration"]["count"],
            {
                name: (one["duration"][name] / (1 + ERROR), one["duration"][name] / (1 - ERROR))
                for name in SHARES
            },
        )
        for one in report["databases"]
    }


def of_page(page: str) -> dict[str, Told]:
    data = json.loads(re.findall(r'id="data">(.*?)</script>', page)[0])
    counts: dict[str, Counter[str]] = {}
    steps: dict[str, Counter[int]] = {}
    for lane in data["lanes"]:
        db = lane["db"]
        counts.setdefault(db, Counter()).update(
            {word: sum(of) for word, of in lane["counts"].items() if sum(of)}
        )
        for _, *pairs in lane["run"]:
            for step, count in zip(pairs[::2], pairs[1::2], strict=True):
                steps.setdefault(db, Counter())[step] += count
    return {
        db: Told(
            dict(counts[db]),
            steps[db].total(),
            {name: within(steps[db], share, data) for name, share in SHARES.items()},
        )
        for db in counts
    }


def within(steps: Counter[int], share: float, data: dict[str, Any]) -> Range:
    left = max(1, math.ceil(share * steps.total()))
    for step in sorted(steps):
        left -= steps[step]
        if left <= 0:
            return (
                (0.0, 0.0005)
                if step == data["zero"]
                else (data["gamma"] ** (step - 1), data["gamma"] ** step)
            )
    raise AssertionError


def of_blocks(samples: prometheus.Samples) -> dict[str, Told]:
    counts: dict[str, Counter[str]] = {}
    buckets: dict[str, Counter[float]] = {}
    for (name, own), times in samples.items():
        labels, last = dict(own), times[max(times)]
        word = name.removeprefix(PREFIX).removesuffix("_total")
        if word in JOB_EVENTS and last:
            counts.setdefault(labels["db"], Counter())[word] += round(last)
        elif word == "run_duration_seconds_bucket":
            buckets.setdefault(labels["db"], Counter())[float(labels["le"])] += round(last)
    return {
        db: Told(
            dict(counts[db]),
            buckets[db][math.inf],
            {name: bucket(buckets[db], share) for name, share in SHARES.items()},
        )
        for db in counts
    }


def bucket(cumulated: Counter[float], share: float) -> Range:
    rank = math.ceil(share * cumulated[math.inf])
    upper = min(le for le, count in cumulated.items() if count >= rank)
    return max((le for le in cumulated if le < upper), default=0.0), upper


def of_traces(lines: str) -> dict[str, Told]:
    """What spans tell: the ends of attempts, and all else as their events."""
    counts: dict[str, Counter[str]] = {}
    seconds: dict[str, list[float]] = {}
    for span in spans_of(lines):
        attributes = {one["key"]: one["value"] for one in span["attributes"]}
        db = attributes["db.namespace"]["stringValue"]
        found = counts.setdefault(db, Counter())
        found.update(event["name"] for event in span.get("events", []) if event["name"] in JOB_EVENTS)
        if not span["name"].startswith("attempt "):
            continue
        found["started"] += 1
        outcome = attributes.get("odoo.job.outcome", {}).get("stringValue")
        if outcome is not None:
            found[outcome] += 1
        if outcome in ("done", "failed", "retried"):
            length = int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])
            seconds.setdefault(db, []).append(length / 1e9)
    return {
        db: Told(
            dict(counts[db]),
            len(seconds[db]),
            {name: exact(sorted(seconds[db]), share) for name, share in SHARES.items()},
        )
        for db in counts
    }


def spans_of(lines: str) -> Iterator[dict[str, Any]]:
    for line in lines.splitlines():
        for of_resource in json.loads(line)["resourceSpans"]:
            for of_scope in of_resource["scopeSpans"]:
                yield from of_scope["spans"]


def exact(seconds: list[float], share: float) -> Range:
    found = seconds[math.ceil(share * len(seconds)) - 1]
    return found - 0.0015, found + 0.0015  # the log's times are in milliseconds


COUNTED = "SELECT db, event, count(*) FROM events WHERE uuid IS NOT NULL GROUP BY ALL"
MEASURED = """
SELECT db, count(duration), quantile_disc(duration, 0.5), quantile_disc(duration, 0.95), count(started),
    count(*) FILTER (ending = 'failed')
FROM attempts GROUP BY ALL
"""


def of_tables(counted: list[tuple[Any, ...]], measured: list[tuple[Any, ...]]) -> dict[str, Told]:
    """What the answers to these two questions tell."""
    counts: dict[str, dict[str, int]] = {}
    for db, event, count in counted:
        counts.setdefault(db, {})[event] = count
    told = {}
    for db, attempts, half, most, started, failed in measured:
        assert (started, failed) == (counts[db]["started"], counts[db].get("failed", 0))
        quantiles = {"p50": (half - 0.0015, half + 0.0015), "p95": (most - 0.0015, most + 0.0015)}
        told[db] = Told(counts[db], attempts, quantiles)
    return told


def of_parquet(folder: Path) -> dict[str, Told]:
    with duckdb.connect() as connection:
        for table in ("events", "attempts"):
            connection.execute(f"CREATE VIEW {table} AS FROM read_parquet('{folder}/{table}/*/*/*.parquet')")
        return of_tables(*(connection.execute(query).fetchall() for query in (COUNTED, MEASURED)))


def of_sql(log: Path) -> dict[str, Told]:
    answers = []
    for query in (COUNTED, MEASURED):
        ran = subprocess.run(
            [sys.executable, "-m", "logparse", "sql", "--format", "json", query, log],
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
        answers.append([tuple(row.values()) for row in json.loads(ran.stdout)])
    return of_tables(*answers)


@pytest.mark.needs_promtool
@pytest.mark.parametrize("log", LOGS)
def test_page_json_blocks_tables_and_traces_agree(fixtures: Path, tmp_path: Path, log: str) -> None:
    page, text, traces = tmp_path / "report.html", tmp_path / "out.om", tmp_path / "traces.jsonl"
    tables = tmp_path / "tables"
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "logparse",
            "replay",
            "--json",
            "--parquet",
            tables,
            "--html",
            page,
            "--openmetrics",
            text,
            "--otlp",
            traces,
            fixtures / log,
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    prometheus.blocks(text, tmp_path / "tsdb")
    ways = {
        "json": of_json(json.loads(ran.stdout)),
        "page": of_page(page.read_text()),
        "blocks": of_blocks(prometheus.dumped(tmp_path / "tsdb")),
        "traces": of_traces(traces.read_text()),
        "parquet": of_parquet(tables),
        "sql": of_sql(fixtures / log),
    }
    for way, told in ways.items():
        assert told.keys() == ways["json"].keys(), way
        for db, one in told.items():
            expected = ways["json"][db]
            assert one.counts == expected.counts, way
            assert one.attempts == expected.attempts, way
            for name, (lower, upper) in one.quantiles.items():
                low, high = ways["traces"][db].quantiles[name]
                assert lower <= high, (way, name)
                assert low <= upper, (way, name)
