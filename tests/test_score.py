"""The scorer that the recorded runs are judged by: what it counts, and what it must refuse."""

import pytest

from logparse.lifecycle.event import Event
from tests.truth import Change, Difference, Row, Table, compare, impossible, score


def change(old: str, new: str, uuid: str = "u", db: str = "d") -> Change:
    return Change(db, uuid, 0, old, new)


def event(name: str, uuid: str | None = "u", **fields: object) -> Event:
    return Event(0, name, "d", uuid, pattern="p", file="f", **fields)  # type: ignore[arg-type]


RUN_ONCE = [change("", "pending"), change("pending", "enqueued"), change("enqueued", "started")]


def test_score_of_all_told() -> None:
    result = score(
        [event("queued"), event("dispatched"), event("started"), event("done")],
        [*RUN_ONCE, change("started", "done")],
        debug=True,
    )
    assert (result.f1, result.final, result.judged) == (1, 1, 1)
    assert result.hits.total() == 4


def test_score_of_nothing_at_all_is_perfect() -> None:
    assert (score([], [], debug=True).f1, score([], [], debug=False).final) == (1, 1)


def test_score_of_a_miss_and_of_a_false_event() -> None:
    result = score(
        [event("dispatched"), event("started"), event("failed")],
        [*RUN_ONCE, change("started", "done")],
        debug=False,
    )
    assert result.missed == [Difference("done", "d", "u", 1, 0)]
    assert result.false == [Difference("failed", "d", "u", 0, 1)]
    assert result.f1 == 2 * 2 / (2 * 2 + 2)
    assert (result.final, result.last) == (0, [("d", "u")])


def test_score_counts_each_event_of_a_job() -> None:
    changes = [*RUN_ONCE, change("started", "pending"), *RUN_ONCE[1:], change("started", "done")]
    told = [event(name) for name in ("dispatched", "started", "retried", "dispatched", "done")]
    result = score(told, changes, debug=False)
    assert result.missed == [Difference("started", "d", "u", 2, 1)]
    assert result.hits == {"dispatched": 2, "started": 1, "back": 1, "done": 1}
    assert result.final == 1


def test_score_retried_and_requeued_are_the_same_to_the_database() -> None:
    changes = [*RUN_ONCE, change("started", "pending")]
    for name in ("retried", "requeued"):
        result = score([event("dispatched"), event("started"), event(name)], changes, debug=False)
        assert (result.f1, result.final) == (1, 1)


def test_score_what_people_do_is_neither_asked_for_nor_false() -> None:
    changes = [*RUN_ONCE, change("started", "failed"), change("failed", "pending")]
    told = [event("dispatched"), event("started"), event("failed")]
    assert score(told, changes, debug=False).f1 == 1
    assert score([*told, event("requeued")], changes, debug=False).f1 == 1
    assert score([*told, event("requeued"), event("requeued")], changes, debug=False).false == [
        Difference("back", "d", "u", 1, 2)
    ]
    assert score(told, changes, debug=False).judged == 0


def test_score_asks_for_the_creation_at_debug_only() -> None:
    changes = [change("", "pending")]
    assert (score([], changes, debug=False).f1, score([], changes, debug=False).judged) == (1, 0)
    assert (score([], changes, debug=True).f1, score([], changes, debug=True).final) == (0, 0)


def test_score_a_lost_attempt_leaves_the_job_started() -> None:
    result = score([event("dispatched"), event("started"), event("lost")], RUN_ONCE, debug=False)
    assert (result.f1, result.final) == (1, 1)


def test_score_jobs_of_clones_are_different_jobs() -> None:
    changes = [change("pending", "enqueued"), change("pending", "enqueued", db="clone")]
    result = score([event("dispatched"), event("dispatched")], changes, debug=False)
    assert result.missed == [Difference("dispatched", "clone", "u", 1, 0)]
    assert result.false == [Difference("dispatched", "d", "u", 1, 2)]


def row(state: str, **fields: object) -> Row:
    values = {"channel": "root", "exec_time": None, "exc_name": "", "method": "m"} | fields
    return Row("d", "u", state, **values)  # type: ignore[arg-type]


def test_compare() -> None:
    failed = [event("failed", exception="a.B", channel="root.x")]
    assert compare(failed, [row("failed", exc_name="odoo.B")]) == Table(1, None, 0, 0, 0)
    assert compare(failed, [row("failed", exc_name="odoo.C", channel="root.x")]) == Table(0, None, 1, 0, 0)
    assert compare([], [row("failed", exc_name="odoo.C")]) == Table(0, None, None, 0, 0)
    assert compare([event("done", duration=1.5)], [row("done", exec_time=1.0)]).duration == 0.5
    dead = row("failed", exc_name="x.JobFoundDead")
    assert compare([event("failed", exception="y.JobFoundDead")], [dead]) == Table(None, None, None, 1, 1)
    assert compare([], [dead]) == Table(None, None, None, 0, 1)


@pytest.mark.parametrize(
    "told",
    [
        [event("started")],
        [event("started", attempt=2)],
        [event("started", attempt=1), event("started", attempt=1)],
        [event("done", attempt=1), event("failed", attempt=1)],
        [event("done", attempt=1), event("done", attempt=3)],
        [event("done", attempt=1, duration=-0.1)],
        [event("started", attempt=1, wait=-0.1)],
        [Event(0, "runner_started", pattern="", file="f")],
        [event("requeued", evidence="guessed")],
    ],
)
def test_impossible(told: list[Event]) -> None:
    assert len(list(impossible(told))) == 1


def test_possible() -> None:
    told = [
        event("dispatched"),
        event("started", attempt=1, wait=0.0),
        event("retried", attempt=1, duration=0.0),
        event("requeued"),
        event("failed", attempt=2),
        event("runner_ready", uuid=None),
    ]
    assert list(impossible(told)) == []
