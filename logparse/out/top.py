"""The most of many, in bounded memory: the longest attempts, and the jobs to which something happens most."""

import heapq
import math
from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

import msgspec

from logparse.lifecycle.event import Event

TRACKED = 1000
"""Jobs of which the number of failures (or retries) is kept."""

K = TypeVar("K")


class Longest:
    """The `limit` endings with the longest durations; of equal ones, the earliest told."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._heap: list[tuple[float, int, Event]] = []
        self._told = 0

    def add(self, event: Event) -> None:
        """Take an ending; one without a duration is left out."""
        duration = event.duration
        if duration is None or math.isnan(duration):
            return
        self._told -= 1
        if len(self._heap) < self._limit:
            heapq.heappush(self._heap, (duration, self._told, event))
        elif self._heap and duration > self._heap[0][0]:
            heapq.heapreplace(self._heap, (duration, self._told, event))

    def among(self, events: Iterable[Event]) -> list[Event]:
        """Those of the events that may come among the longest: only these need an `add`."""
        if len(self._heap) < self._limit:
            return list(events)
        least = self._heap[0][0] if self._heap else math.inf
        return [event for event in events if event.duration is not None and event.duration > least]

    def events(self) -> list[Event]:
        """The longest first."""
        return [event for _, _, event in sorted(self._heap, key=lambda item: item[:2], reverse=True)]


class Often(NamedTuple, Generic[K]):
    """How often something happened to one: at least `at_least` times, at most `at_most`; `last`: the last."""

    key: K
    at_least: int
    at_most: int
    last: Event


class _Tracked(msgspec.Struct):
    count: int
    error: int
    last: Event


class MostOften(Generic[K]):
    """Counts by key, for at most `capacity` keys at once (Space-Saving; Metwally and others, ICDT 2005).

    A new key beyond that takes the place of one that was counted least, and its count as a possible
    error. So of n events, every key of more than n / capacity events is there; and as long as no more
    than `capacity` different keys were added, all counts are exact.
    """

    def __init__(self, capacity: int = TRACKED) -> None:
        self._capacity = capacity
        self._tracked: dict[K, _Tracked] = {}
        # count -> the keys with that count, the longest there first
        self._by_count: dict[int, dict[K, None]] = {}
        self._lowest = 0

    def add(self, key: K, event: Event) -> None:
        """It happened to `key`."""
        tracked = self._tracked.get(key)
        if tracked is not None:
            self._leave(key, tracked.count)
            tracked.count += 1
            tracked.last = event
        elif len(self._tracked) < self._capacity:
            tracked = self._tracked[key] = _Tracked(1, 0, event)
            self._lowest = 1
        else:
            oldest = next(iter(self._by_count[self._lowest]))
            error = self._tracked.pop(oldest).count
            self._leave(oldest, error)
            tracked = self._tracked[key] = _Tracked(error + 1, error, event)
        self._by_count.setdefault(tracked.count, {})[key] = None

    def _leave(self, key: K, count: int) -> None:
        keys = self._by_count[count]
        del keys[key]
        if not keys:
            del self._by_count[count]
            if self._lowest == count:
                self._lowest = count + 1

    def keys(self) -> Iterable[K]:
        """All that are counted now."""
        return self._tracked.keys()

    def most(self, limit: int) -> list[Often[K]]:
        """The `limit` keys that are certain to have the most; of equal ones, the latest first."""
        ranked = heapq.nsmallest(
            limit, self._tracked.items(), key=lambda item: (item[1].error - item[1].count, -item[1].last.ts)
        )
        return [
            Often(key, tracked.count - tracked.error, tracked.count, tracked.last) for key, tracked in ranked
        ]
