"""Whose a line is: tracebacks without uuid, lines without database, processes that cannot have written it."""

from tests.lifecycle.log import BOOM, DB, MASTER, W1, W2, A, B, Log

NAME = BOOM.partition(":")[0]
OTHER = "odoo.addons.x.models.y.Other: text"


# Tracebacks


def test_a_traceback_is_of_the_next_answer_of_its_process() -> None:
    log = Log()
    log.ask(0, A)
    log.ask(0.001, B)
    log.trace(0.5, BOOM, pid=W1)
    log.trace(0.6, OTHER, pid=W2)
    log.access(0.7, B, 500, 0.5, pid=W2)
    log.access(0.8, A, 500, 0.5, pid=W1)
    assert log.last("failed", A).exception == NAME
    assert log.last("failed", B).exception == OTHER.partition(":")[0]


def test_a_traceback_before_an_answer_of_200_is_nobodys() -> None:
    log = Log()
    log.ask(0)
    log.trace(0.5)
    log.access(1, status=200)
    log.ask(2, B)
    log.access(3, B, 500, 0.5)
    log.end()
    assert log.told() == ["dispatched", "started 1", "done 1"]
    assert not any(word.startswith("failed") for word in log.told(B))


def test_a_traceback_older_than_the_attempt_is_not_its_own() -> None:
    log = Log()
    log.trace(0)
    log.ask(10)
    log.access(11, A, 500, 0.5)
    assert not any(word.startswith("failed") for word in log.told())


def test_of_a_chain_the_last_exception_counts() -> None:
    log = Log()
    log.ask(0)
    text = f"{OTHER}\n\nDuring handling of the above exception, another exception occurred:\n\n"
    frames = 'Traceback (most recent call last):\n  File "/opt/a.py", line 1, in f\n    …\n'
    log.fail(1, error=text + frames + BOOM)
    assert log.last("failed").exception == NAME


def test_threaded_the_exception_is_told_where_it_is_certain() -> None:
    log = Log()
    log.boot_threaded()
    log.ask(0, pid=MASTER)
    log.fail(1, pid=MASTER, duration=0.5)
    assert log.last("failed").exception == NAME


def test_threaded_two_at_once_are_not_told_apart() -> None:
    log = Log()
    log.boot_threaded()
    log.ask(0, A, pid=MASTER)
    log.ask(0.001, B, pid=MASTER)
    log.trace(0.5, BOOM, pid=MASTER)
    log.trace(0.6, OTHER, pid=MASTER)
    log.access(0.7, A, 500, 0.6, pid=MASTER)
    assert log.told(A)[-1] == "failed 1"
    assert log.last("failed", A).exception is None


def test_threaded_two_of_one_class_are_certain() -> None:
    log = Log()
    log.boot_threaded()
    log.ask(0, A, pid=MASTER)
    log.ask(0.001, B, pid=MASTER)
    log.trace(0.5, BOOM, pid=MASTER)
    log.trace(0.6, BOOM, pid=MASTER)
    log.access(0.7, A, 500, 0.6, pid=MASTER)
    log.access(0.8, B, 500, 0.6, pid=MASTER)
    assert log.last("failed", A).exception == log.last("failed", B).exception == NAME


# Logs without answers


def test_at_warning_the_runners_error_and_the_traceback_tell_a_failure() -> None:
    log = Log(17)
    log.trace(0)
    log.get_exception(0.05)
    assert log.told() == ["started 1", "failed 1"]
    assert log.last("failed").exception == NAME


def test_at_warning_the_next_job_may_have_failed_before_the_runner_saw_the_first() -> None:
    log = Log(17)
    log.trace(0.321, BOOM)
    log.trace(0.401, OTHER)
    log.get_exception(0.408, A)
    log.get_exception(0.446, B)
    assert log.told(A) == log.told(B) == ["started 1", "failed 1"]
    assert log.last("failed", A).exception is None  # either
    assert log.last("failed", B).exception == OTHER.partition(":")[0]


def test_at_warning_a_connection_that_broke_is_no_failure() -> None:
    log = Log(17)
    log.trace(0)
    log.get_exception(0.05, status=None)
    assert log.told() == []


def test_at_warning_an_error_without_a_traceback_is_not_told() -> None:
    log = Log(17)
    log.get_exception(0.05)
    assert log.told() == []


def test_at_debug_without_answers_the_channel_tells_the_failure() -> None:
    log = Log(17)
    log.read(-1)
    log.channel(0, "pending")
    log.controller(1, "started")
    log.trace(2)
    log.channel(2.01, "failed")
    assert log.told() == ["queued", "started 1", "failed 1"]
    failed = log.last("failed")
    assert (failed.exception, failed.duration) == (NAME, 1.01)


# Databases


def test_a_line_without_a_database_waits_for_one_that_names_it() -> None:
    log = Log()
    assert log.dead(0) == []
    assert [event.event for event in log.ask(0.001)] == ["requeued", "dispatched"]
    assert {event.db for event in log.events} == {DB}


def test_the_only_database_of_a_log_is_every_lines() -> None:
    log = Log()
    log.read(0)
    log.channel(1, "pending")
    assert log.last("queued").db == DB


def test_of_two_databases_none_is_guessed() -> None:
    log = Log()
    log.ready(0, "a")
    log.ready(0, "b")
    log.ready(0, None)
    log.channel(1, "pending")
    assert log.told() == []
    log.ask(2, db="b")
    assert log.told(db="b") == ["queued", "dispatched"]
    assert log.told(db="a") == []


def test_what_a_runner_reads_is_of_the_database_that_it_names_next() -> None:
    log = Log()
    log.starting(0)
    log.channel(0.1, "pending", A)
    log.ready(0.2, "a")
    log.channel(0.3, "pending", B)
    log.ready(0.4, "b")
    log.ready(0.5, None)
    assert (log.state(A, "a"), log.state(B, "b")) == ("pending", "pending")
    assert (log.state(A, "b"), log.state(B, "a")) == (None, None)


def test_at_the_end_what_still_waits_has_no_database() -> None:
    log = Log()
    log.ready(0, "a")
    log.ready(0, "b")
    log.ready(0, None)
    log.channel(1, "pending")
    log.end()
    assert log.last("queued").db is None


def test_cloned_databases_share_uuids() -> None:
    log = Log()
    for db in ("a", "b"):
        log.ask(0, db=db)
    log.access(1, db="a")
    log.access(1.1, db="b", status=500, own_db="b", pid=W2)
    log.end()
    assert log.told(db="a") == ["dispatched", "started 1", "done 1"]
    assert log.told(db="b") == ["dispatched", "started 1", "failed 1"]


def test_of_clones_the_one_that_is_under_way() -> None:
    log = Log()
    log.ask(0, db="a")
    log.fail(1)  # of another database: no matter
    log.access(1, db="a", status=200)
    log.ask(4000, db="b")
    log.dead(4030)
    log.ask(4030.001, db="b")
    assert log.told(db="b") == ["dispatched", "requeued dead", "dispatched"]
