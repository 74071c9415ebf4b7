"""The exception that a record's traceback ends in: its class, and the first line of its text."""

import re
from typing import NamedTuple

_HEAD = "Traceback (most recent call last):"
_HEADS = r"(?:Traceback|(?P<group>  \+ Exception Group Traceback)) \(most recent call last\):(?=\n)"
_BEGIN = re.compile(r"\n" + _HEADS)
_LINK = re.compile(
    r"\n\n(?:During handling of the above exception, another exception occurred"
    r"|The above exception was the direct cause of the following exception):\n(?=\n" + _HEADS + ")"
)
_FRAME = re.compile(r'\n  File "([^"\n]*)')
# The line that ends the frames, since it is not indented; the lines of an exception group have a margin.
_LAST = re.compile(r"\n([^ \t\r\n][^\n]*)")
_FRAME_OF_GROUP = re.compile(r'\n  \|   File "([^"\n]*)')
_LAST_OF_GROUP = re.compile(r"\n  \| ([^ \t\r\n][^\n]*)")
_FRAMES = re.compile(r'\n  (?:\|   )?File "([^"\n]{1,1000})", line (\d{1,9}), in ([^\n]{1,200})')
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
    "/connector/queue/worker.py",
    "/queue_job_cron_jobrunner/models/queue_job.py",
)


class Raised(NamedTuple):
    """name: the dotted class name, as Python wrote it. text: the first line of str(exception), or "".

    The text is the user's: it may hold personal data.
    """

    name: str
    text: str


class Frame(NamedTuple):
    """A place in a program: path of the file, number of the line, name of the function."""

    file: str
    line: int
    function: str


def frames(message: str, body: str) -> list[Frame]:
    """The frames of the traceback whose exception `raised` tells, the innermost last; none without one."""
    text = f"\n{message}\n{body}" if message == _HEAD else f"\n{body}"
    block = _own(text)
    if block is None:
        return []
    found = _FRAMES.finditer(text, block.begin, block.end)
    return [Frame(match[1], int(match[2]), match[3]) for match in found]


def raised(message: str, body: str) -> Raised | None:
    """The last exception of the chain in a record's message and continuation lines; None without one.

    The class stands on the first line after the frames that is not indented. What follows it is the
    exception's text, of any number of lines, which may quote headers, tracebacks and anything else.
    """
    text = f"\n{message}\n{body}" if message == _HEAD else f"\n{body}"
    block = _own(text)
    if block is None:
        return None
    line = block.line
    if message == _WERKZEUG and not text[block.end :].strip():
        line = _PERF.sub("", line)
    match = _CLASS.fullmatch(line.rstrip())
    return Raised(match[1], match[2] or "") if match else None


class _Block(NamedTuple):
    """One traceback: the file of its first frame, its class line, and from where to where it is."""

    first_frame: str
    line: str
    begin: int
    end: int


def _own(text: str) -> _Block | None:
    """The traceback of the job's own exception, the last of the chain."""
    block = _block(text, 0)
    while block is not None and not block.first_frame.replace("\\", "/").endswith(_CATCHERS):
        link = _LINK.search(text, block.end)
        following = None if link is None else _block(text, link.end())
        if following is None or not following.first_frame or not _CLASS.fullmatch(following.line):
            break
        block = following
    return block


def _block(text: str, at: int) -> _Block | None:
    """The next traceback from the index `at` on; None where there is none."""
    begin = _BEGIN.search(text, at)
    if begin is None:
        return None
    group = begin["group"] is not None
    last = (_LAST_OF_GROUP if group else _LAST).search(text, begin.end())
    if last is None:
        return None
    frame = (_FRAME_OF_GROUP if group else _FRAME).match(text, begin.end())
    return _Block(frame[1] if frame else "", last[1], begin.end(), last.end())
