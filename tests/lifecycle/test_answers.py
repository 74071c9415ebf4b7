"""Answers to /runjob that are no ending of a job, or not as they seem, at INFO."""

import pytest

from tests.lifecycle.log import MASTER, W2, A, B, Log


@pytest.mark.parametrize("status", [303, 404])
def test_a_request_that_did_not_reach_queue_job(status: int) -> None:
    log = Log()
    log.ask(0)
    assert log.access(1, status=status) == []
    assert log.state() == "enqueued"


def test_an_error_without_a_database_did_not_reach_the_job() -> None:
    log = Log()
    log.ask(0)
    assert log.access(1, status=500, own_db=None) == []


def test_500_after_the_release_of_dependants_is_done() -> None:
    """17.0: the job was stored as done; another job had released those that wait for both."""
    for gives_up in (False, True):
        log = Log(17)
        log.trace(-1, pid=W2)
        log.ask(0)
        log.releases(0.8, gives_up=gives_up)
        log.access(1, status=500, duration=0.9)
        log.end()
        assert log.told() == ["dispatched", "started 1", "done 1"]


def test_500_without_a_traceback_may_not_be_stored() -> None:
    log = Log()
    log.trace(-1, pid=W2)
    log.ask(0)
    log.access(1, status=500)
    assert log.state() == "unsettled"
    log.end()
    assert log.told() == ["dispatched", "started 1", "lost 1 error answer"]


def test_500_where_no_traceback_ever_showed_is_a_failure() -> None:
    """The addon's or Odoo's log handler may leave them out."""
    log = Log()
    log.ask(0)
    log.access(1, status=500)
    assert log.told() == ["dispatched", "started 1", "failed 1"]
    assert log.last("failed").exception is None


def test_a_connection_that_broke_proves_nothing() -> None:
    log = Log()
    log.ask(0)
    assert log.get_exception(0.2, status=None) == []
    assert log.state() == "enqueued"


def test_an_error_answer_that_the_runner_saw_is_told_once() -> None:
    log = Log()
    log.ask(0)
    log.fail(0.3)
    log.get_exception(0.31)
    log.end()
    assert log.told() == ["dispatched", "started 1", "failed 1"]


def test_a_job_that_was_done_before_its_request_was_tried_again() -> None:
    """The release of dependants was given up: Odoo tries the request again, and the job is not run twice."""
    log = Log()
    log.boot()
    log.ask(0)
    log.releases(5)
    log.releases(6, gives_up=True)
    log.refuse(7)
    log.access(7.1, duration=7)
    log.end()
    assert log.told() == ["dispatched", "refused", "started 1", "done 1"]
    assert log.last("done").duration == 7


def test_a_dead_job_that_had_failed_was_not_stored_as_failed() -> None:
    """PostgreSQL was restarted: the failure could not be stored, and the job is still started there."""
    log = Log()
    log.boot()
    log.ask(0)
    log.fail(5, duration=4.9)
    log.dead(40)
    log.ask(40.1)
    log.access(41)
    log.end()
    told = ["dispatched", "started 1", "failed 1", "requeued dead", "dispatched", "started 2", "done 2"]
    assert log.told() == told
    assert log.last("requeued").evidence == "observed"


def test_executions_where_no_dispatch_is_logged() -> None:
    """The runner writes elsewhere, or an add-on takes its lines out of the log."""
    log = Log()
    log.fail(11, duration=1)
    log.fail(620, duration=3, error="KeyError: 1", pid=W2)
    assert log.told() == ["started 1", "failed 1", "started 2", "failed 2"]
    assert [event.exception for event in log.events if event.event == "failed"][1] == "KeyError"
    log.access(630, B)
    log.access(1300, B, pid=W2)
    log.end()
    assert log.told(B) == ["started 1", "retried 1", "started 2", "done 2"]


def test_two_handlers_where_no_dispatch_is_logged() -> None:
    log = Log()
    log.fail(11, duration=1)
    log.access(11, B, pid=W2)  # between the two copies
    log.access(11, A, 500, 1)
    log.access(11, B, pid=W2)
    log.end()
    assert (log.told(), log.told(B)) == (["started 1", "failed 1"], ["started 1", "done 1"])


def test_an_answer_that_comes_after_the_next_dispatch() -> None:
    """A retry without delay: the runner hears of it when it is stored, before the answer is written."""
    log = Log()
    log.boot()
    log.ask(0)
    log.controller(0.1, "started")
    log.channel(0.5, "pending")
    log.controller(0.501, "postponed")
    log.ask(0.503)
    log.access(0.508, duration=0.42)
    log.controller(0.55, "started", pid=W2)
    log.controller(1, "done", pid=W2)
    log.access(1.01, duration=0.5, pid=W2)
    log.end()
    assert log.told()[1:] == ["started 1", "retried 1", "dispatched", "started 2", "done 2"]
    assert log.last("done").duration == 0.45


def test_tracebacks_of_two_databases_in_one_process() -> None:
    log = Log()
    log.boot_threaded()
    log.ask(0, A, db="one")
    log.ask(0, B, db="two")
    log.trace(2, "ValueError: 1", db="one", pid=MASTER)
    log.trace(2.001, "KeyError: 1", db="two", pid=MASTER)
    log.access(2.01, B, 500, 1.9, db="two", pid=MASTER)
    log.access(2.02, A, 500, 1.9, db="one", pid=MASTER)
    assert [(log.last("failed", job).exception) for job in (A, B)] == ["ValueError", "KeyError"]


def test_a_job_is_cancelled_once() -> None:
    """Until 2023 the runner says so each time that it hears of the job."""
    log = Log(12)
    log.ask(0)
    log.cancelled(1)
    log.cancelled(4)
    log.access(9, duration=8.9)
    log.end()
    assert log.told() == ["dispatched", "cancelled", "started 1", "done 1"]


@pytest.mark.parametrize("series", [11, 16], ids=["no numbers", "numbers"])
def test_in_a_shared_process_a_release_of_another_job_makes_no_attempt_of_a_refusal(
    series: int,
) -> None:
    log = Log(series)
    log.boot_threaded()
    log.ask(0, B, pid=MASTER)
    log.releases(0.5, pid=MASTER)
    log.access(1, B, duration=0.9, pid=MASTER)
    log.ask(2, pid=MASTER)
    log.releases(2.01, pid=MASTER)
    log.refuse(2.02, pid=MASTER)
    log.access(2.05, duration=0.04, pid=MASTER)
    log.end()
    assert log.told() == ["dispatched", "refused"]
