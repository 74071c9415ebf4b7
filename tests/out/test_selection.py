"""Which outputs are told."""

import pytest

from logparse.lifecycle.event import ChannelEvent, Ended, Event, Output, QueueWait
from logparse.out.selection import Selection


def test_without_bounds_everything_is_wanted() -> None:
    assert Selection().wants(Event(0, "done", db="a", uuid="1"))
    assert Selection().wants(Event(-5, "done"))


@pytest.mark.parametrize(("ts", "wanted"), [(99, False), (100, True), (199, True), (200, False)])
@pytest.mark.parametrize(
    "output",
    [
        Event(0, "done", db="a", uuid="1"),
        Ended(0, "a", None, 1.0, 1, 1.0),
        QueueWait(0, "a", None, 1.0),
    ],
)
def test_the_start_is_in_and_the_end_is_out(output: Output, ts: int, wanted: bool) -> None:
    moved = {name: getattr(output, name) for name in output.__struct_fields__} | {"ts": ts}
    assert Selection(100, 200).wants(type(output)(**moved)) is wanted


@pytest.mark.parametrize(
    ("output", "wanted"),
    [
        (Event(0, "done", db="a", uuid="1"), True),
        (Event(0, "done", db="b", uuid="1"), False),
        (Ended(0, "a", None, 1.0, 1, 1.0), True),
        (Ended(0, "b", None, 1.0, 1, 1.0), False),
        # What happened to the whole installation.
        (Event(0, "runner_started"), True),
        (ChannelEvent(0, "channel_state", channel="root"), True),
        # A database's own.
        (Event(0, "runner_ready", db="b"), False),
        # A job of which no line told the database may be of another one.
        (Event(0, "done", uuid="1"), False),
        (Ended(0, None, None, 1.0, 1, 1.0), False),
    ],
)
def test_a_database(output: Output, wanted: bool) -> None:
    assert Selection(dbs=frozenset({"a", "c"})).wants(output) is wanted
