"""What one chunk of a log holds, and how the record stage stands after it: what goes between processes."""

from collections.abc import Iterator
from typing import Any

import msgspec

from logparse.cli.kept import Unkept, to_data
from logparse.cli.restored import fill
from logparse.match.fact import Fact
from logparse.match.matcher import Matcher
from logparse.pipe import Pipe
from logparse.record.counted import Taken
from logparse.record.direction import newest_first
from logparse.record.reader import Reader
from logparse.record.record import Record
from logparse.record.wrappers.wrapper import Context
from logparse.source.chunk import Chunk
from logparse.source.error import SourceError
from logparse.source.files import CHUNK_SIZE
from logparse.source.parts import Part, read_part

HEAD_SIZE = 4096
"""So many bytes of a file tell what it is instead of a log."""
_JUDGED_SIZE = 1 << 16


class Standing(msgspec.Struct, frozen=True, array_like=True):
    """How the stages before the lifecycle stand between two chunks: two that are equal go on alike.

    reader: all that the record stage holds but for the echoes; None where it cannot be saved there.
    odoo: the log's version as far as the matcher knows it.
    """

    reader: bytes | None
    odoo: str | None


class Piece(msgspec.Struct, frozen=True, array_like=True, tag="piece"):
    """What one chunk holds.

    offset, size: of its bytes. data: these, where they are wanted. facts: of its records, as Pipe.match gives
    them, or lean ones (Parser). head: as far as it has the first bytes of its file, these. backward: these
    show that the newest record comes first. last: the file ends with it. taken: what was counted. after: how
    all stands then. told: the lines that were rejected (Judge.told). echoes: all that were (Judge.echoes),
    where another judge judges what follows. low, high: the lowest and the highest time of its records, ms.
    stored: bytes of the file as it is stored that were read for it.
    """

    file: str
    offset: int
    size: int
    data: bytes
    facts: list[Fact]
    head: bytes
    backward: bool
    last: bool
    taken: Taken
    after: Standing
    told: list[bytes]
    echoes: list[bytes] | None
    low: int
    high: int
    stored: int


class Parser:
    """Takes chunks through the record stage and the matcher, and tells how it stands after each.

    whole: pieces have their bytes, and facts the continuation lines and all fields, for those who look on;
    else facts are what the lifecycle reads of them. chunk_size: of the parts' chunks.
    server: whose log it is. merged: it is one of several that will be put in the order of time, and only then
    is known what a record is; facts hold the records alone.
    """

    def __init__(
        self,
        pipe: Pipe,
        context: Context,
        *,
        whole: bool,
        chunk_size: int = CHUNK_SIZE,
        server: str | None = None,
        merged: bool = False,
    ) -> None:
        self.chunk_size = chunk_size
        to_data(pipe.new_reader(server), forms=context.forms)  # another one is asked for its __dict__ (kept)
        self.reader: Reader = pipe.new_reader(server)
        self.matcher: Matcher = pipe.matcher
        self.merged = merged
        self.stored = 0
        self._match = _bare if merged else pipe.match
        self.context = context
        self.whole = whole
        self.reader.judge.told = []

    def standing(self) -> Standing:
        """How it stands."""
        reader = self.reader
        reader.normal()
        judge = reader.judge
        echoes, told = judge.echoes, judge.told
        judge.echoes, judge.told = {}, None
        odoo = None if self.merged else self.matcher.odoo
        try:
            data = to_data(reader, forms=self.context.forms)
            return Standing(msgspec.msgpack.encode(data), odoo)
        except Unkept:
            return Standing(None, odoo)
        finally:
            judge.echoes, judge.told = echoes, told

    def stand(self, standing: Standing, echoes: dict[bytes, None]) -> None:
        """Go on from there, where it could be saved. echoes: those that are known there (Judge.echoes)."""
        data: list[Any] = msgspec.msgpack.decode(standing.reader or b"")
        fill(data, self.reader, forms=self.context.forms)
        self.reader.judge.echoes = dict(echoes)
        self.reader.judge.told = []
        if standing.odoo is not None:
            self.matcher.tell(standing.odoo)

    def learn(self, chunk: Chunk | None) -> None:
        """Leave for another place, before which this chunk stands; None: for the beginning of a file."""
        before = self.reader.judge
        self.reader.leave()
        if chunk is not None:
            self.reader.feed(chunk)
            if (judge := self.reader.judge) is not before:
                # That of the lines within a wrapper is new, but the log is the same.
                judge.learn(before)
        self.reader.taken()
        before.told = None
        self.reader.judge.told = []

    @property
    def echoes(self) -> dict[bytes, None]:
        """Those that are known."""
        return self.reader.judge.echoes

    def piece(self, chunk: Chunk) -> Piece:
        """What a chunk holds."""
        first = chunk.offset < HEAD_SIZE
        backward = not chunk.offset and newest_first(chunk.data[:_JUDGED_SIZE], self.context)
        before = self.reader.judge
        facts = self._match(self.reader.feed(chunk))
        judge = self.reader.judge
        if judge is not before:
            before.told, judge.told = None, []
        if not self.whole and not self.merged:
            facts = list(map(_lean, facts))
        times = [fact.record.time for fact in facts] or [0]
        stored, self.stored = self.stored, 0
        piece = Piece(
            chunk.file,
            chunk.offset,
            len(chunk.data),
            chunk.data if self.whole else b"",
            facts,
            chunk.data[:HEAD_SIZE] if first else b"",
            backward,
            chunk.last,
            self.reader.taken(),
            self.standing(),
            judge.told or [],
            list(judge.echoes) if judge is not before else None,
            min(times),
            max(times),
            stored,
        )
        judge.told = []
        return piece

    def pieces(self, part: Part, failures: list[str]) -> Iterator[Piece]:
        """Those of a part. What cuts a whole file short, once it was begun, goes to `failures`.

        Raises SourceError and CutShort.
        """
        begun = False
        try:
            for chunk in self.chunks(part):
                begun = True
                yield self.piece(chunk)
        except SourceError as error:
            if not part.whole or not begun:
                raise
            failures.append(str(error))

    def chunks(self, part: Part, skip: int = 0) -> Iterator[Chunk]:
        """Those of a part, as read_part yields them."""
        return read_part(part, skip=skip, chunk_size=self.chunk_size, progress=self._progress)

    def _progress(self, _: str, count: int) -> None:
        self.stored += count


def _bare(records: list[Record]) -> list[Fact]:
    return [Fact("", "", "", None, None, {}, record) for record in records]


def _lean(fact: Fact) -> Fact:
    """Without what the lifecycle does not read: continuation lines, and fields that the fact itself has."""
    if fact.uuid is not None:
        fact.fields.pop("uuid", None)
        fact.fields.pop("db", None)
    if not fact.record.body:
        return fact
    return msgspec.structs.replace(fact, record=msgspec.structs.replace(fact.record, body=""))
