"""Clients that hold connections open, over real sockets: they shut out nobody who asks."""

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from logparse.out import connections as out_connections
from logparse.out import http as out_http
from logparse.out.collector import QueueJobCollector
from logparse.out.counts import Counts
from logparse.out.http import MetricsServer, serve_http
from tests.out.test_http import Health, Waiting, ask


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def server(said: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[MetricsServer]:
    monkeypatch.setattr(out_http._Handler, "timeout", 60.0)
    with serve_http("127.0.0.1:0", QueueJobCollector(Counts()), Health(), warn=said.append) as server:
        yield server
        server.connections.cut_all()


@contextlib.contextmanager
def open_to(server: MetricsServer, number: int, data: bytes = b"") -> Iterator[list[socket.socket]]:
    """So many connections, of which these bytes have come."""
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(number):
            client = socket.create_connection(server.server_address[:2], timeout=10)
            clients.append(stack.enter_context(client))
            client.sendall(data)
        yield clients


@pytest.mark.parametrize("data", [b"", b"GET /metr", b"GET /metrics HTTP/1.1\r\nX: 1\r\n"])
@pytest.mark.parametrize("number", [32, 400])
def test_who_sends_no_whole_request_shuts_out_nobody(
    server: MetricsServer, said: list[str], number: int, data: bytes
) -> None:
    with open_to(server, number, data) as clients:
        for path in ("/metrics", "/healthz", "/livez") * 3:
            assert ask(server.url + path)[0] == 200
        # The oldest made room, and was not answered.
        assert clients[0].recv(100) == b""
    assert len(said) == 1
    assert said[0].startswith(
        "32 connections are open, and for each new one the oldest that has sent no whole "
    )


def test_who_reconnects_shuts_out_nobody(server: MetricsServer) -> None:
    over = threading.Event()

    def hold() -> None:
        while not over.is_set():
            with contextlib.suppress(OSError), open_to(server, 1, b"GET /metrics HTTP/1.1\r\n") as (client,):
                while client.send(b"X: 1\r\n"):
                    time.sleep(0.05)

    holding = [threading.Thread(target=hold) for _ in range(40)]
    for thread in holding:
        thread.start()
    try:
        for _ in range(20):
            assert ask(server.url + "/metrics")[0] == 200
    finally:
        over.set()
        server.connections.cut_all()
        for thread in holding:
            while thread.is_alive():
                server.connections.cut_all()
                thread.join(0.1)


def test_it_is_said_again_after_some_minutes(
    server: MetricsServer, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(out_connections, "_MOST", 1)
    with open_to(server, 3, b"GET") as clients:
        assert clients[1].recv(100) == b""
    assert len(said) == 1
    monkeypatch.setattr(out_connections, "_SILENT_SECONDS", 0.0)
    with open_to(server, 2, b"GET") as clients:
        assert clients[0].recv(100) == b""
    assert len(said) > 1
    assert int(said[1].removesuffix(" closed so far").rpartition(" ")[2]) >= 2


def test_a_request_must_be_whole_in_time_however_it_is_sent(
    server: MetricsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each read of it ends soon, the whole does not. What has come is not taken for all."""
    monkeypatch.setattr(out_connections, "_HEAD_SECONDS", 0.3)
    with open_to(server, 1, b"GET /metrics HTTP/1.1\r\n") as (client,):
        client.settimeout(0.05)
        give_up = time.monotonic() + 20
        answer = None
        while answer is None:
            assert time.monotonic() < give_up
            with contextlib.suppress(TimeoutError):
                answer = client.recv(100)
            if answer is None:
                with contextlib.suppress(OSError):
                    client.sendall(b"X: 1\r\n")
    assert answer == b""


@pytest.mark.parametrize("late", ["_HEAD_SECONDS", "_REQUEST_SECONDS"])
def test_what_takes_too_long_is_cut(monkeypatch: pytest.MonkeyPatch, late: str) -> None:
    """Before it is whole, or while it is being answered; not what is in the other state."""
    monkeypatch.setattr(out_http._Handler, "timeout", 60.0)
    gauges = Waiting()
    with (
        serve_http("127.0.0.1:0", QueueJobCollector(Counts(), gauges), Health()) as server,
        open_to(server, 1, b"GET /metr") as (half,),
        open_to(server, 1, b"GET /metrics HTTP/1.0\r\n\r\n") as (whole,),
    ):
        assert gauges.asked.wait(10)
        monkeypatch.setattr(out_connections, late, 0.0)
        cut, left = (half, whole) if late == "_HEAD_SECONDS" else (whole, half)
        assert cut.recv(100) == b""
        left.settimeout(0.5)
        with pytest.raises(TimeoutError):
            left.recv(100)
        gauges.go_on.set()
        server.connections.cut_all()


def test_what_is_being_answered_makes_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out_connections, "_MOST", 2)
    gauges, said = Waiting(), list[str]()
    collector = QueueJobCollector(Counts(), gauges)
    with serve_http("127.0.0.1:0", collector, Health(), warn=said.append) as server:
        with open_to(server, 2, b"GET /metrics HTTP/1.0\r\n\r\n") as (one, other):
            give_up = time.monotonic() + 10
            while len(server.connections._answered) < 2:
                assert time.monotonic() < give_up
                time.sleep(0.01)
            with open_to(server, 1) as (third,):
                assert third.recv(100) == b""
            gauges.go_on.set()
            for client in (one, other):
                assert client.recv(100).startswith(b"HTTP/1.0 200 ")
        assert said[0].startswith("2 requests are being answered, and no more are taken meanwhile")
        while time.monotonic() < give_up:
            try:
                assert ask(server.url + "/healthz")[0] == 200
                return
            except (OSError, http.client.HTTPException):  # the two are still being let go
                time.sleep(0.01)
        pytest.fail("the places of closed connections were not given to others")
