"""The numbers behind a page's charts, as the page's script reads them."""

from collections.abc import Callable

import msgspec

from logparse.lifecycle.event import JOB_EVENTS
from logparse.out.report import Percentiles, Report
from logparse.out.timeline import GAMMA, STATES, ZERO, Cell, Steps, Timeline
from logparse.out.visible import MEASURES

MOST_BYTES = 1_200_000
"""Of the numbers; beyond it the intervals are made wider."""
_FEWEST = 40


class Lane(msgspec.Struct):
    """One channel of a database: for each interval a number; what is 0 in all of them is left out.

    run, delay, wait: for each interval [its index, step, count, step, count, …]; of those that hold any.
    open: by state. left: open at its end. oldest, longest: seconds (logparse.out.timeline.Cell).
    """

    db: str
    channel: str
    counts: dict[str, list[int]]
    ended: list[int]
    run: list[list[int]]
    delay: list[list[int]]
    wait: list[list[int]]
    open: dict[str, list[int]]
    left: list[int]
    oldest: list[float]
    longest: list[float]


class Exact(msgspec.Struct):
    """Percentiles as the report has them. db, channel: None for all of them."""

    db: str | None
    channel: str | None
    run: Percentiles | None
    delay: Percentiles | None = None
    wait: Percentiles | None = None


class Data(msgspec.Struct):
    """start: when the first interval begins, ms since the epoch; width: of each, ms; length: how many.

    marks: (interval, kind, how often, what of it). hidden: what the log cannot show -> why. starts: whether
    a job that runs is told apart from one that waits for a worker.
    """

    start: int
    width: int
    length: int
    gamma: float
    zero: int
    lanes: list[Lane]
    marks: list[tuple[int, str, int, list[str]]]
    exact: list[Exact]
    hidden: dict[str, str]
    starts: bool


def encoded(report: Report, timeline: Timeline) -> bytes:
    """As JSON that may stand in a script element: no `<`, `>` or `&` is in it, whatever the log holds."""
    while True:
        content = msgspec.json.encode(_data(report, timeline))
        if len(content) <= MOST_BYTES or len(timeline.intervals) <= _FEWEST:
            break
        timeline.widen()
    for char in b"<>&":
        content = content.replace(bytes([char]), b"\\u%04x" % char)
    return content


def _data(report: Report, timeline: Timeline) -> Data:
    intervals = timeline.intervals
    sees = report.visibility
    exact = [Exact(None, None, report.duration, report.dispatch_delay, report.queue_wait)]
    for database in report.databases:
        db = database.db or ""
        exact.append(Exact(db, None, database.duration, database.dispatch_delay, database.queue_wait))
        exact += [Exact(db, one.channel or "", one.duration) for one in database.channels]
    return Data(
        intervals.start * timeline.width,
        timeline.width,
        len(intervals),
        GAMMA,
        ZERO,
        [
            _lane(lane.db, lane.channel, [lane.cells.get(interval) for interval in intervals])
            for lane in timeline.lanes.values()
            if lane.cells
        ],
        [
            (interval - intervals.start, kind, mark.count, mark.notes)
            for (interval, kind), mark in sorted(timeline.marks.items())
        ],
        exact,
        {what: sees[what].why for what in (*JOB_EVENTS, *MEASURES) if not sees.shows(what)},
        sees["started"].shown == "yes",
    )


def _lane(db: str, channel: str, cells: list[Cell | None]) -> Lane:
    def numbers(of: Callable[[Cell], int]) -> list[int]:
        found = [of(cell) if cell is not None else 0 for cell in cells]
        return found if any(found) else []

    def seconds(of: Callable[[Cell], float]) -> list[float]:
        found = [round(of(cell), 1) if cell is not None else 0 for cell in cells]
        return found if any(found) else []

    def steps(of: Callable[[Cell], Steps]) -> list[list[int]]:
        return [
            [index, *(number for item in sorted(of(cell).items()) for number in item)]
            for index, cell in enumerate(cells)
            if cell is not None and of(cell)
        ]

    def by(index: int) -> list[int]:
        return numbers(lambda cell: cell.counts[index])

    def state(index: int) -> list[int]:
        return numbers(lambda cell: cell.open[index])

    return Lane(
        db,
        channel,
        {word: found for index, word in enumerate(JOB_EVENTS) if (found := by(index))},
        numbers(lambda cell: cell.ended),
        steps(lambda cell: cell.run),
        steps(lambda cell: cell.delay),
        steps(lambda cell: cell.wait),
        {name: found for index, name in enumerate(STATES) if (found := state(index))},
        numbers(lambda cell: cell.left),
        seconds(lambda cell: cell.oldest),
        seconds(lambda cell: cell.longest),
    )
