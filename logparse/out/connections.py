"""The connections to the HTTP server: how many there may be, for how long, and which make room for others."""

import socket
import threading
import time
from collections.abc import Callable, Iterable

_MOST = 32
# Until the request is whole, whoever sends it bit by bit; until it is answered.
_HEAD_SECONDS, _REQUEST_SECONDS = 5.0, 30.0
_SILENT_SECONDS = 300.0


class Connections:
    """Those that are open; for any thread.

    One whose request is not whole yet makes room for a new one where there are too many, the oldest first:
    who scrapes sends all at once, and gets through. One that is being answered does not.

    warn: is given a sentence where there are too many, once in five minutes at most.
    """

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._lock = threading.Lock()
        # Since when, the oldest first.
        self._waiting: dict[socket.socket, float] = {}
        self._answered: dict[socket.socket, float] = {}
        self._closed = 0
        self._warned: float | None = None

    def __len__(self) -> int:
        return len(self._waiting) + len(self._answered)

    def take(self, request: socket.socket) -> bool:
        """Whether a new one is served; it is to be closed where it is not."""
        with self._lock:
            full = len(self) >= _MOST
            busy = full and not self._waiting
            if full and not busy:
                self._cut([next(iter(self._waiting))])
            if not busy:
                self._waiting[request] = time.monotonic()
        if full:
            self._tell(busy=busy)
        return not busy

    def whole(self, request: socket.socket) -> bool:
        """Its request has come; whether it is to be answered: not where it was cut."""
        with self._lock:
            since = self._waiting.pop(request, None)
            if since is None:
                return False
            self._answered[request] = since
            return True

    def forget(self, request: socket.socket) -> None:
        """It is about to be closed."""
        with self._lock:
            self._waiting.pop(request, None)
            self._answered.pop(request, None)

    def cut_late(self) -> None:
        """Cut those that take too long."""
        now = time.monotonic()
        with self._lock:
            late = [one for one, since in self._waiting.items() if now - since >= _HEAD_SECONDS]
            late += [one for one, since in self._answered.items() if now - since >= _REQUEST_SECONDS]
            self._cut(late)

    def cut_all(self) -> None:
        """Cut all that are left."""
        with self._lock:
            self._cut([*self._waiting, *self._answered])

    def _cut(self, requests: Iterable[socket.socket]) -> None:
        """The thread that reads of it, or writes to it, ends then and closes it."""
        for request in requests:
            self._waiting.pop(request, None)
            self._answered.pop(request, None)
            try:
                request.shutdown(socket.SHUT_RDWR)
            except OSError:  # the client was faster
                continue

    def _tell(self, *, busy: bool) -> None:
        """Called by the thread that accepts, of which there is one."""
        self._closed += 1
        now = time.monotonic()
        if self._warned is not None and now - self._warned < _SILENT_SECONDS:
            return
        self._warned = now
        what = (
            f"{_MOST} requests are being answered, and no more are taken meanwhile: a scrape may fail; ask "
            "less often, or from fewer places"
            if busy
            else f"{_MOST} connections are open, and for each new one the oldest that has sent no whole "
            "request is closed, so that scrapes get through; find who opens them (`ss -tnp`), and keep them "
            "out"
        )
        self._warn(f"{what}. {self._closed} closed so far")
