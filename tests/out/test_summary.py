"""The summary against what plain searches of the same log count."""

import gzip
import math
import re
import tracemalloc
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logparse.lifecycle.event import Ended, Event, Output, QueueWait, Unanswered
from logparse.out.counts import Counts
from logparse.out.report import Database, Report
from logparse.out.summary import Summary
from logparse.pipe import Pipe
from logparse.source.chunk import Chunk

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
# A real line of the runner or of a worker: the forged ones in the fixtures are of 2020 and of pid 999.
ASKING = re.compile(
    r"^(2026-\S+ \S+) \d+ INFO \? odoo\.addons\.queue_job\.jobrunner\.runner: "
    r"asking Odoo to run job (\S+) on db (\S+)",
    re.MULTILINE,
)
ANSWER = re.compile(
    r"^(2026-\S+ \S+) (?!999 )\d+ INFO \S+ werkzeug: .*/queue_job/runjob\?db=(\S+)&job_uuid=(\S+) HTTP/1\.1\""
    r" (\d+) - (\d+) (\S+) (\S+)",
    re.MULTILINE,
)


@cache
def text_of(folder: str) -> str:
    (path,) = (FIXTURES / folder).glob("odoo.log*")
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode(errors="replace")


def summed(text: str, *, settle: bool = True, top: int = 10) -> Report:
    pipe, summary = Pipe(), Summary(top=top)
    for output in pipe.feed(Chunk("odoo.log", 0, text.encode(), last=True)):
        summary.add(output)
    for output in pipe.finish(settle=settle):
        summary.add(output)
    return summary.result(pipe, ["odoo.log"])


@cache
def report_of(folder: str) -> Report:
    return summed(text_of(folder))


def the_database(folder: str) -> Database:
    (database,) = report_of(folder).databases
    return database


def outcomes(text: str) -> Counter[str]:
    """What the answers come to: 4xx and 5xx failed; 200 was retried where the job is asked for again."""
    lines = [(m.start(), m[2], "asking") for m in ASKING.finditer(text)]
    lines += [(m.start(), m[3], m[4]) for m in ANSWER.finditer(text)]
    asked_later: set[str] = set()
    counts: Counter[str] = Counter()
    for _, uuid, what in sorted(lines, reverse=True):
        if what == "asking":
            asked_later.add(uuid)
        elif what == "200":
            counts["retried" if uuid in asked_later else "done"] += 1
        else:
            counts["failed"] += 1
    return counts


@pytest.mark.parametrize("folder", ["16.0-w2-info", "16.0-w0-info", "18.0-w2-dead-info"])
def test_events_of_a_log_at_info(folder: str) -> None:
    text, database = text_of(folder), the_database(folder)
    expected = outcomes(text)
    asked = [m[2] for m in ASKING.finditer(text)]
    dead = Counter(re.findall(r"Re-queued dead job with uuid: (\S+)", text))
    given_up = sum(1 for uuid in dead if text.rindex(uuid) == text.rindex(f"uuid: {uuid}") + 6)
    assert database.events["dispatched"] == len(asked)
    assert database.events["done"] == expected["done"]
    assert database.events["retried"] == expected["retried"]
    # "Re-queued dead job" is the last that is heard of a job that was found dead too often.
    assert database.events["failed"] == expected["failed"] + given_up
    assert database.requeued["dead"] == dead.total() - given_up
    assert database.jobs == len({m[3] for m in ANSWER.finditer(text)})
    assert database.success_rate == pytest.approx(
        expected["done"] / (expected["done"] + expected["failed"] + given_up)
    )


def test_what_info_does_not_show_is_null_and_not_zero() -> None:
    database = the_database("16.0-w2-info")
    assert database.events["queued"] is None
    assert database.events["cancelled"] is None
    assert database.queue_wait is None
    assert database.requeued["manual"] is None
    assert database.channels == []
    assert database.events["refused"] == 0
    states = {one.state: one.jobs for one in database.open}
    assert states == {"pending": None, "dispatched": 0, "unsettled": 0}


