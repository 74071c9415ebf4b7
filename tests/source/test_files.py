"""Finite logs: every byte once and in its place, in the order of time, or one clear sentence."""

import fcntl
import gzip
import os
import sqlite3
import struct
import subprocess
import sys
import tempfile
import termios
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logparse.source.chunk import Chunk
from logparse.source.error import SourceError
from logparse.source.files import order_files, read_files, total_bytes

AS_NOBODY = """
import os, sys
from logparse.source.files import *
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
for read in (read_files, order_files):
    try:
        list(read(sys.argv[1:]))
    except SourceError as error:
        print(error)
"""
HEADER = "2026-11-24 02:59:20,896 17636 INFO prod odoo.modules.loading: Modules loaded. \n"


def content(chunks: list[Chunk]) -> dict[str, bytes]:
    """Join what each file's chunks hold, and check what every stream of chunks must keep to."""
    files: dict[str, bytes] = {}
    ended: set[str] = set()
    for chunk in chunks:
        assert chunk.file not in ended
        assert chunk.offset == len(files.get(chunk.file, b""))
        files[chunk.file] = files.get(chunk.file, b"") + chunk.data
        if chunk.last:
            ended.add(chunk.file)
    assert ended == set(files)
    return files


def refusal(*paths: Path | str) -> str:
    """Return the message with which both ways to a file refuse it."""
    names = [str(path) for path in paths]
    messages = []
    for read in (read_files, order_files):
        with pytest.raises(SourceError) as raised:
            list(read(names))
        assert raised.value.status == 1
        messages.append(str(raised.value))
    assert messages[0] == messages[1]
    assert "\n" not in messages[0]
    return messages[0]


def run(code: str, *args: str, **options: object) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([sys.executable, "-c", code, *args], capture_output=True, **options)  # type: ignore[call-overload,no-any-return]


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


def test_missing(tmp_path: Path) -> None:
    path = tmp_path / "odoo.log"
    assert refusal(path) == f"{path} does not exist: check its path (Odoo's --logfile)"
    with pytest.raises(SourceError, match="does not exist"):
        total_bytes([str(path)])


def test_missing_is_told_before_anything_is_read(fixtures: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        order_files([str(fixtures / "12.0-w2-info/odoo.log"), str(tmp_path / "odoo.log.1")])


def test_odd_paths(tmp_path: Path) -> None:
    assert refusal("") == "'' does not exist: check its path (Odoo's --logfile)"
    assert "embedded null" in refusal("odoo\0.log")
    assert refusal(tmp_path / "\x1b[31m\n").count("\\x1b[31m\\n") == 1
    assert "File name too long" in refusal("x" * 5000)
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert "symbolic links" in refusal(loop)


def test_directory(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path} is a directory: name the log files in it"


def test_permission_denied() -> None:
    """Root may read all files, so a child gives up being root first."""
    with tempfile.TemporaryDirectory() as folder:  # pytest's own is closed to other users
        Path(folder).chmod(0o755)
        path = Path(folder) / "odoo.log"
        path.write_text(HEADER)
        path.chmod(0)
        done = run(AS_NOBODY, str(path))
        owner, group = path.owner(), path.group()
    assert done.stderr == b""
    assert done.stdout.decode().splitlines() == 2 * [
        f"{path} may not be read by this user: it belongs to {owner}:{group} with mode 0000; "
        f"run logparse as {owner} or as a member of {group}"
    ]


def png() -> bytes:
    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + os.urandom(300) for _ in range(100))
    head = struct.pack(">IIBBBBB", 100, 100, 8, 2, 0, 0, 0)
    parts = part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def test_binary_files(tmp_path: Path) -> None:
    picture, base, program = tmp_path / "a.png", tmp_path / "b.sqlite", Path(sys.executable).resolve()
    picture.write_bytes(png())
    with sqlite3.connect(base) as connection:
        connection.execute("create table queue_job (uuid text)")
        connection.executemany("insert into queue_job values (?)", [(f"{n:036}",) for n in range(1000)])
    connection.close()
    packed = tmp_path / "c.log.gz"
    packed.write_bytes(gzip.compress(program.read_bytes()[:500_000]))
    for path in (picture, base, program, packed):
        assert refusal(path) == f"{path} is a binary file and no log: give Odoo's log file (its --logfile)"


