"""Pushes over real connections: TLS in both directions, a proxy, servers that stall or break off."""

import gzip
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from logparse.lifecycle.event import Event
from logparse.out.endpoint import Endpoint, EndpointError, Login, endpoint
from logparse.out.loki import Entries, body
from logparse.out.outbox import Answer
from logparse.out.push import Courier
from tests.loki import Loki

WORD = "s3cr3t"


def push(where: Endpoint, times: int = 1) -> list[Answer]:
    """The answers to the same push, made so often over one courier."""
    entry = Entries({"job": "x"}).entry(Event(1_000, "done", "a", "u"))
    assert entry is not None
    there = threading.Event()
    courier = Courier(where, there.set)
    answers = []
    try:
        for _ in range(times):
            there.clear()
            courier.send(body([entry]))
            assert there.wait(20)
            answer = courier.answer()
            assert answer is not None
            assert not courier.busy
            answers.append(answer)
    finally:
        courier.close()
    return answers


@pytest.fixture
def loki() -> Iterator[Loki]:
    server = Loki()
    yield server
    server.close()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ca.pem, and what it signs: server.pem for 127.0.0.1, client.pem, each with its key."""
    folder = tmp_path_factory.mktemp("certificates")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]

    def openssl(*arguments: str) -> None:
        subprocess.run(
            ["openssl", "req", "-x509", *key, *arguments], cwd=folder, check=True, capture_output=True
        )

    openssl("-subj", "/CN=test CA", "-keyout", "ca.key", "-out", "ca.pem")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "basicConstraints=critical,CA:FALSE")
    for name in ("server", "client"):
        extra = ("-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", *signed)
        openssl(*extra, "-keyout", f"{name}.key", "-out", f"{name}.pem")
    return folder


def test_a_kept_connection(loki: Loki) -> None:
    answers = push(endpoint(loki.url, tenant="a-b"), 3)
    assert [answer.status for answer in answers] == [204] * 3
    assert loki.headers[0]["X-Scope-OrgID"] == "a-b"
    assert loki.headers[0]["Content-Encoding"] == "gzip"
    assert loki.duplicates == 2


def test_a_kept_connection_that_was_closed_is_opened_anew(loki: Loki) -> None:
    faults = iter([None, "lost answer", None, "reset", None])
    loki.fault = lambda: next(faults)
    assert [answer.status for answer in push(endpoint(loki.url), 3)] == [204] * 3


def test_retry_after(loki: Loki) -> None:
    loki.status, loki.text = 429, "slow down"
    later = datetime.now(UTC) + timedelta(seconds=100)
    for text, low, high in [("7", 7, 7), (format_datetime(later, usegmt=True), 90, 100)]:
        loki.retry_after = text
        (answer,) = push(endpoint(loki.url))
        assert answer.status == 429
        assert answer.text == "slow down"
        assert answer.retry_after is not None
        assert low <= answer.retry_after <= high
    for text in ("soon", "-1", "9" * 400):
        loki.retry_after = text
        assert push(endpoint(loki.url))[0].retry_after is None


def test_no_answer_shows_a_secret(loki: Loki) -> None:
    loki.status, loki.text = 400, f"you said Bearer {WORD}"
    (answer,) = push(endpoint(loki.url, login=Login(token=WORD)))
    assert answer.text == "you said Bearer …"


def test_a_server_that_stalls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        (answer,) = push(endpoint(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2))
        assert answer.status == 0
        assert "did not answer in 0.2 s" in answer.text


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 204 No", b""])
def test_what_is_no_server_of_http(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        (told,) = push(endpoint(f"http://127.0.0.1:{server.getsockname()[1]}", timeout=2))
        thread.join()
    assert told.status == 0 or told.status == 204
    if told.status == 0:
        assert "127.0.0.1" in told.text


def test_unknown_host() -> None:
    (answer,) = push(endpoint("http://nowhere.invalid"))
    assert "there is no host 'nowhere.invalid'" in answer.text


@pytest.mark.parametrize("mutual", [False, True])
def test_tls(certificates: Path, mutual: bool) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    if mutual:
        context.load_verify_locations(certificates / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    loki = Loki(context)
    try:
        ours = {"cert_file": certificates / "client.pem", "key_file": certificates / "client.key"}
        (answer,) = push(endpoint(loki.url, ca_file=certificates / "ca.pem", **ours))
        assert answer.status == 204
        (answer,) = push(endpoint(loki.url))
        assert answer.status == 0
        assert f"the certificate of 127.0.0.1:{loki.port} is not trusted" in answer.text
        (answer,) = push(endpoint(f"https://127.0.0.1:{loki.port}", ca_file=certificates / "ca.pem"))
        assert (answer.status == 204) is not mutual
        (answer,) = push(endpoint(f"http://127.0.0.1:{loki.port}", timeout=2))
        assert answer.status == 0
    finally:
        loki.close()
    assert len(loki.pushes) == (1 if mutual else 2)


def test_plain_http_where_tls_is_expected(loki: Loki) -> None:
    (answer,) = push(endpoint(f"https://127.0.0.1:{loki.port}", timeout=2))
    assert answer.status == 0
    assert "no TLS connection" in answer.text


def test_wrong_certificates(certificates: Path, tmp_path: Path) -> None:
    with pytest.raises(EndpointError, match="and its key cannot be used"):
        endpoint("https://loki", cert_file=certificates / "client.pem", key_file=certificates / "server.key")
    with pytest.raises(EndpointError, match="a key without a certificate"):
        endpoint("https://loki", key_file=certificates / "server.key")
    encrypted = tmp_path / "encrypted.key"
    command = ["openssl", "ec", "-in", certificates / "client.key", "-aes256", "-passout", "pass:x"]
    subprocess.run([*command, "-out", encrypted], check=True, capture_output=True)
    with pytest.raises(EndpointError, match="give a key without a password"):
        endpoint("https://loki", cert_file=certificates / "client.pem", key_file=encrypted)


class Proxy(BaseHTTPRequestHandler):
    """A proxy for plain HTTP: whatever is asked for goes to the Loki of the test."""

    asked: list[str]
    target: str

    def do_POST(self) -> None:
        self.asked.append(self.path)
        data = self.rfile.read(int(self.headers["Content-Length"]))
        names = ("Content-Type", "Content-Encoding")
        headers = {name: self.headers[name] for name in names}
        direct = build_opener(ProxyHandler({}))
        with direct.open(Request(f"{self.target}/loki/api/v1/push", data, headers)) as answer:  # noqa: S310
            self.send_response(answer.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_a_proxy_of_the_environment(loki: Loki, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    handler = type("Handler", (Proxy,), {"asked": asked, "target": loki.url})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("no_proxy", "inside.invalid")
    try:
        assert push(endpoint("http://loki.invalid:3100"))[0].status == 204
        assert asked == ["http://loki.invalid:3100/loki/api/v1/push"]
        assert push(endpoint("http://inside.invalid"))[0].status == 0
        assert push(endpoint(loki.url))[0].status == 204
        assert len(asked) == 1
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("content", "why"),
    [("", "holds no secret"), ("one\ntwo", "holds no secret"), ("a\x1b[0m", "holds no secret")],
)
def test_a_secret_is_one_line(content: str, why: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(content)
    for login in (Login(token_file=file), Login(user="me", password_file=file), Login(token=content)):
        with pytest.raises(EndpointError, match=why) as error:
            endpoint("http://loki:3100", login=login)
        assert not content or content not in str(error.value)
        assert not content or content not in repr(login)


def test_a_password_may_be_of_any_script_a_token_not(loki: Loki) -> None:
    loki.login = "Basic bWU6c2NobMO8c3NlbA=="
    assert push(endpoint(loki.url, login=Login(user="me", password="schlüssel")))[0].status == 204  # noqa: S106
    with pytest.raises(EndpointError, match="a token is of ASCII characters"):
        endpoint(loki.url, login=Login(token="schlüssel"))  # noqa: S106


def test_a_login_in_the_clear_is_known() -> None:
    login = Login(token=WORD)
    assert endpoint("http://loki:3100", login=login).bare
    assert not endpoint("http://127.0.0.1:3100", login=login).bare
    assert not endpoint("http://[::1]:3100", login=login).bare
    assert not endpoint("https://loki", login=login).bare
    assert not endpoint("http://loki").bare


def test_addresses() -> None:
    for given, shown in [
        ("http://loki:3100", "http://loki:3100/loki/api/v1/push"),
        ("http://loki/", "http://loki:80/loki/api/v1/push"),
        ("https://loki/tenant-1/loki/api/v1/push", "https://loki:443/tenant-1/loki/api/v1/push"),
        ("https://loki/behind/a/proxy/", "https://loki:443/behind/a/proxy/loki/api/v1/push"),
        ("http://[::1]:3100", "http://[::1]:3100/loki/api/v1/push"),
    ]:
        assert endpoint(given).url == shown


def test_the_body_is_json_in_gzip(loki: Loki) -> None:
    entry = Entries({}).entry(Event(1_000, "done"))
    assert entry is not None
    assert json.loads(gzip.decompress(body([entry])))["streams"][0]["stream"] == {"event": "done"}
