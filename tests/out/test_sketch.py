"""The percentiles: within 1 % of the number at their rank, and merging is adding."""

import math

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from logparse.out.numbers import countable
from logparse.out.sketch import ERROR, Sketch

NUMBERS = st.lists(st.floats(min_value=0, max_value=1e9), min_size=1, max_size=200)
SHARES = st.floats(min_value=0, max_value=1)


def sketched(numbers: list[float]) -> Sketch:
    sketch = Sketch()
    for number in numbers:
        sketch.add(number)
    return sketch


def at_rank(numbers: list[float], share: float) -> float:
    """The number that a quantile stands for, from all of them in order."""
    return sorted(numbers)[max(0, math.ceil(share * len(numbers)) - 1)]


@given(NUMBERS, SHARES)
def test_a_quantile_is_within_its_error(numbers: list[float], share: float) -> None:
    found = sketched(numbers).quantile(share)
    exact = at_rank(numbers, share)
    assert found is not None
    assert abs(found - exact) <= max(ERROR * exact * (1 + 1e-9), 0.0005)


@given(NUMBERS)
def test_least_and_most_are_exact(numbers: list[float]) -> None:
    sketch = sketched(numbers)
    assert sketch.quantile(0) == min(numbers)
    assert sketch.quantile(1) == sketch.most == max(numbers)
    assert sketch.count == len(numbers)


@given(NUMBERS)
def test_quantiles_rise_with_their_share(numbers: list[float]) -> None:
    sketch = sketched(numbers)
    quantiles = [sketch.quantile(share / 20) for share in range(21)]
    assert quantiles == sorted(quantiles, key=lambda value: value or 0.0)


@given(st.lists(NUMBERS | st.just([]), max_size=5))
def test_merging_is_adding_everything_to_one(parts: list[list[float]]) -> None:
    merged = Sketch()
    for part in parts:
        merged.merge(sketched(part))
    whole = sketched([number for part in parts for number in part])
    assert (merged.count, merged.least, merged.most) == (whole.count, whole.least, whole.most)
    assert (merged.zeros, merged.buckets) == (whole.zeros, whole.buckets)
    assert math.isclose(merged.sum, whole.sum, rel_tol=1e-9, abs_tol=1e-9)


@given(st.lists(st.lists(st.floats() | st.sampled_from([0.0004, 0.0005, 1e12, -0.0])), max_size=4))
def test_adding_many_at_once_is_adding_each(parts: list[list[float]]) -> None:
    together = Sketch()
    for part in parts:
        together.add_all(countable(part))
    assert repr(msgspec.structs.astuple(together)[:-1]) == repr(
        msgspec.structs.astuple(one_by_one := sketched([number for part in parts for number in part]))[:-1]
    )
    assert together.buckets == one_by_one.buckets


def test_empty() -> None:
    sketch = Sketch()
    assert sketch.quantile(0.5) is None
    assert sketch.most is None


def test_what_is_no_duration_is_left_out_or_zero() -> None:
    sketch = sketched([math.nan, math.inf, 1e13])
    assert sketch.count == 0
    sketch.add(-0.003)  # two processes' lines, out of order
    assert (sketch.count, sketch.quantile(0.5)) == (1, 0.0)


def test_it_stays_small_whatever_is_added() -> None:
    sketch = sketched([10 ** (exponent / 1000) for exponent in range(-4000, 12001)])
    assert sketch.count == 16_001
    assert len(sketch.buckets) <= 1766


def test_two_sketches_share_nothing() -> None:
    one, other = Sketch(), Sketch()
    one.add(1.0)
    assert other.buckets == {}
