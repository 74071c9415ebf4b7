"""Forged lines in real logs: what can be told apart is rejected, and nothing genuine with it.

Each log is cut after the moment of the forgery, and compared with the same log whose text is harmless.
"""

import gzip
import random
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logparse.lifecycle.event import Event
from logparse.match.load import load_patterns
from logparse.pipe import Pipe
from logparse.source.chunk import Chunk
from tests import forge

FIXTURES = Path(__file__).parent.parent / "fixtures"
LOGS = ("12.0-w2-info", "16.0-w2-info", "16.0-w0-info", "18.0-w2-debug")
PLACES = ("first", "middle", "last")
PIDS = ("runner", "own", "worker", "unknown")
UUIDS = ("own", "running", "finished", "new")
PATTERNS = load_patterns()


@cache
def victim(name: str) -> forge.Victim:
    folder = FIXTURES / name
    plain = folder / "odoo.log"
    log = plain.read_bytes() if plain.exists() else gzip.decompress((folder / "odoo.log.gz").read_bytes())
    of = forge.victim(log, after=0.05)
    end = (of.failed or of.answered).end + 6000
    return of._replace(
        log=log[: log.rfind(b"\n", 0, end) + 1], lines=[one for one in of.lines if one.end <= end]
    )


def events(log: bytes) -> list[tuple[object, ...]]:
    """What is told, but for the place in the file."""
    pipe = Pipe(PATTERNS)
    out = pipe.feed(Chunk("odoo.log", 0, log, last=True)) + pipe.finish()
    return [
        (one.ts, one.event, one.db, one.uuid, one.attempt, one.duration, one.exception, one.reason, one.pid)
        for one in out
        if isinstance(one, Event)
    ]


@cache
def harmless(name: str, carrier: str, place: str) -> list[tuple[object, ...]]:
    return events(forge.CARRIERS[carrier](victim(name), forge.text(["nothing"], place, blank=True)))


def moment(name: str, carrier: str) -> forge.Victim:
    of = victim(name)
    return forge.at_failure(of) if carrier == "raised" else of


# What a job logs or raises, by where the forged line stands in it and whether it ends with a blank.
TOLD_APART = [
    *(
        ("logged", place, blank)
        for place in PLACES
        for blank in (False, True)
        if place != "first" or not blank
    ),
    *(
        ("user error", place, blank)
        for place in PLACES
        for blank in (False, True)
        if place != "first" or not blank
    ),
    *(("bad query", place, blank) for place in PLACES for blank in (False, True)),
    *(("raised", place, blank) for place in PLACES for blank in (False, True)),
    ("logged", "first", True),
    ("user error", "first", True),
    ("logged exception", "first", False),
    ("logged exception", "first", True),
    ("logged exception", "middle", False),
    ("logged exception", "middle", True),
]


@pytest.mark.parametrize("name", LOGS)
@pytest.mark.parametrize(("carrier", "place", "blank"), TOLD_APART)
def test_lines_of_every_kind_are_rejected(name: str, carrier: str, place: str, blank: bool) -> None:
    of = moment(name, carrier)
    believed = []
    rng = random.Random(f"{name} {carrier} {place} {blank}")
    for kind in rng.sample(sorted(forge.KINDS), 6):
        pid, uuid = rng.choice(PIDS), rng.choice(UUIDS)
        words = forge.text([forge.forged_line(of, kind, pid=pid, uuid=uuid)], place, blank=blank)
        if events(forge.CARRIERS[carrier](victim(name), words)) != harmless(name, carrier, place):
            believed.append((kind, pid, uuid))
    assert believed == []


@given(
    name=st.sampled_from(LOGS),
    how=st.sampled_from(TOLD_APART),
    kind=st.sampled_from(sorted(forge.KINDS)),
    pid=st.sampled_from(PIDS),
    uuid=st.sampled_from(UUIDS),
    shift=st.sampled_from([0, -3600, 3500, 86_400, -86_400 * 365]),
)
def test_whoever_and_whenever(
    name: str, how: tuple[str, str, bool], kind: str, pid: str, uuid: str, shift: int
) -> None:
    carrier, place, blank = how
    line = forge.forged_line(moment(name, carrier), kind, pid=pid, uuid=uuid, shift=shift)
    log = forge.CARRIERS[carrier](victim(name), forge.text([line], place, blank=blank))
    assert events(log) == harmless(name, carrier, place)


@given(
    name=st.sampled_from(LOGS),
    carrier=st.sampled_from(["logged", "user error", "bad query", "raised"]),
    place=st.sampled_from(["middle", "last"]),
    lines=st.lists(
        st.tuples(st.sampled_from(sorted(forge.KINDS)), st.sampled_from(PIDS), st.sampled_from(UUIDS)),
        min_size=1,
        max_size=4,
    ),
)
def test_several_in_a_row(name: str, carrier: str, place: str, lines: list[tuple[str, str, str]]) -> None:
    """None of them ends with a blank, nor with werkzeug's numbers, so the message has not ended."""
    of = moment(name, carrier)
    forged = [
        forge.forged_line(of, kind, pid=pid, uuid=uuid) + "."
        for kind, pid, uuid in lines
        if not kind.startswith("access")
    ]
    if forged:
        log = forge.CARRIERS[carrier](victim(name), forge.text(forged, place, blank=False))
        assert events(log) == harmless(name, carrier, place)


@pytest.mark.parametrize("kind", ["asking", "dead", "reset"])
def test_without_the_rules_they_would_be_told(kind: str) -> None:
    """The same line as a record of its own is believed: the forgeries are good ones."""
    of = victim("16.0-w2-info")
    line = forge.forged_line(of, kind).encode() + b" \n"
    at = of.answered.start
    assert events(of.log[:at] + line + of.log[at:]) != events(of.log)


# Odd logs that hold nothing forged.


@pytest.mark.parametrize("name", LOGS)
def test_prints_between_records_cost_nothing(name: str) -> None:
    of = victim(name)
    rng = random.Random(7)
    parts = [of.log[: of.lines[0].start]]
    for line in of.lines:
        parts.append(of.log[line.start : line.end])
        # What Odoo writes is one record with the text after it, where that looks like a header.
        if rng.random() < 0.3 and not of.log.startswith(b"2020", line.end):
            parts.append(b"importing 7 of 9\n")
    parts.append(of.log[of.lines[-1].end :])
    assert events(b"".join(parts)) == events(of.log)


@pytest.mark.parametrize("name", LOGS)
def test_a_log_without_its_trailing_blanks_from_some_point_on(name: str) -> None:
    of = victim(name)
    half = of.log.find(b"\n", len(of.log) // 2) + 1
    stripped = b"\n".join(line.rstrip(b" ") for line in of.log[half:].split(b"\n"))
    assert events(of.log[:half] + stripped) == events(of.log)
