"""Failures by class and place: which exception was raised where, and, where texts are wanted, with which."""

import re
from collections import deque
from collections.abc import Iterable

import msgspec

from logparse.lifecycle.event import Event
from logparse.match.fact import Fact
from logparse.match.traceback import Frame, frames
from logparse.out.label import cleaned
from logparse.out.steps import Trace, line_of, traces_of
from logparse.pipe import Pipe, Tap

_MOST_GROUPS = 400
_MOST_TRACES = 256
_MOST_ANSWERS = 10_000
_LONGEST = 8_000  # characters of an example

_CHANGING = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,4}"), "<address>"),
    (re.compile(r"""'[^'\n]{1,200}'|"[^"\n]{1,200}\""""), "<text>"),
    (re.compile(r"\b0x[0-9a-fA-F]+\b|\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b"), "<hex>"),
    (re.compile(r"\d+(?:[.,:]\d+)*"), "<n>"),
)


class Group(msgspec.Struct):
    """Failures that are alike. db: the label. place: None where it is not certain. message: normalised.

    first, last: ms. uuid: of the last job. example: the traceback of the first, None without texts.
    """

    db: str
    exception: str | None
    place: str | None
    message: str | None
    first: int
    last: int
    uuid: str | None = None
    count: int = 0
    example: str | None = None


class Blame(Tap):
    """Look on at a pipe, and `add` each failure with its database's label.

    texts: also by message, with an example. groups: at most 400; beyond, by class only.
    """

    def __init__(self, pipe: Pipe, *, texts: bool) -> None:
        self._pipe = pipe
        self._texts = texts
        self._groups: dict[tuple[str, str | None, str | None, str | None], Group] = {}
        self._recent: deque[Trace] = deque(maxlen=_MOST_TRACES)
        # The last traceback of a process that has not answered since; and those that were answered, by proof.
        self._pending: dict[tuple[str | None, int | None], Trace] = {}
        self._answered: dict[tuple[str, int], Trace] = {}

    def fact(self, fact: Fact, *, believed: bool) -> None:
        """Keep a traceback until its failure is told."""
        record = fact.record
        if fact.uuid is not None:
            if self._pending and (trace := self._pending.pop((record.server, record.pid), None)) is not None:
                if len(self._answered) >= _MOST_ANSWERS:
                    self._answered.clear()
                self._answered[record.file, record.offset] = trace
        elif believed and fact.kind == "failed" and fact.confidence == "implies":
            trace = Trace(line_of(fact, believed=believed), fact.fields.get("exception"))
            self._recent.append(trace)
            if len(self._pending) > _MOST_TRACES:
                self._pending.clear()
            self._pending[record.server, record.pid] = trace

    def add(self, event: Event, db: str) -> None:
        """A failure."""
        trace = self._answered.pop((event.file, event.offset), None)
        if trace is None or self._pipe.lifecycle.processes.shares(event.server, event.pid):
            near = traces_of(event, None, list(self._recent), self._pipe)
            trace = next((one for one in self._recent if one.line in near), None) if len(near) == 1 else None
        if trace is not None and trace.exception != event.exception:
            trace = None
        exception = cleaned(event.exception) if event.exception else None
        place = message = text = None
        if trace is not None:
            text = trace.line.text
            head, _, body = text.partition("\n")
            place = _place(frames(head, body))
            if self._texts:
                message = _normalised(text, event.exception)
        key = (db, exception, place, message)
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= _MOST_GROUPS and (place or message):
                key = (db, exception, None, None)
            group = self._groups.get(key)
            if group is None:
                group = self._groups[key] = Group(*key, event.ts, event.ts)
                if self._texts and text is not None and key[2] is not None:
                    group.example = text[:_LONGEST] + ("\n…" if len(text) > _LONGEST else "")
        group.count += 1
        group.first, group.last = min(group.first, event.ts), max(group.last, event.ts)
        group.uuid = event.uuid

    def groups(self) -> list[Group]:
        """The most frequent first."""
        return sorted(self._groups.values(), key=lambda group: (-group.count, group.first))


def _place(found: Iterable[Frame]) -> str | None:
    """The innermost frame in an add-on's code, else the innermost: `sale/models/sale.py:12 in confirm`."""
    frame = own = None
    for frame in found:
        path = frame.file.replace("\\", "/")
        if "/addons/" in path and "/addons/queue_job/" not in path and "/addons/base/" not in path:
            own = frame
    frame = own or frame
    if frame is None:
        return None
    path = frame.file.replace("\\", "/")
    _, _, inside = path.rpartition("/addons/")
    short = inside if inside != path else "/".join(path.split("/")[-2:])
    return cleaned(f"{short}:{frame.line} in {frame.function}")


def _normalised(text: str, exception: str | None) -> str | None:
    """The exception's own text, its first line, with what changes from one failure to the next left out."""
    if exception is None:
        return None
    name = exception.rpartition(".")[2]
    for line in reversed(text.split("\n")):
        found, colon, message = line.partition(": ")
        if colon and found.rpartition(".")[2] == name:
            for pattern, instead in _CHANGING:
                message = pattern.sub(instead, message)
            return cleaned(message.strip()) or None
    return None
