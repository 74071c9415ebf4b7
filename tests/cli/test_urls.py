"""Logs and outputs at URLs: what is told is what files tell, and nothing secret is."""

import gzip
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest
from click.testing import CliRunner

from logparse.cli import main
from logparse.cli.replay import command as replay
from tests import recorded
from tests.loopback import Ranges, Whole, served

Logparse = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log, and a compressed piece that came before it."""
    text = recorded.texts("16.0-w2-info")["odoo.log"]
    folder = tmp_path_factory.mktemp("logs")
    (folder / "odoo.log").write_bytes(text)
    (folder / "odoo.log.1.gz").write_bytes(gzip.compress(text.replace(b"2026-11-24", b"2026-11-23")))
    return folder


@pytest.mark.parametrize("kind", [Ranges, Whole])
def test_the_same_as_of_files(kind: type[Whole], logs: Path, logparse: Logparse) -> None:
    files = logparse("events", logs / "odoo.log", logs / "odoo.log.1.gz")
    with served(logs, kind) as (http, asked):
        url = http.replace("//", "//user:secret@")
        done = logparse("events", f"{url}/odoo.log?sign=secret", f"{url}/odoo.log.1.gz")
        assert (done.returncode, done.stderr) == (0, "")
        assert "secret" not in done.stdout
        assert done.stdout.replace(http, str(logs)) == files.stdout
        assert all(headers["Authorization"].startswith("Basic ") for _, _, headers in asked)
        found = logparse("events", f"{http}/odoo.log*")
        assert found.stdout.replace(http, str(logs)) == files.stdout


def test_several_processes(logs: Path, logparse: Logparse, tmp_path: Path) -> None:
    text = (logs / "odoo.log").read_bytes()
    (tmp_path / "odoo.log").write_bytes(text * (13_000_000 // len(text)))
    files = logparse("replay", "--json", "--workers", "1", tmp_path / "odoo.log")
    with served(tmp_path) as (http, asked):
        done = logparse("replay", "--json", "--workers", "2", f"{http}/odoo.log")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.replace(http, str(tmp_path)) == files.stdout
    # By parts: nobody asked for what stands just before the third one but who read that.
    assert any(
        "Range" in headers and f"-{(1 << 16) + (6 << 20) - 1}" in headers["Range"] for _, _, headers in asked
    )


def test_refusals(logs: Path, logparse: Logparse, tmp_path: Path) -> None:
    log = logs / "odoo.log.1.gz"
    there = f"file://{tmp_path}"
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x").touch()
    for arguments, sentence in {
        (
            "replay",
            "s3://key:secret@bucket/odoo.log",
        ): "s3://bucket/odoo.log needs s3fs: install it with `pip",
        ("serve", f"file://{log}"): "is a URL and cannot be followed: name the file that Odoo writes",
        ("replay", "--html", "https://u:secret@host/x", log): "nothing can be written to https://host/x",
        ("replay", "--html", f"{there}/no/x", log): f"there is no directory {tmp_path}/no: make it first",
        ("replay", "--html", f"file://{log}", f"file://{log}"): "is one of the logs",
        ("events", "-o", f"file://{log}", f"file://{log}"): "is one of the logs",
        ("replay", "--parquet", f"{there}/full", log): "there is something at",
        ("replay", f"{there}/none*"): "nothing is called like",
    }.items():
        done = logparse(*arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert sentence in done.stderr
        assert done.stderr.count("\n") == 1
        assert "secret" not in done.stderr


def test_what_is_followed_cannot_be_written_to_a_url(logs: Path, logparse: Logparse, tmp_path: Path) -> None:
    done = logparse("events", "--follow", "-o", f"file://{tmp_path}/events", logs / "odoo.log")
    assert done.returncode == 2
    assert "nothing can be added to what is at a URL" in done.stderr


@pytest.mark.parametrize("missing", ["fsspec", "aiohttp"])
def test_what_is_not_installed(missing: str, environment: dict[str, str]) -> None:
    script = f"import sys; sys.modules[{missing!r}] = None; from logparse.cli import main; main(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", script, "replay", "http://127.0.0.1:1/odoo.log"],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 1
    assert "install it with `pip install 'logparse[remote]'`" in done.stderr
    assert done.stderr.count("\n") == 1


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(one.relative_to(folder)): one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()
    }


def test_outputs(logs: Path, logparse: Logparse, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for folder, place in ((here, str(here)), (there, f"file://{there}")):
        folder.mkdir()
        outputs = (
            ("--html", "r.html"),
            ("--openmetrics", "h.om"),
            ("--otlp", "t.jsonl"),
            ("--parquet", "tables"),
        )
        options = [text for option, name in outputs for text in (option, f"{place}/{name}")]
        assert logparse("replay", "--json", *options, logs / "odoo.log.1.gz").returncode == 0
        assert logparse("events", "-o", f"{place}/events", logs / "odoo.log.1.gz").returncode == 0
    made = contents(there)
    assert made.keys() == contents(here).keys() > {"r.html", "h.om", "t.jsonl", "events"}
    assert any(name.endswith(".parquet") for name in made)
    assert {name: data for name, data in made.items() if not name.endswith(".parquet")} == {
        name: data for name, data in contents(here).items() if not name.endswith(".parquet")
    }


def test_what_is_damaged_is_left_out(logs: Path, logparse: Logparse, tmp_path: Path) -> None:
    damaged = tmp_path / "odoo.log.2.gz"
    damaged.write_bytes((logs / "odoo.log.1.gz").read_bytes()[:-1000])
    done = logparse("events", "-o", f"file://{tmp_path}/events", damaged, logs / "odoo.log")
    assert done.returncode == 1
    assert "could be read only in part" in done.stderr
    printed = logparse("events", damaged, logs / "odoo.log")
    assert (tmp_path / "events").read_text() == printed.stdout != ""


def test_nothing_half_written_is_left(logs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A store that takes a part of what it is given and then no more."""
    from fsspec.implementations.local import LocalFileOpener

    written = 0
    out, temporary = tmp_path / "out", tmp_path / "temporary"
    out.mkdir()
    temporary.mkdir()

    def write(self: Any, data: bytes) -> int:
        nonlocal written
        written += len(data)
        if written > 20_000:
            raise OSError("403 for url https://host/?sign=secret")
        return int(self.f.write(data))

    monkeypatch.setattr(LocalFileOpener, "write", write)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    for option, name in (("--html", "r.html"), ("--parquet", "tables")):
        written = 0
        arguments = [option, f"file://{out}/{name}", str(logs / "odoo.log")]
        done = CliRunner().invoke(replay, arguments)
        text = str(done.exception)
        assert re.fullmatch(
            rf"file://{out}/{name} cannot be written \(OSError: 403 for url https://host/\): check the URL; "
            "nothing of it is left",
            text,
        )
        assert [one for one in tmp_path.rglob("*") if one.is_file()] == []
        assert list(temporary.iterdir()) == []


def test_memory_in_one_process(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with fsspec.open("memory://in/odoo.log", "wb") as file:
        file.write(recorded.texts("16.0-w2-info")["odoo.log"])
    with pytest.raises(SystemExit) as ended:
        main(["replay", "--format", "markdown", "memory://in/odoo.log"])
    assert ended.value.code == 0
    assert "261 jobs ran in 291 attempts" in capsys.readouterr().out.replace("*", "")
    fsspec.filesystem("memory").rm("/in", recursive=True)
