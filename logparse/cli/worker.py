"""A process that turns parts of logs into pieces, for the one that puts them in order."""

import os
import signal
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection

import msgspec

from logparse.cli.piece import Parser, Piece, Standing
from logparse.source import remote
from logparse.source.error import SourceError
from logparse.source.parts import CutShort, Part, before

# So much before a part shows how the log looks there; where it holds no record of interest, so much more.
_LEADS = (1 << 18, 1 << 20)


class Task(msgspec.Struct, frozen=True, array_like=True):
    """A part to read. standing, echoes: as far as the log is known, perhaps far before the part."""

    part: Part
    standing: Standing
    echoes: list[bytes]


class Begun(msgspec.Struct, frozen=True, array_like=True, tag="begun"):
    """How the reader of a part believes to stand at its beginning, and the echoes that it knows."""

    standing: Standing
    echoes: list[bytes]


class Ended(msgspec.Struct, frozen=True, array_like=True, tag="ended"):
    """Nothing more comes of a part.

    whole: all of it came. failures: what cut its file short. refused: why it could not be read there.
    """

    whole: bool
    failures: list[str]
    refused: str = ""


_NICE = 10

Message = Begun | Piece | Ended
"""What a worker sends of a part: Begun, its pieces, Ended."""


def _hook(kind: type, value: object) -> object:
    return kind(value)  # a Counter comes as a plain mapping


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Message, dec_hook=_hook).decode
_decode_task = msgspec.msgpack.Decoder(Task).decode


def work(parser: Parser, connection: Connection, others: Sequence[Connection]) -> None:
    """Take tasks and send what they hold, until nobody is at the other end.

    others: connections that are not this process's, and would keep it from seeing that.
    """
    # Ctrl-C reaches all processes of a terminal; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The first process is the one that all wait for: where there are too few cores it must not wait for them.
    os.nice(_NICE)
    remote.forked()
    for other in others:
        other.close()
    try:
        while True:
            task = _decode_task(connection.recv_bytes())
            for message in read(parser, task):
                connection.send_bytes(encode(message))
    except (EOFError, ConnectionError):
        return


def read(parser: Parser, task: Task) -> Iterator[Message]:
    """What a worker sends of its task."""
    part = task.part
    failures: list[str] = []
    try:
        for size in _LEADS:
            parser.stand(task.standing, dict.fromkeys(task.echoes))
            parser.learn(before(part, size) if part.start else None)
            if not part.start or parser.reader.judge.clock.now is not None:
                break
        yield Begun(parser.standing(), list(parser.echoes))
        yield from parser.pieces(part, failures)
    except SourceError as error:
        yield Ended(False, failures, str(error))  # the first process sees for itself
        return
    except CutShort:
        yield Ended(False, failures)
        return
    yield Ended(True, failures)
