"""A log that is written and disturbed, a follower that is killed, and what it tells at the end."""

import http.client
import json
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from tests.cli.test_serve import Samples, end_of, in_one_go, of_jobs, samples
from tests.faults.rotations import Disturber

COUNTERS = ("_total", "_count", "_bucket", "_sum")
SETTLE = 60
_SEEN_SECONDS = (
    3.0  # in which a follower surely sees what was done, and saves it, though it is stopped for a while
)


class Scraper(threading.Thread):
    """Scrapes all the while, and finds counters that decrease. but: families that may."""

    def __init__(self, but: frozenset[str] = frozenset()) -> None:
        super().__init__(daemon=True)
        self.url: str | None = None
        self.last: Samples = {}
        self.decreased: list[str] = []
        self.scrapes = self.refused = 0
        self.stop = threading.Event()
        self._but = but

    def run(self) -> None:
        """Until `stop` is set."""
        while not self.stop.wait(0.02):
            url = self.url
            if url is not None:
                self._scrape(url)

    def _scrape(self, url: str) -> None:
        try:
            with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:  # noqa: S310
                now = samples(answer.read().decode())
        except urllib.error.HTTPError as error:
            error.close()
            self.refused += 1
            return
        except (OSError, ValueError, http.client.HTTPException):
            return  # it was killed in the middle
        self.scrapes += 1
        for key, value in self.last.items():
            if key[0].endswith(COUNTERS) and key[0] not in self._but and now.get(key, 0) < value:
                self.decreased.append(f"{key}: {value} -> {now.get(key)}")
        self.last = now


