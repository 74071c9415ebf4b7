"""The pipe, put together: chunks of a log go in, what happened to the jobs comes out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Protocol

import msgspec

from logparse.lifecycle.event import Output
from logparse.lifecycle.lifecycle import Lifecycle, Options
from logparse.match.bulk import lines
from logparse.match.fact import Fact
from logparse.match.interest import interest
from logparse.match.load import load_patterns
from logparse.match.matcher import Matcher
from logparse.match.pattern import REQUEST_KINDS, PatternSet
from logparse.record.bulk import Row
from logparse.record.counted import Taken
from logparse.record.merge import Merged
from logparse.record.reader import Reader
from logparse.record.record import Record
from logparse.record.tally import Tally
from logparse.record.wrappers.wrapper import Context
from logparse.source.chunk import Chunk

# Names of loggers are text from the log: so many are told apart.
_LOGGERS = 50
_PATTERN = attrgetter("pattern")


class Tap:
    """Looks on at what flows through a pipe, and changes nothing. Inherit to look at a part of it."""

    def chunk(self, chunk: Chunk) -> None:
        """Bytes that are about to be read."""

    def fact(self, fact: Fact, *, believed: bool) -> None:
        """A record that a pattern recognised; believed: False where the lifecycle rejected it."""

    def told(self, outputs: Sequence[Output], now: int) -> None:
        """What was just proven; now: the log's clock then, ms."""

    def unmatched(self, record: Record) -> None:
        """A record of queue_job's loggers that no pattern knows."""


class Requests(Protocol):
    """Takes what the log tells of HTTP requests."""

    def add(self, fact: Fact) -> None:
        """One record that tells of a request."""

    def add_rows(self, rows: Sequence[Row]) -> None:
        """Access lines that were read in bulk."""


