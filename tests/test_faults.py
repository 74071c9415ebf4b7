"""A follower that is killed at random while its log is rotated tells what one reading of the log tells."""

import fcntl
import gzip
import http.client
import json
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_serve import Samples, end_of, in_one_go, of_jobs, samples

KILLS = int(os.environ.get("LOGPARSE_KILLS", "12"))
STARTED: list[subprocess.Popen[bytes]] = []
SEED = int(os.environ.get("LOGPARSE_SEED", "1"))

# Writes the records of a file, one a write, into a log that may be renamed. What a copytruncate destroys
# between its copy and its cut nobody can read, so the writer waits for it: both hold a lock.
WRITER = """
import fcntl, os, re, sys, time
with open(sys.argv[2], "rb") as whole:
    # A header of 2020 is the text of an exception, and is written with its record.
    records = re.split(rb"(?m)^(?=(?!2020)\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d,\\d{3} )", whole.read())
lock = os.open(sys.argv[3], os.O_RDWR | os.O_CREAT)
pause = float(sys.argv[4]) / len(records)
for record in records:
    fcntl.flock(lock, fcntl.LOCK_SH)
    fd = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, record)
    os.close(fd)
    fcntl.flock(lock, fcntl.LOCK_UN)
    time.sleep(pause)
"""


class Scraper(threading.Thread):
    """Scrapes all the while, and finds counters that decrease."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.url: str | None = None
        self.last: Samples = {}
        self.decreased: list[str] = []
        self.scrapes = self.refused = 0
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.wait(0.02):
            url = self.url
            if url is None:
                continue
            try:
                with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:  # noqa: S310
                    now = samples(answer.read().decode())
            except urllib.error.HTTPError as error:
                error.close()
                self.refused += 1
                continue
            except (OSError, ValueError, http.client.HTTPException):
                continue  # it was killed in the middle
            self.scrapes += 1
            for key, value in self.last.items():
                if key[0].endswith(("_total", "_count", "_bucket", "_sum")) and now.get(key, 0) < value:
                    self.decreased.append(f"{key}: {value} -> {now.get(key)}")
            self.last = now


def rotate(log: Path, how: str, lock: Path) -> None:
    """As logrotate does: numbers, the older pieces compressed (delaycompress) or all at once."""
    pieces = sorted(log.parent.glob(f"{log.name}.*"), key=lambda one: -int(one.name.split(".")[2]))
    for piece in pieces:
        _, _, number, *suffix = piece.name.split(".")
        piece.rename(log.parent / ".".join([log.name, str(int(number) + 1), *suffix]))
    first = log.parent / f"{log.name}.1"
    fd = os.open(lock, os.O_RDWR | os.O_CREAT)
    if how == "copytruncate":
        fcntl.flock(fd, fcntl.LOCK_EX)
        shutil.copy2(log, first)
        os.truncate(log, 0)
    elif log.exists():
        # A writer that holds the file still writes to it.
        fcntl.flock(fd, fcntl.LOCK_EX)
        log.rename(first)
        if how != "nocreate":
            log.touch()
    os.close(fd)
    if how == "compress":
        squeeze(first)
    if (second := log.parent / f"{log.name}.2").exists():
        squeeze(second)


def squeeze(piece: Path) -> None:
    info = piece.stat()
    packed = piece.with_name(f"{piece.name}.gz")
    packed.write_bytes(gzip.compress(piece.read_bytes(), 1))
    os.utime(packed, ns=(info.st_atime_ns, info.st_mtime_ns))
    piece.unlink()


def told(file: Path) -> list[dict[str, object]]:
    events = [json.loads(line) for line in file.read_text().splitlines()]
    for event in events:
        event.pop("file")
        event.pop("offset")
    return events


def serve(log: Path, state: Path, events: Path) -> tuple[subprocess.Popen[bytes], str]:
    command = [sys.executable, "-m", "logparse", "serve", "--listen", "127.0.0.1:0", "--state", str(state)]
    command += [
        "--save-every",
        "0.05",
        "--settle",
        "60",
        "--start",
        "beginning",
        "--events",
        str(events),
        str(log),
    ]
    said = state.with_name("said")
    with said.open("wb") as file:
        process = subprocess.Popen(command, stderr=file)
    STARTED.append(process)
    while (found := re.search(r"listening.*url=(\S+)", said.read_text())) is None:
        assert process.poll() is None, said.read_text()
        time.sleep(0.01)
    return process, found[1]


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    """No process is left behind, however a test ends."""
    yield
    for process in STARTED:
        process.kill()
        process.wait()
    STARTED.clear()


@pytest.mark.parametrize("name", ["16.0-w2-info", "12.0-w2-info"])
def test_kills_and_rotations(name: str, fixtures: Path, tmp_path: Path) -> None:
    chance = random.Random(f"{SEED} {name}")
    data = (fixtures / name / "odoo.log").read_bytes()
    data += end_of(data)
    whole, log = tmp_path / "whole", tmp_path / "logs" / "odoo.log"
    state, events, lock = tmp_path / "state", tmp_path / "events.jsonl", tmp_path / "lock"
    whole.write_bytes(data)
    log.parent.mkdir()
    scraper = Scraper()
    scraper.start()
    seconds = KILLS * 1.2
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(log), str(whole), str(lock), str(seconds)]
    ) as writer:
        for _ in range(KILLS):
            process, scraper.url = serve(log, state, events)
            for _ in range(chance.randrange(3)):
                time.sleep(chance.random() / 2)
                if log.exists() and log.stat().st_size:
                    rotate(log, chance.choice(["create", "nocreate", "compress", "copytruncate"]), lock)
            time.sleep(chance.random() / 2)
            scraper.url = None
            process.kill()
            process.wait()
            for _ in range(chance.randrange(3)):
                if log.exists() and log.stat().st_size:
                    rotate(log, chance.choice(["create", "nocreate", "compress", "copytruncate"]), lock)
                    time.sleep(chance.random() / 5)
        writer.wait()
    assert sum(1 for _ in log.parent.iterdir()) > 3
    process, scraper.url = serve(log, state, events)
    expected = in_one_go(whole, settle=60)
    deadline = time.monotonic() + 30
    while of_jobs(scraper.last) != expected and time.monotonic() < deadline:
        time.sleep(0.1)
    scraper.stop.set()
    scraper.join()
    process.terminate()
    assert process.wait(10) == 0
    read = sum(value for (family, _), value in scraper.last.items() if family == "logparse_bytes_total")
    lost = sum(value for (family, _), value in scraper.last.items() if family == "logparse_lines_lost_total")
    assert (read, lost) == (len(data), 0)
    assert scraper.decreased == []
    assert of_jobs(scraper.last) == expected
    command = [sys.executable, "-m", "logparse", "events", "--settle", "60", "--no-settle-at-end", str(whole)]
    (tmp_path / "one").write_bytes(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    assert told(events) == told(tmp_path / "one")
