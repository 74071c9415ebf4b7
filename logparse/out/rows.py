"""The series of every metric family at one moment: their label values and their numbers."""

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from logparse.lifecycle.event import JOB_EVENTS
from logparse.out.counts import OUTCOMES, REQUEUE_REASONS, UNANSWERED_REASONS, Counts
from logparse.out.exposition import Row
from logparse.out.family import PREFIX
from logparse.out.gauges import Build, FileStats, Gauges, PipeStats, ReaderStats
from logparse.out.label import cleaned
from logparse.out.state import Series, State

INFINITE = float("inf")
# The reasons of worker_killed, by the level of the line that tells it (logparse.lifecycle.installation).
_KILLS_AT_ERROR = ("limit_time_real", "exception")
_KILLS_AT_INFO = ("limit_time_cpu",)


class Moment(msgspec.Struct, frozen=True):
    """Everything that a scrape shows, copied.

    open: (db, channel, state) to the number of jobs and since when the oldest is there, in ms.
    visible: whether a database's outcomes are. files: by path. activity, wakeup: of runners by server, in ms.
    attempts: the most that an open job of (db, channel) has taken.
    """

    state: State
    open: Mapping[tuple[str, str, str], tuple[int, int]]
    states: tuple[str, ...]
    visible: Mapping[str, bool]
    activity: Mapping[str, int]
    wakeup: Mapping[str, int]
    attempts: Mapping[tuple[str, str], int]
    rejected: Mapping[str, int]
    tracked_jobs: int
    evicted_jobs: int
    clock_skew: int
    files: Mapping[str, FileStats]
    pipe: PipeStats
    build: Build | None


def moment(counts: Counts, gauges: Gauges, readers: ReaderStats, build: Build | None) -> Moment:
    """Copies what a scrape shows; nothing may change meanwhile."""
    jobs: dict[tuple[str, str, str], tuple[int, int]] = {}
    for db, channel, state, count, oldest in gauges.open_jobs():
        key = (*counts.labels(db, channel), cleaned(state))
        before = jobs.get(key)
        jobs[key] = (count, oldest) if before is None else (before[0] + count, min(before[1], oldest))
    visible: dict[str, bool] = {}
    for name, seen in gauges.visible():
        label, _ = counts.labels(name, None)
        visible[label] = visible.get(label, True) and seen
    attempts: dict[tuple[str, str], int] = {}
    for db, channel, most in gauges.most_attempts():
        labels = counts.labels(db, channel)
        attempts[labels] = max(most, attempts.get(labels, 0))
    return Moment(
        open=jobs,
        states=tuple(dict.fromkeys(cleaned(state) for state in gauges.states())),
        visible=visible,
        activity=_by_server(counts, gauges.runner_activity()),
        wakeup=_by_server(counts, gauges.runner_wakeup()),
        attempts=attempts,
        rejected=dict(gauges.rejected()),
        tracked_jobs=gauges.tracked_jobs(),
        evicted_jobs=gauges.evicted_jobs(),
        clock_skew=gauges.clock_skew(),
        files={cleaned(one.file): one for one in readers.files()},
        pipe=_kept(readers.pipe()),
        build=build,
        state=counts.to_state(),
    )


def _by_server(counts: Counts, times: Mapping[str, int]) -> dict[str, int]:
    newest: dict[str, int] = {}
    for server, ts in times.items():
        label = counts.server_label(server)
        newest[label] = max(ts, newest.get(label, ts))
    return newest


def _kept(pipe: PipeStats) -> PipeStats:
    return msgspec.structs.replace(pipe, facts=dict(pipe.facts), unmatched=dict(pipe.unmatched))


def _can_be(now: Moment, series: Series, word: str) -> bool:
    """Whether this log could show such an event of the series, so that it is 0 and not absent."""
    return word in now.state.shown or (word in OUTCOMES and now.visible.get(series.db, False))


