"""Adds up what the pipe tells into a report of a log."""

from collections import Counter
from collections.abc import Iterable, Sequence

import logparse
from logparse.lifecycle.event import Ended, Event, Output, QueueWait
from logparse.lifecycle.lifecycle import Lifecycle
from logparse.out.counts import OTHER, REQUEUE_REASONS, Counts
from logparse.out.label import cleaned
from logparse.out.report import (
    SCHEMA,
    Attempt,
    Channel,
    Class,
    Database,
    Input,
    Installation,
    Open,
    Percentiles,
    Repeated,
    Report,
)
from logparse.out.sketch import Sketch
from logparse.out.state import Series
from logparse.out.time import iso
from logparse.out.top import Longest, MostOften, Often
from logparse.out.visibility import visibility
from logparse.out.visible import EVENTS, Visibility
from logparse.pipe import Pipe
from logparse.source.error import shown as shown_path

TOP = 10
"""How many of the slowest attempts, of the most failing jobs and so on are named."""

_ENDINGS = frozenset({"done", "failed", "retried", "requeued", "lost"})
_MOST_SKETCHED_CHANNELS = 200
_MOST_REASONS = 20


class _Measures:
    """What is kept of one database beside the counters: a bounded amount, however many jobs it has."""

    def __init__(self, top: int) -> None:
        self.duration: dict[str, Sketch] = {}
        self.delay = Sketch()
        self.wait = Sketch()
        self.slowest = Longest(top)
        self.failing: MostOften[str] = MostOften()
        self.retried: MostOften[str] = MostOften()
        self.first_starts = 0


