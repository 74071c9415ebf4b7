"""Answers to /runjob that are no ending of a job, or not as they seem, at INFO."""

import pytest

from tests.lifecycle.log import W2, A, B, Log


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
    told = ["dispatched", "started 1", "failed 1", "requeued 1 dead", "dispatched", "started 2", "done 2"]
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
