"""Version ranges."""

import pytest

from logparse.match.versions import Range, VersionError, major_of, parse_range


@pytest.mark.parametrize(
    ("text", "range_"),
    [
        ("10.0+", Range(10, None)),
        ("12.0-15.0", Range(12, 15)),
        ("16.0", Range(16, 16)),
        ("16.0 <=16.0.2.9.0", Range(16, 16, "", "16.0.2.9.0")),
        ("12.0 >=12.0.1.0.1", Range(12, 12, "12.0.1.0.1", "")),
        ("14.0 >=14.0.1.1.0 <=14.0.1.1.0", Range(14, 14, "14.0.1.1.0", "14.0.1.1.0")),
        ("14.0 >=14.0.1.9.0 <=14.0.1.10.0", Range(14, 14, "14.0.1.9.0", "14.0.1.10.0")),
    ],
)
def test_ranges(text: str, range_: Range) -> None:
    assert parse_range(text) == range_


@pytest.mark.parametrize(
    "text",
    ["", "16", "16.0.1", "16.1", "16.0-", "16.0 -17.0", "v16.0", "16.0 ", "16.0 > 16.0.1", "16.0  >=16.0.1.0",
     "17.0-16.0", "16.0 >=17.0.1.0", "16.0+ >=16.0.1.0", "16.0-17.0 <=16.0.1.0", "16.0 >=16.0.2.0 <=16.0.1.0",
     "١٦.0", "16.0\n"],
)  # fmt: skip
def test_no_ranges(text: str) -> None:
    with pytest.raises(VersionError):
        parse_range(text)


def test_covers() -> None:
    assert [major for major in range(7, 22) if parse_range("12.0-15.0").covers(major)] == [12, 13, 14, 15]
    assert [major for major in range(7, 22) if parse_range("18.0+").covers(major)] == [18, 19, 20, 21]
    assert [major for major in range(7, 22) if parse_range("9.0 >=9.0.1.0").covers(major)] == [9]


@pytest.mark.parametrize(
    ("version", "major"),
    [("17.0", 17), ("17.0+e", 17), ("16.0-20240101", 16), ("saas~17.2", 17), ("saas-18.1", 18), ("8.0", 8),
     ("20.0alpha1", 20), ("seventeen", None), ("", None), ("17", None)],
)  # fmt: skip
def test_major_of(version: str, major: int | None) -> None:
    assert major_of(version) == major
