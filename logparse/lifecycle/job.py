"""What is known of one job, and of the ending of its last attempt."""

import msgspec


class Proof(msgspec.Struct, frozen=True, gc=False):
    """Where an event is proven: the record's time (ms, UTC), process, pattern and place."""

    time: int
    pid: int | None
    server: str | None
    pattern: str
    file: str
    offset: int


class Ending(msgspec.Struct, gc=False):
    """How the last attempt of a job ended, until that is told.

    how: `done`, `retried`, `failed`: known, and held only for the access line that is to follow;
        `answered`: HTTP 200, done or retried; `dead`: "Re-queued dead job", requeued or failed;
        `broken`: HTTP 4xx or 5xx without the job's traceback: the failure may not have been stored.
    attempt: its number; None where no attempt was under way (a dead dispatch).
    duration, wait, sql_time: seconds.
    observed: a line states how it ended.
    """

    how: str
    proof: Proof
    attempt: int | None = None
    duration: float | None = None
    wait: float | None = None
    sql_queries: int | None = None
    sql_time: float | None = None
    exception: str | None = None
    observed: bool = False


class Job(msgspec.Struct, gc=False):
    """A job's state, as far as the log tells. Times are milliseconds, UTC.

    state: `pending`, `enqueued` (dispatched; where no line shows the start: or running), `started`,
        `unsettled`, or `closed`; None before anything but its name is known.
    since: when it came into this state.
    attempts: how many started or ended.
    outcome: the last settled one (`done`, `failed`, `cancelled`, `lost`), None while it goes on.
    queued: when it was, None where no line told. told_queued: the event was told.
    asked: dispatches since the last ending; refusals: those of them that a worker refused.
    dated: a line tells when the attempt under way started; else it did so at `started` or later.
    back: the proof that it went back to wait, held until a line tells why.
    orphaned: when the server that ran it was started anew, or (killed) its worker was killed.
    """

    db: str | None
    uuid: str
    state: str | None = None
    since: int = 0
    channel: str | None = None
    attempts: int = 0
    outcome: str | None = None
    queued: int | None = None
    told_queued: bool = False
    waited: bool = False
    dispatched: int | None = None
    dispatcher: int | None = None
    asked: int = 0
    refusals: int = 0
    started: int | None = None
    start_proof: Proof | None = None
    dated: bool = True
    ending: Ending | None = None
    back: Proof | None = None
    failed_in_channel: Proof | None = None
    done_in_channel: Proof | None = None
    orphaned: int | None = None
    killed: bool = False
    proof: Proof | None = None
