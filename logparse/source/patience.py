"""Calls that may hang in the kernel, as those on a file of a network file system whose server is away."""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")

SECONDS = 1.0
"""So long a call is waited for; then whoever asked goes on without it."""


class Asked(Generic[T]):
    """A call that is made in another thread."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._done = threading.Event()
        self._result: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        """Make the call."""
        try:
            self._result.append(self._call())
        except BaseException as error:
            self._error = error
        self._done.set()

    @property
    def done(self) -> bool:
        """Whether it has returned."""
        return self._done.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait until it has returned, so long at most; whether it has."""
        return self._done.wait(seconds)

    def result(self) -> T:
        """What it returned, where it is done. Raises what it raised."""
        if self._error is not None:
            raise self._error
        return self._result[0]


class Patience:
    """Makes calls one after the other, in one thread; one that hangs keeps that thread, and another goes on.

    There are never more threads than calls that hang, and one.
    """

    def __init__(self) -> None:
        self._asked: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._started = False

    def ask(self, call: Callable[[], T]) -> Asked[T]:
        """Have the call made, and wait for it; where it hangs, not longer than SECONDS."""
        asked = Asked(call)
        with self._lock:
            if not self._started:
                self._start()
            queue = self._asked
            queue.put(asked.run)
            if not asked.wait(SECONDS):
                # Its thread ends after it.
                queue.put(None)
                self._started = False
        return asked

    def _start(self) -> None:
        self._asked = SimpleQueue()
        self._started = True
        threading.Thread(target=_run, args=(self._asked,), name="logparse-reading", daemon=True).start()

    def close(self) -> None:
        """End the thread, if it has nothing to do."""
        with self._lock:
            if self._started:
                self._asked.put(None)
                self._started = False


def _run(queue: "SimpleQueue[Callable[[], None] | None]") -> None:
    while (call := queue.get()) is not None:
        call()
        del call  # it holds what it returned
