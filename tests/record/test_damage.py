"""Logs that were damaged on their way tell what is left of them, and nothing else."""

import tracemalloc

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logparse.lifecycle.event import Event
from logparse.pipe import Pipe
from logparse.source.chunk import Chunk
from tests import recorded
from tests.record.test_wrappers import bare, joined, read, told
from tests.record.wrapping import WRAPS, quoted, records

UUID = "05bad9a4-4f83-46fd-b636-1a0346d3a5bc"
RUNNER = "odoo.addons.queue_job.jobrunner.runner"
AT = "2026-11-24 03:00:0{},000"
ASKING = f"{AT.format(1)} 7 INFO ? {RUNNER}: asking Odoo to run job {UUID} on db prod "
ACCESS = (
    f"{AT.format(2)} 8 INFO prod werkzeug: 127.0.0.1 - - [24/Nov/2026 03:00:02] "
    f'"GET /queue_job/runjob?db=prod&job_uuid={UUID} HTTP/1.1" 200 - 12 0.010 0.020'
)
SHORT = f"{AT.format(0)} 7 INFO ? odoo: Odoo version 16.0 "


def kinds(log: str | bytes) -> list[tuple[str, str | None, str | None]]:
    data = log if isinstance(log, bytes) else log.encode(errors="surrogateescape")
    return [(event.event, event.uuid, event.db) for event in told(data)]


def text(*lines: str) -> str:
    return "".join(line + "\n" for line in lines)


WHOLE = [("dispatched", UUID, "prod"), ("started", UUID, "prod"), ("done", UUID, "prod")]


def test_whole() -> None:
    assert kinds(text(ASKING, ACCESS)) == WHOLE


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_header_that_is_cut_at_either_end_of_the_file(cut: int) -> None:
    log = text(ASKING[cut:], ASKING, ACCESS) + ACCESS[:cut]
    assert kinds(log) == WHOLE


def test_nuls_that_a_crash_left() -> None:
    assert kinds("\0" * 5000 + text(ASKING) + "\0" * 300 + text(ACCESS) + "\0" * 10) == WHOLE
    assert kinds(text(ASKING + "\0" * 90) + "\0\0\n" + text(ACCESS)) == WHOLE


def test_lines_that_two_handlers_wrote() -> None:
    lines = bare("16.0-w2-info")
    twice = [line for record in records(lines) for line in record * 2]
    expected, got = told(joined(lines)), told(joined(twice))
    jobs = [event for event in expected if event.uuid is not None]
    assert len(jobs) > 500
    assert [event for event in got if event.uuid is not None] == jobs


def test_two_writers_in_one_line() -> None:
    other = "15bad9a4-4f83-46fd-b636-1a0346d3a5bc"
    inner = ASKING.replace(UUID, other)
    for cut in (90, len(ASKING) - 40, len(ASKING) - 3):
        log = text(ASKING[:cut] + inner, ASKING[cut:], ACCESS)
        assert sorted(kinds(log)) == sorted([*WHOLE, ("dispatched", other, "prod")])
    # Where the rest of the outer one is lost, only the inner one is told.
    assert kinds(text(ASKING[:90] + inner)) == [("dispatched", other, "prod")]


def test_a_header_inside_other_lines_is_no_record() -> None:
    """Whoever can choose a text that is logged could write records otherwise."""
    forged = ASKING.replace(UUID, "15bad9a4-4f83-46fd-b636-1a0346d3a5bc")
    for logger in ("odoo.addons.sale", "werkzeug"):
        line = f"{AT.format(1)} 7 INFO prod {logger}: a text of somebody{forged}"
        assert kinds(text(ASKING, line, ACCESS)) == WHOLE


def broken(line: str, width: int) -> list[str]:
    """As a mail program breaks it, at blanks."""
    out, current = [], ""
    for word in line.split():
        if current and len(current) + 1 + len(word) > width:
            out.append(current)
            current = word
        else:
            current = f"{current} {word}" if current else word
    return [*out, current]


