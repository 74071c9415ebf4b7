"""Times and durations as people write them."""

import re
import warnings
from datetime import UTC, datetime, timedelta, tzinfo

EXAMPLES = "2026-11-24 03:05, 2026-11-24T03:05+01:00, yesterday 14:00, monday, 2 hours ago, -90m"

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
# Texts, which `re` compiles when a time is given: most starts need none of them.
_UNIT = r"(s|m|h|d|w|sec|secs|min|mins|hr|hrs|seconds?|minutes?|hours?|days?|weeks?)"
_PART = rf"(\d{{1,12}}(?:\.\d{{1,6}})?) ?{_UNIT}"
_SPAN = rf"(?:\d{{1,12}}(?:\.\d{{1,6}})? ?{_UNIT} ?)+"
_AGO = rf"(?:-(?P<minus>{_SPAN})|(?P<ago>{_SPAN})ago|(?P<one>an?) {_UNIT} ago)"
_CLOCK = r"(\d{1,2}):(\d\d)(?::(\d\d))?(?: ?(utc|z))?"
_DAY = r"(?P<day>today|yesterday|tomorrow|(?:last )?[a-z]{3,9}day)(?:,? (?:at )?(?P<clock>\d.*))?"
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ZONE = r"(?P<time>.+\d) (?P<zone>[A-Z][A-Za-z_]+(?:/[A-Za-z_+\-0-9]+)+)"


def parse_time(text: str, now: datetime | None = None) -> int:
    """Return the time as milliseconds since the epoch, UTC.

    text: ISO 8601 or another common form of a date (`2026-11-01`, `24 Nov 2026 03:05`), a time of day (of
        today), `now`, `today`, `yesterday 14:00`, `monday` (the last one, which may be today), `2 hours ago`,
        `-2h`, `@1795489500` (seconds since the epoch). Without a zone it is UTC, as the log is.
    now: what relative times count from, aware; the clock's where None.

    Raises ValueError, with a sentence for the person who wrote it.
    """
    now = datetime.now(UTC) if now is None else now.astimezone(UTC)
    words = " ".join(text.split())
    try:
        time = _relative(words.lower(), now) or _absolute(words, now)
        return round(time.timestamp() * 1000)
    except (ValueError, OverflowError, OSError) as error:
        detail = f" ({error})" if isinstance(error, _Ambiguous) else ""
        raise ValueError(f"{text!r} is not a time{detail}; write it like one of: {EXAMPLES}") from error


def parse_duration(text: str) -> float:
    """Return the duration in seconds: `3600`, `90m`, `1h`, `1h30m`, `2 days`.

    Raises ValueError, with a sentence for the person who wrote it.
    """
    words = " ".join(text.lower().split())
    if re.fullmatch(r"\d{1,12}(?:\.\d{1,6})?", words, re.ASCII):
        return float(words)
    if words[:-1].isdecimal() and words[:-1].isascii() and len(words) <= 13 and words[-1] in _UNITS:
        return float(words[:-1]) * _UNITS[words[-1]]  # as the defaults are: without an expression
    if re.fullmatch(_SPAN, words, re.ASCII):
        return _seconds(words)
    raise ValueError(f"{text!r} is not a duration; write it like 3600 (seconds), 90m, 1h or 1h30m")


class _Ambiguous(ValueError):
    pass


def _seconds(words: str) -> float:
    return sum(float(number) * _UNITS[unit[0]] for number, unit in re.findall(_PART, words))


def _relative(words: str, now: datetime) -> datetime | None:
    if words == "now":
        return now
    if found := re.fullmatch(r"@(\d{1,12}(?:\.\d{1,6})?)", words, re.ASCII):
        return datetime.fromtimestamp(float(found[1]), UTC)
    if found := re.fullmatch(_AGO, words):
        span = found["minus"] or found["ago"]
        seconds = _seconds(span) if span else float(_UNITS[words.split()[1][0]])
        return now - timedelta(seconds=seconds)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if re.fullmatch(_CLOCK, words):
        return _at(midnight, words)
    if found := re.fullmatch(_DAY, words):
        day = _midnight(found["day"].removeprefix("last "), midnight)
        if day is not None:
            return day if found["clock"] is None else _at(day, found["clock"])
    return None


def _midnight(day: str, today: datetime) -> datetime | None:
    near = {"today": 0, "yesterday": -1, "tomorrow": 1}
    if day in near:
        return today + timedelta(days=near[day])
    if day in _WEEKDAYS:
        return today - timedelta(days=(today.weekday() - _WEEKDAYS.index(day)) % 7)
    return None


def _at(day: datetime, clock: str) -> datetime:
    found = re.fullmatch(_CLOCK, clock)
    if found is None:
        raise ValueError(clock)
    return day.replace(hour=int(found[1]), minute=int(found[2]), second=int(found[3] or 0))


def _absolute(words: str, now: datetime) -> datetime:
    from dateutil import parser, tz  # here, since they cost a tenth of the start

    zone: tzinfo | None = None
    if found := re.fullmatch(_ZONE, words):
        words = found["time"]
        zone = tz.gettz(found["zone"])
        if zone is None:
            raise _Ambiguous(f"there is no time zone {found['zone']}")
    try:
        time = parser.isoparse(words)
    except ValueError:
        time = _worded(words, now)
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC if zone is None else zone)
    return time


def _worded(words: str, now: datetime) -> datetime:
    """A date in words or with slashes; refused where a part is missing or it can be read in two ways."""
    from dateutil import parser

    def read(default: datetime, *, dayfirst: bool) -> datetime:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a zone by an abbreviation that is not known
            try:
                return parser.parse(words, default=default, dayfirst=dayfirst)
            except Warning as warning:
                raise _Ambiguous("its time zone is not known: give an offset, such as +01:00") from warning

    this_year = datetime(now.year, 1, 1)
    time = read(this_year, dayfirst=True)
    if time != read(datetime(now.year, 2, 2), dayfirst=True):
        raise ValueError("no day or month")
    if time != read(this_year, dayfirst=False):
        raise _Ambiguous("which number is the day?")
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    if aware > now + timedelta(days=1) and time != read(this_year.replace(year=now.year - 1), dayfirst=True):
        time = read(this_year.replace(year=now.year - 1), dayfirst=True)
    return time
