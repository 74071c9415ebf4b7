"""The recorded runs in fixtures/: their logs, and what the pipe tells of them."""

import gzip
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import msgspec

from logparse.lifecycle.event import Event, Output
from logparse.lifecycle.lifecycle import Options
from logparse.match.load import load_patterns
from logparse.match.pattern import PatternSet
from logparse.out.jsonl import encode
from logparse.pipe import Pipe
from logparse.record.merge import Merged
from logparse.record.wrappers.wrapper import Context
from logparse.source.chunk import Chunk
from logparse.source.files import order_files, read_files

FIXTURES = Path(__file__).parent.parent / "fixtures"
RUNS = sorted({path.parent.name for path in FIXTURES.glob("*/history*.csv.gz")})
GOLDEN = "events.jsonl.gz"


@cache
def patterns() -> PatternSet:
    """The built-in patterns, loaded once."""
    return load_patterns()


def is_debug(run: str) -> bool:
    """Whether the log was written with `--log-handler=odoo.addons.queue_job:DEBUG`."""
    return run.endswith("-debug")


def logs(run: str) -> list[Path]:
    """The pieces of a run's log, in the order of time."""
    pieces = [path for path in sorted((FIXTURES / run).iterdir()) if ".log" in path.name]
    return [Path(path) for path in order_files([str(path) for path in pieces])]


@cache
def texts(run: str) -> dict[str, bytes]:
    """The uncompressed bytes of each piece, by its name."""
    return {
        path.name: gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for path in logs(run)
    }


@cache
def outputs(run: str) -> tuple[Output, ...]:
    """What the pipe tells of a run; a piece is named by its name alone, wherever the checkout is."""
    pipe = pipe_for(run)
    out = feed(pipe, {path.name: map(named, read_files([str(path)])) for path in logs(run)})
    return (*out, *pipe.finish())


def pipe_for(run: str, *, odoo: str | None = None, options: Options | None = None) -> Pipe:
    """A pipe that knows what the run's log does not tell: the year of syslog, the files of each server."""
    return Pipe(patterns(), odoo=odoo, options=options, context=Context(year=2026), files=servers(run))


def feed(pipe: Pipe, files: Mapping[str, Iterator[Chunk]]) -> list[Output]:
    """What is told of the chunks of each file; of several servers, in the order that the pipe wants."""
    out: list[Output] = []
    if isinstance(pipe.reader, Merged):
        streams: dict[str | None, Iterator[Chunk]] = {
            server_of(name): chunks for name, chunks in files.items()
        }
        while pipe.reader.open:
            out += pipe.feed(next(streams[pipe.reader.wanted]))
        return out
    for chunks in files.values():
        for chunk in chunks:
            out += pipe.feed(chunk)
    return out


def chunks(run: str, size: int) -> dict[str, Iterator[Chunk]]:
    """The pieces of a run's log, each in chunks of so many bytes."""
    return {name: _cut(name, data, size) for name, data in texts(run).items()}


def _cut(name: str, data: bytes, size: int) -> Iterator[Chunk]:
    for start in range(0, len(data), size):
        yield Chunk(name, start, data[start : start + size])
    yield Chunk(name, len(data), b"", last=True)


def named(chunk: Chunk) -> Chunk:
    """With the name of the file alone."""
    return msgspec.structs.replace(chunk, file=Path(chunk.file).name)


def servers(run: str) -> dict[str | None, list[str]] | None:
    """The files of each server, where there are several."""
    if "2servers" not in run:
        return None
    return {server_of(path.name): [path.name] for path in logs(run)}


def server_of(name: str) -> str:
    """The server whose log is called `odoo-a.log.gz`."""
    return name.split(".")[0].removeprefix("odoo-")


def events(run: str) -> list[Event]:
    """The events among them."""
    return [output for output in outputs(run) if isinstance(output, Event)]


def golden(run: str) -> bytes:
    """The events as JSON lines."""
    return b"".join(map(encode, events(run)))
