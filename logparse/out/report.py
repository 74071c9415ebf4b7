"""The summary of a log as data: what `replay --json` prints, and what the terminal shows (docs/replay.md)."""

import msgspec

from logparse.out.request_report import RequestReport
from logparse.out.visible import Visibility

SCHEMA = 1
"""Rises when a key changes its meaning or goes; new keys may come without."""


class Percentiles(msgspec.Struct, frozen=True):
    """Of so many seconds. p50 to p99 are within 1 % (logparse.out.sketch); max and mean are exact."""

    count: int
    mean: float
    p50: float
    p90: float
    p95: float
    p99: float
    max: float


class Attempt(msgspec.Struct, frozen=True):
    """One of the longest attempts. ended: UTC; duration: seconds; file, offset: the proof of its ending."""

    uuid: str | None
    duration: float
    ended: str
    outcome: str
    attempt: int | None
    channel: str | None
    file: str
    offset: int


class Repeated(msgspec.Struct, frozen=True):
    """A job to which something happened often.

    times: at least so often (exactly, where `exact`). last: when it last did, UTC.
    """

    uuid: str | None
    times: int
    exact: bool
    last: str
    exception: str | None
    channel: str | None


class Lost(msgspec.Struct, frozen=True):
    """An attempt that can no longer end. time: when that was proven, UTC, by the record at file, offset."""

    uuid: str | None
    time: str
    attempt: int | None
    reason: str | None
    channel: str | None
    file: str
    offset: int


class Class(msgspec.Struct, frozen=True):
    """Failures by exception. exception: the dotted class name; None where no line told it for certain."""

    exception: str | None
    count: int


class Channel(msgspec.Struct, frozen=True):
    """What happened to the jobs of one channel. channel: None for jobs of which no line told it."""

    channel: str | None
    events: dict[str, int]
    runs: int
    duration: Percentiles | None


class Open(msgspec.Struct, frozen=True):
    """Jobs that are in a state when the log ends. jobs: None where the log cannot show it.

    oldest: since when the oldest of them is, UTC.
    """

    state: str
    jobs: int | None
    oldest: str | None


class Database(msgspec.Struct, frozen=True):
    """What happened to the jobs of one database. None (null) is: not visible in this log.

    db: None where no line told the database. jobs: jobs that started for the first time.
    events: by word. runs: attempts that ended, however. success_rate: done / (done + failed);
    retry_rate: retried / runs. requeued: by reason.
    """

    db: str | None
    jobs: int | None
    events: dict[str, int | None]
    requeued: dict[str, int | None]
    runs: int | None
    success_rate: float | None
    retry_rate: float | None
    duration: Percentiles | None
    dispatch_delay: Percentiles | None
    queue_wait: Percentiles | None
    exceptions: list[Class]
    slowest: list[Attempt]
    most_failing: list[Repeated]
    most_retried: list[Repeated]
    lost_jobs: list[Lost]
    channels: list[Channel]
    open: list[Open]


class Installation(msgspec.Struct, frozen=True):
    """What happened to runner, workers and servers. None (null): not visible in this log."""

    runner_starts: int | None
    runner_stops: int | None
    runner_errors: dict[str, int]
    runner_last_activity: str | None
    servers_started: int | None
    servers_stopped: int | None
    workers_started: int | None
    workers_stopped: int | None
    worker_kills: dict[str, int]


class Input(msgspec.Struct, frozen=True):
    """What was read, of the whole log, whatever of it was selected.

    first, last: UTC, of the first and the last record that could matter. job_records: records that name a
    job. rejected, unmatched: records, by reason, and by logger. tracked: jobs in memory at the end.
    evicted: jobs that were forgotten at the limit.
    """

    files: list[str]
    bytes: int
    lines: int
    first: str | None
    last: str | None
    odoo: str | None
    job_records: int
    rejected: dict[str, int]
    unmatched: dict[str, int]
    truncated: int
    decode_errors: int
    clock_steps_back: int
    tracked: int
    evicted: int


class Report(msgspec.Struct, frozen=True):
    """first, last: UTC, of the events that were told (of the selection). inferred: events, by word.

    duration, dispatch_delay, queue_wait: of all databases. groups: where --group-by asked for them, each with
    its dimensions and the columns of logparse.out.groups. requests: where --http asked for them.
    """

    schema: int
    version: str
    first: str | None
    last: str | None
    input: Input
    visibility: Visibility
    duration: Percentiles | None
    dispatch_delay: Percentiles | None
    queue_wait: Percentiles | None
    databases: list[Database]
    installation: Installation
    inferred: dict[str, int]
    groups: list[dict[str, str | int | float | None]] | None = None
    requests: RequestReport | None = None
