"""Several processes tell what one tells, wherever a log is cut into parts, and whatever happens to them."""

import gzip
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logparse.cli.piece import Parser
from logparse.cli.pool import Pool
from logparse.cli.spread import Spread
from logparse.cli.worker import Message, Task, decode, encode, read
from logparse.pipe import Pipe
from logparse.record.wrappers.wrapper import Context
from logparse.source.files import read_files, written
from logparse.source.parts import parts
from tests import recorded
from tests.odoo import asking, record, uuid
from tests.recorded import RUNS

Logparse = Callable[..., subprocess.CompletedProcess[Any]]
Started = Callable[..., subprocess.Popen[str]]
_task = msgspec.msgpack.Decoder(Task).decode


class Here(Pool):
    """Does what the processes would do, in this one: a task is begun `ahead` tasks before it is wanted."""

    def __init__(self, parser: Parser, ahead: int) -> None:
        super().__init__(parser, 1)
        self.ahead = ahead
        self.waiting: dict[int, list[bytes]] = {}
        self.done = -1

    @property
    def room(self) -> bool:
        return len(self.waiting) < self.ahead

    def grow(self, count: int) -> None:
        pass

    def begin(self, number: int, task: Task) -> None:
        sent = msgspec.msgpack.encode(task)
        self.waiting[number] = [encode(message) for message in read(self._parser, _task(sent))]

    def messages(self, number: int) -> Iterator[Message | None]:
        yield None
        for data in self.waiting.get(number, ()):
            yield decode(data)

    def forget(self, number: int) -> None:
        self.waiting.pop(number, None)


def pipe_of(files: list[str]) -> tuple[Pipe, Context]:
    context = Context(dates={file: written(file) for file in files})
    return Pipe(recorded.patterns(), context=context), context


def summed(pipe: Pipe, outputs: list[Any]) -> dict[str, Any]:
    tally = msgspec.structs.asdict(pipe.tally)
    tally["headers"] = tally["headers"] > 0
    return {
        "outputs": outputs,
        "tally": tally,
        "seen": dict(pipe.reader.seen),
        "foreign": pipe.reader.foreign,
        "facts": pipe.facts,
        "unmatched": pipe.unmatched,
        "odoo": pipe.matcher.odoo,
    }


def alone(files: list[str]) -> dict[str, Any]:
    pipe, _ = pipe_of(files)
    out = [output for chunk in read_files(files) for output in pipe.feed(chunk)]
    return summed(pipe, out + pipe.finish())


def spread(files: list[str], span: int, chunk_size: int, ahead: int = 3) -> tuple[dict[str, Any], Spread]:
    pipe, context = pipe_of(files)
    ours, theirs = (
        Parser(one, context, whole=False, chunk_size=chunk_size) for one in (pipe, pipe_of(files)[0])
    )
    spread = Spread(ours, parts(files, span=span, chunk_size=chunk_size), Here(theirs, ahead))
    out = []
    for piece in spread.pieces():
        out += pipe.tell(pipe.take(piece.file, piece.facts, piece.taken, last=piece.last))
    return summed(pipe, out + pipe.finish()), spread


def plain(run: str, folder: Path, most: int = -1) -> list[str]:
    """The log of a run, its pieces not compressed, and of each so many bytes."""
    for name, text in recorded.texts(run).items():
        (folder / name.removesuffix(".gz")).write_bytes(text[:most])
    return [str(folder / name.removesuffix(".gz")) for name in recorded.texts(run)]


