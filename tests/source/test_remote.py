"""Logs at URLs: the same bytes as of files, and nothing that is secret in any name or sentence."""

import gzip
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import fsspec
import pytest

from logparse.source import remote
from logparse.source.error import SourceError, shown
from logparse.source.files import order_files, read_files, total_bytes, written
from logparse.source.parts import CutShort, Part, before, parts, read_part, weight
from logparse.source.url import is_url, name_of, secret, url_of, without_secrets
from tests.loopback import Ranges, Whole, served

LOG = "16.0-w2-info/odoo.log"
_numbers = count()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_PAUSES", [0.0])


@pytest.fixture
def memory() -> Iterator[str]:
    """A place in fsspec's memory, of this test alone."""
    root = f"memory://logs-{next(_numbers)}"
    yield root
    fsspec.filesystem("memory").rm(root, recursive=True)


def put(url: str, data: bytes) -> str:
    with fsspec.open(url, "wb") as file:
        file.write(data)
    return url


def content(names: list[str], chunk_size: int = 1 << 20) -> list[bytes]:
    held: dict[str, bytes] = {}
    for chunk in read_files(names, chunk_size=chunk_size):
        assert chunk.offset == len(held.setdefault(chunk.file, b""))
        held[chunk.file] += chunk.data
    return [held[name] for name in names]


def test_the_bytes_of_every_kind_of_place(fixtures: Path, memory: str, tmp_path: Path) -> None:
    data = (fixtures / LOG).read_bytes()
    (tmp_path / "odoo.log").write_bytes(data)
    (tmp_path / "odoo.log.gz").write_bytes(gzip.compress(data))
    put(f"{memory}/odoo.log", data)
    put(f"{memory}/odoo.log.gz", gzip.compress(data))
    with served(tmp_path) as (ranges, _), served(tmp_path, Whole) as (whole, _):
        for place in (memory, f"file://{tmp_path}", ranges, whole):
            names = [
                name for end in ("odoo.log", "odoo.log.gz") for name in remote.expanded(f"{place}/{end}")
            ]
            assert content(names, 10_000) == [data, data]
            assert (total_bytes(names) or 0) > len(data)


def test_a_pattern(memory: str, tmp_path: Path) -> None:
    for folder in ("2026-01", "2026-02", "2027-01"):
        put(f"{memory}/{folder}/odoo.log.gz", b"x")
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "odoo.log.gz").write_bytes(b"x")
    with served(tmp_path) as (http, _):
        for place in (memory, f"file://{tmp_path}", http):
            found = [f"{place}/2026-0{month}/odoo.log.gz" for month in (1, 2)]
            ends = [name.removeprefix("memory:").lstrip("/") for name in found]
            got = remote.expanded(f"{place}/2026-*/odoo.log.gz")
            assert [name.removeprefix("memory:").lstrip("/") for name in got] == ends
    # One that is called like a pattern.
    put(f"{memory}/a[b", b"x")
    assert [name.endswith("/a[b") for name in remote.expanded(f"{memory}/a[b")] == [True]
    with pytest.raises(SourceError, match="nothing is called like"):
        remote.expanded(f"{memory}/2028-*")


def test_the_order_of_time(fixtures: Path, tmp_path: Path) -> None:
    line = "2026-11-{:02} 02:59:20,896 17636 INFO prod odoo.modules.loading: Modules loaded. \n"
    for day in (3, 1, 2):
        (tmp_path / f"{9 - day}.log").write_text(line.format(day) * 30_000)
    with served(tmp_path) as (http, asked):
        assert order_files([f"{http}/{name}.log" for name in (6, 7, 8)]) == [
            f"{http}/{name}.log" for name in (8, 7, 6)
        ]
        # Of each, its beginning is enough.
        ranges = [headers["Range"] for _, _, headers in asked if "Range" in headers]
    sizes = [
        int(end) - int(start) for start, end in (one.removeprefix("bytes=").split("-") for one in ranges)
    ]
    assert sum(sizes) < 3 * 300_000
    assert written(f"{http}/6.log") // 1000 == int((tmp_path / "6.log").stat().st_mtime)


@pytest.mark.parametrize("kind", [Ranges, Whole])
def test_parts(kind: type[Whole], fixtures: Path, tmp_path: Path, memory: str) -> None:
    data = (fixtures / LOG).read_bytes()
    (tmp_path / "odoo.log").write_bytes(data)
    put(f"{memory}/odoo.log", data)
    with served(tmp_path, kind) as (http, _):
        for name in (f"{http}/odoo.log", f"{memory}/odoo.log"):
            divided = parts([name], span=50_000, chunk_size=10_000)
            ranged = kind is Ranges or not name.startswith("http")
            assert len(divided) > 3 if ranged else divided == [Part(name)]
            assert (
                b"".join(chunk.data for part in divided for chunk in read_part(part, chunk_size=10_000))
                == data
            )
            if ranged:
                assert before(Part(name, 100_000), 5000).data == data[95_000:100_000].partition(b"\n")[2]
                with pytest.raises(CutShort):
                    list(read_part(Part(name, len(data) - 10, len(data) + 10), chunk_size=20))
            assert weight([name], 1 << 30) == len(data)


