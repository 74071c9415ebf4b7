"""A log cut anywhere, its state saved and taken up by new objects, tells what one reading of it tells."""

import gzip
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logparse.cli.kept import Unkept, attributes_of, to_data
from logparse.cli.restored import fill
from logparse.lifecycle.event import Output
from logparse.pipe import Pipe
from logparse.record.wrappers.wrapper import Context
from logparse.source.chunk import Chunk

LOGS = ("16.0-w2-info", "17.0-w2-warn", "18.0-w2-dead-info", "16.0-json-w2-info", "12.0-w2-syslog")

OTHER_PROCESS = """
import sys, msgspec
from logparse.cli.kept import to_data
from logparse.cli.restored import fill
from logparse.pipe import Pipe
pipe = Pipe()
fill(msgspec.msgpack.decode(sys.stdin.buffer.read()), pipe.reader, pipe.lifecycle)
sys.stdout.buffer.write(msgspec.msgpack.encode(to_data(pipe.reader, pipe.lifecycle)))
"""


def saved(pipe: Pipe) -> bytes:
    return msgspec.msgpack.encode(to_data(pipe.reader, pipe.lifecycle))


def taken_up(pipe: Pipe) -> Pipe:
    new = Pipe()
    fill(msgspec.msgpack.decode(saved(pipe)), new.reader, new.lifecycle)
    if pipe.matcher.odoo is not None:
        new.matcher.tell(pipe.matcher.odoo)
    return new


def read(data: bytes, cuts: list[int], *, saves: bool) -> tuple[list[Output], object, object]:
    pipe, out, at = Pipe(), [], 0
    for cut in [*cuts, len(data)]:
        out += pipe.feed(Chunk("odoo.log", at, data[at:cut]))
        at = cut
        if saves:
            before = saved(pipe)
            pipe = taken_up(pipe)
            assert saved(pipe) == before
    out += pipe.feed(Chunk("odoo.log", at, b"", last=True))
    out += pipe.finish(settle=False)
    return out, pipe.tally, list(pipe.lifecycle.jobs.states())


@settings(max_examples=25)
@given(name=st.sampled_from(LOGS), data=st.data())
def test_any_cut(name: str, data: st.DataObject) -> None:
    (file,) = (Path(__file__).parents[2] / "fixtures" / name).glob("*.log*")
    log = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(log)), max_size=4)))
    assert read(log, cuts, saves=True) == read(log, cuts, saves=False)


def test_another_process_makes_the_same_of_it(fixtures: Path) -> None:
    log = (fixtures / "16.0-w2-info" / "odoo.log").read_bytes()
    pipe = Pipe()
    pipe.feed(Chunk("odoo.log", 0, log[: len(log) // 2]))
    ran = subprocess.run(
        [sys.executable, "-c", OTHER_PROCESS],
        input=saved(pipe),
        stdout=subprocess.PIPE,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )
    assert ran.stdout == saved(pipe)


@pytest.mark.parametrize("name", LOGS)
def test_all_objects_of_a_class_have_the_same_attributes(
    name: str, fixtures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def checked(value: object) -> dict[str, Any]:
        attributes = attributes_of(value)
        assert attributes.items() >= getattr(value, "__dict__", {}).items()
        return attributes

    monkeypatch.setattr("logparse.cli.kept.attributes_of", checked)
    (file,) = (fixtures / name).glob("*.log*")
    log = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    pipe = Pipe()
    saved(pipe)
    for start in range(0, len(log), 1 << 16):
        pipe.feed(Chunk("odoo.log", start, log[start : start + (1 << 16)]))
        assert saved(pipe)


def test_options_are_those_of_the_new_start() -> None:
    old = Pipe(context=Context(year=2020))
    new = Pipe(context=Context(year=2025))
    old.lifecycle.jobs.limit, new.lifecycle.jobs.limit = 5, 7
    fill(to_data(old.lifecycle), new.lifecycle)
    assert new.lifecycle.jobs.limit == 7


@pytest.mark.parametrize(
    "data", [[], [[["os.path", []]], [0, 0, []]], [[], ["method", "x", "upper"]], [[], ["same", 3]]]
)
def test_what_is_no_state(data: list[object]) -> None:
    with pytest.raises(Unkept):
        fill(data, Pipe().lifecycle)
