"""The recorded runs in fixtures/: their logs, and what the pipe tells of them."""

import gzip
from functools import cache
from pathlib import Path

import msgspec

from logparse.lifecycle.event import Event, Output
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
    pipe = Pipe(patterns(), context=Context(year=2026), files=servers(run))
    out: list[Output] = []
    if isinstance(pipe.reader, Merged):
        streams = {name: read_files([str(FIXTURES / run / file)]) for name, (file,) in servers(run).items()}
        while pipe.reader.open:
            out += pipe.feed(named(next(streams[pipe.reader.wanted])))
    else:
        for chunk in read_files([str(path) for path in logs(run)]):
            out += pipe.feed(named(chunk))
    return (*out, *pipe.finish())


def named(chunk: Chunk) -> Chunk:
    """With the name of the file alone."""
    return msgspec.structs.replace(chunk, file=Path(chunk.file).name)


def servers(run: str) -> dict[str | None, list[str]] | None:
    """The files of each server, where there are several."""
    if "2servers" not in run:
        return None
    return {path.name.split(".")[0].removeprefix("odoo-"): [path.name] for path in logs(run)}


def events(run: str) -> list[Event]:
    """The events among them."""
    return [output for output in outputs(run) if isinstance(output, Event)]


def golden(run: str) -> bytes:
    """The events as JSON lines."""
    return b"".join(map(encode, events(run)))