@pytest.mark.parametrize("run", [run for run in RUNS if run != "17.0-w2-badport"])
def test_recorded_runs_in_parts(run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logparse.cli.worker._LEADS", (1 << 14, 1 << 16))
    files = plain(run, tmp_path)
    told, read = spread(files, 1 << 16, 1 << 14)
    assert told == alone(files)
    # Nearly all guesses are right: else this would be slower than one process.
    assert read.again <= 1 + 2 * len(files)


@settings(max_examples=25)
@given(
    run=st.sampled_from(
        ["12.0-w2-syslog", "16.0-json-w2-info", "17.0-w2-rotate-copytruncate", "17.0-w2-warn"]
    ),
    chunk_size=st.integers(1000, 20_000),
    chunks=st.integers(1, 8),
    ahead=st.integers(1, 6),
    lead=st.integers(0, 20_000),
)
def test_parts_cut_anywhere_and_guessed_badly(
    run: str, chunk_size: int, chunks: int, ahead: int, lead: int
) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("logparse.cli.worker._LEADS", (lead,))
        files = plain(run, Path(folder), 60_000)
        told, _ = spread(files, chunks * chunk_size, chunk_size, ahead)
        assert told == alone(files)


def test_a_line_that_was_inside_a_message_is_known_again_in_another_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logparse.cli.worker._LEADS", (2000,))
    forged = asking(15_000, 7, uuid(0xDEAD), "d")
    lines = [asking(50 * number, 7, uuid(number), "d") for number in range(600)]
    lines[20] = record(1000, 7, "INFO", "d", "odoo.addons.x", f"first\n{forged.decode()}more")
    lines[300] = forged
    log = tmp_path / "odoo.log"
    log.write_bytes(b"".join(lines))
    # All parts but the first were begun before the first of these lines was known.
    told, read = spread([str(log)], 4000, 2000, ahead=100)
    assert told == alone([str(log)])
    assert told["tally"]["rejected"] == {"inside": 1, "echo": 1}
    assert read.again < 6


def test_a_file_that_is_cut_short_while_it_is_read(tmp_path: Path) -> None:
    (log,) = plain("16.0-w2-info", tmp_path)
    divided = parts([log], span=1 << 16, chunk_size=1 << 14)
    os.truncate(log, 100_000)
    pipe, context = pipe_of([log])
    parser = Parser(pipe, context, whole=False, chunk_size=1 << 14)
    theirs = Parser(pipe_of([log])[0], context, whole=False, chunk_size=1 << 14)
    read = Spread(parser, divided, Here(theirs, 3))
    pieces = list(read.pieces())
    assert sum(piece.size for piece in pieces) == 100_000
    assert [piece.last for piece in pieces].count(True) == 1
    assert pieces[-1].last


# The program.


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log that is worth several processes."""
    text = b"".join(recorded.texts("16.0-w2-info").values())
    path = tmp_path_factory.mktemp("large") / "odoo.log"
    path.write_bytes(text * (16_000_000 // len(text)))
    return path


@pytest.mark.parametrize(
    "verb",
    [
        ("events",),
        ("replay", "--json"),
        ("replay", "--metrics", "--http"),
        ("replay", "--openmetrics", "history.om", "--html", "page.html"),
    ],
)
def test_the_same_bytes(verb: tuple[str, ...], large: Path, logparse: Logparse, tmp_path: Path) -> None:
    packed = tmp_path / "odoo.log.1.gz"
    packed.write_bytes(gzip.compress(large.read_bytes()[:1_000_000], 1)[:-1000])  # and cut short
    one = logparse(*verb, "--workers", 1, large, packed, text=False)
    files = {
        path: path.read_bytes() for path in (tmp_path / "history.om", tmp_path / "page.html") if path.exists()
    }
    two = logparse(*verb, "--workers", 2, large, packed, text=False)
    assert {path: path.read_bytes() for path in files} == files
    assert one.returncode == two.returncode == 1
    assert b"could be read only in part" in one.stderr
    assert two.stderr == one.stderr
    assert two.stdout == one.stdout


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """The two processes that it has started."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    for _ in range(2000):
        if len(found := children.read_text().split()) == 2:
            return [int(one) for one in found]
        time.sleep(0.005)
    raise AssertionError("no workers")


def gone(worker: int) -> bool:
    try:
        return Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def ended(workers: list[int]) -> bool:
    deadline = time.monotonic() + 20
    while not all(map(gone, workers)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return all(map(gone, workers))


def test_killed_workers(large: Path, logparse: Logparse, started: Started) -> None:
    whole = logparse("replay", "--json", "--workers", 1, large)
    process = started("replay", "--json", "--workers", "2", large)
    for worker in workers_of(process):
        os.kill(worker, signal.SIGKILL)
    out, error = process.communicate()
    assert (process.returncode, out) == (0, whole.stdout)
    assert error.startswith("logparse: a worker process was killed")
    assert error.count("\n") == 1


def test_workers_do_not_keep_the_first_process_from_its_work(large: Path, started: Started) -> None:
    process = started("replay", "--json", "--workers", "2", large)
    workers = workers_of(process)
    process.send_signal(signal.SIGSTOP)  # so that they are there for as long as they are looked at
    first = os.getpriority(os.PRIO_PROCESS, process.pid)
    deadline = time.monotonic() + 20
    while not all(os.getpriority(os.PRIO_PROCESS, worker) > first for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGCONT)
    process.communicate()
    assert process.returncode == 0


def test_ctrl_c(large: Path, started: Started) -> None:
    process = started("replay", "--workers", "2", large)
    workers = workers_of(process)
    for one in (*workers, process.pid):  # as a terminal does
        os.kill(one, signal.SIGINT)
    _, error = process.communicate()
    assert (process.returncode, error) == (130, "logparse: interrupted\n")
    assert ended(workers)


def test_no_worker_outlives_a_killed_program(large: Path, started: Started) -> None:
    process = started("replay", "--workers", "2", large)
    workers = workers_of(process)
    process.kill()
    process.communicate()
    assert ended(workers)


def test_a_closed_pipe(large: Path, started: Started) -> None:
    process = started("events", "--workers", "2", large, pipesize=1 << 20)
    workers = workers_of(process)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 0
    assert ended(workers)


def test_a_small_log_is_read_by_one_process(fixtures: Path, environment: dict[str, str]) -> None:
    script = "import sys; from logparse.cli import main\n"
    script += "try: main(sys.argv[1:])\nfinally: print('multiprocessing' in sys.modules, file=sys.stderr)"
    log = fixtures / "18.0-w2-dead-info" / "odoo.log"
    done = subprocess.run(
        [sys.executable, "-c", script, "replay", "--workers", "2", str(log)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert done.stderr == "False\n"
