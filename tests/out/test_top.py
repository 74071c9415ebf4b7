"""The longest attempts, and the jobs to which something happens most, in bounded memory."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from logparse.lifecycle.event import Event
from logparse.out.top import Longest, MostOften

KEYS = st.lists(st.sampled_from("abcdefghij"), max_size=200)


def ended(duration: float | None, ts: int = 0) -> Event:
    return Event(ts, "done", uuid="x", duration=duration)


@given(st.lists(st.floats(min_value=0, max_value=1e6), max_size=50), st.integers(0, 10))
def test_the_longest_are_those_at_the_front_of_all_in_order(durations: list[float], limit: int) -> None:
    longest = Longest(limit)
    for duration in durations:
        longest.add(ended(duration))
    assert [event.duration for event in longest.events()] == sorted(durations, reverse=True)[:limit]


def test_of_equally_long_ones_the_first_stay() -> None:
    longest = Longest(2)
    for ts in range(5):
        longest.add(ended(1.0, ts))
    assert [event.ts for event in longest.events()] == [0, 1]


def test_what_has_no_duration_is_not_long() -> None:
    longest = Longest(3)
    longest.add(ended(None))
    longest.add(ended(float("nan")))
    assert longest.events() == []


@given(KEYS)
def test_counts_are_exact_while_there_is_room(keys: list[str]) -> None:
    often: MostOften[str] = MostOften(10)
    for key in keys:
        often.add(key, ended(None))
    found = {one.key: (one.at_least, one.at_most) for one in often.most(10)}
    assert found == {key: (count, count) for key, count in Counter(keys).items()}


@given(KEYS, st.integers(1, 9))
def test_beyond_it_what_is_frequent_is_there_and_bounds_hold(keys: list[str], capacity: int) -> None:
    often: MostOften[str] = MostOften(capacity)
    for key in keys:
        often.add(key, ended(None))
    found = {one.key: one for one in often.most(100)}
    assert len(found) <= capacity
    for key, count in Counter(keys).items():
        if count > len(keys) / capacity:
            assert key in found
        if key in found:
            assert found[key].at_least <= count <= found[key].at_most


def test_the_most_certain_comes_first_and_of_equal_ones_the_latest() -> None:
    often: MostOften[str] = MostOften(10)
    for ts, key in enumerate("abcb"):
        often.add(key, ended(None, ts))
    assert [one.key for one in often.most(2)] == ["b", "c"]
    assert often.most(1)[0].last.ts == 3
