"""The counters of HTTP requests: what they hold of real logs, and that no client makes them many."""

import gzip
import re
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logparse.match.load import load_patterns
from logparse.match.matcher import Matcher
from logparse.out.request_groups import Limits
from logparse.out.request_report import request_report
from logparse.out.request_state import RequestState
from logparse.out.requests import Requests
from logparse.out.routes import OTHER, route
from logparse.out.selection import Selection
from logparse.pipe import Pipe
from logparse.record.bulk import Row
from logparse.record.parse import parse_line
from logparse.record.wrappers.wrapper import Context
from logparse.source.chunk import Chunk

PATTERNS = load_patterns(http=True)
# What stands before the message, in plain logs, in JSON and in a syslog, and the request's line behind it.
ACCESS = re.compile(rb'werkzeug(?:: ?|", "message": ").*? - - \[[^\]]*\] \\?".*? HTTP/1\.[01]\\?" \d{3} ')
COLOUR = re.compile(rb"\x1b\[[0-9;]*m")
LOGS = sorted((Path(__file__).parents[2] / "fixtures").glob("*/*.log*"))


def row(
    path: str,
    *,
    db: str = "prod",
    status: str = "200",
    numbers: tuple[str, str, str] = ("3", "0.002", "0.005"),
) -> Row:
    texts = ("2026-11-24 03:00:00,000", db, f"GET {path}", status, " ".join(filter(None, numbers)))
    time, db_, request, status_, numbers_ = (text.encode() for text in texts)
    return time, db_, request, status_, numbers_


def read(path: Path) -> tuple[bytes, RequestState]:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    requests = Requests()
    pipe = Pipe(PATTERNS, requests=requests, context=Context(year=2026))
    pipe.feed(Chunk(str(path), 0, data, last=True))
    return COLOUR.sub(b"", data), requests.to_state()


def total(state: RequestState) -> int:
    return sum(sum(one.statuses.values()) for one in state.routes)


@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_access_line_is_one_request(path: Path) -> None:
    data, state = read(path)
    forged = sum(
        b"qj_lab.models" in line or b"/forged" in line for line in data.splitlines() if ACCESS.search(line)
    )
    assert total(state) == len(ACCESS.findall(data)) - forged
    assert sum(len(one.statuses) for one in state.routes) < 30


def test_numbers_are_exact_to_the_millisecond() -> None:
    requests = Requests()
    requests.add_rows([row("/web/login"), row("/web/login", numbers=("300", "10.250", "-0.001"))])
    requests.add_rows([row("/web/login", numbers=("-", "-", "-")), row("/web/login", numbers=("", "", ""))])
    (one,) = requests.to_state().routes
    assert one.statuses == {"200": 4}
    # 7 ms and 10.250 s: the clocks of a request may differ by a millisecond.
    assert (one.duration.sum, one.sql.sum, one.queries.sum) == (10_257, 10_252, 303)
    assert sum(one.duration.counts) == sum(one.queries.counts) == 2
    assert one.duration.counts[1] == 1  # above 5 ms, up to 10 ms


def test_cardinality_is_bounded_whatever_clients_ask_for() -> None:
    requests = Requests(
        limits=Limits(databases=3, series=20, all_series=40, learned=5, models=4, all_models=6)
    )
    for number in range(2_000):
        word = f"{number:b}".replace("0", "a").replace("1", "b")
        requests.add_rows(
            [
                row(f"/{word}/x", db=f"db{number}"),
                row(f"/shop/{word}", status=f"{number % 900 + 100}"),
                row(f"/web/dataset/call_kw/res.{word}/read{number}"),
                row(f"/shop/{word}", db=f"db{number}", status="404"),
            ]
        )
    state = requests.to_state()
    assert total(state) == 8_000
    assert len({one.db for one in state.routes}) <= 3 + 1
    assert sum(len(one.statuses) for one in state.routes) <= 40 + 4
    assert len(state.learned) == 5
    assert len(state.models) <= 6 + 4
    assert sum(one.count for one in state.models) == 2_000
    assert all(state.overflow[label] for label in ("http_db", "http_route", "http_model"))


def test_a_hostile_database_name_is_a_label() -> None:
    requests = Requests()
    requests.add_rows([row("/web", db='a"b\\c\x7f'), row("/web", db="?")])
    assert [one.db for one in requests.to_state().routes] == ['a"b\\c�', ""]


@given(
    st.lists(
        st.builds(
            row,
            st.sampled_from(
                ["/web/image/5", "/web/image/6", "/shop/a-1", "/shop/a-2", "/web/login", "/nope"]
            ),
            db=st.sampled_from(["a", "b"]),
            status=st.sampled_from(["200", "404", "500"]),
        ),
        max_size=60,
    ),
    st.integers(0, 60),
)
def test_a_saved_state_goes_on(rows: list[Row], cut: int) -> None:
    whole, before, after = Requests(), Requests(), Requests()
    whole.add_rows(rows)
    before.add_rows(rows[:cut])
    saved = msgspec.msgpack.encode(before.to_state())
    after.add_rows([row("/web/login")])  # is forgotten
    after.from_state(msgspec.msgpack.decode(saved, type=RequestState))
    after.add_rows(rows[cut:])

    def plain(state: RequestState) -> list[object]:
        routes = sorted(state.routes, key=lambda one: (one.db, one.route))
        return [routes, state.learned, state.overflow]

    assert plain(after.to_state()) == plain(whole.to_state())
    assert total(whole.to_state()) == len(rows)
    # Whatever was known of similar paths, each is where its own path puts it.
    counted = Counter(
        (one[1].decode(), route(one[2].decode()[4:], found=one[3] != b"404").template) for one in rows
    )
    assert {(one.db, one.route): sum(one.statuses.values()) for one in whole.to_state().routes} == counted


