"""What Loki is told of an event: an entry of a stream, and entries as the body of a push."""

import gzip
from collections.abc import Iterable, Mapping

import msgspec

from logparse.lifecycle.event import Event
from logparse.out.jsonl import encode
from logparse.out.label import cleaned

MOST_VALUES = 100
"""Values that the label `db`, or `server`, may take; all beyond are `other`: each is a stream of its own."""
OTHER = "other"

_LATEST = 2**63 - 1  # ns since the epoch: Loki refuses the whole push for a time that it cannot hold
_LONGEST = 1024  # characters of one value of structured metadata
# What is a label, or says nothing beside the line.
_NO_METADATA = frozenset({"ts", "event", "db", "server", "file", "offset"})

_encode = msgspec.json.Encoder().encode


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One event as Loki keeps it.

    ts: nanoseconds since the epoch. stream: its labels, a JSON object. value: what a push has of it: time,
    line and structured metadata, a JSON array. length: of the line, bytes of UTF-8.

    Loki takes two entries of a stream for one where time and line are the same, whatever their metadata is
    (pkg/chunkenc/unordered.go): so the line holds all that tells two events apart.
    """

    ts: int
    stream: bytes
    value: bytes
    length: int

    @property
    def size(self) -> int:
        """Bytes that it adds to a push, at most."""
        return len(self.stream) + len(self.value)


class Entries:
    """Makes entries of events, with labels that are few however many names a log holds.

    labels: that every stream has. known: the values of `db` and `server` so far, for a start that goes on.
    """

    def __init__(self, labels: Mapping[str, str], known: Mapping[str, Iterable[str]] | None = None) -> None:
        self._labels = dict(labels)
        self._known: dict[str, dict[str, None]] = {"db": {}, "server": {}}
        for name, values in (known or {}).items():
            self._known[name] = dict.fromkeys(values)

    @property
    def known(self) -> dict[str, list[str]]:
        """The values of the labels that the log chooses, in the order in which they came."""
        return {name: list(values) for name, values in self._known.items()}

    def entry(self, event: Event, text: str | None = None, *, late: bool = False) -> Entry | None:
        """The entry; None for a time before 1970 or so late that Loki cannot hold it (a forged one).

        text: the record behind it, to be shown with it. late: it is told long after it happened, and goes
        to a stream of such.
        """
        ts = event.ts * 1_000_000
        if not 0 <= ts <= _LATEST:
            return None
        line = encode(event)[:-1]
        fields: dict[str, object] = msgspec.json.decode(line)
        if text is not None:
            line = b'%b,"text":%b}' % (line[:-1], _encode(_unicode(text)))
        labels = dict(self._labels)
        labels["event"] = event.event
        if late:
            labels["late"] = "true"
        for name in ("db", "server"):
            value = fields[name]
            if isinstance(value, str) and value:
                labels[name] = self._bounded(name, cleaned(value))
        metadata = {
            "job_uuid" if name == "uuid" else name: str(value)[:_LONGEST]
            for name, value in fields.items()
            if value is not None and value != "" and name not in _NO_METADATA
        }
        stream = _encode(dict(sorted(labels.items())))
        return Entry(ts, stream, _encode([str(ts), line.decode(), metadata]), len(line))

    def _bounded(self, name: str, value: str) -> str:
        known = self._known[name]
        if value not in known:
            if len(known) >= MOST_VALUES:
                return OTHER
            known[value] = None
        return value


def body(entries: Iterable[Entry]) -> bytes:
    """A push of these entries, gzipped JSON, for `POST /loki/api/v1/push`.

    Those of a stream are in the order of their times: so none is too far behind the one before it.
    """
    streams: dict[bytes, list[Entry]] = {}
    for entry in entries:
        streams.setdefault(entry.stream, []).append(entry)
    parts = [
        b'{"stream":%b,"values":[%b]}' % (stream, b",".join([one.value for one in sorted(held, key=_ts)]))
        for stream, held in streams.items()
    ]
    return gzip.compress(b'{"streams":[%b]}' % b",".join(parts), 5, mtime=0)


def _ts(entry: Entry) -> int:
    return entry.ts


def _unicode(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
