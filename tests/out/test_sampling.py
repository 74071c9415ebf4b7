"""When a series is sampled: at every change, at the ends of gaps, and often enough for Prometheus."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from logparse.out.sampling import Span, sampled

FOUR_MINUTES = 240_000
STEP = 15_000

steps = st.integers(0, 400)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    first, last = sorted(draw(st.lists(steps, min_size=2, max_size=2, unique=True)))
    edges = sorted(draw(st.lists(st.integers(first, last), max_size=6, unique=True)))
    holes = list(zip(edges[::2], edges[1::2], strict=False))
    return Span(first, last, STEP, holes)


@st.composite
def histories(draw: st.DrawFn) -> tuple[Span, list[tuple[int, int | None]]]:
    span = draw(spans())
    at = sorted(draw(st.sets(st.integers(span.first, span.last), max_size=8)))
    values = draw(st.lists(st.none() | st.integers(0, 9), min_size=len(at), max_size=len(at)))
    return span, list(zip(at, values, strict=True))


def covered(span: Span) -> set[int]:
    inside = {step for left, right in span.holes for step in range(left + 1, right)}
    return set(range(span.first, span.last + 1)) - inside


@given(histories(), st.booleans())
def test_every_sample_is_what_the_series_was_and_none_is_out_of_order(
    history: tuple[Span, list[tuple[int, int | None]]], evenly: bool
) -> None:
    span, changes = history
    samples = list(sampled(changes, span, evenly=evenly))
    assert all(earlier[0] < later[0] for earlier, later in pairwise(samples))
    for step, value in samples:
        assert span.first <= step <= span.last
        assert [new for at, new in changes if at <= step][-1] == value
    assert set(changes) <= set(samples)


@given(histories(), st.booleans())
def test_prometheus_finds_one_wherever_the_log_covers_the_time(
    history: tuple[Span, list[tuple[int, int | None]]], evenly: bool
) -> None:
    span, changes = history
    samples = dict(sampled(changes, span, evenly=evenly))
    here = covered(span)
    for index, (at, value) in enumerate(changes):
        until = changes[index + 1][0] if index + 1 < len(changes) else span.last + 1
        if value is None:
            assert not any(step in samples for step in range(at + 1, until))
            continue
        known = [at]
        for step in range(at + 1, until):
            if step in samples:
                known.append(step)
            if step in here:
                assert (step - known[-1]) * STEP <= FOUR_MINUTES
        last = max((step for step in range(at, until) if step in here), default=at)
        assert last in samples or last == at  # the end of the gap
        if evenly:  # whoever looks at the five minutes around a change sees every step of them
            around = [
                *range(at, min(at + 21, until)),
                *(range(max(at, until - 21), until) if until <= span.last else ()),
            ]
            assert all(step in samples for step in around if not in_or_behind_hole(step, at, span, until))


def in_or_behind_hole(step: int, at: int, span: Span, until: int) -> bool:
    return any(left < until and at < right and right - left > 1 for left, right in span.holes) or step < at


def test_a_hole_has_a_sample_at_both_ends_and_none_inside() -> None:
    span = Span(0, 10_000, STEP, [(100, 9_000)])
    at = [step for step, _ in sampled([(0, 1)], span, evenly=False)]
    assert 100 in at
    assert 9_000 in at
    assert not [step for step in at if 100 < step < 9_000]
    assert at[-1] == 10_000


def test_what_is_gone_is_told_once() -> None:
    assert list(sampled([(0, 1), (2, None), (50, 3)], Span(0, 51, STEP), evenly=False)) == [
        (0, 1),
        (1, 1),
        (2, None),
        (50, 3),
        (51, 3),
    ]