def test_durations_are_those_of_the_answers() -> None:
    text, database = text_of("16.0-w2-info"), the_database("16.0-w2-info")
    took = sorted(float(m[6]) + float(m[7]) for m in ANSWER.finditer(text))
    found = database.duration
    assert found is not None
    assert found.count == len(took)
    assert found.max == pytest.approx(took[-1], abs=0.001)
    assert found.mean == pytest.approx(sum(took) / len(took), abs=0.001)
    for share, value in ((0.5, found.p50), (0.9, found.p90), (0.95, found.p95), (0.99, found.p99)):
        exact = took[math.ceil(share * len(took)) - 1]
        assert value == pytest.approx(exact, rel=0.01, abs=0.001)


def test_the_slowest_attempts_are_named() -> None:
    text, database = text_of("16.0-w2-info"), the_database("16.0-w2-info")
    took = sorted(((round(float(m[6]) + float(m[7]), 3), m[3]) for m in ANSWER.finditer(text)), reverse=True)[
        :10
    ]
    assert [one.duration for one in database.slowest] == [duration for duration, _ in took]
    assert {one.uuid for one in database.slowest[:5]} == {uuid for _, uuid in took[:5]}
    slowest = database.slowest[0]
    assert slowest.uuid is not None
    assert slowest.uuid in text.encode()[slowest.offset :].split(b"\n", 1)[0].decode()


def test_the_jobs_that_failed_and_were_retried_most() -> None:
    text, database = text_of("16.0-w2-info"), the_database("16.0-w2-info")
    failures = Counter(m[3] for m in ANSWER.finditer(text) if m[4] != "200")
    assert sum(count > 1 for count in failures.values()) == 3  # requeued by hand, and failed again
    named = {one.uuid: one.times for one in database.most_failing}
    assert len(named) == 10
    assert all(failures[uuid or ""] == times for uuid, times in named.items())
    assert [one.times for one in database.most_failing] == sorted(failures.values(), reverse=True)[:10]
    assert all(one.exact for one in database.most_failing)
    asked = Counter(m[2] for m in ASKING.finditer(text))
    assert all(one.times < asked[one.uuid or ""] for one in database.most_retried)


def test_every_failure_is_under_one_class() -> None:
    text, database = text_of("16.0-w2-info"), the_database("16.0-w2-info")
    assert sum(one.count for one in database.exceptions) == database.events["failed"]
    traces = re.findall(
        r"^2026-\S+ \S+ \d+ ERROR \S+ odoo\.addons\.queue_job\.controllers\.main: Traceback",
        text,
        re.MULTILINE,
    )
    told = sum(one.count for one in database.exceptions if one.exception is not None)
    assert told == len(traces)
    assert [one.count for one in database.exceptions] == sorted(
        (one.count for one in database.exceptions), reverse=True
    )


def test_runner_workers_and_servers() -> None:
    text, report = text_of("16.0-w2-info"), report_of("16.0-w2-info")
    found = report.installation
    assert found.servers_started == text.count(": Odoo version 16.0")
    assert found.workers_started == len(re.findall(r"Worker Worker\w+ \(\d+\) alive", text))
    assert found.workers_stopped == len(re.findall(r"Worker \(\d+\) exiting", text))
    assert found.runner_starts == len(re.findall(r"jobrunner\.runner: starting", text))
    killed = set(re.findall(r"WorkerHTTP \((\d+)\) timeout after", text))
    assert found.worker_kills == {"limit_time_real": len(killed)}
    assert found.runner_errors == {}


def test_what_was_read() -> None:
    text, read = text_of("16.0-w2-info"), report_of("16.0-w2-info").input
    assert read.lines == text.count("\n")
    assert read.bytes == len(text.encode())
    assert read.odoo == "16.0"
    assert read.first is not None
    assert read.first[:19].replace("T", " ") == text[:19]
    assert read.files == ["odoo.log"]
    assert sum(read.rejected.values()) > 0  # text with a header in it, inside of messages


