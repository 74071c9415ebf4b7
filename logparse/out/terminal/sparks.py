"""Small pictures of what happened when: a row of characters as high as the numbers of each interval."""

from collections.abc import Callable, Sequence
from itertools import chain

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from logparse.lifecycle.event import JOB_EVENTS
from logparse.out.terminal.layout import COLOURS
from logparse.out.time import iso
from logparse.out.timeline import Cell, Steps, Timeline, quantile
from logparse.out.units import duration, number, parsed

_BARS, _ASCII = " ▁▂▃▄▅▆▇█", " .:-=+*#@"
_MOST = 60  # characters of a row
_LABELS = 50  # and of what stands beside it


def sparks(timeline: Timeline, width: int) -> Table | None:
    """Attempts, failures, run times and what was open; None where that is too little to draw."""
    columns = _columns(timeline, _together(timeline, width))
    if len(columns) < 3:
        return None
    per = _together(timeline, width) * timeline.width / 1000
    span = f"{per:.0f} s" if per < 60 else duration(per)
    table = Table.grid(padding=(0, 2))
    for _ in range(2):
        table.add_column(no_wrap=True)
    table.add_column()

    def row(name: str, values: Sequence[float | None], told: Callable[[float], str], style: str = "") -> None:
        known = [value for value in values if value]
        if not known:
            return
        most = max(known)
        at = iso(columns[list(values).index(most)][0])
        when = f", {parsed(at):%H:%M}" if at is not None else ""
        table.add_row(name, _Bars(values, most, style), Text(f"{told(most)}{when}", "dim"))

    def each(count: float) -> str:
        return f"at most {number(round(count))} in {span}"

    ended = [sum(cell.ended for cell in flat(cells)) for _, cells in columns]
    if any(ended):
        row("attempts", ended, each)
    else:
        row("dispatched", _counted(columns, "dispatched"), each)
    for word in ("failed", "retried"):
        row(word, _counted(columns, word), each, COLOURS[word])
    times = [_p95(cells) for _, cells in columns]
    row("run time p95", times, lambda value: f"at most {duration(value)}")
    jobs = [max(map(_open, cells), default=0) for _, cells in columns]
    row("open jobs", jobs, lambda value: f"at most {number(round(value))}")
    return table if table.row_count else None


class _Bars:
    def __init__(self, values: Sequence[float | None], most: float, style: str) -> None:
        self._values = values
        self._most = most
        self._style = style

    def _text(self, options: ConsoleOptions) -> Text:
        bars = _ASCII if options.ascii_only else _BARS
        steps = len(bars) - 1
        highs = [-int(-(value or 0) / self._most * steps // 1) for value in self._values]
        return Text("".join(bars[min(steps, high)] for high in highs), self._style)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._text(options)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(len(self._values), len(self._values))


Column = tuple[int, list[list[Cell]]]
"""When it begins (ms), and of each of its intervals the cells of all lanes."""

flat = chain.from_iterable


def _together(timeline: Timeline, width: int) -> int:
    """How many intervals make one character."""
    return max(1, -(-len(timeline.intervals) // max(10, min(_MOST, width - _LABELS))))


def _columns(timeline: Timeline, together: int) -> list[Column]:
    intervals = timeline.intervals
    columns: list[Column] = []
    for start in intervals[::together]:
        cells = [
            [lane.cells[interval] for lane in timeline.lanes.values() if interval in lane.cells]
            for interval in range(start, min(start + together, intervals.stop))
        ]
        columns.append((start * timeline.width, cells))
    return columns


def _counted(columns: list[Column], word: str) -> list[int]:
    index = JOB_EVENTS.index(word)
    return [sum(cell.counts[index] for cell in flat(cells)) for _, cells in columns]


def _p95(cells: list[list[Cell]]) -> float | None:
    steps: Steps = {}
    for cell in flat(cells):
        for step, count in cell.run.items():
            steps[step] = steps.get(step, 0) + count
    return quantile(steps, 0.95) if steps else None


def _open(cells: list[Cell]) -> int:
    return sum(sum(cell.open[:3]) for cell in cells)