class Summary:
    """Adds up outputs: `add` each of them, then ask for the `result`.

    counts: where the counters are kept; shared with whoever exposes them as metrics. top: how many are named
    of each list. Memory does not grow with the number of jobs: percentiles come from sketches (within
    1 %), the most failing jobs from a table of 1,000 (logparse.out.top).
    """

    def __init__(self, counts: Counts | None = None, *, top: int = TOP) -> None:
        self.counts = counts if counts is not None else Counts()
        self._top = top
        self._measures: dict[str, _Measures] = {}
        self._words: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._sketched = 0
        self._first: int | None = None
        self._last: int | None = None

    def add(self, output: Output) -> None:
        """Take one output of the pipe."""
        self.counts.add(output)
        if isinstance(output, Event):
            ts = output.ts
            if self._first is None or ts < self._first:
                self._first = ts
            if self._last is None or ts > self._last:
                self._last = ts
            word = output.event
            self._words[word] += 1
            if word in _ENDINGS or word == "started":
                self._job(output, word)
            elif word == "runner_error":
                reason = cleaned(output.reason or "unknown")
                if reason not in self._errors and len(self._errors) >= _MOST_REASONS:
                    reason = OTHER
                self._errors[reason] += 1
        elif isinstance(output, Ended):
            if output.duration is not None:
                self._duration(output.db, output.channel, output.duration)
        elif isinstance(output, QueueWait):
            self._of(output.db, output.channel).wait.add(output.seconds)

    def _job(self, event: Event, word: str) -> None:
        measures = self._of(event.db, event.channel)
        if word == "started":
            measures.first_starts += event.attempt == 1
            if event.wait is not None:
                measures.delay.add(event.wait)
            return
        if event.duration is not None:
            measures.slowest.add(event)
        if event.uuid is None:
            return
        if word == "failed":
            measures.failing.add(event.uuid, event)
        elif word == "retried":
            measures.retried.add(event.uuid, event)

    def _of(self, db: str | None, channel: str | None) -> _Measures:
        label, _ = self.counts.labels(db, channel)
        measures = self._measures.get(label)
        if measures is None:
            measures = self._measures[label] = _Measures(self._top)
        return measures

    def _duration(self, db: str | None, channel: str | None, seconds: float) -> None:
        _, label = self.counts.labels(db, channel)
        sketches = self._of(db, channel).duration
        if label not in sketches and label and self._sketched >= _MOST_SKETCHED_CHANNELS:
            label = OTHER
        sketch = sketches.get(label)
        if sketch is None:
            sketch = sketches[label] = Sketch(buckets={})
            self._sketched += bool(label)
        sketch.add(seconds)

    @property
    def told(self) -> Counter[str]:
        """How many events of each word were told."""
        return self._words

    def result(self, pipe: Pipe, files: Sequence[str] = ()) -> Report:
        """The report of what was added, and of what the pipe is in now. files: the paths that were read."""
        sees = visibility(pipe, self._words)
        state = self.counts.to_state()
        by_db: dict[str, list[Series]] = {}
        for series in state.series:
            by_db.setdefault(series.db, []).append(series)
        opened = self._open(pipe)
        databases = [
            self._database(db, series, state.exceptions.get(db, {}), opened.get(db, {}), pipe.lifecycle, sees)
            for db, series in sorted(by_db.items(), key=lambda item: (item[0] == "", item[0]))
            if db or _anything(series) or opened.get(db)
        ]
        return Report(
            SCHEMA,
            logparse.__version__,
            iso(self._first),
            iso(self._last),
            what_was_read(pipe, files),
            sees,
            databases,
            self._installation(pipe, sees),
            dict(sorted(state.inferred.items())),
        )

    def _open(self, pipe: Pipe) -> dict[str, dict[str, tuple[int, int]]]:
        """Database -> state, as the tool names it -> (jobs, since when the oldest is there)."""
        life = pipe.lifecycle
        opened: dict[str, dict[str, tuple[int, int]]] = {}
        for db, channel, state, count, oldest in life.jobs.states():
            if state == "pending" and not life.sight.pending:
                continue
            name = "dispatched" if state in ("enqueued", "started") and not life.sight.started else state
            label, _ = self.counts.labels(db, channel)
            states = opened.setdefault(label, {})
            before = states.get(name, (0, oldest))
            states[name] = (before[0] + count, min(before[1], oldest))
        return opened

    def _database(
        self,
        db: str,
        series: list[Series],
        exceptions: dict[str, int],
        opened: dict[str, tuple[int, int]],
        life: Lifecycle,
        sees: Visibility,
    ) -> Database:
        measures = self._measures.get(db) or _Measures(0)
        events: dict[str, int | None] = {}
        for word in EVENTS:
            count = sum(one.events.get(word, 0) for one in series)
            events[word] = count if count or sees.shows(word) else None
        runs = sum(one.runs for one in series)
        done, failed, retried = events["done"], events["failed"], events["retried"]
        ends_shown = sees.shows("done") and sees.shows("failed")
        duration = Sketch(buckets={})
        for sketch in measures.duration.values():
            duration.merge(sketch)
        return Database(
            db=db or None,
            jobs=measures.first_starts if sees.shows("started") else None,
            events=events,
            requeued=_requeued(series, sees),
            runs=runs if runs or ends_shown else None,
            success_rate=done / (done + failed)
            if ends_shown and done is not None and failed is not None and done + failed
            else None,
            retry_rate=retried / runs if ends_shown and retried is not None and runs else None,
            duration=_percentiles(duration),
            dispatch_delay=_percentiles(measures.delay) if sees.shows("dispatch_delay") else None,
            queue_wait=_percentiles(measures.wait) if sees.shows("queue_wait") else None,
            exceptions=[
                Class(name or None, count)
                for name, count in sorted(exceptions.items(), key=lambda item: (-item[1], item[0]))
            ],
            slowest=[_attempt(event) for event in measures.slowest.events()],
            most_failing=[_repeated(often) for often in measures.failing.most(self._top)],
            most_retried=[_repeated(often) for often in measures.retried.most(self._top)],
            channels=_channels(series, measures),
            open=_opened(opened, life, sees),
        )

    def _installation(self, pipe: Pipe, sees: Visibility) -> Installation:
        words = self._words

        def shown(word: str) -> int | None:
            return words[word] if words[word] or sees.shows("runner") else None

        kills: Counter[str] = Counter()
        for server in self.counts.to_state().servers.values():
            kills.update(server.kills)
        return Installation(
            runner_starts=shown("runner_started"),
            runner_stops=shown("runner_stopped"),
            runner_errors=dict(self._errors.most_common()),
            runner_last_activity=iso(max(pipe.lifecycle.runner_activity.values(), default=None)),
            servers_started=shown("server_started"),
            servers_stopped=shown("server_stopped"),
            workers_started=shown("worker_started"),
            workers_stopped=shown("worker_stopped"),
            worker_kills=dict(kills.most_common()),
        )


