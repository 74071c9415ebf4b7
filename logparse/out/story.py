"""One job's whole story: its events, its own lines, the tracebacks of its failures, and what is open."""

from collections import deque
from collections.abc import Iterable

import msgspec

from logparse.lifecycle.event import Event, Output
from logparse.match.fact import Fact
from logparse.pipe import Pipe, Tap

_MOST_JOBS = 50
"""Jobs whose lines are kept while it is not known yet that the beginning of the uuid is ambiguous."""
_MOST_NAMES = 1000
_MOST_LINES = 5000
_MOST_TRACES = 512
_LONGEST_BODY = 64 * 1024
# A failure that only the runner's request shows ends within its time limit of 1 s, and a little (ms).
_NEAR = 2_000
# How much earlier than an attempt's computed start its traceback may be: the log's own rounding; and how
# much later than its end, where another process tells that (ms).
_ROUNDING, _LATER = 5, 50

_ENDINGS = frozenset({"done", "failed", "retried", "requeued", "lost"})
_OUTCOMES = frozenset({"done", "failed", "cancelled", "lost"})


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


class Story(msgspec.Struct, frozen=True):
    """One job. state: what is open (`pending`, `dispatched`, `enqueued`, `started`, `unsettled`), or None.

    outcome: the last of done, failed, cancelled and lost, unless it was queued or dispatched again since.
    attempts: that ended or are under way. left_out: lines beyond the limit of 5,000.
    """

    uuid: str
    db: str | None
    channel: str | None
    outcome: str | None
    state: str | None
    since: int | None
    attempts: int
    steps: list[Step]
    left_out: int


class Candidate(msgspec.Struct, frozen=True):
    """A job whose uuid begins as asked. last: its last event, None where no event was told; db: of it."""

    uuid: str
    db: str | None
    last: Event | None


class _Job(msgspec.Struct):
    lines: dict[tuple[str, int], Line]
    traces: dict[tuple[str, int], Trace]
    events: list[Event]
    left_out: int = 0


class Stories(Tap):
    """Looks on at a pipe, and keeps what is about the jobs whose uuid begins with `prefix`.

    Set it as the pipe's `tap`, and `add` what the pipe tells.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._jobs: dict[str, _Job] = {}
        self._names: dict[str, None] = {}
        self._last_traces: deque[Trace] = deque(maxlen=_MOST_TRACES)

    def fact(self, fact: Fact, *, believed: bool) -> None:
        """Keep it if it is about such a job, or a traceback, which names none."""
        uuid = fact.uuid
        if uuid is None:
            if fact.kind == "failed" and fact.confidence == "implies":
                line = line_of(fact, believed=believed)
                self._last_traces.append(Trace(line, fact.fields.get("exception")))
            return
        if not uuid.startswith(self._prefix):
            return
        job = self._job(uuid)
        if job is None:
            return
        if len(job.lines) >= _MOST_LINES:
            job.left_out += 1
        else:
            line = line_of(fact, believed=believed)
            job.lines[line.place] = line
        if believed and len(job.traces) < _MOST_TRACES:
            record = fact.record
            for trace in self._last_traces:
                own = (trace.line.server, trace.line.pid) == (record.server, record.pid)
                if own or record.time - trace.line.time <= _NEAR:
                    job.traces[trace.line.place] = trace

    def add(self, output: Output) -> None:
        """Keep an event of such a job."""
        if isinstance(output, Event) and output.uuid is not None and output.uuid.startswith(self._prefix):
            job = self._job(output.uuid)
            if job is not None and len(job.events) < _MOST_LINES:
                job.events.append(output)

    def _job(self, uuid: str) -> _Job | None:
        job = self._jobs.get(uuid)
        if job is None:
            if len(self._names) < _MOST_NAMES:
                self._names[uuid] = None
            if len(self._jobs) >= _MOST_JOBS:
                return None
            job = self._jobs[uuid] = _Job({}, {}, [])
        return job

    def candidates(self) -> list[Candidate]:
        """The jobs whose uuid begins so, in the order in which the log names them; at most 1,000."""
        found = []
        for uuid in self._names:
            events = self._jobs[uuid].events if uuid in self._jobs else []
            last = events[-1] if events else None
            found.append(Candidate(uuid, last.db if last is not None else None, last))
        return found

    def stories(self, uuid: str, pipe: Pipe) -> list[Story]:
        """The story of the job of this uuid, in each database that has one."""
        job = self._jobs.get(uuid)
        if job is None:
            return []
        dbs = dict.fromkeys(event.db for event in job.events)
        if len(dbs) > 1:
            dbs.pop(None, None)
        return [self._story(uuid, db, job, pipe, only=len(dbs) <= 1) for db in dbs or {None: None}]

    def _story(self, uuid: str, db: str | None, job: _Job, pipe: Pipe, *, only: bool) -> Story:
        events = [event for event in job.events if only or event.db == db]
        proofs = {(event.file, event.offset) for event in events}
        lines = [line for line in job.lines.values() if only or line.db == db or line.place in proofs]
        life = pipe.lifecycle
        known = life.jobs.get(db, uuid)
        state = known.state if known is not None and known.state != "closed" else None
        since = known.since if known is not None and state is not None else None
        by_cron = any("cron" in event.pattern for event in events)
        if state in ("enqueued", "started") and not life.sight.started and not by_cron:
            state = "dispatched"
        return Story(
            uuid,
            db,
            next((event.channel for event in reversed(events) if event.channel), None),
            _outcome(events),
            state,
            since,
            max((event.attempt or 0 for event in events), default=0),
            _steps(events, lines, list(job.traces.values()), pipe),
            job.left_out,
        )


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


def _outcome(events: Iterable[Event]) -> str | None:
    outcome = None
    for event in events:
        if event.event in _OUTCOMES:
            outcome = event.event
        elif event.event in ("queued", "dispatched", "started", "retried", "requeued"):
            outcome = None
    return outcome


def _steps(events: list[Event], lines: list[Line], traces: list[Trace], pipe: Pipe) -> list[Step]:
    """Events and lines in the order of time, each line once."""
    by_place = {line.place: line for line in lines}
    # The event at which a line is shown: one of the line's own time, rather than one inferred from it.
    shown_at: dict[tuple[str, int], int] = {}
    for index, event in enumerate(events):
        place = (event.file, event.offset)
        line = by_place.get(place)
        if line is not None and (place not in shown_at or event.ts == line.time):
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
        began = event.ts - _NEAR
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
