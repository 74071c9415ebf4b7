"""By what counts and times may be grouped: database, channel, exception, job, hour and so on."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from logparse.lifecycle.event import Event, Output
from logparse.out.label import cleaned

ENDINGS = frozenset({"done", "failed", "retried"})
"""The events that tell how an attempt ended."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS = ("1 Mon", "2 Tue", "3 Wed", "4 Thu", "5 Fri", "6 Sat", "7 Sun")


class Dimension(NamedTuple):
    """of: the value. timed: it follows from the time. by_event: only events of jobs have it."""

    of: Callable[[Output], str | None]
    timed: bool = False
    by_event: bool = False


def _time(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)


def _text(name: str) -> Callable[[Output], str | None]:
    def of(output: Output) -> str | None:
        value = getattr(output, name, None)
        return cleaned(value) if value is not None else None

    return of


DIMENSIONS: dict[str, Dimension] = {
    "database": Dimension(_text("db")),
    "channel": Dimension(_text("channel")),
    "exception": Dimension(_text("exception"), by_event=True),
    "reason": Dimension(_text("reason"), by_event=True),
    "job": Dimension(_text("uuid"), by_event=True),
    "server": Dimension(_text("server"), by_event=True),
    "worker": Dimension(lambda output: _pid(output), by_event=True),
    "minute": Dimension(lambda output: f"{_time(output.ts):%Y-%m-%d %H:%M}", timed=True),
    "hour": Dimension(lambda output: f"{_time(output.ts):%Y-%m-%d %H}:00", timed=True),
    "day": Dimension(lambda output: f"{_time(output.ts):%Y-%m-%d}", timed=True),
    "weekday": Dimension(lambda output: _DAYS[_time(output.ts).weekday()], timed=True),
    "clock": Dimension(lambda output: f"{_time(output.ts):%H}:00", timed=True),
}
"""By what may be grouped; times are UTC."""


def _pid(output: Output) -> str | None:
    # The process that proves a dispatch or a requeue is the runner's.
    if isinstance(output, Event) and output.event in ("started", *ENDINGS) and output.pid is not None:
        return str(output.pid)
    return None