def test_other_containers(tmp_path: Path) -> None:
    path = tmp_path / "odoo.log"
    path.write_bytes(b"PK\x03\x04" + os.urandom(100))
    assert "a zip archive: unpack it first" in refusal(path)
    path.write_bytes(HEADER.encode("utf-16"))
    assert b"".join(chunk.data for chunk in read_files([str(path)])) == HEADER.encode()


def test_binary_on_standard_input() -> None:
    code = (
        "from logparse.source.files import *\n"
        "try: list(read_files(['-']))\n"
        "except SourceError as error: print(error)"
    )
    assert run(code, input=png()).stdout.startswith(b"standard input is a binary file and no log")


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


def test_disk_error() -> None:
    """A process' own memory, read at address 0, is a regular file that fails with EIO."""
    assert refusal("/proc/self/mem") == (
        "/proc/self/mem cannot be read (Input/output error): check the disk, the mount and the path"
    )


@pytest.mark.parametrize("name", ["12.0-w2-rotate-rename", "17.0-w2-rotate-copytruncate"])
def test_rotated_pieces_in_the_order_of_time(name: str, fixtures: Path) -> None:
    folder = fixtures / name
    pieces = sorted(folder.glob("odoo.log*"))
    assert len(pieces) in (7, 8)
    expected = [folder / f"odoo.log.{n}" for n in range(1, len(pieces))] + [folder / "odoo.log"]
    for given_order in (pieces, pieces[::-1]):
        assert order_files([str(piece) for piece in given_order]) == [str(piece) for piece in expected]


def test_order(tmp_path: Path) -> None:
    def write(name: str, text: str | bytes, modified: float = 0) -> str:
        path = tmp_path / name
        data = text if isinstance(text, bytes) else text.encode()
        path.write_bytes(data)
        os.utime(path, (modified, modified))
        return str(path)

    at = "2026-11-24 {} 17636 INFO prod odoo: x \n".format
    noon = 1795521600.0  # 2026-11-24 12:00:00 UTC
    names = [
        write("second", "rest of a record\n" + at("10:00:00,001")),
        write("first", "\x1b[1;32m\x1b[1;49m" + at("10:00:00,000")),
        write("third.gz", gzip.compress(b"\xef\xbb\xbf" + at("10:00:00,002").encode())),
        write("no-record", "the end of a traceback\n", noon),
        write("after-noon", "2026-13-40 99:00:00,000 \r\n" + at("12:00:00,001")),
        write("before-noon", at("11:59:59,999")),
        write("same-time-b", at("13:00:00,000")),
        write("same-time-a", at("13:00:00,000")),
        write("compose", "odoo-1  | " + at("01:00:00,000"), noon + 10_000),
        write("syslog", "Nov 24 02:00:00 host odoo[7]: x\n", noon + 10_000),
        write("not-in-its-head", "x\n" * (1 << 19) + at("01:00:00,000"), noon + 11_000),
    ]
    assert [Path(name).name for name in order_files(names)] == [
        "compose", "syslog", "first", "second", "third.gz", "before-noon", "no-record", "after-noon",
        "same-time-a", "same-time-b", "not-in-its-head",
    ]  # fmt: skip


def test_order_reads_only_heads(tmp_path: Path) -> None:
    """To read a file of a tebibyte would take hours, even though it is sparse."""
    path = tmp_path / "odoo.log"
    path.write_text(HEADER)
    os.truncate(path, 1 << 40)
    assert order_files([str(path)]) == [str(path)]
    assert total_bytes([str(path)]) == 1 << 40


def test_a_file_given_twice_is_read_once(tmp_path: Path) -> None:
    log, link, hard = tmp_path / "odoo.log", tmp_path / "link", tmp_path / "hard"
    log.write_text(HEADER)
    link.symlink_to(log)
    hard.hardlink_to(log)
    warnings: list[str] = []
    names = [str(log), str(log), str(link), str(hard), "-", "-"]
    assert order_files(names, warnings=warnings) == [str(log), "-"]
    assert warnings == [
        f"{log} was given twice; it is read once",
        f"{link} was given also as {log}; it is read once",
        f"{hard} was given also as {log}; it is read once",
        "standard input was given twice; it is read once",
    ]
    assert order_files(names) == [str(log), "-"]


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
