"""One reading of finite logs, from the files to what is told of them."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from logparse.cli.division import Division, divided
from logparse.cli.error import CliError
from logparse.cli.foreign import EXPECTED, guess
from logparse.cli.options import Reading, Workers
from logparse.cli.progress import reported
from logparse.cli.standard import typed
from logparse.lifecycle.event import Output
from logparse.lifecycle.lifecycle import Lifecycle, Options
from logparse.match.error import PatternError
from logparse.match.fact import Fact
from logparse.match.load import load_patterns
from logparse.match.pattern import PatternSet
from logparse.out.sink import NEVER, Sink, Source, Taps
from logparse.pipe import Pipe
from logparse.record.direction import newest_first
from logparse.record.merge import Merged
from logparse.record.unwrap import find
from logparse.record.wrappers.wrapper import Context
from logparse.source.chunk import Chunk
from logparse.source.error import SourceError, named, shown
from logparse.source.files import order_files, read_files, written

if TYPE_CHECKING:
    from logparse.cli.piece import Piece
    from logparse.out.requests import Requests

P = TypeVar("P", Chunk, "Piece")

_HEAD_SIZE = 4096
_JUDGED_SIZE = 1 << 16
# Databases that are named where another one was asked for; of so many not all are known (Sight).
_NAMED, _KNOWN = 5, 1000


class Run:
    """Reads the files of a Reading through one pipe, once.

    files: in the order of time, of each server by itself. pipe: what it holds is complete when `outputs` is
    at its end. requests: the counters of HTTP requests, where the Reading asks for them. warnings: sentences
    for standard error, which the caller shows. workers: who read large logs.
    """

    def __init__(
        self,
        reading: Reading,
        *,
        progress: bool = False,
        workers: Workers = Workers(),  # noqa: B008 (frozen)
    ) -> None:
        self.reading = reading
        self._workers = workers
        self.warnings: list[str] = []
        self._streams = {
            server: order_files(files, warnings=self.warnings) for server, files in streams_of(reading)
        }
        self.files = [file for files in self._streams.values() for file in files]
        self._progress = progress
        self._failures: list[SourceError] = []
        self._unread: set[str] = set()
        self._refuse_shared()
        self.requests = _requests(reading) if reading.http else None
        files = self._streams if reading.servers else None
        self.pipe = open_pipe(reading, files=files, requests=self.requests)
        self._parts = divided(reading, self.files, workers)

    def _refuse_shared(self) -> None:
        if len(set(self.files)) < len(self.files):
            twice = next(file for file in self.files if self.files.count(file) > 1)
            raise CliError(f"{named(twice)} was given for two servers: give each server its own log")

    def outputs(self) -> Iterator[Output]:
        """What the logs prove and the selection wants, in the order in which it is proven.

        A file that can be read only in part, or not, is told of after all others were read.
        Raises SourceError as read_files does; CliError where all that was read is no log of Odoo.
        """
        for outputs in self._batches(()):
            yield from outputs

    def into(self, sinks: Sequence[Sink]) -> None:
        """Hand the same to all sinks, which the caller finishes, or discards. Raises as `outputs`."""
        streams = list(self._streams.values())
        source = Source(self.pipe, self.files, self.reading.selection, streams, self._failures)
        for sink in sinks:
            sink.open(source)
        taps = [sink.tap for sink in sinks if sink.tap is not None]
        if taps:
            self.pipe.tap = taps[0] if len(taps) == 1 else Taps(taps)
        with closing(self._batches(sinks)) as batches:  # also those who read for it, whatever happens
            for outputs in batches:
                for sink in sinks:
                    sink.add(outputs)

    def _batches(self, sinks: Sequence[Sink]) -> Generator[Sequence[Output]]:
        """What is told and wanted, bit by bit; sinks that are due look on when all before was handed on."""
        wants, everything = self.reading.selection.wants, self.reading.selection.everything
        pipe = self.pipe
        foreign: dict[str, bytes] = {}
        looks: dict[str, _Look] = {}
        with reported(self.files, shown_=self._progress) as report:
            for piece in self._spread(report) if self._parts else self._alone(report):
                look = looks.setdefault(piece.file, _Look())
                look.add(piece)
                for facts in _until_due(piece.facts, sinks):
                    outputs = pipe.tell(facts)
                    yield outputs if everything else list(filter(wants, outputs))
                if piece.last:
                    if not look.size and piece.file not in self._unread:
                        self.warnings.append(f"{named(piece.file)} is empty: nothing was in it")
                    elif look.size and not look.headers:
                        foreign[piece.file] = look.head
            if isinstance(pipe.reader, Merged):
                for facts in _until_due(pipe.match(pipe.reader.rest()), sinks):
                    yield list(filter(wants, pipe.tell(facts)))
            for sink in sinks:
                sink.settle()
            yield list(filter(wants, pipe.finish(settle=self.reading.settle_at_end)))
        self._look_for_databases()
        for file, beginning in foreign.items():
            sentence = (
                f"{named(file)} is not an Odoo server log: no line of it begins like `{EXPECTED}`; "
                f"{guess(beginning)}"
            )
            if not pipe.tally.headers and not self._failures:
                raise CliError(sentence)
            self.warnings.append(sentence)
        if self._failures:
            self.warnings += [str(failure) for failure in self._failures[1:]]
            raise self._failures[0]

    def _look_for_databases(self) -> None:
        there = self.pipe.lifecycle.sight.databases
        for db in sorted(self.reading.selection.dbs - there.keys()):
            if 0 < len(there) < _KNOWN:
                some = ", ".join([*map(shown, list(there)[:_NAMED]), *(["…"] if len(there) > _NAMED else [])])
                self.warnings.append(f"no line about jobs is of a database {shown(db)}: there is {some}")

    def _alone(self, report: Callable[[str, int], None] | None) -> Iterator["_Piece"]:
        """The pieces of all files, in the order in which their facts are told."""
        pipe = self.pipe
        begun: set[str] = set()
        logs: set[str] = set()
        for chunk in self._in_turn(
            {name: self._read(files, report) for name, files in self._streams.items()}
        ):
            file = chunk.file
            if file not in begun:
                begun.add(file)
                if newest_first(chunk.data[:_JUDGED_SIZE], context_of(self.reading)):
                    raise self._turned(file)
            before = 0 if file in logs else pipe.reader.tally_of(file).headers
            facts = pipe.match(pipe.read(chunk))
            # Of what is known to be a log no more is asked.
            headers = 0 if file in logs else pipe.reader.tally_of(file).headers - before
            if headers:
                logs.add(file)
            head = chunk.data[:_HEAD_SIZE] if chunk.offset < _HEAD_SIZE else b""
            yield _Piece(file, facts, len(chunk.data), head, headers, chunk.last)

    def _spread(self, report: Callable[[str, int], None] | None) -> Iterator["_Piece"]:
        """The same, read by several processes."""
        pipe, reading, streams = self.pipe, self.reading, self._streams
        options, context = options_of(reading), context_of(reading)
        division = Division(reading, self._workers, pipe, options, context, streams, self._parts)
        for spread in division.spreads.values():
            spread.failures, spread.unread = self._failures, self._unread
        with closing(division):
            for piece in self._in_turn({name: one.pieces() for name, one in division.spreads.items()}):
                if piece.backward:
                    raise self._turned(piece.file)
                if pipe.tap is not None:
                    pipe.tap.chunk(Chunk(piece.file, piece.offset, piece.data, piece.last))
                facts = pipe.take(piece.file, piece.facts, piece.taken, last=piece.last)
                if report is not None:
                    report(piece.file, piece.stored)
                headers = piece.taken.tally.headers
                yield _Piece(piece.file, facts, piece.size, piece.head, headers, piece.last)
        self.warnings += division.notes()

    def _turned(self, file: str) -> CliError:
        name = named(file)
        if self.reading.reverse:
            return CliError(f"{name} has its oldest record first: read it without --reverse")
        return CliError(f"{name} has its newest record first: read it with --reverse")

    def _in_turn(self, streams: dict[str | None, Iterator[P]]) -> Iterator[P]:
        """What is read of all servers' files: of which the pipe's reader wants more."""
        reader = self.pipe.reader
        while streams:
            server = reader.wanted if isinstance(reader, Merged) else next(iter(streams))
            piece = next(streams[server], None)
            if piece is None:
                del streams[server]
            else:
                yield piece
                if piece.last and piece.file == self._streams[server][-1]:
                    next(streams[server], None)  # takes note of what cut the file short
                    del streams[server]

    def _read(self, files: list[str], report: Callable[[str, int], None] | None) -> Iterator[Chunk]:
        """The chunks of these files, each with a last one, whatever cut it short."""
        context = context_of(self.reading)
        for file in files:
            if self.reading.reverse:
                from logparse.source.reverse import read_reversed

                chunks = read_reversed([file], lambda line: find(line, context) is not None, progress=report)
            else:
                chunks = read_files([file], progress=report)
            begun = False
            try:
                for chunk in chunks:
                    begun = True
                    yield chunk
            except SourceError as error:
                self._failures.append(error)
                if not begun:
                    self._unread.add(file)
                    yield Chunk(file, 0, b"", last=True)


def _requests(reading: Reading) -> "Requests":
    from logparse.out.requests import Requests

    return Requests(reading.selection, spread=True)


def _until_due(facts: list[Fact], sinks: Sequence[Sink]) -> Iterator[list[Fact]]:
    """The facts, in parts; after what was told of a part, the sinks that are due by the next look."""
    due = min((sink.due for sink in sinks), default=NEVER)
    if due == NEVER or not facts:
        yield facts
        return
    start = 0
    for index, fact in enumerate(facts):
        time = fact.record.time
        if time >= due:
            if start < index:
                yield facts[start:index]
                start = index
            for sink in sinks:
                if time >= sink.due:
                    sink.look(time)
            due = min(sink.due for sink in sinks)
    yield facts[start:]


class _Piece(NamedTuple):
    """What one chunk of a file held. size: in bytes. headers: some were seen in it, and none before.

    head: as far as it has the first bytes of the file, these. last: the file ends with it.
    """

    file: str
    facts: list[Fact]
    size: int
    head: bytes
    headers: int
    last: bool


class _Look:
    """What a file looks like so far."""

    def __init__(self) -> None:
        self.headers = 0
        self.size = 0
        self.head = b""

    def add(self, piece: _Piece) -> None:
        """The next one of the file."""
        self.headers += piece.headers
        self.size += piece.size
        self.head += piece.head[: _HEAD_SIZE - len(self.head)]


def streams_of(reading: Reading) -> list[tuple[str | None, tuple[str, ...]]]:
    """The logs that are read together: of the servers by name, and what was given without one."""
    streams: list[tuple[str | None, tuple[str, ...]]] = list(reading.servers)
    return [(None, reading.files), *streams] if reading.files else streams


def context_of(reading: Reading) -> Context:
    """What is known of the times of the Reading's files."""
    return Context(
        zone=reading.zone,
        year=reading.year,
        dates={file: written(file) for file in reading.all_files},
        forms=reading.forms,
    )


