"""Serves the metrics, the health and a landing page over HTTP."""

import gzip
import html
import ipaddress
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn
from types import TracebackType
from typing import Any, Self

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.exposition import choose_encoder, gzip_accepted
from prometheus_client.registry import Collector

from logparse.out.connections import Connections
from logparse.out.exposition import END, Written

Health = Callable[[], tuple[bool, dict[str, Any]]]
"""Whether all is well, and what there is to say about it (plain JSON types)."""

Ready = Callable[[], str | None]
"""Why the numbers are not to be scraped yet; None where they are."""

Warn = Callable[[str], None]
"""Is given a sentence for who runs the server."""

Alive = Callable[[], bool]
"""Whether the work goes on; where it does not, only a restart can help."""

DEFAULT_LISTEN = "127.0.0.1:9747"
_IDLE_SECONDS = 10.0
_CLOSING_SECONDS = 2.0
_POLL_SECONDS = 0.25
# The level of gzip: the highest takes ten times as long, for a tenth less.
_QUICKLY = 1
# That wait to be accepted, while many come at once.
_QUEUE = 128

_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body>
<h1>{title}</h1>
<p>{description}</p>
<ul>
<li><a href="/metrics">/metrics</a>: what Prometheus scrapes</li>
<li><a href="/healthz">/healthz</a>: 200 while all is well, else 503</li>
<li><a href="/livez">/livez</a>: 200 while the work goes on; where it is 503, only a restart can help</li>
</ul>
</body>
</html>
"""


class ListenError(Exception):
    """The address cannot be listened on; the message is one sentence for the person who gave it."""


def parse_listen(listen: str) -> tuple[str, int]:
    """`127.0.0.1:9747`, `[::1]:9747` or `name:port` as (host, port); port 0 lets the system choose.

    Raises ListenError.
    """
    host, colon, port = listen.strip().rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ListenError(f"{listen!r}: an IPv6 address stands in brackets, such as [::1]:9747")
    if not colon or not host:
        raise ListenError(
            f"{listen!r} is not an address and a port, such as {DEFAULT_LISTEN} (this machine only) "
            "or 0.0.0.0:9747 (every network)"
        )
    if not (port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65536):
        raise ListenError(f"{listen!r}: the port must be a number from 0 to 65535")
    return host, int(port)


def serve_http(
    listen: str,
    source: CollectorRegistry | Collector,
    health: Health,
    *,
    ready: Ready = lambda: None,
    alive: Alive = lambda: True,
    warn: Warn = lambda _: None,
    title: str = "logparse",
    description: str = "What happened to Odoo's queue jobs, read from its log.",
) -> "MetricsServer":
    """Listen on `listen` (`127.0.0.1:9747`, `[::1]:9747`) and answer in threads until `close()`.

    source: a registry, or a collector that is put into one of its own. health: called in a thread of
    the server at each request of /healthz; ready: of /metrics, which has status 503 while it says why;
    alive: of /livez. warn: called where there are too many connections.
    Raises ListenError where the address is wrong, taken or not allowed.
    """
    host, port = parse_listen(listen)
    if isinstance(source, CollectorRegistry):
        registry = source
    else:
        registry = CollectorRegistry()
        registry.register(source)
    written = source if isinstance(source, Written) else None
    page = _PAGE.format(title=html.escape(title), description=html.escape(description))
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        return MetricsServer(family, address, registry, health, page.encode(), ready, alive, written, warn)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "no such host name"
        raise ListenError(
            f"cannot listen on {listen!r}: {reason}; another program may use the port, or the address "
            "is not one of this machine: choose another with --listen"
        ) from error


class MetricsServer(ThreadingMixIn, HTTPServer):
    """Answers in one thread for each connection, and cuts those that take too long or are too many.

    url: where it can be reached, with the port that the system chose. packs: whether answers are compressed
    for who accepts it; on this machine only that takes longer than to send them. Usable as a context manager.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = _QUEUE

    def __init__(
        self,
        family: socket.AddressFamily,
        address: Any,
        registry: CollectorRegistry,
        health: Health,
        page: bytes,
        ready: Ready = lambda: None,
        alive: Alive = lambda: True,
        written: Written | None = None,
        warn: Warn = lambda _: None,
    ) -> None:
        self.address_family = family
        self.written = written
        self.metrics = make_wsgi_app(registry)
        self.health = health
        self.ready = ready
        self.alive = alive
        self.page = page
        self.connections = Connections(warn)
        super().__init__(address, _Handler)
        host, port = self.server_address[:2]
        self.packs = not ipaddress.ip_address(str(host)).is_loopback
        self.url = f"http://[{host!s}]:{port}" if family == socket.AF_INET6 else f"http://{host!s}:{port}"
        self._thread = threading.Thread(
            target=self.serve_forever, args=(_POLL_SECONDS,), name="logparse-http", daemon=True
        )
        self._thread.start()

    def server_bind(self) -> None:
        """Bind without HTTPServer's look-up of the own host name, which may take long."""
        if self.allow_reuse_address:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        if self.connections.take(request):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:
        self.connections.forget(request)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Called by serve_forever at every poll, and after each connection."""
        self.connections.cut_late()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no error of ours; all else is, and is printed."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def close(self) -> None:
        """Stop listening, let the requests under way end (for two seconds), cut the others."""
        self.shutdown()
        self.server_close()
        self._thread.join()
        deadline = time.monotonic() + _CLOSING_SECONDS
        while len(self.connections) and time.monotonic() < deadline:
            time.sleep(0.01)
        self.connections.cut_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class _Handler(BaseHTTPRequestHandler):
    server: MetricsServer
    timeout = _IDLE_SECONDS
    server_version = "logparse"
    sys_version = ""
    default_request_version = "HTTP/1.0"  # so that also an answer to nonsense has a status and headers

    def parse_request(self) -> bool:
        """Where the connection was cut, what had come of the request looks whole: it is not answered."""
        return super().parse_request() and self.server.connections.whole(self.request)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/metrics":
            self._metrics()
        elif path == "/healthz":
            self._healthz()
        elif path == "/livez":
            self._livez()
        elif path == "/":
            self._answer(200, [("Content-Type", "text/html; charset=utf-8")], self.server.page)
        else:
            self._text(404, "Not found; there are /metrics, /healthz, /livez and /.")

    do_HEAD = do_GET

    def _metrics(self) -> None:
        if (why := self.server.ready()) is not None:
            self._text(503, why, [("Retry-After", "5")])
            return
        headers: list[tuple[str, str]] = []
        try:
            status, body = self._exposition(headers)
        except Exception as error:  # whatever is wrong with one scrape, the server goes on
            self._text(500, f"The metrics could not be put together ({type(error).__name__}).")
            return
        headers.append(("Vary", "Accept, Accept-Encoding"))
        self._answer(status, headers, body)

    def _exposition(self, headers: list[tuple[str, str]]) -> tuple[int, bytes]:
        """The status and the body; adds what belongs to it to the headers."""
        accept, encodings = self.headers.get("Accept", ""), self.headers.get("Accept-Encoding", "")
        query = self.path.partition("?")[2]
        if self.server.written is not None and not query:
            content_type = choose_encoder(accept)[1]
            openmetrics = content_type.startswith("application/openmetrics-text")
            text = self.server.written.text(openmetrics=openmetrics) + (END if openmetrics else "")
            headers.append(("Content-Type", content_type))
            if self.server.packs and gzip_accepted(encodings):
                headers.append(("Content-Encoding", "gzip"))
                return 200, gzip.compress(text.encode(), _QUICKLY)
            return 200, text.encode()
        status = ["500"]

        def start_response(line: str, given: Iterable[tuple[str, str]]) -> None:
            status[0] = line.split(" ")[0]
            headers.extend(given)

        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/metrics",
            "QUERY_STRING": query,
            "HTTP_ACCEPT": accept,
            "HTTP_ACCEPT_ENCODING": encodings,
        }
        body = b"".join(self.server.metrics(environ, start_response))
        return int(status[0]), body

    def _healthz(self) -> None:
        try:
            well, said = self.server.health()
            body = json.dumps({"ok": None} | said | {"ok": well}).encode() + b"\n"
        except Exception as error:  # a health that cannot be told is not good
            well, body = False, json.dumps({"ok": False, "error": type(error).__name__}).encode() + b"\n"
        self._answer(200 if well else 503, [("Content-Type", "application/json")], body)

    def _livez(self) -> None:
        if self.server.alive():
            self._text(200, "ok")
        else:
            self._text(503, "The work does not go on.")

    def _text(self, status: int, text: str, headers: Iterable[tuple[str, str]] = ()) -> None:
        self._answer(status, [("Content-Type", "text/plain; charset=utf-8"), *headers], f"{text}\n".encode())

    def _answer(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in (*headers, *_HEADERS, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(
        self,
        code: int,
        message: str | None = None,  # noqa: ARG002 - it quotes what the client sent
        explain: str | None = None,  # noqa: ARG002
    ) -> None:
        """What BaseHTTPRequestHandler calls for a broken request or a method without a `do_`."""
        self.close_connection = True
        if code == 501:
            self._text(405, "Only GET and HEAD are answered.", [("Allow", "GET, HEAD")])
        else:
            self._text(code, f"{HTTPStatus(code).phrase}.")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: stderr is for what matters to the person who runs the server."""
