"""Memory is bounded whatever a log holds, and what follows a monster is found."""

import subprocess
import sys

import pytest

# In a process of its own: the peak of this one is of all tests before.
PROGRAM = """
import resource, sys
from logparse.record.scan import Scanner
from logparse.source.chunk import Chunk
from tests.odoo import CONTROLLER, asking, record, uuid
from tests.record.test_scan import CALM, INTEREST

kind, megabytes = sys.argv[1], int(sys.argv[2])
head = CALM + record(1000, 7, "ERROR", "d", CONTROLLER, "Traceback (most recent call last):", old=True)[:-1]
filler = {
    "line": b"x" * (1 << 20),
    "lines": b"\\na line of text".ljust(64, b"."),
    "nuls": b"\\x00" * (1 << 20),
    "escapes": b"\\x1b" * (1 << 20),
    "headers": b"\\n2026-11-24 03:00:01,000 7 INFO d odoo.x: asking Odoo".ljust(64, b"."),
}[kind]
filler *= (1 << 20) // len(filler)
scanner = Scanner(INTEREST)
offset = 0
found = longest = 0
def feed(data, last=False):
    global offset, found, longest
    for one in scanner.feed(Chunk("f", offset, data, last)):
        found += uuid(99) in one.message
        longest = max(longest, len(one.body))
    offset += len(data)
feed(head)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
most = 0
for number in range(megabytes):
    feed(filler)
    most = max(most, scanner.pending)
feed(b"\\n \\n" + asking(2000, 9, uuid(99), "d") + CALM, True)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print((after - before) // 1024, most >> 20, found, longest, offset == scanner.tally.bytes)
"""


@pytest.mark.parametrize(
    ("kind", "megabytes"),
    [("lines", 10), ("line", 100), ("nuls", 40), ("escapes", 20), ("headers", 10)],
)
def test_memory_does_not_grow_with_a_record(kind: str, megabytes: int) -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, kind, str(megabytes)], capture_output=True, text=True, check=True
    )
    grown, pending, found, body, counted = run.stdout.split()
    assert int(grown) < 48  # MiB: a few copies of at most 8
    assert int(pending) <= 9
    assert int(found) == 1
    assert int(body) <= 1 << 20
    assert counted == "True"
