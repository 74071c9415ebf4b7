"""Which logs are followed of what was given: none twice, by a rotated piece of it."""

import gzip
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from logparse.cli import following as following_module
from logparse.cli.following import Following
from logparse.cli.given import left_out, pieces
from logparse.cli.options import Reading
from logparse.source.error import SourceError
from tests.cli.test_serve import LISTEN, Logparse, Served, Started, in_one_go


@pytest.fixture
def rotated(fixtures: Path, tmp_path: Path) -> Path:
    """A folder with a log and its six pieces, one of them compressed."""
    folder = tmp_path / "logs"
    folder.mkdir()
    recorded = fixtures / "12.0-w2-rotate-rename"
    (folder / "odoo.log").write_bytes((recorded / "odoo.log").read_bytes())
    for number in range(1, 7):  # of the recorded ones the first is the oldest
        (folder / f"odoo.log.{7 - number}").write_bytes((recorded / f"odoo.log.{number}").read_bytes())
    last = folder / "odoo.log.6"
    last.with_name("odoo.log.6.gz").write_bytes(gzip.compress(last.read_bytes()))
    last.unlink()
    return folder


def globbed(folder: Path) -> list[Path]:
    """As a shell has it."""
    return sorted(folder.glob("odoo.log*"))


def test_serve_counts_what_a_shells_pattern_names_once(started: Started, rotated: Path) -> None:
    files = globbed(rotated)
    assert len(files) == 7
    served = Served(started("serve", *LISTEN, "--start", "beginning", *files))
    log = rotated / "odoo.log"
    served.until_said(
        "level=warning", f"{log}.1, {log}.2 and 4 more are rotated pieces of {log}, and are read with it"
    )
    served.until_jobs(in_one_go(*files))
    read = {
        labels: value for (name, labels), value in served.samples().items() if name.endswith("bytes_total")
    }
    whole = sum(file.stat().st_size for file in files[:-1]) + len(gzip.decompress(files[-1].read_bytes()))
    assert read == {(("file", str(log)),): whole}


def test_a_servers_pattern_names_pieces_too(rotated: Path) -> None:
    """logparse itself puts in what it stands for."""
    following = Following(Reading((), servers=(("a", tuple(map(str, globbed(rotated)))),)), "end")
    assert [one.follower.path for one in following.live] == [str(rotated / "odoo.log")]
    assert len(following.notes) == 1
    following.close()


def test_follow_tells_what_a_shells_pattern_names_once(
    started: Started, logparse: Logparse, rotated: Path, tmp_path: Path
) -> None:
    """Also what the pieces have: they were given. Without them it begins with the log itself."""
    expected = logparse("events", "--no-settle-at-end", *globbed(rotated)).stdout.splitlines()
    alone = logparse("events", "--no-settle-at-end", rotated / "odoo.log").stdout.splitlines()
    assert len(alone) < len(expected)
    for files, told in (globbed(rotated), expected), ([rotated / "odoo.log"], alone):
        output = tmp_path / f"of-{len(files)}.jsonl"
        process = started("events", "--follow", "--output", output, *files)
        until(lambda output=output, told=told: output.exists() and len(lines(output)) >= len(told))
        assert kinds(lines(output)) == kinds(told)
        process.kill()
        assert process.stderr is not None
        assert ("are rotated pieces of" in process.stderr.read()) == (len(files) > 1)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def kinds(told: list[str]) -> list[str]:
    return [json.loads(line)["event"] for line in told]


def until(true: Callable[[], bool]) -> None:
    for _ in range(300):
        if true():
            return
        time.sleep(0.05)
    pytest.fail("in vain")


def test_a_compressed_file_that_is_no_piece_of_a_given_log_is_refused(
    logparse: Callable[..., subprocess.CompletedProcess[str]], rotated: Path
) -> None:
    ran = logparse("serve", *LISTEN, rotated / "odoo.log.6.gz", rotated / "odoo.log.5")
    assert ran.returncode == 1
    assert "is compressed (gzip) and will not grow" in ran.stderr
    with pytest.raises(SourceError, match="is compressed"):
        Following(Reading((str(rotated / "odoo.log.6.gz"), str(rotated / "else.log"))), "end")


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(following_module, "_LOOK_SECONDS", 0.0)
    yield


@pytest.mark.usefixtures("at_once")
def test_a_piece_that_appears_and_matches_a_pattern_is_no_log_of_its_own(tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    log.write_bytes(b"2026-11-24 03:00:00,000 7 INFO prod odoo.modules.loading: one line \n")
    following = Following(Reading((str(log), f"{log}.*", f"{tmp_path}/other*.log")), "beginning")
    assert following.unmatched == [f"{log}.*", f"{tmp_path}/other*.log"]
    log.rename(f"{log}.1")
    log.touch()
    (tmp_path / "other-a.log").touch()
    for _ in range(500):
        if len(following.live) > 1:
            break
        following.poll()
    assert [one.follower.path for one in following.live] == [str(log), f"{tmp_path}/other-a.log"]
    assert following.unmatched == []
    following.close()


@pytest.mark.parametrize(
    ("given", "left"),
    [
        (
            ["a.log", "a.log.1", "a.log-20261124.gz", "a-20261124.log"],
            ["a.log.1", "a.log-20261124.gz", "a-20261124.log"],
        ),
        (["a.log.1", "a.log"], ["a.log.1"]),
        (["a.log.1", "a.log.2"], []),
        (["a.log", "b.log", "a-2.log", "a.log.bak"], []),
        # Of a container the newest is the log.
        (["0.log", "1.log", "2.log", "1.log.20261124-080000"], ["0.log", "1.log", "1.log.20261124-080000"]),
        # The piece of a piece is none of the log's.
        (["a.log", "a.log.1", "a.log.1.1"], ["a.log.1"]),
        (["a.log", "x/a.log.1", "./a.log.2", "x/../a.log.3"], ["./a.log.2", "x/../a.log.3"]),
    ],
)
def test_pieces_by_their_names(given: list[str], left: list[str]) -> None:
    assert list(pieces(given)) == left


def test_the_pieces_of_a_link_lie_where_it_points_to_too(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link.log").symlink_to("real/odoo.log")
    (tmp_path / "folder").symlink_to("real")
    given = [
        str(tmp_path / name) for name in ("link.log", "real/odoo.log.1", "folder/odoo.log.2", "link.log.3")
    ]
    assert pieces(given) == dict.fromkeys(given[1:], given[0])


def test_what_is_left_out_is_said_in_a_sentence_for_each_log() -> None:
    assert list(left_out({"a.1": "a", "b.1": "b", "b.2": "b"})) == [
        "a.1 is a rotated piece of a, and is read with it: leave it out",
        "b.1 and b.2 are rotated pieces of b, and are read with it: leave them out",
    ]
