"""Lines that a syslog daemon or journalctl wrote: RFC 3164, RFC 3339 and RFC 5424 forms."""

import re
from datetime import UTC, datetime

from logparse.record.wrappers.wrapper import Context, Line, Wrapper, moment, stamp

_HALF_A_YEAR = 182 * 86_400_000  # ms
_MONTHS = {
    name: number for number, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)
}
_PRIORITY = rb"(?:\d{1,7} )?(?:<\d{1,3}>)?"
_ISO = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)"
# `host tag[123]: text`; the tag of Odoo's own formatter is its product, with a blank in it. journalctl
# writes a machine without a name as nothing, rsyslog may write no host.
_FROM = rb"(?P<host>[^\s:\[\]]+) (?:(?!\S+ Server \d)(?P<tag>[\w./\-@]+)(?:\[(?P<pid>\d+)\])?: )?(?P<text>.*)"
_OLD = re.compile(
    _PRIORITY + rb"(?P<month>[A-Z][a-z]{2}) (?P<day>[ \d]\d) "
    rb"(?P<clock>\d\d:\d\d:\d\d)(?:\.(?P<part>\d{1,6}))? " + _FROM,
    re.DOTALL,
)
_NEW = re.compile(_PRIORITY + rb"(?P<when>" + _ISO + rb") " + _FROM, re.DOTALL)
_FULL = re.compile(
    rb"[A-Z][a-z]{2} (?P<when>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?) "
    rb"(?P<zone>[A-Z][A-Za-z]{1,5}|[+-]\d\d) " + _FROM,
    re.DOTALL,
)
_UNIX = re.compile(rb"(?P<when>\d{10})\.(?P<part>\d{6}) " + _FROM, re.DOTALL)
_RFC5424 = re.compile(
    rb"(?:\d{1,7} )?<\d{1,3}>1 (?P<when>" + _ISO + rb") (?P<host>\S+) (?P<tag>\S+) (?P<pid>\S+) \S+ "
    rb'(?:-|(?:\[(?:[^\]"\\]|\\.|"(?:[^"\\]|\\.)*")*\])+) ?(?:\xef\xbb\xbf)?(?P<text>.*)',
    re.DOTALL,
)


def unwrap_old(line: bytes, context: Context) -> Line | None:
    """RFC 3164, journalctl's `short` and `short-precise`: no year, no zone."""
    match = _OLD.match(line)
    month = _MONTHS.get(match["month"]) if match is not None else None
    if match is None or month is None:
        return None
    hour, minute, second = (int(part) for part in match["clock"].split(b":"))
    micros = int((match["part"] or b"").ljust(6, b"0"))
    time = _without_year((month, int(match["day"]), hour, minute, second, micros), context)
    return _line(match, time)


def unwrap_new(line: bytes, context: Context) -> Line | None:
    """The form that rsyslog and journalctl's `short-iso` write: RFC 3339."""
    match = _NEW.match(line)
    return _line(match, stamp(match["when"].decode(), context)) if match is not None else None


def unwrap_full(line: bytes, context: Context) -> Line | None:
    """journalctl's `short-full`; a zone that is not UTC has a name only, and is taken for the context's."""
    match = _FULL.match(line)
    if match is None:
        return None
    try:
        when = datetime.fromisoformat(match["when"].decode())
    except ValueError:
        return None
    if match["zone"] in (b"UTC", b"GMT"):
        when = when.replace(tzinfo=UTC)
    return _line(match, moment(when, context))


