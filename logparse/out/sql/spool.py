"""The sink that puts events and records down as lines, so that no memory is needed for them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from logparse.lifecycle.event import Event, Output
from logparse.match.fact import Fact
from logparse.out.jsonl import encode, iso_bytes
from logparse.out.selection import Selection
from logparse.out.sink import Sink, Source
from logparse.pipe import Tap

_encode = msgspec.json.Encoder().encode


@contextmanager
def named(file: Path | str) -> Iterator[None]:
    """An error of the system is about this file, also where it was met without one, as a full disk is."""
    try:
        yield
    except OSError as error:
        error.filename = str(file)
        raise


class Spool(Sink):
    """Writes events.jsonl, and records.jsonl where `records`, into a folder.

    texts: whether the messages of records are written, too.
    Raises OSError, with the folder as its file.
    """

    def __init__(self, folder: Path, *, records: bool = False, texts: bool = False) -> None:
        self._folder = folder
        self._texts = texts
        self._number = 0
        self._records = records
        self._files: list[BinaryIO] = []

    def open(self, source: Source) -> None:
        self._events = (self._folder / "events.jsonl").open("wb", buffering=1 << 18)
        self._files.append(self._events)
        if self._records:
            file = (self._folder / "records.jsonl").open("wb", buffering=1 << 18)
            self._files.append(file)
            self.tap = _Records(self._folder, file, source.selection, texts=self._texts)

    def add(self, outputs: Sequence[Output]) -> None:
        write = self._events.write
        with named(self._folder):
            for output in outputs:
                if isinstance(output, Event):
                    self._number += 1
                    write(b'{"number":%d,%b' % (self._number, encode(output)[1:]))

    def finish(self) -> None:
        with named(self._folder):
            for file in self._files:
                file.close()
        self._files.clear()

    def discard(self) -> None:
        for file in self._files:
            with suppress(OSError):  # what is left in the buffer is not wanted
                file.close()
        self._files.clear()


class _Records(Tap):
    def __init__(self, folder: Path, file: BinaryIO, selection: Selection, *, texts: bool) -> None:
        self._folder = folder
        self._write = file.write
        self._selection = selection
        self._texts = texts

    def fact(self, fact: Fact, *, believed: bool) -> None:
        record = fact.record
        selection = self._selection
        if not selection.everything and not selection.wants(Event(record.time, "", fact.db, fact.uuid)):
            return
        row: dict[str, Any] = {
            "pid": record.pid,
            "level": record.level,
            "db": fact.db,
            "logger": record.logger,
            "pattern": fact.pattern,
            "kind": fact.kind,
            "uuid": fact.uuid,
            "believed": believed,
            "message": record.message if self._texts else None,
            "server": record.server,
            "file": record.file,
            "offset": record.offset,
        }
        try:
            text = _encode(row)
        except UnicodeEncodeError:
            text = _encode({key: _unicode(value) for key, value in row.items()})
        with named(self._folder):
            self._write(b'{"ts":%b,%b\n' % (iso_bytes(record.time), text[1:]))


def _unicode(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value