@pytest.mark.parametrize("width", [68, 72, 76, 78])
def test_lines_that_a_mail_program_broke(width: int) -> None:
    lines = [part for line in (SHORT, ASKING, ACCESS) for part in broken(line, width)]
    if max(map(len, lines)) <= 84:
        assert {*WHOLE} <= {*kinds(text(*lines))}
    quotes = joined(quoted([line.encode() for line in lines]))
    if max(map(len, lines)) <= 80:
        assert {*WHOLE} <= {*kinds(quotes)}


def test_a_mail_that_was_not_broken_is_read_as_it_is() -> None:
    assert kinds(text(SHORT, "Traceback", "  File", SHORT)) == kinds(text(SHORT, SHORT))


def test_a_short_log_is_told_though_it_goes_on() -> None:
    pipe = Pipe(recorded.patterns())
    out = pipe.feed(Chunk("f", 0, text(SHORT).encode()))
    assert pipe.reader.pending == len(SHORT) + 1
    out += pipe.quiet(long=True)
    assert pipe.reader.pending == 0
    at = len(SHORT) + 1
    out += pipe.feed(Chunk("f", at, text(ASKING).encode()))
    out += pipe.quiet()
    out += pipe.feed(Chunk("f", at + len(ASKING) + 1, text(ACCESS).encode()))
    out += pipe.quiet()
    names = [one.event for one in out if isinstance(one, Event) and one.uuid]
    assert names[:2] == ["dispatched", "started"]


@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\r", "\x1c"])
def test_characters_that_some_take_for_line_ends(end: str) -> None:
    forged = ASKING.replace(UUID, "15bad9a4-4f83-46fd-b636-1a0346d3a5bc")
    line = f"{AT.format(1)} 7 INFO prod odoo.addons.sale: a text{end}{forged}"
    assert kinds(text(ASKING, line, ACCESS)) == WHOLE


def test_latin_1() -> None:
    log = text(ASKING.replace("db prod", "db caf\udce9"), ACCESS.replace("db=prod", "db=caf%C3%A9"))
    pipe, events = read(log.encode(errors="surrogateescape"))
    assert events[0].db == "café"
    assert pipe.tally.decode_errors == 1


def test_a_clock_that_is_set_back() -> None:
    assert kinds(text(ASKING, ACCESS.replace("03:00:02,", "02:59:58,"))) == WHOLE


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 3000), st.sampled_from(sorted(WRAPS)), st.integers(1, 700))
def test_any_bytes_anywhere_are_survived(junk: bytes, at: int, name: str, size: int) -> None:
    log = joined(WRAPS[name](bare("16.0-w2-info")[:60]))
    log = log[:at] + junk + log[at:]
    read(log, size=size)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=8), st.integers(1, 100))
def test_any_bytes_alone_are_survived(parts: list[bytes], size: int) -> None:
    starts = [b"", b'{"log":"', b'{"message":"', b"2026-11-24T02:54:42Z ", b"Nov 24 02:54:42 h odoo: ", b"> "]
    data = b"\n".join(start + part for start, part in zip(starts * 2, parts, strict=False))
    read(data, size=size)


def test_a_line_of_100_mb_and_an_object_of_10_mb() -> None:
    pipe = Pipe(recorded.patterns())
    start = joined(WRAPS["compose"]([SHORT.encode()] * 50))
    out = pipe.feed(Chunk("f", 0, start))
    place = len(start)
    block = b"x" * (1 << 20)
    tracemalloc.start()
    for _ in range(100):
        out += pipe.feed(Chunk("f", place, block))
        place += 1 << 20
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()
    huge = b"\n" + b'{"asctime": "2026-11-24 03:00:00,000", "message": "' + b"y" * (10 << 20) + b'"}\n'
    out += pipe.feed(Chunk("f", place, huge))
    place += len(huge)
    end = joined(WRAPS["compose"]([ASKING.encode(), ACCESS.encode()]))
    out += pipe.feed(Chunk("f", place, end, last=True))
    assert [(one.event, one.offset) for one in out if isinstance(one, Event) and one.uuid][:1] == [
        ("dispatched", place)
    ]
    assert pipe.tally.truncated == 2
    assert msgspec.structs.asdict(pipe.tally)["lines"] == 54
