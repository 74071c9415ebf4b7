"""Whose a line is: tracebacks without uuid, lines without database, processes that cannot have written it."""

from logparse.lifecycle.lifecycle import Lifecycle, Options
from tests.lifecycle.log import BOOM, CRON, DB, EVENTED, MASTER, RUN, W1, W2, A, B, C, Log
from tests.odoo import uuid

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
    assert (log.last("queued", A).db, log.last("queued", B).db) == ("a", "b")


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


# Roles


def test_a_forged_line_of_the_runner_from_a_worker_is_rejected() -> None:
    log = Log()
    log.boot()
    assert log.ask(0, C, pid=W1) == []
    assert log.dead(0, pid=CRON) == []
    assert log.lifecycle.rejected == {"role": 2}


def test_a_forged_line_of_a_worker_from_the_runner_is_rejected() -> None:
    log = Log()
    log.boot()
    log.ask(0)
    assert log.access(1, pid=RUN) == []
    assert log.controller(1, "done", pid=RUN) == []
    assert log.lifecycle.rejected["role"] == 2
    assert log.told() == ["dispatched"]


def test_a_process_that_the_log_never_announced_is_no_worker_of_a_server_seen_whole() -> None:
    log = Log()
    log.boot()
    log.ask(0)
    assert log.controller(1, "done", pid=999) == []
    assert log.ask(1, C, pid=999) == []
    assert log.lifecycle.rejected["role"] == 2


def test_an_answer_to_what_nobody_asked_is_rejected() -> None:
    log = Log()
    log.boot()
    log.ask(0)
    assert log.access(10, C, duration=0.1) == []
    assert log.lifecycle.rejected == {"orphan": 1}


def test_an_announcement_must_be_of_its_own_process() -> None:
    log = Log()
    assert log.alive(0, W1, named=77) == []
    assert log.lifecycle.rejected == {"role": 1}


def test_a_live_process_does_not_change_its_role() -> None:
    log = Log()
    log.boot(-8)
    assert log.alive(0, RUN, "WorkerHTTP") == []
    assert log.lifecycle.rejected == {"role": 1}


def test_a_pid_may_be_given_again_when_its_process_is_gone() -> None:
    log = Log()
    log.boot()
    log.exits(0, W1)
    log.alive(100, W1, "WorkerCron")
    assert log.lifecycle.rejected == {}


def test_in_a_log_that_begins_in_the_middle_work_shows_who_is_who() -> None:
    log = Log()
    for number in range(3):
        log.ask(number, uuid(number))
        log.access(number + 0.5, uuid(number))
    assert log.ask(5, C, pid=W1) == []
    assert log.access(6, uuid(1), pid=RUN) == []
    assert log.lifecycle.rejected == {"role": 2}


# Bounds


def test_closed_jobs_go_first() -> None:
    log = Log(options=Options(max_jobs=3))
    log.ask(0, A)
    log.fail(1, A)
    for number in range(3):
        log.ask(2 + number, uuid(number))
    assert len(log.lifecycle.jobs) == 3
    assert log.state(A) is None
    assert not any(event.event == "lost" for event in log.events)
    assert log.lifecycle.jobs.evicted == 1


def test_then_the_one_that_is_longest_in_its_state_is_lost() -> None:
    log = Log(options=Options(max_jobs=3))
    for number in range(4):
        log.ask(number, uuid(number))
    assert log.told(uuid(0)) == ["dispatched", "lost evicted"]
    assert log.told(uuid(1)) == ["dispatched"]
    assert log.gauges() == {"enqueued": 3}


def test_memory_of_jobs_is_bounded() -> None:
    log = Log(options=Options(max_jobs=50))
    for number in range(500):
        log.ask(number, uuid(number))
        log.dead(number + 0.1, uuid(1000 + number))
    assert len(log.lifecycle.jobs) <= 50


# Servers


def test_servers_of_one_installation_share_jobs_not_pids() -> None:
    lifecycle = Lifecycle()
    one, two = Log(lifecycle=lifecycle, server="one"), Log(lifecycle=lifecycle, server="two")
    one.boot()
    two.boot(runner=77, workers=(RUN, 88))  # the pid of the other's runner
    one.ask(0)
    two.access(1, pid=RUN)
    assert one.told() == ["dispatched"]
    assert two.told() == ["started 1"]
    assert lifecycle.rejected == {}


def test_a_server_that_starts_tells_its_story() -> None:
    log = Log()
    log.boot()
    told = [event.event for event in log.events if event.uuid is None]
    assert told == [
        "server_started",
        *["worker_started"] * 4,
        "runner_started",
        "runner_ready",
        "runner_ready",
    ]


def test_after_a_restart_what_ran_is_lost_at_the_end() -> None:
    log = Log(12)
    log.boot()
    log.ask(-1, B)
    log.access(-0.5, B)  # answers show in this log
    log.ask(0)
    log.boot(100)
    log.end()
    assert log.told()[0] == "dispatched"
    assert log.told()[-1].startswith("lost 1")
    assert log.gauges() == {}


def test_after_a_restart_what_is_found_dead_is_requeued() -> None:
    log = Log()
    log.boot()
    log.ask(0)
    log.boot(100)
    log.dead(110)
    log.ask(110.001)
    log.end()
    assert log.told() == ["dispatched", "requeued dead", "dispatched"]


def test_a_runner_that_reads_all_jobs_anew_tells_nothing_again() -> None:
    log = Log()
    log.boot()
    log.channel(0, "pending", A)
    log.channel(0, "pending", B)
    log.ask(1, B)
    log.controller(1.1, "started", B)
    before = (log.told(A), log.told(B))
    log.crash(2)
    log.starting(7)
    log.channel(7.1, "pending", A)
    log.channel(7.1, "running", B)
    log.channel(7.1, "failed", C)
    log.ready(7.2)
    log.ready(7.3, None)
    assert (log.told(A), log.told(B)) == before
    assert not any(word.startswith(("failed", "done")) for word in log.told(C))


def test_a_shell_is_no_server() -> None:
    log = Log(17)
    log.boot()
    log.ask(0)
    count = len(log.events)
    log.version(1, pid=9232)
    log.stopping(1.5, pid=9232)
    log.version(2, pid=9300)  # a script, which does not say that it ends
    assert len(log.events) == count
    log.access(3, pid=W1)
    log.end()
    assert log.told() == ["dispatched", "started 1", "done 1"]


def test_the_evented_process_is_no_server() -> None:
    log = Log(16)
    log.boot()
    count = len(log.events)
    log.version(0, pid=EVENTED)
    log.server_says(0.5, EVENTED, "Evented Service (longpolling) running on 127.0.0.1:8072", db=None)
    assert len(log.events) == count


def test_a_worker_that_is_killed_is_told_once() -> None:
    log = Log()
    log.boot()
    log.timeout(0, W1)
    log.timeout(0.1, W1)
    killed = [event for event in log.events if event.event == "worker_killed"]
    assert [(event.pid, event.reason) for event in killed] == [(W1, "limit_time_real")]


def test_a_graceful_stop_ends_what_runs() -> None:
    log = Log()
    log.boot()
    log.ask(0)
    log.stopped(0.5)
    log.stopping(0.6)
    log.access(1)
    log.end()
    assert log.told() == ["dispatched", "started 1", "done 1"]
    assert [event.event for event in log.events if event.uuid is None][-2:] == [
        "runner_stopped",
        "server_stopped",
    ]