def test_debug_shows_queue_and_channels() -> None:
    text, database = text_of("16.0-w2-debug"), the_database("16.0-w2-debug")
    pending = re.findall(r"^2026-.* DEBUG \? \S+channels: job (\S+) marked pending in", text, re.MULTILINE)
    assert database.events["queued"] == len(set(pending))
    assert database.events["started"] == len(re.findall(r"<Job \S+ priority:\d+> started", text))
    assert database.events["done"] == len(re.findall(r"<Job \S+ priority:\d+> done", text))
    assert {one.channel for one in database.channels} >= {"root", "root.sub"}
    for word in ("queued", "dispatched", "started", "done", "failed"):
        assert sum(one.events.get(word, 0) for one in database.channels) == database.events[word]
    assert sum(one.runs for one in database.channels) == database.runs
    assert database.queue_wait is not None
    states = {one.state: one.jobs for one in database.open}
    assert set(states) == {"pending", "enqueued", "started", "unsettled"}
    assert states["pending"]


def test_two_databases_are_told_apart() -> None:
    text, report = text_of("18.0-w2-2db-info"), report_of("18.0-w2-2db-info")
    asked = Counter(m[3] for m in ASKING.finditer(text))
    assert {one.db: one.events["dispatched"] for one in report.databases} == dict(asked)
    assert len(asked) == 2


def test_without_answers_the_outcomes_are_null() -> None:
    database = the_database("16.0-werkzeug-silenced-info")
    assert database.events["done"] is None
    assert database.events["retried"] is None
    assert database.success_rate is None
    assert database.retry_rate is None
    assert database.duration is None
    assert database.dispatch_delay is None
    assert database.events["dispatched"] == len(ASKING.findall(text_of("16.0-werkzeug-silenced-info")))


def test_at_warning_only_failures_are_told() -> None:
    report = report_of("17.0-w2-warn")
    (database,) = report.databases
    known = {word for word, count in database.events.items() if count is not None}
    assert known <= {"started", "failed", "refused"}
    assert report.installation.runner_starts is None
    assert database.jobs is None


def test_unsettled_without_an_end() -> None:
    text = text_of("16.0-w2-info")
    (settled,), (open_end,) = summed(text).databases, summed(text, settle=False).databases
    unsettled = {one.state: one.jobs for one in open_end.open}["unsettled"]
    assert unsettled
    assert open_end.events["done"] is not None
    assert open_end.events["done"] + unsettled == settled.events["done"]
    assert open_end.runs == settled.runs


def test_inferred_events_are_counted() -> None:
    report = report_of("16.0-w2-info")
    (database,) = report.databases
    assert report.inferred["done"] == database.events["done"]
    assert report.inferred["started"] == database.events["started"]
    assert "dispatched" not in report.inferred


def test_an_empty_log() -> None:
    report = summed("")
    assert report.databases == []
    assert report.first is report.last is report.input.first is None
    assert report.installation.runner_starts is None


def test_it_is_json_and_comes_back() -> None:
    report = report_of("16.0-w2-debug")
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report


def test_text_of_the_log_cannot_break_the_json() -> None:
    uuid = "8eb07891-f7d0-4a19-8a53-3ffa1694941e"
    line = (
        "2026-11-24 03:00:18,770 2551 INFO ? odoo.addons.queue_job.jobrunner.runner: "
        f"asking Odoo to run job {uuid} on db pr\x1b]0;x\x07od\u2028\udcff "
    )
    pipe, summary = Pipe(), Summary()
    for output in pipe.feed(
        Chunk("odoo\udcff.log", 0, f"{line}\n".encode(errors="surrogateescape"), last=True)
    ):
        summary.add(output)
    report = summary.result(pipe, ["odoo\udcff.log"])
    assert msgspec.json.decode(msgspec.json.encode(report))["databases"][0]["events"]["dispatched"] == 1