class Harness:
    """Use as a context. kept: where its state and its events are, or None: beside its other files."""

    def __init__(
        self, folder: Path, data: bytes, seed: str, how: str, seconds: float, kept: Path | None = None
    ) -> None:
        self.chance = Random(seed)
        self.folder = folder
        self.data = data + end_of(data)
        self.log = folder / "logs" / "odoo.log"
        self.events = (kept or folder) / "events.jsonl"
        self.state = (kept or folder) / "state"
        self.whole = folder / "whole"
        self.scraper = Scraper(frozenset({"logparse_snapshot_errors_total"}) if kept else frozenset())
        self.kills = self.stops = self.steps = self.unseen = 0
        self._how, self._seconds = how, seconds
        self._clock = folder / "clock"
        self._follower: subprocess.Popen[bytes] | None = None
        self._largest = -1

    def __enter__(self) -> "Harness":
        self.whole.write_bytes(self.data)
        self.log.parent.mkdir()
        (self.folder / "aside").mkdir()
        self._clock.write_text("+0")
        self.disturber = Disturber(
            self.log, self.chance, self.folder / "aside", self.paused, self._read_and_saved
        )
        if self._how == "switched":
            self.disturber.switch()
        arguments = [str(self.log), str(self.whole), self._how, str(self._seconds)]
        self.writer = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.writer", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self.scraper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.scraper.stop.set()
        for process in (self.writer, self._follower):
            if process is not None:
                process.kill()
                process.wait()
        for stream in (self.writer.stdin, self.writer.stdout):
            if stream is not None:
                stream.close()
        self.scraper.join()

    @property
    def written(self) -> bool:
        """Whether the writer has written all."""
        return self.writer.poll() is not None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is written."""
        told = self._tell("pause")
        yield
        if told:
            self._tell("go")

    def _tell(self, what: str) -> bool:
        assert self.writer.stdin is not None
        assert self.writer.stdout is not None
        try:
            self.writer.stdin.write(f"{what}\n".encode())
        except BrokenPipeError:
            return False
        return self.writer.stdout.readline() == b"done\n"

    # The follower

    def start(self) -> None:
        """Start the follower, and scrape it."""
        command = ["prlimit", f"--fsize={self._largest}:", sys.executable, "-m", "logparse", "serve"]
        command += ["--listen", "127.0.0.1:0"]
        command += ["--state", str(self.state), "--save-every", "0.05", "--settle", str(SETTLE)]
        command += ["--start", "beginning", "--events", str(self.events), str(self.log)]
        said = self.folder / "said"
        with said.open("wb") as file:
            self._follower = subprocess.Popen(
                command, stderr=file, env={**os.environ, **self._faked(), "LOGPARSE_DEBUG": "1"}
            )
        while (found := re.search(r"listening.*url=(\S+)", said.read_text())) is None:
            assert self._follower.poll() is None, said.read_text()
            time.sleep(0.01)
        self.scraper.url = found[1]

    def _faked(self) -> dict[str, str]:
        """What lets libfaketime set the follower's clock: the one on the wall, and no other."""
        library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
        assert library is not None, "libfaketime is not installed: apt-get install faketime"
        return {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._clock),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def kill(self) -> None:
        """Kill it with SIGKILL."""
        assert self._follower is not None
        self.scraper.url = None
        destroyed = self.disturber.destroyed
        if destroyed is not None and time.monotonic() - destroyed < _SEEN_SECONDS:
            self.unseen += 1
        self._follower.kill()
        self._follower.wait()
        self._follower = None
        self.kills += 1

    def limit_files(self, size: int) -> None:
        """Let the follower write no file beyond this size, bytes, as if the disk were full; -1: any."""
        self._largest = size
        if self._follower is not None:
            _, hard = resource.prlimit(self._follower.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(self._follower.pid, resource.RLIMIT_FSIZE, (size, hard))

    def hold(self, seconds: float) -> None:
        """Stop it for a while, with SIGSTOP."""
        assert self._follower is not None
        self._follower.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self._follower.send_signal(signal.SIGCONT)
        self.stops += 1

    def set_clock(self) -> None:
        """Set its clock, forwards or back, by up to two days."""
        self._clock.write_text(f"{self.chance.randrange(-170_000, 170_000):+d}")
        self.steps += 1

    def health(self) -> tuple[int, dict[str, object]]:
        """Status and content of /healthz."""
        try:
            with urllib.request.urlopen(f"{self.scraper.url}/healthz", timeout=10) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())
        except OSError as error:
            return 0, {"not answered": str(error), "said": (self.folder / "said").read_text()}

    def _read_and_saved(self) -> bool:
        if self._follower is None:
            return False
        deadline = time.monotonic() + 20
        saved: set[float] = set()
        while time.monotonic() < deadline:
            now = self.scraper.last
            lag = [value for (name, _), value in now.items() if name == "logparse_lag_bytes"]
            if lag == [0.0]:
                # The second one from here on is of a state that was saved later.
                saved.add(
                    next(v for (name, _), v in now.items() if name == "logparse_snapshot_timestamp_seconds")
                )
                if len(saved) > 3:
                    return True
            else:
                saved.clear()
            time.sleep(0.02)
        return False

    # The end

    def check(self) -> None:
        """What the follower tells at the end is what one reading of the whole tells."""
        expected = in_one_go(self.whole, settle=SETTLE)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            now = self.scraper.last
            if of_jobs(now) == expected and summed(now, "bytes") == len(self.data):
                break
            time.sleep(0.1)
        status, health = self.health()
        said = (self.folder / "said").read_text()
        self.scraper.stop.set()
        self.scraper.join()
        assert self._follower is not None
        self._follower.terminate()
        ended = self._follower.wait(10)
        found = self.scraper.last
        what = f"{self.disturber.done} {said}"
        assert ended == 0, what
        sums = {name: summed(found, name) for name in ("bytes", "lines_lost")}
        assert sums["bytes"] == len(self.data), (sums, what)
        # Of a file that is gone when the next follower starts it is not known whether more was written to it:
        # that is said once, and counted as one.
        assert sums["lines_lost"] <= self.unseen, (sums, what)
        assert self.scraper.decreased == [], (self.scraper.decreased, what)
        jobs = of_jobs(found)
        assert jobs == expected, (sorted(jobs.items() ^ expected.items()), what)
        assert status == 200, health
        assert self.scraper.scrapes > 0
        command = [sys.executable, "-m", "logparse", "events", "--settle", str(SETTLE), "--no-settle-at-end"]
        ran = subprocess.run([*command, str(self.whole)], check=True, stdout=subprocess.PIPE)
        assert told(self.events.read_bytes()) == told(ran.stdout), what


def summed(found: Samples, name: str) -> float:
    """Of all files."""
    return sum(value for (family, _), value in found.items() if family == f"logparse_{name}_total")


def told(lines: bytes) -> list[dict[str, object]]:
    """The events, without the place of each: that is in a piece, or in the whole."""
    events = [json.loads(line) for line in lines.splitlines()]
    for event in events:
        del event["file"], event["offset"]
    return events
