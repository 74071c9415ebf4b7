"""Counts what the lifecycle tells: the numbers behind the metrics, kept in plain Python."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from logparse.lifecycle.event import ChannelEvent, Event, Output
from logparse.out.batch import Batch, Kind, Pair
from logparse.out.families import FAMILIES
from logparse.out.family import PREFIX, SECONDS
from logparse.out.label import cleaned, is_cut
from logparse.out.numbers import ABSURD
from logparse.out.request_state import RequestState
from logparse.out.state import LIMITED, Channel, Histogram, Series, Server, State, copied, moved

if TYPE_CHECKING:
    from logparse.out.requests import Requests

REQUEUE_REASONS = ("dead", "timeout", "manual", "unknown")
UNANSWERED_REASONS = ("unreached", "broken")
OTHER = "other"
"""The label value of everything beyond a limit."""

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

_UP = {
    "runner_started": 1,
    "runner_ready": 1,
    "runner_standby": 1,
    "runner_stopped": 0,
    "runner_error": 0,
}
_RUNNER = frozenset({*_UP, "channel_configured", "channel_state", "backpressure"})
_MOST_REASONS = 20
_EXACT = 2**53
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
        self._max_databases = max_databases
        self._max_channels = max_channels
        self._max_servers = max_servers
        self._max_series = max_series
        self._dbs: set[str] = set()
        self._channels: set[str] = set()
        self._series: dict[tuple[str, str], Series] = {}
        self._by_raw: dict[Pair, Series] = {}
        self._exceptions: dict[str, dict[str, int]] = {}
        self._gauges: dict[tuple[str, str, str], Channel] = {}
        self._servers: dict[str, Server] = {}
        self._inferred: dict[str, int] = {}
        self._overflow = dict.fromkeys(LIMITED, 0)
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
            self._installed(batch)
            return by_raw
        found: dict[Pair, Series] = {}
        # Who comes first has a name of its own: it is all taken in its order.
        for output in batch.outputs:
            if isinstance(output, Event) and output.event not in _SHOWS:
                self._installation(output)
            else:
                pair = (output.db, output.channel)
                found[pair] = self._by_raw[pair] if pair in self._by_raw else self._enter(*pair)
        return found

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
                    name = self._admitted("exception", name, classes, self._max_exceptions)
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
        before = dict(self._overflow)
        db_label = self._admitted("db", db, self._dbs, self._max_databases)
        channel_label = self._admitted("channel", channel, self._channels, self._max_channels)
        if (
            (db_label, channel_label) not in self._series
            and len(self._series) >= self._max_series
            and channel_label not in ("", OTHER)
        ):
            channel_label = OTHER
            self._overflow["channel"] += 1
        self._dbs.add(db_label)
        self._channels.add(channel_label)
        key = (db_label, channel_label)
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = Series(db_label, channel_label)
        if before == self._overflow:
            if len(self._by_raw) > 2 * self._max_series:
                self._by_raw = {}
            self._by_raw[(db, channel)] = series
        elif not count:
            self._overflow = before
        return series

    def _admitted(self, label: str, value: str | None, known: "_Known", most: int) -> str:
        """The label value for a text of the log, given those that exist; `other` beyond the limit."""
        if not value:
            return ""
        if value in known:
            return value
        text = cleaned(value)
        if is_cut(value):
            self._overflow[label] += 1
        if text in known:
            return text
        if len(known) - ("" in known) - (OTHER in known) < most or text == OTHER:
            return text
        self._overflow[label] += 1
        return OTHER

    def _installed(self, batch: Batch) -> None:
        """Count the installation's events of a batch."""
        events = batch.installation()
        states = [event for event in events if isinstance(event, ChannelEvent)]
        if states and self._stand(states):
            events = [event for event in events if not isinstance(event, ChannelEvent)]
        for event in events:
            self._installation(event)

    def _stand(self, states: Sequence[ChannelEvent]) -> bool:
        """Take the last numbers of each channel; False, and nothing taken, where there is more to do."""
        latest: dict[tuple[str, str, str], ChannelEvent] = {}
        newest: dict[str, int] = {}
        for event in states:
            server = event.server or ""
            latest[event.db or "", event.channel or "", server] = event
            if server not in newest or event.ts > newest[server]:
                newest[server] = event.ts
        if not (
            self._gauges.keys() >= latest.keys()
            and all(map(_is_plausible, latest.values()))
            and {(event.event, event.evidence) for event in states} == {("channel_state", "observed")}
        ):
            return False
        for key, event in latest.items():
            self._gauges[key] = _standing(key, event)
        for name, ts in newest.items():
            self._servers[name].activity = max(self._servers[name].activity, ts)
        self._shown.add("channel_state")
        return True

    def _installation(self, event: Event) -> None:
        word = event.event
        if event.evidence == "inferred":
            self._inferred[word] = self._inferred.get(word, 0) + 1
        if word == "runner_ready" and event.db:
            self._enter(event.db, None)
        name = self._admitted("server", event.server, self._servers, self._max_servers)
        if word in _RUNNER:
            server = self._servers.setdefault(name, Server())
            server.activity = max(server.activity, event.ts)
            if word == "runner_started":
                server.starts += 1
            elif word == "runner_error":
                server.errors += 1
            # A database that is misconfigured is left out by a runner that goes on.
            if word in _UP and not (word == "runner_error" and event.reason == "misconfigured"):
                server.up = _UP[word]
                if server.up:
                    server.up_since = max(server.up_since, event.ts)
        elif word == "worker_killed":
            kills = self._servers.setdefault(name, Server()).kills
            reason = self._admitted("reason", event.reason or "unknown", kills, _MOST_REASONS)
            kills[reason] = kills.get(reason, 0) + 1
        elif word in ("server_started", "server_stopped"):
            # A start of the server is told once it listens, which may be after its runner started.
            known = self._servers.get(name)
            if known is not None and known.up is not None and event.ts >= known.up_since:
                known.up = 0
        if isinstance(event, ChannelEvent):
            self._channel(event, name)

    def _channel(self, event: ChannelEvent, server: str) -> None:
        if not _is_plausible(event):
            return
        db = self._admitted("db", event.db, self._dbs, self._max_databases)
        channel = self._admitted("channel", event.channel, self._channels, self._max_channels)
        key = (db, channel, server)
        if key not in self._gauges:
            if OTHER in key or len(self._gauges) >= self._max_series:
                # The numbers of several channels, one over the other, would be those of none.
                self._overflow["channel"] += OTHER not in key
                return
            self._dbs.add(db)
            self._channels.add(channel)
        self._gauges[key] = _standing(key, event)
        if event.event == "channel_state":
            # A configuration that is printed shows zeros, and they stay where no line shows what is there.
            self._shown.add("channel_state")

    def labels(self, db: str | None, channel: str | None) -> tuple[str, str]:
        """The label values that stand for a database and a channel of the log; for gauges of others."""
        self._count_waiting()
        series = self._by_raw.get((db, channel)) or self._enter(db, channel, count=False)
        return series.db, series.channel

    def server_label(self, server: str | None) -> str:
        """The label value that stands for a server of the log; for gauges of others."""
        self._count_waiting()
        before = self._overflow["server"]
        label = self._admitted("server", server, self._servers, self._max_servers)
        self._overflow["server"] = before
        self._servers.setdefault(label, Server())
        return label

    def exception_label(self, db: str, exception: str | None) -> str:
        """The label value under which a failure of that class was counted; db: a label value, too."""
        self._count_waiting()
        return _label_among(self._exceptions.get(db, ()), exception)

    def kill_label(self, server: str, reason: str | None) -> str:
        """The label value under which such a kill was counted; server: a label value, too."""
        self._count_waiting()
        known = self._servers.get(server)
        return _label_among(known.kills if known is not None else (), reason or "unknown")

    def anew(self) -> "Counts":
        """With these limits, and nothing counted; of requests, too."""
        if self.requests is not None:
            self.requests.forget()
        return Counts(
            self._bounds["run_duration_seconds"],
            max_exceptions=self._max_exceptions,
            max_databases=self._max_databases,
            max_channels=self._max_channels,
            max_servers=self._max_servers,
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
            channels=list(self._gauges.values()),
            servers={
                name: msgspec.structs.replace(server, kills=dict(server.kills))
                for name, server in self._servers.items()
            },
            inferred=dict(self._inferred),
            overflow=dict(self._overflow),
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
        self._gauges = {(channel.db, channel.channel, channel.server): channel for channel in state.channels}
        self._dbs = {series.db for series in state.series} | {channel.db for channel in state.channels}
        self._channels = {series.channel for series in state.series}
        self._channels |= {channel.channel for channel in state.channels}
        self._exceptions = {db: dict(classes) for db, classes in state.exceptions.items()}
        self._servers = {
            name: msgspec.structs.replace(server, kills=dict(server.kills))
            for name, server in state.servers.items()
        }
        self._inferred = dict(state.inferred)
        self._overflow = {**self._overflow, **state.overflow}
        self._shown = set(state.shown)
        # Where requests are not counted this time, what was counted of them is kept for the next.
        self._requests = state.requests
        if self.requests is not None and state.requests is not None:
            self.requests.from_state(state.requests)


def _is_plausible(event: ChannelEvent) -> bool:
    return (
        0 <= event.pending < _EXACT
        and 0 <= event.running < _EXACT
        and 0 <= event.failed < _EXACT
        and (event.capacity is None or 0 <= event.capacity < _EXACT)
    )


def _standing(key: tuple[str, str, str], event: ChannelEvent) -> Channel:
    return Channel(*key, event.capacity, event.pending, event.running, event.failed)


def _label_among(known: Collection[str], value: str | None) -> str:
    if not value or value in known:
        return value or ""
    text = cleaned(value)
    return text if text in known else OTHER


_Known = set[str] | dict[str, int] | dict[str, Server]
