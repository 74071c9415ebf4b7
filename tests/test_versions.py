"""The pipe on the log of every Odoo series and queue_job release, at every level and process model."""

import pytest

from logparse.lifecycle.event import Event
from logparse.pipe import Pipe
from logparse.source.chunk import Chunk
from tests import recorded
from tests.version_logs import RELEASES, Job, Log, Release, Seen, Server

ALL = [name for names in RELEASES.values() for name in names]
LEVELS = ["debug", "info", "warn"]
MODELS = ["prefork", "threaded"]


def read(log: Log) -> tuple[Pipe, list[Event]]:
    """The pipe, and the events that it tells of this log."""
    pipe = Pipe(recorded.patterns())
    out = pipe.feed(Chunk("odoo.log", 0, log.data, last=True))
    out += pipe.finish()
    return pipe, [event for event in out if isinstance(event, Event)]


def of_job(job: Job, events: list[Event]) -> list[Seen]:
    """What is told of a job, in the order in which it happened: an ending may be told later than it was."""
    events = sorted(events, key=lambda event: event.ts)
    return [
        Seen(event.event, event.attempt, event.exception, event.reason)
        for event in events
        if event.uuid == job.uuid and event.db == job.db
    ]


def check(log: Log) -> list[Event]:
    """The events are those that the log shows, no more and no less, in each job's order."""
    pipe, events = read(log)
    assert pipe.unmatched == {}
    known = {(job.db, job.uuid) for job in log.jobs}
    assert [event for event in events if event.uuid and (event.db, event.uuid) not in known] == []
    for job in log.jobs:
        expected = [seen._replace(event="done") if seen.event == "_answered" else seen for seen in job.seen]
        lines = "\n".join(line for line in log.lines if job.uuid in line)
        assert of_job(job, events) == expected, lines
    return events


def a_day(server: Server) -> None:
    """The lives that jobs have in every release."""
    release = server.release
    server.boot()
    server.done(server.run(server.create()))
    server.fail(server.run(server.create()))
    server.fail(server.run(server.create()), slow=True)
    server.fail(server.run(server.create()), "UserError")
    server.fail(server.run(server.create()), "AccessError")
    if release.series >= 19:
        server.fail(server.run(server.create()), "MissingError")
        server.fail(server.run(server.create()), "LockError")
    server.done(server.run(server.create(channel="root.sub")))
    tried = server.create()
    server.retry(server.run(tried))
    server.retry(server.run(tried), conflict=True)
    server.done(server.run(tried))
    exhausted = server.create()
    server.retry(server.run(exhausted))
    server.fail(server.run(exhausted), "max retries")
    if release.series <= 17:
        server.done(server.run(server.create()), nothing=True)
    again = server.run(server.create())
    server.fail(again)
    server.requeue(again)
    server.done(server.run(again))
    refused = server.create()
    server.done(server.run(refused))
    for kind in server.refusals:
        if kind != "lock":
            server.refuse(refused, kind)


def trouble(server: Server) -> None:
    """Workers that are busy or die, people, restarts."""
    release = server.release
    requeues = release.writes("runner.requeued_dead")
    server.boot()
    server.fail(server.run(server.create()))
    busy = server.create()
    if not requeues:
        server.ask(busy)
        server.not_taken(busy)
        server.ask(busy)
        server.not_taken(busy)
    server.done(server.run(busy))
    if requeues and server.model == "prefork":
        died = server.run(server.create())
        server.kill(died)
        server.dead(died)
        server.done(server.run(died))
        given_up = server.create()
        for _ in range(2):
            server.run(given_up)
            server.kill(given_up)
            server.dead(given_up)
        server.run(given_up)
        server.kill(given_up)
        server.dead(given_up, gives_up=True)
    if "lock" in server.refusals:
        locked = server.create()
        server.ask(locked)
        server.refuse(locked, "lock")
        server.dead(locked)
        server.done(server.run(locked))
    channel = "root.unknown" if release.writes("channels.unknown") else "root"
    server.done(server.run(server.create(channel=channel)))
    if release.writes("ctl.depends_started"):
        child = server.create(waits=True)
        server.done(server.run(server.create()))
        server.released(child)
        server.done(server.run(child))
    if release.cancelled:
        server.cancel(server.create())
    if server.level == "warn" and server.model == "threaded":
        # No line tells of a restart: a new process that is worker and runner in one, after one that was
        # seen as a runner only, looks like a worker that forges the runner's lines, and is not believed.
        return
    server.restart()
    server.done(server.run(server.create()))
    failed = server.run(server.create())
    server.fail(failed)
    waiting = server.create()
    server.restart(kill=True)
    server.done(server.run(waiting))
    server.done(server.run(server.create()))
    server.requeue(failed)
    server.done(server.run(failed))


DAYS = {"a day": a_day, "trouble": trouble}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("day", DAYS)
def test_events_are_those_that_the_log_shows(day: str, name: str, model: str, level: str) -> None:
    log = Log()
    DAYS[day](Server(log, name, model=model, level=level))
    check(log)


