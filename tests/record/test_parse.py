"""The header of Odoo's records, of all series, and what only looks like one."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logparse.record.parse import milliseconds, parse_header, parse_line
from logparse.record.record import Record

TIME = "2026-11-24 03:03:42,576"
MS = int(datetime(2026, 11, 24, 3, 3, 42, 576000, tzinfo=UTC).timestamp() * 1000)
ACCESS = '127.0.0.1 - - [24/Nov/2026 03:03:42] "GET /queue_job/runjob?db=d&job_uuid=x HTTP/1.1" 200 -'


def parsed(line: str) -> Record:
    record = parse_line(line)
    assert record is not None
    return record


@pytest.mark.parametrize(
    ("line", "db", "logger", "message"),
    [
        # 8.0 to 11.0: the message and nothing else.
        (f"{TIME} 7 INFO prod openerp.sql_db: hello", "prod", "openerp.sql_db", "hello"),
        (f"{TIME} 7 INFO ? odoo.sql_db: hello", None, "odoo.sql_db", "hello"),
        # From 12.0: a blank, and perf_info where the logger has it.
        (f"{TIME} 7 INFO prod odoo.sql_db: hello ", "prod", "odoo.sql_db", "hello"),
        (
            f"{TIME} 7 INFO prod werkzeug: {ACCESS} 13 0.003 0.006",
            "prod",
            "werkzeug",
            f"{ACCESS} 13 0.003 0.006",
        ),
        (f"{TIME} 7 INFO prod werkzeug: {ACCESS} - - -", "prod", "werkzeug", f"{ACCESS} - - -"),
        # From 18.0: how the cursor was opened.
        (
            f"{TIME} 7 INFO prod werkzeug: {ACCESS} 0 0.000 0.001 -",
            "prod",
            "werkzeug",
            f"{ACCESS} 0 0.000 0.001 -",
        ),
        (
            f"{TIME} 7 INFO prod werkzeug: {ACCESS} 9 0.003 0.006 ro->rw",
            "prod",
            "werkzeug",
            f"{ACCESS} 9 0.003 0.006 ro->rw",
        ),
        (f"{TIME} 7 INFO None odoo.http: hello ", None, "odoo.http", "hello"),
        (f"{TIME} 7 INFO False odoo.http: hello ", None, "odoo.http", "hello"),
        (f"{TIME} 7 INFO beta-17.test odoo.http: hello ", "beta-17.test", "odoo.http", "hello"),
        (f"{TIME} 7 INFO my own db odoo.http: hello: you ", "my own db", "odoo.http", "hello: you"),
        (f"{TIME} 7 INFO Übung odoo.http: hello ", "Übung", "odoo.http", "hello"),
        (f"{TIME} 7 INFO ? odoo: Odoo version 17.0 ", None, "odoo", "Odoo version 17.0"),
        # Only the formatter's own blank goes; the message may end with more.
        (f"{TIME} 7 INFO ? odoo.http: two  ", None, "odoo.http", "two "),
        (f"{TIME} 7 INFO ? odoo.http:  ", None, "odoo.http", ""),
        (f"{TIME} 7 INFO ? odoo.http: a \x0b \u2028 b ", None, "odoo.http", "a \x0b \u2028 b"),
    ],
)
def test_headers(line: str, db: str | None, logger: str, message: str) -> None:
    record = parsed(line)
    assert (record.time, record.pid, record.level) == (MS, 7, "INFO")
    assert (record.db, record.logger, record.message, record.body) == (db, logger, message, "")


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
def test_levels(level: str) -> None:
    assert parsed(f"{TIME} 7 {level} ? odoo: x ").level == level


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Traceback (most recent call last):",
        f"{TIME}",
        f"{TIME} 7 INFO ? odoo",
        f"{TIME} 7 INFO ? odoo:x",
        f"{TIME} 7 TRACE ? odoo: x",
        f"{TIME} 7 info ? odoo: x",
        f"{TIME} seven INFO ? odoo: x",
        f"{TIME} -7 INFO ? odoo: x",
        f"{TIME} ٧ INFO ? odoo: x",
        f"{TIME} ² INFO ? odoo: x",
        f"{TIME} {'9' * 19} INFO ? odoo: x",
        f" {TIME} 7 INFO ? odoo: x",
        "2026-11-24 03:03:42.576 7 INFO ? odoo: x",
        "2026-11-24 03:03:42,57 7 INFO ? odoo: x",
        "2026-11-24T03:03:42,576 7 INFO ? odoo: x",
        "2026-13-24 03:03:42,576 7 INFO ? odoo: x",
        "2026-02-30 03:03:42,576 7 INFO ? odoo: x",
        "2026-11-24 24:03:42,576 7 INFO ? odoo: x",
        "2026-11-24 03:60:42,576 7 INFO ? odoo: x",
        "0000-11-24 03:03:42,576 7 INFO ? odoo: x",
        "2026-11-24 03:03:42,576  7 INFO ? odoo: x",
    ],
)
def test_no_headers(line: str) -> None:
    assert parse_header(line) is None


def test_lines_that_belong_to_a_record() -> None:
    record = parse_line(f"{TIME} 7 ERROR d odoo.http: \x1b[31mbad\x1b[0m \r\nTraceback\r\n  x\r\n", "f", 12)
    assert record is not None
    assert (record.message, record.file, record.offset) == ("bad", "f", 12)
    assert record.body.split() == ["Traceback", "x"]
    assert parse_line("text\nmore") is None


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 12, 31)))
def test_times(when: datetime) -> None:
    text = f"{when:%Y-%m-%d %H:%M:%S},{when.microsecond // 1000:03d}"
    text = text.rjust(23, "0")  # %Y does not pad on every system
    expected = int(when.replace(tzinfo=UTC, microsecond=0).timestamp()) * 1000 + when.microsecond // 1000
    assert milliseconds(text) == expected


@given(st.text(max_size=60))
def test_any_text_is_a_header_or_none(text: str) -> None:
    for line in (text, f"{TIME}{text}", f"{TIME} 7 INFO ? {text}"):
        header = parse_header(line)
        assert header is None or header[2] in line


WORD = st.text(st.characters(exclude_categories=("Z", "C")), min_size=1, max_size=12)


@given(
    pid=st.integers(0, 10**9),
    level=st.sampled_from(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]),
    db=WORD.filter(lambda word: word not in ("?", "None", "False") and not word.endswith(":")),
    logger=st.from_regex(r"[a-z_]+(\.[a-z_0-9]+){0,4}", fullmatch=True),
    message=st.text(st.characters(exclude_characters="\n\r\x00\x1b"), max_size=60),
)
def test_what_the_formatter_writes_is_read(pid: int, level: str, db: str, logger: str, message: str) -> None:
    header = parse_header(f"{TIME} {pid} {level} {db} {logger}: {message} ")
    assert header is not None
    assert header[:6] == (MS, pid, level, db, logger, message)
