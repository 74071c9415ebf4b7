"""Entries of events, and pushes of entries."""

import gzip
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from logparse.lifecycle.event import Event
from logparse.out.loki import MOST_VALUES, Entries, Entry, body


def pushed(entries: list[Entry]) -> list[dict[str, Any]]:
    streams: list[dict[str, Any]] = json.loads(gzip.decompress(body(entries)))["streams"]
    return streams


def entry(event: Event, text: str | None = None) -> Entry:
    made = Entries({"job": "x"}).entry(event, text)
    assert made is not None
    return made


def test_an_entry() -> None:
    event = Event(1795489422576, "failed", "prod", "u-1", 2, "inferred", "root", 1.25, exception="a.B", pid=7)
    (stream,) = pushed([entry(event, "two\nlines")])
    assert stream["stream"] == {"db": "prod", "event": "failed", "job": "x"}
    ((ts, line, metadata),) = stream["values"]
    assert ts == "1795489422576000000"
    assert json.loads(line)["text"] == "two\nlines"
    assert json.loads(line)["ts"] == "2026-11-24T03:03:42.576+00:00"
    assert metadata == {
        "job_uuid": "u-1",
        "attempt": "2",
        "evidence": "inferred",
        "channel": "root",
        "duration": "1.25",
        "exception": "a.B",
        "pid": "7",
    }


def test_values_of_a_stream_are_in_the_order_of_time() -> None:
    entries = [entry(Event(ts, event, "a", str(ts))) for ts in (5, 1, 3) for event in ("done", "failed")]
    streams = pushed(entries)
    assert [one["stream"]["event"] for one in streams] == ["done", "failed"]
    for stream in streams:
        assert [value[0] for value in stream["values"]] == ["1000000", "3000000", "5000000"]


def test_labels_are_bounded() -> None:
    maker = Entries({})
    made = [maker.entry(Event(1, "done", f"db{number}")) for number in range(2 * MOST_VALUES)]
    streams = {one.stream for one in made if one is not None}
    assert len(streams) == MOST_VALUES + 1
    # A later start knows them again.
    again = Entries({}, maker.known)
    assert [again.entry(Event(1, "done", f"db{number}")) for number in range(2 * MOST_VALUES)] == made


def test_a_time_that_loki_cannot_hold() -> None:
    for ts in (-1, 2**53, 253402300799999):
        assert Entries({}).entry(Event(ts, "done")) is None


@given(
    text=st.text(st.characters(codec=None)) | st.none(),
    name=st.text(st.characters(codec=None)),
    ts=st.integers(0, 9_000_000_000_000),
)
def test_whatever_a_log_holds(text: str | None, name: str, ts: int) -> None:
    event = Event(ts, "failed", name, name, channel=name, exception=name, server=name, file=name)
    (stream,) = pushed([entry(event, text)])
    assert all(isinstance(value, str) for value in stream["stream"].values())
    json.loads(stream["values"][0][1])
    assert all(isinstance(value, str) and len(value) <= 1024 for value in stream["values"][0][2].values())