@pytest.mark.parametrize("name", ALL)
def test_what_no_level_but_debug_shows(name: str) -> None:
    """The lines that are not there tell nothing: what is invisible at each level, by kind of event."""
    shown: dict[str, set[str]] = {}
    for level in LEVELS:
        for day in DAYS.values():
            log = Log()
            day(Server(log, name, level=level))
            shown.setdefault(level, set()).update(event.event for event in check(log) if event.uuid)
    release = Release(name)
    always = {"queued", "dispatched", "started", "done", "failed", "retried", "requeued", "refused"}
    cancelled = {"cancelled"} if release.cancelled == "error" else set()
    queued = {"queued"} if release.writes("channels.unknown") else set()
    assert shown["debug"] == always | cancelled
    assert shown["info"] == always - {"queued"} | queued | cancelled
    back = release.writes("runner.reset_to_pending") or release.writes("runner.requeued_dead")
    assert shown["warn"] == {"started", "failed", "refused"} | queued | cancelled | (
        {"requeued"} if back else set()
    )


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", ALL)
def test_durations_are_of_the_answer_and_unknown_before_12(name: str, model: str) -> None:
    log = Log()
    server = Server(log, name, model=model)
    a_day(server)
    events = check(log)
    ends = [event for event in events if event.event in ("done", "failed", "retried")]
    assert ends
    starts = [event for event in events if event.event == "started"]
    assert all(event.uuid for event in starts)
    if server.series < 12:
        assert {event.duration for event in ends} == {None}
        assert {event.wait for event in (*starts, *ends)} == {None}
        assert {event.sql_queries for event in ends} == {None}
    else:
        durations = {job.uuid: job.duration for job in log.jobs}
        last = {event.uuid: event.duration for event in sorted(ends, key=lambda event: event.ts)}
        refused = {event.uuid for event in events if event.event == "refused"}
        assert {uuid: value for uuid, value in last.items() if uuid not in refused} == {
            job: durations[job] for job in last if job not in refused
        }
        assert all(event.wait is not None and 0 <= event.wait < 0.1 for event in starts)
    assert {event.attempt for event in ends} == {1, 2, 3}


@pytest.mark.parametrize("name", ALL)
def test_durations_at_debug_are_known_in_every_series(name: str) -> None:
    log = Log()
    a_day(Server(log, name, level="debug"))
    ends = [event for event in check(log) if event.event in ("done", "failed", "retried")]
    assert all(event.duration is not None and 0.1 < event.duration < 3 for event in ends)


def statuses(name: str) -> dict[str, str]:
    """How each failure is answered, by the last part of its class."""
    log = Log()
    server = Server(log, name)
    server.boot()
    for kind in ("ValueError", "UserError", "AccessError", "MissingError", "LockError"):
        if kind != "LockError" or server.series >= 19:
            server.fail(server.run(server.create()), kind)
    events = check(log)
    answers = [line for line in log.lines if " werkzeug: 127" in line]
    failed = [event for event in events if event.event == "failed"]
    assert len(answers) == len(failed)
    return {
        str(event.exception).rpartition(".")[2]: line.partition('" ')[2][:3]
        for event, line in zip(failed, answers, strict=True)
    }


@pytest.mark.parametrize("name", ALL)
def test_answers_to_failures(name: str) -> None:
    """The generator's statuses are those of the catalogue, and the pipe reads each as a failure."""
    series = Release(name).series
    expected = {"ValueError": "500", "UserError": "500", "AccessError": "500", "MissingError": "500"}
    if 16 <= series <= 18:
        expected |= {"UserError": "400", "AccessError": "403", "MissingError": "400"}
    elif series >= 19:
        expected |= {"UserError": "422", "AccessError": "403", "MissingError": "404", "LockError": "409"}
    assert statuses(name) == expected


NEWEST = [names[-1] for names in RELEASES.values()]
SILENCERS = ["werkzeug", "mangono"]


@pytest.mark.parametrize("level", ["debug", "info"])
@pytest.mark.parametrize("hides", SILENCERS)
@pytest.mark.parametrize("name", NEWEST)
@pytest.mark.parametrize("day", DAYS)
def test_silenced(day: str, name: str, hides: str, level: str) -> None:
    log = Log()
    DAYS[day](Server(log, name, level=level, hides=hides))
    check(log)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", [name for name in ALL if Release(name).series >= 14])
@pytest.mark.parametrize("day", DAYS)
def test_evented(day: str, name: str, level: str) -> None:
    """ODOO_QUEUE_JOB_PORT points at the gevent port: the evented process runs the jobs."""
    log = Log()
    DAYS[day](Server(log, name, model="evented", level=level))
    check(log)


@pytest.mark.parametrize("name", [name for name in ALL if Release(name).series >= 18])
def test_with_a_read_replica(name: str) -> None:
    log = Log()
    a_day(Server(log, name, replica=True))
    assert any(line.endswith(" rw") for line in log.lines)
    check(log)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", ALL)
def test_two_databases(name: str, model: str, level: str) -> None:
    log = Log()
    server = Server(log, name, model=model, level=level, databases=("prod", "beta-17.test"))
    server.boot()
    for db in server.databases:
        server.done(server.run(server.create(db)))
        server.fail(server.run(server.create(db)))
        tried = server.create(db)
        server.retry(server.run(tried))
        server.done(server.run(tried))
    first, second = (server.create(db) for db in server.databases)
    server.run(first)
    server.run(second)
    server.done(first)
    server.done(second)
    check(log)
