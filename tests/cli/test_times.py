"""Times and durations that people type."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logparse.cli.times import parse_duration, parse_time

# A Tuesday.
NOW = datetime(2026, 11, 24, 15, 30, 12, 345000, tzinfo=UTC)


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-01", "2026-11-01"),
        ("2026-11", "2026-11-01"),
        ("2026-11-24 03:05", "2026-11-24 03:05"),
        ("2026-11-24T03:05:01", "2026-11-24 03:05:01"),
        ("  2026-11-24   03:05 ", "2026-11-24 03:05"),
        # As it is copied from the log.
        ("2026-11-24 03:05:01,123", "2026-11-24 03:05:01.123"),
        ("2026-11-24T03:05:01.123Z", "2026-11-24 03:05:01.123"),
        ("2026-11-24 03:05+01:00", "2026-11-24 02:05"),
        ("2026-11-24T03:05:00-0530", "2026-11-24 08:35"),
        ("2026-07-01 12:00 Europe/Berlin", "2026-07-01 10:00"),
        ("2026-12-01 12:00 Europe/Berlin", "2026-12-01 11:00"),
        ("24 Nov 2026 03:05", "2026-11-24 03:05"),
        ("Nov 24, 2026", "2026-11-24"),
        ("25/12/2025 08:00", "2025-12-25 08:00"),
        ("Nov 3 14:00", "2026-11-03 14:00"),
        # Without a year it is the last one, not one to come.
        ("24 Dec", "2025-12-24"),
        ("now", "2026-11-24 15:30:12.345"),
        ("today", "2026-11-24"),
        ("Today 14:00", "2026-11-24 14:00"),
        ("yesterday", "2026-11-23"),
        ("yesterday 14:00", "2026-11-23 14:00"),
        ("yesterday at 14:00:05", "2026-11-23 14:00:05"),
        ("14:00", "2026-11-24 14:00"),
        ("tuesday", "2026-11-24"),
        ("monday", "2026-11-23"),
        ("Wednesday 08:15", "2026-11-18 08:15"),
        ("last friday", "2026-11-20"),
        ("2 hours ago", "2026-11-24 13:30:12.345"),
        ("an hour ago", "2026-11-24 14:30:12.345"),
        ("a week ago", "2026-11-17 15:30:12.345"),
        ("1 day 2 hours ago", "2026-11-23 13:30:12.345"),
        ("-2h", "2026-11-24 13:30:12.345"),
        ("-90m", "2026-11-24 14:00:12.345"),
        ("@1795489500", "2026-11-24 03:05"),
    ],
)
def test_a_time_is_understood(text: str, expected: str) -> None:
    assert parse_time(text, NOW) == at(expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "soon",
        "2026-13-01",
        "2026-02-30",
        "25:00",
        "yesterday 25:00",
        "ago",
        "-2x",
        "someday",
        "10",
        "@",
        "@1e9",
    ],
)
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a time.*write it like one of: 2026-11-24 03:05"):
        parse_time(text, NOW)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("11/12/2026", "which number is the day"),
        ("2026-11-24 03:05 XYZT", "time zone"),
        ("2026-11-24 03:05 Europe/Atlantis", "there is no time zone Europe/Atlantis"),
    ],
)
def test_a_time_that_could_be_read_in_two_ways_is_refused_and_says_why(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_time(text, NOW)


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2262, 1, 1)))
def test_iso_is_read_back(time: datetime) -> None:
    time = time.replace(microsecond=time.microsecond // 1000 * 1000)
    assert parse_time(time.isoformat(), NOW) == at(time.isoformat())


@given(st.text(max_size=40))
def test_whatever_is_typed_is_a_time_or_refused(text: str) -> None:
    try:
        assert isinstance(parse_time(text, NOW), int)
    except ValueError as error:
        assert "is not a time" in str(error)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3600", 3600),
        ("0", 0),
        ("0.5", 0.5),
        ("1h", 3600),
        ("90m", 5400),
        ("1h30m", 5400),
        ("2 days", 172800),
        ("45S", 45),
    ],
)
def test_a_duration_is_understood(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "1y", "h", "1h-", "nan", "inf", "1e3", "٣"])
def test_what_is_no_duration_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration; write it like 3600"):
        parse_duration(text)
