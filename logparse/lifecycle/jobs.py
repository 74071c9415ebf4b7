"""The jobs that are remembered: by database and uuid, bounded, and counted by state."""

from collections import OrderedDict
from collections.abc import Iterator

from logparse.lifecycle.job import Job
from logparse.lifecycle.remembered import Remembered

Key = tuple[str | None, str]

# So many closed jobs are kept as they are; of older ones only what matters.
_AS_THEY_ARE = 1000


class Jobs:
    """All jobs that the log named, up to `limit`.

    Closed jobs are remembered, so that their next dispatch is known for what it is; they are the first to
    be forgotten. Where all are open, the one that is longest in its state goes: `evict` returns it.

    crowded: there are more than `limit`.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.evicted = 0
        self.crowded = False
        self._jobs: dict[str, Job] = {}  # by uuid
        # Of databases that are copies of each other, and share uuids: those that do not fit in there.
        self._clones: dict[str, list[Job]] = {}
        self._cloned = 0
        self._closed: OrderedDict[Key, Job] = OrderedDict()
        self._remembered = Remembered(limit)
        # (db, channel, state) -> by uuid the jobs in it, the longest there first
        self._open: dict[tuple[str | None, str | None, str], OrderedDict[str, Job]] = {}

    def __len__(self) -> int:
        return len(self._jobs) + self._cloned + len(self._remembered)

    def get(self, db: str | None, uuid: str) -> Job | None:
        """The job, None where it is not known."""
        job = self._jobs.get(uuid)
        if job is not None:
            if job.db == db:
                return job
            for clone in self._clones.get(uuid, ()):
                if clone.db == db:
                    return clone
        job = self._remembered.take(db, uuid)
        if job is not None:
            self._enter(job)
        return job

    def named(self, uuid: str) -> list[Job]:
        """The jobs of this uuid, in whatever database: cloned databases share uuids."""
        for job in self._remembered.take_named(uuid):
            self._enter(job)
        first = self._jobs.get(uuid)
        return [] if first is None else [first, *self._clones.get(uuid, ())]

    def add(self, db: str | None, uuid: str) -> Job:
        """A new job of which nothing is known."""
        job = Job(db, uuid)
        self._enter(job)
        self.crowded = len(self) > self.limit
        return job

    def move(self, job: Job, state: str, since: int, channel: str | None = None) -> None:
        """Put a job into a state; `channel` where a line told it."""
        db, uuid, before, opened = job.db, job.uuid, job.state, self._open
        if before is None or before == "closed":
            self._closed.pop((db, uuid), None)
        else:
            place = (db, job.channel, before)
            jobs = opened[place]
            del jobs[uuid]
            if not jobs:
                del opened[place]
        if channel is not None:
            job.channel = channel
        job.state = state
        job.since = since
        if state == "closed":
            closed = self._closed
            closed[db, uuid] = job
            if len(closed) > _AS_THEY_ARE:
                self._remember()
            return
        place = (db, job.channel, state)
        try:
            opened[place][uuid] = job
        except KeyError:
            opened[place] = OrderedDict({uuid: job})

    def evict(self) -> Job | None:
        """Forget the job that is needed least; the job, where it was open."""
        self.evicted += 1
        if self._remembered:
            self._remembered.forget_oldest()
            self.crowded = len(self) > self.limit
            return None
        if self._closed:
            _, job = self._closed.popitem(last=False)
            self._forget(job)
            return None
        oldest = min((next(iter(jobs.values())) for jobs in self._open.values()), key=lambda job: job.since)
        place = (oldest.db, oldest.channel, str(oldest.state))
        del self._open[place][oldest.uuid]
        if not self._open[place]:
            del self._open[place]
        self._forget(oldest)
        return oldest

    def open(self, *, ended: bool = True) -> Iterator[Job]:
        """The jobs that are in a state; without `ended`, those whose last attempt has not ended."""
        for (_, _, state), jobs in list(self._open.items()):
            if ended or state != "unsettled":
                yield from list(jobs.values())

    def states(self) -> Iterator[tuple[str | None, str | None, str, int, int]]:
        """(db, channel, state, how many, since when the first of them is there) of what is open now."""
        for (db, channel, state), jobs in list(self._open.items()):
            try:
                oldest = next(iter(jobs.values())).since
            except (StopIteration, RuntimeError):
                continue
            yield db, channel, state, len(jobs), oldest

    def most_attempts(self) -> Iterator[tuple[str | None, str | None, int]]:
        """(db, channel, the most attempts that a job of it has taken) of what is open now."""
        for (db, channel, _), jobs in list(self._open.items()):
            try:
                yield db, channel, max(job.attempts for job in jobs.values())
            except (ValueError, RuntimeError):
                continue

    def _enter(self, job: Job) -> None:
        uuid = job.uuid
        if self._jobs.setdefault(uuid, job) is not job:
            self._clones.setdefault(uuid, []).append(job)
            self._cloned += 1
        self._closed[job.db, uuid] = job

    def _remember(self) -> None:
        """Keep only what matters of the job that is closed longest, if nothing is held for it."""
        key, job = self._closed.popitem(last=False)
        if job.state != "closed" or job.back is not None or job.ending is not None:
            self._closed[key] = job
            return
        self._forget(job)
        self._remembered.put(job)

    def _forget(self, job: Job) -> None:
        uuid = job.uuid
        clones = self._clones.get(uuid)
        if clones is None:
            del self._jobs[uuid]
        else:
            self._cloned -= 1
            if self._jobs[uuid] is job:
                self._jobs[uuid] = clones.pop(0)
            else:
                self._clones[uuid] = clones = [other for other in clones if other is not job]
            if not clones:
                del self._clones[uuid]
        if self.crowded:
            self.crowded = len(self) > self.limit