def _events(word: str) -> Callable[[Moment], Iterator[Row]]:
    def rows(now: Moment) -> Iterator[Row]:
        for series in now.state.series:
            if (count := series.events.get(word, 0)) or _can_be(now, series, word):
                yield (series.db, series.channel), count

    return rows


def _requeued(now: Moment) -> Iterator[Row]:
    for series in now.state.series:
        for reason in REQUEUE_REASONS:
            if (count := series.requeued.get(reason, 0)) or _can_be(now, series, reason):
                yield (series.db, series.channel, reason), count


def _unanswered(now: Moment) -> Iterator[Row]:
    for series in now.state.series:
        for reason in UNANSWERED_REASONS:
            if (count := series.unanswered.get(reason, 0)) or _can_be(now, series, "dispatched"):
                yield (series.db, series.channel, reason), count


def _runs(now: Moment) -> Iterator[Row]:
    for series in now.state.series:
        if series.runs or _can_be(now, series, "runs"):
            yield (series.db, series.channel), series.runs


def _failed_by_exception(now: Moment) -> Iterator[Row]:
    for db, classes in now.state.exceptions.items():
        for exception, count in classes.items():
            yield (db, exception), count


def _jobs(now: Moment) -> Iterator[Row]:
    for series in now.state.series:
        for state in now.states:
            if (series.db, series.channel, state) not in now.open:
                yield (series.db, series.channel, state), 0
    for labels, (count, _) in now.open.items():
        yield labels, count


def _oldest(now: Moment) -> Iterator[Row]:
    for labels, (count, oldest) in now.open.items():
        if count:
            yield labels, oldest / 1000


def _channel(number: str) -> Callable[[Moment], Iterator[Row]]:
    def rows(now: Moment) -> Iterator[Row]:
        if number != "capacity" and "channel_state" not in now.state.shown:
            return
        for one in now.state.channels:
            value: int | None = getattr(one, number)
            yield (one.db, one.channel, one.server), INFINITE if value is None else value

    return rows


def _runner_up(now: Moment) -> Iterator[Row]:
    for name, server in now.state.servers.items():
        if server.up is not None:
            yield (name,), server.up


def _runner(number: str) -> Callable[[Moment], Iterator[Row]]:
    def rows(now: Moment) -> Iterator[Row]:
        for name, server in now.state.servers.items():
            if server.up is not None or getattr(server, number):
                yield (name,), getattr(server, number)

    return rows


def _runner_activity(now: Moment) -> Iterator[Row]:
    newest = dict(now.activity)
    for name, server in now.state.servers.items():
        if server.activity:
            newest[name] = max(server.activity, newest.get(name, 0))
    for name, ts in newest.items():
        yield (name,), ts / 1000


def _runner_wakeup(now: Moment) -> Iterator[Row]:
    for name, ts in now.wakeup.items():
        yield (name,), ts / 1000


def _kills(now: Moment) -> Iterator[Row]:
    for name, server in now.state.servers.items():
        possible = (*_KILLS_AT_ERROR, *(_KILLS_AT_INFO if server.starts else ()))
        for reason, count in (dict.fromkeys(possible, 0) | server.kills).items():
            yield (name, reason), count


def _build(now: Moment) -> Iterator[Row]:
    if now.build is not None:
        yield tuple(map(cleaned, (now.build.version, now.build.patterns, now.build.digest))), 1


def _file(number: Callable[[FileStats], float | None]) -> Callable[[Moment], Iterator[Row]]:
    def rows(now: Moment) -> Iterator[Row]:
        for file, one in now.files.items():
            if (value := number(one)) is not None:
                yield (file,), value

    return rows


def _rotations(now: Moment) -> Iterator[Row]:
    for file, one in now.files.items():
        for kind, count in one.rotations.items():
            yield (file, kind), count


def _visible(now: Moment) -> Iterator[Row]:
    for db, seen in now.visible.items():
        yield (db,), int(seen)


