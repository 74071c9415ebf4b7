"""What a log can show, as far as it has shown it: it depends on levels, handlers and versions."""

from collections import Counter

import msgspec


class Sight(msgspec.Struct):
    """What was seen so far.

    pending: the runner's channel lines (DEBUG). started: the controller's lines (DEBUG). answers: access
    lines of jobs (INFO of werkzeug). traces: tracebacks of jobs. dispatched, answered, failed (answers of
    4xx or 5xx among them): how often, by database. databases: every one that a line named, in that order
    (bounded).
    """

    pending: bool = False
    started: bool = False
    answers: bool = False
    traces: bool = False
    dispatched: Counter[str | None] = msgspec.field(default_factory=Counter)
    answered: Counter[str | None] = msgspec.field(default_factory=Counter)
    failed: Counter[str | None] = msgspec.field(default_factory=Counter)
    databases: dict[str, None] = msgspec.field(default_factory=dict)

    def database(self, db: str) -> None:
        """A line named this database."""
        if db not in self.databases and len(self.databases) < 1000:
            self.databases[db] = None