def test_what_breaks_off_is_delivered_so_far(tmp_path: Path, fixtures: Path) -> None:
    data = (fixtures / LOG).read_bytes()
    (tmp_path / "broken.log").write_bytes(data)
    with served(tmp_path) as (http, _):
        got = b""
        with pytest.raises(SourceError, match=r"broken.log cannot be read \(its server answers 503\)"):
            for chunk in read_files([f"{http}/broken.log"]):
                got += chunk.data
        assert data.startswith(got)
        (chunk,) = read_part(Part(f"{http}/broken.log", 50_000, 60_000), chunk_size=10_000)
        assert chunk.data == data[50_000:60_000]


def test_a_busy_server(tmp_path: Path, fixtures: Path) -> None:
    data = (fixtures / LOG).read_bytes()
    (tmp_path / "busy.log").write_bytes(data)
    with served(tmp_path) as (http, _):
        assert content([f"{http}/busy.log"]) == [data]
        assert b"".join(chunk.data for chunk in read_part(Part(f"{http}/busy.log", 65536))) == data[65536:]


def test_what_became_shorter_is_not_taken_for_whole(memory: str, fixtures: Path) -> None:
    data = (fixtures / LOG).read_bytes()
    name = put(f"{memory}/odoo.log", data)
    assert total_bytes([name]) == len(data)
    put(name, data[:100_000])
    with pytest.raises(SourceError, match="gave less than it is long"):
        content([name])
    with pytest.raises(SourceError, match="gave less than it is long"):
        list(read_part(Part(name, 65536)))


def refusal(url: str) -> str:
    with pytest.raises(SourceError) as raised:
        order_files(remote.expanded(url))
    text = str(raised.value)
    assert "\n" not in text
    assert raised.value.__cause__ is None or isinstance(raised.value.__cause__, ImportError)
    return text


def test_sentences(tmp_path: Path, memory: str) -> None:
    with served(tmp_path) as (http, _):
        secretly = http.replace("//", "//user:pass/word@") + "/odoo.log?X-Amz-Signature=hidden"
        assert refusal(secretly) == f"{http}/odoo.log does not exist: check the URL"
    assert "cannot be reached" in refusal(f"{http}/odoo.log")  # it is gone
    put(f"{memory}/folder/x", b"x")
    assert f"is a directory: name the log files in it, as {memory}/folder/*" in refusal(f"{memory}/folder")
    assert refusal("nobody://host/x") == "nobody://host/x cannot be read: fsspec knows no nobody://"


def test_secrets() -> None:
    for url, name in {
        "https://user:pw@host:8080/a/odoo.log?X-Amz-Signature=s&y=z": "https://host:8080/a/odoo.log",
        "s3://KEY:SEC/RET@bucket/odoo.log": "s3://bucket/odoo.log",
        "http://host:8080/x@y.log": "http://host:8080/x@y.log",
        "sftp://user@host/odoo.log": "sftp://host/odoo.log",
        "simplecache::https://u:p@host/odoo.log?sig=1": "simplecache::https://host/odoo.log",
        "zip://odoo.log::https://u:p@host/logs.zip?sig=1": "zip://odoo.log::https://host/logs.zip",
        "https://host/odoo.log?token": "https://host/odoo.log",
        "abfs://logs@account.dfs.core.windows.net/odoo.log": "abfs://logs@account.dfs.core.windows.net/odoo.log",
        "s3://bucket/odoo.log.?": "s3://bucket/odoo.log.?",
    }.items():
        assert is_url(url)
        assert shown(url) == without_secrets(url) == name
        assert without_secrets(f"403, url='{url}'").startswith("403, url=")
        assert "sig" not in without_secrets(f"403, url='{url}'").lower()
    assert not is_url("/var/log/odoo.log")
    assert not is_url("./a::b")


def test_a_name_is_of_one_url() -> None:
    first = name_of("https://host/get?file=a")
    second = name_of("https://host/get?file=b")
    assert (first, second) == ("https://host/get", "https://host/get#2")
    assert name_of("https://host/get?file=a") == first
    assert url_of(second) == "https://host/get?file=b"
    assert secret([first, "https://host/plain"]) == {first: "https://host/get?file=a"}