def _inferred(now: Moment) -> Iterator[Row]:
    counted = now.state.inferred
    for word in dict.fromkeys((*JOB_EVENTS, *counted)):
        if word in counted or word in now.state.shown:
            yield (word,), counted.get(word, 0)


def _overflow(now: Moment) -> Mapping[str, int]:
    requests = now.state.requests
    return now.state.overflow if requests is None else now.state.overflow | requests.overflow


def _mapping(numbers: Callable[[Moment], Mapping[str, int]]) -> Callable[[Moment], Iterator[Row]]:
    def rows(now: Moment) -> Iterator[Row]:
        merged: dict[str, int] = {}
        for text, count in numbers(now).items():
            merged[cleaned(text)] = merged.get(cleaned(text), 0) + count
        for label, count in merged.items():
            yield (label,), count

    return rows


def _one(number: Callable[[Moment], float | None]) -> Callable[[Moment], Iterator[Row]]:
    def rows(now: Moment) -> Iterator[Row]:
        if (value := number(now)) is not None:
            yield (), value

    return rows


ROWS: Mapping[str, Callable[[Moment], Iterable[Row]]] = {
    **{f"{PREFIX}{word}_total": _events(word) for word in JOB_EVENTS if word != "requeued"},
    PREFIX + "requeued_total": _requeued,
    PREFIX + "failed_by_exception_total": _failed_by_exception,
    PREFIX + "unanswered_total": _unanswered,
    PREFIX + "runs_total": _runs,
    PREFIX + "jobs": _jobs,
    PREFIX + "oldest_timestamp_seconds": _oldest,
    PREFIX + "most_attempts": lambda now: now.attempts.items(),
    PREFIX + "channel_capacity": _channel("capacity"),
    PREFIX + "channel_pending": _channel("pending"),
    PREFIX + "channel_running": _channel("running"),
    PREFIX + "channel_failed": _channel("failed"),
    PREFIX + "runner_up": _runner_up,
    PREFIX + "runner_starts_total": _runner("starts"),
    PREFIX + "runner_errors_total": _runner("errors"),
    PREFIX + "runner_last_activity_timestamp_seconds": _runner_activity,
    PREFIX + "runner_wakeup_timestamp_seconds": _runner_wakeup,
    PREFIX + "worker_kills_total": _kills,
    "logparse_build": _build,
    "logparse_lines_total": _file(lambda one: one.lines),
    "logparse_bytes_total": _file(lambda one: one.bytes),
    "logparse_lag_bytes": _file(lambda one: one.lag_bytes),
    "logparse_last_record_timestamp_seconds": _file(
        lambda one: None if one.last_record is None else one.last_record / 1000
    ),
    "logparse_lines_lost_total": _file(lambda one: one.lines_lost),
    "logparse_rotations_total": _rotations,
    "logparse_facts_total": _mapping(lambda now: now.pipe.facts),
    "logparse_unmatched_records_total": _mapping(lambda now: now.pipe.unmatched),
    "logparse_rejected_records_total": _mapping(lambda now: now.rejected),
    "logparse_truncated_records_total": _one(lambda now: now.pipe.truncated_records),
    "logparse_decode_errors_total": _one(lambda now: now.pipe.decode_errors),
    "logparse_clock_skew_total": _one(lambda now: now.clock_skew),
    "logparse_tracked_jobs": _one(lambda now: now.tracked_jobs),
    "logparse_evicted_jobs_total": _one(lambda now: now.evicted_jobs),
    "logparse_label_overflow_total": _mapping(_overflow),
    "logparse_inferred_events_total": _inferred,
    "logparse_outcome_visible": _visible,
    "logparse_resident_memory_bytes": _one(lambda now: now.pipe.memory),
    "logparse_snapshot_timestamp_seconds": _one(lambda now: now.pipe.snapshot),
    "logparse_snapshot_errors_total": _one(lambda now: now.pipe.snapshot_errors),
}
"""By family name; the histograms are not here (collector.py)."""
