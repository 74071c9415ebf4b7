"""The matcher: a record goes in, and the fact that it proves comes out, by the first pattern that fits."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import unquote

from logparse.match.fact import Fact
from logparse.match.pattern import LEVELS, Pattern, PatternSet
from logparse.match.traceback import raised
from logparse.match.versions import major_of
from logparse.record.record import Record

# Seconds that one match of a user's pattern may take: their regexes are not ours to vouch for.
TIMEOUT = 0.05
# Every record of these should be recognised: where one is not, an upgrade changed a message.
_WATCHED = re.compile(
    r"(?:odoo\.addons\.queue_job|odoo\.addons\.queue_job_cron_jobrunner"
    r"|openerp\.addons\.connector\.(?:jobrunner|controllers|queue))(?:\.|\Z)"
)


class _Candidate(NamedTuple):
    """A pattern, made ready to be tried.

    text: a text that every message that matches holds: most records are told apart by it, before any regex
    runs. no_db: the record must have no database of its own, or must have
    one; None: it does not matter. optional: the groups that a match may leave out. in_url: its db stands in a
    URL, percent-encoded. plain: there is nothing to do but to capture its groups.
    """

    text: str
    no_db: bool | None
    match: Callable[[str], Any]
    optional: tuple[str, ...]
    in_url: bool
    plain: bool
    pattern: Pattern


class Matcher:
    """Finds the fact of a record: `matcher(record)`.

    odoo: the log's Odoo version, given, or as the log itself tells it (`Odoo version 17.0`); None while
        unknown. Patterns written for its series come first, then all others in their order, since code is
        ported back and the line stays a proof.
    timeouts: for each pattern of the user's, how many matches were given up after `TIMEOUT` seconds.
    """

    def __init__(self, patterns: PatternSet, odoo: str | None = None) -> None:
        """odoo: a version such as `17.0`; ValueError where it is none."""
        self.patterns = patterns
        self.odoo = odoo
        self._major = None if odoo is None else major_of(odoo)
        if odoo is not None and self._major is None:
            raise ValueError(f"{odoo!r} is no Odoo version; write it like 17.0")
        self.timeouts: Counter[str] = Counter()
        self._given = odoo is not None
        self._by_logger: dict[str, list[Pattern]] = {}
        for pattern in patterns.patterns:
            for logger in pattern.loggers:
                self._by_logger.setdefault(logger, []).append(pattern)
        self._made: dict[str, _Candidate] = {}
        self._ready: dict[str, dict[str, tuple[_Candidate, ...]]] = {}
        self._watched: dict[str, bool] = {}

    def __call__(self, record: Record) -> Fact | None:
        """The fact that `record` proves; None where no pattern fits. It raises nothing."""
        try:
            candidates = self._ready[record.logger][record.level]
        except KeyError:
            if record.logger not in self._by_logger or record.level not in LEVELS:
                return None
            candidates = self._prepare(record.logger, record.level)
        message = record.message
        for text, no_db, match, optional, in_url, plain, pattern in candidates:
            # Where it should begin the message, the regex asks so: `startswith` takes twice as long as this.
            if text not in message:
                continue
            if no_db is not None and (record.db is None) is not no_db:
                continue
            found = match(message)
            if found is None:
                continue
            fields: dict[str, str] = found.groupdict()
            for name in optional:
                if fields[name] is None:
                    del fields[name]
            db = fields.get("db")
            if in_url and db is not None and "%" in db:
                db = fields["db"] = unquote(db)
            if not plain:
                self._complete(pattern, fields, record)
            return Fact(
                pattern.id,
                pattern.kind,
                pattern.confidence,
                fields.get("uuid"),
                db or record.db,
                fields,
                record,
            )
        return None

    def watches(self, logger: str) -> bool:
        """Whether all records of `logger` should be recognised: it is one of queue_job's or connector's."""
        watched = self._watched.get(logger)
        if watched is None:
            if len(self._watched) > 10_000:
                self._watched.clear()
            watched = self._watched[logger] = _WATCHED.match(logger) is not None
        return watched

    def _prepare(self, logger: str, level: str) -> tuple[_Candidate, ...]:
        """The candidates for one logger and level, in the order in which they are tried."""
        patterns = [pattern for pattern in self._by_logger[logger] if level in pattern.levels]
        major = self._major
        if major is not None:
            patterns.sort(key=lambda pattern: not pattern.covers(major))
        candidates = tuple(self._made.get(p.id) or self._make(p) for p in patterns)
        self._ready.setdefault(logger, {})[level] = candidates
        return candidates

    def _make(self, pattern: Pattern) -> _Candidate:
        match: Callable[[str], Any]
        if pattern.user:
            import regex  # here, since it costs a third of the start and only the user's patterns need it

            compiled = regex.compile(pattern.python, regex.ASCII | regex.VERSION0)
            bounded = compiled.match if pattern.anchored else compiled.search

            def match(message: str) -> Any:
                try:
                    return bounded(message, timeout=TIMEOUT)
                except TimeoutError:
                    self.timeouts[pattern.id] += 1
                    return None
        else:
            ours = re.compile(pattern.python, re.ASCII)
            match = ours.match if pattern.anchored else ours.search
        plain = pattern.body is None and pattern.kind != "server_start"
        text = max((pattern.prefix, *pattern.literals), key=len)
        candidate = _Candidate(
            text,
            None if pattern.db == "any" else pattern.db == "none",
            match,
            pattern.optional,
            "db=(?P<db>" in pattern.regex,
            plain,
            pattern,
        )
        self._made[pattern.id] = candidate
        return candidate

    def _complete(self, pattern: Pattern, fields: dict[str, str], record: Record) -> None:
        """What the regex does not tell: the exception. And what the record tells of the log: its series."""
        if pattern.body == "exception":
            exception = raised(record.message, record.body)
            if exception is not None:
                fields["exception"] = exception.name
                fields["exception_text"] = exception.text
        if pattern.kind == "server_start" and "version" in fields:
            self.tell(fields["version"])

    def tell(self, version: str) -> None:
        """The log tells its version; does nothing where another was given, or it is none."""
        major = major_of(version)
        if self._given or major is None:
            return
        self.odoo = version
        if major != self._major:
            self._major = major
            self._ready.clear()
