"""The lives of jobs as a log at DEBUG tells them: queued, started and endings are lines of their own."""

import pytest

from logparse.lifecycle.event import QueueWait
from tests.lifecycle.log import BOOM, DB, RUN, W1, W2, A, B, Log


def run(log: Log, at: float = 0, job: str = A, *, channel: str = "root") -> None:
    """A job is queued, dispatched and started."""
    log.read(at - 5)
    log.channel(at, "pending", job, channel=channel)
    log.channel(at + 1, "running", job, channel=channel)
    log.ask(at + 1.001, job)
    log.controller(at + 1.1, "started", job)


def test_done() -> None:
    log = Log(18)
    run(log)
    log.controller(2, "done")
    log.channel(2.001, "done")
    told = log.access(2.05, duration=0.95)
    assert [event.event for event in told] == ["done"]
    assert log.told() == ["queued", "dispatched", "started 1", "done 1"]
    assert {event.evidence for event in log.events if event.uuid} == {"observed"}
    done = log.last("done")
    assert (done.duration, done.wait, done.sql_queries) == (0.9, 0.099, 15)
    assert done.pattern == "ctl.done"
    assert log.gauges() == {}


def test_queued_to_dispatched_is_measured_once() -> None:
    log = Log()
    run(log)
    log.controller(2, "postponed")
    log.access(2.01)
    log.channel(2.02, "pending")
    log.ask(10)
    waits = [output for output in log.outputs if isinstance(output, QueueWait)]
    assert [wait.seconds for wait in waits] == [1.001]


def test_done_without_an_answer_is_told_after_a_moment() -> None:
    """The answer's line is silenced, or lost with the server."""
    log = Log()
    run(log)
    log.controller(2, "done")
    log.tick(3.9)
    assert log.told()[-1] == "started 1"
    log.tick(4.1)
    assert log.told()[-1] == "done 1"


def test_retried() -> None:
    log = Log()
    run(log)
    log.controller(2, "postponed")
    log.access(2.01)
    log.channel(2.02, "pending")
    assert log.told() == ["queued", "dispatched", "started 1", "retried 1"]
    log.ask(600)
    log.controller(600.1, "started")
    log.controller(601, "done")
    log.access(601.1)
    assert log.told()[4:] == ["dispatched", "started 2", "done 2"]


def test_a_conflict_is_one_retry() -> None:
    log = Log()
    run(log)
    log.controller(2, "OperationalError, postponed")
    log.controller(2.001, "postponed")
    log.access(2.01)
    log.channel(2.02, "pending")
    log.ask(10)
    assert log.told()[2:] == ["started 1", "retried 1", "dispatched"]


def test_a_conflict_of_odoo_11_is_one_line() -> None:
    log = Log(11)
    run(log)
    log.controller(2, "OperationalError, postponed")
    log.access(2.01)
    log.ask(10)
    assert log.told()[2:] == ["started 1", "retried 1", "dispatched"]


def test_the_runners_notice_may_come_first() -> None:
    """`marked pending` before the worker's `postponed`: no requeue by hand."""
    log = Log()
    run(log)
    log.channel(1.99, "pending")
    log.controller(2, "postponed")
    log.access(2.01)
    log.ask(10)
    assert log.told()[2:] == ["started 1", "retried 1", "dispatched"]


def test_failed() -> None:
    log = Log()
    run(log)
    log.trace(2)
    log.channel(2.01, "failed")
    log.access(2.05, status=500, duration=0.95)
    log.channel(2.06, "failed")
    assert log.told() == ["queued", "dispatched", "started 1", "failed 1"]
    failed = log.last("failed")
    assert (failed.exception, failed.evidence) == (BOOM.partition(":")[0], "observed")


def test_the_channel_of_a_job_is_its_deepest() -> None:
    log = Log()
    run(log, channel="root.sub")
    log.channel(1.2, "running", channel="root")
    log.controller(2, "done")
    log.access(2.1)
    assert log.last("done").channel == "root.sub"


def test_the_states_of_the_gauge() -> None:
    log = Log()
    log.read(-1)
    log.channel(0, "pending")
    assert log.gauges() == {"pending": 1}
    log.ask(1)
    assert log.gauges() == {"enqueued": 1}
    log.controller(1.1, "started")
    assert log.gauges() == {"started": 1}
    log.controller(2, "done")
    assert log.gauges() == {"unsettled": 1}
    log.access(2.1)
    assert log.gauges() == {}


# Back without an ending


def test_pending_without_an_ending_is_by_hand() -> None:
    log = Log()
    run(log)
    log.channel(5, "pending")
    log.tick(8)
    assert log.told()[-1] == "requeued 1 manual"
    assert log.last("requeued").evidence == "observed"


def test_a_done_job_that_is_pending_again_is_by_hand() -> None:
    log = Log()
    run(log)
    log.controller(2, "done")
    log.access(2.1)
    log.channel(100, "pending")
    log.ask(100.1)
    assert log.told()[-3:] == ["done 1", "requeued manual", "dispatched"]


def test_dead_and_pending_is_requeued() -> None:
    log = Log()
    run(log)
    log.dead(30)
    log.channel(30.1, "pending")
    assert log.told()[-1] == "requeued 1 dead"


