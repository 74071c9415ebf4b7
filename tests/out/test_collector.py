"""The collector exposes every family, in formats that promtool and Prometheus' own parsers accept."""

import math
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from logparse.lifecycle.event import JOB_EVENTS, ChannelEvent, Ended, Event, Output, QueueWait, Unanswered
from logparse.out.collector import Build, FileStats, Gauges, PipeStats, QueueJobCollector, ReaderStats
from logparse.out.counts import Counts
from logparse.out.families import FAMILIES
from logparse.out.family import exposed
from logparse.out.rows import ROWS

ROOT = Path(__file__).parent.parent.parent
HOSTILE = 'a"b\\c\nd}{=,\x00\r\x1b[0m\u2028\udcff é 名 # {x="1"} 1'
CLEAN = 'a"b\\c�d}{=,���[0m�� é 名 # {x="1"} 1'
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Open(Gauges):
    """Gauges with a value for everything."""

    def open_jobs(self) -> Iterable[tuple[str | None, str | None, str, int, int]]:
        return [
            ("a", None, "dispatched", 3, 1795488979363),
            ("b", None, "dispatched", 2, 1795488979000),
            ("c", None, "dispatched", 1, 1795488980000),
            (None, HOSTILE, "unsettled", 1, 1000),
        ]

    def states(self) -> Iterable[str]:
        return ["dispatched", "unsettled"]

    def visible(self) -> Iterable[tuple[str | None, bool]]:
        return [("a", True), ("b", False)]

    def tracked_jobs(self) -> int:
        return 6

    def evicted_jobs(self) -> int:
        return 1

    def rejected(self) -> Mapping[str, int]:
        return {"forged": 2}

    def clock_skew(self) -> int:
        return 3

    def most_attempts(self) -> Iterable[tuple[str | None, str | None, int]]:
        return [("a", None, 7), (None, HOSTILE, 1)]

    def runner_wakeup(self) -> Mapping[str, int]:
        return {"s2": 65_000}

    def runner_activity(self) -> Mapping[str, int]:
        return {"": 2000, "s2": 5000, "s3": 4000}


class Readers(ReaderStats):
    """Readers with a value for everything."""

    def files(self) -> Iterable[FileStats]:
        return [
            FileStats("/var/log/odoo.log", 10, 1000, 7, 1795488979363, {"rename": 2}, 4),
            FileStats(HOSTILE),
            FileStats(HOSTILE),
        ]

    def pipe(self) -> PipeStats:
        return PipeStats({"access.perf": 5}, {"odoo.addons.queue_job.x": 6}, 7, 8, 9.5, 1, 50_000_000)


def everything() -> list[Output]:
    """Outputs that give every family a series."""
    jobs = [Event(ts=1000, event=word, db="a", attempt=2, wait=0.2) for word in JOB_EVENTS]
    words = ["runner_started", "runner_error", "worker_killed", "server_started"]
    return [
        *jobs,
        Event(ts=1, event="failed", db=HOSTILE, channel=HOSTILE, exception=HOSTILE, evidence="inferred"),
        Ended(1, "a", None, 0.3, 14, 0.06),
        QueueWait(1, "a", None, 1.5),
        Unanswered(1, "a", None, "broken"),
        *(Event(ts=3000, event=word, server="s1") for word in words),
        ChannelEvent(ts=1, event="channel_state", channel="root", server="s1", pending=3, failed=1),
        ChannelEvent(ts=1, event="channel_state", channel="root.x", server="s1", capacity=2, running=2),
    ]


def collector(outputs: Iterable[Output] = (), gauges: Gauges | None = None) -> QueueJobCollector:
    counts = Counts()
    for output in outputs:
        counts.add(output)
    return QueueJobCollector(counts, gauges, Readers(), build=Build("1.2.3", "7", "abc"))


def registry(collector: QueueJobCollector) -> CollectorRegistry:
    made = CollectorRegistry()
    made.register(collector)
    return made


def samples(metrics: Iterable[Metric]) -> Samples:
    found: Samples = {}
    for metric in metrics:
        for sample in metric.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, "a series stands twice"
            found[key] = sample.value
    return found


