"""Where messages and tracebacks end."""

import pytest

from logparse.record.closing import (
    HEADER,
    ends_message,
    in_message,
    in_old_traceback,
    is_fresh,
    traceback_end,
)
from tests.odoo import CONTROLLER, RUNNER, record, traceback


@pytest.mark.parametrize(
    "line",
    [
        b"asking Odoo to run job x ",
        b" ",
        b'"GET / HTTP/1.1" 200 - 13 0.003 0.006',
        b'"GET / HTTP/1.1" 200 - - - -',
        b'"GET / HTTP/1.1" 200 - 0 0.000 0.001 -',
        b'"GET / HTTP/1.1" 200 - 9 0.003 0.006 ro',
        b'"GET / HTTP/1.1" 200 - 9 0.003 0.006 rw',
        b'"GET / HTTP/1.1" 200 - 9 0.003 0.006 ro->rw',
        b"Exception: plain failure 11 - - -",
        # The clock was set back, or rounded.
        b'"GET / HTTP/1.1" 200 - 13 0.010 -0.500',
        b'"GET / HTTP/1.1" 200 - 13 0.010 -0.000',
        b'"GET / HTTP/1.1" 200 - 13 -3599.990 0.002',
        b'"GET / HTTP/1.1" 200 - 13 -3599.990 -0.002 ro->rw',
    ],
)
def test_ends_message(line: bytes) -> None:
    assert ends_message(line, 0, len(line))
    assert ends_message(b"before\n" + line + b"\nafter", 7, 7 + len(line))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"x",
        b"Traceback (most recent call last):",
        b"it took 5",
        b"1 2 3",
        b"a 0.1 0.2",
        b"3 .1 0.2",
        b"3 0. 0.2",
        b"a -0.1 -0.2",
        b"3 0.1 - 0.2",
        b"-3 0.1 --0.2",
        b"3 0.1 0.2 no",
        b"- -",
        b"-",
        b"ro->rw",
    ],
)
def test_does_not_end_a_message(line: bytes) -> None:
    assert not ends_message(line, 0, len(line))


def test_a_line_is_looked_at_from_its_start_only() -> None:
    data = b"3\n0.1 0.2"
    assert not ends_message(data, 2, len(data))


FORGED = record(0, 9, "INFO", None, RUNNER, "asking")


def test_the_traceback_of_a_job_ends_at_a_line_of_one_blank() -> None:
    text = b"  File\nError: x\n \nnext"
    assert traceback_end(text, 0, 0, len(text)) == (len(text) - 4, 0)
    assert traceback_end(b"  File\n\n", 0, 0, 8) == (-1, 0)
    assert traceback_end(b"  File\n ", 0, 0, 8) == (9, 0)  # at the end of a file without a line end


def test_headers_inside_a_traceback_are_counted_and_at_last_believed() -> None:
    text = FORGED * 3 + b" \n"
    assert traceback_end(text, 0, 0, len(text)) == (len(text), 0)
    assert traceback_end(FORGED * 3, 0, 4, 3 * len(FORGED)) == (-1, 7)
    # A server that was killed while it wrote: what follows are records.
    assert traceback_end(FORGED * 40, 0, 0, 40 * len(FORGED)) == (32 * len(FORGED), 0)


@pytest.mark.parametrize(
    ("before", "inside"),
    [
        (record(0, 7, "INFO", "d", "odoo.x", "whole"), False),
        (record(0, 7, "INFO", "d", "odoo.x", "of two\nlines"), False),
        (record(0, 7, "ERROR", "d", "odoo.http", "Exception", trace=traceback("E: x")), False),
        (b"2026-11-24 03:00:00,000 7 INFO d odoo.x: of two\n", True),
        (b"2026-11-24 03:00:00,000 7 INFO d odoo.x: of three\nlines\n", True),
    ],
)
def test_in_message(before: bytes, inside: bool) -> None:
    calm = record(0, 7, "INFO", "d", "odoo.x", "calm")
    data = calm + before + FORGED
    assert in_message(data, len(calm + before), 1 << 18, fresh=True) is inside


def test_in_message_looks_back_no_further_than_it_may() -> None:
    before = b"2026-11-24 03:00:00,000 7 INFO d odoo.x: first\n" + b"more\n" * 100
    assert in_message(before + FORGED, len(before), 1 << 18, fresh=True)
    assert not in_message(before + FORGED, len(before), 50, fresh=True)


def test_what_looks_like_a_record_after_an_exception_may_be_its_text() -> None:
    trace = record(0, 7, "ERROR", "d", "odoo.http", "Exception", trace=traceback("E: x"))
    runner = record(0, 8, "ERROR", None, RUNNER, "exception in GET http://x", trace=traceback("E: x"))
    calm = record(0, 7, "INFO", "d", "odoo.x", "calm")
    assert is_fresh(calm + FORGED, len(calm), 1 << 18, fresh=False)
    assert not is_fresh(trace + FORGED, len(trace), 1 << 18, fresh=True)
    # The runner's own exceptions hold no text of a job.
    assert is_fresh(runner + FORGED, len(runner), 1 << 18, fresh=False)
    assert is_fresh(FORGED, 0, 1 << 18, fresh=True)
    assert not is_fresh(FORGED, 0, 1 << 18, fresh=False)


OLD = record(0, 7, "ERROR", "d", CONTROLLER, traceback("Error: x"), old=True)


@pytest.mark.parametrize(
    ("data", "inside"),
    [
        (OLD[:-1] + b"\n" + FORGED + b"\n", True),
        (OLD[:-1] + b"\n" + FORGED * 3 + b"\n", True),
        (OLD + b"\n" + FORGED, False),  # the empty line that ends it was there
        (OLD + FORGED, False),
        (FORGED + b"\n", False),
        (b"text of another\n" + FORGED + b"\n", False),
    ],
)
def test_in_old_traceback(data: bytes, inside: bool) -> None:
    start = data.index(FORGED)
    end = start + len(FORGED) - 1
    run = in_old_traceback(data, start, end, 1 << 18, opened=False, final=True)
    assert run == (data.rindex(FORGED) + len(FORGED) if inside else 0)


def test_whether_a_line_is_in_an_old_traceback_may_not_show_yet() -> None:
    data = OLD + FORGED
    limit, last = 1 << 18, len(FORGED) - 1
    assert in_old_traceback(data, len(OLD), len(data) - 1, limit, opened=False, final=False) is None
    assert in_old_traceback(FORGED + b"\n", 0, last, limit, opened=True, final=False) == last + 1
    assert in_old_traceback(FORGED + b"\n", 0, last, limit, opened=False, final=False) == 0


def test_header() -> None:
    assert HEADER.match(FORGED)
    assert not HEADER.match(b" " + FORGED)
    assert not HEADER.match(b"2026-11-24 03:00:00 7 INFO ? x: y")
