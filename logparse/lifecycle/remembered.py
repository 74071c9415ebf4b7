"""Closed jobs in some 40 bytes each: what their next dispatch must find, and no more."""

from array import array
from collections.abc import Iterator
from os import urandom

from logparse.lifecycle.job import Job

# What is kept of a job, its database first; there are few different ones.
_Kept = tuple[str | None, str | None, int, str | None, bool, bool]

_PRIME = (1 << 61) - 1
_64_BITS = (1 << 64) - 1
# So many different things may be kept before those that no job has any more are dropped.
_MOST_KEPT = 1 << 16


class Remembered:
    """Jobs of which nothing is under way, the longest closed first.

    Kept: database, channel, number of attempts, outcome, and whether it was told queued and dispatched. A
    table of open addressing in arrays: a key of 61 bits stands for the uuid, so that of 200,000 jobs two
    are taken for one with a chance of one in a hundred million.

    limit: how many there may be; the table is made for them at once, so that its size does not grow.
    """

    def __init__(self, limit: int) -> None:
        size = 1 << max(6, (2 * limit - 1).bit_length())
        self._size = size
        self._spread = int.from_bytes(urandom(8)) | 1  # nobody can write uuids that all fall into one place
        self._count = 0
        self._keys = array("Q")  # 0: a free slot
        self._whats = array("I")
        self._kept: list[_Kept] = []
        self._numbers: dict[_Kept, int] = {}
        self._order = array("Q")  # a ring of keys
        self._first = self._last = 0

    def __len__(self) -> int:
        return self._count

    def put(self, job: Job) -> None:
        """Remember a closed job."""
        if not self._keys or 4 * self._count > 3 * self._size:
            self._make_room()
        kept = (job.db, job.channel, job.attempts, job.outcome, job.told_queued, job.waited)
        number = self._numbers.get(kept)
        if number is None:
            number = self._number(kept)
        key = _key(job.uuid)
        keys, mask = self._keys, self._size - 1
        slot = self._home(key)
        while keys[slot]:
            if keys[slot] == key and self._kept[self._whats[slot]][0] == job.db:
                self._whats[slot] = number
                return
            slot = (slot + 1) & mask
        keys[slot] = key
        self._whats[slot] = number
        self._count += 1
        last = self._last
        self._order[last] = key
        self._last = last = (last + 1) & mask
        if last == self._first:  # it goes round where jobs come back and are closed again
            self._tidy()

    def take(self, db: str | None, uuid: str) -> Job | None:
        """The job as it was, None where it is not remembered; it is forgotten here."""
        if not self._count:
            return None
        key = _key(uuid)
        keys, size = self._keys, self._size
        slot = ((key * self._spread & _64_BITS) >> 32) * size >> 32  # as _home tells; most are asked for once
        while found := keys[slot]:
            if found == key and (kept := self._kept[self._whats[slot]])[0] == db:
                self._free(slot)
                return _job(uuid, kept)
            slot = (slot + 1) & (size - 1)
        return None

    def take_named(self, uuid: str) -> list[Job]:
        """The jobs of this uuid, in whatever database."""
        jobs = []
        key = _key(uuid)
        while self._count and (slot := self._slot_of(key)) is not None:
            jobs.append(_job(uuid, self._kept[self._whats[slot]]))
            self._free(slot)
        return jobs

    def forget_oldest(self) -> None:
        """Forget the job that is closed longest."""
        while self._count and self._first != self._last:
            key = self._order[self._first]
            self._first = (self._first + 1) & (self._size - 1)
            slot = self._slot_of(key)
            if slot is not None:
                self._free(slot)
                return
        if self._count:  # one of a uuid that several databases share: it stands in the order once
            self._free(next(slot for slot, key in enumerate(self._keys) if key))

    def _home(self, key: int) -> int:
        return ((key * self._spread & _64_BITS) >> 32) * self._size >> 32

    def _slot_of(self, key: int) -> int | None:
        slot = self._home(key)
        while found := self._keys[slot]:
            if found == key:
                return slot
            slot = (slot + 1) & (self._size - 1)
        return None

    def _free(self, slot: int) -> None:
        """Free a slot, and move those after it up that would not be found behind a free one."""
        keys, whats, mask = self._keys, self._whats, self._size - 1
        self._count -= 1
        after = slot
        while True:
            after = (after + 1) & mask
            key = keys[after]
            if not key:
                break
            if (after - self._home(key)) & mask >= (after - slot) & mask:
                keys[slot], whats[slot] = key, whats[after]
                slot = after
        keys[slot] = 0

    def _number(self, kept: _Kept) -> int:
        if len(self._kept) >= max(_MOST_KEPT, 2 * self._count):
            used = sorted({self._whats[slot] for slot, key in enumerate(self._keys) if key})
            new = {old: number for number, old in enumerate(used)}
            for slot, key in enumerate(self._keys):
                if key:
                    self._whats[slot] = new[self._whats[slot]]
            self._kept = [self._kept[old] for old in used]
            self._numbers = {one: number for number, one in enumerate(self._kept)}
        number = self._numbers[kept] = len(self._kept)
        self._kept.append(kept)
        return number

    def _tidy(self) -> None:
        """Leave in the order only those that are there, each once, where it was put last."""
        keys = list(dict.fromkeys(reversed(list(self._ring()))))
        keys = [key for key in reversed(keys) if self._slot_of(key) is not None]
        self._order[: len(keys)] = array("Q", keys)
        self._first, self._last = 0, len(keys)

    def _ring(self) -> Iterator[int]:
        place = self._first
        for _ in range((self._last - self._first - 1) % self._size + 1):
            yield self._order[place]
            place = (place + 1) & (self._size - 1)

    def _make_room(self) -> None:
        """A table of its first size, or of twice the size."""
        keys, whats = self._keys, self._whats
        order = list(self._ring()) if keys else []
        if keys:
            self._size *= 2
        self._keys = array("Q", bytes(8 * self._size))
        self._whats = array("I", bytes(4 * self._size))
        self._order = array("Q", bytes(8 * self._size))
        for key, what in zip(keys, whats, strict=True):
            if key:
                slot = self._home(key)
                while self._keys[slot]:
                    slot = (slot + 1) & (self._size - 1)
                self._keys[slot], self._whats[slot] = key, what
        self._order[: len(order)] = array("Q", order)
        self._first, self._last = 0, len(order)


def _key(uuid: str) -> int:
    """A number of 61 bits that stands for a uuid, or for another text. Never 0."""
    try:
        number = int(uuid.replace("-", ""), 16)
    except ValueError:
        number = int.from_bytes(b"no uuid: " + uuid.encode(errors="replace"))
    return number % _PRIME + 1


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
