"""The processes that read parts of logs, and what they have sent of each part."""

import multiprocessing
import signal
import warnings
from collections import deque
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

import msgspec

from logparse.cli.piece import Parser
from logparse.cli.worker import Ended, Message, Task, decode, work

KILLED = (
    "a worker process was killed, as the system does when memory runs out; its part was read again here, "
    "so that nothing is missing; --workers 1 needs the least memory"
)

# So many bytes that nobody asked for yet are taken from one worker, and from all.
_MOST, _MOST_OF_ALL = 8 << 20, 16 << 20
_encode = msgspec.msgpack.Encoder().encode


class _Worker:
    """One process. number: of the task that it has, or had last; None before one. idle: it waits for one."""

    def __init__(self, parser: Parser, others: list[Connection]) -> None:
        context = multiprocessing.get_context("fork")  # all that is loaded is there, and costs nothing
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(
            target=work, args=(parser, theirs, [*others, self.connection]), daemon=True
        )
        # Ctrl-C is the program's to answer: a worker that is not yet at work must not either.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with warnings.catch_warnings():
                # Logs at URLs are read with a thread, which fsspec starts anew in the forked process.
                warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
                self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        self.number: int | None = None
        self.idle = True
        self.alive = True

    def stop(self) -> None:
        self.alive = False
        self.connection.close()
        self.process.terminate()
        self.process.join()


class Pool:
    """Give it tasks by numbers, the lowest first; `messages` of one are what its worker sends.

    most: processes. killed: how many ended unasked.
    """

    def __init__(self, parser: Parser, most: int) -> None:
        self.most = most
        self.killed = 0
        self._parser = parser
        self._workers: list[_Worker] = []
        self._sent: dict[int, deque[bytes]] = {}
        self._held = 0

    @property
    def room(self) -> bool:
        """Whether a task would be begun at once."""
        return self._held < _MOST_OF_ALL and any(one.alive and one.idle for one in self._workers)

    def grow(self, count: int) -> None:
        """Start so many processes more, if there may be more."""
        for _ in range(min(count, self.most - len(self._workers))):
            others = [one.connection for one in self._workers if one.alive]
            self._workers.append(_Worker(self._parser, others))

    def begin(self, number: int, task: Task) -> None:
        """Have a worker begin a task; there must be room."""
        worker = next(one for one in self._workers if one.alive and one.idle)
        worker.number, worker.idle = number, False
        self._sent[number] = deque()
        try:
            worker.connection.send_bytes(_encode(task))
        except ConnectionError:
            self._lose(worker)

    def messages(self, number: int) -> Iterator[Message | None]:
        """What comes of a task, in order; None where it must be waited for; it ends early if its worker does.

        The number is that of the first task that is not done with.
        """
        sent = self._sent.get(number)
        while sent is not None:
            self.look(0)
            while not sent:
                if not any(one.alive and one.number == number and not one.idle for one in self._workers):
                    return
                yield None
                self.look(None, number)
            data = sent.popleft()
            self._held -= len(data)
            message = decode(data)
            yield message
            if isinstance(message, Ended):
                return

    def forget(self, number: int) -> None:
        """What was sent of a task is not wanted any more."""
        self._held -= sum(map(len, self._sent.pop(number, ())))

    def look(self, seconds: float | None, first: int | None = None) -> None:
        """Take what the workers have sent; wait for it for some seconds, or (None) until there is something.

        first: the number of the task that is waited for.
        """
        while True:
            readable = {
                one.connection: one
                for one in self._workers
                if one.alive and not one.idle and (one.number == first or self._wanted(one))
            }
            ready = set(wait(list(readable), seconds)) if readable else set()
            for connection, worker in readable.items():
                if connection in ready:
                    self._receive(worker)
            if not ready or seconds is None:
                return
            seconds = 0

    def stop(self) -> None:
        """End all processes."""
        for worker in self._workers:
            if worker.alive:
                worker.stop()

    def _wanted(self, worker: _Worker) -> bool:
        sent = self._sent.get(worker.number) if worker.number is not None else None
        return sent is None or sum(map(len, sent)) < _MOST

    def _receive(self, worker: _Worker) -> None:
        try:
            data = worker.connection.recv_bytes()
        except (EOFError, OSError):
            self._lose(worker)
            return
        worker.idle = data.startswith(_ENDED)
        sent = self._sent.get(worker.number) if worker.number is not None else None
        if sent is not None:
            sent.append(data)
            self._held += len(data)

    def _lose(self, worker: _Worker) -> None:
        self.killed += 1
        worker.stop()


_ENDED = msgspec.msgpack.encode(Ended(True, []))[:7]