def value(collector: QueueJobCollector, name: str, **labels: str) -> float | None:
    return samples(collector.collect()).get((name, frozenset(labels.items())))


def promtool(exposition: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["promtool", "check", "metrics"], input=exposition, capture_output=True)


def test_every_family_has_a_source() -> None:
    assert {family.name for family in FAMILIES if family.kind != "histogram"} == set(ROWS)
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)


def test_every_family_is_exposed_while_it_is_empty() -> None:
    text = generate_latest(registry(QueueJobCollector(Counts()))).decode()
    for family in FAMILIES:
        name, kind = exposed(family), "gauge" if family.kind == "info" else family.kind
        assert f"# HELP {name} {family.help}\n# TYPE {name} {kind}\n" in text
    assert "odoo_queue_job_done_total{" not in text
    assert "_created" not in text


def test_every_family_can_have_a_series() -> None:
    metrics = list(collector(everything(), Open()).collect())
    assert [metric.name for metric in metrics if not metric.samples] == []
    for metric, family in zip(metrics, FAMILIES, strict=True):
        for sample in metric.samples:
            assert set(sample.labels) - {"le"} == set(family.labels)


def test_a_registry_knows_the_names_and_refuses_a_second_collector() -> None:
    made = registry(collector())
    with pytest.raises(ValueError, match="odoo_queue_job_done"):
        made.register(collector())
    only = made.restricted_registry(["logparse_lines_total"])
    assert {metric.name for metric in only.collect()} == {"logparse_lines"}


@pytest.mark.needs_promtool
@pytest.mark.parametrize("outputs", [[], everything()], ids=["empty", "everything"])
def test_promtool_finds_nothing_to_say(outputs: list[Output]) -> None:
    checked = promtool(generate_latest(registry(collector(outputs, Open()))))
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")


@pytest.mark.needs_promtool
def test_promtool_would_say_something() -> None:
    assert promtool(b"# TYPE x counter\nx 1\n").returncode != 0


def test_both_formats_are_read_back_as_they_were() -> None:
    told = collector(everything(), Open())
    expected = samples(told.collect())
    assert samples(parse_text(generate_latest(registry(told)).decode())) == expected
    metrics = list(parse_openmetrics(generate_openmetrics(registry(told)).decode()))
    assert samples(metrics) == expected
    units = {metric.name: metric.unit for metric in metrics}
    assert units["odoo_queue_job_run_duration_seconds"] == "seconds"
    assert units["logparse_bytes"] == "bytes"


def test_hostile_labels_are_escaped_and_without_control_characters() -> None:
    text = generate_latest(registry(collector(everything(), Open()))).decode()
    assert value(collector(everything()), "odoo_queue_job_failed_total", db=CLEAN, channel=CLEAN) == 1
    for character in "\x00\r\x1b\u2028":
        assert character not in text


@pytest.mark.needs_promtool
@given(st.text(st.characters(exclude_categories=()), min_size=1))
def test_any_label_survives(text: str) -> None:
    event = Event(ts=1, event="failed", db=text, channel=text, exception=text)
    made = registry(QueueJobCollector(counts := Counts()))
    counts.add(event)
    exposition = generate_latest(made)
    checked = promtool(exposition)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
    written = samples(made.collect())
    assert samples(parse_text(exposition.decode())) == written
    assert samples(parse_openmetrics(generate_openmetrics(made).decode())) == written
    label = counts.labels(text, text)[0]
    key = ("odoo_queue_job_failed_total", frozenset({("db", label), ("channel", label)}))
    assert written[key] == 1


seconds = st.floats(0, 20000)


ended_attempts = st.builds(
    Ended,
    ts=st.just(1),
    db=st.sampled_from("ab"),
    channel=st.none(),
    duration=seconds,
    sql_queries=st.integers(0, 10**6),
    sql_time=seconds,
)


