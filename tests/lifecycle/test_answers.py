"""Answers to /runjob that are no ending of a job, at INFO."""

import pytest

from tests.lifecycle.log import W2, Log


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
