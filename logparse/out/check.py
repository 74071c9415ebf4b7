"""What a log is: versions, level, shape of its lines, processes, databases, and what was not understood."""

import re
from collections import Counter
from collections.abc import Sequence

import msgspec

import logparse
from logparse.lifecycle.event import Event, Output
from logparse.match.fact import Fact
from logparse.match.pattern import LEVELS, Pattern
from logparse.match.versions import major_of
from logparse.out.entries import what_was_read
from logparse.out.label import cleaned
from logparse.out.problems import Problem, problems_of
from logparse.out.report import SCHEMA, Input
from logparse.out.shape import Shape, Shapes, shapes_of
from logparse.out.sink import Sink, Source
from logparse.out.visibility import visibility
from logparse.out.visible import Visibility
from logparse.pipe import Pipe, Tap
from logparse.record.record import Record
from logparse.source.chunk import Chunk

SAMPLES = 3
"""Messages that are kept of each logger whose records are not recognised."""

_MOST_LOGGERS = 50
_MOST_PROCESSES = 1000
_MOST_VERSIONS = 20
_LONGEST_SAMPLE = 500
_WORKER_KINDS = frozenset({"attempt_ended", "started", "done", "postponed", "refused"})
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]{0,30}[.,:;]?")
_PLAIN_WORDS = 3


class Releases(msgspec.Struct, frozen=True):
    """Between which releases of queue_job the log's must be, by its lines; None: no such bound."""

    first: str | None
    last: str | None


class Runner(msgspec.Struct, frozen=True):
    """A process that dispatched jobs. server: its name, None where there is one."""

    server: str | None
    pid: int | None
    dispatches: int


class Processes(msgspec.Struct, frozen=True):
    """model: `prefork`, `threaded`, `both`, or None where no line tells.

    workers: processes that ran jobs.
    """

    model: str | None
    workers: int
    runners: list[Runner]


class Named(msgspec.Struct, frozen=True):
    """A database, and how many dispatches and answers of its jobs are in the log."""

    db: str
    dispatches: int
    answers: int


class Sample(msgspec.Struct, frozen=True):
    """A record that was not recognised; text: without what may be personal, unless that was asked for."""

    level: str
    text: str
    file: str
    offset: int


class Unmatched(msgspec.Struct, frozen=True):
    """Records of a logger of queue_job that no pattern knows."""

    logger: str
    count: int
    samples: list[Sample]


class Check(msgspec.Struct, frozen=True):
    """odoo: every version that a server named. levels: recognised records by level; recognised: by pattern.

    ok: whether the check passes: the log was read whole, outcomes are visible, and all that should be
    recognised was. foreign: lines of another form than the rest. colours, crlf: whether some lines hold
    colour codes, or end so.
    """

    schema: int
    version: str
    ok: bool
    problems: list[Problem]
    input: Input
    odoo: list[str]
    queue_job: Releases | None
    levels: dict[str, int]
    shapes: list[Shape]
    foreign: int
    colours: bool
    crlf: bool
    processes: Processes
    databases: list[Named]
    visibility: Visibility
    unmatched: list[Unmatched]
    recognised: dict[str, int]


_Pid = tuple[str | None, int | None]


