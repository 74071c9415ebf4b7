"""The pipe on the log of every Odoo series and queue_job release, at every level and process model."""

import pytest

from logparse.lifecycle.event import Event
from logparse.pipe import Pipe
from logparse.source.chunk import Chunk
from tests import recorded
from tests.releases import RELEASES, Release
from tests.runnerless_logs import CronRunner, Polling
from tests.version_days import DAYS, a_day
from tests.version_lines import Job, Log, Seen
from tests.version_logs import Server

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


def check(log: Log, *, ordered: bool = True) -> list[Event]:
    """The events are those that the log shows, no more and no less; ordered: in each job's order."""
    pipe, events = read(log)
    assert pipe.unmatched == {}
    known = {(job.db, job.uuid) for job in log.jobs}
    assert [event for event in events if event.uuid and (event.db, event.uuid) not in known] == []
    for job in log.jobs:
        expected = [seen._replace(event="done") if seen.event == "_answered" else seen for seen in job.seen]
        lines = "\n".join(line for line in log.lines if job.uuid in line)
        told = of_job(job, events)
        if ordered:
            assert told == expected, lines
        else:
            assert sorted(told, key=repr) == sorted(expected, key=repr), lines
    return events


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


def simple_lives(server: Server) -> None:
    """What a job can go through where nothing but the worker itself is logged."""
    server.boot()
    for db in server.databases:
        server.done(server.run(server.create(db)))
        server.fail(server.run(server.create(db)))
        tried = server.create(db)
        server.retry(server.run(tried))
        server.retry(server.run(tried), conflict=True)
        server.done(server.run(tried))
        server.fail(server.run(server.create(db)), "UserError")
    server.done(server.run(server.create()))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("databases", [("prod",), ("prod", "beta")])
@pytest.mark.parametrize("series", [7, 8])
def test_polling_workers(series: int, databases: tuple[str, ...], level: str) -> None:
    log = Log()
    simple_lives(Polling(log, f"{series}.0.3.3.0", level=level, databases=databases))
    events = check(log)
    assert bool([event for event in events if event.uuid]) == (level == "debug")


def test_polling_workers_of_two_databases_run_at_the_same_time() -> None:
    log = Log()
    server = Polling(log, "8.0.3.3.0", level="debug", databases=("prod", "beta"))
    server.boot()
    first, second = (server.run(server.create(db)) for db in server.databases)
    server.fail(first)
    server.done(second)
    check(log)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("tells_end", [True, False])
@pytest.mark.parametrize("series", range(14, 19))
def test_cron_runner(series: int, tells_end: bool, level: str) -> None:
    log = Log()
    server = CronRunner(log, RELEASES[series][-1], level=level)
    server.tells_end = tells_end
    simple_lives(server)
    if not tells_end and level == "debug":
        last = log.jobs[-1].seen
        assert last.pop().event == "done"  # no job follows, so no line shows that it has ended
    events = check(log)
    assert bool([event for event in events if event.uuid]) == (level == "debug")
    assert all(event.event != "dispatched" for event in events)


def two_servers(name: str, level: str = "info") -> tuple[Log, Server, Server]:
    log = Log()
    first = Server(log, name, level=level)
    second = Server(log, name, level=level, pid=5000)
    second.leads = not first.release.writes("runner.master_lost")
    first.boot()
    second.boot()
    return log, first, second


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", [name for name in ALL if not Release(name).writes("runner.master_lost")])
def test_two_runners_without_an_election_both_ask(name: str, level: str) -> None:
    """One dispatch takes effect; the other server's worker refuses the job, or is never asked."""
    log, first, second = two_servers(name, level)
    for _ in range(3):
        job = first.create()
        first.ask(job)
        seen = list(job.seen)
        second.log.wait(0.005)
        second.line("runner.asking", job.uuid, job.db, pid=second.runner)
        job.seen = seen
        first.start(job)
        second.refuse(job, first.refusals[0])
        first.log.wait(0.1)
        first.done(job)
    check(log, ordered=False)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", [name for name in ALL if Release(name).writes("runner.master_lost")])
def test_the_runner_that_lost_the_election_stands_by(name: str, level: str) -> None:
    log, first, second = two_servers(name, level)
    first.done(first.run(first.create()))
    second.line("runner.master_lost", "could not acquire master runner lock on prod", 5, pid=second.runner)
    first.stop()
    second.leads = True
    second.read_databases()
    second.done(second.run(second.create()))
    events = check(log)
    standby = [event.pid for event in events if event.event == "runner_standby"]
    assert standby == ([second.runner] * 2 if level == "debug" else [])
    ready = [event.pid for event in events if event.event == "runner_ready" and event.db]
    assert ready == ([first.runner, second.runner] if level != "warn" else [])


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ALL)
def test_clones_share_uuids(name: str, level: str) -> None:
    """A database and its copy, on two servers (one server with both crash-loops): each has its own jobs."""
    log = Log()
    first = Server(log, name, level=level, databases=("prod",))
    second = Server(log, name, level=level, databases=("copy",), pid=5000)
    first.boot()
    second.boot()
    uuid = "00000001-2222-4222-8222-000000000001"
    job = first.create(uuid=uuid)
    first.done(first.run(job))
    second.fail(second.run(second.create(uuid=uuid)))
    check(log)
