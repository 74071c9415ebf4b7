"""The pipe against the databases of the recorded runs: what it tells, and why it does not tell the rest."""

import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import pytest

from logparse.lifecycle.event import Event
from logparse.record.clean import clean
from logparse.record.parse import parse_header
from logparse.record.unwrap import find, open_layers
from logparse.record.wrappers.wrapper import Context
from tests import recorded
from tests.recorded import RUNS, is_debug
from tests.truth import (
    Score,
    Table,
    compare,
    impossible,
    read_history,
    read_table,
    score,
)

KNOWN = Context(year=2026)


class Mark(NamedTuple):
    """What a run must reach. duration: most seconds of the median offset."""

    f1: float
    final: float
    duration: float = 0.05


DEBUG, INFO, ALL = Mark(0.998, 0.99), Mark(0.995, 0.99), Mark(1, 1)
MARKS = {
    "12.0-qj12.0.1.1.2-w2-debug": DEBUG,
    "12.0-w2-info": INFO,
    "12.0-w2-rotate-rename": ALL,
    "12.0-w2-syslog": ALL,
    "12.0-w2-syslog-rfc3339": ALL,
    "14.0-w0-debug": ALL,
    "16.0-2servers-info": INFO,
    "16.0-json-w2-info": INFO,
    "16.0-w0-info": Mark(0.9988, 1),
    "16.0-w2-debug": Mark(0.9991, 0.992),
    "16.0-w2-info": INFO,
    "16.0-werkzeug-silenced-info": Mark(0.639, 0.159),
    "17.0-w0-pty": ALL,
    "17.0-w2-badport": ALL,
    "17.0-w2-rotate-copytruncate": ALL,
    "17.0-w2-warn": Mark(0.225, 0.2),
    "18.0-w2-2db-info": ALL,
    "18.0-w2-dead-info": Mark(0.94, 1),
    "18.0-w2-debug": ALL,
}
# An access line's duration is the request's: with what Odoo does before the job starts and after it is
# done. On a machine this busy that took longer than 50 ms; no line tells how long.
MARKS |= {
    run: MARKS[run]._replace(duration=0.1)
    for run in ("12.0-w2-rotate-rename", "16.0-w2-info", "17.0-w2-rotate-copytruncate")
}

KILLED = "the worker was killed; at INFO only the answer shows that an attempt had started"
BY_HAND = (
    "an operator set the job done while the database still held it as started, after its worker was killed"
)
DEAD = "the job killed its worker each time; JobFoundDead proves attempts, but no line tells when they began"
LEVEL = "the lines that would tell are not written at this level, or by a silenced logger"

# Every class of event that the database went through more often than the log tells: by the first eight
# digits of the job. Those of LEVEL are too many to list: how many of each class.
MISSES: dict[str, dict[str, set[tuple[str, str]]]] = {
    "12.0-qj12.0.1.1.2-w2-debug": {BY_HAND: {("done", "09e766de"), ("done", "d131211f")}},
    "12.0-w2-info": {
        KILLED: {
            ("started", "37bf00d2"),
            ("started", "b1dab1b7"),
            ("started", "d9d9f17c"),
            ("started", "f58205b2"),
        },
        BY_HAND: {("done", "37bf00d2"), ("done", "b1dab1b7")},
    },
    "16.0-2servers-info": {KILLED: {("started", "7971114e"), ("started", "85cc0056")}},
    "16.0-json-w2-info": {
        KILLED: {
            ("started", "43668237"),
            ("started", "8717575c"),
            ("started", "bee9b150"),
            ("started", "e58e9324"),
        },
        BY_HAND: {("done", "43668237"), ("done", "8717575c")},
    },
    "16.0-w0-info": {KILLED: {("started", "93ce1d8d"), ("started", "b9314586")}},
    "16.0-w2-debug": {BY_HAND: {("done", "0f266599"), ("done", "1fe855a1")}},
    "16.0-w2-info": {
        KILLED: {("started", "4182527c"), ("started", "59ef6b85"), ("started", "6ed9e562")},
        BY_HAND: {("done", "4182527c"), ("done", "6ed9e562")},
    },
    "18.0-w2-dead-info": {DEAD: {("started", "2c32cc3b"), ("started", "442863bd")}},
}
SILENT = {
    "16.0-werkzeug-silenced-info": {"started": 253, "done": 220, "failed": 3},
    "17.0-w2-warn": {"dispatched": 241, "started": 195, "done": 164, "failed": 3, "back": 28},
}


