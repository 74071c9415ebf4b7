"""The versions that a pattern names: ranges of Odoo series, with the queue_job releases where known."""

import re

import msgspec

_RANGE = re.compile(
    r"(?P<low>\d{1,3})\.0(?:(?P<open>\+)|-(?P<high>\d{1,3})\.0)?"
    r"(?: (?P<from>>=)(?P<first>\d+(?:\.\d+)+))?(?: (?P<to><=)(?P<last>\d+(?:\.\d+)+))?",
    re.ASCII,
)
_SERIES = re.compile(r"(?:saas[~-]?)?(?P<major>\d{1,3})\.\d", re.ASCII)


class VersionError(ValueError):
    """A version range that is none; the text is one sentence."""


class Range(msgspec.Struct, frozen=True):
    """Odoo series `low` to `high` (major numbers; high None: and all later ones).

    first, last: the queue_job (or connector) releases between which the line is written, "" for no limit.
    No log names its release, so they inform the reader and do not select.
    """

    low: int
    high: int | None
    first: str = ""
    last: str = ""

    def covers(self, major: int) -> bool:
        return self.low <= major and (self.high is None or major <= self.high)


def parse_range(text: str) -> Range:
    """`10.0+`, `12.0-15.0`, `16.0`, `16.0 <=16.0.2.9.0`, `12.0 >=12.0.1.0.1`; VersionError otherwise."""
    match = _RANGE.fullmatch(text)
    if match is None:
        raise VersionError(f"{text!r} is no version range")
    low = int(match["low"])
    high = None if match["open"] else int(match["high"] or low)
    if high is not None and high < low:
        raise VersionError(f"{text!r} ends before it begins")
    for release in (match["first"], match["last"]):
        if release is None:
            continue
        if high != low:
            raise VersionError(f"{text!r} limits releases of more than one series")
        if not release.startswith(f"{low}.0."):
            raise VersionError(f"{text!r}: release {release} is not of series {low}.0")
    first, last = match["first"] or "", match["last"] or ""
    if first and last and _numbers(first) > _numbers(last):
        raise VersionError(f"{text!r} ends before it begins")
    return Range(low, high, first, last)


def major_of(version: str) -> int | None:
    """The major number of an Odoo version: 17 of `17.0`, `17.0+e`, `16.0-20240101` (16), `saas~17.2`."""
    match = _SERIES.match(version)
    return int(match["major"]) if match else None


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(number) for number in release.split("."))
