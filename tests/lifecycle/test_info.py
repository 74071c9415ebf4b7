"""The lives of jobs as a log at INFO tells them: dispatches and answers."""

import pytest

from logparse.lifecycle.event import Ended
from logparse.lifecycle.lifecycle import Options
from logparse.out.jsonl import encode
from tests.lifecycle.log import BOOM, DB, W1, W2, A, B, Log


@pytest.fixture(params=[8, 12, 16, 19])
def log(request: pytest.FixtureRequest) -> Log:
    """A log of each style: without and with durations, with the database in the URL or not."""
    return Log(request.param)


def test_done(log: Log) -> None:
    assert [event.event for event in log.ask(0)] == ["dispatched"]
    started = log.access(1, duration=0.4)
    assert [event.event for event in started] == ["started"]
    assert log.state() == "unsettled"
    assert [event.event for event in log.end()] == ["done"]
    assert log.told() == ["dispatched", "started 1", "done 1"]
    assert log.state() == "closed"


def test_done_in_numbers() -> None:
    log = Log(16)
    log.ask(0)
    log.access(1, duration=0.4, queries=15)
    log.end()
    dispatched, started, done = log.events
    assert [event.evidence for event in log.events] == ["observed", "inferred", "inferred"]
    assert (dispatched.db, dispatched.uuid, dispatched.pid) == (DB, A, 20)
    assert (started.ts - dispatched.ts, started.wait) == (600, 0.6)
    assert (done.ts - dispatched.ts, done.duration, done.wait) == (1000, 0.4, 0.6)
    assert (done.sql_queries, done.sql_time, done.exception, done.pid) == (15, 0.1, None, W1)
    assert (started.pattern, done.pattern) == ("core.access.perf", "core.access.perf")


def test_before_odoo_12_no_duration_is_made_up() -> None:
    log = Log(8)
    log.ask(0)
    log.access(1)
    log.end()
    done = log.last("done")
    assert (done.duration, done.sql_queries, done.sql_time) == (None, None, None)


def test_failed(log: Log) -> None:
    log.ask(0)
    assert [event.event for event in log.fail(1)] == ["started", "failed"]
    failed = log.last("failed")
    assert failed.exception == BOOM.partition(":")[0]
    assert log.end() == []


@pytest.mark.parametrize("status", [400, 422, 500])
def test_user_errors_fail_too(status: int) -> None:
    log = Log(17)
    log.ask(0)
    log.fail(1, error="odoo.exceptions.UserError: no\n\nreally", status=status)
    assert log.last("failed").exception == "odoo.exceptions.UserError"


def test_retried(log: Log) -> None:
    log.ask(0)
    log.access(1)
    told = log.ask(601)
    assert [event.event for event in told] == ["retried", "dispatched"]
    log.access(602)
    log.end()
    assert log.told() == ["dispatched", "started 1", "retried 1", "dispatched", "started 2", "done 2"]


def test_retried_until_it_fails(log: Log) -> None:
    for at in (0, 10):
        log.ask(at)
        log.access(at + 1)
    log.ask(20)
    log.fail(21, error="odoo.addons.queue_job.exception.FailedJobError: Max. retries (3) reached: x")
    assert log.told()[-3:] == ["dispatched", "started 3", "failed 3"]
    assert log.last("failed").exception == "odoo.addons.queue_job.exception.FailedJobError"


# Settling


def test_an_answer_settles_on_the_logs_clock(log: Log) -> None:
    log.ask(0)
    log.access(1)
    assert "done 1" not in " ".join(log.told())
    log.tick(3600.9)
    assert log.state() == "unsettled"
    log.tick(3601)
    assert log.told()[-1] == "done 1"
    assert log.last("done").ts - log.events[0].ts == 1000  # when it happened, not when it settled


def test_a_retry_after_ten_minutes_is_a_retry(log: Log) -> None:
    log.ask(0)
    log.access(1)
    log.ask(602)
    assert log.told()[-2:] == ["retried 1", "dispatched"]


def test_a_dispatch_after_settling_is_a_requeue(log: Log) -> None:
    log.ask(0)
    log.access(1)
    log.ask(7201)
    assert log.told() == ["dispatched", "started 1", "done 1", "requeued unknown", "dispatched"]


def test_settle_is_an_option() -> None:
    log = Log(options=Options(settle=3 * 3600))
    log.ask(0)
    log.access(1)
    log.ask(7201)
    assert log.told()[-2:] == ["retried 1", "dispatched"]


