"""An event: something that happened to a job, or to the installation."""

import msgspec

JOB_EVENTS = (
    "queued",
    "dispatched",
    "started",
    "done",
    "failed",
    "retried",
    "requeued",
    "refused",
    "cancelled",
    "lost",
)
"""What may happen to a job, in the order of its life."""


class Event(msgspec.Struct, frozen=True, gc=False):
    """What happened, when, to which job, and which record proves it (docs/events.md).

    ts: when it happened, milliseconds since the epoch, UTC.
    event: the word (docs/events.md lists them).
    evidence: `observed` where a line states it, `inferred` where it follows from others.
    db, uuid: the job; uuid is None for events of the installation.
    attempt: the attempt that it belongs to, counted from 1; None where none was under way.
    channel: of the job, or of a channel's own event; None where no line told.
    duration, wait, sql_time: seconds. wait is from the dispatch to the start.
    exception: the dotted class name that the job's own traceback names.
    reason: of a requeued, lost, worker_killed or runner_error.
    pattern, file, offset: the record that proves it.
    """

    ts: int
    event: str
    db: str | None = None
    uuid: str | None = None
    attempt: int | None = None
    evidence: str = "observed"
    channel: str | None = None
    duration: float | None = None
    wait: float | None = None
    sql_queries: int | None = None
    sql_time: float | None = None
    exception: str | None = None
    reason: str | None = None
    pid: int | None = None
    server: str | None = None
    pattern: str = ""
    file: str = ""
    offset: int = 0


class ChannelEvent(Event, frozen=True, gc=False):
    """An event of a channel, with the numbers that its `(C:2,Q:0,R:1,F:0)` shows.

    capacity: None for an unlimited channel (`∞`). running counts jobs enqueued or started; failed
    includes old failures; a parent's numbers contain its children's.
    """

    capacity: int | None = None
    pending: int = 0
    running: int = 0
    failed: int = 0


class Ended(msgspec.Struct, frozen=True, gc=False):
    """An attempt ended, whatever it will settle to: told at once, for metrics; never printed.

    ts: milliseconds since the epoch, UTC. duration, sql_time: seconds, None where no line told.
    """

    ts: int
    db: str | None
    channel: str | None
    duration: float | None
    sql_queries: int | None
    sql_time: float | None


class QueueWait(msgspec.Struct, frozen=True, gc=False):
    """A job was dispatched for the first time, `seconds` after it was queued; for metrics only."""

    ts: int
    db: str | None
    channel: str | None
    seconds: float


class Unanswered(msgspec.Struct, frozen=True, gc=False):
    """The runner's request for a job broke off without an answer; for metrics only, since it ends nothing.

    reason: `unreached`, nobody listened where the runner asks; `broken`, the connection was lost.
    """

    ts: int
    db: str | None
    channel: str | None
    reason: str


Output = Event | Ended | QueueWait | Unanswered
