"""Writes a time of the log as text."""

from datetime import UTC, datetime


def iso(ms: int | None) -> str | None:
    """`2026-11-24T02:56:19.363+00:00` of ms since the epoch; None outside of the years 1 to 9999."""
    if ms is None:
        return None
    seconds, milliseconds = divmod(ms, 1000)
    try:
        text = datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
    except (ValueError, OverflowError, OSError):
        return None
    return f"{text}.{milliseconds:03d}+00:00"
