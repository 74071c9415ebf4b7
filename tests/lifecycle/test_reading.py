"""A runner that starts, or starts again after an error, reads all unfinished jobs: old states, told anew."""

from logparse.lifecycle.event import QueueWait
from tests.lifecycle.log import DB, RUN, A, B, Log
from tests.odoo import CHANNELS


def waits(log: Log) -> list[float]:
    return [output.seconds for output in log.outputs if isinstance(output, QueueWait)]


def test_a_job_that_waited_before_is_not_queued_now() -> None:
    """When it was queued, no line tells; that it waits, this one does."""
    log = Log()
    log.starting(0)
    log.channel(0.1, "pending")
    log.read(0.2)
    assert log.gauges() == {"pending": 1}
    log.channel(1, "pending", B)
    log.ask(2, A)
    log.ask(2, B)
    assert log.told(A) == ["dispatched"]
    assert log.told(B) == ["queued", "dispatched"]
    assert waits(log) == [1]


def test_a_job_that_waited_before_a_crash_is_not_queued_after_it() -> None:
    log = Log()
    log.read(-1)
    log.channel(0, "pending")
    log.crash(1)
    log.channel(6, "pending", A)
    log.channel(6, "pending", B)
    log.read(6.1)
    log.ask(7, A)
    log.ask(7, B)
    assert log.told(A) == ["queued", "dispatched"]
    assert log.told(B) == ["dispatched"]
    assert waits(log) == [7]


def test_a_job_that_was_created_and_is_heard_of_at_the_start_was_queued_when_it_was_created() -> None:
    log = Log(12)
    log.read(-10)
    log.channel(-9, "pending", B)
    log.starting(-1)
    log.created(0)
    log.channel(0.5, "pending")
    log.read(0.6)
    assert log.told() == ["queued"]
    assert log.last("queued").ts - log.last("queued", B).ts == 9000


def test_the_unknown_channel_of_an_old_job_tells_not_that_it_waits() -> None:
    """It is written of every unfinished job of such a channel: of those that wait, that run, that failed."""
    log = Log(12)
    log.starting(0)
    message = f"unknown channel root.other, using root channel for job {A}"
    log.write(0.1, RUN, "WARNING", None, CHANNELS, message)
    log.read(0.2)
    assert (log.told(), log.gauges()) == ([], {})
    log.ask(1)
    assert log.told() == ["dispatched"]
    assert log.last("dispatched").channel == "root.other"


def test_a_cancelled_job_that_waits_at_the_start_came_back_before() -> None:
    log = Log()
    log.read(-1)
    log.channel(0, "pending")
    log.channel(10, "done")
    log.crash(20)
    log.channel(25, "pending")
    log.read(26)
    log.ask(27)
    assert log.told() == ["queued", "requeued manual", "dispatched"]
    assert log.last("requeued").evidence == "inferred"
    assert log.state(A, DB) == "enqueued"
