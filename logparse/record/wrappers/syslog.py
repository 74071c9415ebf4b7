"""Lines that a syslog daemon or journald wrote: RFC 3164, RFC 3339 and RFC 5424 forms."""

import re
from datetime import UTC, datetime

from logparse.record.wrappers.wrapper import Context, Line, Wrapper

_MONTHS = {
    name: number for number, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)
}
# `Nov 24 02:54:42 host tag[123]: text`; the tag of Odoo's own formatter is its product, with a blank in it.
_OLD = re.compile(
    rb"(?:<\d{1,3}>)?(?P<month>[A-Z][a-z]{2}) (?P<day>[ \d]\d) (?P<clock>\d\d:\d\d:\d\d) \S+ "
    rb"(?:(?!\S+ Server \d)[\w./\-]+(?:\[\d+\])?: )?(?P<text>.*)",
    re.DOTALL,
)
_NEW = re.compile(
    rb"(?:<\d{1,3}>)?(?P<when>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)) \S+ "
    rb"(?:(?!\S+ Server \d)[\w./\-]+(?:\[\d+\])?: )?(?P<text>.*)",
    re.DOTALL,
)
_RFC5424 = re.compile(
    rb"<\d{1,3}>1 (?P<when>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) \S+ \S+ \S+ \S+ "
    rb"(?:-|(?:\[[^\]]*\])+) (?:\xef\xbb\xbf)?(?P<text>.*)",
    re.DOTALL,
)


def unwrap_old(line: bytes, context: Context) -> Line | None:
    """RFC 3164: no year, no zone, no milliseconds."""
    match = _OLD.match(line)
    if match is None or match["month"] not in _MONTHS:
        return None
    hour, minute, second = (int(part) for part in match["clock"].split(b":"))
    try:
        when = datetime(
            context.year,
            _MONTHS[match["month"]],
            int(match["day"]),
            hour,
            minute,
            second,
            tzinfo=context.zone,
        )
    except ValueError:
        return None
    return Line(match["text"], int(when.timestamp()) * 1000)


def unwrap_new(line: bytes, context: Context) -> Line | None:
    """The form that rsyslog and journald's `short-iso` write: RFC 3339."""
    return _dated(_NEW.match(line))


def unwrap_rfc5424(line: bytes, context: Context) -> Line | None:
    """RFC 5424."""
    return _dated(_RFC5424.match(line))


def _dated(match: re.Match[bytes] | None) -> Line | None:
    if match is None:
        return None
    try:
        when = datetime.fromisoformat(match["when"].decode())
    except ValueError:
        return None
    return Line(match["text"], int(when.astimezone(UTC).timestamp() * 1000 + 0.5))


WRAPPERS = (
    Wrapper(
        "syslog (RFC 3164)",
        unwrap_old,
        (
            (b"Nov 24 02:54:42 host odoo[123]: Traceback", b"Traceback"),
            (b"Nov  4 02:54:42 host Odoo Server 16.0:prod:INFO:odoo:x", b"Odoo Server 16.0:prod:INFO:odoo:x"),
            (b"<14>Nov 24 02:54:42 host odoo: x", b"x"),
        ),
        (b"2026-11-24 02:54:42,000 7 INFO ? odoo: x", b"Nov 24 at noon"),
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
        (b"2026-11-24 02:54:42,000 7 INFO ? odoo: x", b"2026-11-24T02:54:42.647Z x"),
    ),
    Wrapper(
        "syslog (RFC 5424)",
        unwrap_rfc5424,
        ((b"<134>1 2026-11-24T03:25:02.597Z vm odoo 7 - - x", b"x"),),
        (b"<134>Nov 24 02:54:42 host odoo: x",),
    ),
)
