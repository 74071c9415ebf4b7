"""Compares what the pipe told of a recorded run with what its database went through.

The truth is `history*.csv.gz`, a database trigger's record of every state change of every job, and
`truth*.csv.gz`, the table `queue_job` at the end. Neither comes from a log.
"""

import csv
import gzip
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from logparse.lifecycle.event import Event

Key = tuple[str | None, str]

# (state before, state after) in the database -> the class of event that tells it. `back` joins retried and
# requeued: the database stores the same for both.
TOLD = {
    ("", "pending"): "queued",
    ("wait_dependencies", "pending"): "queued",
    ("pending", "enqueued"): "dispatched",
    ("cancelled", "enqueued"): "dispatched",  # 12.0 runs cancelled jobs all the same
    ("started", "enqueued"): "dispatched",  # two runners without an election
    ("pending", "started"): "started",  # the cron runner dispatches nothing
    ("enqueued", "started"): "started",
    ("started", "done"): "done",
    ("started", "failed"): "failed",
    ("enqueued", "failed"): "failed",
    ("started", "pending"): "back",
    ("enqueued", "pending"): "back",
}
# What people do in the user interface: may be told, need not be.
BY_HAND = {
    ("failed", "pending"): "back",
    ("done", "pending"): "back",
    ("cancelled", "pending"): "back",
    ("failed", "done"): "done",
    ("pending", "done"): "done",
    ("enqueued", "done"): "done",
    ("pending", "cancelled"): "done",
    ("enqueued", "cancelled"): "done",
}
CLASS = {
    "queued": "queued",
    "dispatched": "dispatched",
    "started": "started",
    "done": "done",
    "failed": "failed",
    "retried": "back",
    "requeued": "back",
}
STATE_AFTER = {
    "queued": "pending",
    "dispatched": "enqueued",
    "started": "started",
    "done": "done",
    "failed": "failed",
    "retried": "pending",
    "requeued": "pending",
    "lost": "started",
}
CLASSES_AT_INFO = ("dispatched", "started", "done", "failed", "back")
CLASSES_AT_DEBUG = ("queued", *CLASSES_AT_INFO)


class Change(NamedTuple):
    """A job's state changed; `ts` in milliseconds, UTC. `old` is empty where the job was made."""

    db: str
    uuid: str
    ts: float
    old: str
    new: str


class Row(NamedTuple):
    """A job at the end of the run. exec_time in seconds, None where the table has none."""

    db: str
    uuid: str
    state: str
    channel: str
    exec_time: float | None
    exc_name: str
    method: str


class Difference(NamedTuple):
    """A job went through the class of event `database` times, and was told `log` times."""

    kind: str
    db: str | None
    uuid: str
    database: int
    log: int


@dataclass
class Score:
    """How the events agree with the history.

    hits: by class. missed, false: what the log told too seldom, and too often. last: jobs whose last event
    names another state than the database ended in. judged: how many jobs' last states were compared.
    """

    hits: Counter[str] = field(default_factory=Counter)
    missed: list[Difference] = field(default_factory=list)
    false: list[Difference] = field(default_factory=list)
    last: list[Key] = field(default_factory=list)
    judged: int = 0

    @property
    def f1(self) -> float:
        """Micro-averaged over all classes, 0 to 1."""
        hits = self.hits.total()
        wrong = sum(d.database - d.log for d in self.missed) + sum(d.log - d.database for d in self.false)
        return 2 * hits / (2 * hits + wrong) if hits or wrong else 1.0

    @property
    def final(self) -> float:
        """Share of the jobs whose last event agrees with the database, 0 to 1."""
        return 1 - len(self.last) / self.judged if self.judged else 1.0


class Table(NamedTuple):
    """How the events agree with the table at the end; None where there was nothing to compare.

    exception: share of the failed jobs (JobFoundDead aside) of which the last failure names the class.
    duration: median of |duration - exec_time| of done jobs, seconds. channel: share of the channels told.
    dead: jobs that failed by JobFoundDead and were told as such; dead_in_table: how many did.
    """

    exception: float | None
    duration: float | None
    channel: float | None
    dead: int
    dead_in_table: int


