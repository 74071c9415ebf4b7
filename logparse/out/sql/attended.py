"""Calls of DuckDB that a signal ends."""

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import duckdb

T = TypeVar("T")


def attended(connection: duckdb.DuckDBPyConnection, call: Callable[..., T], *arguments: Any) -> T:
    """What a call that uses the connection gives; Ctrl-C and other signals end it.

    DuckDB by itself looks for signals only between some steps, and then forgets which one it was.
    """
    work = _Work(call, arguments)
    try:
        threading.Thread(target=work.run, name="logparse-query", daemon=True).start()
        # A thread of DuckDB's may be the one that is given the signal, which then wakes nobody here.
        while not work.ended.wait(0.2):
            pass
    except BaseException:
        if work.stop():
            while not work.ended.wait(0.1):
                connection.interrupt()
        raise
    return work.answer()


class _Work(Generic[T]):
    """A call that a thread makes, unless it is stopped before it has begun."""

    def __init__(self, call: Callable[..., T], arguments: tuple[Any, ...]) -> None:
        self.ended = threading.Event()
        self._call = call
        self._arguments = arguments
        self._lock = threading.Lock()
        self._begun = self._stopped = False
        self._answer: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        with self._lock:
            if self._stopped:
                return
            self._begun = True
        try:
            self._answer.append(self._call(*self._arguments))
        except BaseException as error:
            self._error = error
        finally:
            self.ended.set()

    def stop(self) -> bool:
        """Whether it has begun, and is to be ended; else it never begins."""
        with self._lock:
            self._stopped = True
            return self._begun

    def answer(self) -> T:
        if self._error is not None:
            raise self._error
        return self._answer[0]