@given(st.lists(ended_attempts))
def test_histograms_are_cumulative_and_their_last_bucket_is_the_count(ended: list[Ended]) -> None:
    for metric in collector(ended).collect():
        if metric.type != "histogram":
            continue
        for db in "ab":
            mine = [one for one in metric.samples if one.labels["db"] == db]
            expected = sum(one.db == db for one in ended) if "queue_wait" not in metric.name else 0
            buckets = [one.value for one in mine if one.name.endswith("_bucket")]
            assert buckets == sorted(buckets)
            assert all(one.value == buckets[-1] == expected for one in mine if one.name.endswith("_count"))
            assert all(one.labels["le"] == "+Inf" for one in mine[len(buckets) - 1 : len(buckets)])


def test_counters_begin_at_zero_where_the_log_can_show_them() -> None:
    told = collector([Event(ts=1, event="dispatched", db="a"), Event(ts=1, event="runner_ready", db="b")])
    for db, dispatched in (("a", 1), ("b", 0)):
        name = "odoo_queue_job_dispatched_total"
        assert value(told, name, db=db, channel="") == dispatched
        assert value(told, "odoo_queue_job_lost_total", db=db, channel="") == 0
        requeued = "odoo_queue_job_requeued_total"
        assert value(told, requeued, db=db, channel="", reason="dead") == 0
        assert value(told, requeued, db=db, channel="", reason="manual") is None
        for unproven in ("done", "queued", "cancelled", "runs"):
            assert value(told, f"odoo_queue_job_{unproven}_total", db=db, channel="") is None


def test_visible_outcomes_have_counters_at_zero() -> None:
    told = collector([Event(ts=1, event="dispatched", db=db) for db in "ab"], Open())
    for word in ("started", "done", "failed", "retried", "refused", "runs"):
        assert value(told, f"odoo_queue_job_{word}_total", db="a", channel="") == 0
        assert value(told, f"odoo_queue_job_{word}_total", db="b", channel="") is None
    assert value(told, "logparse_outcome_visible", db="a") == 1
    assert value(told, "logparse_outcome_visible", db="b") == 0


def test_jobs_by_state_with_zeros_for_states_that_can_be_shown() -> None:
    told = collector([Event(ts=1, event="dispatched", db="a")], Open())
    jobs, oldest = "odoo_queue_job_jobs", "odoo_queue_job_oldest_timestamp_seconds"
    assert value(told, jobs, db="a", channel="", state="dispatched") == 3
    assert value(told, jobs, db="a", channel="", state="unsettled") == 0
    assert value(told, jobs, db="", channel=CLEAN, state="unsettled") == 1
    assert value(told, jobs, db="a", channel="", state="pending") is None
    assert value(told, oldest, db="a", channel="", state="dispatched") == 1795488979.363
    assert value(told, oldest, db="a", channel="", state="unsettled") is None


def test_open_jobs_beyond_the_limit_are_added_up() -> None:
    counts = Counts(max_databases=0, max_servers=0)
    made = QueueJobCollector(counts, Open())
    jobs = {"db": "other", "channel": "", "state": "dispatched"}
    assert value(made, "odoo_queue_job_jobs", **jobs) == 6
    assert value(made, "odoo_queue_job_oldest_timestamp_seconds", **jobs) == 1795488979
    assert value(made, "logparse_outcome_visible", db="other") == 0
    assert value(made, "odoo_queue_job_runner_last_activity_timestamp_seconds", server="other") == 5
    for label in ("db", "server"):
        assert value(made, "logparse_label_overflow_total", label=label) == 0


def test_attempts_waking_and_what_got_no_answer() -> None:
    told = collector(everything(), Open())
    job = {"db": "a", "channel": ""}
    assert value(told, "odoo_queue_job_most_attempts", **job) == 7
    assert value(told, "odoo_queue_job_runner_wakeup_timestamp_seconds", server="s2") == 65
    assert value(told, "odoo_queue_job_unanswered_total", **job, reason="broken") == 1
    assert value(told, "odoo_queue_job_unanswered_total", **job, reason="unreached") == 0


def test_a_configuration_tells_the_capacity_of_a_channel_and_not_what_is_in_it() -> None:
    zeros = ChannelEvent(ts=1, event="channel_configured", channel="root", server="s1", capacity=2)
    root = {"db": "", "channel": "root", "server": "s1"}
    told = collector([zeros])
    assert value(told, "odoo_queue_job_channel_capacity", **root) == 2
    for number in ("pending", "running", "failed"):
        assert value(told, f"odoo_queue_job_channel_{number}", **root) is None
    told = collector([msgspec.structs.replace(zeros, event="channel_state", running=1), zeros])
    assert value(told, "odoo_queue_job_channel_running", **root) == 0