class Inspection(Sink, Tap):
    """Looks on at a pipe, too, as its own `tap`; ask for the `result` when all was read.

    with_text: keep the messages that were not recognised as they are; they may hold personal data.
    """

    def __init__(self, *, with_text: bool = False) -> None:
        self.tap = self
        self._with_text = with_text
        self._shapes = Shapes()
        self._versions: dict[str, None] = {}
        self._levels: Counter[str] = Counter()
        self._runners: Counter[_Pid] = Counter()
        self._workers: set[_Pid] = set()
        self._announced: set[str] = set()
        self._samples: dict[str, list[Sample]] = {}
        self._told: Counter[str] = Counter()

    def open(self, source: Source) -> None:
        """Take note of the pipe."""
        self._source = source

    def chunk(self, chunk: Chunk) -> None:
        """Look at the shape of some of its lines."""
        self._shapes.look(chunk)

    def fact(self, fact: Fact, *, believed: bool) -> None:
        """Note version, level and process of a record that is believed."""
        if not believed:
            return
        record = fact.record
        self._levels[record.level] += 1
        if fact.kind == "dispatched":
            pid = (record.server, record.pid)
            if pid in self._runners or len(self._runners) < _MOST_PROCESSES:
                self._runners[pid] += 1
        elif fact.kind in _WORKER_KINDS:
            if len(self._workers) < _MOST_PROCESSES:
                self._workers.add((record.server, record.pid))
        elif fact.kind == "worker_start":
            self._announced.add("prefork")
        elif fact.kind == "runner_start" and "server" in fact.fields:
            self._announced.add("threaded" if fact.fields["server"] == "threaded server" else "prefork")
        elif (
            fact.kind == "server_start" and "version" in fact.fields and len(self._versions) < _MOST_VERSIONS
        ):
            self._versions[cleaned(fact.fields["version"])] = None

    def unmatched(self, record: Record) -> None:
        """Keep some samples."""
        samples = self._samples.get(record.logger)
        if samples is None:
            if len(self._samples) >= _MOST_LOGGERS:
                return
            samples = self._samples[record.logger] = []
        text = cleaned(record.message[:_LONGEST_SAMPLE]) if self._with_text else redacted(record.message)
        if len(samples) < SAMPLES and all(text != one.text for one in samples):
            samples.append(Sample(record.level, text, record.file, record.offset))

    def add(self, outputs: Sequence[Output]) -> None:
        """Count the events."""
        self._told.update(output.event for output in outputs if isinstance(output, Event))

    def result(self) -> Check:
        """What the log is, as far as it was read."""
        pipe = self._source.pipe
        sees = visibility(pipe, self._told)
        read = what_was_read(pipe, self._source.files)
        shapes = shapes_of(pipe)
        problems = problems_of(read, sees, shapes, pipe.reader.foreign, self._source.failures)
        sight = pipe.lifecycle.sight
        return Check(
            SCHEMA,
            logparse.__version__,
            not any(problem.fails for problem in problems),
            problems,
            read,
            list(self._versions) or ([read.odoo] if read.odoo else []),
            _releases(pipe, read.odoo),
            {level: self._levels[level] for level in LEVELS if self._levels[level]},
            shapes,
            pipe.reader.foreign,
            self._shapes.colours,
            self._shapes.crlf,
            self._processes(pipe),
            [Named(cleaned(db), sight.dispatched[db], sight.answered[db]) for db in sight.databases],
            sees,
            [
                Unmatched(cleaned(logger), count, self._samples.get(logger, []))
                for logger, count in pipe.unmatched.most_common()
            ],
            dict(pipe.facts.most_common()),
        )

    def _processes(self, pipe: Pipe) -> Processes:
        models = set(self._announced)
        for server, pid in self._workers:
            if pid is not None and pipe.lifecycle.processes.shares(server or pipe.server, pid):
                models.add("threaded")
        model = None if not models else models.pop() if len(models) == 1 else "both"
        runners = [
            Runner(None if server is None else cleaned(server), pid, count)
            for (server, pid), count in self._runners.most_common(20)
        ]
        return Processes(model, len(self._workers), runners)


def redacted(message: str) -> str:
    """Its first three words, where they are plain words, and the uuids in it; all else becomes `…`."""
    kept = []
    for index, word in enumerate(message[:_LONGEST_SAMPLE].split()):
        if _UUID.fullmatch(word) or (index < _PLAIN_WORDS and _WORD.fullmatch(word)):
            kept.append(word)
        elif not kept or kept[-1] != "…":
            kept.append("…")
    return " ".join(kept)


def _releases(pipe: Pipe, odoo: str | None) -> Releases | None:
    """What the recognised lines tell of queue_job's release, by the versions of their patterns."""
    major = major_of(odoo) if odoo else None
    if major is None:
        return None
    first: tuple[int, ...] | None = None
    last: tuple[int, ...] | None = None
    for pattern_id in pipe.facts:
        bounds = _bounds(pipe.patterns[pattern_id], major)
        if bounds is None:
            continue
        low, high = bounds
        first = low if first is None or (low is not None and low > first) else first
        last = high if last is None or (high is not None and high < last) else last
    if first is not None and last is not None and first > last:
        return None
    if first is None and last is None:
        return None
    return Releases(_release(first), _release(last))


_Release = tuple[int, ...]


def _bounds(pattern: Pattern, major: int) -> tuple[_Release | None, _Release | None] | None:
    """The first and the last release of a series that write such a line; None where nothing is limited."""
    ranges = [one for one in pattern.ranges if one.covers(major)]
    if len(ranges) != 1 or not pattern.loggers[0].startswith(
        ("odoo.addons.queue_job", "openerp.addons.connector")
    ):
        return None
    return _numbers(ranges[0].first), _numbers(ranges[0].last)


def _numbers(release: str) -> _Release | None:
    return tuple(int(part) for part in release.split(".")) if release else None


def _release(numbers: _Release | None) -> str | None:
    return ".".join(map(str, numbers)) if numbers is not None else None
