"""Adds up what the pipe tells into a report of a log."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence

import logparse
from logparse.lifecycle.event import JOB_EVENTS, Ended, Event, Output, QueueWait
from logparse.lifecycle.lifecycle import Lifecycle
from logparse.out import entries
from logparse.out.counts import OTHER, Counts
from logparse.out.label import cleaned
from logparse.out.report import (
    SCHEMA,
    Class,
    Database,
    Installation,
    Report,
)
from logparse.out.request_report import RequestReport, request_report
from logparse.out.sketch import Sketch
from logparse.out.state import Series
from logparse.out.time import iso
from logparse.out.top import Longest, MostOften
from logparse.out.visibility import visibility
from logparse.out.visible import Visibility
from logparse.pipe import Pipe

TOP = 10
"""How many of the slowest attempts, of the most failing jobs and so on are named."""

_TIMED = frozenset({"started", "done", "failed", "retried", "requeued", "lost"})
_NEVER = 2**63
_MOST_NAMES = 10_000
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
        self.lost: deque[Event] = deque(maxlen=top)
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
        # as the log names database and channel -> their measures, and the channel's label
        self._by_raw: dict[tuple[str | None, str | None], tuple[_Measures, str]] = {}
        self._words: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._sketched = 0
        self._first, self._last = _NEVER, -_NEVER

    def add(self, output: Output) -> None:
        """Take one output of the pipe."""
        self.add_all((output,))

    def add_all(self, outputs: Sequence[Output]) -> None:
        """Take these, in their order."""
        self.counts.add_all(outputs)
        words, by_raw = self._words, self._by_raw
        first, last = self._first, self._last
        for output in outputs:
            if type(output) is Ended:
                if output.duration is not None:
                    key = (output.db, output.channel)
                    measures, channel = by_raw.get(key) or self._of(*key)
                    sketch = measures.duration.get(channel)
                    (sketch if sketch is not None else self._sketch(measures, channel)).add(output.duration)
            elif isinstance(output, Event):
                ts, word = output.ts, output.event
                if ts < first:
                    first = ts
                if ts > last:
                    last = ts
                words[word] = words.get(word, 0) + 1
                if word not in _TIMED:
                    if word == "runner_error":
                        self._error(output.reason)
                    continue
                key = (output.db, output.channel)
                measures, _ = by_raw.get(key) or self._of(*key)
                if word != "started":
                    self._end(measures, output, word)
                    continue
                measures.first_starts += output.attempt == 1
                if output.wait is not None:
                    measures.delay.add(output.wait)
            elif isinstance(output, QueueWait):
                key = (output.db, output.channel)
                measures, _ = by_raw.get(key) or self._of(*key)
                measures.wait.add(output.seconds)
        self._first, self._last = first, last

    def _error(self, reason: str | None) -> None:
        reason = cleaned(reason or "unknown")
        if reason not in self._errors and len(self._errors) >= _MOST_REASONS:
            reason = OTHER
        self._errors[reason] += 1

    def _end(self, measures: _Measures, event: Event, word: str) -> None:
        if event.duration is not None:
            measures.slowest.add(event)
        if event.uuid is None:
            return
        if word == "failed":
            measures.failing.add(event.uuid, event)
        elif word == "retried":
            measures.retried.add(event.uuid, event)
        elif word == "lost":
            measures.lost.append(event)

    def _of(self, db: str | None, channel: str | None) -> tuple[_Measures, str]:
        label, channel_label = self.counts.labels(db, channel)
        measures = self._measures.get(label)
        if measures is None:
            measures = self._measures[label] = _Measures(self._top)
        if len(self._by_raw) > _MOST_NAMES:
            self._by_raw.clear()
        found = self._by_raw[db, channel] = (measures, channel_label)
        return found

    def _sketch(self, measures: _Measures, channel: str) -> Sketch:
        """The durations of a channel that may be new; beyond the limit, of all others."""
        if channel and self._sketched >= _MOST_SKETCHED_CHANNELS:
            channel = OTHER
        sketch = measures.duration.get(channel)
        if sketch is None:
            sketch = measures.duration[channel] = Sketch()
            self._sketched += bool(channel)
        return sketch

    def named(self) -> set[str]:
        """The uuids of the jobs that the report names, or may come to name."""
        named: set[str] = set()
        for measures in self._measures.values():
            events = (*measures.slowest.events(), *measures.lost)
            named.update(event.uuid for event in events if event.uuid is not None)
            named.update(measures.failing.keys())
            named.update(measures.retried.keys())
        return named

    def _durations(self) -> Iterator[Sketch]:
        for measures in self._measures.values():
            yield from measures.duration.values()

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
        opened = self._open(pipe, sees)
        databases = [
            self._database(db, series, state.exceptions.get(db, {}), opened.get(db, {}), pipe.lifecycle, sees)
            for db, series in sorted(by_db.items(), key=lambda item: (item[0] == "", item[0]))
            if db or entries.tells_anything(series) or opened.get(db)
        ]
        return Report(
            SCHEMA,
            logparse.__version__,
            iso(self._first) if self._words else None,
            iso(self._last) if self._words else None,
            entries.what_was_read(pipe, files),
            sees,
            entries.percentiles(_merged(self._durations())),
            entries.percentiles(_merged(one.delay for one in self._measures.values()))
            if sees.shows("dispatch_delay")
            else None,
            entries.percentiles(_merged(one.wait for one in self._measures.values()))
            if sees.shows("queue_wait")
            else None,
            databases,
            self._installation(pipe, sees),
            dict(sorted(state.inferred.items())),
            requests=self._requests(),
        )

    def _requests(self) -> RequestReport | None:
        if self.counts.requests is None:
            return None
        ran = _merged(self._durations())
        return request_report(self.counts.requests, self._top, ran.count, ran.sum)

    def _open(self, pipe: Pipe, sees: Visibility) -> dict[str, dict[str, tuple[int, int]]]:
        """Database -> state, as the tool names it -> (jobs, since when the oldest is there)."""
        life = pipe.lifecycle
        starts = entries.tells_starts(sees)
        opened: dict[str, dict[str, tuple[int, int]]] = {}
        for db, channel, state, count, oldest in life.jobs.states():
            if state == "pending" and not life.sight.pending:
                continue
            name = "dispatched" if state in ("enqueued", "started") and not starts else state
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
        for word in JOB_EVENTS:
            count = sum(one.events.get(word, 0) for one in series)
            events[word] = count if count or sees.shows(word) else None
        runs = sum(one.runs for one in series)
        done, failed, retried = events["done"], events["failed"], events["retried"]
        ends_shown = sees.shows("done") and sees.shows("failed")
        return Database(
            db=db or None,
            jobs=measures.first_starts if sees.shows("started") else None,
            events=events,
            requeued=entries.requeued(series, sees),
            runs=runs if runs or ends_shown else None,
            success_rate=done / (done + failed)
            if ends_shown and done is not None and failed is not None and done + failed
            else None,
            retry_rate=retried / runs if ends_shown and retried is not None and runs else None,
            duration=entries.percentiles(_merged(measures.duration.values())),
            dispatch_delay=entries.percentiles(measures.delay) if sees.shows("dispatch_delay") else None,
            queue_wait=entries.percentiles(measures.wait) if sees.shows("queue_wait") else None,
            exceptions=[
                Class(name or None, count)
                for name, count in sorted(exceptions.items(), key=lambda item: (-item[1], item[0]))
            ],
            slowest=[entries.attempt(event) for event in measures.slowest.events()],
            most_failing=[entries.repeated(often) for often in measures.failing.most(self._top)],
            most_retried=[entries.repeated(often) for often in measures.retried.most(self._top)],
            lost_jobs=[entries.lost(event) for event in measures.lost],
            channels=entries.channels(series, measures.duration),
            open=entries.open_states(opened, life, sees),
        )

    def _installation(self, pipe: Pipe, sees: Visibility) -> Installation:
        words = self._words

        at_info = sees.level not in (None, "warning")

        def shown(word: str) -> int | None:
            visible = sees.shows("runner") if word.startswith("runner") else at_info
            return words[word] if words[word] or visible else None

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


def _merged(sketches: Iterable[Sketch]) -> Sketch:
    merged = Sketch()
    for sketch in sketches:
        merged.merge(sketch)
    return merged
