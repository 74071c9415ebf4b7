"""The HTTP server, asked over real sockets."""

import contextlib
import gzip
import http.client
import json
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from logparse.lifecycle.event import Ended, Event
from logparse.out import http as out_http
from logparse.out.collector import Gauges, QueueJobCollector
from logparse.out.counts import Counts
from logparse.out.http import ListenError, MetricsServer, parse_listen, serve_http


class Health:
    """A health that the test sets."""

    def __init__(self) -> None:
        self.answer: tuple[bool, dict[str, Any]] = (True, {"files": 1})
        self.error: Exception | None = None

    def __call__(self) -> tuple[bool, dict[str, Any]]:
        if self.error:
            raise self.error
        return self.answer


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def server(health: Health) -> Iterator[MetricsServer]:
    counts = Counts()
    counts.add(Event(ts=1, event="done", db='a"\\\n', attempt=1))
    counts.add(Ended(1, "b", "root", 0.3, 14, 0.06))
    with serve_http("127.0.0.1:0", QueueJobCollector(counts), health, title="<logs> & more") as server:
        yield server


def ask(url: str, method: str = "GET", **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, method=method, headers=named)  # noqa: S310 - our own server
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return answer.status, answer.headers, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


@pytest.mark.needs_promtool
def test_a_scrape_in_the_text_format(server: MetricsServer) -> None:
    status, headers, body = ask(server.url + "/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=")
    assert int(headers["Content-Length"]) == len(body)
    checked = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
    values = {
        (sample.name, sample.labels["db"]): sample.value
        for family in parse_text(body.decode())
        for sample in family.samples
        if sample.name.endswith(("done_total", "runs_total"))
    }
    assert values["odoo_queue_job_done_total", 'a"\\�'] == 1
    assert values["odoo_queue_job_runs_total", "b"] == 1


def test_openmetrics_where_it_is_asked_for(server: MetricsServer) -> None:
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
    _, headers, body = ask(server.url + "/metrics", Accept=accept)
    assert headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert body.endswith(b"# EOF\n")
    assert any(family.name == "odoo_queue_job_done" for family in parse_openmetrics(body.decode()))


def test_gzip_where_it_is_accepted_and_the_way_is_long(server: MetricsServer) -> None:
    _, headers, plain = ask(server.url + "/metrics", Accept_Encoding="gzip")
    assert headers["Content-Encoding"] is None
    server.packs = True
    _, headers, body = ask(server.url + "/metrics", Accept_Encoding="gzip")
    assert headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body) == ask(server.url + "/metrics")[2] == plain
    with serve_http("0.0.0.0:0", QueueJobCollector(Counts()), Health()) as elsewhere:
        assert elsewhere.packs


def test_a_part_of_the_metrics(server: MetricsServer) -> None:
    _, _, body = ask(server.url + "/metrics?name%5B%5D=odoo_queue_job_runs_total")
    assert body.count(b"# TYPE") == 1
    assert b"odoo_queue_job_runs_total" in body


def test_health_is_told_in_json(server: MetricsServer, health: Health) -> None:
    status, headers, body = ask(server.url + "/healthz")
    assert (status, json.loads(body)) == (200, {"ok": True, "files": 1})
    assert headers["Content-Type"] == "application/json"
    health.answer = (False, {"reason": "\udcff <gone>", "ok": True})
    status, _, body = ask(server.url + "/healthz")
    assert (status, json.loads(body)["ok"]) == (503, False)


def test_a_health_that_cannot_be_told_is_not_good(server: MetricsServer, health: Health) -> None:
    health.error = RuntimeError("with a secret")
    status, _, body = ask(server.url + "/healthz")
    assert (status, json.loads(body)) == (503, {"ok": False, "error": "RuntimeError"})


def test_alive_is_told_apart_from_well(health: Health) -> None:
    alive = [True]
    health.answer = (False, {})
    with serve_http("127.0.0.1:0", CollectorRegistry(), health, alive=lambda: alive[0]) as server:
        assert ask(server.url + "/livez")[::2] == (200, b"ok\n")
        assert ask(server.url + "/healthz")[0] == 503
        alive[0] = False
        assert ask(server.url + "/livez")[0] == 503


def test_the_landing_page_is_escaped_and_links(server: MetricsServer) -> None:
    status, headers, body = ask(server.url + "/?x=<y>")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"<h1>&lt;logs&gt; &amp; more</h1>" in body
    assert b'href="/metrics"' in body
    assert b'href="/healthz"' in body
    assert b'href="/livez"' in body


@pytest.mark.parametrize("path", ["/metrics/", "/favicon.ico", "/..%2f", "/%00"])
def test_anything_else_is_not_found(server: MetricsServer, path: str) -> None:
    assert ask(server.url + path)[0] == 404


def send(server: MetricsServer, data: bytes) -> tuple[bytes, bytes]:
    """The head and the body of the answer to these bytes."""
    with socket.create_connection(server.server_address[:2], timeout=10) as client:
        client.sendall(data)
        with contextlib.suppress(OSError):  # it may have answered, and hung up, by now
            client.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


@pytest.mark.parametrize("path", ["/", "/metrics", "/healthz", "/livez", "/none"])
def test_head_is_get_without_a_body(server: MetricsServer, path: str) -> None:
    got_head, got_body = send(server, f"GET {path} HTTP/1.1\r\n\r\n".encode())
    head, body = send(server, f"HEAD {path} HTTP/1.1\r\n\r\n".encode())
    dated = [line for line in got_head.split(b"\r\n") if not line.startswith(b"Date:")]
    assert dated == [line for line in head.split(b"\r\n") if not line.startswith(b"Date:")]
    assert b"Content-Length: %d" % len(got_body) in dated
    assert body == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "NONSENSE"])