class Pipe:
    """Record, match and lifecycle, in a row: the one way from bytes to events, live and in replay.

    patterns: the built-in ones where None. odoo: the log's series, such as `16.0`; where None, the log
    tells. options: of the lifecycle. server: the name of the server whose log it is. lifecycle: one that
    several pipes share, each reading a log of the same installation; its own options hold then. context:
    what is known of the log's times. files: of several servers, in order: their records are told by time.

    interest: the texts that are searched for. tally: what was read. facts: by pattern. unmatched: records
    of queue_job's loggers that no pattern knows, by logger. lifecycle: the state, with its gauges. tap:
    looks on, where it is set. requests: is told of HTTP requests, where the patterns have those.
    """

    def __init__(
        self,
        patterns: PatternSet | None = None,
        *,
        odoo: str | None = None,
        options: Options | None = None,
        server: str | None = None,
        lifecycle: Lifecycle | None = None,
        context: Context | None = None,
        files: Mapping[str | None, Sequence[str]] | None = None,
        requests: Requests | None = None,
    ) -> None:
        self.patterns = patterns if patterns is not None else load_patterns()
        of_jobs, of_requests = _parted(self.patterns)
        self.matcher = Matcher(of_jobs, odoo)
        self.requests = requests
        self._of_requests = Matcher(of_requests, odoo)
        if lifecycle is None:
            lifecycle = Lifecycle(options if options is not None else Options())
        self.lifecycle = lifecycle
        searched = _needed(of_jobs, self.matcher, lifecycle)
        needed = interest(searched)
        self._searched = frozenset(one.id for one in searched.patterns)
        if requests is not None:
            needed = msgspec.structs.replace(needed, requests=lines(of_requests, searched, self._add_rows))
        self.interest = needed
        self._make = partial(Reader, needed, context or Context())
        self.reader: Reader | Merged
        if files is None:
            self.reader = self._make()
        else:
            self.reader = Merged(files, lambda name: self._make(server=name))
        self.server = server
        self.facts: Counter[str] = Counter()
        self.unmatched: Counter[str] = Counter()
        self.tap: Tap | None = None

    @property
    def tally(self) -> Tally:
        """What was read so far."""
        return self.reader.tally

    def new_reader(self, server: str | None = None) -> Reader:
        """Another one like this pipe's, or like that of one of its servers, at its beginning."""
        return self._make(server=server)

    def take(self, file: str, facts: list[Fact], taken: Taken, *, last: bool) -> list[Fact]:
        """What is to be told now that another reader has read a chunk of this file; last: its last one.

        facts: as `match` gave them elsewhere; of one of several servers, records that nobody has matched yet.
        taken: what was counted.
        """
        if isinstance(self.reader, Merged):
            return self.match(self.reader.take(file, [fact.record for fact in facts], taken, last=last))
        self.reader.count(taken)
        return facts

    def feed(self, chunk: Chunk) -> list[Output]:
        """What is proven by this chunk, in the order in which it is proven."""
        return self.follow(self.read(chunk))

    def read(self, chunk: Chunk) -> list[Record]:
        """The records that are known now and may matter: to `match` and `tell`, in order."""
        if self.tap is not None:
            self.tap.chunk(chunk)
        return self.reader.feed(chunk)

    def quiet(self, *, long: bool = False) -> list[Output]:
        """The same for a last line that is whole, when nothing has come for a while (long: for long)."""
        return self.follow(self.reader.quiet(long=long))

    def finish(self, *, settle: bool = True) -> list[Output]:
        """The log is at its end; with `settle`, endings that its time would settle are settled now."""
        if not settle:
            return []
        out = self.lifecycle.finish()
        if self.tap is not None:
            self.tap.told(out, self.lifecycle.now)
        return out

    def _add_rows(self, pattern: str, rows: list[Row]) -> None:
        """Facts of one pattern that were read in bulk."""
        self.facts[pattern] += len(rows)
        if self.requests is not None:
            self.requests.add_rows(rows)

    def follow(self, records: list[Record]) -> list[Output]:
        """What records of this pipe's reader prove; for who puts those of several readers in order."""
        return self.tell(self.match(records))

    def match(self, records: list[Record]) -> list[Fact]:
        """What each record is, in their order; a fact without a pattern where none of a job knows it.

        Where requests are wanted, a record of one comes twice.
        """
        matcher, of_requests = self.matcher, self._of_requests
        if self.requests is None:
            return [matcher(record) or Fact("", "", "", None, None, {}, record) for record in records]
        facts: list[Fact] = []
        for record in records:
            fact = matcher(record)
            if (request := of_requests(record)) is not None:
                facts.append(request)
                if fact is not None and fact.pattern not in self._searched:
                    fact = None  # it is seen only where the line was not read in bulk
            facts.append(fact or Fact("", "", "", None, None, {}, record))
        return facts

    def tell(self, facts: list[Fact]) -> list[Output]:
        """What these prove, which `match` returned here or elsewhere; at once or in parts."""
        lifecycle, server, requests = self.lifecycle, self.server, self.requests
        tap, take = self.tap, self.lifecycle.take
        self.facts.update(map(_PATTERN, facts))
        self.facts.pop("", None)
        out: list[Output] = []
        for fact in facts:
            record = fact.record
            if fact.pattern:
                if requests is not None and fact.kind in REQUEST_KINDS:
                    requests.add(fact)
                    continue
                if tap is None:
                    take(fact, record.server or server)
                    continue
                before = lifecycle.rejected.total()
                proven = lifecycle.feed(fact, record.server or server)
                out += proven
                tap.fact(fact, believed=lifecycle.rejected.total() == before)
                tap.told(proven, lifecycle.now)
            elif self.matcher.watches(record.logger):
                logger = record.logger
                if logger not in self.unmatched and len(self.unmatched) >= _LOGGERS:
                    logger = "other"
                self.unmatched[logger] += 1
                if tap is not None:
                    tap.unmatched(record)
        return out if tap is not None else lifecycle.told()


def _parted(patterns: PatternSet) -> tuple[PatternSet, PatternSet]:
    """Those that tell of jobs, and those of requests: a line may prove both, each by a pattern of its own."""
    jobs, requests = (
        tuple(one for one in patterns.patterns if (one.kind in REQUEST_KINDS) is wanted)
        for wanted in (False, True)
    )
    replace = msgspec.structs.replace
    return replace(patterns, patterns=jobs), replace(patterns, patterns=requests)


def _needed(patterns: PatternSet, matcher: Matcher, lifecycle: Lifecycle) -> PatternSet:
    """Those that matter: hints that nobody reads, from loggers that write much else, are not searched for."""
    return msgspec.structs.replace(
        patterns,
        patterns=tuple(
            pattern
            for pattern in patterns.patterns
            if pattern.user
            or lifecycle.needs(pattern.kind, pattern.confidence)
            or any(map(matcher.watches, pattern.loggers))
        ),
    )
