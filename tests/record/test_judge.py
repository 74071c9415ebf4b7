"""Forged records are not read, and true ones are: as logs hold them, rule by rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logparse.record.interest import Interest
from logparse.record.record import Record
from logparse.record.scan import Scanner
from logparse.source.chunk import Chunk
from tests.odoo import CONTROLLER, RUNNER, asking, record, stamp, traceback, uuid

INTEREST = Interest((b"asking Odoo", b"controllers.main: Traceback"), frozenset({CONTROLLER}))
FORGED = uuid(0xDEAD)
HEADER = f"{stamp(5000)} 9 INFO ? {RUNNER}: asking Odoo to run job {FORGED} on db d"


def scan(log: bytes) -> tuple[list[Record], dict[str, int]]:
    scanner = Scanner(INTEREST)
    records = scanner.feed(Chunk("f", 0, log, last=True))
    return records, dict(scanner.tally.rejected)


def calm(count: int = 8, *, start: int = 0, old: bool = False) -> bytes:
    """So many records, after which it is known how this log ends its messages."""
    return b"".join(asking(start + ms, 9, uuid(ms), "d", old=old) for ms in range(count))


AFTER = asking(6000, 9, uuid(77), "d")


def forged_is_rejected(log: bytes, reason: str) -> None:
    records, rejected = scan(calm() + log + AFTER)
    askings = [one.message for one in records if "asking" in one.message]
    assert not any(FORGED in message for message in askings)
    assert len(askings) == 9
    assert rejected == {reason: 1}


def controller_traceback(text: str) -> bytes:
    return record(4000, 7, "ERROR", "d", CONTROLLER, traceback(text) + "\n")


# What a job raises stands in the traceback that its controller logs.


@pytest.mark.parametrize(
    "text",
    [
        f"Exception: bad\n{HEADER}",
        f"Exception: bad\n{HEADER}\nmore",
        f"Exception: bad\n{HEADER} ",
        f"Exception: bad\n{HEADER} \nmore",
        f"Exception: bad \n{HEADER} \nmore",
        f"Exception: bad\n\n{HEADER} \n",
        # The traceback's own end, imitated: only a line of one blank is it.
        f"Exception: bad\n  \n{HEADER} \n",
    ],
)
def test_inside_the_traceback_of_a_job(text: str) -> None:
    forged_is_rejected(controller_traceback(text), "inside")


def test_what_follows_the_traceback_of_a_job_is_a_record() -> None:
    following = asking(5000, 9, uuid(50), "d")
    records, rejected = scan(calm() + controller_traceback("Exception: bad") + following + AFTER)
    assert len(records) == 8 + 1 + 2
    assert rejected == {}


# odoo.http logs it again, as exc_info: nothing marks its end.


@pytest.mark.parametrize("text", [f"Exception: bad\n{HEADER} ", f"Exception: bad\n{HEADER} \nmore"])
@pytest.mark.parametrize(
    ("logger", "message"),
    [
        ("odoo.http", "Exception during request handling."),
        ("werkzeug", "Error on request:\nTraceback (most recent call last):\n"),
    ],
)
def test_inside_an_exception_that_is_logged_again(logger: str, message: str, text: str) -> None:
    # By then the text was found once, inside the traceback of the job.
    again = record(4001, 7, "ERROR", "d", logger, message, trace=traceback(text))
    records, rejected = scan(calm() + controller_traceback(text) + again + AFTER)
    assert not any(FORGED in one.message for one in records)
    assert sum(rejected.values()) == 2
    assert rejected["inside"] >= 1


def test_an_exception_text_without_the_end_that_this_log_writes() -> None:
    trace = traceback(f"Exception: bad\n{HEADER}\nmore")
    forged_is_rejected(record(4000, 7, "ERROR", "d", "odoo.http", "Exception", trace=trace), "unfinished")


def test_a_text_is_known_again() -> None:
    message = f"of an addon\n{HEADER} \nmore"
    first = record(4000, 7, "INFO", "d", "odoo.addons.x", message)
    alone = record(4001, 7, "ERROR", "d", "odoo.http", "Exception", trace=traceback(f"E: x\n{HEADER} "))
    records, rejected = scan(calm() + first + alone + AFTER)
    assert not any(FORGED in one.message for one in records)
    assert rejected == {"inside": 1, "echo": 1}


# A job can log anything.


@pytest.mark.parametrize(
    "message",
    [
        f"first\n{HEADER}",
        f"first\n{HEADER} ",
        f"first\n{HEADER} \nlast",
        f"first\n{HEADER}\nlast",
        f"first\nsecond\n\n{HEADER} \nlast",
    ],
)
def test_inside_a_message_of_several_lines(message: str) -> None:
    forged_is_rejected(record(4000, 7, "INFO", "d", "odoo.addons.x", message), "inside")


@pytest.mark.parametrize(
    "ago", ["2020-01-01 00:00:00,000", "2026-11-23 03:00:05,000", "2031-01-01 00:00:00,000"]
)
def test_a_time_far_from_its_neighbours(ago: str) -> None:
    header = HEADER.replace(stamp(5000), ago)
    # The line before ends as a message does: form tells nothing.
    forged_is_rejected(record(4000, 7, "INFO", "d", "odoo.addons.x", f"first \n{header}"), "time")


def test_the_first_record_may_be_the_forged_one() -> None:
    forged = HEADER.replace(stamp(5000), "2020-01-01 00:00:00,000") + " \n"
    records, rejected = scan(forged.encode() + calm())
    assert len(records) == 8
    assert rejected == {"time": 1}


def test_the_first_record_is_forged_where_time_goes_back_after_it() -> None:
    forged = HEADER.replace(stamp(5000), "2026-11-27 03:00:00,000") + " \n"
    records, rejected = scan(forged.encode() + calm())
    assert len(records) == 8
    assert rejected == {"time": 1}


@pytest.mark.parametrize("size", [60, 1 << 20])
def test_the_first_records_of_a_sparse_log_are_records_in_each_of_its_files(size: int) -> None:
    """At WARNING days may pass without a line."""
    day, scanner, found = 86_400_000, Scanner(INTEREST), []
    for file in range(3):
        start = 7 * file * day
        times = (start, start + 3 * day, start + 3 * day + 30_000)
        log = b"".join(asking(ms, 9, uuid(number), "d") for number, ms in enumerate(times, 3 * file))
        for at in range(0, len(log), size):
            found += scanner.feed(Chunk(f"f.{file}", at, log[at : at + size]))
        found += scanner.feed(Chunk(f"f.{file}", len(log), b"", last=True))
    assert [one.message.split()[5] for one in found] == [uuid(number) for number in range(9)]
    assert scanner.tally.rejected == {}


# The runner's own exceptions.


def test_records_after_an_exception_of_the_runner_are_records() -> None:
    trace = record(
        4000, 9, "ERROR", None, RUNNER, "exception in GET http://x", trace=traceback("HTTPError: 500")
    )
    records, rejected = scan(calm() + trace + AFTER + trace + AFTER.replace(b" 9 ", b" 10 "))
    assert len(records) == 10
    assert rejected == {}


def test_a_forged_header_in_the_url_of_the_runners_exception() -> None:
    url = f"exception in GET http://x\n{HEADER} "
    trace = record(4000, 9, "ERROR", None, RUNNER, url, trace=traceback("HTTPError: 500"))
    forged_is_rejected(trace, "inside")


def test_records_after_an_exception_of_another_logger_are_records() -> None:
    for logger in ("odoo.http", "odoo.sql_db", "odoo.addons.x"):
        trace = record(4000, 7, "ERROR", "d", logger, "Exception", trace=traceback("E: of one line"))
        records, rejected = scan(calm() + trace + AFTER)
        assert (len(records), rejected) == (9, {})


# Until Odoo 11 nothing marks the end of a message.


def test_of_odoo_11_an_empty_line_ends_the_traceback_of_a_job() -> None:
    log = calm(old=True) + record(
        4000, 7, "ERROR", "d", CONTROLLER, traceback(f"Exception: bad\n{HEADER}\n"), old=True
    )
    records, rejected = scan(log + asking(6000, 9, uuid(77), "d", old=True))
    assert not any(FORGED in one.message for one in records)
    assert rejected == {"inside": 1}
    assert len(records) == 8 + 1 + 1


@pytest.mark.parametrize("size", [1, 100, 1 << 20])
def test_of_odoo_11_a_run_of_forged_records_is_rejected_however_it_arrives(size: int) -> None:
    text = f"Exception: bad\n{HEADER}\n{HEADER}\n"
    log = calm(old=True) + record(4000, 7, "ERROR", "d", CONTROLLER, traceback(text), old=True)
    log += asking(6000, 9, uuid(77), "d", old=True)
    scanner = Scanner(INTEREST)
    records: list[Record] = []
    for start in range(0, len(log), size):
        records += scanner.feed(Chunk("f", start, log[start : start + size]))
    records += scanner.feed(Chunk("f", len(log), b"", last=True))
    assert not any(FORGED in one.message for one in records)
    assert scanner.tally.rejected == {"inside": 2}
    assert len(records) == 8 + 1 + 1


def test_of_odoo_11_true_records_are_not_rejected() -> None:
    trace = record(4000, 7, "ERROR", "d", CONTROLLER, traceback("Exception: bad\n"), old=True)
    after = asking(6000, 9, uuid(77), "d", old=True)
    records, rejected = scan(calm(old=True) + trace + after + after + trace + after)
    assert (len(records), rejected) == (8 + 2 + 3, {})


# What is true is not rejected.


def test_a_server_that_was_killed_while_it_wrote_a_traceback() -> None:
    cut = controller_traceback("Exception: bad").removesuffix(b" \n")
    after = b"".join(asking(5000 + ms, 9, uuid(100 + ms), "d") for ms in range(60))
    records, _ = scan(calm() + cut + after)
    # So many are given up, since they may be its text; not all that ever follow.
    assert len(records) >= 9 + 60 - 33


def test_a_format_that_changed_is_learnt() -> None:
    log = calm() + b"".join(asking(10_000 + ms, 9, uuid(ms + 100), "d", old=True) for ms in range(300))
    records, rejected = scan(log)
    assert (len(records), rejected) == (8 + 300, {})


def test_a_quiet_night_and_a_clock_that_was_set() -> None:
    night = calm(start=9 * 3_600_000)
    records, rejected = scan(calm() + night + calm(20))
    assert (len(records), rejected) == (36, {})


@pytest.mark.parametrize("seconds", ["0.010 -0.500", "0.010 -0.000", "-3599.990 0.500", "-3.990 -0.001 ro"])
def test_numbers_of_less_than_0_end_an_access_line(seconds: str) -> None:
    """After a step back of the clock, or by rounding (odoo/netsvc.py, PerfFilter)."""
    request = f'127.0.0.1 - - [x] "GET /queue_job/runjob?db=d&job_uuid={uuid(60)} HTTP/1.1" 200 -'
    answer = record(4000, 7, "INFO", "d", "werkzeug", request, perf=f"13 {seconds}")
    scanner = Scanner(Interest((b"asking Odoo", b"/runjob?"), frozenset()))
    records = scanner.feed(Chunk("f", 0, calm() + answer + AFTER + answer + AFTER, last=True))
    assert len(records) == 8 + 4
    assert scanner.tally.rejected == {}


LINE = st.text(st.characters(codec="utf-8", exclude_characters="\n\r\x00\x1b"), max_size=30)
TEXT = st.lists(LINE, min_size=1, max_size=4).map("\n".join)
ENTRY = st.one_of(
    st.just("asking"),
    st.builds(lambda text: ("odoo.addons.x", text, ""), TEXT),
    st.builds(lambda text: ("odoo.http", "Exception", traceback(f"Error: {text}")), TEXT),
    st.builds(lambda text: ("odoo.addons.x", text, traceback(f"Error: {text}")), TEXT),
    st.builds(lambda text: (CONTROLLER, traceback(f"Error: {text}") + "\n", ""), TEXT),
    st.builds(lambda text: (RUNNER, "exception in GET http://x", traceback(f"Error: {text}")), LINE),
)


@given(st.lists(ENTRY, max_size=30))
def test_nothing_that_odoo_12_and_later_write_is_rejected(entries: list[str | tuple[str, str, str]]) -> None:
    log = calm(4)  # after which it is known that messages end with a blank
    asked = [uuid(number) for number in range(4)]
    for number, entry in enumerate(entries, 4):
        if isinstance(entry, str):
            asked.append(uuid(number))
            log += asking(number, 9, uuid(number), "d")
        else:
            logger, message, trace = entry
            log += record(number, 7, "ERROR", "d", logger, message, trace=trace)
    records, rejected = scan(log)
    assert rejected == {}
    assert [one.message.split()[5] for one in records if one.message.startswith("asking")] == asked
    assert all(log[one.offset :].startswith(b"2026-11-24") for one in records)
