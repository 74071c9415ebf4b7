"""The spans of a job's trace, from the lines that a log has of it."""

from logparse.out.traces import Span, Traces, span_id, trace_id
from tests.lifecycle.log import BOOM, A, B, Log
from tests.odoo import START_MS

DB = "prod"


def spans_of(log: Log, *, most: int = 1000) -> list[Span]:
    """What the events of a log become, in the order in which it comes."""
    traces = Traces(most)
    spans = [span for event in log.events for span in traces.add(event)]
    return spans + [span for part in traces.rest(log.lifecycle.now) for span in part]


def shown(spans: list[Span]) -> list[tuple[str, float, float, object]]:
    """(name, start and end in seconds since the log's beginning, outcome)."""
    return [
        (
            span.name,
            (span.start - START_MS) / 1000,
            (span.end - START_MS) / 1000,
            "open" if "odoo.job.open" in span.attributes else span.attributes.get("odoo.job.outcome"),
        )
        for span in spans
    ]


def test_a_job_that_is_done() -> None:
    log = Log()
    log.ask(1, A)
    log.access(3, A, duration=1.5)
    log.end()
    spans = spans_of(log)
    assert shown(spans) == [
        ("waiting", 1, 1.5, None),
        ("attempt 1", 1.5, 3, "done"),
        ("job", 1, 3, "done"),
    ]
    waiting, attempt, job = spans
    assert {span.trace for span in spans} == {trace_id(DB, A)}
    assert (waiting.parent, attempt.parent, job.parent) == (job.id, job.id, None)
    assert [moment.name for moment in waiting.moments] == ["dispatched"]
    assert (attempt.ok, attempt.error, attempt.attributes["odoo.sql.queries"]) == (True, None, 15)
    assert job.attributes["odoo.job.attempts"] == 1


def test_attempts_that_are_retried_are_linked() -> None:
    log = Log()
    for begin in (0, 600, 1200):
        log.ask(begin, A)
        log.access(begin + 2, A, duration=1)
    log.end()
    spans = spans_of(log)
    assert shown(spans) == [
        ("waiting", 0, 1, None),
        ("attempt 1", 1, 2, "retried"),
        ("waiting", 2, 601, None),
        ("attempt 2", 601, 602, "retried"),
        ("waiting", 602, 1201, None),
        ("attempt 3", 1201, 1202, "done"),
        ("job", 0, 1202, "done"),
    ]
    first, second, third = [span for span in spans if span.kind == "attempt"]
    assert (first.links, second.links, third.links) == ([], [first.id], [second.id])
    assert len({span.id for span in spans}) == len(spans)


def test_a_failure_has_its_exception_and_no_text() -> None:
    log = Log()
    log.ask(1, A)
    log.fail(3, A)
    spans = spans_of(log)
    attempt, job = spans[-2:]
    name = BOOM.partition(":")[0]
    (moment,) = attempt.moments
    assert (moment.name, moment.attributes) == ("exception", {"exception.type": name})
    assert (attempt.error, job.error) == (name, name)
    assert "text" not in str(spans)


def test_texts_stand_with_the_exception() -> None:
    log = Log()
    log.ask(1, A)
    log.fail(3, A)
    traces = Traces(10)
    spans = [span for event in log.events for span in traces.add(event, {"exception.message": "secret"})]
    (moment,) = next(span for span in spans if span.kind == "attempt").moments
    assert moment.attributes["exception.message"] == "secret"


def test_a_failed_job_that_is_run_again_is_the_same_trace() -> None:
    log = Log()
    log.ask(1, A)
    log.fail(3, A)
    log.ask(5000, A)
    log.access(5002, A, duration=1)
    log.end()
    spans = spans_of(log)
    assert [span.name for span in spans] == [
        "waiting",
        "attempt 1",
        "job",
        "waiting",
        "attempt 2",
        "job again",
    ]
    _, first, job, waiting, second, again = spans
    assert {span.trace for span in spans} == {trace_id(DB, A)}
    assert (again.parent, again.links) == (job.id, [first.id])
    assert (waiting.parent, second.parent, second.links) == (again.id, again.id, [first.id])
    assert len({span.id for span in spans}) == 6


