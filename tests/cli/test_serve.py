"""The verb serve: a real program that follows a log, scraped while the log grows."""

import json
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from logparse import Counts, Pipe, QueueJobCollector
from logparse.cli import service as service_module
from logparse.cli.following import Following
from logparse.cli.options import Reading
from logparse.lifecycle.lifecycle import Options
from logparse.out.live import LiveGauges
from logparse.source.files import order_files, read_files

Logparse = Callable[..., subprocess.CompletedProcess[str]]
Started = Callable[..., subprocess.Popen[str]]
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]

# A lone address, so that tests at the same time do not meet.
LISTEN = ("--listen", "127.0.0.1:0")


class Served:
    """A running `logparse serve`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []
        self.url = ""
        url = self.until_said("listening")
        found = re.search(r"url=(\S+)", url)
        assert found is not None
        self.url = found[1]

    def until_said(self, *texts: str) -> str:
        """Read standard error up to the line that holds the texts."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            if all(text in line for text in texts):
                return line
        raise AssertionError(f"{texts} was never said: {self.said}")

    def until(self, true: Callable[[], bool]) -> None:
        """Wait until it is so; a test that waits in vain for a minute has failed."""
        deadline = time.monotonic() + 60
        while not true():
            assert time.monotonic() < deadline, "in vain"
            time.sleep(0.05)

    def until_jobs(self, expected: Samples) -> None:
        """Wait until the metrics of jobs are these: a last record counts after some seconds."""
        deadline = time.monotonic() + 60
        while of_jobs(self.samples()) != expected and time.monotonic() < deadline:
            time.sleep(0.1)
        assert of_jobs(self.samples()) == expected

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.url + path, timeout=30) as answer:  # noqa: S310
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def samples(self) -> Samples:
        """Once there are any: after a start, the log is read to its end first."""
        self.until(lambda: self.get("/metrics")[0] != 503)
        status, text = self.get("/metrics")
        assert status == 200
        return samples(text)

    def bytes_read(self, file: Path) -> float:
        return self.samples()["logparse_bytes_total", (("file", str(file)),)]

    def read(self, file: Path) -> Samples:
        """The samples once all of the file is read."""
        self.until(lambda: self.bytes_read(file) >= file.stat().st_size)
        return self.samples()

    def stop(self, number: int = signal.SIGTERM) -> str:
        """End it; the rest of standard error."""
        self.process.send_signal(number)
        output, error = self.process.communicate(timeout=30)
        assert output == ""
        assert "Traceback" not in error
        return error


