"""A pattern, and a set of them: data that says which record proves what, with its own samples."""

import hashlib

import msgspec

from logparse.match.versions import Range

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
DB_RULES = ("none", "job", "any")
CONFIDENCES = ("proves", "implies", "hint")
BODIES = ("exception",)
REQUEST_KINDS = frozenset({"request", "request_told"})
"""Facts of HTTP requests, which mean nothing to a job; a record may prove one beside another fact."""


class Sample(msgspec.Struct, frozen=True):
    """A log record (header and all, perhaps of several lines), and the fields to be captured from it."""

    line: str
    fields: dict[str, str]


class Pattern(msgspec.Struct, frozen=True):
    """One kind of record (docs/patterns.md explains each key).

    id: such as `runner.asking`. kind: what it is evidence of (the YAML key is `fact`).
    db: what the record's own database must be: `none`, `job` (a real one) or `any`.
    regex: of the record's message, in the subset of RE2. python: the same for Python's `re`.
    names: its groups. optional: those that a match may leave out.
    anchored: it can match at the message's beginning only.
    prefix: the text with which every message begins that can match, or "".
    literals: runs of text of which every such message holds each.
    body: `exception` where the continuation lines are a traceback whose class is wanted.
    file, line: where it is written. user: it came from a directory of the user's.
    """

    id: str
    versions: tuple[str, ...]
    ranges: tuple[Range, ...]
    loggers: tuple[str, ...]
    levels: tuple[str, ...]
    db: str
    regex: str
    python: str
    names: tuple[str, ...]
    optional: tuple[str, ...]
    anchored: bool
    prefix: str
    literals: tuple[str, ...]
    kind: str
    confidence: str
    source: str
    fields: dict[str, str] = {}
    body: str | None = None
    condition: str = ""
    notes: str = ""
    samples: tuple[Sample, ...] = ()
    not_samples: tuple[str, ...] = ()
    file: str = ""
    line: int = 0
    user: bool = False

    def covers(self, major: int) -> bool:
        """Whether some range of its versions includes the Odoo series `major`.0."""
        return any(range_.covers(major) for range_ in self.ranges)


class PatternSet(msgspec.Struct, frozen=True):
    """Patterns in the order in which they are tried.

    version: of the built-in patterns (`+user` where a directory of the user's lies over them).
    digest: the first 16 hexadecimal digits of a sha256 over everything that decides a match.
    """

    patterns: tuple[Pattern, ...]
    version: str
    digest: str

    def __getitem__(self, pattern_id: str) -> Pattern:
        for pattern in self.patterns:
            if pattern.id == pattern_id:
                return pattern
        raise KeyError(pattern_id)


def digest_of(patterns: tuple[Pattern, ...]) -> str:
    """The digest of a set: equal where, and only where, both sets match alike and in the same order."""
    parts = [
        (p.id, p.versions, p.loggers, p.levels, p.db, p.regex, p.kind, p.confidence, p.body, p.user)
        for p in patterns
    ]
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:16]