def unwrap_unix(line: bytes, context: Context) -> Line | None:
    """journalctl's `short-unix`."""
    match = _UNIX.match(line)
    if match is None:
        return None
    return _line(match, int(match["when"]) * 1000 + (int(match["part"]) + 500) // 1000)


def unwrap_rfc5424(line: bytes, context: Context) -> Line | None:
    """RFC 5424, with the count of octets before it where a TCP stream was kept as it came."""
    match = _RFC5424.match(line)
    return _line(match, stamp(match["when"].decode(), context)) if match is not None else None


def _line(match: re.Match[bytes], time: int | None) -> Line | None:
    if time is None:
        return None
    text = match["text"]
    if b"#0" in text:
        # rsyslog's escapes of control characters.
        text = text.replace(b"#012", b"\n").replace(b"#011", b"\t").replace(b"#033", b"\x1b")
    pid = match["pid"] or b""
    tag = match["tag"] or b""
    key = match["host"] + b" " + tag if tag else match["host"]
    return Line(text, time, key, pid=pid.decode() if pid.isdigit() and len(pid) < 19 else "")


def _without_year(parts: tuple[int, int, int, int, int, int], context: Context) -> int | None:
    """The time in the year that fits best with what is known."""
    if context.near is not None:
        middle = datetime.fromtimestamp(context.near / 1000, UTC).year
        years = [middle, middle - 1, middle + 1]
    elif context.year:
        years = [context.year]
    elif context.latest is not None:
        last = datetime.fromtimestamp(context.latest / 1000, UTC).year
        years = list(range(last + 1, last - 9, -1))  # a 29 February may be eight years back
    else:
        return None
    near, best = context.near, None
    for year in years:
        try:
            time = moment(datetime(year, *parts), context)
        except ValueError:
            continue
        if time is None:
            continue
        if near is None:
            if context.year or context.latest is None or time <= context.latest:
                return time
        elif abs(time - near) < _HALF_A_YEAR:
            return time
        elif best is None or abs(time - near) < abs(best - near):
            best = time
    return best


_RECORD = b"2026-11-24 02:54:42,000 7 INFO ? odoo: x"

WRAPPERS = (
    Wrapper(
        "syslog (RFC 3164)",
        unwrap_old,
        (
            (b"Nov 24 02:54:42 host odoo[123]: Traceback", b"Traceback"),
            (b"Nov  4 02:54:42 host Odoo Server 16.0:prod:INFO:odoo:x", b"Odoo Server 16.0:prod:INFO:odoo:x"),
            (b"<14>Nov 24 02:54:42 host odoo: x", b"x"),
            (b"Nov 24 02:54:42.123456 host odoo[1]:   File", b"  File"),
            (b"Nov 24 02:54:42 host odoo[1]: x: #012Traceback", b"x: \nTraceback"),
        ),
        (_RECORD, b"Nov 24 at noon", b"Nov 31 02:54:42 host odoo: x"),
        loses="lines that are longer than the daemon allows (8 KiB by default) are cut",
        indents=True,
    ),
    Wrapper(
        "syslog (RFC 3339)",
        unwrap_new,
        (
            (
                b"2026-11-24T03:25:02.597396+00:00 vm Odoo Server 12.0:?:INFO:odoo:x",
                b"Odoo Server 12.0:?:INFO:odoo:x",
            ),
            (b"2026-11-24T03:25:02+0000 vm odoo[7]: x", b"x"),
        ),
        (_RECORD, b"2026-11-24T02:54:42.647Z x"),
        loses="lines that are longer than the daemon allows (8 KiB by default) are cut",
        indents=True,
    ),
    Wrapper(
        "syslog (RFC 5424)",
        unwrap_rfc5424,
        (
            (b"<134>1 2026-11-24T03:25:02.597Z vm odoo 7 - - x", b"x"),
            (b'83 <134>1 2026-11-24T03:25:02.597Z vm odoo 7 - [a b="]"][c] \xef\xbb\xbfx', b"x"),
        ),
        (b"<134>Nov 24 02:54:42 host odoo: x",),
        loses="lines that are longer than the daemon allows (8 KiB by default) are cut",
    ),
    Wrapper(
        "journalctl (short-full)",
        unwrap_full,
        ((b"Tue 2026-11-24 02:54:42 UTC vm odoo[7]: x", b"x"),),
        (_RECORD, b"Tue 2026-11-24 at noon UTC vm odoo[7]: x"),
        indents=True,
    ),
    Wrapper(
        "journalctl (short-unix)",
        unwrap_unix,
        ((b"1795490702.597396 vm odoo[7]: x", b"x"),),
        (_RECORD, b"1795490702 vm odoo[7]: x"),
        indents=True,
    ),
)
