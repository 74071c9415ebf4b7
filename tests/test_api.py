"""The Python API: `logparse.events` and the names beside it."""

import gzip
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

import logparse
from logparse.lifecycle.event import Event
from logparse.match.error import PatternError
from logparse.match.load import load_patterns
from logparse.source.error import SourceError

ASKING = (
    "2026-11-24 03:05:01,123 4711 INFO ? odoo.addons.queue_job.jobrunner.runner: asking Odoo to run job "
    "0f0f0f0f-1111-2222-3333-444444444444 on db prod "
)


@pytest.fixture
def log(fixtures: Path) -> Path:
    return fixtures / "16.0-w2-info" / "odoo.log"


def plain(events: Iterable[Event]) -> list[tuple[Any, ...]]:
    """The events without the names of their files."""
    return [
        tuple(getattr(event, name) for name in event.__struct_fields__ if name != "file") for event in events
    ]


def byte_lines(log: Path) -> Iterator[bytes]:
    with log.open("rb") as file:
        yield from file


@pytest.mark.parametrize(
    "given",
    [
        str,
        lambda log: [log],
        lambda log: (str(log),),
        lambda log: {str(log), log},
        byte_lines,
        lambda log: log.read_bytes().splitlines(),
        lambda log: log.read_text().split("\n"),
        lambda log: iter(log.read_text().splitlines(keepends=True)),
    ],
)
def test_paths_and_lines_tell_the_same(log: Path, given: Callable[[Path], Any]) -> None:
    expected = plain(logparse.events(log))
    assert len(expected) > 900
    assert plain(logparse.events(given(log))) == expected


def test_an_open_file_of_text_or_bytes_or_compressed(log: Path, tmp_path: Path) -> None:
    expected = plain(logparse.events(log))
    with log.open() as text, log.open("rb") as binary:
        assert plain(logparse.events(text)) == plain(logparse.events(binary)) == expected
    packed = tmp_path / "odoo.log.gz"
    packed.write_bytes(gzip.compress(log.read_bytes()))
    assert plain(logparse.events(packed)) == expected
    with gzip.open(packed, "rt") as file:
        assert plain(logparse.events(file)) == expected


def test_several_paths_are_one_log_in_the_order_of_time(fixtures: Path) -> None:
    pieces = sorted((fixtures / "12.0-w2-rotate-rename").glob("odoo.log*"))
    events = list(logparse.events(pieces))
    assert events == list(logparse.events([str(piece) for piece in reversed(pieces)]))
    assert {event.file for event in events} == set(map(str, pieces))


def test_a_url(log: Path) -> None:
    for given in (f"file://{log}", [f"file://{log.parent}/odoo.l?g"]):
        events = list(logparse.events(given))
        assert plain(events) == plain(logparse.events(log))
        assert {event.file for event in events} == {f"file://{log}"}


def test_where_the_events_of_lines_stand() -> None:
    (first, second) = logparse.events([ASKING, ASKING.replace("0f0f0f0f", "1f1f1f1f")])
    assert (first.file, first.offset, first.event, first.db) == ("-", 0, "dispatched", "prod")
    assert second.offset == len(ASKING) + 1


def test_each_event_comes_once_the_lines_so_far_prove_it() -> None:
    given: list[int] = []

    def lines() -> Iterator[str]:
        for number in range(100):
            given.append(number)
            yield ASKING.replace("0f0f0f0f", f"{number:08d}").replace("05:01,", f"05:{number // 2:02d},")

    events = logparse.events(lines())
    next(events)
    assert len(given) < 10


def test_settling(log: Path) -> None:
    def done(**options: Any) -> int:
        return sum(event.event == "done" for event in logparse.events(log, **options))

    assert done() > done(settle_at_end=False, settle=20) > done(settle_at_end=False) == 0


def test_patterns_loaded_or_by_directory(log: Path, tmp_path: Path) -> None:
    assert plain(logparse.events(log, patterns=load_patterns())) == plain(logparse.events(log))
    with pytest.raises(PatternError, match="holds no"):
        next(logparse.events(log, patterns=[tmp_path]))


def test_a_version(log: Path) -> None:
    assert plain(logparse.events(log, odoo="16.0")) == plain(logparse.events(log))
    with pytest.raises(ValueError, match="is no Odoo version"):
        next(logparse.events(log, odoo="sixteen"))


@pytest.mark.parametrize(
    "nowhere", ["nowhere.log", Path("nowhere.log"), ["nowhere.log"], [Path("nowhere.log")]]
)
def test_a_missing_file(nowhere: Any) -> None:
    with pytest.raises(SourceError, match=r"nowhere\.log does not exist"):
        next(logparse.events(nowhere))


def test_what_was_read_comes_before_the_error(log: Path, tmp_path: Path) -> None:
    cut = tmp_path / "odoo.log.gz"
    cut.write_bytes(gzip.compress(log.read_bytes())[:-2000])
    events = logparse.events(cut)
    assert sum(1 for _ in zip(range(100), events, strict=False)) == 100
    with pytest.raises(SourceError, match="in the middle of its gzip data"):
        list(events)


def test_what_is_no_line() -> None:
    with pytest.raises(TypeError, match="a line of a log is str or bytes, not int"):
        list(logparse.events(iter([1])))  # type: ignore[list-item]


@pytest.mark.parametrize("nothing", [[], (), iter(()), os.devnull, ["", "\n"], [b"\xff\xfe\x00", b""]])
def test_nothing(nothing: Any) -> None:
    assert list(logparse.events(nothing)) == []


def test_the_collector_fed_by_hand(log: Path) -> None:
    pipe, counts = logparse.Pipe(), logparse.Counts()
    for output in pipe.feed(logparse.Chunk("odoo.log", 0, log.read_bytes(), last=True)) + pipe.finish():
        counts.add(output)
    registry = CollectorRegistry()
    registry.register(logparse.QueueJobCollector(counts))
    failed = sum(event.event == "failed" for event in logparse.events(log))
    sample = f'odoo_queue_job_failed_total{{channel="",db="qj16_w2_info_a"}} {float(failed)}'
    assert sample in generate_latest(registry).decode().splitlines()


def test_the_names() -> None:
    assert set(logparse.__all__) <= set(dir(logparse))
    for name in logparse.__all__:
        assert getattr(logparse, name).__doc__
    assert not hasattr(logparse, "Nothing")
