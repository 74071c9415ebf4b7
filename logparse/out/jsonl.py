"""Writes an event as one line of JSON."""

from datetime import UTC, datetime

import msgspec

from logparse.lifecycle.event import Event

_encode = msgspec.json.Encoder().encode
_second: tuple[int, bytes] = (0, b"1970-01-01T00:00:00")
"""The second written last: events come by the dozen in one second."""


def encode(event: Event) -> bytes:
    """One line of JSON, newline included (docs/events.md): keys in the order of the struct's fields.

    `ts` becomes UTC with milliseconds (null outside of the years 1 to 9999), seconds have at most
    three decimals, unknown is null. Text that is no Unicode (lone surrogates, from bytes that were
    not UTF-8) has U+FFFD instead, so nothing that a log can hold raises.
    """
    duration, wait, sql_time = event.duration, event.wait, event.sql_time
    if (
        (duration is not None and duration != round(duration, 3))
        or (wait is not None and wait != round(wait, 3))
        or (sql_time is not None and sql_time != round(sql_time, 3))
    ):
        event = _rounded(event)
    try:
        line = _encode(event)
    except UnicodeEncodeError:
        line = _encode(_unicode(event))
    # msgspec wrote the time as a number: {"ts":1795487779363,"event":…
    return b'{"ts":%b%b\n' % (iso_bytes(event.ts), line[line.index(b",") :])


def iso_bytes(ts: int) -> bytes:
    """A time (ms since the epoch) as JSON has it: in quotes, UTC; null outside of the years 1 to 9999."""
    global _second
    second, milliseconds = divmod(ts, 1000)
    known, text = _second
    if second != known:
        try:
            text = datetime.fromtimestamp(second, UTC).isoformat()[:19].encode()
        except (ValueError, OverflowError, OSError):  # a forged line can name any year
            return b"null"
        _second = (second, text)
    return b'"%b.%03d+00:00"' % (text, milliseconds)


def _rounded(event: Event) -> Event:
    return msgspec.structs.replace(
        event,
        duration=None if event.duration is None else round(event.duration, 3),
        wait=None if event.wait is None else round(event.wait, 3),
        sql_time=None if event.sql_time is None else round(event.sql_time, 3),
    )


def _unicode(event: Event) -> Event:
    texts = {
        name: value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        for name in event.__struct_fields__
        if isinstance(value := getattr(event, name), str)
    }
    return msgspec.structs.replace(event, **texts)
