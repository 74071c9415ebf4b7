"""An event is one line of JSON with the keys, the order and the roundings of docs/events.md."""

import json
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logparse.lifecycle.event import ChannelEvent, Event
from logparse.out.jsonl import encode

KEYS = [
    "ts", "event", "db", "uuid", "attempt", "evidence", "channel", "duration", "wait", "sql_queries",
    "sql_time", "exception", "reason", "pid", "server", "pattern", "file", "offset",
]  # fmt: skip
DONE = Event(
    ts=1795488979363,
    event="done",
    db="prod",
    uuid="3a0d9a0b-5b8e-4b0e-9a55-0d7f9d1c1c11",
    attempt=1,
    evidence="inferred",
    duration=0.132,
    wait=0.018,
    sql_queries=14,
    sql_time=0.097,
    pid=17636,
    pattern="access.perf",
    file="odoo.log",
    offset=48211,
)


def test_the_design_s_example() -> None:
    assert encode(DONE) == (
        b'{"ts":"2026-11-24T02:56:19.363+00:00","event":"done","db":"prod",'
        b'"uuid":"3a0d9a0b-5b8e-4b0e-9a55-0d7f9d1c1c11","attempt":1,"evidence":"inferred",'
        b'"channel":null,"duration":0.132,"wait":0.018,"sql_queries":14,"sql_time":0.097,'
        b'"exception":null,"reason":null,"pid":17636,"server":null,"pattern":"access.perf",'
        b'"file":"odoo.log","offset":48211}\n'
    )


def test_unknown_is_null() -> None:
    line = json.loads(encode(Event(ts=0, event="runner_stopped")))
    assert list(line) == KEYS
    told = {key: value for key, value in line.items() if value is not None}
    assert told == {
        "ts": "1970-01-01T00:00:00.000+00:00",
        "event": "runner_stopped",
        "evidence": "observed",
        "pattern": "",
        "file": "",
        "offset": 0,
    }


def test_a_channel_s_numbers_stand_at_the_end() -> None:
    event = ChannelEvent(ts=1, event="channel_state", channel="root", capacity=2, running=1)
    line = json.loads(encode(event))
    assert list(line) == [*KEYS, "capacity", "pending", "running", "failed"]
    assert [line[key] for key in ("capacity", "pending", "running", "failed")] == [2, 0, 1, 0]
    unlimited = json.loads(encode(ChannelEvent(ts=1, event="channel_state", channel="root")))
    assert unlimited["capacity"] is None


@pytest.mark.parametrize("key", ["duration", "wait", "sql_time"])
@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0.1 + 0.2, 0.3), (1 / 3, 0.333), (70.0620001, 70.062), (0.0004, 0.0), (5.0, 5.0)],
)
def test_seconds_have_three_decimals(key: str, seconds: float, written: float) -> None:
    event = msgspec.structs.replace(Event(ts=0, event="done"), **{key: seconds})
    line = json.loads(encode(event))
    assert [line[one] for one in ("duration", "wait", "sql_time") if one == key] == [written]
    assert [line[one] for one in ("duration", "wait", "sql_time") if one != key] == [None, None]


@pytest.mark.parametrize("ts", [-(10**17), 10**17, 253402300800000])
def test_a_time_beyond_the_calendar_is_null(ts: int) -> None:
    assert json.loads(encode(Event(ts=ts, event="done")))["ts"] is None


def test_text_that_is_no_unicode_becomes_replacement_characters() -> None:
    line = json.loads(encode(Event(ts=0, event="failed", db="a\udcff", exception="\ud800\nx\x00")))
    assert (line["db"], line["exception"]) == ("a\ufffd", "\ufffd\nx\x00")


any_text = st.none() | st.text(st.characters(exclude_categories=()))
any_seconds = st.none() | st.floats()


@given(
    st.builds(
        Event,
        ts=st.integers(-62135596800000, 253402300799999),
        event=any_text.filter(lambda text: text is not None),
        db=any_text,
        uuid=any_text,
        channel=any_text,
        duration=any_seconds,
        wait=any_seconds,
        sql_queries=st.none() | st.integers(),
        sql_time=any_seconds,
        exception=any_text,
        reason=any_text,
        server=any_text,
        offset=st.integers(0),
    )
)
def test_any_event_is_one_line_that_json_reads(event: Event) -> None:
    written = encode(event)
    assert written.endswith(b"}\n")
    assert written.count(b"\n") == 1
    line = json.loads(written)
    assert list(line) == KEYS
    moment = datetime.fromisoformat(line["ts"])
    assert moment.utcoffset() is not None
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    assert since.days * 86400000 + since.seconds * 1000 + since.microseconds // 1000 == event.ts
    assert line["sql_queries"] == event.sql_queries
