"""Records of interest in chunks of any size: the same as in one, at the same places."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logparse.record import judge
from logparse.record.clean import clean
from logparse.record.interest import Interest
from logparse.record.record import Record
from logparse.record.scan import Scanner
from logparse.record.tally import Tally
from logparse.source.chunk import Chunk
from tests import recorded
from tests.odoo import CONTROLLER, RUNNER, asking, record, stamp, traceback, uuid

INTEREST = Interest((b"asking Odoo", b"controllers.main: Traceback"), frozenset({CONTROLLER}))
EVERYTHING = Interest((), frozenset({CONTROLLER, "odoo.http"}))


def scan(
    log: bytes,
    sizes: list[int] | None = None,
    *,
    interest: Interest = INTEREST,
    max_record: int = 1 << 20,
    max_line: int = 1 << 16,
) -> tuple[list[Record], Tally]:
    """All records, of chunks of these sizes, over and over; of one chunk without them."""
    scanner = Scanner(interest, max_record=max_record, max_line=max_line)
    records: list[Record] = []
    start = number = 0
    while start < len(log):
        size = sizes[number % len(sizes)] if sizes else len(log)
        records += scanner.feed(Chunk("f", start, log[start : start + size]))
        start += size
        number += 1
    records += scanner.feed(Chunk("f", len(log), b"", last=True))
    assert scanner.pending == 0
    # How many samples held a header depends on how many there were.
    assert (scanner.tally.headers > 0) == (scan_headers(log) > 0) or not records
    return records, msgspec.structs.replace(scanner.tally, headers=0)


def scan_headers(log: bytes) -> int:
    scanner = Scanner(INTEREST)
    scanner.feed(Chunk("f", 0, log, last=True))
    return scanner.tally.headers


CALM = b"".join(asking(ms, 9, uuid(ms), "d") for ms in range(5))
TRACE = record(6, 7, "ERROR", "d", CONTROLLER, traceback("Exception: bad") + "\n")


def test_records_and_their_places() -> None:
    log = b"the end of something\n" + CALM + TRACE + b"print\n" + asking(7, 9, uuid(7), "d")
    records, tally = scan(log)
    assert [one.offset for one in records] == [
        *(
            log.index(uuid(number).encode()) - len(f"{stamp(0)} 9 INFO ? {RUNNER}: asking Odoo to run job ")
            for number in range(5)
        ),
        log.index(TRACE),
        log.rindex(b"2026"),
    ]
    trace = records[5]
    assert trace.message == "Traceback (most recent call last):"
    assert trace.body == traceback("Exception: bad").partition("\n")[2] + "\n \nprint"
    assert (tally.lines, tally.bytes) == (log.count(b"\n"), len(log))
    assert (tally.first, tally.last) == (records[0].time, records[-1].time)


def test_bodies_are_read_where_they_are_wanted() -> None:
    records, _ = scan(CALM + TRACE, interest=Interest(INTEREST.literals, frozenset()))
    assert [one.body for one in records] == [""] * 6


def test_without_literals_every_record_is_of_interest() -> None:
    log = CALM + record(9, 7, "INFO", "d", "odoo.x", "two\nlines") + TRACE
    records, _ = scan(log, interest=EVERYTHING)
    assert [one.logger for one in records] == [RUNNER] * 5 + ["odoo.x", CONTROLLER]


def test_a_record_counts_once_the_next_one_is_there() -> None:
    scanner = Scanner(INTEREST)
    assert len(scanner.feed(Chunk("f", 0, CALM))) == 4
    assert scanner.pending == len(asking(0, 9, uuid(0), "d"))
    assert len(scanner.feed(Chunk("f", len(CALM), b"", last=True))) == 1


def test_a_last_line_without_a_line_end_counts_at_the_end_of_the_file() -> None:
    records, tally = scan(CALM[:-1])
    assert (len(records), tally.lines) == (5, 5)


def test_a_file_that_begins_in_the_middle_of_a_record() -> None:
    log = CALM[30:]
    records, _ = scan(log)
    assert [one.offset for one in records] == [
        len(log) // 5 * 0 + log.index(b"2026") + n * len(CALM) // 5 for n in range(4)
    ]


def test_another_file_ends_the_one_before() -> None:
    scanner = Scanner(INTEREST)
    first = scanner.feed(Chunk("a", 0, CALM[:-1]))
    second = scanner.feed(Chunk("b", 0, CALM, last=True))
    assert len(first) == 3
    assert [one.file for one in second] == ["a"] * 2 + ["b"] * 5
    assert scanner.tally.rejected == {}


def test_the_same_name_again_is_a_new_file_after_its_last_chunk() -> None:
    scanner = Scanner(INTEREST)
    for _ in range(2):
        assert len(scanner.feed(Chunk("a", 0, CALM, last=True))) == 5


def test_chunks_that_begin_further_on() -> None:
    records = Scanner(INTEREST).feed(Chunk("f", 1000, CALM, last=True))
    assert [one.offset for one in records][:2] == [1000, 1000 + len(CALM) // 5]


def test_offsets_are_of_the_raw_bytes() -> None:
    log = b"\xef\xbb\xbf" + b"".join(
        b"\x1b[1;32m" * number + b"\x00" * number + line[:-1] + b"\r\n"
        for number, line in enumerate(CALM.splitlines(keepends=True))
    )
    expected = [log.index(b"2026-11-24 03:00:00,%03d" % number) for number in range(5)]
    # NULs and colours before the header belong to its line.
    for sizes in (None, [1], [7, 2]):
        records, _ = scan(log, sizes)
        assert [one.message for one in records] == [one.message for one in scan(CALM)[0]]
        for one, place in zip(records, expected, strict=True):
            assert log[one.offset : place].strip(b"\x00\x1b[1;32m") == b""


def test_bytes_that_are_no_text_are_counted_and_replaced() -> None:
    for name, read in (("dé\udcff", "dé�"), ("d\udce9", "dé")):  # the last is Latin-1's
        bad = asking(9, 9, uuid(9), name)
        for sizes in (None, [1], [40]):
            records, tally = scan(CALM + bad + CALM, sizes)
            assert tally.decode_errors == 1
            assert records[5].message.endswith(f"on db {read}")


def test_bytes_that_are_no_text_in_a_doubtful_record_are_counted_once() -> None:
    """Its time is believed only after sixteen more."""
    back = -9 * 3_600_000
    bad = asking(back, 9, uuid(9), "d\udcff")
    after = b"".join(asking(back + ms, 9, uuid(ms), "d") for ms in range(20))
    for sizes in (None, [1], [40]):
        records, tally = scan(CALM + bad + after, sizes)
        assert (len(records), tally.decode_errors, tally.clock_skew) == (26, 1, 1)


def test_a_long_first_line_is_cut() -> None:
    long = record(9, 9, "INFO", "d", RUNNER, "asking Odoo " + "x" * 5000)
    records, tally = scan(CALM + long + CALM, max_line=1000)
    assert (len(records), tally.truncated) == (11, 1)
    assert len(records[5].message) < 1000


def test_a_long_body_is_cut() -> None:
    long = record(9, 7, "ERROR", "d", CONTROLLER, traceback("E: " + "x\n" * 5000) + "\n")
    for sizes in (None, [100], [1]):
        records, tally = scan(CALM + long + asking(10, 9, uuid(10), "d") + CALM, sizes, max_record=2000)
        assert tally.truncated == 1
        assert len(records) == 5 + 1 + 1 + 5
        assert 1500 < len(records[5].body) <= 2000


# Any size of chunks


@pytest.mark.parametrize("run", ["12.0-w2-info", "16.0-w2-debug", "17.0-w0-pty", "18.0-w2-dead-info"])
@pytest.mark.parametrize("sizes", [[65536], [997], [1, 5000]])
def test_chunks_of_real_logs(run: str, sizes: list[int]) -> None:
    (log,) = recorded.texts(run).values()
    assert scan(log, sizes) == scan(log)


HOSTILE = st.one_of(
    st.builds(lambda ms, number: asking(ms, 9, uuid(number), "d"), st.integers(0, 50), st.integers(0, 9)),
    st.builds(lambda ms: asking(ms, 9, uuid(0), "d"), st.sampled_from([-(10**9), -(10**7), 10**7, 10**9])),
    st.just(TRACE),
    st.just(asking(1, 9, uuid(1), "d")[:-2] + b"\n"),
    st.just(record(5, 7, "ERROR", "d", "odoo.http", "Exception", trace=traceback("E: x"))),
    st.sampled_from(
        [
            b"\n",
            b" \n",
            b"\r\n",
            b"\r",
            b"\x00",
            b"\x00" * 50,
            b"\x1b",
            b"\x1b[1;32m",
            b"\x1b[0m",
            b"[0m",
            b"text\n",
            b"text \n",
            b"text",
            b"\xff\n",
            b"\xef\xbb\xbf",
            b"asking Odoo",
            b"2026-11-24 03:00:00,000 7 INFO",
            b"2026-11-24 03:00:00,000 7 INFO ? odoo.x: asking Odoo",
            b"Traceback (most recent call last):\n",
            b"x" * 3000 + b"\n",
        ]
    ),
    st.binary(max_size=20),
)


@given(
    st.lists(HOSTILE, max_size=25).map(b"".join),
    st.booleans(),
    st.lists(st.integers(1, 400), min_size=1, max_size=5),
)
def test_chunks_of_hostile_text(log: bytes, known: bool, sizes: list[int]) -> None:
    log = CALM + log if known else log
    assert scan(log, sizes) == scan(log)
    assert scan(log, sizes, interest=EVERYTHING) == scan(log, interest=EVERYTHING)


@given(st.lists(HOSTILE, max_size=25).map(b"".join), st.lists(st.integers(1, 400), min_size=1, max_size=5))
def test_limits_are_kept_whatever_comes(log: bytes, sizes: list[int]) -> None:
    records, tally = scan(log + b"\n" + CALM, sizes, max_record=500, max_line=200)
    assert all(len(one.message) <= 200 and len(one.body) <= 500 for one in records)
    assert tally.bytes == len(log) + 1 + len(CALM)
    assert all(log_line(log + b"\n" + CALM, one.offset) for one in records)


def log_line(log: bytes, offset: int) -> bool:
    """Whether a line begins at `offset`, but for noise."""
    return clean(log[log.rfind(b"\n", 0, offset) + 1 : offset], head=True).data == b""


def test_whose_a_record_is_does_not_depend_on_the_chunks() -> None:
    bare = b"2026-11-24 03:00:00,000 7 INFO ? odoo.x: asking Odoo\n"
    log = CALM + bare + bare + asking(0, 9, uuid(0), "d")
    assert scan(log, [len(CALM), len(bare), len(bare), 1]) == scan(log)


def test_where_the_last_record_ended_is_remembered() -> None:
    http = record(5, 7, "ERROR", "d", "odoo.http", "Exception", trace=traceback("E: x"))
    log = TRACE + http + asking(0, 9, uuid(0), "d") + b"\n" + asking(0, 9, uuid(0), "d")
    assert scan(log, [1], interest=EVERYTHING) == scan(log, interest=EVERYTHING)


ACCESS = (
    b'2026-11-24 03:00:00,%03d 7 INFO d werkzeug: 1.2.3.4 - - [x] "GET /runjob?asking Odoo HTTP/1.1" 200 - '
)
MIXED = st.lists(
    st.one_of(
        HOSTILE,
        st.builds(
            lambda ms, end: ACCESS % ms + end + b"\n",
            st.integers(0, 50),
            st.sampled_from(
                [
                    b"1 0.001 0.002",
                    b"12 0.001 0.002",
                    b"123 1.001 22.002",
                    b"1 0.001 0.002 ro",
                    b"- - -",
                    b"1 2",
                ]
            ),
        ),
    ),
    max_size=25,
).map(b"".join)


@given(MIXED, st.sampled_from([97, 400, 1 << 20]), st.sampled_from([INTEREST, EVERYTHING]))
def test_plain_records_are_judged_as_all_others(log: bytes, size: int, interest: Interest) -> None:
    """Where none passes for plain, each is looked at closely: nothing is told otherwise, nor held."""
    told = []
    for digits in (judge._DIGITS, frozenset[bytes]()):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(judge, "_DIGITS", digits)
            scanner = Scanner(interest)
            records = scanner.feed(Chunk("f", 0, CALM * 3))
            for start in range(0, len(log), size):
                records += scanner.feed(Chunk("f", len(CALM) * 3 + start, log[start : start + size]))
            held = {**vars(scanner.judge), "clock": vars(scanner.judge.clock)}
            told.append((records, scanner.tally, held))
    assert told[0] == told[1]


# The last line, early


def test_a_last_line_is_told_when_nothing_follows() -> None:
    scanner = Scanner(INTEREST)
    scanner.feed(Chunk("f", 0, CALM))
    assert [one.message for one in scanner.quiet()] == [scan(CALM)[0][4].message]
    assert scanner.quiet() == []
    assert scanner.feed(Chunk("f", len(CALM), b"", last=True)) == []


def test_half_a_line_is_not() -> None:
    scanner = Scanner(INTEREST)
    scanner.feed(Chunk("f", 0, CALM[:-1]))
    assert scanner.quiet() == []
    assert scanner.quiet(long=True) == []


def test_a_traceback_is_waited_for() -> None:
    scanner = Scanner(INTEREST)
    scanner.feed(Chunk("f", 0, CALM + TRACE))
    assert scanner.quiet() == []
    assert len(scanner.quiet(long=True)) == 1


def test_a_line_that_matters_to_nobody_is_kept() -> None:
    scanner = Scanner(INTEREST)
    other = record(9, 9, "INFO", "d", "odoo.x", "hello")
    scanner.feed(Chunk("f", 0, CALM + other))
    assert scanner.quiet() == []


@given(st.lists(HOSTILE, max_size=15), st.data())
def test_telling_a_last_line_early_changes_nothing(parts: list[bytes], data: st.DataObject) -> None:
    """A record is one write: when nothing has come for a while, the next that comes begins a record."""
    log = CALM + b"".join(part if part.endswith(b"\n") else part + b"\n" for part in parts)
    scanner = Scanner(INTEREST)
    records: list[Record] = []
    ends = [position + 1 for position, byte in enumerate(log) if byte == 10]
    start = 0
    for end in ends:
        records += scanner.feed(Chunk("f", start, log[start:end]))
        start = end
        if log[end : end + 4] in (b"", b"2026") and data.draw(st.booleans()):
            records += scanner.quiet()
    records += scanner.feed(Chunk("f", len(log), b"", last=True))
    assert [(one.offset, one.message) for one in records] == [
        (one.offset, one.message) for one in scan(log)[0]
    ]


def test_a_line_of_no_record_after_an_early_one_is_remembered() -> None:
    stray = b"2026-11-24 03:00:00,000 7 INFO\n"
    log = CALM + stray + asking(1, 9, uuid(1), "d")[:-2] + b"\n" + asking(0, 9, uuid(0), "d")
    scanner = Scanner(INTEREST)
    records = scanner.feed(Chunk("f", 0, CALM)) + scanner.quiet()
    records += scanner.feed(Chunk("f", len(CALM), stray))
    records += scanner.feed(Chunk("f", len(CALM) + len(stray), log[len(CALM) + len(stray) :], last=True))
    assert records == scan(log)[0]