def test_a_clock_that_goes_back_settles_nothing() -> None:
    log = Log()
    log.ask(10_000)
    log.access(10_001)
    log.tick(0)
    assert log.state() == "unsettled"


def test_a_run_is_counted_at_once_and_once(log: Log) -> None:
    log.ask(0)
    log.access(1)
    assert sum(isinstance(output, Ended) for output in log.outputs) == 1
    log.tick(4000)
    log.end()
    assert sum(isinstance(output, Ended) for output in log.outputs) == 1


# Back without an ending


def test_dead_and_asked_for_again(log: Log) -> None:
    log.ask(0)
    log.dead(30)
    assert log.state() == "unsettled"
    log.ask(30.001)
    log.access(31)
    log.end()
    assert log.told() == ["dispatched", "requeued dead", "dispatched", "started 1", "done 1"]
    assert log.last("requeued").evidence == "observed"


def test_dead_too_often_is_failed(log: Log) -> None:
    for at in (0, 30):
        log.ask(at)
        log.dead(at + 20)
    told = log.tick(50 + 3600)
    assert [event.event for event in told if event.uuid == A] == ["failed"]
    failed = log.last("failed")
    assert failed.exception == "odoo.addons.queue_job.exception.JobFoundDead"
    assert failed.evidence == "inferred"
    assert failed.attempt == 1
    assert log.told() == ["dispatched", "requeued dead", "dispatched", "failed 1"]


def test_dead_at_the_end_of_the_log_is_failed_if_the_dispatch_had_time() -> None:
    late, soon = Log(), Log()
    for log, more in ((late, 20), (soon, 2)):
        log.ask(0)
        log.dead(30)
        log.ask(30 + more, B)
        log.end()
    assert late.told()[-1].startswith("failed")
    assert soon.told()[-1] == "requeued dead"


def test_an_answer_lost_with_its_worker() -> None:
    """It ended with 500, which was not stored: the runner finds the job dead."""
    log = Log()
    log.trace(-1, pid=W2)  # tracebacks show in this log
    log.ask(0)
    log.access(1, status=500)
    log.dead(30)
    log.ask(30.001)
    assert log.told() == ["dispatched", "started 1", "requeued 1 dead", "dispatched"]
    assert_counted(log)


def assert_counted(log: Log) -> None:
    """The last requeue has the numbers that were counted at the answer."""
    (counted,) = (output for output in log.outputs if isinstance(output, Ended))
    told = log.last("requeued")
    assert counted.duration is not None
    assert counted.sql_queries is not None
    assert (told.duration, told.sql_queries, told.sql_time) == (
        counted.duration,
        counted.sql_queries,
        counted.sql_time,
    )
    assert told.wait == log.last("started").wait is not None


def test_an_answer_that_was_not_stored_and_is_asked_for_again_keeps_its_numbers() -> None:
    log = Log()
    log.trace(-1, pid=W2)
    log.ask(0)
    log.access(1, status=500)
    log.ask(30)
    assert log.told() == ["dispatched", "started 1", "requeued 1 unknown", "dispatched"]
    assert_counted(log)


def test_an_answered_attempt_found_dead_once_too_often_fails_with_its_numbers() -> None:
    log = Log()
    log.trace(-1, pid=W2)
    log.ask(0)
    log.access(1, status=500, duration=0.4)
    log.dead(30)
    log.ask(60, B)
    log.end()
    failed = log.last("failed")
    assert (failed.attempt, failed.duration, failed.sql_queries) == (1, 0.4, 15)
    assert failed.exception == "odoo.addons.queue_job.exception.JobFoundDead"


def test_reset(log: Log) -> None:
    log.ask(0)
    log.reset(1.01)
    log.ask(1.02)
    log.access(2)
    log.end()
    assert log.told() == ["dispatched", "requeued timeout", "dispatched", "started 1", "done 1"]


def test_a_dispatch_after_a_dispatch_is_a_requeue_that_no_line_told(log: Log) -> None:
    log.ask(0)
    log.ask(40)
    assert log.told() == ["dispatched", "requeued unknown", "dispatched"]
    assert log.last("requeued").evidence == "inferred"


