"""A job's story as a trace: spans of its waits and attempts, made of its events (docs/traces.md)."""

from collections import OrderedDict
from collections.abc import Iterator
from hashlib import sha256

import msgspec

from logparse.lifecycle.event import Event

_ENDS_ATTEMPT = frozenset({"done", "failed", "retried", "requeued", "lost", "cancelled"})
_ENDS_JOB = frozenset({"done", "failed", "cancelled", "lost"})
_GOES_BACK = frozenset({"retried", "requeued"})
# After these a worker may begin with the job.
_ASKED = frozenset({"dispatched", "refused"})
_ERRORS = frozenset({"failed", "lost"})
_MOST_SPANS = 200  # of a job that wait for its end
_MOST_MOMENTS = 100  # of one span
_REMEMBERED = 50_000  # jobs that ended

Attributes = dict[str, str | int | float | bool]


class Moment(msgspec.Struct, frozen=True):
    """An event within a span. time: ms since the epoch."""

    time: int
    name: str
    attributes: Attributes


class Span(msgspec.Struct):
    """kind: `job`, `waiting` or `attempt`. start, end: ms since the epoch.

    links: ids of spans of the same trace that led to this one. error: what went wrong, where it did; None
    where nothing did (ok), or where that is not known.
    """

    kind: str
    name: str
    trace: int
    id: int
    parent: int | None
    start: int
    end: int
    attributes: Attributes
    moments: list[Moment] = []
    links: list[int] = []
    error: str | None = None
    ok: bool = False


def trace_id(db: str | None, uuid: str) -> int:
    """128 bits that are always the same for a job of a database."""
    return _id(16, db or "", uuid)


def span_id(trace: int, *what: object) -> int:
    """64 bits that are always the same for a span of a trace."""
    return _id(8, trace, *what)


def _id(size: int, *what: object) -> int:
    text = "\0".join(map(str, what)).encode(errors="surrogatepass")
    return int.from_bytes(sha256(text).digest()[:size]) or 1


