"""A wrapped log tells what the bare one tells."""

import msgspec
import pytest

from logparse.lifecycle.event import Event
from logparse.pipe import Pipe
from logparse.record.wrappers import formats, wrappers
from logparse.record.wrappers.wrapper import Context, Format, Wrapper
from logparse.source.chunk import Chunk
from tests import recorded
from tests.record.wrapping import WRAPS, lines_of

LATEST = Context(latest=1_795_600_000_000)
ANY = Context(year=2026)
LOGS = ["16.0-w2-info", "18.0-w2-debug", "12.0-w2-info"]


def read(log: bytes, context: Context = LATEST, size: int = 1 << 16) -> tuple[Pipe, list[Event]]:
    pipe = Pipe(recorded.patterns(), context=context)
    out = []
    for at in range(0, len(log), size):
        out += pipe.feed(Chunk("odoo.log", at, log[at : at + size], at + size >= len(log)))
    out += pipe.finish()
    return pipe, [output for output in out if isinstance(output, Event)]


def told(log: bytes, context: Context = LATEST, size: int = 1 << 16) -> list[Event]:
    """What is told of it, but for where it stands."""
    return [msgspec.structs.replace(event, offset=0) for event in read(log, context, size)[1]]


def bare(run: str) -> list[bytes]:
    (log,) = recorded.texts(run).values()
    return lines_of(log)


def joined(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


@pytest.mark.parametrize("run", LOGS)
@pytest.mark.parametrize("name", WRAPS)
def test_tells_what_the_bare_log_tells(name: str, run: str) -> None:
    lines = bare(run)
    expected = told(joined(lines))
    assert len(expected) > 500
    assert told(joined(WRAPS[name](lines))) == expected


@pytest.mark.parametrize("name", WRAPS)
def test_offsets_are_of_the_wrapped_lines(name: str) -> None:
    log = joined(WRAPS[name](bare("16.0-w2-info")))
    _, events = read(log)
    for event in events:
        assert event.offset == 0 or log[event.offset - 1 : event.offset] == b"\n"
        if event.event == "dispatched":
            line = log[event.offset : log.index(b"\n", event.offset)]
            assert "in parts" in name or (event.uuid is not None and event.uuid.encode() in line)


@pytest.mark.parametrize("unit", [*wrappers(), *formats()], ids=lambda unit: unit.name)
def test_samples(unit: Wrapper | Format) -> None:
    for line, inside in unit.samples:
        if isinstance(unit, Wrapper):
            opened = unit.unwrap(line, ANY)
            assert opened is not None
            assert opened.content == inside
        else:
            assert unit.read(line, unit.around, ANY) == inside
    for line in unit.not_samples:
        if isinstance(unit, Wrapper):
            assert unit.unwrap(line, ANY) is None
        else:
            assert unit.read(line, unit.around, ANY) is None
