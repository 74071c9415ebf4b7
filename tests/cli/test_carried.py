"""A state that another release wrote, or that other patterns or options made, is carried over."""

import re
import sys
import tempfile
from collections.abc import Callable
from contextlib import chdir
from hashlib import blake2b
from pathlib import Path

import msgspec
import pytest

from logparse import Counts
from logparse.cli import snapshot as form
from logparse.cli.following import Following
from logparse.cli.options import Reading
from logparse.cli.snapshot import Snapshot
from tests.cli.conftest import ROOT
from tests.cli.test_serve import Logparse, Served, Started, in_one_go, of_jobs, serve, told_of

__all__ = ["serve"]

STATES = sorted((Path(__file__).parent / "states").iterdir())
"""Each after the first 1500 lines of fixtures/16.0-w2-info (`write_state`), by the form of the file. Of a
form that was released none is replaced: where a stage holds things in another way, it reads them."""


def written(snapshot: Snapshot, version: int) -> bytes:
    body = form.compress(msgspec.msgpack.encode(snapshot))
    return b"logparse state %d %s\n" % (version, blake2b(body, digest_size=20).hexdigest().encode()) + body


def moved(file: Path, log: Path) -> tuple[Snapshot, int]:
    """The state as if it had been made of this log."""
    content = file.read_bytes()
    version = re.match(rb"logparse state (\d+) ", content)
    assert version is not None
    snapshot = form.decode(content)
    (one,) = snapshot.logs
    one.path = str(log)
    return snapshot, int(version[1])


@pytest.fixture
def log(fixtures: Path, tmp_path: Path) -> Path:
    path = tmp_path / "odoo.log"
    path.write_bytes((fixtures / "16.0-w2-info" / "odoo.log").read_bytes())
    return path


@pytest.mark.parametrize("file", STATES, ids=lambda file: file.stem)
def test_a_state_of_every_form(serve: Callable[..., Served], log: Path, tmp_path: Path, file: Path) -> None:
    snapshot, version = moved(file, log)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "logparse.state").write_bytes(written(snapshot, version))
    served = serve("--state", tmp_path / "state", "odoo.log")
    assert not list((tmp_path / "state").glob("*.aside.*")), (
        f"a stage holds things otherwise than in {file}: before that form is released, `python -m "
        "tests.cli.test_carried FILE` makes it anew; after it, teach logparse/cli/restored.py to read it"
    )
    served.until(lambda: served.get("/metrics")[0] == 200)
    served.until_jobs(in_one_go(log))
    assert served.bytes_read(Path("odoo.log")) == log.stat().st_size


def test_a_lifecycle_that_is_not_known(serve: Callable[..., Served], log: Path, tmp_path: Path) -> None:
    """A release may hold its jobs in another way: what was counted, and where, is taken over all the same."""
    snapshot, version = moved(STATES[0], log)
    snapshot.classes = [
        (name, [*fields, "more"]) if name == "lifecycle.jobs.Jobs" else (name, fields)
        for name, fields in snapshot.classes
    ]
    (tmp_path / "state").mkdir()
    content = written(snapshot, version)
    (tmp_path / "state" / "logparse.state").write_bytes(content)
    served = serve("--state", tmp_path / "state", "odoo.log")
    said = served.until_said("level=error", "only positions and counters are used")
    assert "in another form" in said
    assert (tmp_path / "state" / "logparse.state.aside.1").read_bytes() == content
    served.until(lambda: served.get("/metrics")[0] == 200)
    runs = sum(value for (name, _), value in in_one_go(log).items() if name == "odoo_queue_job_runs_total")
    served.until(lambda: told_of(served, "odoo_queue_job_runs_total") > 0.9 * runs)
    assert told_of(served, "odoo_queue_job_runs_total") <= runs


def test_other_patterns(serve: Callable[..., Served], log: Path, tmp_path: Path) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:1500]))
    first = serve("--state", tmp_path / "state", "--start", "beginning", log)
    first.read(log)
    first.stop()
    mine = tmp_path / "patterns"
    mine.mkdir()
    text = (ROOT / "patterns" / "connector.yaml").read_bytes()
    (mine / "mine.yaml").write_bytes(text)
    with log.open("ab") as file:
        file.write(b"".join(lines[1500:]))
    second = serve("--state", tmp_path / "state", "--patterns", mine, log)
    second.until_said("level=info", "the patterns are others than those")
    second.until(lambda: second.get("/metrics")[0] == 200)
    second.until_jobs(in_one_go(log))


@pytest.mark.parametrize("form", ["indented", "given"])
def test_logs_of_forms_that_are_not_built_in(
    serve: Callable[..., Served],
    logparse: Logparse,
    started: Started,
    fixtures: Path,
    tmp_path: Path,
    form: str,
) -> None:
    """An indentation is measured, and a format may be given: both are known after a restart."""
    text = (fixtures / "16.0-w2-info" / "odoo.log").read_bytes()
    options: tuple[str, ...] = ()
    if form == "indented":
        text = re.sub(rb"(?m)^(?=.)", b"      ", text)
    else:
        record = re.compile(rb"(?m)^(\S+ \S+) (\d+) ([A-Z]+) (\S+) ([\w.]+): ")
        text = record.sub(rb"\1|\2|\3|\4|\5|", text)
        options = (
            "--log-format",
            "%(asctime)s|%(process)d|%(levelname)s|%(dbname)s|%(name)s|%(message)s",
        )
    lines = text.splitlines(keepends=True)
    log, whole = tmp_path / "odoo.log", tmp_path / "whole.log"
    whole.write_bytes(text)
    log.write_bytes(b"".join(lines[:1500]))
    first = serve("--state", tmp_path / "state", "--start", "beginning", *options, log)
    first.read(log)
    first.until(lambda: first.get("/healthz")[0] == 200)
    first.stop()
    with log.open("ab") as file:
        file.write(b"".join(lines[1500:]))
    second = serve("--state", tmp_path / "state", *options, log)
    once = serve("--start", "beginning", *options, whole)
    once.read(whole)
    second.until(lambda: second.get("/metrics")[0] == 200)
    assert told_of(once, "odoo_queue_job_runs_total") > 200
    second.until_jobs(of_jobs(once.samples()))


def write_state(file: Path) -> None:
    """Make the state of this release: `python -m tests.cli.test_carried FILE`."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        log = Path("odoo.log")
        lines = (ROOT / "fixtures" / "16.0-w2-info" / "odoo.log").read_bytes().splitlines(keepends=True)
        log.write_bytes(b"".join(lines[:1500]))
        following = Following(Reading((str(log),)), "beginning")
        counts = Counts()
        while (found := following.poll())[0] or not following.live[0].passed:
            for output in found[1]:
                counts.add(output)
        state = form.encode(following.snapshot(counts.to_state()))
    file.write_bytes(state)


if __name__ == "__main__":
    write_state(Path(sys.argv[1]))
