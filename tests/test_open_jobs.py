"""Jobs do not stay open for ever, whatever the log leaves out, in the log of every Odoo series."""

from collections import Counter

import pytest

from logparse.lifecycle.event import Event
from logparse.out.live import LiveGauges
from logparse.out.visibility import visibility
from logparse.pipe import Pipe
from logparse.source.chunk import Chunk
from tests import recorded
from tests.releases import RELEASES
from tests.version_days import a_day, trouble
from tests.version_lines import Log
from tests.version_logs import Server

NEWEST = [names[-1] for names in RELEASES.values()]
SILENCERS = ["werkzeug", "mangono"]


def feed(log: Log) -> tuple[Pipe, list[Event]]:
    """The pipe as a follower has it, before anything is settled for being the end."""
    pipe = Pipe(recorded.patterns())
    out = pipe.feed(Chunk("odoo.log", 0, log.data, last=True))
    return pipe, [event for event in out if isinstance(event, Event)]


def hours_of_jobs(name: str, *, level: str = "info", hides: str = "") -> Log:
    """Forty jobs, half of which fail, two minutes apart; then two hours of nothing but one."""
    log = Log()
    server = Server(log, name, level=level, hides=hides)
    server.boot()
    for number in range(40):
        job = server.run(server.create())
        if number % 2:
            server.fail(job)
        else:
            server.done(job)
        log.wait(120)
    log.wait(7200)
    server.fail(server.run(server.create()))
    return log


def test_where_ends_are_logged_jobs_leave_their_state_and_outcomes_are_visible() -> None:
    pipe, _ = feed(hours_of_jobs("17.0.1.5.4"))
    assert list(pipe.lifecycle.jobs.states()) == []
    assert dict(LiveGauges(pipe.lifecycle, [pipe]).visible()) == {"prod": True}
    assert visibility(pipe, {"done": 20}).blind is None


@pytest.mark.parametrize("hides", SILENCERS)
@pytest.mark.parametrize("name", NEWEST)
def test_silenced_logs_are_diagnosed_and_their_gauges_do_not_grow(name: str, hides: str) -> None:
    log = hours_of_jobs(name, hides=hides)
    pipe, events = feed(log)
    assert [event for event in events if event.event == "lost"] == []
    assert list(pipe.lifecycle.jobs.states()) == []
    assert dict(LiveGauges(pipe.lifecycle, [pipe]).visible()) == {"prod": False}
    told = Counter(event.event for event in events)
    seen = visibility(pipe, told)
    assert seen.blind is not None
    assert not seen.shows("done")
    assert not seen.shows("retried")


@pytest.mark.parametrize("name", NEWEST)
def test_at_warn_nothing_stays_open(name: str) -> None:
    log = Log()
    server = Server(log, name, level="warn")
    trouble(server)
    a_day(server)
    log.wait(7200)
    for _ in range(2):
        server.fail(server.run(server.create()))
        log.wait(120)
    pipe, events = feed(log)
    assert list(pipe.lifecycle.jobs.states()) == []
    assert [event for event in events if event.event == "lost"] == []
    assert visibility(pipe, Counter(event.event for event in events)).blind is not None


@pytest.mark.parametrize("name", NEWEST)
def test_jobs_that_a_restart_orphaned_do_not_stay_open(name: str) -> None:
    log = Log()
    server = Server(log, name)
    server.boot()
    server.done(server.run(server.create()))
    server.run(server.create(), 100)
    server.restart(kill=True)
    log.wait(7200)
    for _ in range(2):
        server.fail(server.run(server.create()))
        log.wait(120)
    pipe, events = feed(log)
    assert [event.reason for event in events if event.event == "lost"] == ["server restart"]
    assert list(pipe.lifecycle.jobs.states()) == []