def test_top_is_how_many_are_named() -> None:
    (none,) = summed(text_of("16.0-w2-info"), top=0).databases
    assert none.slowest == none.most_failing == none.most_retried == []
    (some,) = summed(text_of("16.0-w2-info"), top=3).databases
    assert len(some.slowest) == len(some.most_failing) == len(some.most_retried) == 3


def test_memory_does_not_grow_with_the_jobs() -> None:
    summary = Summary()

    def tell(jobs: range) -> None:
        for number in jobs:
            uuid = f"{number:08x}-0000-4000-8000-000000000000"
            ts, seconds = 1_795_000_000_000 + number * 100, (number % 997) / 100
            summary.add(Event(ts, "started", "prod", uuid, 1, wait=seconds))
            summary.add(Ended(ts, "prod", None, seconds, 3, 0.1))
            word = "failed" if number % 3 == 0 else "done"
            summary.add(Event(ts, word, "prod", uuid, 1, duration=seconds, exception="ValueError"))

    tracemalloc.start()
    tell(range(5_000))
    before, _ = tracemalloc.get_traced_memory()
    tell(range(5_000, 25_000))
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 20_000 * 10  # bytes a job


def test_hostile_names_are_bounded() -> None:
    summary, pipe = Summary(), Pipe()
    for number in range(3_000):
        ts = 1_795_000_000_000 + number
        db, channel = f"db{number}", f"root.c{number}"
        summary.add(Ended(ts, db, channel, 0.1, None, None))
        summary.add(Event(ts, "failed", db, f"u{number}", 1, channel=channel, exception=f"E{number}"))
        summary.add(Event(ts, "runner_error", reason=f"R{number}"))
    report = summary.result(pipe)
    assert len(report.databases) <= 101
    assert len(report.installation.runner_errors) <= 21
    assert sum(report.installation.runner_errors.values()) == 3_000
    assert sum(one.runs or 0 for one in report.databases) == 3_000


def test_first_and_last_are_of_what_was_told() -> None:
    summary = Summary()
    for ts in (5_000, 1_000, 9_000):
        summary.add(Event(ts, "dispatched", "prod", "u"))
    report = summary.result(Pipe())
    assert report.first == datetime.fromtimestamp(1, UTC).isoformat(timespec="milliseconds")
    assert report.last == datetime.fromtimestamp(9, UTC).isoformat(timespec="milliseconds")


texts = st.sampled_from([None, "a", "b", "other", "x" * 250, "root.x", "root.y"])
seconds = st.none() | st.floats(min_value=-1, max_value=1e13) | st.sampled_from([0.0004, 1.0, math.nan])
words = st.sampled_from(
    ["dispatched", "started", "done", "failed", "retried", "requeued", "lost", "runner_error"]
)
stamps = st.integers(1, 2**41)
outputs = st.one_of(
    st.builds(Ended, stamps, texts, texts, seconds, st.none(), seconds),
    st.builds(QueueWait, stamps, texts, texts, st.floats()),
    st.builds(Unanswered, stamps, texts, texts, st.just("broken")),
    st.builds(
        Event, stamps, words, texts, st.sampled_from([None, "u", "v"]), st.integers(1, 2),
        channel=texts, duration=seconds, wait=seconds, exception=texts, reason=texts,
    ),
)  # fmt: skip


@given(st.lists(st.lists(outputs, max_size=20), max_size=4), st.integers(0, 3))
def test_adding_many_at_once_is_adding_each(batches: list[list[Output]], top: int) -> None:
    limits = {"max_databases": 2, "max_channels": 2, "max_series": 3}
    together, one_by_one = (Summary(Counts(**limits), top=top) for _ in range(2))
    for batch in batches:
        together.add_all(batch)
        for output in batch:
            one_by_one.add(output)
    pipe = Pipe()
    # As text, in which every bit of a number is told, and NaN is as NaN.
    assert repr(together.result(pipe)) == repr(one_by_one.result(pipe))
    assert together.named() == one_by_one.named()
