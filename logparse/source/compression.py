"""Compressed logs: which kind a file is, and its bytes in blocks of bounded size."""

import sys
import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

# Enough for `xz -9` (65 MiB); a file that asks for more is refused rather than given all memory.
_XZ_MEMORY = 256 * 1024 * 1024


class Damaged(Exception):
    """Compressed data that ends too early or is not what its first bytes promised."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gzip:
    """zlib's decompressor with the interface that those of bz2, lzma and zstd share.

    Where zlib raises it keeps what it had decompressed in that call: here it comes out first.
    """

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        self._left = b""  # of the input
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        data = self._left + data
        before = self._zlib.copy()
        try:
            out = self._zlib.decompress(data, max_length)
        except zlib.error:
            good = _good(before, data, max_length)
            if not good:
                raise
            self._zlib = before
            out = before.decompress(data[:good], max_length)
            self._left = before.unconsumed_tail + data[good:]
            self.needs_input = False
            return out
        self._left = self._zlib.unconsumed_tail
        # A full block may leave more inside zlib even though all input went in.
        self.needs_input = not self._left and len(out) < max_length
        return out


def _good(decompressor: "zlib._Decompress", data: bytes, max_length: int) -> int:
    """How many bytes of the data it takes before it raises, where it raises for all of them."""

    def fails(size: int) -> bool:
        try:
            decompressor.copy().decompress(data[:size], max_length)
        except zlib.error:
            return True
        return False

    return bisect_left(range(len(data)), True, lo=1, key=fails) - 1


# The modules are loaded for the first file of their kind, and the errors are theirs beside those of Python.
def _gzip() -> tuple[_Decompressor, type[Exception]]:
    return _Gzip(), zlib.error


def _zstd() -> tuple[_Decompressor, type[Exception]]:
    if sys.version_info >= (3, 14):
        from compression.zstd import ZstdDecompressor, ZstdError
    else:
        from backports.zstd import ZstdDecompressor, ZstdError
    return ZstdDecompressor(), ZstdError


def _bzip2() -> tuple[_Decompressor, type[Exception]]:
    from bz2 import BZ2Decompressor

    return BZ2Decompressor(), OSError


def _xz() -> tuple[_Decompressor, type[Exception]]:
    from lzma import FORMAT_XZ, LZMADecompressor, LZMAError

    return LZMADecompressor(format=FORMAT_XZ, memlimit=_XZ_MEMORY), LZMAError


_KINDS: dict[str, Callable[[], tuple[_Decompressor, type[Exception]]]] = {
    "gzip": _gzip,
    "zstd": _zstd,
    "bzip2": _bzip2,
    "xz": _xz,
}
# pzstd begins with a skippable frame, of which there are sixteen magic numbers (RFC 8878, 3.1.2).
_MAGIC: dict[bytes, str] = {
    b"\x1f\x8b\x08": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    **{bytes((0x50 + n, 0x2A, 0x4D, 0x18)): "zstd" for n in range(16)},
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
}


def compression(head: bytes) -> str | None:
    """Return `gzip`, `zstd`, `bzip2` or `xz` by a file's first bytes; None for plain data."""
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)


def undecided(head: bytes) -> bool:
    """Tell whether more bytes may still turn `head` into the beginning of a compressed file."""
    return any(len(head) < len(magic) and magic.startswith(head) for magic in _MAGIC)


def decompress(kind: str, raw: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield the decompressed data in blocks of at most `size` bytes, across members and frames.

    Zeros between or after members (tapes, `xz` padding) are passed over.

    Raises Damaged, after all that could be decompressed has been yielded; of other kinds than gzip, up to
    `size` bytes before the damage may be missing.
    """
    decompressor: _Decompressor | None = None
    failed: type[Exception] = OSError
    for data in raw:
        rest = data
        while rest or (decompressor is not None and not decompressor.needs_input):
            if decompressor is None:
                rest = rest.lstrip(b"\0")
                if not rest:
                    break
                decompressor, failed = _KINDS[kind]()
            try:
                block = decompressor.decompress(rest, size)
            except (failed, OSError, ValueError) as error:
                raise Damaged(f"its {kind} data is damaged ({error})") from error
            rest = b""
            if decompressor.eof:
                rest = decompressor.unused_data
                decompressor = None
            if block:
                yield block
    if decompressor is not None:
        raise Damaged(f"it ends in the middle of its {kind} data")
