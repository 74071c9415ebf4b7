"""Writes a line of a log with the events beside it that it proved, as JSON or as logfmt."""

import re
from collections.abc import Sequence

import msgspec

from logparse.lifecycle.event import Event
from logparse.out.jsonl import encode

_encode = msgspec.json.Encoder().encode
_BARE = re.compile(r'[^\s"=\\\x00-\x1f\x7f]+\Z')
# Where the proving line stands says nothing in a stream.
_UNSAID = frozenset({"file", "offset"})


def as_json(line: bytes | None, events: Sequence[Event]) -> bytes:
    """One object: `line`, the text without its end (null: a pause proved the events), and `events`.

    An event is as `logparse events` prints it (docs/events.md). Bytes that are not UTF-8 are U+FFFD.
    """
    text = b"null" if line is None else _encode(line.decode(errors="replace"))
    return b'{"line":%b,"events":[%b]}\n' % (text, b",".join(encode(event)[:-1] for event in events))


def as_logfmt(line: bytes | None, events: Sequence[Event]) -> bytes:
    """`line="…" event=… db=… …`: the text without its end, and the fields of the first event that are known.

    Of further events each has a line of its own, without `line`; all have, where `line` is None.
    """
    rows: list[list[str]] = []
    if line is not None:
        rows.append([f"line={_quoted(line.decode(errors='replace'))}"])
    for number, event in enumerate(events):
        fields: dict[str, object] = msgspec.json.decode(encode(event))
        pairs = [
            f"{name}={_value(value)}"
            for name, value in fields.items()
            if value is not None and name not in _UNSAID
        ]
        if number == 0 and rows:
            rows[0] += pairs
        else:
            rows.append(pairs)
    return "".join(" ".join(row) + "\n" for row in rows).encode()


def _value(value: object) -> str:
    text = str(value)
    return text if _BARE.match(text) else _quoted(text)


def _quoted(text: str) -> str:
    return _encode(text).decode()
