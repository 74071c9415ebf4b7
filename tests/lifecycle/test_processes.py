"""Which process may have written a line, how many jobs are remembered, and what restarts and kills tell."""

import pytest

from logparse.lifecycle.lifecycle import Lifecycle, Options
from tests.lifecycle.log import CRON, DB, EVENTED, RUN, W1, W2, A, B, C, Log
from tests.odoo import uuid

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


def test_a_restart_loses_no_job_that_another_server_may_run() -> None:
    """A dispatch does not say which server takes it up, where a proxy hands it to any of them."""
    lifecycle = Lifecycle()
    jobs, web = Log(12, lifecycle=lifecycle, server="jobs"), Log(12, lifecycle=lifecycle, server="web")
    jobs.boot()
    web.boot(runner=77)
    jobs.ask(-1, B)
    web.access(-0.5, B, pid=W2)
    jobs.ask(0)
    jobs.boot(100)
    web.access(4000, duration=3999.9, pid=W1)
    web.end()
    assert (jobs.told(), web.told()) == (["dispatched"], ["started 1", "done 1"])


def test_a_job_that_started_is_of_the_server_that_runs_it() -> None:
    lifecycle = Lifecycle()
    jobs, web = Log(12, lifecycle=lifecycle, server="jobs"), Log(12, lifecycle=lifecycle, server="web")
    jobs.boot()
    web.boot(runner=77)
    jobs.ask(0)
    web.controller(0.1, "started")
    jobs.boot(100)
    web.end()
    assert (jobs.told(), web.told()) == (["dispatched"], ["started 1"])
    web.boot(200, runner=78)
    web.end()
    assert web.told() == ["started 1", "lost 1 server restart"]


def answered(log: Log, at: float, pid: int, number: int) -> None:
    """A worker runs another job."""
    log.ask(at, uuid(number))
    log.access(at + 1, uuid(number), 200, 0.5, pid=pid)


@pytest.mark.parametrize("exits", [True, False], ids=["it says so", "killed"])
def test_a_worker_and_the_one_that_replaces_it_are_not_all(exits: bool) -> None:
    """Odoo's master starts a worker where one has ended (limit_request), whose pid is another one."""
    log = Log(15)
    log.boot()
    log.ask(0)
    answered(log, 10, W2, 100)
    if exits:
        log.exits(12, W2)
    log.alive(13, 99)
    answered(log, 20, 99, 101)
    log.tick(300)
    assert log.told() == ["dispatched"]
    log.access(310, duration=309.9)
    log.end()
    assert log.told() == ["dispatched", "started 1", "done 1"]


def test_workers_that_are_replaced_all_the_time_keep_their_places() -> None:
    """One ends after each job (limit_memory_soft) and says so: the place is free of what was asked before."""
    log = Log(15)
    log.boot()
    log.ask(0)
    log.alive(5, 99)  # in place of the one that ran it, and was killed without a line
    pid = W2
    for number in range(4):
        answered(log, 10 + 10 * number, pid, 100 + number)
        log.exits(12 + 10 * number, pid)
        pid = 200 + number
        log.alive(13 + 10 * number, pid)
    log.tick(200)
    assert log.told() == ["dispatched"]  # the one in the other place may run it
    answered(log, 210, 99, 110)
    log.tick(300)
    assert log.told() == ["dispatched", "lost 1 worker gone"]


@pytest.mark.parametrize("other", ["of another database", "that stopped"])
def test_a_server_that_cannot_have_the_job_does_not_keep_it(other: str) -> None:
    lifecycle = Lifecycle()
    one, two = Log(12, lifecycle=lifecycle, server="one"), Log(12, lifecycle=lifecycle, server="two")
    one.boot(-50)
    two.boot(-50, runner=77)
    db = "else" if other == "of another database" else DB
    two.ask(-20, C, db=db, pid=77)
    two.access(-19, C, db=db)
    if other == "that stopped":
        two.stopping(-10)
    one.ask(-9, B)
    one.access(-8, B)
    one.ask(0)
    one.boot(100)
    one.end()
    assert one.told()[-1] == "lost 1 server restart"


def test_where_each_worker_answered_another_job_none_runs_this_one() -> None:
    log = Log(15)
    log.boot()
    log.ask(0)
    log.alive(5, 99)  # in place of the one that ran it, and was killed without a line
    answered(log, 10, W2, 100)
    answered(log, 20, 99, 101)
    log.tick(300)
    assert log.told() == ["dispatched", "lost 1 worker gone"]


def test_a_job_whose_worker_was_killed_is_not_lost_by_a_restart() -> None:
    log = Log(12)
    log.boot()
    log.ask(0)
    log.controller(0.1, "started")
    log.timeout(120, W1)
    log.end()
    assert log.told() == ["dispatched", "started 1", "lost 1 worker gone"]


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
