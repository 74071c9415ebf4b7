"""The saved position: pygtail's format, whole or not there, and its search for rotated files."""

import gc
from pathlib import Path

import pytest
from pygtail import Pygtail

from logparse.source import position
from logparse.source.error import SourceError
from logparse.source.position import Position, RotatedFile


def test_what_pygtail_saved_is_read(tmp_path: Path) -> None:
    log, file = tmp_path / "odoo.log", tmp_path / "odoo.log.offset"
    log.write_text("one\ntwo\nthree\n")
    assert list(Pygtail(str(log), offset_file=str(file))) == ["one\n", "two\n", "three\n"]
    assert position.load(file) == Position(log.stat().st_ino, 14)
    assert file in position.offset_files(str(log))


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


def test_names_in_the_state_directory() -> None:
    state = Path("/var/lib/logparse")
    one, beside = position.offset_files("/srv/a/odoo.log", state)
    assert beside == Path("/srv/a/odoo.log.offset")
    assert one != position.offset_files("/srv/b/odoo.log", state)[0]
    assert one.parent == state
    assert one.name.startswith("odoo.log.")
    absolute = str(Path.cwd() / "odoo.log")
    assert position.offset_files("odoo.log", state)[0] == position.offset_files(absolute, state)[0]
    odd = position.offset_files("/srv/" + "ö \n" * 80, state)[0]
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
