"""Reads logs in several processes at once, and yields what one alone would have read.

Each part of a log is read by a worker that guesses how the record stage stands where the part begins: by what
is known of the log, and by what stands just before. A part is taken as it was read where that proves to be
how the part before it ended; else it is read again here, chunk by chunk, until both stand alike.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Protocol

from logparse.cli.piece import Parser, Piece, Standing
from logparse.cli.worker import Begun, Ended, Message, Task
from logparse.record.judge import ECHOES, remember
from logparse.record.parse import milliseconds
from logparse.source.chunk import Chunk
from logparse.source.error import SourceError
from logparse.source.parts import CutShort, Part

_NEVER = 2**63


class Crew(Protocol):
    """Those who read parts: processes of this machine (logparse.cli.pool), or of a cluster."""

    @property
    def room(self) -> bool:
        """Whether a part would be begun at once."""

    def grow(self, count: int) -> None:
        """So many more are wanted."""

    def begin(self, number: int, task: Task) -> None:
        """Have a part read; there must be room."""

    def messages(self, number: int) -> Iterator[Message | None]:
        """What comes of a part, in order; None where it is waited for; it ends early where its worker did."""

    def forget(self, number: int) -> None:
        """What comes of a part is not wanted any more."""

    def stop(self) -> None:
        """Nothing is wanted any more."""


class Spread:
    """Iterate over `pieces`, once.

    parser: of this process, at the beginning of the log. pool: of the workers, none of which has begun.
    known: of the log, if anything is.
    failures: what cut files short. unread: files of which nothing could be read. again: chunks that were read
    here, because a worker had guessed wrong, or was killed. refused: why workers could not read a part.
    """

    def __init__(
        self, parser: Parser, parts: Sequence[Part], pool: Crew, known: Standing | None = None
    ) -> None:
        self.failures: list[SourceError] = []
        self.unread: set[str] = set()
        self.refused: list[str] = []
        self.again = 0
        self._parser = parser
        self._parts = parts
        self._pool = pool
        self._next = 0  # to be begun by a worker
        self._standing = self._known = self._first = parser.standing()
        if known is not None:
            self._known = known
        self._here = True  # the parser stands where the log does
        self._told = False  # of the log, anything
        self._echoes: dict[bytes, None] = {}

    def pieces(self) -> Iterator[Piece]:
        """All pieces, in order."""
        try:
            ended: str | None = None
            for number, part in enumerate(self._parts):
                if part.file == ended:
                    continue  # it was cut short since it was looked at
                if not part.start:
                    self._enter()
                for piece in self._of(number, part):
                    if piece.last:
                        ended = piece.file
                    yield piece
                self._pool.forget(number)
        finally:
            self._pool.stop()

    def _of(self, number: int, part: Part) -> Iterator[Piece]:
        if number == 0 and part.stop is not None:
            self._next = 1
            yield from self._here_from(part, 0)  # so that the others know a little
            return
        if self._next <= number:
            self._next = number
            self._pool.grow(2)
            self._begin()
        yield from self._taken_from(number, part)

    def _begin(self) -> None:
        """Have idle workers begin what is next; all but the first part once a little of the log is known."""
        while self._next < len(self._parts) and self._pool.room:
            if self._known is self._first and self._next:
                return
            self._pool.begin(self._next, Task(self._parts[self._next], self._known, list(self._echoes)))
            self._next += 1

    def _taken_from(self, number: int, part: Part) -> Iterator[Piece]:
        """The pieces of a part, as a worker sends them where that is right."""
        guessed: dict[bytes, None] = {}
        odd: _Odd | None = None  # it must be looked for
        agreed, waited, count = False, False, 0
        chunks: Iterator[Chunk] | None = None
        for message in self._pool.messages(number):
            if message is None:
                self._pool.grow(0 if waited else 1)
                waited = True
            elif isinstance(message, Ended):
                self.failures += map(SourceError, message.failures)
                if message.refused:
                    self.refused.append(message.refused)
                if message.whole:
                    return
            elif isinstance(message, Begun):
                agreed = message.standing == self._standing
                guessed = dict.fromkeys(message.echoes)
            else:
                odd = (odd or _Odd(self._echoes, guessed)) if agreed else None
                if odd is not None and odd.spares(message):
                    chunks = None
                    yield self._take(message)
                else:
                    chunks = chunks or self._chunks(part, count)
                    chunk = next(chunks)
                    yield self._parse(chunk)
                    odd = None
                    if chunk.last:
                        return
                    agreed = message.after == self._standing and self._standing.reader is not None
                count += 1
                for line in message.told:
                    remember(guessed, line)
                if message.echoes is not None:
                    odd = None
                    guessed = dict.fromkeys(message.echoes)
            self._begin()
        yield from self._here_from(part, count)

    def _here_from(self, part: Part, count: int) -> Iterator[Piece]:
        """The pieces of a part, but for the first ones, read by this process."""
        for chunk in self._chunks(part, count):
            yield self._parse(chunk)

    def _chunks(self, part: Part, skip: int) -> Iterator[Chunk]:
        """The chunks of a part; whatever cuts the file short, it has a last one."""
        begun, place = bool(skip or part.start), part.start
        try:
            for chunk in self._parser.chunks(part, skip):
                begun, place = True, chunk.offset + len(chunk.data)
                yield chunk
            return
        except CutShort:
            pass
        except SourceError as error:
            self.failures.append(error)
            if part.whole and begun:
                return
            if not begun:
                self.unread.add(part.file)
        yield Chunk(part.file, place, b"", last=True)

    def _enter(self) -> None:
        """A file begins."""
        if not self._here:
            self._parser.stand(self._standing, self._echoes)
            self._here = True
        self._parser.learn(None)
        self._stands(self._parser.standing())
        self._echoes = dict(self._parser.echoes)

    def _stands(self, standing: Standing) -> None:
        self._standing = standing
        if standing.reader is not None and self._told:
            self._known = standing

    def _take(self, piece: Piece) -> Piece:
        """A worker's piece is right."""
        self._here, self._told = False, True
        self._stands(piece.after)
        if piece.after.odoo is not None:
            self._parser.matcher.tell(piece.after.odoo)
        for line in piece.told:
            remember(self._echoes, line)
        return piece

    def _parse(self, chunk: Chunk) -> Piece:
        if not self._here:
            self._parser.stand(self._standing, self._echoes)
            self._here = True
        piece = self._parser.piece(chunk)
        self._told = True
        self._stands(piece.after)
        self._echoes = dict(self._parser.echoes)
        self.again += 1
        return piece


