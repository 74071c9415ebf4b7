"""Finite logs: every byte once and in its place."""

import fcntl
import gzip
import os
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logparse.source.chunk import Chunk
from logparse.source.error import SourceError
from logparse.source.files import order_files, read_files, total_bytes
from tests.source.reading import HEADER, content, run


def test_plain_file(fixtures: Path) -> None:
    path = fixtures / "12.0-w2-info/odoo.log"
    chunks = list(read_files([str(path)]))
    assert content(chunks) == {str(path): path.read_bytes()}
    assert chunks[-1].last


def test_compressed_fixture(fixtures: Path) -> None:
    path = fixtures / "18.0-w2-debug/odoo.log.gz"
    assert content(list(read_files([str(path)]))) == {str(path): gzip.decompress(path.read_bytes())}


@pytest.mark.parametrize("tool", ["gzip -c", "zstd -qc", "bzip2 -c", "xz -c", "cat"])
def test_told_by_bytes_not_by_name(tool: str, fixtures: Path, tmp_path: Path) -> None:
    log = (fixtures / "16.0-w2-info/odoo.log").read_bytes()
    path = tmp_path / "odoo.log.gz"
    path.write_bytes(subprocess.run(tool.split(), input=log, capture_output=True, check=True).stdout)
    assert content(list(read_files([str(path)]))) == {str(path): log}


