"""Closed jobs in a few bytes each: what their next dispatch must find, and no more."""

from collections import deque

from logparse.lifecycle.job import Job

# What is kept of a job, its database first; equal ones are one object, and there are few different ones.
_Kept = tuple[str | None, str | None, int, str | None, bool, bool]


class Remembered:
    """Jobs of which nothing is under way, the longest closed first.

    Kept: database, channel, number of attempts, outcome, and whether it was told queued and dispatched.
    """

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        # Of clones of a database, which share uuids: those that do not fit in there.
        self._clones: dict[tuple[str | None, str], _Kept] = {}
        self._order: deque[tuple[str, _Kept]] = deque()
        self._same: dict[_Kept, _Kept] = {}

    def __len__(self) -> int:
        return len(self._kept) + len(self._clones)

    def put(self, job: Job) -> None:
        """Remember a closed job."""
        kept = (job.db, job.channel, job.attempts, job.outcome, job.told_queued, job.waited)
        if len(self._same) > 10_000:
            self._same.clear()
        kept = self._same.setdefault(kept, kept)
        uuid = job.uuid
        if self._kept.setdefault(uuid, kept)[0] == job.db:
            self._kept[uuid] = kept
        else:
            self._clones[job.db, uuid] = kept
        self._order.append((uuid, kept))

    def take(self, db: str | None, uuid: str) -> Job | None:
        """The job as it was, None where it is not remembered; it is forgotten here."""
        kept = self._kept.get(uuid)
        if kept is not None and kept[0] == db:
            del self._kept[uuid]
            return _job(uuid, kept)
        if self._clones and (kept := self._clones.pop((db, uuid), None)) is not None:
            return _job(uuid, kept)
        return None

    def take_named(self, uuid: str) -> list[Job]:
        """The jobs of this uuid, in whatever database."""
        jobs = []
        if (kept := self._kept.pop(uuid, None)) is not None:
            jobs.append(_job(uuid, kept))
        clones = [key for key in self._clones if key[1] == uuid] if self._clones else []
        return jobs + [_job(uuid, self._clones.pop(key)) for key in clones]

    def forget_oldest(self) -> None:
        """Forget the job that is closed longest."""
        while self._order:
            uuid, kept = self._order.popleft()
            if self.take(kept[0], uuid) is not None:
                return


def _job(uuid: str, kept: _Kept) -> Job:
    db, channel, attempts, outcome, told_queued, waited = kept
    return Job(
        db,
        uuid,
        state="closed",
        channel=channel,
        attempts=attempts,
        outcome=outcome,
        told_queued=told_queued,
        waited=waited,
    )