def test_pending_and_dead_is_requeued_once() -> None:
    log = Log()
    run(log)
    log.channel(30, "pending")
    log.dead(30.001)
    log.ask(30.1)
    assert log.told()[-2:] == ["requeued 1 dead", "dispatched"]


def test_dead_and_failed_in_its_channel_is_failed() -> None:
    log = Log()
    run(log)
    log.dead(30)
    log.channel(30.1, "failed")
    failed = log.last("failed")
    assert log.told()[-1] == "failed 1"
    assert (failed.exception, failed.evidence) == (
        "odoo.addons.queue_job.exception.JobFoundDead",
        "observed",
    )


def test_an_answer_that_was_sent_and_never_stored() -> None:
    """The traceback comes before the commit: `marked failed` follows where it was stored, DEAD where not."""
    stored, not_stored = Log(), Log()
    for log in (stored, not_stored):
        log.trace(-1, pid=W2)
        run(log)
        log.access(2, status=500)
    stored.channel(2.1, "failed")
    not_stored.dead(40)
    not_stored.ask(40.1)
    assert stored.told()[-1] == "failed 1"
    assert not_stored.told()[-2:] == ["requeued 1 dead", "dispatched"]


# Said before it is true, or after


def test_created_and_heard_of() -> None:
    """`enqueued … with uuid` is written before the commit; the runner hears of what was committed."""
    log = Log(12)
    log.read(-1)
    log.channel(-0.5, "pending", B)  # channel lines show in this log
    log.created(0)
    assert log.told() == []
    log.channel(1, "pending")
    assert log.told() == ["queued"]
    assert log.last("queued").ts - log.last("queued", B).ts == 500


def test_created_where_the_runner_tells_nothing() -> None:
    log = Log(12)
    log.created(0)
    assert log.told() == ["queued"]
    log.created(0)
    assert log.told() == ["queued"]


def test_created_and_rolled_back_is_never_told() -> None:
    log = Log(12)
    log.read(-1)
    log.channel(-0.5, "pending", B)
    log.created(0)
    log.tick(100)
    log.end()
    assert log.told() == []


def test_done_in_the_channel_alone_is_no_done() -> None:
    """It is also written when somebody cancels a job, or sets it done."""
    log = Log()
    log.read(-1)
    log.channel(0, "pending")
    log.channel(1, "done")
    log.end()
    assert log.told() == ["queued"]
    assert log.gauges() == {}


def test_done_in_the_channel_settles_an_answer() -> None:
    log = Log()
    log.read(-1)
    log.channel(0, "pending")
    log.ask(1)
    log.access(2)
    assert log.state() == "unsettled"
    log.channel(2.1, "done")
    assert log.told()[-1] == "done 1"
    assert log.last("done").evidence == "observed"


def test_a_channels_lines_say_nothing_of_starts() -> None:
    log = Log()
    log.channel(0, "running")
    log.channel(0, "running", channel="root.sub")
    assert log.told() == []


def test_a_job_of_17_that_was_done_although_its_answer_is_500() -> None:
    log = Log(17)
    log.trace(-1, pid=W2)
    run(log)
    log.controller(2, "done")
    log.releases(2.01)
    log.access(3, status=500)
    assert log.told()[-1] == "done 1"


def test_a_second_start_ends_what_was_unsettled() -> None:
    log = Log()
    run(log)
    log.access(2, duration=0.9)
    log.controller(3, "started")
    log.end()
    told = log.told()
    assert told.count("started 1") == told.count("started 2") == 1


# The cron runner: no dispatch, no request


CRON_LOGGER = "odoo.addons.queue_job_cron_jobrunner.models.queue_job"


def cron(log: Log, at: float, message: str, trace: str = "", level: str = "DEBUG") -> None:
    log.write(at, 40, level, DB, CRON_LOGGER, message, trace=trace)


def test_cron_runner_done() -> None:
    log = Log(18)
    cron(log, 0, f"{A} started")
    cron(log, 1, f"<Job {A}, priority:10> enqueue depends done")
    assert log.told() == ["started 1", "done 1"]
    assert log.last("done").duration == 1


def test_cron_runner_failed() -> None:
    log = Log(18)
    cron(log, 0, f"{A} started")
    cron(log, 1, f"Traceback (most recent call last):\n{BOOM}\n", level="ERROR")
    cron(log, 1.1, f"<Job {A}, priority:10> enqueue depends done")
    assert log.told() == ["started 1", "failed 1"]
    assert log.last("failed").exception == BOOM.partition(":")[0]


def test_cron_runner_retried() -> None:
    log = Log(18)
    cron(log, 0, f"{A} started")
    cron(log, 1, f"<Job {A}, priority:10> postponed")
    cron(log, 1.1, f"<Job {A}, priority:10> enqueue depends done")
    cron(log, 600, f"{A} started")
    assert log.told() == ["started 1", "retried 1", "started 2"]


@pytest.mark.parametrize("pid", [RUN, W1])
def test_only_a_cron_worker_runs_jobs_for_the_cron_runner(pid: int) -> None:
    log = Log(18)
    log.boot()
    log.write(0, pid, "DEBUG", DB, CRON_LOGGER, f"{A} started")
    assert log.told() == []
    assert log.lifecycle.rejected == {"role": 1}
