"""UTF-16 text, as Windows' tools write it, turned into UTF-8."""

import codecs
from collections.abc import Iterator

_BOMS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_JUDGED = 512
_SHARE, _MARKED_SHARE = 0.7, 0.3


def utf16(head: bytes) -> str | None:
    """The codec of a text that begins so; None where it is not UTF-16.

    It is told by the NUL in every second byte, which a log has in most of its characters, and the mark.
    """
    bom = _BOMS.get(head[:2])
    head = head[:_JUDGED]
    even, odd = head[::2], head[1::2]
    if len(odd) < 8:
        return bom if bom and (0 in even) != (0 in odd) else None
    share = _MARKED_SHARE if bom else _SHARE
    if bom != "utf-16-be" and odd.count(0) >= share * len(odd) and not even.count(0):
        return "utf-16-le"
    if bom != "utf-16-le" and even.count(0) >= share * len(even) and not odd.count(0):
        return "utf-16-be"
    return None


def in_utf8(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The blocks as they are, or turned into UTF-8; half of a pair becomes U+FFFD."""
    head = next(blocks, b"")
    codec = utf16(head)
    if codec is None:
        if head:
            yield head
        yield from blocks
        return
    decoder = codecs.getincrementaldecoder(codec)(errors="replace")
    yield decoder.decode(head).removeprefix("\ufeff").encode(errors="replace")
    for block in blocks:
        yield decoder.decode(block).encode(errors="replace")
    yield decoder.decode(b"", final=True).encode()
