"""Which entries of a push Loki refused for good, as its answer 400 tells.

Loki takes the others of the same push. Its texts are those of pkg/validation/validate.go,
pkg/ingester/stream.go and pkg/chunkenc/interface.go, the same from 2.4 to 3.x.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec

from logparse.out.loki import Entry

_SECOND = 1_000_000_000  # ns

# entry for stream '{…}' has timestamp too old: 2026-…Z, oldest acceptable timestamp is: 2026-…Z
_TOO_OLD = re.compile(r"has timestamp too old: \S+, oldest acceptable timestamp is: (?P<bound>[^\s,;'\"]+)")
# entry for stream '{…}' has timestamp too new: 2026-…Z
_TOO_NEW = re.compile(r"has timestamp too new: (?P<bound>[^\s,;'\"]+)")
# entry with timestamp 2026-… +0000 UTC ignored, reason: 'entry too far behind, entry timestamp is: 2026-…Z,
# oldest acceptable timestamp is: 2026-…Z',\nuser 'x', total ignored: 3 out of 9 for stream: {…}
_BEHIND = re.compile(r"entry too far behind, .{0,200}?oldest acceptable timestamp is: (?P<bound>[^\s,;'\"]+)")
# The same with 'entry out of order', where unordered writes are turned off.
_UNORDERED = re.compile(r"entry with timestamp (?P<time>.{10,60}?) ignored, reason: 'entry out of order")
_STREAM = re.compile(r"for stream: \{(?P<labels>.*?)\}(?:\s|\Z)", re.DOTALL)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
# Max entry size '262144' bytes exceeded for stream '{…}' while adding an entry with length '300000' bytes
_TOO_LONG = re.compile(r"[Mm]ax entry size '?(?P<limit>\d+)'? bytes exceeded")

# Go's time.String(): 2026-10-07 01:35:32.405 +0000 UTC
_GO_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d{1,9}))? ([+-]\d{4})")

REASONS = ("too_old", "too_far_behind", "out_of_order", "too_new", "too_long", "time", "rejected")
"""Why an event is given up: what Loki says of it; `time`: it has one that Loki cannot hold; `rejected`:
Loki refuses it, and takes others."""


class Refused(msgspec.Struct, frozen=True):
    """Entries that Loki will never take, by reason, and those that it is to be asked for again."""

    entries: dict[str, list[Entry]]
    rest: list[Entry]


def refused(batch: Sequence[Entry], text: str) -> Refused | None:
    """What the text of an answer 400 says of the entries of the push; None where it names none of them."""
    found: dict[str, list[Entry]] = {}
    rest = list(batch)

    def take(reason: str, is_meant: Callable[[Entry], bool]) -> None:
        nonlocal rest
        meant = [entry for entry in rest if is_meant(entry)]
        if meant:
            found.setdefault(reason, []).extend(meant)
            rest = [entry for entry in rest if not is_meant(entry)]

    if limits := [int(match["limit"]) for match in _TOO_LONG.finditer(text)]:
        take("too_long", lambda entry: entry.length > min(limits))
    if (old := _latest(_TOO_OLD, text)) is not None:
        take("too_old", lambda entry: entry.ts < old)
        if not found:
            # The bound is told without its fraction of a second.
            take("too_old", lambda entry: entry.ts < old + _SECOND)
    new = [at for match in _TOO_NEW.finditer(text) if (at := _moment(match["bound"])) is not None]
    if new:
        take("too_new", lambda entry: entry.ts >= min(new))
    if (stream := _STREAM.search(text)) is not None:
        labels = {name: _unquoted(value) for name, value in _LABEL.findall(stream["labels"])}
        if (bound := _latest(_BEHIND, text)) is not None:
            take("too_far_behind", lambda entry: entry.ts < bound and _is_of(entry, labels))
            if not found:
                take("too_far_behind", lambda entry: entry.ts < bound + _SECOND and _is_of(entry, labels))
        times = {_go_time(match["time"]) for match in _UNORDERED.finditer(text)}
        take("out_of_order", lambda entry: entry.ts in times and _is_of(entry, labels))
    return Refused(found, rest) if found else None


def _latest(pattern: re.Pattern[str], text: str) -> int | None:
    bounds = [at for match in pattern.finditer(text) if (at := _moment(match["bound"])) is not None]
    return max(bounds, default=None)


def _moment(text: str) -> int | None:
    """ns since the epoch of an RFC 3339 time."""
    try:
        moment = datetime.fromisoformat(text)
        return round(moment.timestamp()) * _SECOND if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _go_time(text: str) -> int | None:
    match = _GO_TIME.match(text)
    if match is None:
        return None
    try:
        moment = datetime.strptime(f"{match[1]} {match[3]}", "%Y-%m-%d %H:%M:%S %z").astimezone(UTC)
    except ValueError:
        return None
    return round(moment.timestamp()) * _SECOND + int((match[2] or "0").ljust(9, "0"))


def _is_of(entry: Entry, labels: dict[str, str]) -> bool:
    """Whether an entry is of the stream with these labels; Loki adds some of its own (service_name)."""
    own: dict[str, str] = msgspec.json.decode(entry.stream)
    return all(labels.get(name) == value for name, value in own.items())


def _unquoted(text: str) -> str:
    """A label's value as Go quotes it: as JSON does, but for a few escapes that JSON has not."""
    try:
        value: object = msgspec.json.decode(f'"{text}"')
    except msgspec.DecodeError:
        return text
    return value if isinstance(value, str) else text