def test_requeued_by_hand(log: Log) -> None:
    log.ask(0)
    log.fail(1)
    log.by_hand(100)
    log.ask(100.1)
    assert log.told()[-2:] == ["requeued manual", "dispatched"]


def test_done_and_requeued_by_hand_is_no_retry(log: Log) -> None:
    log.ask(0)
    log.access(1)
    log.by_hand(100)
    log.ask(100.1)
    assert log.told() == ["dispatched", "started 1", "done 1", "requeued manual", "dispatched"]


def test_a_failed_job_that_is_asked_for_again_was_requeued(log: Log) -> None:
    log.ask(0)
    log.fail(1)
    log.ask(50)
    assert log.told()[-2:] == ["requeued unknown", "dispatched"]


# Asked twice


def test_two_runners_at_once_are_one_dispatch(log: Log) -> None:
    log.ask(0)
    assert log.ask(0.001, pid=21) == []
    log.access(1)
    log.end()
    assert log.told() == ["dispatched", "started 1", "done 1"]


def test_the_same_runner_twice_is_two(log: Log) -> None:
    log.ask(0)
    log.ask(1.1)
    assert log.told() == ["dispatched", "requeued unknown", "dispatched"]


@pytest.mark.parametrize("how", ["state", "worker", "lock"])
def test_a_refusal_and_its_answer_are_no_attempt(how: str) -> None:
    log = Log()
    log.ask(0)
    log.reset(1.1)
    log.ask(1.2)
    log.fail(2, duration=0.5)
    log.refuse(2.1, pid=W2, how=how)
    log.access(2.2, pid=W2, queries=2)
    log.end()
    assert log.told() == [
        "dispatched",
        "requeued timeout",
        "dispatched",
        "started 1",
        "failed 1",
        "refused",
    ]


def test_a_refused_dispatch_that_is_all_there_was_is_over() -> None:
    log = Log()
    log.ask(0)
    log.refuse(1)
    log.access(1.1, queries=2)
    assert log.told() == ["dispatched", "refused"]
    assert log.gauges() == {}


def test_a_refusal_concerns_one_answer() -> None:
    log = Log()
    log.ask(0)
    log.refuse(1)
    log.access(1.1)
    log.ask(2)
    log.access(3)
    log.end()
    assert log.told()[-3:] == ["dispatched", "started 1", "done 1"]


def test_an_answer_that_is_written_twice_counts_once(log: Log) -> None:
    """Two handlers of one logger."""
    log.ask(0)
    log.fail(1)
    log.access(1, status=500)
    assert log.told() == ["dispatched", "started 1", "failed 1"]


# The head and the tail of a log


def test_a_log_that_begins_between_dispatch_and_answer(log: Log) -> None:
    log.access(1, duration=0.5)
    log.end()
    assert log.told() == ["started 1", "done 1"]


def test_a_log_that_ends_between_dispatch_and_answer(log: Log) -> None:
    log.ask(0)
    log.end()
    assert log.told() == ["dispatched"]
    assert log.gauges() == {"enqueued": 1}


def test_lines_in_the_wrong_order_by_milliseconds(log: Log) -> None:
    log.access(1, duration=0.9)
    log.ask(0.95)
    log.end()
    assert "started 1" in log.told()
    assert sum(word.startswith("done") for word in log.told()) <= 1


def test_an_answer_names_its_own_database() -> None:
    log = Log()
    log.ask(0, db="beta-17.test")
    log.access(1, db="beta-17.test")
    log.end()
    assert {event.db for event in log.events} == {"beta-17.test"}


def test_cancelled_of_odoo_12() -> None:
    log = Log(12)
    log.read(-1)
    log.channel(0, "pending")
    log.cancelled(5)
    assert log.told() == ["queued", "cancelled"]
    log.cancelled(6)
    assert log.told() == ["queued", "cancelled"]
    # Its runner kept it in the queue, and runs it all the same.
    log.ask(10)
    log.access(11)
    log.end()
    assert log.told()[2:] == ["dispatched", "started 1", "done 1"]


def test_numbers_of_hundreds_of_digits() -> None:
    """A log of JSON records may hold them: nothing marks the end of a message there."""
    log = Log()
    log.ask(0)
    log.access(1, duration=1e308, queries=10**4200)
    log.end()
    done = log.last("done")
    assert (done.duration, done.sql_time) == (2e9, 1e9)
    assert done.wait == 0.0
    assert b'"sql_queries":1000' in encode(done)
