"""A server's clock that is set back while a job runs: what took less than no time took an unknown time."""

import pytest

from logparse.lifecycle.answer import duration_of
from logparse.match.fact import Fact
from logparse.record.record import Record
from tests.lifecycle.log import DB, W1, A, B, Log

HOUR = 3600.0


def answer(log: Log, at: float, seconds: str, *, status: int = 200, job: str = A) -> None:
    """seconds: in SQL and elsewhere, as PerfFilter writes them (odoo/netsvc.py)."""
    request = f"GET /queue_job/runjob?db={DB}&job_uuid={job} HTTP/1.1"
    message = f'127.0.0.1 - - [24/Nov/2026 03:00:00] "{request}" {status} -'
    log.write(at, W1, "INFO", DB, "werkzeug", message, perf=f"13 {seconds}")


@pytest.mark.parametrize(
    ("numbers", "duration", "sql"),
    [
        ("0.010 0.500", 0.51, 0.01),
        ("0.510 -0.010", 0.5, 0.51),
        ("0.010 -0.000", 0.01, 0.01),
        ("-0.000 -0.000", 0.0, 0.0),
        ("0.000 -0.001", 0.0, 0.0),
        ("-0.001 0.000", 0.0, 0.0),
        ("0.010 -0.500", None, 0.01),
        ("-3599.000 0.500", None, None),
        ("-3599.000 3600.000", 1.0, None),
        ("0.010 -99999999999999999999.000", None, 0.01),
    ],
)
def test_seconds_are_never_less_than_0(numbers: str, duration: float | None, sql: float | None) -> None:
    log = Log()
    log.ask(0)
    answer(log, 5, numbers)
    log.end()
    assert log.told() == ["dispatched", "started 1", "done 1"]
    done = log.last("done")
    assert (done.duration, done.sql_time) == (duration, sql)
    assert "-0.0" not in f"{done.duration} {done.sql_time}"
    if duration is None:
        # Nothing tells how long the job waited, either.
        assert (log.last("started").wait, done.wait) == (None, None)


def test_the_traceback_before_the_answer_is_the_jobs_where_both_seem_older_than_the_dispatch() -> None:
    log = Log()
    log.ask(0)
    log.trace(5 - HOUR, "ValueError: boom")
    answer(log, 5.1 - HOUR, "0.010 -3594.900", status=500)
    assert log.told() == ["dispatched", "started 1", "failed 1"]
    failed = log.last("failed")
    assert (failed.exception, failed.duration, failed.sql_time) == ("ValueError", None, 0.01)
    # The next attempt of the process has nothing to do with it.
    log.ask(10 - HOUR, B)
    answer(log, 11 - HOUR, "0.010 0.490", status=500, job=B)
    log.end()
    assert log.told(B) == ["dispatched", "started 1", "lost 1 error answer"]


def test_the_time_since_an_observed_start_is_unknown_too() -> None:
    log = Log()
    log.ask(0)
    log.controller(0.1, "started")
    log.trace(5 - HOUR, "ValueError: boom")
    answer(log, 5.1 - HOUR, "0.010 -3594.900", status=500)
    log.end()
    assert log.told() == ["dispatched", "started 1", "failed 1"]
    assert (log.last("failed").exception, log.last("failed").duration) == ("ValueError", None)


@pytest.mark.parametrize("word", ["done", "postponed"])
def test_the_time_between_two_lines_is_unknown_where_the_clock_was_set_back(word: str) -> None:
    log = Log()
    log.ask(0)
    log.controller(0.1, "started")
    log.controller(5 - HOUR, word)
    log.end()
    assert log.events[-1].duration is None
    log.controller(10 - HOUR, "started", B)
    log.controller(10 - HOUR - 0.02, word, B)  # two processes, whose lines change places
    log.end()
    assert log.events[-1].duration == 0


@pytest.mark.parametrize(
    ("told", "duration"), [("0.065123", 0.065123), ("-0.000012", 0.0), ("-3599.500000", None)]
)
def test_the_seconds_that_stand_alone_are_never_less_than_0(told: str, duration: float | None) -> None:
    """As a pattern of the user's own may find them, or the evented port's."""
    record = Record(0, 7, "INFO", DB, "mine", "", "", "odoo.log", 0, None)
    fact = Fact("mine", "attempt_ended", "implies", A, DB, {"status": "200", "seconds": told}, record)
    assert duration_of(fact) == duration
