"""What happened to one job, in the order of time: each event with its line, each failure with its trace."""

import msgspec

from logparse.lifecycle.event import Event
from logparse.match.fact import Fact
from logparse.out.selection import Selection
from logparse.pipe import Pipe

_LONGEST_BODY = 64 * 1024
# A failure that only the runner's request shows ends within its time limit of 1 s, and a little (ms).
NEAR = 2_000
# How much earlier than an attempt's computed start its traceback may be: the log's own rounding; and how
# much later than its end, where another process tells that (ms).
_ROUNDING, _LATER = 5, 50

_ENDINGS = frozenset({"done", "failed", "retried", "requeued", "lost"})


class Line(msgspec.Struct, frozen=True):
    """A record of the log. time: ms since the epoch, UTC. text: the message, with its continuation lines.

    cut: more lines followed than are kept. believed: False where it cannot be what it says (docs/trust.md).
    """

    time: int
    pid: int | None
    level: str
    db: str | None
    logger: str
    text: str
    pattern: str
    file: str
    offset: int
    cut: bool = False
    believed: bool = True
    server: str | None = None

    @property
    def place(self) -> tuple[str, int]:
        """What identifies it."""
        return self.file, self.offset


class Trace(msgspec.Struct, frozen=True):
    """A traceback, and the class of exception that it ends in."""

    line: Line
    exception: str | None


class Step(msgspec.Struct, frozen=True):
    """What happened at a time (ms since the epoch, UTC).

    event: None for a line that proves none. line: the record, once, with the event at whose time it was
    written. trace: of a failure, where it is certain which one it is; else maybe: those that it may be.
    """

    time: int
    event: Event | None
    line: Line | None
    trace: Line | None = None
    maybe: tuple[Line, ...] = ()


def line_of(fact: Fact, *, believed: bool) -> Line:
    """The record of a fact, with the continuation lines that are kept."""
    record = fact.record
    body = record.body
    cut = len(body) > _LONGEST_BODY
    text = f"{record.message}\n{body[:_LONGEST_BODY]}" if body else record.message
    return Line(
        record.time,
        record.pid,
        record.level,
        fact.db,
        record.logger,
        text.rstrip(),
        fact.pattern,
        record.file,
        record.offset,
        cut,
        believed,
        record.server,
    )


def steps_of(
    events: list[Event], lines: list[Line], traces: list[Trace], pipe: Pipe, selection: Selection
) -> list[Step]:
    """Events and lines that are selected by their times, in the order of time, each line once.

    events: all of the job, since an earlier one may tell when what is selected began.
    """
    lines = [line for line in lines if selection.covers(line.time)]
    by_place = {line.place: line for line in lines}
    # The event at which a line is shown: one of the line's own time, rather than one inferred from it.
    shown_at: dict[tuple[str, int], int] = {}
    for index, event in enumerate(events):
        place = (event.file, event.offset)
        line = by_place.get(place)
        if line is None or not selection.covers(event.ts):
            continue
        if place not in shown_at or event.ts == line.time:
            shown_at[place] = index
    order = []
    began: int | None = None
    for index, event in enumerate(events):
        place = (event.file, event.offset)
        if event.event == "started":
            began = event.ts
        found = traces_of(event, began, traces, pipe) if event.event == "failed" else ()
        trace, maybe = (found[0], ()) if len(found) == 1 else (None, found)
        if event.event in _ENDINGS:
            began = None
        if not selection.covers(event.ts):
            continue
        line = by_place[place] if shown_at.get(place) == index else None
        order.append((event.ts, event.offset, index, Step(event.ts, event, line, trace, maybe)))
    order += [
        (line.time, line.offset, -1, Step(line.time, None, line))
        for line in lines
        if line.place not in shown_at
    ]
    order.sort(key=lambda item: item[:3])
    return [step for _, _, _, step in order]


def traces_of(event: Event, began: int | None, traces: list[Trace], pipe: Pipe) -> tuple[Line, ...]:
    """The tracebacks that may be a failure's: of its process, between its start and its end.

    One, where it is certain: in a process that runs one job at a time, its last.
    """
    for trace in traces:
        if trace.line.place == (event.file, event.offset):
            return (trace.line,)
    if event.duration is not None:
        began = event.ts - round(event.duration * 1000)
    by_runner = any(".jobrunner" in logger for logger in pipe.patterns[event.pattern].loggers)
    if began is None or (by_runner and event.duration is None):
        began = event.ts - NEAR
    start = began - _ROUNDING
    near = [
        trace for trace in traces if trace.line.believed and start <= trace.line.time <= event.ts + _LATER
    ]
    own = [trace for trace in near if _before(trace.line, event)]
    if own and not pipe.lifecycle.processes.shares(event.server, event.pid):
        return (own[-1].line,)
    alike = [trace for trace in (near if by_runner else own) if event.exception in (None, trace.exception)]
    return tuple(trace.line for trace in alike)


def _before(line: Line, event: Event) -> bool:
    """Whether the line is of the process that proves the event, and was written before that proof."""
    if line.pid != event.pid or line.server not in (None, event.server) or line.time > event.ts:
        return False
    return line.file != event.file or line.offset < event.offset
