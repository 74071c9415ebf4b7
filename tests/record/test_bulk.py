"""Access lines that are read in bulk tell what they tell as records, and change nothing for all others."""

import gzip
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from logparse.lifecycle.event import Output
from logparse.match.bulk import lines
from logparse.match.load import load_patterns
from logparse.match.pattern import REQUEST_KINDS, PatternSet
from logparse.out.request_state import RequestState
from logparse.out.requests import Requests
from logparse.out.selection import Selection
from logparse.pipe import Pipe
from logparse.record.tally import Tally
from logparse.source.chunk import Chunk

PATTERNS = load_patterns(http=True)
UUID = "8eb07891-f7d0-4a19-8a53-3ffa1694941e"
START = datetime(2026, 11, 24, 2, 59, 58, tzinfo=UTC)


@cache
def one_by_one() -> PatternSet:
    """The same patterns as if a user had given them: those are tried record by record."""
    patterns = tuple(
        msgspec.structs.replace(one, user=True) if one.kind in REQUEST_KINDS else one
        for one in PATTERNS.patterns
    )
    assert lines(PatternSet(patterns, "", ""), PATTERNS, lambda *_: None).forms == ()
    return PatternSet(patterns, PATTERNS.version, PATTERNS.digest)


def read(
    data: bytes, patterns: PatternSet | None, size: int, selection: Selection | None = None
) -> tuple[list[Output], RequestState | None, dict[str, int], Tally]:
    requests = None if patterns is None else Requests(selection or Selection())
    pipe = Pipe(patterns, requests=requests)
    out: list[Output] = []
    for at in range(0, len(data), size):
        out += pipe.feed(Chunk("odoo.log", at, data[at : at + size]))
    out += pipe.feed(Chunk("odoo.log", len(data), b"", last=True))
    out += pipe.finish()
    state = None if requests is None else requests.to_state()
    if state is not None:
        state.routes.sort(key=lambda one: (one.db, one.method, one.route))
        state.models.sort(key=lambda one: (one.db, one.model, one.model_method))
    # The last record is that with the newest time, among those that are read in bulk.
    tally = msgspec.structs.replace(pipe.tally, last=None)
    return out, state, dict(sorted(pipe.facts.items())), tally


def access(request: str, end: str = "3 0.001 0.020", db: str = "prod") -> str:
    return f'{{at}} 7 INFO {db} werkzeug: 10.0.0.1 - - [x] "{request}" 200 - {end}'.rstrip()


RUNNER, MAIN = "odoo.addons.queue_job.jobrunner.runner", "odoo.addons.queue_job.controllers.main"
FORGED = access("GET /forged HTTP/1.1").replace("{at}", "2026-11-24 03:00:00,000")
KINDS = {
    "access": access("GET /web/image/5?u=1 HTTP/1.1"),
    "call": access("POST /web/dataset/call_kw/a.b/read HTTP/1.1", "3 0.100 0.020 ro"),
    "no numbers": access("GET /shop/desk-5 HTTP/1.1", "- - -", db="?"),
    "old": access("GET /web HTTP/1.1", ""),
    "runjob": access(f"GET /queue_job/runjob?db=prod&job_uuid={UUID} HTTP/1.1"),
    "blank in the path": access('GET /web/a b" HTTP/1.1'),
    "no ASCII": access("GET /web/é HTTP/1.1"),
    "of a replica": access("GET /web HTTP/1.1", "3 0.001 0.020 ro"),
    "of both": access("GET /web HTTP/1.1", "3 0.001 0.020 ro->rw"),
    "wrong mode": access("GET /web HTTP/1.1", "3 0.001 0.020 wwo"),
    "two points": access("GET /web HTTP/1.1", "3 0.001 0.02.0"),
    "negative": access("GET /web HTTP/1.1", "3 0.010 -0.001"),
    "twice negative": access("GET /web HTTP/1.1", "3 -0.010 -0.001 rw"),
    "wrong number": access("GET /web HTTP/1.1", "3-1 1.1.1 0.020"),
    "no request": "{at} 7 INFO ? werkzeug: 10.0.0.1 - - [x] code 400, message Bad request - - -",
    "warning": "{at} 7 WARNING ? werkzeug: something ",
    "no time": access("GET /web HTTP/1.1").replace("{at}", "2026-11-24 03:00:61,000"),
    "gevent": '{at} 9 INFO ? longpolling: ::1 - - [x] "POST /longpolling/poll HTTP/1.1" 200 130 50.065123',
    "told": '{at} 7 INFO prod monitoring.http.requests: {"duration": 0.5, "model": "a.b"} ',
    "other": "{at} 7 INFO prod odoo.modules.loading: 12 modules loaded ",
    "other with the word": "{at} 7 INFO prod odoo.addons.mine: see werkzeug: it ",
    "colon": "{at} 7 INFO prod odoo.addons.mine: see: ",
    "unended": "{at} 7 INFO prod odoo.addons.mine: see",
    "traceback": "{at} 7 ERROR prod mine: broken \nTraceback (most recent call last):\n  File x\nNo: no",
    "dispatched": f"{{at}} 5 INFO ? {RUNNER}: asking Odoo to run job {UUID} on db prod ",
    "failed": f"{{at}} 7 ERROR prod {MAIN}: Traceback (most recent call last):\n  File x\n{FORGED}\nError\n ",
    "a digit goes on": "{at} 7 INFO prod odoo.addons.mine: many \n12 lines ",
    "garbage": "\x00\x1b[0m",
}
STEPS = (0, 1, 7, 999, 1_000, 59_000, 61_000, 4_000_000, -3, -61_000, -5_000_000)


