"""One job's whole story: its events, its own lines, the tracebacks of its failures, and what is open."""

from collections import deque
from collections.abc import Iterable, Sequence

import msgspec

from logparse.lifecycle.event import Event, Output
from logparse.match.fact import Fact
from logparse.out.selection import Selection
from logparse.out.sink import NEVER
from logparse.out.steps import NEAR, Line, Step, Trace, line_of, steps_of
from logparse.pipe import Pipe, Tap

_MOST_JOBS = 50
"""Jobs whose lines are kept while it is not known yet that the beginning of the uuid is ambiguous."""
_MOST_NAMES = 1000
_MOST_LINES = 5000
_MOST_TRACES = 512
_OUTCOMES = frozenset({"done", "failed", "cancelled", "lost"})


class Story(msgspec.Struct, frozen=True):
    """One job. state: what is open (`pending`, `dispatched`, `enqueued`, `started`, `unsettled`), or None.

    outcome: the last of done, failed, cancelled and lost, unless it was queued or dispatched again since.
    attempts: that ended or are under way. left_out: lines beyond the limit of 5,000. outside: lines before or
    after the span that is asked for; of this span all else but uuid, db and channel tells.
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
    outside: int = 0


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
    outside: int = 0
    first: int = NEVER
    last: int = 0


class Stories(Tap):
    """Looks on at a pipe, and keeps what is about the jobs whose uuid begins with `prefix`.

    Set it as the pipe's `tap`. selection: the span that is told; what is of it may be known only from what
    was before.
    """

    def __init__(self, prefix: str, selection: Selection = Selection()) -> None:  # noqa: B008 (frozen)
        self._prefix = prefix
        self._selection = selection
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
        time = fact.record.time
        job.first, job.last = min(job.first, time), max(job.last, time)
        if not self._selection.covers(time):
            job.outside += 1
        elif len(job.lines) >= _MOST_LINES:
            job.left_out += 1
        else:
            line = line_of(fact, believed=believed)
            job.lines[line.place] = line
        if believed and len(job.traces) < _MOST_TRACES:
            record = fact.record
            for trace in self._last_traces:
                own = (trace.line.server, trace.line.pid) == (record.server, record.pid)
                if own or record.time - trace.line.time <= NEAR:
                    job.traces[trace.line.place] = trace

    def told(self, outputs: Sequence[Output], now: int) -> None:  # noqa: ARG002 (a tap's)
        """Keep the events of such jobs, of whatever time: what is selected follows from them."""
        for output in outputs:
            self.add(output)

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

    def period(self, uuid: str) -> tuple[int, int] | None:
        """The times of the first and the last line that names the job, selected or not."""
        job = self._jobs.get(uuid)
        return None if job is None or job.first == NEVER else (job.first, job.last)

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
        selection, life = self._selection, pipe.lifecycle
        known = life.jobs.get(db, uuid)
        state = known.state if known is not None and known.state != "closed" else None
        since = known.since if known is not None and state is not None else None
        if since is not None and selection.end_ms is not None and since >= selection.end_ms:
            state = since = None
        by_cron = any("cron" in event.pattern for event in events)
        if state in ("enqueued", "started") and not life.sight.started and not by_cron:
            state = "dispatched"
        selected = [event for event in events if selection.covers(event.ts)]
        return Story(
            uuid,
            db,
            next((event.channel for event in reversed(events) if event.channel), None),
            _outcome(selected),
            state,
            since,
            len({event.attempt for event in selected if event.attempt}),
            steps_of(events, lines, list(job.traces.values()), pipe, selection),
            job.left_out,
            job.outside,
        )


def _outcome(events: Iterable[Event]) -> str | None:
    outcome = None
    for event in events:
        if event.event in _OUTCOMES:
            outcome = event.event
        elif event.event in ("queued", "dispatched", "started", "retried", "requeued"):
            outcome = None
    return outcome
