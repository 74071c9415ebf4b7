"""Following: every line once and whole, and a file that cannot be read for a while."""

import gzip
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logparse.source.chunk import Chunk
from logparse.source.error import SourceError
from logparse.source.follow import Follower
from tests.source.writing import copytruncate, drain, numbers, text


def test_a_real_log_written_line_by_line(fixtures: Path, log: Path) -> None:
    whole = (fixtures / "12.0-w2-info/odoo.log").read_bytes()
    lines = whole.splitlines(keepends=True)
    chunks: list[Chunk] = []
    with log.open("ab", buffering=0) as file:
        follower = Follower(str(log), start="beginning")
        for line in lines:
            file.write(line[:7])
            chunks += follower.poll()
            file.write(line[7:])
            chunks += follower.poll()
    assert b"".join(chunk.data for chunk in chunks) == whole
    offset = 0
    for chunk in chunks:
        assert chunk.offset == offset
        assert chunk.data.endswith(b"\n")
        assert chunk.file == str(log)
        assert not chunk.last
        offset += len(chunk.data)
    assert follower.position == len(whole)


@pytest.mark.parametrize(("start", "expected"), [("beginning", "1\n2\n3\n"), ("end", "3\n"), (2, "2\n3\n")])
def test_where_to_start(start: object, expected: str, log: Path) -> None:
    log.write_text("1\n2\n")
    follower = Follower(str(log), start=start)  # type: ignore[arg-type]
    with log.open("a") as file:
        file.write("3\n")
    assert text(drain(follower)) == expected
    assert follower.warnings == []


def test_start_after_the_end(log: Path) -> None:
    log.write_text("1\n")
    follower = Follower(str(log), start=100)
    assert text(drain(follower)) == "1\n"
    assert follower.warnings == [f"{log} ends before byte 100: it is read from its beginning"]


@pytest.mark.parametrize("start", ["beginning", "end"])
def test_a_file_that_appears_later_is_read_whole(start: object, log: Path) -> None:
    follower = Follower(str(log), start=start)  # type: ignore[arg-type]
    assert follower.poll() == []
    assert follower.error == f"{log} cannot be read now (No such file or directory); it is tried again"
    assert follower.place is None
    log.write_text("1\n")
    assert text(drain(follower)) == "1\n"
    assert follower.error is None


def test_a_half_written_line_waits(log: Path) -> None:
    with log.open("wb", buffering=0) as file:
        follower = Follower(str(log), start="beginning")
        file.write(b"one\ntw")
        assert text(follower.poll()) == "one\n"
        assert follower.poll() == []
        assert follower.position == 4
        assert follower.lag_bytes == 2
        file.write(b"o\n")
        assert text(follower.poll()) == "two\n"
        assert follower.lag_bytes == 0


def test_bytes_that_are_no_text(log: Path) -> None:
    data = b"\xff\xfe\x80 invalid\n" + bytes(5000) + b"\n\r\x0b\x0c\xc2\x85\xe2\x80\xa8\n"
    log.write_bytes(data)
    assert b"".join(chunk.data for chunk in drain(Follower(str(log), start="beginning"))) == data


def test_much_at_once_is_read_in_bounded_parts(log: Path) -> None:
    line = b"x" * 99 + b"\n"
    log.write_bytes(line * 300_000)
    follower = Follower(str(log), start="beginning")
    total = 0
    while chunks := follower.poll():
        size = sum(len(chunk.data) for chunk in chunks)
        assert size <= 8 << 20
        assert all(chunk.data.endswith(b"\n") for chunk in chunks)
        total += size
    assert total == 30_000_000


def test_a_long_line_waits_for_its_end_and_an_endless_one_does_not(log: Path) -> None:
    with log.open("wb", buffering=0) as file:
        follower = Follower(str(log), start="beginning")
        file.write(b"x" * (5 << 20))
        assert follower.poll() == []
        file.write(b"\n")
        assert [len(chunk.data) for chunk in follower.poll()] == [(5 << 20) + 1]
        file.write(b"y" * (9 << 20))
        assert [len(chunk.data) for chunk in follower.poll()] == [8 << 20]
        assert follower.poll() == []
        file.write(b"\n")
        assert [len(chunk.data) for chunk in follower.poll()] == [(1 << 20) + 1]


