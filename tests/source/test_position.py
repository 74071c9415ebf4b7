"""The saved position: pygtail's format, whole or not there, and its search for rotated files."""

import gc
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pygtail import Pygtail

from logparse.source import position
from logparse.source.error import SourceError
from logparse.source.position import Position, RotatedFile


def test_pygtail_reads_what_is_saved_and_the_other_way_round(tmp_path: Path) -> None:
    log, file = tmp_path / "odoo.log", tmp_path / "odoo.log.offset"
    log.write_text("one\ntwo\nthree\n")
    position.save(file, Position(log.stat().st_ino, 4))
    assert file.read_text() == f"{log.stat().st_ino}\n4\n"
    assert list(Pygtail(str(log), offset_file=str(file))) == ["two\n", "three\n"]
    assert position.load(file) == Position(log.stat().st_ino, 14)


def test_nothing_saved(tmp_path: Path) -> None:
    assert position.load(tmp_path / "none") is None
    (tmp_path / "empty").touch()
    assert position.load(tmp_path / "empty") is None


@pytest.mark.parametrize(
    "content", [b"123", b"123\n", b"123\n45", b"123\n-4\n", b"a\nb\n", b"\0\xff\0\n", b"1\n2\n3\n"]
)
def test_torn_or_foreign(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x.offset"
    file.write_bytes(content)
    with pytest.raises(SourceError) as raised:
        position.load(file)
    assert str(raised.value) == f"{file} is torn or no offset file (an inode and an offset, a line each)"


def test_unreadable(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is unreadable: Is a directory"):
        position.load(tmp_path)


def test_saving_where_it_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"could not be saved in .*No such file.*state directory exists"):
        position.save(tmp_path / "missing" / "x.offset", Position(1, 2))


def test_a_full_disk_leaves_the_old_position(tmp_path: Path) -> None:
    """The limit on the size of files stands in for the full disk: the write fails half-way."""
    file = tmp_path / "x.offset"
    position.save(file, Position(1, 2))
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (3, 3))
            position.save(file, Position(123456, 7890))
        except SourceError:
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert position.load(file) == Position(1, 2)


def test_killed_while_saving(tmp_path: Path) -> None:
    """At whatever instant the writer is killed, a position that was saved is there, whole."""
    file = tmp_path / "x.offset"
    code = (
        "import itertools, pathlib, sys\nfrom logparse.source.position import *\n"
        "for n in itertools.count(1):\n"
        "  save(pathlib.Path(sys.argv[1]), Position(n, n * 10 ** 9))\n"
        "  if n == 1: print(flush=True)"
    )
    for _ in range(10):
        with subprocess.Popen([sys.executable, "-c", code, str(file)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            writer.kill()
        found = position.load(file)
        assert found is not None
        assert found.offset == found.inode * 10**9


def test_names_in_the_state_directory() -> None:
    state = Path("/var/lib/logparse")
    one = position.offset_file(state, "/srv/a/odoo.log")
    two = position.offset_file(state, "/srv/b/odoo.log")
    assert one != two
    assert one.parent == state
    assert one.name.startswith("odoo.log.")
    absolute = str(Path.cwd() / "odoo.log")
    assert position.offset_file(state, "odoo.log") == position.offset_file(state, absolute)
    odd = position.offset_file(state, "/srv/" + "ö \n" * 80)
    assert odd.parent == state
    assert odd.name.isascii()
    assert len(odd.name) < 255


@pytest.mark.parametrize("name", ["{}.1", "{}-20261124", "{}.2026-11-24"])
def test_rotated_file(name: str, tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    log.write_text("one\n")
    at = Position(log.stat().st_ino, 4)
    rotated = log.rename(tmp_path / name.format("odoo.log"))
    log.write_text("two\n")
    assert RotatedFile(str(log), at).find() == str(rotated)
    assert RotatedFile(str(log), Position(1, 4)).find() is None


def test_searching_opens_and_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "odoo.log"
    assert RotatedFile(str(log), Position(1, 2)).find() is None
    before = len(list(Path("/proc/self/fd").iterdir()))
    log.write_text("one\n")
    assert RotatedFile(str(log), Position(1, 2)).find() is None
    gc.collect()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert capfd.readouterr() == ("", "")
