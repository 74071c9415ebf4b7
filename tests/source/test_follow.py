"""Following: every line once and whole, whatever is done to the file while it is written."""

import gzip
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logparse.source.chunk import Chunk
from logparse.source.error import SourceError
from logparse.source.follow import Follower
from logparse.source.place import Place

# Writes numbered lines as Odoo does (WatchedFileHandler: the file is opened anew when it was renamed),
# one for each line on its standard input; answers when it is written.
WRITER = """
import logging, logging.handlers, sys
handler = logging.handlers.WatchedFileHandler(sys.argv[1], encoding="utf-8")
for line in sys.stdin:
    handler.emit(logging.makeLogRecord({"msg": line.rstrip("\\n")}))
    print(flush=True)
"""


class Writer:
    """A process that writes to a log, a line when it is told to."""

    def __init__(self, path: Path) -> None:
        command = [sys.executable, "-c", WRITER, str(path)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def write(self, *lines: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        for line in lines:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            assert self._process.stdout.readline() == "\n"

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "odoo.log"


@pytest.fixture
def writer(log: Path) -> Iterator[Writer]:
    writing = Writer(log)
    yield writing
    writing.close()


def drain(follower: Follower) -> list[Chunk]:
    """Poll as long as anything comes; a rotation needs a poll that finds nothing before the next file."""
    chunks: list[Chunk] = []
    quiet = 0
    while quiet < 3:
        found = follower.poll()
        quiet = 0 if found else quiet + 1
        chunks += found
    return chunks


def text(chunks: list[Chunk]) -> str:
    return b"".join(chunk.data for chunk in chunks).decode()


def numbers(start: int, stop: int) -> str:
    return "".join(f"{n}\n" for n in range(start, stop))


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


def test_rename(log: Path, writer: Writer) -> None:
    follower = Follower(str(log), start="beginning")
    writer.write("1", "2")
    got = follower.poll()
    writer.write("3")
    log.rename(log.with_suffix(".log.1"))
    got += follower.poll()
    assert text(got) == "1\n2\n3\n"
    assert follower.poll() == []
    assert "No such file" in str(follower.error)
    writer.write("4", "5")
    got += drain(follower)
    assert text(got) == numbers(1, 6)
    assert [chunk.offset for chunk in got if chunk.data][-1] == 0
    assert [chunk.last for chunk in got].count(True) == 1
    assert dict(follower.rotations) == {"rename": 1}
    assert follower.error is None
    assert follower.warnings == []


def test_written_to_the_old_file_after_the_rename(log: Path) -> None:
    """A process that has not noticed the rename yet writes its line to the old file."""
    with log.open("ab", buffering=0) as old:
        old.write(b"1\n")
        follower = Follower(str(log), start="beginning")
        got = follower.poll()
        log.rename(log.with_suffix(".log.1"))
        log.write_text("3\n")
        got += follower.poll()
        old.write(b"2\n")
        got += drain(follower)
    assert text(got) == "1\n2\n3\n"


def test_written_to_the_old_file_after_it_was_left(log: Path) -> None:
    """Where it belongs is not known any more: it is not read, but counted, once, and said."""
    with log.open("ab", buffering=0) as old:
        old.write(b"1\n")
        follower = Follower(str(log), start="beginning")
        log.rename(log.with_suffix(".log.1"))
        log.write_text("2\n")
        got = drain(follower)
        assert follower.lost == 0
        for late in (b"late\n", b"later\n"):
            old.write(late)
            got += drain(follower)
    assert text(got) == "1\n2\n"
    assert (follower.lost, follower.lost_bytes) == (2, len(b"late\nlater\n"))
    assert [warning.partition(" ")[0] for warning in follower.warnings] == ["5", "6"]


def test_half_a_line_at_the_end_of_a_renamed_file_is_its_last(log: Path) -> None:
    log.write_text("1\n2")
    follower = Follower(str(log), start="beginning")
    got = follower.poll()
    log.rename(log.with_suffix(".log.1"))
    log.write_text("3\n")
    assert follower.lag_bytes == 3
    got += drain(follower)
    assert [(chunk.offset, chunk.data, chunk.last) for chunk in got] == [
        (0, b"1\n", False),
        (2, b"2", True),
        (0, b"3\n", False),
    ]


def copytruncate(log: Path, *, between: Callable[[], object] = lambda: None) -> None:
    shutil.copy(log, f"{log}.1")
    between()
    os.truncate(log, 0)


def test_copytruncate(log: Path, writer: Writer) -> None:
    follower = Follower(str(log), start="beginning")
    writer.write("1", "2")
    got = follower.poll()
    writer.write("3")
    copytruncate(log)
    writer.write("4")
    got += drain(follower)
    assert text(got) == numbers(1, 5)
    assert dict(follower.rotations) == {"truncate": 1}
    writer.write("5")
    assert text(drain(follower)) == "5\n"
    assert dict(follower.rotations) == {"truncate": 1}


def test_truncated_and_grown_past_the_old_size(log: Path, writer: Writer) -> None:
    writer.write(*(f"a{n}" for n in range(5)))
    follower = Follower(str(log), start="beginning")
    got = drain(follower)
    os.truncate(log, 0)
    writer.write(*(f"b{n}" for n in range(50)))
    got += drain(follower)
    assert text(got) == "".join(f"a{n}\n" for n in range(5)) + "".join(f"b{n}\n" for n in range(50))
    assert dict(follower.rotations) == {"truncate": 1}


def test_truncated_without_a_copy(log: Path) -> None:
    """An older piece that happens to lie there is not taken for the copy."""
    log.write_text("1\n2\n")
    follower = Follower(str(log), start="beginning")
    got = drain(follower)
    log.with_name("odoo.log.1").write_text("older lines\n" * 100)
    with log.open("w") as file:
        file.write("3\n")
    got += drain(follower)
    assert text(got) == "1\n2\n3\n"
    assert [chunk.offset for chunk in got if chunk.last] == [4]


def test_resumes_where_it_was_saved(log: Path, tmp_path: Path) -> None:
    log.write_text("1\n2\nhalf")
    follower = Follower(str(log), start="end")
    with log.open("a") as writing:
        writing.write(" a line\n3\n")
    assert text(drain(follower)) == " a line\n3\n"
    place = follower.place
    follower.close()
    with log.open("a") as writing:
        writing.write("4\n")
    again = Follower(str(log), start="beginning", place=place)
    assert text(drain(again)) == "4\n"
    assert again.rotations.total() == 0


@pytest.mark.parametrize("name", ["odoo.log.1", "odoo.log-20261124", "odoo.log.2026-11-24"])
def test_renamed_while_down(name: str, log: Path, tmp_path: Path) -> None:
    log.write_text("1\n")
    follower = Follower(str(log), start="beginning")
    drain(follower)
    place = follower.place
    follower.close()
    with log.open("a") as writing:
        writing.write("2\n")
    log.rename(tmp_path / name)
    log.write_text("3\n")
    again = Follower(str(log), start="end", place=place)
    assert again.lag_bytes == 4
    got = again.poll()
    # It may be stopped between the pieces, too.
    assert text(got) == "2\n"
    last = Follower(str(log), start="end", place=again.place)
    assert text(drain(last)) == "3\n"
    assert text(drain(again)) == "3\n"
    assert dict(again.rotations) == {"rename": 1}
    assert again.warnings == []


def test_copied_and_truncated_while_down(log: Path, tmp_path: Path) -> None:
    log.write_text("1\n2\n")
    follower = Follower(str(log), start="beginning")
    drain(follower)
    place = follower.place
    with log.open("a") as writing:
        writing.write("3\n")
    copytruncate(log)
    log.write_text("4\n")
    again = Follower(str(log), start="end", place=place)
    assert text(drain(again)) == "3\n4\n"
    assert dict(again.rotations) == {"truncate": 1}


def test_rotated_out_of_sight_while_down(log: Path) -> None:
    log.write_text("3\n")
    place = Place(offset=700, inode=log.stat().st_ino + 1, size=900)
    follower = Follower(str(log), start="end", place=place)
    assert text(drain(follower)) == "3\n"
    assert follower.warnings == [
        f"{log} was rotated while it was not read, and the rotated file was not found: what the old one "
        "held after byte 700 is lost (200 bytes of it were seen); reading goes on with what was written later"
    ]
    assert (follower.lost, follower.lost_bytes) == (1, 200)


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


def test_the_real_logrotate(log: Path, tmp_path: Path, writer: Writer) -> None:
    """With its own configuration language, renaming with `create` and copying, by turns."""
    # Debian keeps it out of the users' PATH.
    logrotate = shutil.which("logrotate", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert logrotate, "logrotate is not installed: apt-get install logrotate"
    state = tmp_path / "logrotate.state"
    log.touch()
    user = f"su {log.owner()} {log.group()}"
    follower = Follower(str(log), start="beginning")
    got: list[Chunk] = []
    count = 0
    for turn in range(6):
        method = "copytruncate" if turn % 2 else "create"
        configuration = tmp_path / f"{method}.conf"
        configuration.write_text(f"{log} {{\n rotate 9\n {method}\n {user}\n}}\n")
        configuration.chmod(0o644)
        for n in range(count, count + 20):
            writer.write(str(n))
            if n % 7 == 0:
                got += follower.poll()
        count += 20
        subprocess.run([logrotate, "-f", "-s", str(state), str(configuration)], check=True)
        writer.write(str(count))
        count += 1
        got += drain(follower)
    assert text(got) == numbers(0, count)
    assert dict(follower.rotations) == {"rename": 3, "truncate": 3}


def test_a_busy_writer_while_it_is_rotated_and_killed(log: Path, tmp_path: Path) -> None:
    """A follower process, killed with -9 between polls, each time goes on from what it saved."""
    written = 60_000
    code = """
import logging, logging.handlers, sys
handler = logging.handlers.WatchedFileHandler(sys.argv[1])
for n in range(int(sys.argv[2])):
    handler.emit(logging.makeLogRecord({"msg": f"{n} of a log whose first lines differ"}))
"""
    follow = """
import msgspec, os, pathlib, sys
from logparse.source.follow import Follower
from logparse.source.place import Place
saved = pathlib.Path(sys.argv[2])
place = msgspec.msgpack.decode(saved.read_bytes(), type=Place) if saved.exists() else None
follower = Follower(sys.argv[1], start="beginning", place=place)
out = open(sys.argv[3], "ab", buffering=0)
while True:
    for chunk in follower.poll():
        out.write(chunk.data)
    if follower.place is not None:
        pathlib.Path(sys.argv[2] + ".new").write_bytes(msgspec.msgpack.encode(follower.place))
        os.replace(sys.argv[2] + ".new", saved)
    print(flush=True)
    sys.stdin.readline()
"""
    file, out = tmp_path / "place", tmp_path / "out"
    log.touch()
    number = 0
    with subprocess.Popen([sys.executable, "-c", code, str(log), str(written)]) as writing:
        for turn in range(200):
            done = writing.poll() is not None
            with subprocess.Popen(
                [sys.executable, "-c", follow, str(log), str(file), str(out)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            ) as follower:
                assert follower.stdin is not None
                assert follower.stdout is not None
                for _ in range(60 if done else turn % 4):
                    follower.stdout.readline()
                    follower.stdin.write(b"\n")
                    follower.stdin.flush()
                follower.stdout.readline()
                follower.send_signal(signal.SIGKILL)
            if done:
                break
            for n in range(number, 0, -1):
                (tmp_path / f"odoo.log.{n}").rename(tmp_path / f"odoo.log.{n + 1}")
            log.rename(tmp_path / "odoo.log.1")
            number += 1
            while not log.exists() and writing.poll() is None:
                time.sleep(0.001)
            log.touch()
        else:
            pytest.fail("the writer did not end in 200 turns")
    assert number > 2
    got = [line.partition(" ")[0] for line in out.read_text().splitlines()]
    assert got == [str(n) for n in range(written)]


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
