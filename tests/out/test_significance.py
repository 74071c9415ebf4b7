"""The tests of significance, against their definitions worked out with all numbers at hand."""

import math
import random
from fractions import Fraction
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logparse.out.significance import FEWEST, fisher, holm, ranks, tail
from logparse.out.sketch import Sketch


def sketched(numbers: list[float]) -> Sketch:
    sketch = Sketch()
    for number in numbers:
        sketch.add(number)
    return sketch


@st.composite
def shares(draw: st.DrawFn) -> tuple[int, int]:
    everything = draw(st.integers(0, 70))
    return draw(st.integers(0, everything)), everything


@given(shares(), shares())
def test_fisher_is_the_sum_of_all_tables_that_are_no_likelier(
    first: tuple[int, int], second: tuple[int, int]
) -> None:
    (a, n), (b, m) = first, second

    def weight(k: int) -> int:
        return math.comb(n, k) * math.comb(m, a + b - k)

    tables = range(max(0, a + b - m), min(n, a + b) + 1)
    exact = Fraction(sum(weight(k) for k in tables if weight(k) <= weight(a)), sum(map(weight, tables)))
    assert fisher(first, second) == pytest.approx(float(exact), abs=1e-9)


def test_fisher_of_the_lady_who_tasted_tea() -> None:
    """Fisher, The Design of Experiments (1935): three of four cups of each kind right; 34/70, two-sided."""
    assert fisher((3, 4), (1, 4)) == pytest.approx(34 / 70)
    assert fisher((4, 4), (0, 4)) == pytest.approx(2 / 70)


def test_fisher_of_millions() -> None:
    assert fisher((50_000, 1_000_000), (50_000, 1_000_000)) == pytest.approx(1)
    # As the normal approximation of two proportions has it.
    z = 700 / math.sqrt(2 * 1e6 * 0.05035 * 0.94965)
    assert fisher((50_000, 1_000_000), (50_700, 1_000_000)) == pytest.approx(
        math.erfc(z / math.sqrt(2)), rel=0.01
    )
    assert fisher((0, 1_000_000), (500_000, 1_000_000)) == 0


def test_fisher_of_no_shares() -> None:
    with pytest.raises(ValueError, match="5 of 4"):
        fisher((5, 4), (0, 1))


SOME = st.lists(st.sampled_from([0.0, 0.01, 0.02, 0.3, 0.5, 1.0, 7.0, 90.0]), min_size=FEWEST, max_size=40)


@given(SOME, SOME)
def test_ranks_are_those_of_all_pairs(first: list[float], second: list[float]) -> None:
    found = ranks(sketched(first), sketched(second))
    assert found is not None
    wins = sum((b > a) + (b == a) / 2 for a in first for b in second)
    assert found.greater == pytest.approx(wins / len(first) / len(second))
    n, m = len(first), len(second)
    ties = sum(size**3 - size for _, group in groupby(sorted(first + second)) for size in [len(list(group))])
    variance = n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1)))
    if variance > 0:
        z = max(0.0, abs(wins - n * m / 2) - 0.5) / math.sqrt(variance)
        assert found.chance == pytest.approx(math.erfc(z / math.sqrt(2)))
    else:
        assert found.chance == 1


def test_ranks_do_not_cry_wolf_and_see_what_is_there() -> None:
    chance = random.Random(5)
    alarms = seen = 0
    for _ in range(300):
        before = [chance.lognormvariate(0, 1) for _ in range(60)]
        same = [chance.lognormvariate(0, 1) for _ in range(60)]
        slower = [chance.lognormvariate(0.7, 1) for _ in range(60)]
        alarms += ranks(sketched(before), sketched(same)).chance < 0.05  # type: ignore[union-attr]
        seen += ranks(sketched(before), sketched(slower)).chance < 0.05  # type: ignore[union-attr]
    assert 3 <= alarms <= 28  # 15 are to be expected
    assert seen > 270


def test_ranks_of_too_few() -> None:
    assert ranks(sketched([1.0] * 7), sketched([1.0] * 100)) is None
    assert tail(sketched([1.0] * 100), sketched([1.0] * 7)) is None


def test_the_tail_is_seen_where_the_median_is_not() -> None:
    chance = random.Random(6)
    before = sketched([chance.uniform(1, 2) for _ in range(1000)])
    after = sketched([chance.uniform(1, 2) if chance.random() < 0.9 else 60.0 for _ in range(1000)])
    slowest, medians = tail(before, after), (before.quantile(0.5), after.quantile(0.5))
    assert slowest is not None
    assert slowest.first[0] == 0
    assert 80 < slowest.second[0] < 120
    assert fisher(slowest.first, slowest.second) < 1e-9
    assert medians[1] == pytest.approx(medians[0], rel=0.1)


@given(SOME, SOME)
def test_the_tail_is_of_those_that_are_longer(first: list[float], second: list[float]) -> None:
    found = tail(sketched(first), sketched(second))
    assert found is not None
    for numbers, (longer, all_) in ((first, found.first), (second, found.second)):
        assert all_ == len(numbers)
        assert longer == sum(number > found.above for number in numbers)
    everything = first + second
    counts = [sum(number > bound for number in everything) for bound in {-1.0, *everything}]
    wanted = len(everything) - math.ceil(0.95 * len(everything))
    assert abs(found.first[0] + found.second[0] - wanted) == min(abs(count - wanted) for count in counts)


def test_holm() -> None:
    """The example of Holm's procedure: 0.01, 0.04, 0.03, 0.005, as in many textbooks."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.5, 0.9]) == [1.0, 1.0]
