"""The workers of a Dask cluster tell what one process tells, whatever happens to them."""

import gzip
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from distributed import LocalCluster, SchedulerPlugin

from logparse.cli.clusterwork import elsewhere, head_of
from logparse.cli.error import CliError
from logparse.cli.replay import command as replay
from tests import recorded
from tests.loopback import served

Logparse = Callable[..., subprocess.CompletedProcess[str]]
Started = Callable[..., subprocess.Popen[str]]


class Watch(SchedulerPlugin):
    """Sees what becomes of the parts. then: called with the worker that has begun the third one."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.lost: list[str] = []
        self.then: Callable[[str], None] | None = None
        self.seen = threading.Event()

    def transition(self, key: Any, start: Any, finish: Any, *_: Any, **kwargs: Any) -> None:
        if not str(key).startswith("logparse-part-"):
            return
        if finish == "processing":
            self.begun.append(key)
            if len(self.begun) == 3 and self.then is not None:
                self.then(kwargs.get("worker") or self.scheduler.tasks[key].processing_on.address)
            self.seen.set()
        elif start == "processing" and finish not in ("memory", "forgotten"):
            self.lost.append(key)

    async def start(self, scheduler: Any) -> None:
        self.scheduler = scheduler


@pytest.fixture(scope="module")
def two() -> Iterator[Any]:
    """A cluster of two processes."""
    with local(2) as cluster:
        yield cluster


def local(workers: int) -> Any:
    """A cluster of so many processes of this machine."""
    make: Any = LocalCluster
    return make(n_workers=workers, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50)


@pytest.fixture
def watch(two: Any) -> Iterator[Watch]:
    watching = Watch()
    watching.scheduler = two.scheduler
    two.scheduler.add_plugin(watching, name="watch")
    yield watching
    two.scheduler.remove_plugin("watch")


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain log of several parts, and four compressed pieces, one of which is damaged."""
    text = recorded.texts("16.0-w2-info")["odoo.log"]
    folder = tmp_path_factory.mktemp("logs")
    for day in (20, 21, 22, 23):
        piece = gzip.compress(text.replace(b"2026-11-24", b"2026-11-%d" % day) * 16, 1)
        (folder / f"odoo.log.{day}.gz").write_bytes(piece[:-1000] if day == 22 else piece)
    (folder / "odoo.log").write_bytes(text * (9_000_000 // len(text)))
    return folder


@pytest.fixture(scope="module")
def alone(logs: Path) -> Result:
    """What one process tells."""
    return run("--json", "--workers", "1", *map(str, sorted(logs.iterdir())))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(replay, arguments)


def kill(cluster: Any, worker: str) -> None:
    (pid,) = (nanny.pid for nanny in cluster.workers.values() if nanny.worker_address == worker)
    os.kill(pid, signal.SIGKILL)


def test_a_killed_worker(two: Any, watch: Watch, logs: Path, alone: Result, logparse: Logparse) -> None:
    watch.then = lambda worker: kill(two, worker)
    done = logparse("replay", "--json", "--dask", two.scheduler_address, *sorted(logs.iterdir()))
    assert done.stdout == alone.stdout
    assert watch.lost  # and was given to another one
    # What is damaged is told, as by one process, and nothing else.
    assert "odoo.log.22.gz could be read only in part" in str(alone.exception)
    assert done.stderr == f"logparse: {alone.exception}\n"
    assert done.returncode == 1
    # All but the first chunks of the plain log were read there.
    assert len(set(watch.begun)) >= 4 + 2


def test_a_part_that_no_worker_survives(
    two: Any, watch: Watch, logs: Path, alone: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(two.scheduler, "allowed_failures", 0)
    watch.then = lambda worker: kill(two, worker)
    done = run("--json", "--dask", two.scheduler_address, *map(str, sorted(logs.iterdir())))
    assert done.stdout == alone.stdout
    assert "workers of the cluster died while they read a part" in done.stderr


def test_ctrl_c(two: Any, watch: Watch, logs: Path, started: Started) -> None:
    process = started("replay", "--dask", two.scheduler_address, *sorted(logs.iterdir()))
    assert watch.seen.wait(30)
    process.send_signal(signal.SIGINT)
    assert process.communicate() == ("", "logparse: interrupted\n")
    assert process.returncode == 130
    assert [key for key in two.scheduler.tasks if str(key).startswith("logparse")] == []


def test_urls(two: Any, watch: Watch, logs: Path, tmp_path: Path, logparse: Logparse) -> None:
    files = run("--json", "--workers", "1", str(logs / "odoo.log"), str(logs / "odoo.log.20.gz"))
    with served(logs) as (http, asked):
        url = http.replace("//", "//user:secret@")
        done = logparse(
            *(
                "replay",
                "--json",
                "--html",
                f"file://{tmp_path}/report.html",
                "--dask",
                two.scheduler_address,
            ),
            *(f"{url}/odoo.log?sign=secret", f"{url}/odoo.log.20.gz"),
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.replace(http, str(logs)) == files.stdout
    assert "secret" not in (tmp_path / "report.html").read_text()
    assert len(watch.begun) >= 3
    assert all(headers["Authorization"].startswith("Basic ") for _, _, headers in asked)


def test_servers(two: Any, watch: Watch, logs: Path, tmp_path: Path, logparse: Logparse) -> None:
    """Several logs that are put in the order of time; one of them tells its version later than the others."""
    other = recorded.texts("18.0-w2-dead-info")["odoo.log"]
    (tmp_path / "b.log").write_bytes(other * (500_000 // len(other)))
    lines = (logs / "odoo.log").read_bytes().splitlines(keepends=True)
    (tmp_path / "c.log").write_bytes(b"".join(lines[500:40_000]))
    given = ("--server", f"a={logs}/odoo.log.2[12]*", "--server", f"b={tmp_path}/b.log", tmp_path / "c.log")
    one = logparse("events", *given)
    done = logparse("events", "--dask", two.scheduler_address, *given)
    assert one.returncode == done.returncode == 1  # a piece is damaged
    assert done.stderr == one.stderr
    assert done.stdout == one.stdout
    assert len({key.rsplit("-", 2)[1] for key in watch.begun}) == 3


def test_refusals(two: Any, logs: Path, fixtures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    address = two.scheduler_address
    log = str(logs / "odoo.log")
    with fsspec.open("memory://here/odoo.log", "wb") as file:
        file.write((logs / "odoo.log").read_bytes())
    monkeypatch.chdir(logs)
    for arguments, sentence in {
        (
            address,
            "memory://here/odoo.log",
        ): "cannot read what is read here: memory://here/odoo.log does not exist",
        (address, "odoo.log"): "odoo.log is a path from here",
        (address, "-"): "- is no file, which a cluster could read",
        (address, "--http", log): "with --http one process reads all",
        ("http://u:secret@host:1", log): "http://host:1 is no address of a Dask scheduler",
    }.items():
        done = run("--dask", *arguments)
        assert sentence in str(done.exception)
        assert isinstance(done.exception, CliError)
        assert done.output == ""


def test_other_releases(two: Any, logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = str(logs / "odoo.log")
    monkeypatch.setattr("logparse.cli.cluster.__version__", "9.9")
    done = run("--dask", two.scheduler_address, log)
    assert re.match(
        r"the worker tcp://127.0.0.1:\d+ of the cluster has logparse 0.1.0, and this is .*: install the same",
        str(done.exception),
    )
    monkeypatch.undo()
    for module in ("cluster", "clusterwork"):
        monkeypatch.setattr(f"logparse.cli.{module}.build", lambda: "0.1.0+changed")
    done = run("--dask", two.scheduler_address, log)
    assert re.match(
        r"a worker of the cluster has logparse 0.1.0\+[0-9a-f]{16}, and this is 0.1.0\+changed: install",
        str(done.exception),
    )


def test_nobody_there(logs: Path, logparse: Logparse, monkeypatch: pytest.MonkeyPatch) -> None:
    log = str(logs / "odoo.log")
    env = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "300ms"}
    done = logparse("replay", "--dask", "tcp://127.0.0.1:1", log, env=env)
    assert done.returncode == 1
    assert done.stderr == (
        "logparse: the Dask scheduler at tcp://127.0.0.1:1 cannot be reached: check the address, such as "
        "tcp://scheduler:8786, and that `dask scheduler` runs there\n"
    )
    monkeypatch.setattr("logparse.cli.cluster.PATIENCE", 0.5)
    with local(0) as none:
        refused = run("--dask", none.scheduler_address, log)
        assert "has no workers: start some, such as with `dask worker tcp://" in str(refused.exception)
        assert "waits up to 0.5 s for a worker" in refused.stderr


def test_what_is_not_installed(logs: Path, environment: dict[str, str]) -> None:
    script = (
        "import sys; sys.modules['distributed'] = None; from logparse.cli import main; main(sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "replay", "--dask", "tcp://127.0.0.1:1", str(logs / "odoo.log")],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 1
    assert done.stderr == "logparse: --dask needs distributed: run `pip install 'logparse[dask]'`\n"


def test_another_file_under_the_same_path(tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    log.write_bytes(b"of one machine\n" * 10)
    head = head_of(str(log))
    with log.open("ab") as file:
        file.write(b"it has grown\n" * 1000)
    assert elsewhere(str(log), head) == ""
    log.write_bytes(b"of another one\n" * 100)
    assert elsewhere(str(log), head) == f"{log} is another file there"
    log.unlink()
    assert "does not exist" in elsewhere(str(log), head)
