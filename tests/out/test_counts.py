"""Counts: what each output of the lifecycle adds, and what bounds hold whatever is told."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logparse.lifecycle.event import JOB_EVENTS, ChannelEvent, Ended, Event, Output, QueueWait, Unanswered
from logparse.out.batch import Batch
from logparse.out.counts import Counts
from logparse.out.state import Series, State


def told(*outputs: Output, **limits: int) -> State:
    counts = Counts(**limits)
    for output in outputs:
        counts.add(output)
    return counts.to_state()


def of(state: State, db: str = "a", channel: str = "") -> Series:
    (series,) = [one for one in state.series if (one.db, one.channel) == (db, channel)]
    return series


def job(word: str, **fields: object) -> Event:
    return msgspec.structs.replace(Event(ts=1000, event=word, db="a"), **fields)


@pytest.mark.parametrize("word", JOB_EVENTS)
def test_each_event_of_a_job_counts_itself(word: str) -> None:
    series = of(told(job(word), job(word), job(word, db="b")))
    assert series.events == {word: 2}
    assert series.runs == 0


def test_database_and_channel_are_empty_where_unknown() -> None:
    state = told(job("done", db=None), job("done", channel="root.x"))
    assert {(one.db, one.channel) for one in state.series} == {("", ""), ("a", "root.x")}


def test_requeued_by_reason() -> None:
    reasons = ["dead", "dead", "timeout", "manual", "unknown", None, "no such reason"]
    series = of(told(*(job("requeued", reason=reason) for reason in reasons)))
    assert series.requeued == {"dead": 2, "timeout": 1, "manual": 1, "unknown": 3}


def test_an_ended_attempt_is_a_run_with_its_measures() -> None:
    series = of(told(Ended(1, "a", None, 0.3, 14, 0.06), Ended(1, "a", None, None, None, None)))
    assert series.runs == 2
    assert series.events == {}
    duration = series.histograms["run_duration_seconds"]
    assert (duration.counts.index(1), duration.sum) == (3, 0.3)  # .01 .05 .1 [.5]
    assert series.histograms["sql_queries"].counts[1] == 1  # 10 [20]
    assert series.histograms["sql_seconds"].counts[2] == 1


def test_waits_come_from_started_and_queue_wait() -> None:
    series = of(told(job("started", wait=0.018), job("done", wait=0.018), QueueWait(1, "a", None, 7.0)))
    assert sum(series.histograms["dispatch_delay_seconds"].counts) == 1
    assert series.histograms["queue_wait_seconds"].sum == 7.0


def test_a_bound_belongs_to_its_bucket() -> None:
    series = of(told(QueueWait(1, "a", None, 5.0), QueueWait(1, "a", None, 5.000001)))
    counts = series.histograms["queue_wait_seconds"].counts
    assert (counts[5], counts[6]) == (1, 1)


def test_attempts_are_those_of_done_and_failed_only() -> None:
    ends = [job(word, attempt=3) for word in ("done", "failed", "lost", "retried", "cancelled", "requeued")]
    attempts = of(told(*ends, job("done"))).histograms["attempts"]
    assert (sum(attempts.counts), attempts.counts[2], attempts.sum) == (2, 2, 6.0)


def test_numbers_that_are_none_are_left_out_and_disorder_counts_as_zero() -> None:
    values = [float("nan"), float("inf"), 1e300, -0.002]
    delay = of(told(*(job("started", wait=value) for value in values))).histograms["dispatch_delay_seconds"]
    assert (delay.counts[0], sum(delay.counts), delay.sum) == (1, 1, 0.0)


def test_exceptions_by_class_and_database() -> None:
    state = told(
        job("failed", exception="odoo.exceptions.UserError"),
        job("failed", exception="odoo.exceptions.UserError", channel="root.x"),
        job("failed"),
        job("failed", db="b", exception="ValueError"),
    )
    assert state.exceptions == {
        "a": {"odoo.exceptions.UserError": 2, "": 1},
        "b": {"ValueError": 1},
    }


def test_classes_beyond_the_limit_are_other_and_counted() -> None:
    names = ["A", "B", "C", "D", "A", "C"]
    state = told(*(job("failed", exception=name) for name in names), max_exceptions=2)
    assert state.exceptions == {"a": {"A": 2, "B": 1, "other": 3}}
    assert state.overflow["exception"] == 3


def test_databases_channels_and_pairs_beyond_the_limit_are_other() -> None:
    many = [job("done", db=f"db{n}", channel=f"root.{n}") for n in range(9)]
    state = told(*many, *many, max_databases=3, max_channels=2)
    assert {one.db for one in state.series} == {"db0", "db1", "db2", "other"}
    assert {one.channel for one in state.series} == {"root.0", "root.1", "other"}
    assert sum(one.events["done"] for one in state.series) == 18
    assert (state.overflow["db"], state.overflow["channel"]) == (12, 14)

    state = told(*(job("done", channel=f"root.{n}") for n in range(9)), max_series=4)
    assert [one.channel for one in state.series] == ["root.0", "root.1", "root.2", "root.3", "other"]
    assert state.overflow["channel"] == 5


def test_a_long_value_is_cut_and_a_control_character_replaced() -> None:
    state = told(job("done", db="x" * 300), job("done", db="x" * 200), job("done", db="y\x00\r\n\udcff"))
    assert {one.db: one.events["done"] for one in state.series} == {"x" * 200: 2, "y" + "\ufffd" * 4: 1}
    assert state.overflow["db"] == 1


def test_inferred_events_are_counted_by_event() -> None:
    state = told(job("done", evidence="inferred"), job("done"), job("runner_stopped", evidence="inferred"))
    assert state.inferred == {"done": 1, "runner_stopped": 1}


def test_what_is_proven_to_be_visible() -> None:
    assert set(told(job("dispatched")).shown) == {
        "dispatched", "lost", "requeued", "dead", "timeout", "unknown",
    }  # fmt: skip
    assert {"started", "done", "failed", "retried", "refused", "runs"} <= set(told(job("started")).shown)
    assert set(told(job("failed")).shown) == {"failed", "refused"}
    assert "manual" in told(job("queued")).shown
    assert told(Event(ts=1, event="runner_ready", db="a")).shown == []


def installation(word: str, **fields: object) -> Event:
    return msgspec.structs.replace(Event(ts=1000, event=word), **fields)


@pytest.mark.parametrize(
    ("words", "up"),
    [
        (["runner_started"], 1),
        (["runner_started", "runner_ready", "runner_stopped"], 0),
        (["runner_started", "runner_error"], 0),
        (["runner_started", "runner_error", "runner_ready"], 1),
        (["runner_started", "server_started"], 0),
        (["runner_started", "server_stopped"], 0),
        (["runner_started", "server_started", "runner_started"], 1),
        (["runner_started", "runner_standby"], 1),
        (["runner_started", "worker_killed", "backpressure", "worker_started"], 1),
    ],
)
def test_the_runner_is_up_from_a_start_to_a_stop(words: list[str], up: int) -> None:
    assert told(*map(installation, words)).servers[""].up == up


def test_a_start_of_the_server_that_is_told_late_leaves_its_runner_up() -> None:
    state = told(installation("runner_started", ts=5000), installation("server_started", ts=4000))
    assert state.servers[""].up == 1


def test_a_misconfigured_database_leaves_the_runner_up() -> None:
    state = told(installation("runner_ready"), installation("runner_error", reason="misconfigured"))
    assert (state.servers[""].up, state.servers[""].errors) == (1, 1)


def test_a_server_without_a_runner_says_nothing_of_one() -> None:
    assert told(installation("server_started"), installation("server_stopped")).servers == {}
    assert told(installation("worker_killed", reason="timeout")).servers[""].up is None


def test_starts_errors_kills_and_the_last_activity_by_server() -> None:
    state = told(
        installation("runner_started", server="s1", ts=5000),
        installation("runner_started", server="s1", ts=4000),
        installation("runner_error", server="s2", ts=9000),
        installation("worker_killed", server="s1", reason="timeout", ts=9999),
        installation("worker_killed", server="s1"),
    )
    one, two = state.servers["s1"], state.servers["s2"]
    assert (one.starts, one.errors, one.activity) == (2, 0, 5000)
    assert one.kills == {"timeout": 1, "unknown": 1}
    assert (two.starts, two.errors, two.activity) == (0, 1, 9000)


def channel(name: str, pending: int, **fields: object) -> ChannelEvent:
    event = ChannelEvent(ts=1, event="channel_state", channel=name, pending=pending)
    return msgspec.structs.replace(event, **fields)


def test_the_last_numbers_of_a_channel_stand() -> None:
    state = told(
        channel("root", 3, capacity=2, running=1, failed=4),
        channel("root", 2, capacity=2, running=2, failed=4),
        channel("root", 9, server="s2"),
    )
    shown = {(one.channel, one.server): one for one in state.channels}
    root, other = shown["root", ""], shown["root", "s2"]
    assert (root.capacity, root.pending, root.running, root.failed) == (2, 2, 2, 4)
    assert (other.capacity, other.pending) == (None, 9)
    assert state.series == []


def test_a_channel_beyond_the_limit_has_no_numbers_and_is_counted() -> None:
    state = told(channel("root", 1), channel("root.a", 2), channel("root.b", 3), max_channels=2)
    assert [one.channel for one in state.channels] == ["root", "root.a"]
    assert state.overflow["channel"] == 1


def test_a_database_that_the_runner_is_ready_for_is_known() -> None:
    state = told(installation("runner_ready", db="a"), installation("server_started", db="b"))
    assert [(one.db, one.channel) for one in state.series] == [("a", "")]


@pytest.mark.parametrize("buckets", [[], [0, 1], [2, 1], [1, 1], [1, float("inf")], [float("nan")]])
def test_bad_buckets_are_refused(buckets: list[float]) -> None:
    with pytest.raises(ValueError, match="ascending order"):
        Counts(buckets)


LIMITS = {"max_exceptions": 2, "max_databases": 2, "max_channels": 2, "max_servers": 2, "max_series": 3}
texts = st.none() | st.sampled_from(["a", "b", "other", "", "x" * 250, "\udcff", "root.x"])
seconds = st.none() | st.floats() | st.sampled_from([0.01, 5.0, 14400.0])
numbers = st.none() | st.integers(-2, 2**70)
words = st.sampled_from(
    [*JOB_EVENTS, "runner_started", "runner_ready", "runner_stopped", "runner_error", "runner_standby",
     "channel_configured", "backpressure", "worker_killed", "server_started", "server_stopped", "nonsense"]
)  # fmt: skip
stamps = st.integers(0, 2**45)
outputs = st.one_of(
    st.builds(
        Event, ts=stamps, event=words, db=texts, channel=texts, attempt=numbers, wait=seconds,
        exception=texts, reason=texts, server=texts, evidence=st.sampled_from(["observed", "inferred"]),
    ),
    st.builds(
        ChannelEvent, ts=stamps, event=st.sampled_from(["channel_state", "channel_configured"]), db=texts,
        channel=texts, server=texts, capacity=numbers, pending=st.integers(), running=st.integers(),
        failed=st.integers(),
    ),
    st.builds(
        Ended, ts=stamps, db=texts, channel=texts, duration=seconds, sql_queries=numbers, sql_time=seconds
    ),
    st.builds(
        Unanswered, ts=stamps, db=texts, channel=texts, reason=st.sampled_from(["unreached", "broken"])
    ),
    st.builds(QueueWait, ts=stamps, db=texts, channel=texts, seconds=st.floats()),
)  # fmt: skip


def totals(state: State) -> dict[tuple[object, ...], float]:
    """Every number that must never go down."""
    found: dict[tuple[object, ...], float] = {}
    for one in state.series:
        pair = (one.db, one.channel)
        found[(*pair, "runs")] = one.runs
        found |= {(*pair, "event", word): count for word, count in one.events.items()}
        found |= {(*pair, "requeued", reason): count for reason, count in one.requeued.items()}
        found |= {(*pair, "unanswered", reason): count for reason, count in one.unanswered.items()}
        for name, histogram in one.histograms.items():
            found[(*pair, name, "sum")] = histogram.sum
            found |= {(*pair, name, place): count for place, count in enumerate(histogram.counts)}
    for db, classes in state.exceptions.items():
        found |= {(db, "exception", name): count for name, count in classes.items()}
    for name, server in state.servers.items():
        found[name, "starts"], found[name, "errors"] = server.starts, server.errors
        found[name, "activity"] = server.activity
        found |= {(name, "kill", reason): count for reason, count in server.kills.items()}
    found |= {("inferred", word): count for word, count in state.inferred.items()}
    found |= {("overflow", label): count for label, count in state.overflow.items()}
    return found


@given(st.lists(outputs, max_size=30))
def test_no_output_raises_and_no_number_goes_down(told_in_turn: list[Output]) -> None:
    counts = Counts(max_exceptions=2, max_databases=2, max_channels=2, max_servers=2, max_series=3)
    before = totals(counts.to_state())
    for output in told_in_turn:
        counts.add(output)
        after = totals(counts.to_state())
        assert all(after[key] >= value >= 0 for key, value in before.items())
        before = after
    state = counts.to_state()
    assert sum(one.runs for one in state.series) == sum(isinstance(one, Ended) for one in told_in_turn)
    happened = [one.event for one in told_in_turn if isinstance(one, Event) and one.event in JOB_EVENTS]
    assert sum(sum(one.events.values()) for one in state.series) == len(happened)
    failures = [one for one in happened if one == "failed"]
    assert sum(sum(classes.values()) for classes in state.exceptions.values()) == len(failures)
    assert len({one.db for one in state.series} - {"", "other"}) <= 2
    assert len({one.channel for one in state.series} - {"", "other"}) <= 2
    assert all(len(set(classes) - {"", "other"}) <= 2 for classes in state.exceptions.values())
    assert all(one.pending >= 0 and one.running >= 0 and one.failed >= 0 for one in state.channels)


@given(st.lists(st.lists(outputs, max_size=12), max_size=5), st.sampled_from([{}, LIMITS]))
def test_adding_many_at_once_is_adding_each(batches: list[list[Output]], limits: dict[str, int]) -> None:
    together, one_by_one = Counts(**limits), Counts(**limits)
    for batch in batches:
        together.count(Batch(batch))
        for output in batch:
            one_by_one.count(Batch([output]))
    found, expected = together.to_state(), one_by_one.to_state()
    assert found == expected
    # What is exposed in the order in which it came first.
    assert list(found.servers) == list(expected.servers)
    assert list(found.exceptions) == list(expected.exceptions)
    assert [list(one) for one in found.exceptions.values()] == [
        list(one) for one in expected.exceptions.values()
    ]


@given(st.lists(st.tuples(seconds, st.sampled_from("abc"), st.sampled_from("xyz")), max_size=120))
def test_sums_are_added_in_the_order_of_the_log(told_of: list[tuple[float | None, str, str]]) -> None:
    """Also where several channels have one name together."""
    ended = [Ended(1, db, channel, duration, None, None) for duration, db, channel in told_of]
    together, one_by_one = Counts(max_channels=1), Counts(max_channels=1)
    together.count(Batch(ended))
    for one in ended:
        one_by_one.count(Batch([one]))
    assert together.to_state() == one_by_one.to_state()


def test_what_waits_is_counted_when_asked_for() -> None:
    counts = Counts(max_exceptions=1)
    counts.add(job("failed", exception="E"))
    assert counts.exception_label("a", "F") == "other"
    counts.add(job("done", channel="root.x"))
    assert counts.labels("a", "root.x") == ("a", "root.x")
    counts.add_all([job("done")] * 5_000)
    assert sum(of(counts.to_state()).events.values()) == 5_001


@given(st.lists(outputs, max_size=20), st.lists(outputs, max_size=20), st.sampled_from(["json", "msgpack"]))
def test_a_restart_in_between_changes_no_number(first: list[Output], second: list[Output], form: str) -> None:
    limits = LIMITS
    through = Counts(**limits)
    for output in first + second:
        through.add(output)

    before, after = Counts(**limits), Counts(**limits)
    for output in first:
        before.add(output)
    module = {"json": msgspec.json, "msgpack": msgspec.msgpack}[form]
    after.from_state(module.decode(module.encode(before.to_state()), type=State))
    for output in second:
        after.add(output)
    assert after.to_state() == through.to_state()


def test_a_state_is_a_copy() -> None:
    counts = Counts()
    counts.add(Ended(1, "a", None, 1.0, 1, 1.0))
    state = counts.to_state()
    saved = msgspec.json.encode(state)
    for output in (Ended(1, "a", None, 1.0, 1, 1.0), job("failed", exception="E"), channel("root", 1)):
        counts.add(output)
    assert msgspec.json.encode(state) == saved


def test_changed_buckets_take_no_counter_down() -> None:
    old = Counts([1, 10, 100])
    for seconds_waited in (0.5, 5, 50, 500):
        old.add(QueueWait(1, "a", None, seconds_waited))
    new = Counts([2, 20, 50])
    new.from_state(old.to_state())
    wait = of(new.to_state()).histograms["queue_wait_seconds"]
    assert (wait.counts, wait.sum) == ([1, 1, 0, 2], 555.5)
    new.add(QueueWait(1, "a", None, 1))
    assert of(new.to_state()).histograms["queue_wait_seconds"].counts == [2, 1, 0, 2]
