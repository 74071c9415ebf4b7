"""What waits for Loki: batches, and what answers of all kinds mean for them."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logparse.lifecycle.event import Event
from logparse.out.loki import Entries, Entry
from logparse.out.outbox import LONGEST_PAUSE, LONGEST_WAIT, Answer, Outbox

MAKER = Entries({"job": "logparse"})
TAKEN = Answer(204)


def entries(count: int, step: int = 1000, event: str = "done") -> list[Entry]:
    made = [MAKER.entry(Event(1_795_489_422_000 + n * step, event, "a", str(n))) for n in range(count)]
    return [one for one in made if one is not None]


def test_batches_are_cut_by_count_and_bytes() -> None:
    some = entries(10)
    outbox = Outbox(some[0].size * 3 + 10, 100, some)
    assert outbox.full
    sizes = []
    while batch := outbox.batch():
        assert outbox.batch() is batch
        sizes.append(len(batch))
        assert outbox.answered(TAKEN).sent == len(batch)
    assert sizes == [3, 3, 3, 1]
    assert (outbox.sent, len(outbox), outbox.bytes, outbox.oldest) == (10, 0, 0, None)
    assert len(Outbox(1 << 20, 4, some).batch()) == 4
    # One that is larger than a batch goes alone.
    assert len(Outbox(10, 100, some).batch()) == 1


def test_a_batch_spans_no_more_than_loki_takes_out_of_order() -> None:
    some = entries(10, step=600_000)
    batch = Outbox(1 << 20, 100, some).batch()
    assert batch == some[:4]
    # Of several streams each has its own newest entry.
    mixed = [
        one for pair in zip(entries(4), entries(4, step=700_000, event="failed"), strict=True) for one in pair
    ]
    assert len(Outbox(1 << 20, 100, mixed).batch()) == 7


@pytest.mark.parametrize("status", [0, 500, 502, 401, 404, 260, 302, 408])
def test_nothing_is_settled_while_something_is_wrong(status: int) -> None:
    some = entries(5)
    outbox = Outbox(1 << 20, 100, some)
    for _ in range(20):
        batch = outbox.batch()
        told = outbox.answered(Answer(status, "no"))
        assert told.problem is not None
        assert not told.progress
        assert outbox.batch() == batch
    assert outbox.waiting == some
    assert outbox.retries == {str(status): 20}
    assert outbox.answered(TAKEN).sent == 5


def test_pauses_double_by_chance_and_heed_what_loki_asks() -> None:
    outbox = Outbox(1 << 20, 100, entries(1), random.Random(1))
    pauses = []
    for _ in range(12):
        outbox.batch()
        outbox.answered(Answer(503))
        pauses.append(outbox.pause(Answer(503)))
    for number, pause in enumerate(pauses):
        span = min(LONGEST_PAUSE, 0.5 * 2**number)
        assert span / 2 <= pause <= span
    assert len(set(pauses)) == 12
    assert outbox.pause(Answer(429, retry_after=77.0)) == 77
    assert outbox.pause(Answer(429, retry_after=1e9)) == LONGEST_WAIT


def test_too_much_at_once_is_sent_in_smaller_pieces() -> None:
    some = entries(2000)
    outbox = Outbox(1 << 20, 5000, some)
    first = len(outbox.batch())
    outbox.answered(Answer(429, "Ingestion rate limit exceeded"))
    assert len(outbox.batch()) < first
    assert outbox.waiting == some
    # A proxy that takes bodies of 100 entries only.
    outbox = Outbox(1 << 20, 5000, some)
    for _ in range(1000):
        batch = outbox.batch()
        if not batch:
            break
        outbox.answered(TAKEN if len(batch) <= 100 else Answer(413))
    assert (outbox.sent, outbox.dropped.total()) == (2000, 0)


def test_what_is_wrong_with_all_is_not_the_entries_fault() -> None:
    some = entries(100)
    outbox = Outbox(1 << 20, 5000, some)
    pushes = 0
    for _ in range(10):
        told = None
        while told is None or told.problem is None:
            outbox.batch()
            told = outbox.answered(Answer(400, "Client sent an HTTP request to an HTTPS server."))
            pushes += 1
            assert told.dropped == {}
    assert pushes < 200
    assert sorted(outbox.waiting, key=lambda one: one.ts) == some


@given(
    bad=st.sets(st.integers(0, 59)),
    how=st.sampled_from([400, 413]),
    seed=st.integers(0, 1000),
    count=st.sampled_from([1, 7, 60]),
)
def test_bad_entries_are_found_and_all_others_arrive(bad: set[int], how: int, seed: int, count: int) -> None:
    """An answer that names nobody: whoever is refused alone, beside others that are taken, is given up."""
    some = entries(60)
    poison = {some[number] for number in bad if number != 30}
    outbox = Outbox(1 << 20, count, some, random.Random(seed))
    taken: Counter[Entry] = Counter()
    dropped: list[Entry] = []
    for _ in range(5000):
        batch = outbox.batch()
        if not batch:
            break
        if poison & set(batch):
            taken.update(set(batch) - poison if how == 400 else ())
            told = outbox.answered(Answer(how, "something new"))
        else:
            taken.update(batch)
            told = outbox.answered(TAKEN)
        for entries_ in told.dropped.values():
            dropped += entries_
    assert set(dropped) <= poison
    waiting = set(outbox.waiting)
    assert waiting | set(taken) | set(dropped) == set(some)
    assert set(taken) >= set(some) - poison
    assert outbox.dropped["rejected"] == len(dropped)
