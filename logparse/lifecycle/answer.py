"""What single lines tell of a request of the runner: how long it took, and how it was answered.

Sources: odoo/netsvc.py (PerfFilter), queue_job/jobrunner/runner.py (_async_http_get).
"""

from logparse.match.fact import MOST, Fact, seconds

ROUNDING = 50
"""A line may be this much older than the request that it belongs to, by rounding (ms)."""

# Seconds that are less than 0 by no more than this are none, by rounding; else the clock was set back.
_IMPRECISE = 0.01
# What requests raises where no answer came: none listened, or the worker died. (A timeout is not logged.)
_NO_ANSWER = ("ConnectionError", "ChunkedEncodingError", "ConnectTimeout", "ProtocolError")


def between(start: int, end: int) -> float | None:
    """Seconds from one line to another (ms); None where the clock was set back between them."""
    return max(0, end - start) / 1000 if end >= start - ROUNDING else None


def duration_of(fact: Fact) -> float | None:
    """Seconds that an access line tells, in SQL and others (odoo/netsvc.py, PerfFilter; None before 12.0)."""
    return times(fact.fields)[0]


def times(fields: dict[str, str]) -> tuple[float | None, float | None]:
    """(seconds in all, of them in SQL); None where the log shows none, or the clock was set back."""
    sql = fields.get("sql_seconds")
    if "seconds" in fields:
        return _passed(seconds(fields["seconds"])), _passed(seconds(sql)) if sql else None
    if sql is None:
        return None, None
    other = fields.get("other_seconds")
    in_sql = float(sql)
    if other is None:
        return None, _passed(seconds(sql))
    both = in_sql + float(other)
    if not (0 <= in_sql < MOST and 0 <= both < MOST):
        return _passed(round(seconds(sql) + seconds(other), 3)), _passed(seconds(sql))
    # Both are whole milliseconds; to round to three digits takes five times as long.
    return round(both * 1000) / 1000, in_sql + 0.0  # `-0.000` is 0, too


def _passed(time: float) -> float | None:
    """So many seconds passed, by the difference of two times; None where the clock was set back between."""
    return max(0.0, time) if time > -_IMPRECISE else None


def unanswered(fact: Fact) -> str | None:
    """How the request broke off, by what requests (or urllib3) raised; None where an answer came.

    The wording is that of urllib3's NewConnectionError and of the operating system, in all their versions.
    """
    if not fact.fields.get("exception", "").endswith(_NO_ANSWER):
        return None
    text = fact.fields.get("exception_text", "")
    unreached = "establish a new connection" in text or "refused" in text
    return "unreached" if unreached else "broken"


def http_error(fact: Fact) -> int | None:
    """The HTTP status in `requests.exceptions.HTTPError: 500 Server Error: …`; None for another error."""
    if not fact.fields.get("exception", "").endswith("HTTPError"):
        return None
    number = fact.fields.get("exception_text", "")[:3]
    return int(number) if number.isdecimal() and number.isascii() else None