def test_what_cannot_be_followed(log: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is not a plain file, and only such can be followed"):
        Follower(str(tmp_path), start="end")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="is not a plain file"):
        Follower(str(tmp_path / "pipe"), start="end")
    log.write_bytes(gzip.compress(b"1\n"))
    with pytest.raises(SourceError, match=r"is compressed \(gzip\) and will not grow"):
        Follower(str(log), start="end")


def test_replaced_by_a_directory_and_back(log: Path) -> None:
    log.write_text("1\n")
    follower = Follower(str(log), start="beginning")
    got = drain(follower)
    log.rename(log.with_name("odoo.log.1"))
    log.mkdir()
    got += drain(follower)
    assert follower.error == f"{log} cannot be read now (it is not a plain file now); it is tried again"
    log.rmdir()
    log.write_text("2\n")
    got += drain(follower)
    assert text(got) == "1\n2\n"
    assert follower.error is None


def test_rewritten_while_it_was_away(log: Path, tmp_path: Path) -> None:
    """The same inode, longer than before, but not what was read."""
    away = tmp_path / "away"
    log.write_text("1\n2\n")
    follower = Follower(str(log), start="beginning")
    got = drain(follower)
    log.rename(away)
    log.mkdir()
    got += drain(follower)
    log.rmdir()
    with away.open("r+") as file:
        file.write("3\n4\n5\n")
    away.rename(log)
    got += drain(follower)
    assert text(got) == numbers(1, 6)
    assert dict(follower.rotations) == {"truncate": 1}


AS_NOBODY = """
import os, sys
from logparse.source.follow import Follower
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
follower = Follower(sys.argv[1], start="beginning")
for _ in sys.stdin:
    print([chunk.data for chunk in follower.poll()], follower.error, flush=True)
"""


def test_unreadable_for_a_while() -> None:
    """Root may read all files, so a child gives up being root first."""
    with tempfile.TemporaryDirectory() as folder:  # pytest's own is closed to other users
        Path(folder).chmod(0o755)
        path = Path(folder) / "odoo.log"
        path.write_text("1\n")
        path.chmod(0)
        command = [sys.executable, "-c", AS_NOBODY, str(path)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        ) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write("\n")
            assert child.stdout.readline() == (
                f"[] {path} cannot be read now (Permission denied); it is tried again\n"
            )
            path.chmod(0o644)
            child.stdin.write("\n")
            assert child.stdout.readline() == "[b'1\\n'] None\n"


def test_file_descriptors_do_not_pile_up(log: Path, tmp_path: Path) -> None:
    follower = Follower(str(log), start="beginning")
    counts = []
    for n in range(20):
        log.write_text(f"{n}\n" * 10)
        drain(follower)
        if n % 3 == 0:
            os.truncate(log, 0)
        else:
            log.rename(tmp_path / "odoo.log.1")
        counts.append(len(list(Path("/proc/self/fd").iterdir())))
    assert len(set(counts[2:])) == 1  # the file before is looked at for a while, and no other
    follower.close()


@given(
    lines=st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"") + b"\n"), max_size=30),
    steps=st.lists(st.tuples(st.integers(1, 60), st.sampled_from(["none", "rename", "copy"])), max_size=12),
)
def test_any_cut_and_any_rotation(
    lines: list[bytes], steps: list[tuple[int, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """However it is written and rotated, as long as lines are whole when it is rotated."""
    log = tmp_path_factory.mktemp("log") / "odoo.log"
    log.touch()
    follower = Follower(str(log), start="beginning")
    chunks: list[Chunk] = []
    whole = b"".join(lines)
    at = 0
    for size, rotation in steps:
        end = min(len(whole), at + size)
        if rotation != "none":
            end = whole.find(b"\n", end) + 1 or len(whole)
        with log.open("ab") as file:
            file.write(whole[at:end])
        at = end
        chunks += follower.poll()
        if rotation == "rename":
            log.rename(log.with_name("odoo.log.1"))
            log.touch()
            chunks += drain(follower)
        elif rotation == "copy":
            copytruncate(log)
            chunks += drain(follower)
    with log.open("ab") as file:
        file.write(whole[at:])
    chunks += drain(follower)
    follower.close()
    assert b"".join(chunk.data for chunk in chunks) == whole
    assert all(chunk.data.endswith(b"\n") for chunk in chunks if chunk.data)
