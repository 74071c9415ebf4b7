"""Adds up what the pipe tells into a report of a log."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

import logparse
from logparse.lifecycle.event import JOB_EVENTS, Ended, Event, Output, QueueWait
from logparse.lifecycle.lifecycle import Lifecycle
from logparse.out import entries
from logparse.out.batch import Batch, Pair
from logparse.out.counts import Counts
from logparse.out.label import cleaned
from logparse.out.labels import OTHER
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
        self._by_raw: dict[Pair, _Measures] = {}
        self._sketches: dict[Pair, Sketch] = {}
        self._words: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._sketched = 0
        self._first, self._last = _NEVER, -_NEVER

    def add(self, output: Output) -> None:
        """Take one output of the pipe."""
        self.add_all((output,))

    def add_all(self, outputs: Sequence[Output]) -> None:
        """Take these: the same as if they were added one by one, in their order."""
        batch = Batch(outputs)
        self.counts.count(batch)
        for word, events in batch.words.items():
            self._words[word] += len(events)
            stamps = [event.ts for event in events]
            self._first = min(self._first, min(stamps))
            self._last = max(self._last, max(stamps))
        for event in batch.words.get("runner_error", ()):
            self._error(event.reason)
        measures, sketches = self._named(batch)
        for sketch, ended in batch.ended.by({pair: sketches.get(pair) for pair in batch.ended.by_pair}):
            if sketch is not None:
                sketch.add_all(ended.values("duration"))
        for one, waits in batch.waits.by(measures):
            one.wait.add_all(waits.values("seconds"))
        slow: list[Event] = []
        for word, kind in batch.jobs.items():
            if word == "started":
                for one, started in kind.by(measures):
                    one.first_starts += [event.attempt for event in started.outputs].count(1)
                    one.delay.add_all(started.values("wait"))
            elif word in _TIMED:
                for one, ends in kind.by(measures):
                    slow += one.slowest.among(ends.outputs)
                    self._end(one, ends.outputs, word)
        if len(slow) > 1:  # of equal ones the earliest stays, whatever its word
            those = set(map(id, slow))
            slow = [one for one in batch.outputs if isinstance(one, Event) and id(one) in those]
        for event in slow:
            measures[event.db, event.channel].slowest.add(event)

    def _named(self, batch: Batch) -> tuple[Mapping[Pair, _Measures], Mapping[Pair, Sketch]]:
        """The measures and the sketches of durations of pairs that have them; new ones are made in order."""
        by_raw, sketches = self._by_raw, self._sketches
        if by_raw.keys() >= batch.pairs and sketches.keys() >= batch.ended.by_pair.keys():
            return by_raw, sketches
        measures: dict[Pair, _Measures] = {}
        durations: dict[Pair, Sketch] = {}
        for output in batch.outputs:
            pair = (output.db, output.channel)
            if isinstance(output, Ended):
                if output.duration is not None and pair not in durations:
                    durations[pair] = self._sketches.get(pair) or self._sketch(pair)
            elif isinstance(output, QueueWait) or (isinstance(output, Event) and output.event in _TIMED):
                measures[pair] = self._by_raw.get(pair) or self._of(pair)[0]
        return measures, durations

    def _error(self, reason: str | None) -> None:
        reason = cleaned(reason or "unknown")
        if reason not in self._errors and len(self._errors) >= _MOST_REASONS:
            reason = OTHER
        self._errors[reason] += 1

    def _end(self, measures: _Measures, events: Sequence[Event], word: str) -> None:
        if word == "lost":
            measures.lost.extend(event for event in events if event.uuid is not None)
        elif word == "failed" or word == "retried":
            add = (measures.failing if word == "failed" else measures.retried).add
            for event in events:
                if event.uuid is not None:
                    add(event.uuid, event)

    def _of(self, pair: Pair) -> tuple[_Measures, str]:
        """The measures of a pair that may be new, and the channel's label."""
        label, channel_label = self.counts.labels(*pair)
        measures = self._measures.get(label)
        if measures is None:
            measures = self._measures[label] = _Measures(self._top)
        if len(self._by_raw) > _MOST_NAMES:
            self._by_raw, self._sketches = {}, {}
        self._by_raw[pair] = measures
        return measures, channel_label

    def _sketch(self, pair: Pair) -> Sketch:
        """The durations of a channel that may be new; beyond the limit, of all others."""
        measures, channel = self._of(pair)
        sketch = measures.duration.get(channel)
        if sketch is None and channel and self._sketched >= _MOST_SKETCHED_CHANNELS:
            channel = OTHER
            sketch = measures.duration.get(channel)
        if sketch is None:
            sketch = measures.duration[channel] = Sketch()
            self._sketched += bool(channel)
        self._sketches[pair] = sketch
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
