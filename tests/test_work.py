"""What is done for each fact, counted in calls: it must not grow unseen, whatever machine runs it."""

import gzip
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from logparse.match.load import load_patterns
from logparse.out.counts import Counts
from logparse.out.requests import Requests
from logparse.pipe import Pipe
from logparse.source.chunk import Chunk

ROOT = Path(__file__).parent.parent
INFO = (ROOT / "fixtures" / "16.0-w2-info" / "odoo.log").read_bytes()
DEBUG = gzip.decompress((ROOT / "fixtures" / "16.0-w2-debug" / "odoo.log.gz").read_bytes())
OTHER = INFO.splitlines(keepends=True)[-1][:23] + (
    b' 7 INFO db werkzeug: 127.0.0.1 - - [24/Nov/2026 03:06:09] "GET /web HTTP/1.0" 200 - 1 0.001 0.003\n'
)
LOGS = {"info": INFO, "debug": DEBUG}


class Work:
    """calls: of functions by name, `python` and `c` of all. facts: how many were found."""

    def __init__(self, log: bytes, *, http: bool = False) -> None:
        self.calls: Counter[str] = Counter()
        requests = Requests() if http else None
        pipe, counts = Pipe(load_patterns(http=http), requests=requests), Counts(requests=requests)
        sys.setprofile(self._called)
        try:
            counts.add_all(pipe.feed(Chunk("odoo.log", 0, log, last=True)))
        finally:
            sys.setprofile(None)
        self.facts = sum(pipe.facts.values())

    def _called(self, frame: FrameType, event: str, what: Any) -> None:
        if event == "call":
            self.calls["python"] += 1
            self.calls[frame.f_code.co_name] += 1
        elif event == "c_call":
            self.calls["c"] += 1
            self.calls[what.__name__] += 1


@cache
def work(level: str, others: int = 0, *, http: bool = False) -> Work:
    log = LOGS[level] + OTHER * others
    Work(log, http=http)  # what is made once, such as compiled patterns, is there then
    return Work(log, http=http)


# Calls for each fact. Who needs more of them says in the commit what for.
@pytest.mark.parametrize(("level", "python", "c"), [("info", 25.5, 46.5), ("debug", 20, 34)])
def test_calls_for_each_fact(level: str, python: float, c: float) -> None:
    done = work(level)
    assert done.calls["python"] / done.facts < python
    assert done.calls["c"] / done.facts < c


@pytest.mark.parametrize("level", LOGS)
def test_each_record_is_taken_apart_judged_and_matched_once(level: str) -> None:
    done = work(level)
    for name in ("parse_header", "judge", "__call__", "feed"):
        assert done.calls[name] < 1.1 * done.facts + 10, name
    # Of each record the header is decoded, and of few the body.
    assert done.calls["decode"] < 1.3 * done.facts


def test_other_lines_cost_nothing_but_the_search() -> None:
    few, many = work("info", 10), work("info", 10_010)
    assert few.facts == many.facts
    assert many.calls["python"] + many.calls["c"] - few.calls["python"] - few.calls["c"] < 50


def test_access_lines_are_counted_in_bulk() -> None:
    """Of each, a call of C or two, to put it to those of its route."""
    few, many = work("info", 10, http=True), work("info", 10_010, http=True)
    assert many.facts - few.facts == 10_000
    assert many.calls["python"] - few.calls["python"] < 500
    assert many.calls["c"] - few.calls["c"] < 13_000
