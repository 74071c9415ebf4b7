"""Judges whether a record's time can be true, by the times of the records around it."""

from collections.abc import Iterator

_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
_YEAR = 366 * _DAY
# A step back is believed when the log stays there for so many records.
_STAYS = 16


class Clock:
    """The log's own clock: the time of the last record that was believed.

    The file is in time order but for some milliseconds between processes; a record that is far from both
    its neighbours is text inside a message. A real step (a clock that was set, the end of summer time on
    Windows) shows in all that follows.
    """

    def __init__(self) -> None:
        self.now: int | None = None
        self.steps_back = 0

    def believes(self, time: int, ahead: Iterator[int], *, final: bool) -> bool | None:
        """Whether to believe `time` (ms), given the times of the headers that follow; then it is the clock's.

        None: not enough follows yet to tell; only where not `final`.
        """
        now = self.now
        if now is None:
            verdict = _first(time, ahead, final)
        elif -_MINUTE <= time - now <= _HOUR:
            verdict = True
        elif time > now:
            verdict = _forward(time, ahead, final)
        else:
            verdict = _backward(now, ahead, final)
            if verdict:
                self.steps_back += 1
        if verdict:
            self.now = time
        return verdict


def _first(time: int, ahead: Iterator[int], final: bool) -> bool | None:
    """The same where nothing was believed yet.

    That time goes on to those that follow speaks for it, however sparse the log is, such as one of warnings
    alone. But nobody waits for years, and what is later than they are is out of order.
    """
    one, two = next(ahead, None), next(ahead, None)
    if one is None or two is None:
        return True if final else None
    if abs(one - two) > _HOUR:
        return True  # they are as far from each other, and so nobody's neighbours
    return min(one, two) - _YEAR <= time < max(one, two) + _DAY


def _forward(time: int, ahead: Iterator[int], final: bool) -> bool | None:
    following = next(ahead, None)
    if following is None:
        return True if final else None
    return following > time - _MINUTE


def _backward(now: int, ahead: Iterator[int], final: bool) -> bool | None:
    count = 0
    for following in ahead:
        if following > now - _MINUTE:
            return False
        count += 1
        if count == _STAYS:
            return True
    return count > 0 if final else None
