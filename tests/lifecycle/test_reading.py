"""A runner that starts, or starts again after an error, reads all unfinished jobs: old states, told anew."""

import re
from collections import Counter
from collections.abc import Callable, Iterable

import pytest

from logparse.lifecycle.event import Event, Output, QueueWait
from logparse.pipe import Pipe
from logparse.source.chunk import Chunk
from tests import recorded
from tests.lifecycle.log import DB, MASTER, RUN, W1, A, B, C, Log
from tests.odoo import CHANNELS, JOBRUNNER, uuid


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


def test_a_job_that_came_between_two_runners_is_queued() -> None:
    """The log shows all that there was before: the first one's start, and the channel's lines since."""
    log = Log()
    log.starting(-2)
    log.channel(-1.5, "pending", C)
    log.read(-1)
    log.channel(0, "pending")
    log.starting(5)
    for job in (A, B, C):
        log.channel(6, "pending", job)
    log.read(6.1)
    for job in (A, B, C):
        log.ask(7, job)
    assert [log.told(job) for job in (A, B, C)] == [["queued", "dispatched"]] * 2 + [["dispatched"]]
    assert [log.last("queued", job).evidence for job in (A, B)] == ["observed", "inferred"]
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


# Where no line tells that all is read: the runner's INFO is hidden, its channel lines are shown


def threaded(log: Log) -> int:
    message = "starting jobrunner thread (in threaded server)"
    log.write(-10, MASTER, "INFO", None, JOBRUNNER, message)
    return MASTER


def prefork(log: Log) -> int:
    log.crash(-10)
    return RUN


def run(log: Log, at: float, job: str, *, runner: int, ending: str = "done", db: str = DB) -> None:
    worker = MASTER if runner == MASTER else W1
    log.channel(at, "pending", job, pid=runner)
    log.channel(at + 1, "running", job, pid=runner)
    log.controller(at + 1.1, "started", job, pid=worker, db=db)
    if ending == "done":
        log.controller(at + 2, "done", job, pid=worker, db=db)
    else:
        log.trace(at + 2, pid=worker, db=db)
    log.channel(at + 2.1, ending, job, pid=runner)


@pytest.mark.parametrize("start", [threaded, prefork])
def test_what_was_held_is_not_told_after_what_came_later(start: Callable[[Log], int]) -> None:
    """The first job is read, or comes right after: no line tells which, so it is not `queued`."""
    log = Log()
    runner = start(log)
    for number, job in enumerate((A, B, C)):
        run(log, 10 * number, job, runner=runner)
    log.end()
    assert log.told(A) == ["started 1", "done 1"]
    assert log.told(B) == log.told(C) == ["queued", "started 1", "done 1"]
    assert [event.ts for event in log.events if event.uuid == C] == sorted(
        event.ts for event in log.events if event.uuid == C
    )
    assert log.gauges() == {}


@pytest.mark.parametrize("start", [threaded, prefork])
def test_failures_of_the_channel_are_new_once_a_job_went_on(start: Callable[[Log], int]) -> None:
    log = Log()
    runner = start(log)
    run(log, 0, A, runner=runner, ending="failed")
    log.end()
    assert log.told() == ["started 1", "failed 1"]
    assert log.last("failed").evidence == "observed"


@pytest.mark.parametrize("end", ["ask", "dead"])
def test_what_the_runner_does_when_it_has_read_ends_the_reading(end: str) -> None:
    log = Log()
    log.crash(-10)
    log.channel(0, "pending", A)
    getattr(log, end)(1, B)
    log.channel(2, "pending", C)
    log.ask(3, A)
    log.ask(3, C)
    assert log.told(A) == ["dispatched"]
    assert log.told(C) == ["queued", "dispatched"]


def test_of_two_databases_each_job_is_of_the_one_that_a_worker_names() -> None:
    log = Log()
    log.access(-20, uuid(1), db="a")
    log.access(-20, uuid(2), db="b")
    log.crash(-10)
    run(log, 0, A, runner=RUN, db="a")
    run(log, 10, B, runner=RUN, db="b")
    log.end()
    assert log.told(A, db="a") == ["started 1", "done 1"]
    assert log.told(B, db="b") == ["queued", "started 1", "done 1"]
    assert len(log.told(A)) == 2
    assert len(log.told(B)) == 3


def test_what_a_runner_read_that_was_killed_meanwhile_is_not_told_at_the_end() -> None:
    log = Log()
    log.starting(0, pid=21)
    log.channel(0.1, "pending", pid=21)
    log.starting(10)
    log.channel(10.1, "pending")
    log.read(10.2)
    log.ask(11)
    log.controller(11.1, "started")
    log.controller(12, "done")
    log.channel(12.01, "done")
    log.access(12.1)
    log.end()
    assert log.told() == ["dispatched", "started 1", "done 1"]
    assert log.gauges() == {}


def test_a_line_that_waited_for_its_database_is_told_before_the_next_of_its_job() -> None:
    log = Log()
    log.channel(0, "pending", A)
    log.ask(1, B)
    log.channel(2, "done", A)
    log.end()
    assert log.told(A) == ["queued"]
    assert log.last("queued").db == DB
    assert log.gauges() == {"enqueued": 1}


def of_jobs(outputs: Iterable[Output]) -> Counter[tuple[str, str, str | None]]:
    events = (output for output in outputs if isinstance(output, Event))
    return Counter((event.uuid, event.event, event.reason) for event in events if event.uuid)


@pytest.mark.parametrize("name", [name for name in recorded.RUNS if recorded.is_debug(name)])
def test_a_recorded_run_without_the_runners_info_tells_nothing_more(name: str) -> None:
    (data,) = recorded.texts(name).values()
    hidden = re.sub(rb"(?m)^\S+ \S+ \d+ (INFO|DEBUG) \S+ \S+\.jobrunner\.runner: .*\n", b"", data)
    assert len(hidden) < len(data)
    pipe = Pipe(recorded.patterns())
    told = [*pipe.feed(Chunk("odoo.log", 0, hidden, last=True)), *pipe.finish()]
    assert of_jobs(told) - of_jobs(recorded.outputs(name)) == Counter()


def test_what_is_said_after_a_database_was_named_is_of_another_one() -> None:
    """Two databases that are copies of each other: the second one's job waits, while the first one's runs."""
    log = Log()
    log.access(-9, B, db="one")
    log.access(-9, C, db="two")
    log.ask(0, db="one")
    log.crash(1)
    log.ready(6, "one")
    log.channel(6.1, "pending")
    log.access(7, db="one", duration=6.9)
    log.ready(8, "two")
    log.ready(8.1, None)
    log.end()
    assert log.told(db="one") == ["dispatched", "started 1", "done 1"]
    assert log.state(db="two") == "pending"