def samples(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def end_of(data: bytes) -> bytes:
    """A record that ends the last one of the log, and says nothing."""
    time = re.findall(rb"(?m)^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) ", data)[-1]
    return bytes(time) + b" 1 INFO ? odoo.modules.loading: nothing \n"


def of_jobs(all_: Samples) -> Samples:
    return {key: value for key, value in all_.items() if key[0].startswith("odoo_queue_job_")}


def in_one_go(*files: Path, settle: float = 3600.0) -> Samples:
    """What a replay of the files counts that settles nothing at the end."""
    pipe, counts = Pipe(options=Options(settle=settle)), Counts()
    for chunk in read_files(order_files([str(file) for file in files])):
        for output in pipe.feed(chunk):
            counts.add(output)
    for output in pipe.finish(settle=False):
        counts.add(output)
    registry = CollectorRegistry()
    registry.register(QueueJobCollector(counts, LiveGauges(pipe.lifecycle, [pipe])))
    return of_jobs(samples(generate_latest(registry).decode()))


@pytest.fixture
def serve(started: Started) -> Callable[..., Served]:
    return lambda *arguments: Served(started("serve", *LISTEN, *arguments))


def pieces(data: bytes) -> Iterator[bytes]:
    """Cut where no line ends, in sizes from a few bytes to some ten thousand."""
    at, size = 0, 7
    while at < len(data):
        yield data[at : at + size]
        at, size = at + size, size * 5 % 40_009


@pytest.mark.parametrize(
    "name", ["16.0-w2-info/odoo.log", "18.0-w2-dead-info/odoo.log", "17.0-w2-warn/odoo.log"]
)
def test_counters_of_a_log_that_grows_are_those_of_a_replay(
    serve: Callable[..., Served], fixtures: Path, tmp_path: Path, name: str
) -> None:
    data = (fixtures / name).read_bytes()
    data += end_of(data)
    live = tmp_path / "odoo.log"
    live.touch()
    served = serve("--settle", "60", live)
    before: Samples = {}
    with live.open("ab", buffering=0) as writer:
        for piece in pieces(data):
            writer.write(piece)
            now = served.samples()
            for key, value in before.items():
                if key[0].endswith(("_total", "_count", "_bucket")):
                    assert now[key] >= value, key
            before = now
    expected = in_one_go(live, settle=60)
    assert any(value for (name, _), value in expected.items() if name.endswith("_total"))
    served.until_jobs(expected)
    error = served.stop()
    assert served.process.returncode == 0
    assert 'msg="stopped"' in error


def test_a_log_that_ends_in_a_traceback_has_it_counted_with_the_next_record(
    serve: Callable[..., Served], fixtures: Path, tmp_path: Path
) -> None:
    lines = (fixtures / "17.0-w2-warn" / "odoo.log").read_bytes().splitlines(keepends=True)
    live = tmp_path / "odoo.log"
    end = max(n for n, line in enumerate(lines) if line.startswith(b"requests.exceptions.HTTPError"))
    data = b"".join(lines[: end + 1])
    live.write_bytes(data)
    served = serve("--start", "beginning", live)
    served.read(live)
    with live.open("ab") as writer:
        writer.write(end_of(data))
    served.until_jobs(in_one_go(live))


def test_several_logs_of_one_installation_are_one(
    serve: Callable[..., Served], fixtures: Path, tmp_path: Path
) -> None:
    """The runner writes one file, the workers another; in parts, with the parts of one before the other's."""
    whole = fixtures / "16.0-w2-info" / "odoo.log"
    parts: dict[str, list[bytes]] = {"runner": [], "workers": []}
    records = re.split(rb"(?m)^(?=2026-11-24 )", whole.read_bytes())
    for record in records:
        parts["runner" if b" odoo.addons.queue_job.jobrunner" in record[:150] else "workers"].append(record)
    paths = {name: tmp_path / f"{name}.log" for name in parts}
    for name, path in paths.items():
        path.write_bytes(b"".join(parts[name][: len(parts[name]) // 2]))
    served = serve("--start", "beginning", *paths.values())
    served.read(paths["runner"])
    for name, path in paths.items():
        with path.open("ab") as writer:
            writer.write(b"".join(parts[name][len(parts[name]) // 2 :]))
    served.until_jobs(in_one_go(whole))


def told_of(served: Served, name: str) -> float:
    return sum(value for (family, _), value in served.samples().items() if family == name)


RUNS = "odoo_queue_job_runs_total"


def test_where_to_start(serve: Callable[..., Served], fixtures: Path, tmp_path: Path) -> None:
    data = (fixtures / "16.0-w2-info" / "odoo.log").read_bytes()
    cut = data.index(b"\n2026-11-24 03:04:") + 1
    live = tmp_path / "odoo.log"
    live.write_bytes(data[:cut])
    at_end, at_start = serve(live), serve("--start", "beginning", live)
    at_time = serve("--start", "2026-11-24 03:04", live)
    with live.open("ab") as writer:
        writer.write(data[cut:])
    whole = in_one_go(live)
    at_start.until_jobs(whole)
    runs = sum(value for (name, _), value in whole.items() if name == RUNS)
    for served in (at_end, at_time):
        served.until(lambda served=served: 0 < told_of(served, RUNS) < runs)
    served = serve("--start", "2030-01-01", live)
    served.read(live)
    assert told_of(served, RUNS) == 0


def test_it_goes_on_from_what_it_saved(serve: Callable[..., Served], fixtures: Path, tmp_path: Path) -> None:
    """Counters, open jobs and all: as if it had never been stopped; also by a rotation in between."""
    data = (fixtures / "16.0-w2-info" / "odoo.log").read_bytes()
    lines = data.splitlines(keepends=True)
    live, state = tmp_path / "odoo.log", tmp_path / "made" / "for" / "it"
    whole = tmp_path / "whole.log"
    whole.write_bytes(data)
    live.write_bytes(b"".join(lines[:1500]))
    first = serve("--state", state, "--start", "beginning", live)
    first.read(live)
    first.stop()
    assert first.process.returncode == 0
    with live.open("ab") as writer:
        writer.write(b"".join(lines[1500:2000]))
    live.rename(tmp_path / "odoo.log.1")
    live.write_bytes(b"".join(lines[2000:]))
    # --start is for files without a saved position.
    second = serve("--state", state, "--start", "end", live)
    second.until(lambda: second.get("/metrics")[0] == 200)
    second.until(lambda: second.bytes_read(live) == len(data))
    second.until_jobs(in_one_go(whole))
    status, _ = second.get("/healthz")
    assert status == 200


def test_a_reader_that_stands_still_is_not_alive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing that a test could do makes a read hang, so that here nobody reads."""
    log = tmp_path / "odoo.log"
    log.touch()
    service = service_module.Service(lambda _: Following(Reading((str(log),)), "end"), None)
    assert service.alive()
    assert service.health()[1]["stalled"] is False
    monkeypatch.setattr(service_module, "_STALLED_SECONDS", -1.0)
    assert not service.alive()
    assert service.health()[0] is False
    assert service.health()[1]["stalled"] is True
    service.end()


def test_two_on_one_state_directory(serve: Callable[..., Served], logparse: Logparse, tmp_path: Path) -> None:
    serve("--state", tmp_path, tmp_path / "odoo.log")
    ran = logparse("serve", *LISTEN, "--state", tmp_path, tmp_path / "odoo.log")
    assert ran.returncode == 1
    assert "another logparse uses the state directory" in ran.stderr


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"garbage", "it is no state of logparse"),
        (b"logparse state 99 00\nx", "a newer release wrote it"),
        (b"logparse state 1 00\nx", "it is torn or damaged"),
    ],
)
def test_a_state_that_cannot_be_used_is_kept_aside(
    serve: Callable[..., Served], tmp_path: Path, content: bytes, why: str
) -> None:
    (tmp_path / "logparse.state").write_bytes(content)
    served = serve("--state", tmp_path, tmp_path / "odoo.log")
    served.until_said("level=error", why, "it is kept as")
    assert (tmp_path / "logparse.state.aside.1").read_bytes() == content


def test_reload_with_a_bad_pattern_keeps_the_old_ones(
    serve: Callable[..., Served], fixtures: Path, tmp_path: Path
) -> None:
    data = (fixtures / "16.0-w2-info" / "odoo.log").read_bytes()
    cut = data.index(b"\n", len(data) // 2) + 1
    live, mine = tmp_path / "odoo.log", tmp_path / "patterns"
    mine.mkdir()
    (mine / "some.yaml").write_bytes((fixtures.parent / "patterns" / "connector.yaml").read_bytes())
    live.write_bytes(data[:cut])
    served = serve("--start", "beginning", "--patterns", mine, live)
    served.read(live)
    (mine / "mine.yaml").write_text("nonsense: [")
    served.process.send_signal(signal.SIGHUP)
    served.until_said("level=error", "the files and patterns are not reloaded")
    (mine / "mine.yaml").unlink()
    served.process.send_signal(signal.SIGHUP)
    served.until_said("level=info", "reloaded")
    with live.open("ab") as writer:
        writer.write(data[cut:])
    served.until_jobs(in_one_go(live))


def test_a_pattern_of_names_and_a_file_that_appears(
    serve: Callable[..., Served], fixtures: Path, tmp_path: Path
) -> None:
    data = (fixtures / "16.0-w2-info" / "odoo.log").read_bytes()
    served = serve(tmp_path / "odoo*.log")
    served.until_said("level=warning", "odoo*.log is matched by no file that this user can see now")
    assert served.get("/healthz")[0] == 503
    live = tmp_path / "odoo-a.log"
    live.write_bytes(data)
    served.until(lambda: ("logparse_bytes_total", (("file", str(live)),)) in served.samples())
    assert served.get("/healthz")[0] == 200
    served.until_jobs(in_one_go(live))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_soon_and_well_when_told_to(
    serve: Callable[..., Served], tmp_path: Path, number: signal.Signals
) -> None:
    served = serve("--state", tmp_path, tmp_path / "odoo.log")
    error = served.stop(number)
    assert served.process.returncode == 0
    assert error.splitlines()[-1].endswith('level=info msg="stopped"')


def test_health_and_log_tell_of_a_file_that_cannot_be_read(
    serve: Callable[..., Served], fixtures: Path, tmp_path: Path
) -> None:
    live = tmp_path / "odoo.log"
    served = serve("--start", "beginning", live)
    served.until_said("level=warning", f"{live} cannot be read now (No such file or directory)")
    status, text = served.get("/healthz")
    assert status == 503
    assert "No such file" in json.loads(text)["files"][str(live)]["error"]
    assert served.get("/livez")[0] == 200  # a restart would not help
    live.write_bytes((fixtures / "16.0-w2-info" / "odoo.log").read_bytes())
    served.until_said("level=info", f"{live} can be read again")
    served.until(lambda: served.get("/healthz")[0] == 200)
    served.until_jobs(in_one_go(live))
    live.rename(tmp_path / "odoo.log.1")
    live.write_bytes(b"")
    served.until_said("level=info", f"{live} was rotated")


def test_what_is_no_odoo_log_is_said(serve: Callable[..., Served], tmp_path: Path) -> None:
    other = tmp_path / "other.log"
    other.write_text("hello\n" * 20_000)
    served = serve("--start", "beginning", other)
    served.until_said("level=warning", "does not look like an Odoo server log")


def test_a_database_and_a_span_of_time(serve: Callable[..., Served], fixtures: Path, tmp_path: Path) -> None:
    live = tmp_path / "odoo.log"
    live.write_bytes((fixtures / "16.0-w2-info" / "odoo.log").read_bytes())
    other = serve("--start", "beginning", "--db", "other", live)
    other.read(live)
    assert told_of(other, RUNS) == 0
    assert told_of(other, "odoo_queue_job_runner_starts_total") == 3


def test_a_taken_port(serve: Callable[..., Served], logparse: Logparse, tmp_path: Path) -> None:
    served = serve(tmp_path / "odoo.log")
    ran = logparse("serve", "--listen", served.url.removeprefix("http://"), tmp_path / "odoo.log")
    assert ran.returncode == 1
    assert "another program may use the port" in ran.stderr


def test_its_own_numbers(serve: Callable[..., Served], fixtures: Path, tmp_path: Path) -> None:
    live = tmp_path / "odoo.log"
    live.write_bytes((fixtures / "16.0-w2-info" / "odoo.log").read_bytes())
    served = serve("--start", "beginning", live)
    found = served.read(live)
    file = (("file", str(live)),)
    assert found["logparse_lines_total", file] == live.read_bytes().count(b"\n")
    assert found["logparse_lag_bytes", file] == 0
    assert found["logparse_facts_total", (("pattern", "runner.asking"),)] > 100
    assert [labels for name, labels in found if name == "logparse_build_info"]
    status, page = served.get("/")
    assert status == 200
    assert "/metrics" in page