class _Odd:
    """The rejected lines that only this process knows, or only a worker that reads a part.

    own, guessed: those that each of them knows. Both remember what is told of a piece that is taken, so that
    all are compared once a part, and then no more than what each of them forgets.
    """

    def __init__(self, own: dict[bytes, None], guessed: dict[bytes, None]) -> None:
        self._own, self._guessed = own, guessed
        self._lines: set[bytes] = set()
        self._latest = -_NEVER  # none has a later time
        self._add(own.keys() ^ guessed.keys())

    def _add(self, lines: set[bytes]) -> None:
        times = [_NEVER if time is None else time for time in map(_time_of, lines)]
        self._latest = max([self._latest, *times])
        self._lines |= lines

    def spares(self, piece: Piece) -> bool:
        """Whether the worker has judged each line of this piece as it would be here."""
        if piece.after.reader is None or piece.echoes is not None:
            return False
        if told := piece.told:
            for known in (self._own, self._guessed):
                forgotten = len(known) + len(told) - ECHOES
                if forgotten > 0:
                    self._add(set(islice(known, forgotten)))
            if not self._lines.isdisjoint(told):
                return False
        # What is equal to one of them has its time.
        return (
            not piece.facts
            or piece.low > self._latest
            or not any(time is None or piece.low <= time <= piece.high for time in map(_time_of, self._lines))
        )


@lru_cache(4 * ECHOES)  # most are asked for again with the next part
def _time_of(line: bytes) -> int | None:
    return milliseconds(line[:23].decode(errors="replace"))