def test_channels_and_runners() -> None:
    told = collector(everything(), Open())
    root = {"db": "", "channel": "root", "server": "s1"}
    assert value(told, "odoo_queue_job_channel_capacity", **root) == math.inf
    assert value(told, "odoo_queue_job_channel_pending", **root) == 3
    assert value(told, "odoo_queue_job_channel_failed", **root) == 1
    assert value(told, "odoo_queue_job_runner_starts_total", server="s1") == 1
    assert value(told, "odoo_queue_job_runner_errors_total", server="s1") == 1
    kills = "odoo_queue_job_worker_kills_total"
    assert value(told, kills, server="s1", reason="unknown") == 1
    for reason in ("limit_time_real", "limit_time_cpu", "exception"):
        assert value(told, kills, server="s1", reason=reason) == 0
    activity = "odoo_queue_job_runner_last_activity_timestamp_seconds"
    assert [value(told, activity, server=name) for name in ("", "s1", "s2")] == [2, 3, 5]


def test_the_tool_s_own_numbers() -> None:
    told = collector(everything(), Open())
    file = "/var/log/odoo.log"
    assert value(told, "logparse_build_info", version="1.2.3", patterns="7", digest="abc") == 1
    assert value(told, "logparse_lines_total", file=file) == 10
    assert value(told, "logparse_bytes_total", file=file) == 1000
    assert value(told, "logparse_lag_bytes", file=file) == 7
    assert value(told, "logparse_lag_bytes", file=CLEAN) is None
    assert value(told, "logparse_last_record_timestamp_seconds", file=file) == 1795488979.363
    assert value(told, "logparse_rotations_total", file=file, kind="rename") == 2
    assert value(told, "logparse_lines_lost_total", file=file) == 4
    assert value(told, "logparse_facts_total", pattern="access.perf") == 5
    assert value(told, "logparse_unmatched_records_total", logger="odoo.addons.queue_job.x") == 6
    assert value(told, "logparse_truncated_records_total") == 7
    assert value(told, "logparse_decode_errors_total") == 8
    assert value(told, "logparse_snapshot_timestamp_seconds") == 9.5
    assert value(told, "logparse_snapshot_errors_total") == 1
    assert value(told, "logparse_rejected_records_total", reason="forged") == 2
    assert value(told, "logparse_clock_skew_total") == 3
    assert value(told, "logparse_tracked_jobs") == 6
    assert value(told, "logparse_evicted_jobs_total") == 1
    assert value(told, "logparse_inferred_events_total", event="failed") == 1
    assert value(told, "logparse_inferred_events_total", event="done") == 0


def test_a_scrape_beside_a_reader_is_of_one_moment() -> None:
    counts, lock, stop = Counts(), threading.Lock(), threading.Event()
    made = QueueJobCollector(counts, lock=lock)

    def read() -> None:
        number = 0
        while not stop.is_set():
            with lock:
                number += 1
                pair = {"db": f"db{number % 50}", "channel": f"root.{number % 20}"}
                counts.add(Event(ts=1, event="started", wait=1.0, **pair))
                counts.add(Ended(1, duration=1.0, sql_queries=1, sql_time=1.0, **pair))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _ in range(10):
            found = samples(made.collect())
            started = sum(n for (name, _), n in found.items() if name == "odoo_queue_job_started_total")
            runs = sum(n for (name, _), n in found.items() if name == "odoo_queue_job_runs_total")
            timed = sum(
                n for (name, _), n in found.items() if name == "odoo_queue_job_run_duration_seconds_count"
            )
            assert started == runs == timed
    finally:
        stop.set()
        reader.join()


def test_the_docs_are_those_of_the_families() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    for family in FAMILIES:
        assert f"| `{exposed(family)}` |" in page
    generate = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"]
    checked = subprocess.run(generate, capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")
