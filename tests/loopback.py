"""A server of files by HTTP at 127.0.0.1, for tests."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any


class Whole(SimpleHTTPRequestHandler):
    """Sends whole files, whatever range is asked for, as many servers do; keeps what it was asked."""

    asked: list[tuple[str, str, dict[str, str]]]

    def log_message(self, format: str, *args: Any) -> None:  # noqa: ARG002
        self.asked.append((self.command, self.path, dict(self.headers)))


class Ranges(Whole):
    """Sends ranges, too, but of a file called `broken…` nothing behind its first 100,000 bytes.

    What is called `busy…` is sent when it is asked for again.
    """

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if asked is None or not path.is_file():
            super().do_GET()
            return
        size = path.stat().st_size
        start, stop = int(asked[1]), min(int(asked[2]) + 1, size)
        before = [headers.get("Range") for _, _, headers in self.asked]
        busy = path.name.startswith("busy") and asked[0] not in before
        if busy or (path.name.startswith("broken") and stop > 100_000):
            self.send_error(503)
            return
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        self.send_header("Content-Length", str(stop - start))
        self.end_headers()
        self.wfile.write(path.read_bytes()[start:stop])


@contextmanager
def served(folder: Path, kind: type[Whole] = Ranges) -> Iterator[tuple[str, list[Any]]]:
    """Its address, without a slash, and what it is asked."""
    handler = type("Handler", (kind,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", handler.asked  # type: ignore[attr-defined]
        finally:
            server.shutdown()
            thread.join()