@example(  # a line that is read as a record among those that are not moves the clock on
    kinds=[
        *[("a digit goes on", 5, 0), ("told", 5, 0), ("access", 1, 0)],
        *[("dispatched", 2, 59_000), ("failed", 1, 0)],
    ],
    size=451,
    span=None,
)
@given(
    kinds=st.lists(
        st.tuples(
            st.sampled_from(sorted(KINDS)),
            st.integers(1, 6),
            st.sampled_from(STEPS) | st.integers(0, 50),
        ),
        max_size=40,
    ),
    size=st.integers(200, 20_000),
    span=st.none() | st.tuples(st.integers(-1_000, 200_000), st.integers(0, 200_000)),
)
def test_the_same_as_record_by_record(
    kinds: list[tuple[str, int, int]], size: int, span: tuple[int, int] | None
) -> None:
    now, text = START, []
    for kind, times, step in kinds:
        for _ in range(times):
            now += timedelta(milliseconds=step)
            at = f"{now:%Y-%m-%d %H:%M:%S},{now.microsecond // 1000:03d}"
            text.append(KINDS[kind].replace("{at}", at) + "\n")
    data = "".join(text).encode()
    selection = None
    if span is not None:
        start = round(START.timestamp() * 1000) + span[0]
        selection = Selection(start, start + span[1], frozenset({"prod"}))
    assert read(data, PATTERNS, size, selection) == read(data, one_by_one(), size, selection)


def test_a_users_pattern_of_requests_is_tried_on_its_lines() -> None:
    """Also on those that ours know; where it has no text to search for, on each."""
    ours = next(one for one in PATTERNS.patterns if one.id == "http.access")
    of_jobs = PatternSet(tuple(one for one in PATTERNS.patterns if one.kind not in REQUEST_KINDS), "", "")
    for literals, expected in (((" /special/ ",), b"/special/"), ((" ",), None)):
        user = msgspec.structs.replace(ours, id="my.shop", user=True, literals=literals)
        found = lines(PatternSet((user, ours), "", ""), of_jobs, lambda *_: None)
        assert bool(found.forms) == (expected is not None)
        assert expected is None or any(expected in one for one in found.wanted)


LOGS = sorted(
    path for path in (Path(__file__).parents[2] / "fixtures").glob("*/*.log*") if "2servers" not in str(path)
)


@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_real_logs(path: Path) -> None:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    bulk = read(data, PATTERNS, 1 << 16)
    assert bulk[:3] == read(data, one_by_one(), 1 << 16)[:3]
    # What is told of jobs is the same, whether requests are counted or not.
    assert bulk[0] == read(data, None, 1 << 16)[0]