class Traces:
    """`add` events of jobs in the order in which they are told; the spans of a job come when it ends.

    most: jobs that are held while they go on; beyond, the one that nothing was told of for longest is
    given as far as it is known.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._jobs: OrderedDict[int, _Job] = OrderedDict()
        # The last span of a job that ended: if it goes on, it is no second root.
        self._ended: OrderedDict[int, int] = OrderedDict()

    def add(self, event: Event, texts: Attributes | None = None) -> list[Span]:
        """What is complete now. texts: what is to be told with the event, beside what it holds."""
        if event.uuid is None:
            return []
        trace = trace_id(event.db, event.uuid)
        job = self._jobs.get(trace)
        if job is None:
            job = self._jobs[trace] = _Job(trace, event, self._ended.pop(trace, None))
        self._jobs.move_to_end(trace)
        job.add(event, texts or {})
        if event.event in _ENDS_JOB:
            del self._jobs[trace]
            spans = job.close(event)
            self._ended[trace] = job.last
            if len(self._ended) > _REMEMBERED:
                self._ended.popitem(last=False)
            return spans
        if len(self._jobs) > self._most:
            _, oldest = self._jobs.popitem(last=False)
            return oldest.stay(oldest.newest)
        return job.some()

    def rest(self, now: int) -> Iterator[list[Span]]:
        """The jobs that have not ended, as they are at the end of the log; now: its clock, ms."""
        while self._jobs:
            _, job = self._jobs.popitem(last=False)
            yield job.stay(max(now, job.newest))


class _Job:
    """One job, from when it is first told of to its end; or from when it is told of again."""

    def __init__(self, trace: int, event: Event, before: int | None) -> None:
        self.last = 0
        self.newest = event.ts
        self._trace = trace
        self._root = span_id(trace, "job")
        self._again = before is not None or (event.attempt or 1) > 1
        self._id = span_id(trace, "job", event.ts) if self._again else self._root
        self._before = before
        self._start = event.ts
        self._known: Attributes = {"odoo.job.uuid": event.uuid or ""}
        if event.db is not None:
            self._known["db.namespace"] = event.db
        self._attempts = 0
        self._asked: int | None = None
        self._start_told = False
        self._waiting: Span | None = None
        self._attempt: Span | None = None
        self._spans: list[Span] = []

    def add(self, event: Event, texts: Attributes) -> None:
        """What happened next."""
        word = event.event
        self.newest = max(self.newest, event.ts)
        self._start = min(self._start, event.ts)
        if event.channel is not None:
            self._known["odoo.job.channel"] = event.channel
        if word == "started":
            self._begin(event, event.ts, told=event.evidence == "observed")
            return
        if word in _ASKED:
            self._asked = event.ts
        if word in _ENDS_ATTEMPT and self._attempt is None:
            if event.duration is not None:
                # The log begins within the attempt.
                self._begin(event, event.ts - round(event.duration * 1000), told=False)
            elif event.attempt is not None:
                # No line shows its start, only that there was one: after a worker was asked.
                self._begin(
                    event, event.ts if self._asked is None else min(self._asked, event.ts), told=False
                )
        if word in _ENDS_ATTEMPT and self._attempt is not None:
            self._end(event, texts)
        elif word not in _ENDS_JOB or self._waiting is not None:
            self._note(self._wait(event.ts), event, texts)
        if word in _ENDS_JOB:
            self._close_waiting(event.ts)
        elif word in _GOES_BACK:
            self._asked = None
            self._wait(event.ts)

    def some(self) -> list[Span]:
        """Spans that need not wait, where there are very many."""
        return self._taken() if len(self._spans) > _MOST_SPANS else []

    def close(self, event: Event) -> list[Span]:
        """The job ended with that event."""
        whole = self._whole(max(event.ts, self._start))
        whole.attributes["odoo.job.outcome"] = event.event
        whole.ok = event.event == "done"
        whole.error = _error(event)
        return [*self._taken(), whole]

    def stay(self, now: int) -> list[Span]:
        """It has not ended: as it is now."""
        for span in (self._waiting, self._attempt):
            if span is not None:
                span.end = max(now, span.start)
                span.attributes["odoo.job.open"] = True
                self._keep(span)
        self._waiting = self._attempt = None
        whole = self._whole(max(now, self._start))
        whole.attributes["odoo.job.open"] = True
        return [*self._taken(), whole]

    def _whole(self, end: int) -> Span:
        attributes: Attributes = {**self._known, "odoo.job.attempts": self._attempts}
        span = Span(
            "job",
            "job again" if self._again else "job",
            self._trace,
            self._id,
            None,
            self._start,
            end,
            attributes,
        )
        if self._again:
            span.parent = self._root
        if self._before is not None:
            span.links = [self._before]
        return span

    def _taken(self) -> list[Span]:
        spans, self._spans = self._spans, []
        for span in spans:
            span.attributes = {**self._known, **span.attributes}
        return spans

    def _wait(self, time: int) -> Span:
        if self._waiting is None:
            self._waiting = self._span("waiting", "waiting", time, {})
        return self._waiting

    def _close_waiting(self, time: int) -> None:
        if self._waiting is not None:
            self._waiting.end = max(time, self._waiting.start)
            self._keep(self._waiting)
            self._waiting = None

    def _begin(self, event: Event, time: int, *, told: bool) -> None:
        """told: whether a line says that it started then."""
        self._close_waiting(time)
        self._asked = None
        self._start_told = told
        if self._attempt is not None:  # its end is not in the log
            self._attempt.end = max(time, self._attempt.start)
            self._attempt.attributes["odoo.job.open"] = True
            self._keep(self._attempt)
        self._attempts += 1
        number = event.attempt if event.attempt is not None else self._attempts
        attributes: Attributes = {"odoo.job.attempt": number}
        if event.wait is not None:
            attributes["odoo.job.wait"] = event.wait
        self._attempt = self._span("attempt", f"attempt {number}", time, attributes)
        self._attempt.links = [link for link in (self.last or self._before,) if link]
        self.last = self._attempt.id

    def _end(self, event: Event, texts: Attributes) -> None:
        span, self._attempt = self._attempt, None
        if span is None:
            return
        span.end = max(event.ts, span.start)
        span.attributes |= _proof(event)
        span.attributes["odoo.job.outcome"] = event.event
        if event.duration is None and not self._start_told:
            span.attributes["odoo.job.start_unknown"] = True
        if event.reason is not None:
            span.attributes["odoo.job.reason"] = event.reason
        if event.sql_queries is not None:
            span.attributes["odoo.sql.queries"] = event.sql_queries
        if event.sql_time is not None:
            span.attributes["odoo.sql.seconds"] = event.sql_time
        span.ok = event.event == "done"
        span.error = _error(event)
        if event.exception is not None:
            span.moments.append(Moment(span.end, "exception", {"exception.type": event.exception, **texts}))
        elif texts:
            span.moments.append(Moment(span.end, event.event, texts))
        self._keep(span)

    def _note(self, span: Span, event: Event, texts: Attributes) -> None:
        attributes = _proof(event) | texts
        if event.reason is not None:
            attributes["odoo.job.reason"] = event.reason
        if len(span.moments) < _MOST_MOMENTS:
            span.moments.append(Moment(event.ts, event.event, attributes))
        else:
            span.attributes["logparse.left_out"] = int(span.attributes.get("logparse.left_out", 0)) + 1

    def _span(self, kind: str, name: str, time: int, attributes: Attributes) -> Span:
        self._start = min(self._start, time)
        own = span_id(self._trace, kind, time)
        return Span(kind, name, self._trace, own, self._id, time, time, attributes, [], [])

    def _keep(self, span: Span) -> None:
        self._spans.append(span)


def _error(event: Event) -> str | None:
    if event.event in _ERRORS:
        return event.exception or event.reason or event.event
    return event.reason or "requeued" if event.event == "requeued" else None


def _proof(event: Event) -> Attributes:
    """What proves it."""
    proof: Attributes = {
        "logparse.evidence": event.evidence,
        "logparse.pattern": event.pattern,
        "logparse.offset": event.offset,
        "log.file.path": event.file,
    }
    if event.pid is not None:
        proof["process.pid"] = event.pid
    if event.server is not None:
        proof["odoo.server"] = event.server
    return proof
