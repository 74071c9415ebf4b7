"""What happened to the jobs that a page names: events, kept while it is not known yet which jobs they are."""

from collections.abc import Iterable

import msgspec

from logparse.lifecycle.event import Event
from logparse.out.summary import Summary

_MOST_LIVE = 16_000
_MOST_KEPT = 4_000
_AT_ONCE = 4_000
_FIRST, _LAST = 20, 60


class Told(msgspec.Struct, gc=False):
    """The first 20 and the last 60 events of a job. left_out: how many between them are not kept."""

    events: list[Event]
    left_out: int = 0


class Stories:
    """`add` every event of a job; then ask for those of some.

    The 16,000 jobs that were named last for the first time are kept, and of older ones those that the
    summary may name: the slowest, those that failed or were retried most, those that are lost.
    """

    def __init__(self, summary: Summary) -> None:
        self._summary = summary
        self._live: dict[str, Told] = {}
        self._kept: dict[str, Told] = {}

    def add(self, event: Event, uuid: str) -> None:
        """Keep it."""
        told = self._live.get(uuid)
        if told is None:
            told = self._kept.get(uuid)
            if told is None:
                self._live[uuid] = Told([event])
                if len(self._live) >= _MOST_LIVE + _AT_ONCE:
                    self._leave()
                return
        events = told.events
        if len(events) >= _FIRST + _LAST:
            del events[_FIRST]
            told.left_out += 1
        events.append(event)

    def _leave(self) -> None:
        wanted = self._summary.named()
        self._kept = {uuid: told for uuid, told in self._kept.items() if uuid in wanted}
        for uuid in list(self._live)[:_AT_ONCE]:
            told = self._live.pop(uuid)
            if uuid in wanted and len(self._kept) < _MOST_KEPT:
                self._kept[uuid] = told

    def of(self, uuids: Iterable[str]) -> dict[str, Told]:
        """By uuid, those that are kept."""
        return {
            uuid: told for uuid in uuids if (told := self._live.get(uuid) or self._kept.get(uuid)) is not None
        }
