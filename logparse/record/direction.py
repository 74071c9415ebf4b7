"""Tells whether a log has its newest record first, as viewers and exports have it."""

from itertools import pairwise

from logparse.record.parse import milliseconds
from logparse.record.unwrap import find, open_layers
from logparse.record.wrappers.wrapper import Context

_RECORDS = 50
_LINES = 2000
# Fewer steps back than this prove nothing.
_STEPS = 3


def newest_first(head: bytes, context: Context) -> bool:
    """Whether the records of a log's beginning go back in time, as far as it holds enough of them."""
    times: list[int] = []
    for line in head.split(b"\n", _LINES)[:_LINES]:
        time = time_of(line, context)
        if time is not None:
            times.append(time)
            if len(times) == _RECORDS:
                break
    back = sum(later < earlier for earlier, later in pairwise(times))
    forth = sum(later > earlier for earlier, later in pairwise(times))
    # Lines of several processes may be milliseconds out of order.
    return back >= _STEPS and forth * 4 <= back and times[-1] < times[0]


def time_of(line: bytes, context: Context) -> int | None:
    """When the record was written that the line begins, ms; None for any other line."""
    found = find(line, context)
    opened = open_layers(line, found.layers, context) if found is not None else None
    if found is None or opened is None:
        return None
    record = opened.content
    if found.form is not None:
        record = found.form.read(record, opened, context) or b""
    return milliseconds(record[:23].decode(errors="replace"))
