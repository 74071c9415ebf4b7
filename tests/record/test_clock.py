"""Which times are believed, by those around them."""

import pytest

from logparse.record.clock import Clock

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
YEAR = 366 * DAY
NOW = 10 * DAY


def at(now: int | None) -> Clock:
    clock = Clock()
    clock.now = now
    return clock


def believes(now: int | None, time: int, ahead: list[int], *, final: bool = False) -> bool | None:
    clock = at(now)
    verdict = clock.believes(time, iter(ahead), final=final)
    assert clock.now == (time if verdict else now)
    assert clock.steps_back == (1 if verdict and now is not None and time < now - MINUTE else 0)
    return verdict


@pytest.mark.parametrize(
    ("time", "ahead", "final", "verdict"),
    [
        (NOW, [NOW, NOW], False, True),
        (NOW, [NOW + DAY - 1, NOW + DAY - 1], False, True),
        # Long before: a quiet weekend, or year.
        (NOW, [NOW + 2 * DAY, NOW + 2 * DAY + HOUR], False, True),
        (NOW, [NOW + YEAR, NOW + YEAR + HOUR], False, True),
        (NOW, [NOW + YEAR + HOUR, NOW + YEAR], False, True),
        # It is far from both that follow, and they are near each other: it is the stranger.
        (NOW, [NOW + YEAR + 1, NOW + YEAR + HOUR], False, False),
        (NOW, [NOW - DAY, NOW - DAY], False, False),
        (NOW, [NOW - DAY + 1, NOW - DAY], False, True),
        (NOW, [NOW - 2 * DAY, NOW - 2 * DAY], False, False),
        # They are far from each other too: nobody knows.
        (NOW, [NOW + 2 * DAY, NOW + 3 * DAY], False, True),
        (NOW, [NOW - 2 * DAY, NOW], False, True),
        (NOW, [NOW], False, None),
        (NOW, [], False, None),
        (NOW, [NOW + 2 * DAY], True, True),
        (NOW, [], True, True),
    ],
)
def test_the_first_of_a_log(time: int, ahead: list[int], final: bool, verdict: bool | None) -> None:
    assert believes(None, time, ahead, final=final) is verdict


@pytest.mark.parametrize("step", [-MINUTE, -1, 0, 1, HOUR])
def test_a_small_step_is_believed_at_once(step: int) -> None:
    assert believes(NOW, NOW + step, []) is True


@pytest.mark.parametrize(
    ("ahead", "final", "verdict"),
    [
        ([NOW + 2 * HOUR], False, True),  # a quiet night
        ([NOW + 2 * HOUR - MINUTE + 1], False, True),
        ([NOW + 9 * HOUR], False, True),
        ([NOW + 2 * HOUR - MINUTE], False, False),
        ([NOW], False, False),
        ([], False, None),
        ([], True, True),
    ],
)
def test_a_jump_forward_is_believed_where_the_next_record_is_there(
    ahead: list[int], final: bool, verdict: bool | None
) -> None:
    assert believes(NOW, NOW + 2 * HOUR, ahead, final=final) is verdict


@pytest.mark.parametrize(
    ("ahead", "final", "verdict"),
    [
        ([NOW - HOUR + second for second in range(16)], False, True),  # the clock was set
        ([NOW - HOUR] * 15, False, None),
        ([NOW - HOUR] * 15, True, True),
        ([NOW - HOUR] * 15 + [NOW], False, False),
        ([NOW], False, False),
        ([NOW - MINUTE + 1], False, False),
        ([], False, None),
        ([], True, False),  # nothing confirms it
    ],
)
def test_a_step_back_is_believed_where_the_log_stays_there(
    ahead: list[int], final: bool, verdict: bool | None
) -> None:
    assert believes(NOW, NOW - HOUR, ahead, final=final) is verdict


def test_steps_back_are_counted() -> None:
    clock = at(NOW)
    for _ in range(3):
        assert clock.believes((clock.now or 0) - HOUR, iter([0] * 16), final=False)
    assert clock.steps_back == 3
