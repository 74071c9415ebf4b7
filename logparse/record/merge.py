"""Several servers of one installation: the records of their logs, in the order of time."""

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence

from logparse.record.counted import Taken
from logparse.record.reader import Reader
from logparse.record.record import Record
from logparse.record.tally import Tally
from logparse.source.chunk import Chunk


class Merged:
    """A Reader for each server; `feed` it the chunks of the server that `wanted` names.

    A record is reported once no server can have an older one. Those of one server stay in the order of its
    files, so that no more is held than what one chunk of each server holds.

    files: of each server, in the order in which they will be read; None: of those whose server has no name.
    make: a reader for a server.
    """

    def __init__(
        self, files: Mapping[str | None, Sequence[str]], make: Callable[[str | None], Reader]
    ) -> None:
        self._readers = {server: make(server) for server in files}
        self._server_of = {file: server for server, names in files.items() for file in names}
        self._last = {names[-1] for names in files.values()}
        self._queues: dict[str | None, deque[Record]] = {server: deque() for server in files}
        self._open = dict.fromkeys(files, 0)  # with the time of the newest record

    @property
    def open(self) -> bool:
        """Whether any server has something left to read."""
        return bool(self._open)

    @property
    def wanted(self) -> str | None:
        """The server to read on, while any has something left: of those that hold others back the oldest."""
        return min(self._open, key=lambda server: (len(self._queues[server]) > 0, self._open[server]))

    def feed(self, chunk: Chunk) -> list[Record]:
        """The records of all servers that are known to be the oldest now."""
        reader = self._readers[self._server_of[chunk.file]]
        return self._take(chunk.file, reader.feed(chunk), last=chunk.last)

    def take(self, file: str, records: list[Record], taken: Taken, *, last: bool) -> list[Record]:
        """The same for what another reader has read of a chunk of this file, and counted; last: the last."""
        self._readers[self._server_of[file]].count(taken)
        return self._take(file, records, last=last)

    def _take(self, file: str, records: list[Record], *, last: bool) -> list[Record]:
        server = self._server_of[file]
        self._queues[server].extend(records)
        if records:
            self._open[server] = max(self._open[server], records[-1].time)
        if last and file in self._last:
            del self._open[server]
        return self._released()

    def rest(self) -> list[Record]:
        """What is left, where reading ended before its time."""
        self._open.clear()
        return self._released()

    def quiet(self, *, long: bool = False) -> list[Record]:  # noqa: ARG002 (a Reader's)
        """Nothing: only logs that are at rest are read so."""
        return []

    @property
    def waiting(self) -> int:
        """Records that are known and wait for those of another server."""
        return sum(map(len, self._queues.values()))

    @property
    def seen(self) -> Counter[tuple[str, ...]]:
        """What was around the lines."""
        seen: Counter[tuple[str, ...]] = Counter()
        for reader in self._readers.values():
            seen.update(reader.seen)
        return seen

    @property
    def foreign(self) -> int:
        """Lines that did not have the form of their file."""
        return sum(reader.foreign for reader in self._readers.values())

    @property
    def pending(self) -> int:
        """Bytes that were fed and belong to records that are not reported yet."""
        return sum(reader.pending for reader in self._readers.values())

    @property
    def tally(self) -> Tally:
        """What was read so far, of all servers."""
        tally = Tally()
        for reader in self._readers.values():
            part = reader.tally
            tally.add(part)
            tally.lines += part.lines
            tally.bytes += part.bytes
        return tally

    def tally_of(self, file: str) -> Tally:
        """What was read so far of the server whose file it is."""
        return self._readers[self._server_of[file]].tally

    def _released(self) -> list[Record]:
        out: list[Record] = []
        queues = self._queues
        while all(queues[server] for server in self._open):
            heads = [(queue[0].time, index) for index, queue in enumerate(queues.values()) if queue]
            if not heads:
                break
            oldest = list(queues.values())[min(heads)[1]]
            out.append(oldest.popleft())
        return out
