"""What serve does while its state or its events cannot be written: it goes on, says so, and recovers."""

import json
import os
import resource
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from logparse.cli import eventsfile
from logparse.cli.following import Following
from logparse.cli.options import Reading
from logparse.cli.service import Service
from logparse.cli.snapshot import Store
from tests.cli.test_serve import LISTEN, Logparse, Served, Started, end_of, in_one_go, samples
from tests.faults.disk import MEANS, Disk, Limit, full_at_will


@pytest.fixture(params=MEANS)
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    with full_at_will(request.param, tmp_path / "disk") as disk:
        yield disk


def limit_of(pid: int) -> Limit:
    return lambda size: resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, _hard()))


def _hard() -> int:
    return resource.getrlimit(resource.RLIMIT_FSIZE)[1]


def append(path: Path, data: bytes) -> None:
    """By a program that is not limited, as Odoo is none of ours."""
    subprocess.run(
        ["prlimit", f"--fsize={_hard()}:", "tee", "-a", str(path)],
        input=data,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def events_of(logparse: Logparse, log: Path) -> list[str]:
    ran = logparse("events", "--no-settle-at-end", log)
    assert ran.returncode == 0
    return ran.stdout.splitlines()


def test_a_state_directory_that_is_read_only_at_the_start(
    disk: Disk, started: Started, fixtures: Path, tmp_path: Path
) -> None:
    live = tmp_path / "odoo.log"
    live.write_bytes((fixtures / "16.0-w2-info" / "odoo.log").read_bytes())
    own = limit_of(os.getpid())
    try:
        disk.close(own)  # which a program inherits that is started now
        served = Served(
            started(
                "serve", *LISTEN, "--save-every", "0.1", "--start", "beginning", "--state", disk.folder, live
            )
        )
    finally:
        own(_hard())
    served.until_said("level=error", "the state could not be saved in")
    served.until_jobs(in_one_go(live))
    status, text = served.get("/healthz")
    assert status == 503
    assert "could not be saved" in json.loads(text)["state_error"]
    assert served.samples()["logparse_snapshot_errors_total", ()] > 0
    disk.open(limit_of(served.process.pid))
    served.until_said("level=info", "the state can be saved again")
    served.until(lambda: served.get("/healthz")[0] == 200)
    assert (disk.folder / "logparse.state").exists()
    served.stop()
    assert served.process.returncode == 0


def test_what_another_start_may_see_otherwise_is_shown_when_it_is_saved(
    disk: Disk, started: Started, fixtures: Path, tmp_path: Path
) -> None:
    """Whether a log was renamed or copied and truncated nobody can tell when it is renamed again."""
    data = (fixtures / "16.0-w2-info" / "odoo.log").read_bytes()
    half = data.index(b"\n", len(data) // 2) + 1
    live = tmp_path / "odoo.log"
    live.write_bytes(data[:half])
    served = Served(
        started("serve", *LISTEN, "--save-every", "0.1", "--start", "beginning", "--state", disk.folder, live)
    )
    served.read(live)
    limit = limit_of(served.process.pid)
    disk.fill(limit)
    shutil.copy(live, f"{live}.1")
    os.truncate(live, 0)
    with live.open("ab") as writer:
        writer.write(data[half:])
    served.until(lambda: served.bytes_read(live) == len(data))
    served.until(lambda: served.get("/healthz")[0] == 503)
    key = ("logparse_rotations_total", (("file", str(live)), ("kind", "truncate")))
    assert served.samples().get(key, 0) == 0
    disk.free(limit)
    served.until(lambda: served.samples().get(key, 0) == 1)


def test_events_that_cannot_be_written_wait_in_the_log(
    disk: Disk, logparse: Logparse, fixtures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits in memory is bounded: beyond that the log is read no further, and nothing is passed over."""
    monkeypatch.setattr(eventsfile, "_MOST", 5_000)
    data = (fixtures / "16.0-w2-info" / "odoo.log").read_bytes()
    data += end_of(data)
    half = data.index(b"\n", len(data) // 2) + 1
    live, events = tmp_path / "odoo.log", disk.folder / "events.jsonl"
    live.touch()
    service = Service(
        lambda snapshot: Following(Reading((str(live),)), "beginning", snapshot=snapshot),
        Store(disk.folder),
        events,
        save_every=0.02,
    )
    follower = service.following.live[0].follower
    stop = threading.Event()
    thread = threading.Thread(target=service.run, args=(stop,))
    limit = limit_of(os.getpid())

    def tries() -> float:
        registry = CollectorRegistry()
        registry.register(service.collector)
        return samples(generate_latest(registry).decode())["logparse_snapshot_errors_total", ()]

    def until(true: Callable[[], bool]) -> None:
        for _ in range(1000):
            if true():
                return
            stop.wait(0.02)
        pytest.fail("in vain")

    def until_tried_twice() -> None:
        tried = tries()
        until(lambda: tries() > tried + 1)

    try:
        disk.fill(limit)
        thread.start()
        append(live, data[:half])
        until(lambda: service.health()[1]["events_error"] is not None)
        until_tried_twice()
        read = follower.position
        append(live, data[half:])
        until_tried_twice()
        assert follower.position == read
        assert 0 < read <= half
        assert follower.lag_bytes == len(data) - read
        assert service.health()[0] is False
        disk.free(limit)
        until(lambda: follower.position == len(data))
        until(lambda: service.health()[0])
    finally:
        limit(_hard())
        stop.set()
        service.waiter.wake()
        thread.join()
    service.end()
    assert events.read_text().splitlines() == events_of(logparse, live)


@pytest.mark.parametrize("kept", [False, True])
def test_events_that_could_not_be_written_till_the_end(
    disk: Disk, started: Started, logparse: Logparse, fixtures: Path, tmp_path: Path, kept: bool
) -> None:
    """Nothing but a state keeps them: it is an error without one. No half line stays in either case."""
    data = (fixtures / "16.0-w2-info" / "odoo.log").read_bytes()
    data += end_of(data)
    live, events = tmp_path / "odoo.log", disk.folder / "events.jsonl"
    live.touch()
    arguments = ["serve", *LISTEN, "--save-every", "0.1", "--start", "beginning", "--events", str(events)]
    arguments += [*(["--state", str(tmp_path / "state")] if kept else []), str(live)]
    served = Served(started(*arguments))
    served.until(lambda: events.exists() and (not kept or (tmp_path / "state" / "logparse.state").exists()))
    disk.fill(limit_of(served.process.pid))
    append(live, data)
    served.read(live)
    served.until(lambda: served.get("/healthz")[0] == 503)
    error = served.stop()
    last = error.splitlines()[-1]
    expected = events_of(logparse, live)
    written = events.read_text()
    assert written == "".join(line + "\n" for line in expected[: written.count("\n")])
    missing = f"{len(expected) - written.count(chr(10))} events were never written"
    assert missing in error
    disk.free(lambda _: None)  # the limit was that program's
    if not kept:
        assert served.process.returncode == 1
        assert last.startswith(f"logparse: {events} cannot be written: ")
        assert f"{missing}, and without --state nothing will write them" in last
        return
    assert served.process.returncode == 0
    assert 'msg="stopped"' in last
    served = Served(started(*arguments))
    served.until(lambda: events.read_text().splitlines() == expected)


def test_the_file_of_events_is_opened_anew_at_sighup(
    started: Started, logparse: Logparse, fixtures: Path, tmp_path: Path
) -> None:
    """As logrotate's `postrotate` has it; and a kill after that repeats none, and loses none."""
    data = (fixtures / "16.0-w2-info" / "odoo.log").read_bytes()
    data += end_of(data)
    parts = [data.index(b"\n", len(data) * n // 3) + 1 for n in (1, 2)]
    live, events, moved = (tmp_path / name for name in ("odoo.log", "events.jsonl", "events.jsonl.1"))
    arguments = ["serve", *LISTEN, "--save-every", "0.1", "--start", "beginning"]
    arguments += ["--state", str(tmp_path / "state"), "--events", str(events), str(live)]
    live.write_bytes(data[: parts[0]])
    served = Served(started(*arguments))
    served.read(live)
    events.rename(moved)
    served.process.send_signal(signal.SIGHUP)
    served.until_said("level=info", "reloaded")
    assert events.exists()
    with live.open("ab") as writer:
        writer.write(data[parts[0] : parts[1]])
    served.until(lambda: events.stat().st_size > 0)
    served.process.kill()
    served.process.wait()
    served = Served(started(*arguments))
    with live.open("ab") as writer:
        writer.write(data[parts[1] :])
    expected = events_of(logparse, live)
    served.until(lambda: (moved.read_text() + events.read_text()).splitlines() == expected)
    served.stop()
