"""Which events are told long after they happened: only then the log settles them."""

from collections.abc import Sequence

from logparse.lifecycle.event import Event, Output
from logparse.pipe import Tap

_LATE = 1_800_000  # ms


class Late(Tap):
    """Looks on at pipes, and knows of what they tell whether it is half an hour old by the log's own clock.

    Loki takes what is up to an hour behind the newest entry of its stream, and events settle after an hour:
    in a stream with those that are told at once they would be just as far behind, or further with a longer
    settle time. In streams of their own neither are far behind their like.
    """

    def __init__(self) -> None:
        self._late: dict[int, Output] = {}  # by id(); holding them keeps the ids theirs

    def told(self, outputs: Sequence[Output], now: int) -> None:
        """Keep the late ones."""
        for output in outputs:
            if isinstance(output, Event) and now - output.ts > _LATE:
                self._late[id(output)] = output

    def is_late(self, event: Event) -> bool:
        """Of an event that was told since `clear`."""
        return id(event) in self._late

    def clear(self) -> None:
        """All that was told so far is done with."""
        self._late.clear()