def test_a_changed_histogram_keeps_its_counts() -> None:
    old = Requests()
    old.add_rows([row("/web/login")] * 3)
    state = old.to_state()
    state.millis, state.queries = [10_000], [1]
    for one in state.routes:
        one.duration.counts = one.sql.counts = [3, 0]
        one.queries.counts = [0, 3]
    new = Requests()
    new.from_state(state)
    (one,) = new.to_state().routes
    assert one.duration.counts[10] == 3  # up to 10 s
    assert (sum(one.duration.counts), one.queries.counts[-1]) == (3, 3)


def add(requests: Requests, line: str) -> None:
    record = parse_line(line)
    assert record is not None
    fact = Matcher(PATTERNS)(record)
    assert fact is not None
    requests.add(fact)


MONITORED = '2026-11-24 03:00:00,000 7 INFO prod monitoring.http.requests: {"duration": %s, %s}'


def test_what_the_addon_tells_is_no_second_request() -> None:
    requests = Requests()
    add(requests, MONITORED % ("0.25", '"model": "res.partner", "model_method": "read", "method": "POST"'))
    add(
        requests,
        MONITORED % ("1", '"params": {"model": "res.partner", "method": "read"}, "session": {"db": "x"}'),
    )
    add(requests, MONITORED % ("2", '"params": {"service": "object", "method": "execute_kw"}'))
    add(requests, MONITORED % ("NaN", '"model": "res.partner"'))  # is no JSON
    add(requests, MONITORED % ('"1"', '"model": "res.partner"'))
    state = requests.to_state()
    assert state.routes == state.models == []
    told = {(one.db, one.model, one.model_method): (one.count, one.micros) for one in state.monitored}
    assert told == {("prod", "res.partner", "read"): (2, 1_250_000), ("prod", "", ""): (1, 2_000_000)}


@pytest.mark.parametrize(
    ("request_line", "status", "method", "expected"),
    [
        ("GET /web/a b HTTP/1.1", "404", "GET", "/web/*"),
        ("BREW /web HTTP/1.1", "405", OTHER, "/web"),
        ("\\x16\\x03\\x01", "HTTPStatus.BAD_REQUEST", OTHER, OTHER),
        ('GET /" 200 - 1 0.001 0.001 HTTP/1.1', "400", "GET", "/"),
        ("GET /web HTTP/2.0", "505", "GET", "/web"),
    ],
)
def test_odd_requests(request_line: str, status: str, method: str, expected: str) -> None:
    requests = Requests()
    add(requests, f'2026-11-24 03:00:00,000 7 INFO ? werkzeug: ::1 - - [x] "{request_line}" {status} - - - -')
    (one,) = requests.to_state().routes
    assert (one.method, one.route) == (method, expected)
    assert list(one.statuses) == [status if status.isdigit() else "400"]


def test_the_evented_port_tells_the_time_alone() -> None:
    requests = Requests(spread=True)
    line = (
        '2026-11-24 03:00:00,000 7 INFO ? longpolling: - - - [x] "POST /longpolling/poll HTTP/1.1" 200 1 %s'
    )
    add(requests, line % "50.0651")
    report = request_report(requests, 5, 0, 0.0)
    assert (report.count, report.seconds) == (1, 50.065)
    assert (report.routes[0].p95, report.routes[0].sql_share) == (50.065, None)


def test_selection() -> None:
    at = parse_line("2026-11-24 03:00:00,000 1 INFO ? x: y")
    assert at is not None
    rows = [row("/web"), row("/web", db="other")]
    for selection, count in (
        (Selection(), 2),
        (Selection(start_ms=at.time), 2),
        (Selection(start_ms=at.time + 1), 0),
        (Selection(end_ms=at.time), 0),
        (Selection(end_ms=at.time + 1), 2),
        (Selection(dbs=frozenset({"prod"})), 1),
    ):
        requests = Requests(selection)
        requests.add_rows(rows)
        assert total(requests.to_state()) == count


def test_report() -> None:
    requests = Requests(spread=True)
    requests.add_rows([row("/queue_job/runjob", numbers=("1", "1.000", "1.000"))] * 2)
    requests.add_rows(
        [row("/web/login", numbers=("10", "0.000", f"0.{number:03d}")) for number in range(1, 101)]
    )
    requests.add_rows([row("/web/login", status="500", numbers=("-", "-", "-")), row("/nope", status="404")])
    requests.add_rows([row("/web/dataset/call_kw/a.b/read", numbers=("1", "0.010", "0.030"))])
    report = request_report(requests, 2, attempts=2, attempt_seconds=3.9)
    assert (report.count, report.errors_4xx, report.errors_5xx) == (105, 1, 1)
    assert (report.job_count, report.job_seconds) == (2, 4.0)
    assert report.seconds == pytest.approx(4 + 5.05 + 0.007 + 0.04)
    first, second = report.routes
    assert (first.route, first.count, first.p50, first.p95, first.max) == (
        "/web/login",
        101,
        0.05,
        0.095,
        0.1,
    )
    assert (second.route, second.sql_share, second.queries) == ("/queue_job/runjob", 0.5, 1.0)
    (model,) = report.models
    assert (model.model, model.model_method, model.seconds, model.sql_share) == ("a.b", "read", 0.04, 0.25)