def open_run(
    reading: Reading,
    *,
    progress: bool = False,
    workers: Workers = Workers(),  # noqa: B008 (frozen)
) -> Run:
    """Prepare a run: the patterns are loaded and every file is known to open.

    progress: show a bar on standard error while the outputs are taken, where that is a terminal.
    workers: who read, where the logs are large; what is told is the same.
    Raises SourceError, CliError.
    """
    if "-" in reading.all_files:
        typed()
    return Run(reading, progress=progress, workers=workers)


def open_pipe(
    reading: Reading,
    lifecycle: Lifecycle | None = None,
    patterns: PatternSet | None = None,
    *,
    server: str | None = None,
    files: Mapping[str | None, Sequence[str]] | None = None,
    requests: "Requests | None" = None,
) -> Pipe:
    """The pipe that a Reading asks for.

    lifecycle: one to share. server: whose log it is. files: of several servers, where it reads them all.
    requests: is told of HTTP requests.
    Raises CliError for refused patterns.
    """
    return Pipe(
        open_patterns(reading) if patterns is None else patterns,
        odoo=reading.odoo,
        options=options_of(reading),
        lifecycle=lifecycle,
        server=server,
        context=context_of(reading),
        files=files,
        requests=requests,
    )


def options_of(reading: Reading) -> Options:
    """Those of the lifecycle that a Reading asks for."""
    return Options(settle=reading.settle, max_jobs=reading.max_jobs)


def open_patterns(reading: Reading) -> PatternSet:
    """The patterns that a Reading asks for. Raises CliError where a directory is refused."""
    try:
        return load_patterns(*reading.patterns, http=reading.http)
    except PatternError as error:
        raise refused(error) from error


def refused(error: PatternError) -> CliError:
    """The refusal of a pattern in one sentence."""
    where = f"{error.file}:{error.line}" if error.line else error.file
    hint = f" ({error.hint})" if error.hint else ""
    return CliError(f"{where}: {error.message}{hint}; `logparse patterns test DIR` shows the place")
