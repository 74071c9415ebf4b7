"""Numbers as people read them."""

import pytest

from logparse.out.units import duration, moment, number, period, plural, printable, share, size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.0004, "0 ms"),
        (0.132, "132 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.00 s"),
        (1.434, "1.43 s"),
        (9.994, "9.99 s"),
        (9.996, "10.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (125, "2 min 05 s"),
        (3599.4, "59 min 59 s"),
        (3600, "1 h 00 min"),
        (12_000, "3 h 20 min"),
        (86_399, "1 d 00 h"),
        (187_200, "2 d 04 h"),
        (-0.005, "-5 ms"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (9_949, "9.9 kB"),
        (674_231, "674 kB"),
        (999_600, "1.0 MB"),
        (5_400_000_000, "5.4 GB"),
        (12_000_000_000_000_000, "12,000 TB"),
    ],
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


def test_nearly_none_is_not_none_and_nearly_all_not_all() -> None:
    assert share(0) == "0.0 %"
    assert share(0.0001) == "< 0.1 %"
    assert share(0.8059) == "80.6 %"
    assert share(0.99999) == "> 99.9 %"
    assert share(1) == "100.0 %"


def test_counts() -> None:
    assert number(1234567) == "1,234,567"
    assert plural(1, "job") == "1 job"
    assert plural(2300, "job") == "2,300 jobs"
    assert plural(2, "query", "queries") == "2 queries"


def test_times() -> None:
    assert moment("2026-11-04T03:07:24.335+00:00") == "4 Nov 2026 03:07:24"
    assert moment("2026-11-04T03:07:24.335+00:00", day=False, milliseconds=True) == "03:07:24.335"
    assert (
        period("2026-11-04T03:07:24.335+00:00", "2026-11-04T03:10:59.335+00:00")
        == "4 Nov 2026, 03:07:24 to 03:10:59 UTC (3 min 35 s)"
    )
    assert (
        period("2026-11-04T23:07:24.335+00:00", "2026-11-05T03:07:24.335+00:00")
        == "4 Nov 2026 23:07 to 5 Nov 2026 03:07 UTC (4 h 00 min)"
    )


def test_what_could_steer_a_terminal_is_escaped() -> None:
    assert printable("a\x1b[31mb\r\x9b2Jc\u202ed\ud800") == r"a\x1b[31mb\r\x9b2Jc\u202ed\ud800"
    assert printable("Größe ✓ 値") == "Größe ✓ 値"
