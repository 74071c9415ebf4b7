"""A stand-in for Loki: its push API with its limits and its texts, and faults where a test wants them.

What it does is what Loki 3 does: pkg/loghttp/push (the request), pkg/distributor (validation of entries one
by one: the valid ones are taken, though the answer is 400), pkg/ingester/stream.go (how far behind the
newest entry of its stream one may be) and pkg/chunkenc/unordered.go (one entry for the same time and line,
whatever the metadata).
"""

import gzip
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Labels = tuple[tuple[str, str], ...]
SECOND = 1_000_000_000
FAULTS = ("slow", "lost answer", "500", "500 taken", "429", "429 in part", "reset", "400 in part", "503")


class Loki(ThreadingHTTPServer):
    """Listens on 127.0.0.1 until `close()`. `store`: what it took, by stream: (ns, line) -> metadata.

    Set the limits as Loki's configuration calls them. now: what it takes for the time, seconds; None: as it
    is. login: the value of Authorization that is wanted. fault: asked at each push, one of FAULTS or None.
    """

    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.store: dict[Labels, dict[tuple[int, str], dict[str, str]]] = {}
        self.newest: dict[Labels, int] = {}
        self.pushes: list[int] = []  # how many entries each had that could be read
        self.sizes: list[int] = []
        self.statuses: list[int] = []
        self.duplicates = 0
        self.headers: list[dict[str, str]] = []
        self.reject_old_samples_max_age: float | None = None
        self.creation_grace_period = 600.0
        self.max_chunk_age = 7200.0
        self.max_line_size = 256 * 1024
        self.max_label_names_per_series = 15
        self.allow_structured_metadata = True
        self.auth_enabled = False
        self.most_bytes: int | None = None  # of one push: ingestion_burst_size_mb
        self.proxy_limit: int | None = None  # of one body: 413
        self.now: float | None = None
        self.login: str | None = None
        self.status: int | None = None  # for everything
        self.text = ""
        self.retry_after: str | None = None
        self.fault: Callable[[], str | None] = lambda: None
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), Handler)
        scheme = "http"
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
            scheme = "https"
        self.port = self.server_address[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is killed is no error here."""

    def close(self) -> None:
        """Stop listening."""
        self.shutdown()
        self.server_close()
        self._thread.join()

    @property
    def lines(self) -> list[str]:
        """All lines that it holds."""
        with self.lock:
            return [line for entries in self.store.values() for _, line in entries]

    def take(self, request: dict[str, Any], leave_out: int = 0) -> tuple[int, str]:
        """Take what is valid, and the status and text of the answer."""
        errors: list[str] = []
        behind: list[str] = []
        count = 0
        for stream in request["streams"]:
            given = dict(stream["stream"])
            labels: Labels = tuple(sorted({**given, "service_name": given.get("job", "unknown")}.items()))
            name = "{" + ", ".join(f'{key}="{value}"' for key, value in labels) + "}"
            if not given:
                errors.append("error at least one label pair is required per stream")
                continue
            if len(given) > self.max_label_names_per_series:
                errors.append(
                    f"entry for stream '{name}' has {len(given)} label names; "
                    f"limit {self.max_label_names_per_series}"
                )
                continue
            valid = []
            for value in stream["values"]:
                ts, line = int(value[0]), value[1]
                metadata = value[2] if len(value) > 2 else {}
                assert -(2**63) <= ts < 2**63
                assert all(isinstance(one, str) for one in metadata.values())
                count += 1
                if error := self._invalid(ts, line, metadata, name):
                    errors.append(error)
                else:
                    valid.append((ts, line, metadata))
            behind += self._ingest(labels, name, valid, leave_out)
        self.pushes.append(count)
        if behind:
            return 400, behind[-1]
        if errors:
            return 400, "\n".join(errors[:10])
        return 204, ""

    def _invalid(self, ts: int, line: str, metadata: dict[str, str], name: str) -> str | None:
        now = time.time() if self.now is None else self.now
        old = self.reject_old_samples_max_age
        if old is not None and ts < (now - old) * SECOND:
            return (
                f"entry for stream '{name}' has timestamp too old: {rfc3339(ts)}, "
                f"oldest acceptable timestamp is: {rfc3339(int((now - old) * SECOND))}"
            )
        if ts > (now + self.creation_grace_period) * SECOND:
            return f"entry for stream '{name}' has timestamp too new: {rfc3339(ts)}"
        if len(line.encode()) > self.max_line_size:
            return (
                f"Max entry size '{self.max_line_size}' bytes exceeded for stream '{name}' "
                f"while adding an entry with length '{len(line.encode())}' bytes"
            )
        if metadata and not self.allow_structured_metadata:
            return (
                f"stream '{name}' includes structured metadata, but this feature is disallowed. Please see "
                "`limits_config.allow_structured_metadata` or contact your Loki administrator to enable it."
            )
        return None

    def _ingest(
        self, labels: Labels, name: str, entries: list[tuple[int, str, dict[str, str]]], leave_out: int
    ) -> list[str]:
        kept = self.store.setdefault(labels, {})
        ignored = []
        for number, (ts, line, metadata) in enumerate(entries):
            if leave_out and number % leave_out == 0:
                continue
            newest = self.newest.get(labels)
            cutoff = None if newest is None else newest - int(self.max_chunk_age / 2 * SECOND)
            if cutoff is not None and ts < cutoff:
                ignored.append(
                    f"entry with timestamp {go_time(ts)} ignored, reason: 'entry too far behind, entry "
                    f"timestamp is: {rfc3339(ts)}, oldest acceptable timestamp is: {rfc3339(cutoff)}',\n"
                )
                continue
            if (ts, line) in kept:
                self.duplicates += 1
            kept.setdefault((ts, line), metadata)
            self.newest[labels] = ts if newest is None else max(newest, ts)
        if not ignored:
            return []
        total = f"user 'fake', total ignored: {len(ignored)} out of {len(entries)} for stream: {name}"
        return ["".join(ignored[:10]) + total]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Loki
    timeout = 30

    def do_POST(self) -> None:
        loki = self.server
        length = int(self.headers["Content-Length"])
        if self.path != "/loki/api/v1/push":
            self.rfile.read(length)
            self._answer(404, "404 page not found")
            return
        with loki.lock:
            fault = loki.fault()
        if fault == "reset":
            self.rfile.read(length // 2)
            # An RST instead of a FIN.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        data = self.rfile.read(length)
        loki.headers.append(dict(self.headers.items()))
        loki.sizes.append(length)
        if loki.status is not None:
            self._answer(loki.status, loki.text)
        elif loki.login is not None and self.headers["Authorization"] != loki.login:
            self._answer(401, "Unauthorized")
        elif loki.auth_enabled and not self.headers["X-Scope-OrgID"]:
            self._answer(401, "no org id")
        elif loki.proxy_limit is not None and length > loki.proxy_limit:
            self._answer(413, "<html><h1>413 Request Entity Too Large</h1></html>")
        else:
            self._push(data, fault)

    def _push(self, data: bytes, fault: str | None) -> None:
        loki = self.server
        assert self.headers["Content-Type"] == "application/json"
        body = gzip.decompress(data) if self.headers["Content-Encoding"] == "gzip" else data
        request = json.loads(body)
        if fault in ("500", "503"):
            self._answer(int(fault), "rpc error: code = Unavailable desc = transport is closing")
        elif fault == "429" or (loki.most_bytes is not None and len(body) > loki.most_bytes):
            text = "Ingestion rate limit exceeded for user fake (limit: 4194304 bytes/sec) while attempting"
            self._answer(429, text)
        elif fault == "400 in part":
            # Some entries are refused of which the text says nothing that is known.
            with loki.lock:
                loki.take(request, leave_out=3)
            self._answer(400, "a text that no release of Loki has had so far")
        else:
            with loki.lock:
                status, text = loki.take(request, leave_out=2 if fault == "429 in part" else 0)
            if fault == "lost answer":
                self.close_connection = True
            elif fault == "slow":
                time.sleep(0.6)
                self._answer(status, text)
            elif fault == "500 taken":
                self._answer(500, "context deadline exceeded")
            elif fault == "429 in part":
                self._answer(429, "Per stream rate limit exceeded (limit: 3MB/sec) while attempting")
            else:
                self._answer(status, text)

    def _answer(self, status: int, text: str) -> None:
        self.server.statuses.append(status)
        body = f"{text}\n".encode() if text else b""
        self.send_response(status)
        if self.server.retry_after is not None:
            self.send_header("Retry-After", self.server.retry_after)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def rfc3339(ts: int) -> str:
    return datetime.fromtimestamp(ts // SECOND, UTC).isoformat().replace("+00:00", "Z")


def go_time(ts: int) -> str:
    """As Go's time.String() writes it."""
    second, rest = divmod(ts, SECOND)
    fraction = f".{rest:09d}".rstrip("0").rstrip(".")
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%d %H:%M:%S}{fraction} +0000 UTC"