@cache
def told(run: str) -> list[Event]:
    return recorded.events(run)


@cache
def scored(run: str) -> Score:
    return score(told(run), read_history(recorded.FIXTURES / run), debug=is_debug(run))


@cache
def compared(run: str) -> Table:
    return compare(told(run), read_table(recorded.FIXTURES / run))


@cache
def log_lines(run: str) -> list[str]:
    """All lines that look like records, forged ones included."""
    data = b"\n".join(clean(text).data for text in recorded.texts(run).values())
    return [line for line in map(plain, data.split(b"\n")) if parse_header(line)]


def plain(line: bytes) -> str:
    """The line as Odoo would have written it to a file; "" where it is no record's."""
    found = find(line, KNOWN)
    opened = open_layers(line, found.layers, KNOWN) if found else None
    if not found or not opened:
        return ""
    record = found.form.read(opened.content, opened, KNOWN) if found.form else opened.content
    return (record or b"").decode(errors="replace").split("\n")[0]


@cache
def by_job(run: str) -> dict[str, list[str]]:
    lines: dict[str, list[str]] = {}
    for line in log_lines(run):
        for uuid in set(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", line)):
            lines.setdefault(uuid, []).append(line)
    return lines


def count(run: str, uuid: str, *texts: str) -> int:
    """How many lines about the job hold one of the texts."""
    return sum(any(re.search(text, line) for text in texts) for line in by_job(run).get(uuid, []))


# How many lines of a job can show each class of event: no more can be told.
SHOWN: dict[str, Callable[[str, str], int]] = {
    "dispatched": lambda run, uuid: count(run, uuid, r"runner: asking Odoo to run job"),
    "started": lambda run, uuid: max(
        count(run, uuid, r"<Job .*> started $"), count(run, uuid, r" werkzeug: .*/queue_job/runjob\?")
    ),
    "done": lambda run, uuid: max(
        count(run, uuid, r"<Job .*> done $"), count(run, uuid, r"/queue_job/runjob\?.* HTTP/1\.[01]\" 2")
    ),
    "failed": lambda run, uuid: count(
        run, uuid, r"/queue_job/runjob\?.* HTTP/1\.[01]\" [45]", r"exception in GET"
    ),
    "back": lambda run, uuid: count(
        run, uuid, r"Re-queued dead", r"was reset from", r"> postponed", r"asking"
    ),
}


@pytest.mark.parametrize("run", RUNS)
def test_reaches_its_mark(run: str) -> None:
    mark, result = MARKS[run], scored(run)
    assert result.f1 >= mark.f1
    assert result.final >= mark.final
    assert result.judged > 1


@pytest.mark.parametrize("run", RUNS)
def test_tells_nothing_that_did_not_happen(run: str) -> None:
    assert scored(run).false == []


@pytest.mark.parametrize("run", RUNS)
def test_agrees_with_the_table_at_the_end(run: str) -> None:
    table = compared(run)
    if run not in SILENT:
        # Without pids a traceback is its job's only where no other can be meant.
        least = 0.83 if "syslog" in run else 0.99
        assert table.exception is None or table.exception >= least
    assert table.duration is None or table.duration <= MARKS[run].duration
    if is_debug(run):
        assert table.channel is not None
        assert table.channel >= 0.99
    assert table.dead == table.dead_in_table


def test_durations_and_exceptions_were_compared() -> None:
    for run in RUNS:
        table = compared(run)
        old_table = run.startswith("12.0-qj")  # which has neither column
        assert (table.exception is None) == (old_table or run == "17.0-w2-badport")
        none_told = run == "17.0-w2-badport" or run in SILENT or "syslog" in run
        assert (table.duration is None) == (old_table or none_told)
    assert compared("18.0-w2-dead-info").dead == 2


@pytest.mark.parametrize("run", RUNS)
def test_every_miss_is_explained(run: str) -> None:
    missed = scored(run).missed
    if run in SILENT:
        by_kind: Counter[str] = Counter()
        for miss in missed:
            by_kind[miss.kind] += miss.database - miss.log
        assert by_kind == SILENT[run], LEVEL
    else:
        expected = {miss for misses in MISSES.get(run, {}).values() for miss in misses}
        assert {(miss.kind, miss.uuid[:8]) for miss in missed} == expected


@pytest.mark.parametrize("run", [run for run in RUNS if run in SILENT or run in MISSES])
def test_no_line_tells_what_is_missed(run: str) -> None:
    reasons = {miss: reason for reason, misses in MISSES.get(run, {}).items() for miss in misses}
    for miss in scored(run).missed:
        shown = SHOWN[miss.kind](run, miss.uuid)
        reason = LEVEL if run in SILENT else reasons[miss.kind, miss.uuid[:8]]
        if miss.kind == "started" and run in SILENT:
            # An attempt that the runner saw fail had started.
            shown = sum(event.event == "failed" and event.uuid == miss.uuid for event in told(run))
        if miss.kind == "failed":
            # Of a connection that broke, no failure follows; see test_at_warn.
            assert shown <= count(run, miss.uuid, "exception in GET")
        else:
            assert shown == miss.log, (reason, miss)


@pytest.mark.parametrize("run", [run for run in MISSES if BY_HAND in MISSES[run]])
def test_jobs_set_done_by_hand_have_killed_workers(run: str) -> None:
    rows = {row.uuid[:8]: row for row in read_table(recorded.FIXTURES / run)}
    for _, uuid in MISSES[run][BY_HAND]:
        row = rows[uuid]
        assert row.state == "done"
        # Their code kills the worker, or sleeps for longer than limit_time_real.
        assert row.method in ("job_kill_worker", "job_sleep")


@pytest.mark.parametrize("run", RUNS)
def test_where_the_last_state_is_wrong_an_event_is_missed(run: str) -> None:
    missed = {(miss.db, miss.uuid) for miss in scored(run).missed}
    assert set(scored(run).last) <= missed


def test_at_warn_every_failure_that_a_line_ties_to_its_job_is_told() -> None:
    run = "17.0-w2-warn"
    failed = {event.uuid for event in told(run) if event.event == "failed"}
    text = next(iter(recorded.texts(run).values())).decode()
    calls = re.findall(
        r"exception in GET \S+job_uuid=(\S+) \n(.*?)(?=\n\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+ [A-Z]+ )",
        text,
        re.DOTALL,
    )
    answered = {uuid for uuid, body in calls if "requests.exceptions.HTTPError: " in body}
    assert len(answered) > 40
    assert failed == answered


@pytest.mark.parametrize("run", RUNS)
def test_events_are_possible(run: str) -> None:
    assert list(impossible(told(run))) == []


@pytest.mark.parametrize("run", RUNS)
def test_an_attempt_was_dispatched_before_it_started_and_started_before_it_ended(run: str) -> None:
    dispatched: Counter[tuple[str | None, str]] = Counter()
    started: dict[tuple[str | None, str], int] = {}
    for event in told(run):
        if event.uuid is None:
            continue
        key = (event.db, event.uuid)
        if event.event == "dispatched":
            dispatched[key] += 1
        elif event.event == "started":
            assert dispatched[key] >= (event.attempt or 0) or run == "17.0-w2-warn", event
            started[key] = event.ts
        elif event.event in ("done", "failed", "retried") and key in started:
            assert started[key] <= event.ts, event


@pytest.mark.parametrize("run", RUNS)
def test_every_event_points_at_its_proof(run: str) -> None:
    texts = recorded.texts(run)
    for event in told(run):
        data = texts[event.file]
        assert event.offset == 0 or data[event.offset - 1 : event.offset] == b"\n", event
        raw = data[event.offset : data.index(b"\n", event.offset) + 1]
        header = parse_header(plain(clean(raw).data.rstrip(b"\n")))
        assert header is not None, event
        pid, message = header[1], header[5]
        if event.uuid is not None:
            assert event.uuid in message, event
            assert event.pid == pid
        else:
            assert event.pid == pid or f"({event.pid})" in message, event


def test_all_runs_are_marked() -> None:
    assert sorted(MARKS) == RUNS
    assert {*MISSES, *SILENT} == {run for run in RUNS if scored(run).missed}
