"""What deserves a look first."""

import pytest

from logparse.lifecycle.event import Ended, Event, Output
from logparse.out.findings import findings
from logparse.out.summary import Summary
from logparse.pipe import Pipe
from logparse.source.chunk import Chunk

UUID = "8eb07891-f7d0-4a19-8a53-3ffa1694941e"
TS = 1_795_000_000_000
ANSWER = (
    "2026-11-24 03:00:18,770 2551 INFO prod werkzeug: 127.0.0.1 - - [24/Nov/2026 03:00:18] "
    f'"GET /queue_job/runjob?db=prod&job_uuid={UUID} HTTP/1.1" 200 - 13 0.010 0.020\n'
)


def texts(*outputs: Output) -> list[str]:
    """The findings of a log that shows outcomes, with these events besides."""
    pipe, summary = Pipe(), Summary()
    for output in (*pipe.feed(Chunk("odoo.log", 0, ANSWER.encode(), last=True)), *pipe.finish(), *outputs):
        summary.add(output)
    return [one.text for one in findings(summary.result(pipe))]


def event(word: str, **more: object) -> Event:
    return Event(TS, word, "prod", UUID, 1, **more)  # type: ignore[arg-type]


def test_nothing_to_look_at() -> None:
    assert texts() == []


@pytest.mark.parametrize(
    ("outputs", "text"),
    [
        (
            [event("failed", exception="odoo.exceptions.UserError")],
            "50.0 % of the outcomes are failures, most often odoo.exceptions.UserError (1 of 1)",
        ),
        ([event("lost")], "1 attempt was lost: begun, and never ended"),
        ([event("requeued", reason="dead")] * 2, "2 times a job was found dead, and put back into the queue"),
        ([event("requeued", reason="timeout")], "1 dispatch found no free worker within a second"),
        (
            [Event(TS, "runner_error", reason="psycopg2.OperationalError")],
            "The job runner had 1 error: psycopg2.OperationalError (1)",
        ),
        (
            [Event(TS, "worker_killed", reason="limit_time_real", pid=pid) for pid in range(1200)],
            "1,200 workers were killed: limit_time_real (1,200)",
        ),
        (
            [event("retried"), Ended(TS, "prod", None, 0.1, None, None)],
            "50.0 % of the attempts end in a retry",
        ),
    ],
)
def test_each(outputs: list[Output], text: str) -> None:
    assert texts(*outputs) == [text]


def test_the_weightiest_comes_first() -> None:
    found = texts(
        event("failed", exception="ValueError"),
        event("lost"),
        event("requeued", reason="timeout"),
        Event(TS, "runner_error", reason="crash"),
    )
    starts = ["The job runner had", "1 attempt was lost", "50.0 % of the outcomes", "1 dispatch found"]
    assert [
        any(text.startswith(start) for text in [one]) for one, start in zip(found, starts, strict=True)
    ] == [True] * 4


def test_databases_are_named_where_there_are_several() -> None:
    found = texts(Event(TS, "lost", "other.db", UUID, 1))
    assert found == ["other.db: 1 attempt was lost: begun, and never ended"]


def test_a_dispatch_that_is_open_for_long() -> None:
    asking = "INFO ? odoo.addons.queue_job.jobrunner.runner: asking Odoo to run job"
    other = UUID.replace("8", "9")

    def log(later: str) -> str:
        return (
            f"2026-11-24 03:00:00,000 7 {asking} {UUID} on db prod\n"
            f"2026-11-24 03:00:00,500 7 {asking} {other} on db prod\n" + later
        )

    def found(text: str) -> list[str]:
        pipe, summary = Pipe(), Summary()
        for output in pipe.feed(Chunk("odoo.log", 0, text.encode(), last=True)):
            summary.add(output)
        return [one.text for one in findings(summary.result(pipe)) if "not ended" in one.text]

    answer = ANSWER.replace(UUID, other)
    assert found(log(answer)) == []
    assert found(log(answer.replace("03:00:18,", "03:20:18,"))) == [
        "1 job is dispatched and not ended, the oldest since 24 Nov 2026 03:00:00 (20 min 19 s)"
    ]


def test_text_of_the_log_is_escaped() -> None:
    (text,) = texts(Event(TS, "runner_error", reason="x\x1b[31m"))
    assert "\x1b" not in text


def test_unknown_lines_are_pointed_at() -> None:
    summary, pipe = Summary(), Pipe()
    line = "2026-11-24 03:00:18,770 2551 INFO prod odoo.addons.queue_job.controllers.main: something new \n"
    for output in pipe.feed(Chunk("odoo.log", 0, line.encode(), last=True)):
        summary.add(output)
    (found,) = findings(summary.result(pipe))
    assert found.text == "1 line of queue_job not recognised: run `logparse check`"
