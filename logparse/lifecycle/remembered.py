"""Closed jobs in a few bytes each: what their next dispatch must find, and no more."""

from collections import deque

from logparse.lifecycle.job import Job

# What is kept of a job; equal ones are one object, and there are few different ones.
_Kept = tuple[str | None, int, str | None, bool, bool]
_DASHES = str.maketrans("", "", "-")


class Remembered:
    """Jobs of which nothing is under way, the longest closed first.

    Kept: channel, number of attempts, outcome, and whether it was told queued and dispatched. A uuid takes
    its 16 bytes; whatever is written otherwise is kept as it is.
    """

    def __init__(self) -> None:
        self._kept: dict[bytes, _Kept] = {}
        self._order: deque[bytes] = deque()
        self._same: dict[_Kept, _Kept] = {}
        self._databases: dict[str | None, bytes] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, job: Job) -> None:
        """Remember a closed job."""
        kept = (job.channel, job.attempts, job.outcome, job.told_queued, job.waited)
        if len(self._same) > 10_000:
            self._same.clear()
        database = self._databases.get(job.db)
        if database is None:
            database = self._databases[job.db] = len(self._databases).to_bytes(4)
        key = database + _packed(job.uuid)
        self._kept[key] = self._same.setdefault(kept, kept)
        self._order.append(key)

    def take(self, db: str | None, uuid: str) -> Job | None:
        """The job as it was, None where it is not remembered; it is forgotten here."""
        database = self._databases.get(db)
        kept = self._kept.pop(database + _packed(uuid), None) if database is not None else None
        if kept is None:
            return None
        channel, attempts, outcome, told_queued, waited = kept
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

    def take_named(self, uuid: str) -> list[Job]:
        """The jobs of this uuid, in whatever database."""
        if not self._kept:
            return []
        return [job for db in self._databases if (job := self.take(db, uuid)) is not None]

    def forget_oldest(self) -> None:
        """Forget the job that is closed longest."""
        while self._order:
            if self._kept.pop(self._order.popleft(), None) is not None:
                return


def _packed(uuid: str) -> bytes:
    if len(uuid) == 36:
        try:
            packed = bytes.fromhex(uuid.translate(_DASHES))
        except ValueError:
            pass
        else:
            if len(packed) == 16 and _written(packed) == uuid:
                return packed
    return b"\x00" + uuid.encode(errors="surrogatepass")


def _written(packed: bytes) -> str:
    text = packed.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
