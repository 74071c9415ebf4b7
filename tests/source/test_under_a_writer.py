"""A log that is renamed, copied and truncated under its writer, and a follower that is stopped."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from logparse.source.chunk import Chunk
from logparse.source.follow import Follower
from logparse.source.place import Place
from tests.source.writing import Writer, copytruncate, drain, numbers, text


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
