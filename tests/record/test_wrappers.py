"""A wrapped log tells what the bare one tells."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logparse.lifecycle.event import Event
from logparse.pipe import Pipe
from logparse.record.closing import HEADER
from logparse.record.unwrap import find, form_of
from logparse.record.wrappers import formats, wrappers
from logparse.record.wrappers.wrapper import Context, Format, Wrapper
from logparse.source.chunk import Chunk
from tests import recorded
from tests.record.wrapping import WRAPS, docker, json_records, lines_of

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


def test_no_wrapper_takes_the_samples_of_another() -> None:
    """What is found around a line is what its own wrapper takes off."""
    for wrapper in wrappers():
        for line, inside in wrapper.samples:
            if not HEADER.match(inside):
                continue
            found = find(line, ANY)
            assert found is not None
            assert [layer.name for layer in found.layers] == [wrapper.name]
    for form in formats():
        for line, _ in form.samples:
            taken = form_of(line, form.around, ANY)
            assert taken is not None
            assert taken.name == form.name
            for wrapper in wrappers():
                opened = wrapper.unwrap(line, ANY)
                assert opened is None or opened.content == line or wrapper.name == "indentation"


@pytest.mark.parametrize("name", WRAPS)
def test_what_is_around_is_named(name: str) -> None:
    pipe, _ = read(joined(WRAPS[name](bare("16.0-w2-info"))))
    (seen,) = pipe.reader.seen
    plain = name in ("fenced", "CRLF")
    assert (len(seen) == 0) == plain


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(WRAPS)), st.lists(st.integers(1, 4000), min_size=1, max_size=5))
def test_chunks_do_not_matter(name: str, sizes: list[int]) -> None:
    log = joined(WRAPS[name](bare("16.0-w2-info")[:400]))
    pipe = Pipe(recorded.patterns(), context=LATEST)
    out, at, turn = [], 0, 0
    while at < len(log):
        size = sizes[turn % len(sizes)]
        out += pipe.feed(Chunk("odoo.log", at, log[at : at + size]))
        at, turn = at + size, turn + 1
    out += pipe.feed(Chunk("odoo.log", len(log), b"", last=True))
    out += pipe.finish()
    assert [output for output in out if isinstance(output, Event)] == read(log)[1]


def test_a_follower_goes_on_where_nothing_is_lost() -> None:
    """What is pending is read again by a new reader from there, and told once."""
    log = joined(WRAPS["compose"](bare("16.0-w2-info")[:300]))
    half = log.index(b"\n", len(log) // 2) + 1
    first = Pipe(recorded.patterns(), context=LATEST)
    records = first.reader.feed(Chunk("odoo.log", 0, log[:half]))
    at = half - first.reader.pending
    assert 0 < at < half
    again = Pipe(recorded.patterns(), context=LATEST)
    records += again.reader.feed(Chunk("odoo.log", at, log[at:], last=True))
    whole = Pipe(recorded.patterns(), context=LATEST)
    assert records == whole.reader.feed(Chunk("odoo.log", 0, log, last=True))


@pytest.mark.parametrize("run", ["16.0-w2-info", "18.0-w2-debug"])
def test_json_records_tell_what_the_bare_log_tells(run: str) -> None:
    lines = bare(run)
    expected = {repr(event) for event in told(joined(lines)) if event.uuid}
    for wrap in (json_records, lambda lines: docker(json_records(lines)), journal_of_json):
        got = {repr(event) for event in told(joined(wrap(lines))) if event.uuid}
        assert len(expected ^ got) < len(expected) / 50


def journal_of_json(lines: list[bytes]) -> list[bytes]:
    return [b"Nov 24 03:00:00 vm odoo[7]: " + line for line in json_records(lines)]


def test_a_text_in_another_form_is_no_record() -> None:
    """A message may hold anything: what it holds does not turn the reader."""
    lines = bare("16.0-w2-info")
    expected = [event for event in told(joined(lines)) if event.uuid]
    place = next(index for index, line in enumerate(lines) if HEADER.match(line) and index > 400)
    forged = [line for line in lines[:300] if b"asking Odoo" in line][:2]
    for wrap in WRAPS.values():
        text = [line for line in wrap(forged) if not HEADER.match(line)]
        got = told(joined([*lines[:place], *text, *lines[place:]]))
        assert [event for event in got if event.uuid] == expected


def test_containers_in_one_stream_are_servers() -> None:
    lines = bare("16.0-w2-info")
    both = []
    for line in lines:
        both += [*WRAPS["compose"]([line]), b"odoo-2  | " + line, b"db-1  | LOG:  checkpoint"]
    _, events = read(joined(both))
    assert {event.server for event in events} == {None, "odoo-2"}
    expected = told(joined(lines))
    for server in (None, "odoo-2"):
        starts = [event.ts for event in events if event.server == server and event.event == "server_started"]
        assert starts == [event.ts for event in expected if event.event == "server_started"]


def test_a_log_that_changes_its_form() -> None:
    lines = bare("16.0-w2-info")
    expected = [event for event in told(joined(lines)) if event.uuid]
    half = next(index for index, line in enumerate(lines) if index > 1000 and line.startswith(b"2026-"))
    for wrap in (WRAPS["compose"], WRAPS["json-file"], WRAPS["syslog, RFC 3339"]):
        for parts in ((lines[:half], wrap(lines[half:])), (wrap(lines[:half]), lines[half:])):
            got = [event for event in told(joined([*parts[0], *parts[1]])) if event.uuid]
            assert len([event for event in expected if event not in got]) <= len(expected) // 20


def test_the_wrapper_s_pid_where_it_is_the_writer_s() -> None:
    entry = (
        b'{"__REALTIME_TIMESTAMP":"1795490702597396","_PID":"77","_TRANSPORT":"%s","MESSAGE":'
        b'"Odoo Server 16.0:?:INFO:odoo.addons.queue_job.jobrunner.runner:starting"}\n'
    )
    pids = [
        [event.pid for event in told(entry % transport) if event.event == "runner_started"]
        for transport in (b"syslog", b"stdout")
    ]
    assert pids == [[77], [None]]
