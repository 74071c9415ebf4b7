"""Several files are one log in pieces, in the order of time."""

import gzip
import os
from pathlib import Path

import pytest

from logparse.source.files import order_files, total_bytes
from tests.source.reading import HEADER


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