@given(size=st.integers(1, 70_000), packed=st.booleans(), cut=st.integers(0, 40_000))
def test_chunks_of_any_size_hold_the_same(size: int, packed: bool, cut: int) -> None:
    log = (Path(__file__).parents[2] / "fixtures/17.0-w2-badport/odoo.log").read_bytes() * 4
    log = log[:cut] + b"\0\xff\r" + log[cut:] if size > 100 else log[: cut // 40]
    with tempfile.NamedTemporaryFile() as file:
        file.write(gzip.compress(log, 1) if packed else log)
        file.flush()
        chunks = list(read_files([file.name], chunk_size=size))
    assert content(chunks) == {file.name: log}
    assert all(len(chunk.data) <= size for chunk in chunks)


def test_last_line_without_newline(tmp_path: Path) -> None:
    first, second = tmp_path / "odoo.log.1", tmp_path / "odoo.log"
    first.write_text(HEADER + HEADER[:30])
    second.write_text(HEADER)
    got = content(list(read_files([str(first), str(second)])))
    assert got == {str(first): (HEADER + HEADER[:30]).encode(), str(second): HEADER.encode()}


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "odoo.log"
    path.touch()
    assert list(read_files([str(path)])) == [Chunk(str(path), 0, b"", last=True)]
    assert order_files([str(path)]) == [str(path)]


@pytest.mark.parametrize("tool", ["gzip", "zstd", "bzip2", "xz"])
def test_cut_compressed_file(tool: str, tmp_path: Path) -> None:
    log = "".join(f"2026-11-24 02:59:20,896 {n * n} INFO ? odoo: {n}\n" for n in range(100_000)).encode()
    path = tmp_path / "odoo.log.z"
    raw = subprocess.run([tool, "-c"], input=log, capture_output=True, check=True).stdout
    path.write_bytes(raw[: len(raw) * 2 // 3])
    chunks = []
    with pytest.raises(SourceError) as raised:
        for chunk in read_files([str(path)]):
            chunks.append(chunk)  # noqa: PERF402 (an extend would lose them)
    got = content(chunks)[str(path)]
    assert got
    assert log.startswith(got)
    assert str(raised.value) == (
        f"{path} could be read only in part: it ends in the middle of its "
        f"{tool} data; what stands before was read; copy it again, or wait until it is written"
    )
    assert order_files([str(path)]) == [str(path)]


def test_standard_input_comes_as_it_is_written() -> None:
    """The first bytes are there before the writer has written more, let alone closed the pipe."""
    code = (
        "from logparse.source.files import read_files\n"
        "for chunk in read_files(['-']): print(chunk.file, chunk.offset, chunk.data, chunk.last, flush=True)"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        reader.stdin.write(b"half a line")
        reader.stdin.flush()
        assert reader.stdout.readline() == b"- 0 b'half a line' False\n"
        reader.stdin.write(b", the rest\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == b"- 11 b', the rest\\n' False\n"
        reader.stdin.close()
        assert reader.stdout.read() == b"- 22 b'' True\n"


@pytest.mark.parametrize("tool", ["gzip -c", "zstd -qc", "bzip2 -c", "xz -c", "cat"])
def test_standard_input_compressed(tool: str, fixtures: Path) -> None:
    code = (
        "import sys\nfrom logparse.source.files import read_files\n"
        "for chunk in read_files(['-']): sys.stdout.buffer.write(chunk.data)"
    )
    path = fixtures / "16.0-w2-info/odoo.log"
    with subprocess.Popen([*tool.split(), str(path)], stdout=subprocess.PIPE) as packer:
        done = run(code, stdin=packer.stdout)
    assert done.stderr == b""
    assert done.stdout == path.read_bytes()


def test_standard_input_compressed_and_slow(fixtures: Path) -> None:
    """The first read gets one byte, which does not tell yet what the stream is."""
    code = (
        "import sys\nfrom logparse.source.files import read_files\n"
        "for chunk in read_files(['-']): sys.stdout.buffer.write(chunk.data)"
    )
    packed = (fixtures / "18.0-w2-2db-info/odoo.log.gz").read_bytes()
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        assert reader.stdin is not None
        reader.stdin.write(packed[:1])
        reader.stdin.flush()
        while int.from_bytes(fcntl.ioctl(reader.stdin, termios.FIONREAD, bytes(4)), sys.byteorder):
            time.sleep(0.001)
        output, _ = reader.communicate(packed[1:])
    assert output == gzip.decompress(packed)


def test_standard_input_that_is_closed() -> None:
    code = (
        "import os\nos.close(0)\nfrom logparse.source.files import *\n"
        "for read in (read_files, order_files):\n"
        "  try: list(read(['-']))\n"
        "  except SourceError as error: print(error)"
    )
    message = b"standard input cannot be read (Bad file descriptor): check the disk, the mount and the path\n"
    assert run(code).stdout == message * 2


def test_named_pipe_is_read_once_and_not_opened_before(tmp_path: Path) -> None:
    pipe, log = tmp_path / "pipe", tmp_path / "odoo.log"
    os.mkfifo(pipe)
    log.write_text(HEADER)
    names = order_files([str(pipe), str(log)])
    assert names == [str(log), str(pipe)]
    with subprocess.Popen(["sh", "-c", 'printf "through a pipe" > "$0"', str(pipe)]) as writer:
        got = content(list(read_files(names)))
        assert writer.wait() == 0
    assert got == {str(log): HEADER.encode(), str(pipe): b"through a pipe"}
    assert total_bytes(names) is None


def test_a_log_full_of_garbage_is_a_log(tmp_path: Path) -> None:
    """Real ones hold NULs and raw bytes that C code wrote past logging, and a hole after a truncation."""
    path = tmp_path / "odoo.log"
    hole = bytes(3 << 20)
    for data in (
        bytes(20_000) + os.urandom(30_000) + b"\n" + HEADER.encode(),
        hole,
        hole + HEADER.encode(),
        hole + b"\xff\xfe not UTF-8 \x80\n" + HEADER.encode(),
        "日本語のログ、ヘッダーなし\n".encode() * 10_000,
        b"\x1b[1;32m\x1b[1;49mcolour\x1b[0m\r\n" * 1000,
    ):
        path.write_bytes(data)
        assert content(list(read_files([str(path)]))) == {str(path): data}
        assert order_files([str(path)]) == [str(path)]


def test_progress_is_told_in_bytes_as_stored(fixtures: Path) -> None:
    names = [str(fixtures / "18.0-w2-debug/odoo.log.gz"), str(fixtures / "16.0-w2-info/odoo.log")]
    told = dict.fromkeys(names, 0)

    def progress(path: str, count: int) -> None:
        assert count > 0
        told[path] += count

    list(read_files(names, progress=progress))
    assert told == {name: Path(name).stat().st_size for name in names}
    assert total_bytes(names) == sum(told.values())
    assert total_bytes([*names, "-"]) is None


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "odoo.log.gz"
    with gzip.open(path, "wb", 1) as file:
        for _ in range(300):
            file.write(HEADER.encode() * 13_000)
    code = (
        "import sys\nfrom logparse.source.files import read_files\n"
        "print(sum(len(chunk.data) for chunk in read_files(sys.argv[1:])))\n"
        "print(*[line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')])"
    )
    size, peak = map(int, run(code, str(path), check=True).stdout.split())
    assert size == 300 * 13_000 * len(HEADER)
    assert peak < 60_000  # KiB; the log is 300 MB
