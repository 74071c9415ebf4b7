"""Compressed data, made by the tools that people use, comes out whole, bounded, or with a clear error."""

import bz2
import gzip
import lzma
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logparse.source.compression import Damaged, compression, decompress, undecided

TOOLS = {
    "gzip": ["gzip", "-9nc"],
    "zstd": ["zstd", "-qc"],
    "bzip2": ["bzip2", "-c"],
    "xz": ["xz", "-c"],
}
every_tool = pytest.mark.parametrize("kind", TOOLS)


def compressed(kind: str, data: bytes) -> bytes:
    return subprocess.run(TOOLS[kind], input=data, capture_output=True, check=True).stdout


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


@pytest.fixture(scope="module")
def log() -> bytes:
    return (Path(__file__).parents[2] / "fixtures/16.0-w2-info/odoo.log").read_bytes()


@every_tool
@pytest.mark.parametrize("taken", [1, 1000, 65536])
def test_real_tools(kind: str, taken: int, log: bytes) -> None:
    data = compressed(kind, log[:100_000])
    assert compression(data) == kind
    assert b"".join(decompress(kind, pieces(data, taken), 1 << 20)) == log[:100_000]


@every_tool
def test_members_and_padding(kind: str, log: bytes) -> None:
    parts = [log[:5000], b"", log[5000:90_000], log[90_000:]]
    data = b"".join(compressed(kind, part) + bytes(8) for part in parts)
    for taken in (1, 7, 65536):
        if taken > 1 or kind != "xz":
            assert b"".join(decompress(kind, pieces(data, taken), 1 << 20)) == log


@every_tool
def test_cut_short(kind: str, log: bytes) -> None:
    data = compressed(kind, log)
    got = []
    with pytest.raises(Damaged, match=f"ends in the middle of its {kind} data"):
        got.extend(decompress(kind, pieces(data[:-20], 65536), 1 << 20))
    assert log.startswith(b"".join(got))
    if kind != "bzip2":  # whose blocks are larger than this log
        assert got


def test_cut_gzip_gives_out_all_that_its_bytes_hold() -> None:
    data = gzip.compress(b"a" * 1000)[:-9]  # the end mark and the checksum
    got = []
    with pytest.raises(Damaged):
        got.extend(decompress("gzip", [data], 1))
    assert b"".join(got) == b"a" * 1000


def test_gzip_with_a_wrong_checksum_gives_out_all_first(log: bytes) -> None:
    data = bytearray(gzip.compress(log))
    data[-8] ^= 1
    got = []
    with pytest.raises(Damaged, match="incorrect data check"):
        got.extend(decompress("gzip", [bytes(data)], 1 << 20))
    assert b"".join(got) == log


@given(
    text=st.lists(st.sampled_from([b"one ", b"another ", b"\n"]), max_size=400).map(b"".join),
    bit=st.integers(0, 100_000),
    size=st.integers(1, 5000),
)
def test_damaged_gzip_gives_out_what_it_does_byte_by_byte(text: bytes, bit: int, size: int) -> None:
    data = bytearray(gzip.compress(text))
    data[bit // 8 % len(data)] ^= 1 << bit % 8
    got: list[list[bytes]] = [[], []]
    errors = []
    for number, raw in enumerate(([bytes(data)], pieces(bytes(data), 1))):
        try:
            got[number].extend(decompress("gzip", raw, size))
        except Damaged as error:
            errors.append(str(error))
    assert b"".join(got[0]) == b"".join(got[1])
    assert errors[:1] == errors[1:]


@every_tool
def test_damaged(kind: str, log: bytes) -> None:
    data = bytearray(compressed(kind, log))
    data[len(data) // 2 : len(data) // 2 + 40] = bytes(range(40))
    with pytest.raises(Damaged, match=f"its {kind} data"):
        list(decompress(kind, [bytes(data)], 1 << 20))


@every_tool
def test_foreign_bytes_after_the_end(kind: str) -> None:
    data = compressed(kind, b"whole\n") + b"2026-11-24 02:59:20,896 1 INFO ? odoo: x\n"
    got = []
    with pytest.raises(Damaged, match="damaged"):
        got.extend(decompress(kind, [data], 1 << 20))
    assert got == [b"whole\n"]


@every_tool
def test_blocks_are_bounded(kind: str) -> None:
    bomb = compressed(kind, bytes(30_000_000))
    total = 0
    for block in decompress(kind, pieces(bomb, 65536), 65536):
        assert 0 < len(block) <= 65536
        total += len(block)
    assert total == 30_000_000


def test_zstd_with_skippable_frames_first(log: bytes) -> None:
    data = bytes.fromhex("502a4d18 04000000 01020304") + compressed("zstd", log)
    assert compression(data) == "zstd"
    assert b"".join(decompress("zstd", [data], 1 << 20)) == log


def test_zstd_with_a_huge_window_is_refused() -> None:
    # A frame header that declares a window of 2 GiB (RFC 8878, 3.1.1.1), then an empty last block.
    data = bytes.fromhex("28b52ffd 00 a8 010000")
    with pytest.raises(Damaged, match="zstd data is damaged"):
        list(decompress("zstd", [data], 1 << 20))


def test_xz_with_a_huge_dictionary_is_refused() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}]
    data = bytearray(lzma.compress(b"x", format=lzma.FORMAT_XZ, check=lzma.CHECK_NONE, filters=filters))
    # The dictionary's size in the block header (.xz format, 5.3.1), and the header's own checksum.
    at = data.index(b"\x21\x01", 12) + 2
    data[at] = 38  # 3 GiB
    length = (data[12] + 1) * 4
    data[12 + length - 4 : 12 + length] = zlib.crc32(data[12 : 12 + length - 4]).to_bytes(4, "little")
    with pytest.raises(Damaged, match="Memory usage limit"):
        list(decompress("xz", [bytes(data)], 1 << 20))


def test_first_bytes() -> None:
    assert compression(b"2026-11-24 02:59:20,896 1 INFO") is None
    assert compression(b"") is None
    assert compression(b"\x1f\x8b") is None
    assert undecided(b"")
    assert undecided(b"\x1f\x8b")
    assert undecided(b"\xfd7zX")
    assert not undecided(b"2")
    assert not undecided(b"\x1f\x8b\x08\x00")


@given(
    data=st.lists(st.binary(max_size=3000).map(lambda block: block * 3), max_size=4),
    kind=st.sampled_from(["gzip", "bzip2", "xz"]),
    taken=st.integers(1, 5000),
    size=st.integers(1, 5000),
)
def test_any_sizes(data: list[bytes], kind: str, taken: int, size: int) -> None:
    make = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}[kind]
    raw = b"".join(make(part) for part in data)
    blocks = list(decompress(kind, pieces(raw, taken), size))
    assert b"".join(blocks) == b"".join(data)
    assert all(0 < len(block) <= size for block in blocks)
