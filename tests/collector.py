"""A stand-in for an OpenTelemetry collector: takes traces as OTLP/HTTP in protobuf, and keeps the spans."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector:
    """url: where it listens. spans, bodies: what came. status: what it answers after `takes` requests."""

    def __init__(self, *, status: int = 200, takes: int = 0) -> None:
        self.url = ""
        self.spans: list[Span] = []
        self.services: set[str] = set()
        self.bodies: list[bytes] = []
        self.paths: set[str] = set()
        self.status = status
        self.takes = takes

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        """The status with which to answer."""
        assert headers["content-type"] == "application/x-protobuf"
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        if self.status != 200 and len(self.bodies) >= self.takes:
            return self.status
        self.bodies.append(body)
        self.paths.add(path)
        request = ExportTraceServiceRequest.FromString(body)
        for of_resource in request.resource_spans:
            attributes = {one.key: one.value.string_value for one in of_resource.resource.attributes}
            self.services.add(attributes["service.name"])
            for of_scope in of_resource.scope_spans:
                self.spans += of_scope.spans
        return 200


@contextmanager
def collecting(*, status: int = 200, takes: int = 0) -> Iterator[Collector]:
    """A collector that listens until the end of the block."""
    collector = Collector(status=status, takes=takes)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = collector.take(self.path, headers, body)
            answer = ExportTraceServiceResponse().SerializeToString() if status == 200 else b""
            self.send_response(status)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        collector.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def attributes(span: Span) -> dict[str, object]:
    """A span's, in Python's types."""
    return {
        one.key: getattr(one.value, one.value.WhichOneof("value") or "string_value")
        for one in span.attributes
    }
