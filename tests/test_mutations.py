"""Real logs, mutated: nothing raises, and the work that a line costs does not grow with the log.

`make fuzz` mutates a million lines; a plain run some thousand.
"""

import os
import random
import re
from collections.abc import Iterator

import pytest

from logparse.lifecycle.event import Event
from logparse.pipe import Pipe
from logparse.source.chunk import Chunk
from tests import recorded
from tests.truth import impossible

FUZZ = os.environ.get("LOGPARSE_HYPOTHESIS") == "fuzz"
LINES = 1_000_000 if FUZZ else 6_000
RUNS = ["12.0-w2-info", "14.0-w0-debug", "16.0-w2-debug", "17.0-w0-pty", "17.0-w2-warn", "18.0-w2-2db-info"]
BYTES = b" \n\r\t\x00\x1b[]()<>:,-?&=\"'%#{}0123456789aefTZ\xff\xc3\xb6\xe2\x80\xa8"


def pieces(line: bytes) -> list[bytes]:
    return re.split(rb"( |:|\n)", line)


def mutate(line: bytes, other: bytes, rnd: random.Random) -> bytes:
    """The line with one thing wrong: cut, mixed with another, a byte changed, a word taken or given twice."""
    at = rnd.randrange(len(line) + 1)
    match rnd.randrange(9):
        case 0:
            return line[:at]
        case 1:
            return line[at:]
        case 2:
            return line[:at] + other
        case 3:
            return line[:at] + bytes(rnd.choice(BYTES) for _ in range(rnd.randrange(1, 5))) + line[at + 1 :]
        case 4:
            words = pieces(line)
            del words[rnd.randrange(len(words))]
            return b"".join(words)
        case 5:
            words = pieces(line)
            number = rnd.randrange(len(words))
            return b"".join([*words[:number], words[number] * rnd.randrange(2, 40), *words[number + 1 :]])
        case 6:
            mine, theirs = pieces(line), pieces(other)
            mine[rnd.randrange(len(mine))] = rnd.choice(theirs)
            return b"".join(mine)
        case 7:
            return other + b"\n" + line
        case _:
            return b"\x00" * rnd.randrange(1, 200) + line


def mutated(run: str, count: int, seed: int) -> Iterator[bytes]:
    """Blocks of so many lines of a run, a third of which are mutated."""
    rnd = random.Random(seed)
    lines = b"".join(recorded.texts(run).values()).split(b"\n")
    while count > 0:
        start = rnd.randrange(max(1, len(lines) - 500))
        block = lines[start : start + min(count, 500)]
        count -= len(block)
        yield (
            b"\n".join(mutate(line, rnd.choice(lines), rnd) if rnd.random() < 0.3 else line for line in block)
            + b"\n"
        )


@pytest.mark.parametrize("run", RUNS)
def test_nothing_raises_and_what_is_told_is_possible(run: str) -> None:
    pipe = Pipe(recorded.patterns())
    told: list[Event] = []
    offset = 0
    for block in mutated(run, LINES // len(RUNS), seed=len(run)):
        told += [output for output in pipe.feed(Chunk("x", offset, block)) if isinstance(output, Event)]
        offset += len(block)
    told += [output for output in pipe.feed(Chunk("x", offset, b"", last=True)) if isinstance(output, Event)]
    told += [output for output in pipe.finish() if isinstance(output, Event)]
    assert pipe.tally.lines > LINES // len(RUNS) // 2
    assert list(impossible(told)) == []
    assert told


def work(data: bytes) -> int:
    """How many lines of Python the pipe runs for these bytes: what it costs, on any machine alike."""
    import sys

    count = 0

    def trace(frame: object, event: str, argument: object) -> object:
        nonlocal count
        count += 1
        return trace

    pipe = Pipe(recorded.patterns())
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        for start in range(0, len(data), 1 << 16):
            pipe.feed(Chunk("x", start, data[start : start + (1 << 16)]))
        pipe.feed(Chunk("x", len(data), b"", last=True))
        pipe.finish()
    finally:
        sys.settrace(None)
    return count


HEAD = b"2026-11-24 03:00:18,770 25509 ERROR prod odoo.addons.queue_job.controllers.main: "
SHAPES = {
    "lines of a log": lambda n: b"".join(mutated("16.0-w2-debug", n, seed=1)),
    "one long line": lambda n: HEAD + b"x" * (200 * n) + b"\n",
    "a long traceback": lambda n: (
        HEAD
        + b"Traceback (most recent call last):\n"
        + b'  File "/x.py", line 1, in f\n    f()\n' * (5 * n)
        + b"ValueError: boom\n \n"
    ),
    "headers in a message": lambda n: HEAD + b"see:\n" + (HEAD + b"Traceback (most recent call last):\n") * n,
    "openings of an access line": lambda n: (
        b'2026-11-24 03:00:18,770 7 INFO prod werkzeug: 1 - - [x] "GET '
        + b"/queue_job/runjob?db=" * (10 * n)
        + b"\n"
    ),
    "NULs": lambda n: (b"\x00" * 500 + HEAD + b"x\n") * n,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_twice_as_much_costs_about_twice_the_work(shape: str) -> None:
    small, large = work(SHAPES[shape](400)), work(SHAPES[shape](1600))
    assert large < 4 * small * 1.6 + 5000
