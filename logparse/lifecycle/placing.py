"""Whose job it is: finds the database of facts that name only a uuid, or holds them until a line tells."""

from collections import OrderedDict
from collections.abc import Callable

import msgspec

from logparse.lifecycle.job import Job, Proof
from logparse.lifecycle.jobs import Jobs
from logparse.lifecycle.sight import Sight
from logparse.match.fact import Fact

Handler = Callable[[Job, Fact, Proof], None]
Held = tuple[Handler, Fact, Proof]

# How many uuids, and how many facts of each, wait for a database.
_MOST_UUIDS, _MOST_FACTS = 10_000, 100
# Of so many runners the databases are remembered.
_MOST_RUNNERS = 1000
# What a runner tells only of jobs that change, and so of none while it reads.
_AFTER_READING = frozenset({"dispatched", "done_or_cancelled", "dead_requeued_or_failed"})
_STATES = frozenset({"pending", "running_in_channel", "failed"})


class Reading(msgspec.Struct):
    """What a runner has said since it began to read.

    held: what waits for the database, in its order, by numbers; of: uuid -> the numbers of what waits for it.
    told: uuid -> what it was told to be. again: one before it read all, and the log shows what came since.
    """

    held: dict[int, Held] = {}
    of: dict[str, list[int]] = {}
    told: dict[str, str] = {}
    again: bool = False
    count: int = 0

    def hold(self, held: Held, uuid: str) -> None:
        """Have a fact about a job wait; of too many, the last ones are not told."""
        if len(self.held) < _MOST_UUIDS:
            self.count += 1
            self.held[self.count] = held
            self.of.setdefault(uuid, []).append(self.count)

    def take(self, uuid: str) -> list[Held]:
        """What waits for the job, and does not any more."""
        return [self.held.pop(number) for number in self.of.pop(uuid, ())]


