"""Two processes that wrote to one pipe at once: a record that was cut by another one, in the same line.

The first line of a record is taken apart only where it is the job runner's, whose messages hold no text of
anybody else, so that nobody can write a record by writing what looks like one; and where the inner record
is whole. The rest of the outer one is the next line.
"""

import re

from logparse.record.closing import HEADER, ends_message

_INNER = re.compile(HEADER.pattern)
RUNNER = ".queue_job.jobrunner."
"""In the name of the loggers whose records are taken apart."""


def inner_start(line: bytes) -> int:
    """Where in this first line of a record of the runner another record begins; -1: nowhere, or not whole.

    The line is that of Odoo 12 or later, where the end of a message can be told.
    """
    # Most lines hold no second time; its comma tells.
    if line.find(b",", 24) < 0:
        return -1
    match = _INNER.search(line, 24)
    if match is None or not ends_message(line, 0, len(line)):
        return -1
    # A third one: then nothing can be told of any.
    return -1 if _INNER.search(line, match.end()) else match.start()


def rest_of(data: bytes, start: int) -> str:
    """The line at `start`, as the end of the message that was cut before; "" where it is none."""
    end = data.find(b"\n", start)
    end = end if end >= 0 else len(data)
    if HEADER.match(data, start) or not ends_message(data, start, end):
        return ""
    return data[start:end].decode(errors="replace").rstrip(" ")
