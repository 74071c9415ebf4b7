"""A log that hangs, as one on a network file system whose server is away, holds no other log."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from logparse import Pipe
from logparse.cli import live as live_module
from logparse.cli.following import Following
from logparse.cli.live import Live
from logparse.cli.options import Reading
from logparse.cli.service import Service
from logparse.cli.snapshot import Store
from logparse.source import patience as patience_module
from logparse.source.follow import Follower
from logparse.source.opened import Plain
from logparse.source.patience import Patience
from tests.cli.test_serve import LISTEN, Samples, Served, Started, end_of, in_one_go, of_jobs, samples


class Hanging:
    """Reads of the file of this name hang until `go_on` is set: no file system of ours does it."""

    def __init__(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go_on = threading.Event()
        self.hangs = threading.Event()
        real = Plain.read

        def read(opened: Plain) -> bytes:
            if opened.real.endswith(name) and not self.go_on.is_set():
                self.hangs.set()
                self.go_on.wait()
            return real(opened)

        monkeypatch.setattr(Plain, "read", read)
        monkeypatch.setattr(patience_module, "SECONDS", 0.05)
        monkeypatch.setattr(live_module, "_HANGS_SECONDS", 0.1)
        monkeypatch.setattr(live_module, "_UNREADABLE_SECONDS", 0.1)


def scraped(service: Service) -> Samples:
    registry = CollectorRegistry()
    registry.register(service.collector)
    return samples(generate_latest(registry).decode())


@pytest.fixture
def running() -> Iterator[Callable[[Service], None]]:
    """Run it until the test is over."""
    stop = threading.Event()
    started: list[tuple[Service, threading.Thread]] = []

    def run(service: Service) -> None:
        thread = threading.Thread(target=service.run, args=(stop,))
        thread.start()
        started.append((service, thread))

    yield run
    stop.set()
    for service, thread in started:
        service.waiter.wake()
        thread.join()
        service.end()


def until(true: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(1000):
        if true():
            return
        waiting.wait(0.02)
    pytest.fail("in vain")


def test_a_log_whose_read_hangs(
    running: Callable[[Service], None], fixtures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other is read on, the state saved, what hangs named; and when it answers nothing is missing."""
    data = (fixtures / "16.0-w2-info" / "odoo.log").read_bytes()
    data += end_of(data)
    hung, live = tmp_path / "hung.log", tmp_path / "live.log"
    hung.write_bytes(b"2026-11-24 03:00:00,000 1 INFO ? odoo: nothing \n" * 10)
    live.write_bytes(data[: data.index(b"\n", len(data) // 2) + 1])
    hanging = Hanging("hung.log", monkeypatch)
    names = (str(hung), str(live))

    def made() -> Service:
        return Service(
            lambda snapshot: Following(Reading(names), "beginning", snapshot=snapshot),
            store,
            save_every=0.05,
        )

    store = Store(tmp_path)
    service = made()
    running(service)
    until(hanging.hangs.is_set)
    until(lambda: not service.health()[0])
    files = service.health()[1]["files"]
    assert "does not answer" in files[str(hung)]["error"]
    assert files[str(live)]["error"] is None
    with live.open("ab") as writer:
        writer.write(data[live.stat().st_size :])
    key = ("logparse_bytes_total", (("file", str(live)),))
    until(lambda: service.ready() is None and scraped(service)[key] == len(data))
    assert service.health()[1]["stalled"] is False
    until(lambda: store.load()[0].logs[1].place.offset == len(data))  # type: ignore[union-attr]
    saved, _ = store.load()
    assert saved is not None
    assert saved.logs[0].place is not None
    assert saved.logs[0].place.offset == 0
    hanging.go_on.set()
    until(lambda: service.health()[0])
    until(lambda: scraped(service)["logparse_bytes_total", (("file", str(hung)),)] == hung.stat().st_size)
    expected = in_one_go(live)
    until(lambda: of_jobs(scraped(service)) == expected)


def test_a_record_is_not_closed_by_a_read_that_hung(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written meanwhile may belong to it: quiet is only what was seen to be."""
    log = tmp_path / "odoo.log"
    log.write_text("2026-11-24 03:00:00,000 1 INFO ? odoo.addons.queue_job.jobrunner.runner: starting \n")
    live = Live(Follower(str(log), start="beginning"), Pipe(), Patience())
    assert live.poll() == (True, [])
    hanging = Hanging("odoo.log", monkeypatch)
    assert live.poll() == (False, [])
    assert live.hangs
    hanging.go_on.set()
    live.last_byte -= 60
    until(lambda: live.poll() == (False, []) and not live.hangs)
    live.last_byte -= 60
    read, records = live.poll()
    assert not read
    assert [record.message for record in records] == ["starting"]
    live.close()


def test_a_pipe_in_place_of_a_log_holds_no_other(started: Started, fixtures: Path, tmp_path: Path) -> None:
    """Nobody may ever write to it."""
    data = (fixtures / "16.0-w2-info" / "odoo.log").read_bytes()
    data += end_of(data)
    half = data.index(b"\n", len(data) // 2) + 1
    live, other = tmp_path / "odoo.log", tmp_path / "other.log"
    live.touch()
    other.touch()
    served = Served(started("serve", *LISTEN, "--start", "beginning", live, other))
    other.unlink()
    os.mkfifo(other)
    served.until_said("level=warning", f"{other} cannot be read now (it is not a plain file now)")
    live.write_bytes(data)
    served.until_jobs(in_one_go(live))
    assert served.get("/healthz")[0] == 503
    other.unlink()
    other.write_bytes(data[:half])
    served.until_said("level=info", f"{other} can be read again")
    served.until(lambda: served.get("/healthz")[0] == 200)
    served.until(lambda: served.bytes_read(other) == half)
