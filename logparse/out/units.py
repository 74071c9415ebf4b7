"""Numbers, durations, sizes and times as people read them."""

from datetime import UTC, datetime

NO_CLASS = "not certain, or not in the log"
"""The class of an exception that is not known."""


def number(count: int) -> str:
    """`12,345`."""
    return f"{count:,}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 job`, `2,300 jobs`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def share(part: float) -> str:
    """A share (0 to 1) in percent: `80.6 %`; what is not quite nothing or all is not shown as such."""
    percent = round(part * 100, 1)
    if percent == 0 and part > 0:
        return "< 0.1 %"
    if percent == 100 and part < 1:
        return "> 99.9 %"
    return f"{percent:.1f} %"


def duration(seconds: float) -> str:
    """`0 ms`, `132 ms`, `1.43 s`, `12.6 s`, `2 min 05 s`, `3 h 20 min`, `2 d 04 h`."""
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    if seconds < 0.9995:
        return f"{sign}{round(seconds * 1000)} ms"
    if seconds < 9.995:
        return f"{sign}{seconds:.2f} s"
    if seconds < 59.95:
        return f"{sign}{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{sign}{whole // 60} min {whole % 60:02d} s"
    minutes = round(seconds / 60)
    if minutes < 24 * 60:
        return f"{sign}{minutes // 60} h {minutes % 60:02d} min"
    hours = round(seconds / 3600)
    return f"{sign}{hours // 24:,} d {hours % 24:02d} h"


def size(count: int) -> str:
    """Bytes: `512 bytes`, `674 kB`, `1.2 GB` (powers of 1000)."""
    if count < 1000:
        return plural(count, "byte")
    value = float(count)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.5 or unit == "TB":
            break
    return f"{value:.1f} {unit}" if value < 9.95 else f"{value:,.0f} {unit}"


def moment(text: str, *, day: bool = True, milliseconds: bool = False) -> str:
    """`24 Nov 2026 03:07:24` of a time as the reports hold it (ISO, UTC)."""
    time = parsed(text)
    shown = f"{time.day} {time:%b %Y %H:%M:%S}" if day else f"{time:%H:%M:%S}"
    return f"{shown}.{time.microsecond // 1000:03d}" if milliseconds else shown


def period(first: str, last: str) -> str:
    """`24 Nov 2026, 03:07:24 to 03:10:59 UTC (3 min 35 s)`."""
    start, end = parsed(first), parsed(last)
    length = duration((end - start).total_seconds())
    if start.date() == end.date():
        return f"{start.day} {start:%b %Y, %H:%M:%S} to {end:%H:%M:%S} UTC ({length})"
    return f"{start.day} {start:%b %Y %H:%M} to {end.day} {end:%b %Y %H:%M} UTC ({length})"


def parsed(text: str) -> datetime:
    """The time that a report holds as text."""
    return datetime.fromisoformat(text).astimezone(UTC)


def printable(text: str) -> str:
    """The text with everything escaped that could steer a terminal or hide in it (controls, bidi marks)."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode()
        for char in text
    )
