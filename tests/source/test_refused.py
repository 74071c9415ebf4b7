"""What is no log, or may not be read: one clear sentence."""

import gzip
import os
import sqlite3
import struct
import sys
import tempfile
import zlib
from pathlib import Path

import pytest

from logparse.source.error import SourceError
from logparse.source.files import order_files, read_files, total_bytes
from tests.source.reading import HEADER, run

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


def test_disk_error() -> None:
    """A process' own memory, read at address 0, is a regular file that fails with EIO."""
    assert refusal("/proc/self/mem") == (
        "/proc/self/mem cannot be read (Input/output error): check the disk, the mount and the path"
    )
