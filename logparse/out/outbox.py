"""Events that wait for Loki: in which batches they are sent, and what its answers mean for them."""

import random
from collections import Counter, deque
from collections.abc import Iterable

import msgspec

from logparse.out.loki import Entry
from logparse.out.refusal import refused

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before the first retry, and the most between two; between them they double."""
LONGEST_WAIT = 600.0
"""Seconds that a Retry-After is heeded for."""

# Half an hour (ns): Loki takes what is up to an hour behind the newest entry of a stream, so a batch that is
# sent again, since its answer was lost, must not be further behind its own newest entry.
_SPAN = 1_800_000_000_000
_LEAST = 64 * 1024  # bytes of a batch, where Loki says that it is too much
_SUSPECTS = 4  # entries refused alone, one after the other, show that all will be


class Answer(msgspec.Struct, frozen=True):
    """What came of a push. status: of HTTP; 0 where there was none. text: Loki's, or why there is none.

    retry_after: seconds that it asks to wait.
    """

    status: int
    text: str = ""
    retry_after: float | None = None


class Told(msgspec.Struct, frozen=True):
    """What an answer meant. progress: something is settled, and the state is to be saved.

    sent: how many entries are in Loki now. dropped: by reason, those that it will never take.
    problem: what stands against sending; None where nothing does.
    """

    progress: bool
    sent: int = 0
    dropped: dict[str, list[Entry]] = {}
    problem: Answer | None = None


class Outbox:
    """Holds entries until Loki has them, in their order; the batch that is under way is the first of them.

    batch_bytes, batch_count: the most of one push, before compression. waiting: entries to begin with.
    chance: of the jitter.

    sent, dropped (by reason), retries (by status, `0` where there was no answer): since the start.
    """

    def __init__(
        self,
        batch_bytes: int,
        batch_count: int,
        waiting: Iterable[Entry] = (),
        chance: random.Random | None = None,
    ) -> None:
        self.sent = 0
        self.dropped: Counter[str] = Counter()
        self.retries: Counter[str] = Counter()
        self.bytes = 0
        self._most_bytes = self._limit = batch_bytes
        self._most_count = batch_count
        self._queue: deque[Entry] = deque()
        self._parts: list[list[Entry]] = []  # of the batch, the last one is next
        self._suspects: list[Entry] = []  # refused alone; others tell whether it is their own fault
        self._accepted = False  # something of the batch was taken
        self._failures = 0
        self._chance = chance or random.Random()  # noqa: S311 (no secret)
        self.add(waiting)

    def __len__(self) -> int:
        return len(self._queue) + len(self._suspects) + sum(map(len, self._parts))

    @property
    def waiting(self) -> list[Entry]:
        """All that is not known to be in Loki, in order."""
        return [*self._suspects, *(one for part in reversed(self._parts) for one in part), *self._queue]

    @property
    def oldest(self) -> int | None:
        """The time of the first that waits, ns; None where none does."""
        for held in (self._suspects, *reversed(self._parts), self._queue):
            if held:
                return held[0].ts
        return None

    @property
    def full(self) -> bool:
        """Whether there is enough for a batch, or one is under way."""
        return bool(self._parts) or self.bytes >= self._limit or len(self._queue) >= self._most_count

    def add(self, entries: Iterable[Entry]) -> None:
        """Let these wait behind the others."""
        for entry in entries:
            self._queue.append(entry)
            self.bytes += entry.size

    def drop(self, reason: str) -> None:
        """Count an event that cannot be sent at all."""
        self.dropped[reason] += 1

    def batch(self) -> list[Entry]:
        """What is to be sent next; the same again until it is answered. Empty where nothing waits."""
        if not self._parts and self._queue:
            self._accepted = False
            self._parts.append(self._cut())
        return self._parts[-1] if self._parts else []

    def answered(self, answer: Answer) -> Told:
        """Settle what the answer to the last batch settles."""
        status = answer.status
        if status in (200, 204):
            return self._taken()
        if status == 413 or (status == 400 and "structured metadata, but" not in answer.text):
            return self._refused(answer)
        if status == 429:
            # It may be too much at once, whatever the rate.
            self._limit = max(min(_LEAST, self._most_bytes), self._limit // 2)
            self._put_back()
        return self._again(answer)

    def pause(self, answer: Answer) -> float:
        """Seconds until the next try after a problem: longer each time, by chance, or as it asks."""
        span = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._failures - 1, 16))
        pause = span * self._chance.uniform(0.5, 1.0)
        if answer.retry_after is not None:
            pause = max(pause, min(answer.retry_after, LONGEST_WAIT))
        return pause

    def _cut(self) -> list[Entry]:
        """The next batch off the queue."""
        part: list[Entry] = []
        size = 0
        spans: dict[bytes, tuple[int, int]] = {}
        while self._queue and len(part) < self._most_count:
            entry = self._queue[0]
            first, last = spans.get(entry.stream, (entry.ts, entry.ts))
            first, last = min(first, entry.ts), max(last, entry.ts)
            if part and (size + entry.size > self._limit or last - first > _SPAN):
                break
            spans[entry.stream] = first, last
            size += entry.size
            part.append(self._queue.popleft())
        return part

    def _taken(self) -> Told:
        part = self._parts.pop()
        self._release(part)
        self.sent += len(part)
        self._accepted = True
        self._failures = 0
        self._limit = min(self._most_bytes, self._limit * 2)
        return Told(progress=True, sent=len(part), dropped=self._guilty())

    def _refused(self, answer: Answer) -> Told:
        part = self._parts.pop()
        told = refused(part, answer.text) if answer.status == 400 else None
        if told is not None:
            # The others of the push are taken; asked for again, Loki says whether that is so.
            if told.rest:
                self._parts.append(told.rest)
            else:
                self._accepted = True
            self._failures = 0
            return Told(progress=True, dropped=self._give_up(told.entries) | self._guilty())
        if len(part) > 1:
            half = len(part) // 2
            halves = [part[half:], part[:half]]
            # By chance, so that bad entries, wherever they stand, do not hide the good ones for ever.
            self._chance.shuffle(halves)
            self._parts += halves
            return Told(progress=False)
        self._suspects += part
        if self._accepted:
            return Told(progress=True, dropped=self._guilty())
        if (self._parts or self._queue) and len(self._suspects) < _SUSPECTS:
            return Told(progress=False)
        self._put_back()
        return self._again(answer)

    def _guilty(self) -> dict[str, list[Entry]]:
        """Where others were taken, those that were refused are themselves the reason."""
        if not self._accepted or not self._suspects:
            return {}
        suspects, self._suspects = self._suspects, []
        return self._give_up({"rejected": suspects})

    def _give_up(self, entries: dict[str, list[Entry]]) -> dict[str, list[Entry]]:
        for reason, held in entries.items():
            self.dropped[reason] += len(held)
            self._release(held)
        return entries

    def _again(self, answer: Answer) -> Told:
        self._failures += 1
        self.retries[str(answer.status)] += 1
        return Told(progress=False, problem=answer)

    def _put_back(self) -> None:
        self._queue.extendleft(reversed([one for part in reversed(self._parts) for one in part]))
        # At the end, so that they do not stand before the good ones for ever.
        self._queue.extend(self._suspects)
        self._suspects, self._parts = [], []

    def _release(self, entries: Iterable[Entry]) -> None:
        self.bytes -= sum(entry.size for entry in entries)
