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
        self._jobs: dict[Key, Job] = {}
        self._by_uuid: dict[str, list[Job]] = {}
        self._closed: OrderedDict[Key, None] = OrderedDict()
        self._remembered = Remembered()
        # (db, channel, state) -> the jobs in it, the longest there first
        self._open: dict[tuple[str | None, str | None, str], OrderedDict[Key, Job]] = {}

    def __len__(self) -> int:
        return len(self._jobs) + len(self._remembered)

    def get(self, db: str | None, uuid: str) -> Job | None:
        """The job, None where it is not known."""
        job = self._jobs.get((db, uuid))
        if job is None and (job := self._remembered.take(db, uuid)) is not None:
            self._enter(job)
        return job

    def named(self, uuid: str) -> list[Job]:
        """The jobs of this uuid, in whatever database: cloned databases share uuids."""
        for job in self._remembered.take_named(uuid):
            self._enter(job)
        return self._by_uuid.get(uuid, [])

    def add(self, db: str | None, uuid: str) -> Job:
        """A new job of which nothing is known."""
        job = Job(db, uuid)
        self._enter(job)
        self.crowded = len(self) > self.limit
        return job

    def move(self, job: Job, state: str, since: int, channel: str | None = None) -> None:
        """Put a job into a state; `channel` where a line told it."""
        key = (job.db, job.uuid)
        before = job.state
        if before is None or before == "closed":
            self._closed.pop(key, None)
        else:
            self._leave(job, key, before)
        if channel is not None:
            job.channel = channel
        job.state = state
        job.since = since
        if state == "closed":
            self._closed[key] = None
            if len(self._closed) > _AS_THEY_ARE:
                self._remember()
            return
        place = (job.db, job.channel, state)
        jobs = self._open.get(place)
        if jobs is None:
            jobs = self._open[place] = OrderedDict()
        jobs[key] = job

    def evict(self) -> Job | None:
        """Forget the job that is needed least; the job, where it was open."""
        self.evicted += 1
        if self._remembered:
            self._remembered.forget_oldest()
            self.crowded = len(self) > self.limit
            return None
        if self._closed:
            key, _ = self._closed.popitem(last=False)
            self._forget(key)
            return None
        oldest = min((next(iter(jobs.values())) for jobs in self._open.values()), key=lambda job: job.since)
        key = (oldest.db, oldest.uuid)
        self._leave(oldest, key, str(oldest.state))
        self._forget(key)
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

    def _leave(self, job: Job, key: Key, state: str) -> None:
        place = (job.db, job.channel, state)
        jobs = self._open[place]
        del jobs[key]
        if not jobs:
            del self._open[place]

    def _enter(self, job: Job) -> None:
        self._jobs[job.db, job.uuid] = job
        self._by_uuid.setdefault(job.uuid, []).append(job)
        self._closed[job.db, job.uuid] = None

    def _remember(self) -> None:
        """Keep only what matters of the job that is closed longest, if nothing is held for it."""
        key, _ = self._closed.popitem(last=False)
        job = self._jobs[key]
        if job.state != "closed" or job.back is not None or job.ending is not None:
            self._closed[key] = None
            return
        self._forget(key)
        self._remembered.put(job)

    def _forget(self, key: Key) -> None:
        job = self._jobs.pop(key)
        self.crowded = len(self) > self.limit
        named = self._by_uuid[key[1]]
        named.remove(job)
        if not named:
            del self._by_uuid[key[1]]
