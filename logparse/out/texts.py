"""The texts behind events: of a failure its traceback, of others the message of the record that proves it."""

from collections import deque
from collections.abc import Iterable

from logparse.lifecycle.event import Event
from logparse.match.fact import Fact
from logparse.out.steps import Line, Trace, line_of, traces_of
from logparse.pipe import Pipe, Tap

_MOST = 256
_LONGEST = 16 * 1024
# Facts whose message says more than their event.
_TELLING = frozenset(
    {"refused", "postponed", "postponed_concurrency", "runner_crash", "runner_misconfigured", "worker_killed"}
)
_EVENTS = frozenset({"failed", "refused", "retried", "runner_error", "worker_killed"})


class Texts(Tap):
    """Looks on at pipes, and keeps the last texts that an event may be about.

    kept: those of an earlier run, to go on from: so the same event has the same text again.
    """

    def __init__(self, kept: Iterable[Trace] = ()) -> None:
        self._kept: deque[Trace] = deque(kept, maxlen=_MOST)

    @property
    def kept(self) -> list[Trace]:
        """What is to be saved."""
        return list(self._kept)

    def fact(self, fact: Fact, *, believed: bool) -> None:
        """Keep its record, if that is a traceback, or its message tells something."""
        trace = fact.kind == "failed" and fact.confidence == "implies" and fact.uuid is None
        if trace or (believed and fact.kind in _TELLING):
            self._kept.append(Trace(line_of(fact, believed=believed), fact.fields.get("exception")))

    def of(self, event: Event, pipe: Pipe) -> str | None:
        """The text of an event that one of the pipes told; None where none is certain."""
        if event.event not in _EVENTS:
            return None
        lines: Iterable[Line]
        if event.event == "failed":
            traces = [one for one in self._kept if one.exception == event.exception is not None]
            lines = traces_of(event, None, traces, pipe)
        else:
            place = (event.file, event.offset)
            lines = [trace.line for trace in self._kept if trace.line.place == place][-1:]
        texts = [line.text for line in lines]
        return _ended(texts[0]) if len(texts) == 1 else None


def _ended(text: str) -> str:
    """The text; of a long one the end, where a traceback has the exception."""
    return text if len(text) <= _LONGEST else f"…{text[-_LONGEST:]}"