def test_only_get_and_head_are_answered(server: MetricsServer, method: str) -> None:
    request = f"{method} /metrics HTTP/1.1\r\nContent-Length: 90000\r\n\r\n".encode() + b"x" * 90000
    head, body = send(server, request)
    assert head.startswith(b"HTTP/1.0 405 ")
    assert b"\r\nAllow: GET, HEAD\r\n" in head
    assert body == b"Only GET and HEAD are answered.\n"


@pytest.mark.parametrize("path", ["/", "/metrics", "/healthz", "/livez", "/none"])
def test_every_answer_has_the_security_headers(server: MetricsServer, path: str) -> None:
    _, headers, _ = ask(server.url + path)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "Python" not in headers["Server"]


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"\xff\xfe\x00\r\n\r\n", b"400"),
        (b"GET /metrics HTTP/9.9\r\n\r\n", b"505"),
        (b"GET http://[::1 HTTP/1.1\r\n\r\n", b"404"),
        (b"GET /metrics HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", b"431"),
    ],
)
def test_a_broken_request_gets_an_answer(server: MetricsServer, request_line: bytes, status: bytes) -> None:
    assert status in send(server, request_line)[0].split(b"\r\n")[0]
    assert ask(server.url + "/healthz")[0] == 200


def test_clients_that_say_nothing_stop_nobody(server: MetricsServer) -> None:
    silent = [socket.create_connection(server.server_address[:2]) for _ in range(10)]
    try:
        assert ask(server.url + "/metrics")[0] == 200
    finally:
        for client in silent:
            client.close()


class Waiting(Gauges):
    """Gauges that hold a scrape until they are told to go on."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.go_on = threading.Event()

    def tracked_jobs(self) -> int:
        self.asked.set()
        assert self.go_on.wait(10)
        return 41


def refuses(server: MetricsServer) -> bool:
    try:
        socket.create_connection(server.server_address[:2], timeout=10).close()
    except ConnectionError:  # refused, or reset where it was in the queue
        return True
    return False


def test_a_request_under_way_ends_before_the_server_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out_http, "_CLOSING_SECONDS", 60.0)
    gauges = Waiting()
    server = serve_http("127.0.0.1:0", QueueJobCollector(Counts(), gauges), Health())
    answers: list[bytes] = []
    client = threading.Thread(target=lambda: answers.append(ask(server.url + "/metrics")[2]))
    client.start()
    assert gauges.asked.wait(10)
    closing = threading.Thread(target=server.close)
    closing.start()
    while not refuses(server):
        time.sleep(0.01)
    closing.join(0.2)
    assert closing.is_alive()
    gauges.go_on.set()
    closing.join()
    client.join()
    assert b"\nlogparse_tracked_jobs 41.0\n" in answers[0]


def test_closing_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out_http, "_CLOSING_SECONDS", 0.0)
    gauges = Waiting()
    server = serve_http("127.0.0.1:0", QueueJobCollector(Counts(), gauges), Health())
    with socket.create_connection(server.server_address[:2], timeout=10) as client:
        client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        assert gauges.asked.wait(10)
        server.close()
        assert client.recv(100) == b""
    gauges.go_on.set()


class Broken(Gauges):
    """Gauges that fail."""

    def tracked_jobs(self) -> int:
        raise RuntimeError("/secret/path")


def test_a_scrape_that_fails_is_a_500_without_details() -> None:
    with serve_http("127.0.0.1:0", QueueJobCollector(Counts(), Broken()), Health()) as server:
        status, _, body = ask(server.url + "/metrics")
        assert (status, b"RuntimeError" in body, b"secret" in body) == (500, True, False)
        assert ask(server.url + "/healthz")[0] == 200


def test_ipv6() -> None:
    with serve_http("[::1]:0", QueueJobCollector(Counts()), Health()) as server:
        assert server.url.startswith("http://[::1]:")
        assert ask(server.url + "/metrics")[0] == 200


def test_a_taken_port_is_told_in_one_sentence(server: MetricsServer) -> None:
    taken = "127.0.0.1:" + server.url.rpartition(":")[2]
    with pytest.raises(ListenError, match=f"^cannot listen on '{taken}': Address already in use; ") as told:
        serve_http(taken, QueueJobCollector(Counts()), Health())
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("listen", ["192.0.2.1:0", "no-such-host.invalid:9747", f"{'a' * 70}.b:1"])
def test_an_address_of_another_machine_is_told(listen: str) -> None:
    with pytest.raises(ListenError, match="cannot listen on"):
        serve_http(listen, QueueJobCollector(Counts()), Health())


@pytest.mark.parametrize(
    ("listen", "means"),
    [
        ("127.0.0.1:9747", ("127.0.0.1", 9747)),
        ("[::1]:0", ("::1", 0)),
        ("localhost:65535", ("localhost", 65535)),
    ],
)
def test_addresses(listen: str, means: tuple[str, int]) -> None:
    assert parse_listen(listen) == means


@pytest.mark.parametrize(
    "listen", ["", "9747", ":9747", "localhost", "::1:9747", "[]:1", "a:65536", "a:-1", "a:x", "a:٣", "a:"]
)
def test_bad_addresses_are_refused(listen: str) -> None:
    with pytest.raises(ListenError) as told:
        parse_listen(listen)
    assert repr(listen) in str(told.value)
