"""Which time a log covers, whether or not its lines are about jobs."""

from logparse.out.coverage import QUIET, Coverage
from logparse.record.wrappers.wrapper import Context
from logparse.source.chunk import Chunk
from tests.odoo import START_MS, record

HOUR = 3_600_000


def line(ms: int, text: str = "GET /") -> bytes:
    return record(ms, 7, "INFO", "prod", "werkzeug", text, perf="1 0.1 0.1")


def coverage(*chunks: bytes) -> Coverage:
    found = Coverage(Context())
    offset = 0
    for data in chunks:
        found.chunk(Chunk("odoo.log", offset, data))
        offset += len(data)
    return found


def test_lines_about_anything_cover_time() -> None:
    found = coverage(b"".join(line(minute * 60_000) for minute in range(600)))
    assert found.around(START_MS + HOUR) == (START_MS, START_MS + 599 * 60_000)


def test_a_quiet_night_is_no_hole_and_a_missing_day_is_one() -> None:
    day = 24 * HOUR
    evening, morning, later = (
        range(0, HOUR, 60_000),
        range(10 * HOUR, 11 * HOUR, 60_000),
        range(2 * day, 2 * day + HOUR, 60_000),
    )
    data = b"".join(line(ms) for part in (evening, morning, later) for ms in part)
    for found in (coverage(data), coverage(data[:5000], data[5000:])):
        assert found.holes(START_MS, START_MS + 3 * day) == [(START_MS + morning[-1], START_MS + later[0])]
        assert found.around(START_MS) == (START_MS, START_MS + morning[-1])


def test_a_hole_between_two_long_texts() -> None:
    trace = "boom\n" + "\n".join(f"  line {number}" for number in range(50))
    found = coverage(line(0, trace) + line(1, trace) + line(30 * HOUR, trace) + line(30 * HOUR + 1, trace))
    assert found.holes(START_MS, START_MS + 40 * HOUR) == [(START_MS + 1, START_MS + 30 * HOUR)]


def test_files_may_come_in_any_order() -> None:
    found = Coverage(Context())
    for hour in (5, 3, 4, 40, 41):
        found.add(hour * HOUR, hour * HOUR + 1)
    assert found.around(4 * HOUR) == (3 * HOUR, 5 * HOUR + 1)
    assert found.holes(0, 50 * HOUR) == [(5 * HOUR + 1, 40 * HOUR)]
    found.add(20 * HOUR, 30 * HOUR)
    assert found.holes(0, 50 * HOUR) == [(5 * HOUR + 1, 20 * HOUR)]
    found.add(5 * HOUR + QUIET, 5 * HOUR + QUIET)
    assert found.holes(0, 50 * HOUR) == []


def test_nothing_and_times_without_end_do_no_harm() -> None:
    assert coverage(b"no line of Odoo\n", b"").around(7) == (7, 7)
    wild = b"".join(line((number * 7919 % 5000) * 24 * HOUR) for number in range(5000))
    found = coverage(wild)
    assert len(found.holes(0, START_MS * 9)) < 1000