def _anything(series: Iterable[Series]) -> bool:
    return any(one.events or one.runs for one in series)


def _requeued(series: Iterable[Series], sees: Visibility) -> dict[str, int | None]:
    counted: Counter[str] = Counter()
    for one in series:
        counted.update(one.requeued)
    by_hand = sees.shows("requeued")
    return {
        reason: counted[reason] if counted[reason] or reason != "manual" or by_hand else None
        for reason in REQUEUE_REASONS
    }


def _percentiles(sketch: Sketch) -> Percentiles | None:
    most = sketch.most
    if most is None:
        return None

    def at(share: float) -> float:
        value = sketch.quantile(share)
        return round(value, 3) if value is not None else most

    return Percentiles(
        sketch.count,
        round(sketch.sum / sketch.count, 3),
        at(0.5),
        at(0.9),
        at(0.95),
        at(0.99),
        round(most, 3),
    )


def _attempt(event: Event) -> Attempt:
    return Attempt(
        _text(event.uuid),
        round(event.duration or 0.0, 3),
        iso(event.ts) or "",
        event.event,
        event.attempt,
        _text(event.channel),
        shown_path(event.file),
        event.offset,
    )


def _repeated(often: Often[str]) -> Repeated:
    last = often.last
    return Repeated(
        _text(often.key),
        often.at_least,
        often.at_least == often.at_most,
        iso(last.ts) or "",
        _text(last.exception),
        _text(last.channel),
    )


def _channels(series: Iterable[Series], measures: _Measures) -> list[Channel]:
    """By channel; none where no line told any."""
    told = [one for one in series if one.events or one.runs]
    if not any(one.channel for one in told):
        return []
    channels = []
    for one in sorted(told, key=lambda item: (item.channel == "", item.channel)):
        sketch = measures.duration.get(one.channel)
        channels.append(
            Channel(
                one.channel or None,
                {word: one.events[word] for word in EVENTS if word in one.events},
                one.runs,
                _percentiles(sketch) if sketch is not None else None,
            )
        )
    return channels


def _opened(opened: dict[str, tuple[int, int]], life: Lifecycle, sees: Visibility) -> list[Open]:
    """The states in the order of a job's life, those that the log cannot show as None."""
    names = ("pending", *(("enqueued", "started") if life.sight.started else ("dispatched",)), "unsettled")
    dispatches = sees.shows("dispatched")
    shown = {"pending": life.sight.pending, "enqueued": dispatches, "dispatched": dispatches}
    result = []
    for name in names:
        count, oldest = opened.get(name, (0, None))
        result.append(Open(name, count if count or shown.get(name, True) else None, iso(oldest)))
    return result


def what_was_read(pipe: Pipe, files: Sequence[str]) -> Input:
    """What went into the report, of the whole log."""
    tally, life = pipe.tally, pipe.lifecycle
    rejected = Counter(tally.rejected)
    rejected.update(life.rejected)
    return Input(
        [shown_path(file) for file in files],
        tally.bytes,
        tally.lines,
        iso(tally.first),
        iso(tally.last),
        pipe.matcher.odoo,
        sum(count for name, count in pipe.facts.items() if "uuid" in pipe.patterns[name].names),
        dict(rejected.most_common()),
        {cleaned(logger): count for logger, count in pipe.unmatched.most_common()},
        tally.truncated,
        tally.decode_errors,
        tally.clock_skew,
        len(life.jobs),
        life.jobs.evicted,
    )


def _text(value: str | None) -> str | None:
    return cleaned(value) if value is not None else None
