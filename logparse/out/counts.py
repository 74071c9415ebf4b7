"""Counts what the lifecycle tells: the numbers behind the metrics, kept in plain Python."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from logparse.lifecycle.event import Event, Output
from logparse.out.batch import Batch, Kind, Pair
from logparse.out.families import FAMILIES
from logparse.out.family import PREFIX, SECONDS
from logparse.out.labels import OTHER, Labels, label_among
from logparse.out.numbers import ABSURD
from logparse.out.request_state import RequestState
from logparse.out.servers import Servers, copies
from logparse.out.state import Histogram, Series, State, copied, moved

if TYPE_CHECKING:
    from logparse.out.requests import Requests

REQUEUE_REASONS = ("dead", "timeout", "manual", "unknown")
UNANSWERED_REASONS = ("unreached", "broken")
OUTCOMES = frozenset({"started", "done", "failed", "retried", "refused", "runs"})
"""What a log shows that tells how attempts end (access lines, or the worker's lines at DEBUG)."""

_RUNNER_LINES = ("dispatched", "lost", "requeued", "dead", "timeout", "unknown")
_SHOWS: dict[str, tuple[str, ...]] = {
    "queued": ("queued", "manual", *_RUNNER_LINES),
    "dispatched": _RUNNER_LINES,
    "started": tuple(OUTCOMES),
    "done": tuple(OUTCOMES),
    "retried": tuple(OUTCOMES),
    "failed": ("failed", "refused"),
    "refused": ("failed", "refused"),
    "requeued": ("requeued", "dead", "timeout", "unknown"),
    "cancelled": ("cancelled",),
    "lost": ("lost",),
}
"""One event proves that the log's level shows these too, so that their counters exist at 0."""

_TOGETHER = 500
"""Outputs that are told a few at a time wait for others until they are so many, or are asked for."""


class Counts:
    """Counters and histograms of all that was told to `add`, bounded whatever the log says.

    buckets: upper bounds in seconds, ascending, without +Inf.
    max_exceptions: exception classes of one database; max_databases, max_channels, max_servers:
    label values; max_series: pairs of database and channel. What comes beyond a limit is counted
    under `other`, and in logparse_label_overflow_total.

    requests: counts HTTP requests beside, of what a pipe tells it; None where they are not counted.
    """

    def __init__(
        self,
        buckets: Sequence[float] = SECONDS,
        *,
        max_exceptions: int = 50,
        max_databases: int = 100,
        max_channels: int = 500,
        max_servers: int = 100,
        max_series: int = 5000,
        requests: "Requests | None" = None,
    ) -> None:
        given = [float(bound) for bound in buckets]
        if not given or given != sorted(set(given)) or not all(0 < bound < ABSURD for bound in given):
            raise ValueError(
                f"buckets {given} must be one or more seconds above 0, in ascending order, each once, "
                "without +Inf (it is always there)"
            )
        self.requests = requests
        self._requests: RequestState | None = None
        self._bounds = {
            family.name.removeprefix(PREFIX): list(family.bounds or given)
            for family in FAMILIES
            if family.kind == "histogram"
        }
        self._max_exceptions = max_exceptions
        self._max_series = max_series
        self._labels = Labels(max_databases, max_channels)
        self._series: dict[tuple[str, str], Series] = {}
        self._by_raw: dict[Pair, Series] = {}
        self._exceptions: dict[str, dict[str, int]] = {}
        self._servers = Servers(self._labels, max_servers, max_series)
        self._inferred: dict[str, int] = {}
        self._shown: set[str] = set()
        self._waiting: list[Output] = []

    def add(self, output: Output) -> None:
        """Count one output of the lifecycle. Never raises, whatever it holds."""
        self.add_all((output,))

    def add_all(self, outputs: Iterable[Output]) -> None:
        """Count these, in their order."""
        self._waiting += outputs
        if len(self._waiting) >= _TOGETHER:
            self._count_waiting()

    def _count_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self.count(Batch(waiting))

    def count(self, batch: Batch) -> None:
        """Count outputs that were taken apart already: the same as if they were added one by one."""
        if self._waiting:
            self._count_waiting()
        series, shown = self._named(batch), self._shown
        for one, ended in batch.ended.by(series):
            shown.add("runs")
            one.runs += len(ended.outputs)
            self._observe(one, "run_duration_seconds", ended.values("duration"))
            self._observe(one, "sql_queries", ended.values("sql_queries"))
            self._observe(one, "sql_seconds", ended.values("sql_time"))
        for one, waits in batch.waits.by(series):
            self._observe(one, "queue_wait_seconds", waits.values("seconds"))
        for one, unanswered in batch.unanswered.by(series):
            for output in unanswered.outputs:
                reason = output.reason
                one.unanswered[reason] = one.unanswered.get(reason, 0) + 1
        for word, kind in batch.jobs.items():
            if word not in shown:
                shown.update(_SHOWS[word])
            self._inferred_among(word, kind.outputs)
            for one, events in kind.by(series):
                one.events[word] = one.events.get(word, 0) + len(events.outputs)
                if word == "started":
                    self._observe(one, "dispatch_delay_seconds", events.values("wait"))
                elif word == "done" or word == "failed":
                    # Sums of whole numbers, which are exact whichever word comes first.
                    self._observe(one, "attempts", events.values("attempt"))
                elif word == "requeued":
                    self._requeued(one, events.outputs)
        if (failed := batch.jobs.get("failed")) is not None:
            self._failed(failed, series)

    def _named(self, batch: Batch) -> Mapping[Pair, Series]:
        """The series of all pairs, and new ones for those that are new; counts the installation's events."""
        by_raw = self._by_raw
        if by_raw.keys() >= batch.pairs:
            self._installation(batch.installation())
            return by_raw
        found: dict[Pair, Series] = {}
        # Who comes first has a name of its own: it is all taken in its order.
        for output in batch.outputs:
            if isinstance(output, Event) and output.event not in _SHOWS:
                self._installed(output)
            else:
                pair = (output.db, output.channel)
                found[pair] = self._by_raw[pair] if pair in self._by_raw else self._enter(*pair)
        return found

    def _installation(self, events: Sequence[Event]) -> None:
        rest = self._servers.without_states(events)
        if len(rest) < len(events):
            self._shown.add("channel_state")
        for event in rest:
            self._installed(event)

    def _installed(self, event: Event) -> None:
        if event.evidence == "inferred":
            self._inferred_among(event.event, (event,))
        if event.event == "runner_ready" and event.db:
            self._enter(event.db, None)
        if self._servers.add(event):
            self._shown.add("channel_state")

    def _inferred_among(self, word: str, events: Sequence[Event]) -> None:
        count = [event.evidence for event in events].count("inferred")
        if count:
            self._inferred[word] = self._inferred.get(word, 0) + count

    def _requeued(self, series: Series, events: Iterable[Event]) -> None:
        for event in events:
            known = reason if (reason := event.reason) in REQUEUE_REASONS else "unknown"
            series.requeued[known] = series.requeued.get(known, 0) + 1
            self._shown.add(known)

    def _failed(self, failed: Kind[Event], series: Mapping[Pair, Series]) -> None:
        exceptions = {pair: self._exceptions.setdefault(series[pair].db, {}) for pair in failed.by_pair}
        for classes, events in failed.by(exceptions):
            for event in events.outputs:
                name = event.exception or ""
                if name not in classes:
                    name = self._labels.admitted("exception", name, classes, self._max_exceptions)
                classes[name] = classes.get(name, 0) + 1

    def _observe(self, series: Series, name: str, values: list[float]) -> None:
        if ABSURD in values:
            values = [value for value in values if value < ABSURD]
        if not values:
            return
        histogram = series.histograms.get(name)
        if histogram is None:
            histogram = series.histograms[name] = Histogram([0] * (len(self._bounds[name]) + 1))
        histogram.add_all(values, self._bounds[name])

    def _enter(self, db: str | None, channel: str | None, *, count: bool = True) -> Series:
        """The series of a pair that may be new. count: whether an overflow is one to be counted."""
        labels = self._labels
        before = dict(labels.overflow)
        db_label, channel_label = labels.db(db), labels.channel(channel)
        if (
            (db_label, channel_label) not in self._series
            and len(self._series) >= self._max_series
            and channel_label not in ("", OTHER)
        ):
            channel_label = OTHER
            labels.overflow["channel"] += 1
        labels.enter(db_label, channel_label)
        key = (db_label, channel_label)
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = Series(db_label, channel_label)
        if before == labels.overflow:
            if len(self._by_raw) > 2 * self._max_series:
                self._by_raw = {}
            self._by_raw[(db, channel)] = series
        elif not count:
            labels.overflow = before
        return series

    def labels(self, db: str | None, channel: str | None) -> tuple[str, str]:
        """The label values that stand for a database and a channel of the log; for gauges of others."""
        self._count_waiting()
        series = self._by_raw.get((db, channel)) or self._enter(db, channel, count=False)
        return series.db, series.channel

    def server_label(self, server: str | None) -> str:
        """The label value that stands for a server of the log; for gauges of others."""
        self._count_waiting()
        return self._servers.label(server)

    def exception_label(self, db: str, exception: str | None) -> str:
        """The label value under which a failure of that class was counted; db: a label value, too."""
        self._count_waiting()
        return label_among(self._exceptions.get(db, ()), exception)

    def kill_label(self, server: str, reason: str | None) -> str:
        """The label value under which such a kill was counted; server: a label value, too."""
        self._count_waiting()
        return self._servers.kill_label(server, reason)

    def anew(self) -> "Counts":
        """With these limits, and nothing counted; of requests, too."""
        if self.requests is not None:
            self.requests.forget()
        return Counts(
            self._bounds["run_duration_seconds"],
            max_exceptions=self._max_exceptions,
            max_databases=self._labels.max_databases,
            max_channels=self._labels.max_channels,
            max_servers=self._servers.max_servers,
            max_series=self._max_series,
            requests=self.requests,
        )

    def to_state(self) -> State:
        """A copy of everything counted, which later calls of `add` do not change."""
        self._count_waiting()
        return State(
            bounds={name: list(bounds) for name, bounds in self._bounds.items()},
            series=[copied(series) for series in self._series.values()],
            exceptions={db: dict(classes) for db, classes in self._exceptions.items()},
            channels=list(self._servers.channels.values()),
            servers=copies(self._servers.servers),
            inferred=dict(self._inferred),
            overflow=dict(self._labels.overflow),
            shown=sorted(self._shown),
            requests=self._requests if self.requests is None else self.requests.to_state(),
        )

    def from_state(self, state: State) -> None:
        """Go on from what another run had counted; what was counted here before is forgotten.

        Where the bounds of a histogram have changed, what was below an old bound is put under the
        next new one: counts and sums stay as they are, and no counter goes down.
        """
        self._waiting = []
        self._series = {(series.db, series.channel): copied(series) for series in state.series}
        for series in self._series.values():
            for name, histogram in series.histograms.items():
                new = self._bounds[name]
                old = state.bounds.get(name, new)
                if old != new:
                    histogram.counts = moved(histogram.counts, old, new)
        self._by_raw = {}
        self._labels.from_state(state)
        self._servers.from_state(state)
        self._exceptions = {db: dict(classes) for db, classes in state.exceptions.items()}
        self._inferred = dict(state.inferred)
        self._shown = set(state.shown)
        # Where requests are not counted this time, what was counted of them is kept for the next.
        self._requests = state.requests
        if self.requests is not None and state.requests is not None:
            self.requests.from_state(state.requests)