def score(events: Iterable[Event], changes: Iterable[Change], *, debug: bool) -> Score:
    """Compare the events of jobs with the changes of their states; `debug`: the log's level."""
    truth: Counter[tuple[Key, str]] = Counter()
    spare: Counter[tuple[Key, str]] = Counter()
    state: dict[Key, tuple[str, bool]] = {}
    for change in changes:
        step = (change.old, change.new)
        key: Key = (change.db, change.uuid)
        if change.old == change.new:
            continue
        state[key] = (change.new, step in BY_HAND)
        if step in TOLD:
            truth[key, TOLD[step]] += 1
        elif step in BY_HAND:
            spare[key, BY_HAND[step]] += 1
    told: Counter[tuple[Key, str]] = Counter()
    after: dict[Key, str] = {}
    for event in events:
        if event.uuid is not None:
            key = (event.db, event.uuid)
            if event.event in STATE_AFTER:
                after[key] = STATE_AFTER[event.event]
            if event.event in CLASS:
                told[key, CLASS[event.event]] += 1
    classes = CLASSES_AT_DEBUG if debug else CLASSES_AT_INFO
    result = Score()
    for key, kind in sorted({*truth, *told}, key=repr):
        if kind not in classes:
            continue
        database, log = truth[key, kind], told[key, kind]
        result.hits[kind] += min(database, log)
        difference = Difference(kind, *key, database, log)
        if log < database:
            result.missed.append(difference)
        elif log > database + spare[key, kind]:
            result.false.append(difference._replace(database=database + spare[key, kind]))
    for key, (ended, by_hand) in sorted(state.items(), key=repr):
        if by_hand or ended in ("cancelled", "wait_dependencies"):
            continue
        if not debug and ended == "pending" and key not in after:
            continue
        result.judged += 1
        if after.get(key) != ended:
            result.last.append(key)
    return result


def compare(events: Iterable[Event], table: Iterable[Row]) -> Table:
    """Compare the last endings of the jobs with the table."""
    endings: dict[tuple[Key, str], Event] = {}
    for event in events:
        if event.uuid is not None and event.event in ("done", "failed"):
            endings[(event.db, event.uuid), event.event] = event
    names: list[bool] = []
    offsets: list[float] = []
    channels: list[bool] = []
    dead = dead_in_table = 0
    for row in table:
        ending = endings.get(((row.db, row.uuid), row.state))
        if row.state == "failed" and row.exc_name:
            told = (ending.exception if ending is not None else None) or ""
            same = told.rpartition(".")[2] == row.exc_name.rpartition(".")[2]
            if "JobFoundDead" in row.exc_name:
                dead_in_table += 1
                dead += same
            else:
                names.append(same)
        if ending is not None and row.state == "done" and None not in (row.exec_time, ending.duration):
            offsets.append(abs((ending.duration or 0) - (row.exec_time or 0)))
        if ending is not None and ending.channel:
            channels.append(ending.channel == row.channel)
    return Table(
        _share(names), statistics.median(offsets) if offsets else None, _share(channels), dead, dead_in_table
    )


def read_history(run: Path) -> list[Change]:
    """The changes of every database of a recorded run, in order within one."""
    return [
        Change(row["db"], row["uuid"], _milliseconds(row["ts"]), row["old_state"], row["new_state"])
        for row in _rows(run, "history")
    ]


def read_table(run: Path) -> list[Row]:
    """The jobs of every database of a recorded run, as they ended."""
    return [
        Row(
            row["db"],
            row["uuid"],
            row["state"],
            row["channel"],
            float(row["exec_time"]) if row.get("exec_time") else None,
            row.get("exc_name", ""),
            row["method_name"],
        )
        for row in _rows(run, "truth")
    ]


def impossible(events: Iterable[Event]) -> Iterator[str]:
    """What cannot be, whatever happened: one sentence each."""
    attempts: defaultdict[Key, int] = defaultdict(int)
    ended: set[tuple[Key, int]] = set()
    begun: set[tuple[Key, int]] = set()
    for event in events:
        if event.duration is not None and event.duration < 0:
            yield f"a negative duration: {event}"
        if event.wait is not None and event.wait < 0:
            yield f"a negative wait: {event}"
        if event.evidence not in ("observed", "inferred") or not event.pattern or not event.file:
            yield f"no proof: {event}"
        if event.uuid is None or event.attempt is None:
            if event.event in ("started", "done", "failed", "retried"):
                yield f"no attempt: {event}"
            continue
        key = (event.db, event.uuid)
        number = event.attempt
        if event.event == "started":
            if number != attempts[key] + 1:
                yield f"attempt {number} starts after {attempts[key]}: {event}"
            begun.add((key, number))
            attempts[key] = number
        elif event.event in ("done", "failed", "retried", "requeued", "lost"):
            if (key, number) in ended:
                yield f"a second ending: {event}"
            ended.add((key, number))
            if number not in (attempts[key], attempts[key] + 1):
                yield f"attempt {number} ends after {attempts[key]}: {event}"
            attempts[key] = number


def _rows(run: Path, name: str) -> Iterator[dict[str, str]]:
    paths = sorted(run.glob(f"{name}*.csv.gz"))
    if not paths:
        raise FileNotFoundError(f"{run} holds no {name}*.csv.gz")
    for path in paths:
        with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file)


def _milliseconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000


def _share(flags: list[bool]) -> float | None:
    return sum(flags) / len(flags) if flags else None
