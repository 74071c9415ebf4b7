"""The exception that a record's traceback ends in: its class, and the first line of its text."""

import re
from typing import NamedTuple

_HEAD = "Traceback (most recent call last):"
_GROUP_HEAD = "  + Exception Group Traceback (most recent call last):"
_LINKS = frozenset(
    (
        "During handling of the above exception, another exception occurred:",
        "The above exception was the direct cause of the following exception:",
    )
)
# The class line: `odoo.exceptions.UserError: text`, or the class alone. Python 2 (Odoo 10 and older) writes
# no module; a class made in a function has `<locals>` in its name.
_CLASS = re.compile(r"([^\W\d][\w.<>]{0,299})(?:: ?(.*))?", re.DOTALL)
# Odoo 12 and later end a record of werkzeug with its numbers, here on the traceback's last line.
_PERF = re.compile(r" (?:- - -|\d+ -?\d+\.\d+ -?\d+\.\d+(?: (?:ro->rw|ro|rw|-))?)\Z")
_WERKZEUG = "Error on request:"
# Where a job's exception is caught, and so where its own traceback begins. One of its causes begins deeper,
# a traceback that its text quotes begins anywhere.
_CATCHERS = (
    "/queue_job/controllers/main.py",
    "/connector/controllers/main.py",
    "/queue_job_cron_jobrunner/models/queue_job.py",
)


class Raised(NamedTuple):
    """name: the dotted class name, as Python wrote it. text: the first line of str(exception), or "".

    The text is the user's: it may hold personal data.
    """

    name: str
    text: str


def raised(message: str, body: str) -> Raised | None:
    """The last exception of the chain in a record's message and continuation lines; None without one.

    The class stands on the first line after the frames that is not indented. What follows it is the
    exception's text, of any number of lines, which may quote headers, tracebacks and anything else.
    """
    lines = body.split("\n")
    if message == _HEAD:
        lines.insert(0, message)
    block = _block(lines, 0)
    if block is None:
        return None
    while not block.first_frame.replace("\\", "/").endswith(_CATCHERS):
        start = _link(lines, block.end)
        following = None if start is None else _block(lines, start)
        if following is None or not following.first_frame or not _CLASS.fullmatch(following.line):
            break
        block = following
    line = block.line
    if message == _WERKZEUG and not any(text.strip() for text in lines[block.end :]):
        line = _PERF.sub("", line)
    match = _CLASS.fullmatch(line.rstrip())
    return Raised(match[1], match[2] or "") if match else None


class _Block(NamedTuple):
    """One traceback: the file of its first frame, its class line, the index of the line after that."""

    first_frame: str
    line: str
    end: int


def _block(lines: list[str], at: int) -> _Block | None:
    """The next traceback from the line `at` on; None where there is none."""
    for index in range(at, len(lines)):
        if lines[index] in (_HEAD, _GROUP_HEAD):
            break
    else:
        return None
    margin = 4 if lines[index] == _GROUP_HEAD else 0
    first_frame = ""
    for number in range(index + 1, len(lines)):
        line = lines[number][margin:]
        if not line or line[0] in " \t\r":
            if not first_frame and line.startswith('  File "'):
                first_frame = line[8:].partition('", line ')[0]
            continue
        return _Block(first_frame, line, number + 1)
    return None


def _link(lines: list[str], at: int) -> int | None:
    """Where the traceback begins that a chain goes on with; None where the chain ends."""
    for index in range(at, len(lines) - 3):
        if (
            lines[index + 1] in _LINKS
            and not lines[index]
            and not lines[index + 2]
            and lines[index + 3] in (_HEAD, _GROUP_HEAD)
        ):
            return index + 3
    return None
