"""What a log can show, as far as it has shown it: it depends on levels, handlers and versions."""

from collections import Counter

import msgspec

# When the runner resets a dispatch whose request timed out (ms): times are cut to whole milliseconds.
_RESET_AFTER, _RESET_WITHIN = 999, 2_500


class Sight(msgspec.Struct):
    """What was seen so far.

    pending: the runner's channel lines (DEBUG). started: the controller's lines (DEBUG). answers: access
    lines of jobs (INFO of werkzeug). traces: tracebacks of jobs. dispatched, answered, failed (answers of
    4xx or 5xx among them): how often, by database. databases: every one that a line named, in that order
    (bounded). resets: whether the runner's reset of what no worker took up within a second is a line in this
    log; None where that is not known.
    """

    pending: bool = False
    started: bool = False
    answers: bool = False
    traces: bool = False
    dispatched: Counter[str | None] = msgspec.field(default_factory=Counter)
    answered: Counter[str | None] = msgspec.field(default_factory=Counter)
    failed: Counter[str | None] = msgspec.field(default_factory=Counter)
    databases: dict[str, None] = msgspec.field(default_factory=dict)
    resets: bool | None = None

    def database(self, db: str) -> None:
        """A line named this database."""
        if db not in self.databases and len(self.databases) < 1000:
            self.databases[db] = None

    def odoo(self, version: str | None) -> None:
        """A server of this version started. Up to 11.0 a reset is silent, of 12.0 only in 12.0.1.0.0."""
        series = (version or "").partition(".")[0]
        if series == "12":
            self.resets = self.resets or None
        elif series.isdecimal():
            self.resets = int(series) > 12

    def why_pending(self, after: int | None) -> tuple[str, bool]:
        """(reason, whether a line states it) of a job that is pending again, and no line says why.

        after: how long after its dispatch, ms, where no worker is known to have taken that up; else None.
        A reset comes after the request's timeout of 1 s, to connect and to read each, or as soon as the
        request fails (queue_job/jobrunner/runner.py, _async_http_get).
        """
        if self.resets or after is None or after > _RESET_WITHIN:
            return "manual", True
        if self.resets is None or after < _RESET_AFTER:
            return "unknown", False
        return "timeout", False
