"""Which channel a job's events are of, and what the runner's channel lines tell of its way back."""

import pytest

from tests.lifecycle.log import RUN, A, B, Log
from tests.odoo import CHANNELS


def channels(log: Log, job: str = A) -> list[tuple[str, str | None]]:
    return [(event.event, event.channel) for event in log.events if event.uuid == job]


def says(log: Log, at: float, message: str, level: str = "DEBUG") -> None:
    log.write(at, RUN, level, None, CHANNELS, message)


def placed(log: Log, at: float, channel: str, parent: str) -> None:
    says(log, at, f"{channel} has no specific configuration: using {parent}")


def unknown(log: Log, at: float, channel: str, job: str = A) -> None:
    says(log, at, f"unknown channel {channel}, using root channel for job {job}", "WARNING")


def open_in(log: Log) -> list[str | None]:
    return [channel for _, channel, _, _, _ in log.lifecycle.jobs.states()]


# Of which channel


def test_a_job_that_is_put_into_another_channel_is_of_that_one() -> None:
    log = Log()
    log.read(-1)
    log.channel(0, "pending", channel="root.a")
    log.channel(10, "pending", channel="root.b")
    assert open_in(log) == ["root.b"]
    log.channel(20, "running", channel="root.b")
    log.channel(20, "running", channel="root")
    log.ask(20.001)
    log.controller(20.1, "started")
    log.controller(21, "done")
    log.access(21.1)
    assert channels(log) == [
        ("queued", "root.a"),
        ("dispatched", "root.b"),
        ("started", "root.b"),
        ("done", "root.b"),
    ]


def test_a_job_that_is_put_into_the_parent_of_its_channel_is_of_the_parent() -> None:
    log = Log()
    log.read(-1)
    log.channel(0, "pending", channel="root.a.b")
    log.channel(10, "pending", channel="root.a")
    log.ask(20)
    assert channels(log)[-1] == ("dispatched", "root.a")


def test_a_job_of_an_unknown_channel_waits_in_root_and_is_of_its_own() -> None:
    log = Log(12)
    log.read(-1)
    unknown(log, 0, "root.other")
    log.channel(0, "pending")
    unknown(log, 0.5, "root.other")  # of its dispatch, which marks nothing
    log.channel(0.6, "pending", B)
    log.ask(1, A)
    log.ask(1, B)
    assert channels(log, A)[-1] == ("dispatched", "root.other")
    assert channels(log, B)[-1] == ("dispatched", "root")


def test_a_channel_without_configuration_is_made_below_the_next_that_has_one() -> None:
    log = Log()
    log.read(-1)
    placed(log, 0, "root.sub.deep", "root.sub")
    log.channel(0, "pending", channel="root.sub.sub.deep")
    placed(log, 0.5, "root.sub.deep", "root.sub")  # of its dispatch, which marks nothing
    log.channel(0.6, "pending", B, channel="root.sub")
    log.channel(0.7, "running", channel="root.sub.sub.deep")
    log.ask(1, A)
    log.ask(1, B)
    assert channels(log, A)[-1] == ("dispatched", "root.sub.deep")
    assert channels(log, B)[-1] == ("dispatched", "root.sub")


# Back to pending


def test_a_job_that_waited_and_was_cancelled_comes_back_by_hand_and_is_queued_once() -> None:
    """CH done of a job that waits is a cancellation, or it was set done: neither comes back by itself."""
    log = Log()
    log.read(-1)
    log.channel(0, "pending")
    log.channel(10, "done")
    assert log.gauges() == {}
    log.channel(500, "pending")
    assert log.gauges() == {"pending": 1}
    log.ask(501)
    assert log.told() == ["queued", "requeued manual", "dispatched"]
    assert log.last("requeued").evidence == "observed"


def test_a_job_of_which_only_its_end_was_seen_comes_back_by_hand() -> None:
    log = Log()
    log.read(-1)
    log.channel(0, "done")
    log.channel(500, "pending")
    assert log.told() == ["requeued manual"]


def test_a_job_that_was_refused_comes_back_for_no_known_reason() -> None:
    log = Log()
    log.read(-1)
    log.channel(0, "pending")
    log.ask(1)
    log.refuse(1.1)
    log.access(1.2)
    log.channel(30, "pending")
    assert log.told() == ["queued", "dispatched", "refused", "requeued unknown"]
    assert log.last("requeued").evidence == "inferred"


# A dispatch that no worker took up: its reset is silent until 11.0, and in 12.0.1.0.0


def untaken(log: Log, after: float) -> list[str]:
    log.channel(0, "pending")
    log.ask(1)
    log.channel(1 + after, "pending")
    log.ask(1.01 + after)
    return [*log.told()[2:-1], log.last("requeued").evidence]


@pytest.mark.parametrize(
    ("series", "after", "told"),
    [
        (11, 0.999, ["requeued timeout", "inferred"]),
        (11, 2.1, ["requeued timeout", "inferred"]),
        (11, 0.2, ["requeued unknown", "inferred"]),  # its request failed, or somebody was that fast
        (11, 30, ["requeued manual", "observed"]),
        (12, 1.01, ["requeued unknown", "inferred"]),
        (12, 30, ["requeued manual", "observed"]),
        (16, 1.01, ["requeued manual", "observed"]),
    ],
)
def test_pending_right_after_the_dispatch(series: int, after: float, told: list[str]) -> None:
    log = Log(series)
    log.boot()
    assert untaken(log, after) == told


def test_pending_right_after_the_dispatch_in_a_log_that_does_not_tell_its_version() -> None:
    log = Log()
    log.read(-1)
    assert untaken(log, 1.01) == ["requeued unknown", "inferred"]


@pytest.mark.parametrize("line", ["reset", "dead"])
def test_where_a_reset_is_a_line_its_lack_tells_that_it_was_by_hand(line: str) -> None:
    log = Log(12)
    log.boot()
    log.ask(-3, B)
    getattr(log, line)(-2, B)
    assert untaken(log, 1.01) == ["requeued manual", "observed"]


def test_a_job_that_was_started_was_taken_up() -> None:
    log = Log(11)
    log.boot()
    log.channel(0, "pending")
    log.ask(1)
    log.controller(1.1, "started")
    log.channel(2.01, "pending")
    log.tick(5)
    assert log.told()[-1] == "requeued 1 manual"


def test_a_retry_within_a_second_is_no_reset() -> None:
    log = Log(11)
    log.boot()
    log.channel(0, "pending")
    log.ask(1)
    log.channel(2.01, "pending")
    log.access(2.02)
    assert log.told()[-1] == "retried 1"