class Placing:
    """Gives each fact to its job.

    A runner that starts reads one database after the other, and names each only when it is done with it
    (queue_job/jobrunner/runner.py, initialize_databases): what it says of jobs in between is held for that,
    or for a line about the job that names a database, so that nothing is told after what came later.
    """

    def __init__(self, jobs: Jobs, sight: Sight) -> None:
        self._jobs = jobs
        self._sight = sight
        self._waiting: OrderedDict[str, list[Held]] = OrderedDict()
        self._reading: dict[tuple[str | None, int | None], Reading] = {}
        # The databases of a runner whose start was seen: while it reads them, and when it has read all.
        self._listed: dict[tuple[str | None, int | None], set[str]] = {}
        self._serves: dict[tuple[str | None, int | None], str | None] = {}
        self._whole = False  # a runner has read all that there was, from its start on

    def place(self, handler: Handler, fact: Fact, proof: Proof, uuid: str) -> None:
        """Give the fact to its job, now or when its database is told."""
        db = fact.db
        if db is not None:
            if db not in self._sight.databases:
                self._sight.database(db)
            if self._waiting or self._reading:
                self._catch_up(db, uuid, proof.server)
            jobs = self._jobs
            handler(jobs.get(db, uuid) or jobs.add(db, uuid), fact, proof)
            return
        runner = (proof.server, proof.pid)
        served = self._serves.get(runner)
        if served is not None:
            self.give(handler, fact, proof, served, uuid)
            return
        reading = self._reading.get(runner)
        several = len(self._sight.databases) > 1
        named = self._jobs.named(uuid)
        if named and (reading is None or not several):
            # Of clones in several databases, the one that something happens to.
            job = named[0] if len(named) == 1 else max(named, key=_activity)
            handler(job, fact, proof)
            return
        if reading is not None:
            reading.hold((handler, fact, proof), uuid)
            return
        only = self.only_database()
        if only is not None:
            self.give(handler, fact, proof, only, uuid)
            return
        waiting = self._waiting.setdefault(uuid, [])
        if len(waiting) < _MOST_FACTS:
            waiting.append((handler, fact, proof))
        if len(self._waiting) > _MOST_UUIDS:
            self._waiting.popitem(last=False)

    def give(self, handler: Handler, fact: Fact, proof: Proof, db: str | None, uuid: str) -> None:
        """Give the fact to the job of this database, after what was held of it."""
        if self._waiting or self._reading:
            self._catch_up(db, uuid, proof.server)
        handler(self._jobs.get(db, uuid) or self._jobs.add(db, uuid), fact, proof)

    def _catch_up(self, db: str | None, uuid: str, server: str | None) -> None:
        """Give the job what is held of it, of the readings on its server."""
        out = self._waiting.pop(uuid, [])
        for place, reading in self._reading.items():
            # What it says after it has named this database is of another one.
            if place[0] == server and uuid in reading.of and db not in self._listed.get(place, ()):
                out += reading.take(uuid)
        for handler, fact, proof in out:
            handler(self._jobs.get(db, uuid) or self._jobs.add(db, uuid), fact, proof)

    def only_database(self) -> str | None:
        """The database, where the log named only one."""
        databases = self._sight.databases
        return next(iter(databases)) if len(databases) == 1 else None

    def reads(self, place: tuple[str | None, int | None]) -> None:
        """A runner begins to read the databases."""
        reading = self._reading.setdefault(place, Reading(again=self._whole and self._sight.pending))
        reading.told = {}  # it reads them anew
        self._listed[place] = set()
        self._serves.pop(place, None)
        if len(self._listed) > _MOST_RUNNERS:
            del self._listed[next(iter(self._listed))]

    def reads_again(self, place: tuple[str | None, int | None]) -> bool:
        """Whether this runner reads, and the log shows all jobs that there were until one before it ended."""
        return self._reading[place].again if place in self._reading else False

    def is_over(self, place: tuple[str | None, int | None], fact: Fact) -> bool:
        """Whether this line of a runner that reads shows that it has read all.

        Where its INFO is hidden, no line says so. It tells each unfinished job's state once, and then what
        changes: a second state, an end, a dispatch.
        """
        reading, uuid, kind = self._reading.get(place), fact.uuid, fact.kind
        if reading is None or uuid is None:
            return False
        if kind in _AFTER_READING:
            return True
        if kind not in _STATES or "running" not in fact.fields:
            return False
        before = reading.told.get(uuid)
        if before is None and len(reading.told) < _MOST_UUIDS:
            reading.told[uuid] = kind
        return before is not None and before != kind

    def has_read(self, place: tuple[str | None, int | None], db: str | None) -> None:
        """It has read this one; None: it has read all."""
        reading = self._reading.pop(place, None)
        for handler, fact, proof in reading.held.values() if reading is not None else ():
            uuid = fact.uuid or ""
            if db is not None:
                self.give(handler, fact, proof, db, uuid)
            else:
                self.place(handler, fact, proof, uuid)
        listed = self._listed.get(place)
        if db is not None:
            self._sight.database(db)
            self._reading[place] = Reading(again=reading is not None and reading.again)
            if listed is not None and len(listed) < _MOST_RUNNERS:
                listed.add(db)
        elif listed is not None:
            self._whole = True
            del self._listed[place]
            if len(listed) == 1:
                self._serves[place] = listed.pop()
                if len(self._serves) > _MOST_RUNNERS:
                    del self._serves[next(iter(self._serves))]

    def finish(self) -> None:
        """Nothing follows: what is still held has the only database, or none that is known."""
        db = self.only_database()
        for place in list(self._reading):
            self.has_read(place, None)
        while self._waiting:
            uuid, held = self._waiting.popitem(last=False)
            for handler, fact, proof in held:
                self.give(handler, fact, proof, db, uuid)


def _activity(job: Job) -> tuple[bool, int]:
    return job.state not in (None, "closed"), job.since