def test_a_dead_worker() -> None:
    log = Log()
    log.ask(1, A)
    log.controller(2, "started", A)
    log.dead(60, A)
    log.ask(61, A)
    log.controller(62, "started", A)
    log.controller(63, "done", A)
    log.end()
    spans = spans_of(log)
    assert shown(spans)[1][3] == "requeued"
    assert spans[1].error == "dead"
    assert [span.name for span in spans] == ["waiting", "attempt 1", "waiting", "attempt 2", "job"]


def test_the_log_begins_within_the_attempt() -> None:
    log = Log()
    log.ask(10, B)
    log.access(12, A, duration=8)
    log.end()
    spans = [span for span in spans_of(log) if span.trace == trace_id(DB, A)]
    assert ("attempt 1", 4, 12, "done") in shown(spans)


def test_an_attempt_that_died_unseen_begins_with_its_dispatch() -> None:
    log = Log()
    log.ask(1, A)
    log.refuse(2, A)
    log.ask(10, A)
    log.dead(60, A)
    log.ask(100, B)
    log.end()
    spans = [span for span in spans_of(log) if span.trace == trace_id(DB, A)]
    assert shown(spans) == [
        ("waiting", 1, 10, None),
        ("attempt 1", 10, 60, "failed"),
        ("job", 1, 60, "failed"),
    ]
    waiting, attempt, job = spans
    assert [moment.name for moment in waiting.moments][-1] == "dispatched"
    assert (attempt.attributes["odoo.job.start_unknown"], attempt.error) == (True, job.error)
    assert job.attributes["odoo.job.attempts"] == 1


def test_the_start_of_an_attempt_is_known_by_a_line_or_by_its_duration() -> None:
    log = Log()
    log.ask(1, A)
    log.access(3, A, duration=1.5)
    log.ask(4, B)
    log.controller(5, "started", B)
    log.dead(60, B)
    log.ask(60.1, B)
    log.end()
    old = Log(8)  # tells no durations
    old.ask(1, A)
    old.access(3, A)
    old.end()
    told = [span for span in spans_of(log) if span.kind == "attempt"]
    assert len(told) == 2
    assert not any("odoo.job.start_unknown" in span.attributes for span in told)
    (attempt,) = [span for span in spans_of(old) if span.kind == "attempt"]
    assert attempt.attributes["odoo.job.start_unknown"] is True
    assert (attempt.start - START_MS) / 1000 == 1


def test_the_log_ends_within_the_attempt() -> None:
    log = Log()
    log.ask(1, A)
    log.controller(2, "started", A)
    log.ask(100, B)
    log.end()
    spans = [span for span in spans_of(log) if span.trace == trace_id(DB, A)]
    assert shown(spans) == [("waiting", 1, 2, None), ("attempt 1", 2, 100, "open"), ("job", 1, 100, "open")]
    assert not any(span.ok or span.error for span in spans)


def test_no_more_jobs_are_held_than_asked() -> None:
    log = Log()
    for number in range(100):
        log.ask(number, f"{number:08x}-0000-4000-8000-000000000000")
    traces = Traces(10)
    early = [span for event in log.events for span in traces.add(event)]
    assert len({span.trace for span in early}) == 90
    assert len(list(traces.rest(log.lifecycle.now))) == 10


def test_a_job_without_end_does_not_hold_its_spans() -> None:
    log = Log()
    for number in range(1000):
        log.ask(10 * number, A)
        log.access(10 * number + 2, A, duration=1)
    traces = Traces(10)
    parts = [traces.add(event) for event in log.events]
    assert sum(map(len, parts)) > 1500
    assert max(map(len, parts)) < 300
    rest = [span for part in traces.rest(log.lifecycle.now) for span in part]
    assert rest[-1].name == "job"
    every = [span for part in [*parts, rest] for span in part]
    assert len({span.id for span in every}) == len(every)


def test_ids_depend_on_database_and_uuid_alone() -> None:
    assert trace_id("a", A) == trace_id("a", A)
    assert len({trace_id("a", A), trace_id("b", A), trace_id("a", B), trace_id(None, A)}) == 4
    assert 0 < trace_id("a", A) < 2**128
    assert 0 < span_id(trace_id("a", A), "job") < 2**64


def test_a_wait_of_very_many_dispatches_is_bounded() -> None:
    log = Log()
    for number in range(300):
        log.ask(number, A)
    (waiting, _) = spans_of(log)
    assert len(waiting.moments) + int(waiting.attributes["logparse.left_out"]) == len(log.events) > 300
    assert len(waiting.moments) < 200
