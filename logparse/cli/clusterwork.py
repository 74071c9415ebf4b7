"""What a worker of a Dask cluster does: it reads one part of a log, as a process of this machine would."""

import hashlib
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

import cloudpickle
import msgspec

from logparse import __version__
from logparse.cli.piece import Parser, Standing
from logparse.cli.worker import Ended, Message, Task, decode, encode, read
from logparse.lifecycle.lifecycle import Options
from logparse.match.pattern import PatternSet
from logparse.pipe import Pipe
from logparse.record.wrappers.wrapper import Context
from logparse.source import remote
from logparse.source.error import SourceError, shown
from logparse.source.parts import CutShort, Part, first_bytes, read_part
from logparse.source.url import is_url, know

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_LEVEL = 1  # a thirteenth is left of what facts take
_BLOCK = 16 << 20  # bytes of messages that are packed together
_HEAD_SIZE = 4096
_PARSERS = 32  # that a thread keeps
_decode_task = msgspec.msgpack.Decoder(tuple[Task, bytes]).decode
_decode_block = msgspec.msgpack.Decoder(list[bytes]).decode


class Setup(msgspec.Struct, frozen=True):
    """How a log is to be read. urls: those in which something is secret, by name. The rest is as Pipe's.

    whole, merged: as the Parser's.
    """

    patterns: PatternSet
    odoo: str | None
    options: Options
    context: Context
    whole: bool
    merged: bool
    urls: dict[str, str]

    def parser(self, server: str | None) -> Parser:
        """One that stands at the beginning of the log of this server."""
        pipe = Pipe(self.patterns, odoo=self.odoo, options=self.options, context=self.context)
        return Parser(pipe, self.context, whole=self.whole, server=server, merged=self.merged)

    def known(self, part: Part, server: str | None) -> Standing:
        """What its first chunk tells of the log."""
        parser = self.parser(server)
        with suppress(SourceError, CutShort):  # which is told when it is read
            return parser.piece(next(read_part(part))).after
        return parser.standing()


class Given(NamedTuple):
    """A Setup on its way, packed, so that no worker's log of errors shows a URL. build: whose it is."""

    build: str
    packed: bytes


class OtherVersion(Exception):
    """The worker has another release of logparse, or a changed one; its text is which."""


@cache
def build() -> str:
    """Tells releases apart, and checkouts between them."""
    package = Path(__file__).parent.parent
    digest = hashlib.blake2b(digest_size=8)
    for file in sorted(package.rglob("*.py")):
        digest.update(file.read_bytes())
    return f"{__version__}+{digest.hexdigest()}"


def given(setup: Setup) -> Given:
    """For `parse`."""
    return Given(build(), zstd.compress(cloudpickle.dumps(setup), _LEVEL))


def task_of(task: Task) -> bytes:
    """For `parse`: with what tells whether a worker has the same file."""
    file = task.part.file
    return zstd.compress(msgspec.msgpack.encode((task, b"" if is_url(file) else head_of(file))), _LEVEL)


def head_of(file: str) -> bytes:
    """Tells a file from another one of the same path on another machine, also when it has grown."""
    try:
        head = first_bytes(file, _HEAD_SIZE)
    except SourceError:
        return b""
    return len(head).to_bytes(2, "big") + hashlib.blake2b(head, digest_size=16).digest()


def parse(setup: Given, server: str | None, task: bytes) -> list[bytes]:
    """The messages of a task, packed; for `messages`. server: whose log it is. Raises OtherVersion."""
    parser = _parser(setup, server)
    wanted, head = _decode_task(zstd.decompress(task))
    if reason := elsewhere(wanted.part.file, head):
        return [_block([encode(Ended(False, [], reason))])]
    blocks: list[bytes] = []
    waiting: list[bytes] = []
    size = 0
    for message in read(parser, wanted):
        waiting.append(encode(message))
        size += len(waiting[-1])
        if size >= _BLOCK:
            blocks.append(_block(waiting))
            waiting, size = [], 0
    return [*blocks, _block(waiting)]


def elsewhere(file: str, head: bytes) -> str:
    """Why this is not the file of which another machine has the head; "" where it is."""
    if is_url(file) or not head:
        return ""
    try:
        own = first_bytes(file, int.from_bytes(head[:2], "big"))
    except SourceError as error:
        return str(error)
    if head[2:] != hashlib.blake2b(own, digest_size=16).digest():
        return f"{shown(file)} is another file there"
    return ""


def unreadable(setup: Given, files: Sequence[tuple[str, bytes]]) -> str:
    """Why a worker cannot read one of these files, which have these heads; "" where it can.

    Raises OtherVersion.
    """
    _parser(setup, None)
    for file, head in files:
        try:
            first_bytes(file, 1)
        except SourceError as error:
            return str(error)
        if reason := elsewhere(file, head):
            return reason
    return ""


def messages(block: bytes) -> Iterator[Message]:
    """Those of one block."""
    yield from map(decode, _decode_block(zstd.decompress(block)))


def _block(messages: list[bytes]) -> bytes:
    return zstd.compress(msgspec.msgpack.encode(messages), _LEVEL)


class _Own(threading.local):
    """A thread's parsers by server, and of which Setup they are."""

    packed = b""

    def __init__(self) -> None:
        self.setup: Setup | None = None
        self.parsers: dict[str | None, Parser] = {}


_own = _Own()


def _parser(given: Given, server: str | None) -> Parser:
    if given.build != build():
        raise OtherVersion(build())
    if _own.setup is None or _own.packed != given.packed:
        # A worker lives longer than what it knows of files.
        remote.look.cache_clear()
        setup: Setup = cloudpickle.loads(zstd.decompress(given.packed))
        know(setup.urls)
        _own.setup, _own.packed = setup, given.packed
        _own.parsers.clear()
    if server not in _own.parsers:
        if len(_own.parsers) >= _PARSERS:
            _own.parsers.clear()
        _own.parsers[server] = _own.setup.parser(server)
    return _own.parsers[server]
