"""A chunk: bytes of a log, and where they stand."""

import msgspec


class Chunk(msgspec.Struct, frozen=True, gc=False):
    """Some bytes of one file, in the order in which they stand there.

    file: the path as the user named it.
    offset: the byte (of the uncompressed file) at which `data` begins.
    data: the bytes; chunks need not end at a line end.
    last: no byte of this file follows, so its last record is complete.
    """

    file: str
    offset: int
    data: bytes
    last: bool = False
