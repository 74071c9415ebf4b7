"""A file is there whole or not at all."""

import os
import threading
from pathlib import Path

import pytest

from logparse.out.whole import WholeFile


def test_it_is_there_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("before")
    with WholeFile(path) as whole:
        whole.file.write(b"after")
        whole.file.flush()
        assert path.read_text() == "before"
    assert path.read_text() == "after"
    assert [found.name for found in tmp_path.iterdir()] == ["report.html"]


def test_nothing_is_left_of_what_failed(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    with pytest.raises(KeyboardInterrupt), WholeFile(path) as whole:
        whole.file.write(b"half")
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_it_has_the_mode_that_files_have(tmp_path: Path) -> None:
    other, path = tmp_path / "other", tmp_path / "report.html"
    other.touch()
    with WholeFile(path):
        pass
    assert path.stat().st_mode == other.stat().st_mode


def test_a_link_stays_one(tmp_path: Path) -> None:
    path, link = tmp_path / "report.html", tmp_path / "link.html"
    path.write_text("before")
    link.symlink_to(path)
    with WholeFile(link) as whole:
        whole.file.write(b"after")
    assert link.is_symlink()
    assert path.read_text() == "after"


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    with WholeFile(path) as whole:
        whole.file.write(b"all")
    reader.join(10)
    assert read == [b"all"]
    assert path.is_fifo()
