"""How soon `logparse serve` counts a line, what it costs idle, what a burst costs, and a soak.

    python benchmarks/following.py [--burst MB] [--soak LINES] [--jobs NUMBER]

Reaction: from a write until it is read (`position`, by /healthz), and how long a scrape takes that comes
right after a write and tells of it (`read`): median and worst of 40, for a quiet log and for a busy one.
Idle: the share of one core in 20 seconds. Burst: that much of a log is there at once; how long until all is
read, and the most memory meanwhile. Soak: a log of so many lines is written in blocks of 5,000 (a second of
log time each) and rotated every 200,000 lines; resident memory and file descriptors after a fifth (warm-up)
and at the end. Jobs: so many are open, the log is written to, and SIGTERM comes at any moment, ten times,
also while the state is being saved; how long until it has ended, with 0, and the size of the state, which
must be whole and know the last line but one.
"""

import argparse
import json
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID as UUID4

from serving import used

from logparse.cli.snapshot import decode

SOURCE = Path(__file__).parent.parent / "fixtures" / "16.0-w2-info" / "odoo.log"
TIME = re.compile(rb"(?m)^2026-11-24 (\d\d:\d\d:\d\d,\d{3})")
UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@contextmanager
def served(log: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A follower of this log, from its beginning, with a state directory: its process and address."""
    said = log.with_name("said")
    command = [sys.executable, "-m", "logparse", "serve", "--listen", "127.0.0.1:0", "--start", "beginning"]
    with said.open("wb") as file:
        process = subprocess.Popen([*command, "--state", str(log.parent / "state"), str(log)], stderr=file)
    try:
        while (found := re.search(r"listening.*url=(\S+)", said.read_text())) is None:
            time.sleep(0.02)
        yield process, found[1]
    finally:
        process.terminate()
        process.wait()


def read(url: str) -> float:
    """How many bytes it has read."""
    return shown(url, "logparse_bytes_total")


def position(url: str) -> float:
    """The same, by /healthz, for which nothing is read."""
    with urllib.request.urlopen(f"{url}/healthz", timeout=30) as answer:  # noqa: S310
        files: dict[str, dict[str, float]] = json.loads(answer.read())["files"]
    return sum(file["position"] for file in files.values())


def shown(url: str, name: str) -> float:
    """A metric of it; 0 while it shows none."""
    try:
        with urllib.request.urlopen(f"{url}/metrics", timeout=30) as answer:  # noqa: S310
            found = re.search(rf"(?m)^{name}(?:\{{.*\}})? (\S+)$", answer.read().decode())
    except urllib.error.HTTPError as error:
        error.close()
        return 0.0
    return float(found[1]) if found else 0.0


def pieces(hours: int) -> Iterator[bytes]:
    """The recorded log again and again: each time a day later, and of other jobs."""
    text = SOURCE.read_bytes()
    for turn in range(hours):
        day = b"20%02d-%02d-%02d " % (27 + turn // 336, 1 + turn // 28 % 12, 1 + turn % 28)
        mark = b"%08x" % turn
        yield UUID.sub(lambda found, mark=mark: mark + found[0][8:], TIME.sub(day + rb"\1", text))


def reaction(log: Path) -> None:
    """From a write to its count."""
    lines = SOURCE.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:100]))
    with served(log) as (process, url), log.open("ab", buffering=0) as file:
        time.sleep(2)
        written = iter(lines[100:])

        def until(look: Callable[[str], float], pause: float) -> None:
            took = []
            for _ in range(40):
                begun = time.monotonic()
                while time.monotonic() - begun < 0.3:
                    time.sleep(pause)
                    if pause < 0.3:
                        file.write(next(written))
                file.write(next(written))
                start, size = time.monotonic(), log.stat().st_size
                while look(url) < size:
                    time.sleep(0.001)
                took.append(1000 * (time.monotonic() - start))
            told = f"median {statistics.median(took):.0f} ms, worst of {len(took)} {max(took):.0f} ms"
            print(f"{look.__name__}, written to every {pause} s: {told}")

        for pause in (0.3, 0.02):
            until(position, pause)
            until(read, pause)
        time.sleep(6)
        before = used(process.pid)[0]
        time.sleep(20)
        print(f"idle: {100 * (used(process.pid)[0] - before) / 20:.2f} % of a core")


def burst(log: Path, size: int) -> None:
    """All at once."""
    log.touch()
    with served(log) as (process, url):
        time.sleep(1)
        before, cpu = used(process.pid)[1], used(process.pid)[0]
        with log.with_name("burst").open("wb") as file:
            for piece in pieces(1 << 20):
                file.write(piece)
                if file.tell() >= size:
                    break
            total = file.tell()
        most, start = before, time.monotonic()
        log.with_name("burst").replace(log)
        while read(url) < total:
            most = max(most, used(process.pid)[1])
            time.sleep(0.1)
        took, cpu = time.monotonic() - start, used(process.pid)[0] - cpu
        print(f"burst: {total / 1e6:.0f} MB in {took:.1f} s, CPU {cpu:.1f} s, {before:.0f} to {most:.0f} MiB")


def open_jobs(number: int) -> Iterator[bytes]:
    """The lines at DEBUG of jobs that were enqueued, dispatched and started, and of which no end is known."""
    chance, start = Random(1), datetime(2026, 11, 24)
    runner = "17236 %s ? odoo.addons.queue_job.jobrunner"
    for count in range(number):
        time = f"{start + timedelta(milliseconds=10 * count):%Y-%m-%d %H:%M:%S},{count * 10 % 1000:03d}"
        uuid = UUID4(int=chance.getrandbits(128), version=4)
        channels = f"{time} {runner % 'DEBUG'}.channels: job {uuid} marked"
        lines = f"{channels} pending in channel root(C:2,Q:33,R:0,F:0) \n"
        lines += f"{channels} running in channel root(C:2,Q:58,R:2,F:0) \n"
        lines += f"{time} {runner % 'INFO'}.runner: asking Odoo to run job {uuid} on db odoo \n"
        run = "17230 DEBUG odoo odoo.addons.queue_job.controllers.main"
        yield f"{lines}{time} {run}: <Job {uuid}, priority:10> started \n".encode()


def ending(log: Path, jobs: int) -> None:
    """With so many open jobs."""
    *lines, last = open_jobs(jobs + 1)
    log.write_bytes(b"".join(lines))
    state = log.parent / "state" / "logparse.state"
    chance, took = Random(1), []
    for _ in range(10):
        with served(log) as (process, url), log.open("ab", buffering=0) as file:
            while shown(url, "logparse_tracked_jobs") < jobs:
                time.sleep(0.1)
            until = time.monotonic() + 8 * chance.random()
            while time.monotonic() < until:
                file.write(last)
                time.sleep(0.05)
            start = time.monotonic()
            process.send_signal(signal.SIGTERM)
            status = process.wait()
            took.append(time.monotonic() - start)
        (place,) = (one.place for one in decode(state.read_bytes()).logs)
        assert status == 0
        assert place is not None
        assert place.offset >= log.stat().st_size - len(last)
    size = state.stat().st_size / 1e6
    times = f"median {statistics.median(took):.2f} s, worst {max(took):.2f} s"
    print(f"ending with {jobs} open jobs: {times}; {size:.1f} MB")


def soak(log: Path, lines: int) -> None:
    """An hour of log time is 18,000,000 lines."""
    log.touch()
    written = count = since = 0
    first: tuple[float, int] | None = None
    with served(log) as (process, url):
        start = time.monotonic()
        for piece in pieces(1 << 20):
            number = piece.count(b"\n")
            with log.open("ab") as file:
                file.write(piece)
            written, count, since = written + len(piece), count + number, since + number
            while written - read(url) > 32 << 20:
                time.sleep(0.05)
            if since > 200_000:
                since = 0
                log.replace(log.with_name("odoo.log.1"))
                log.touch()
            now = (used(process.pid)[1], len(list(Path(f"/proc/{process.pid}/fd").iterdir())))
            if first is None and count > lines / 5:
                first = now
            if count >= lines:
                break
        while read(url) < written:
            time.sleep(0.05)
        now = (used(process.pid)[1], len(list(Path(f"/proc/{process.pid}/fd").iterdir())))
        assert first is not None
        print(
            f"soak: {count} lines in {time.monotonic() - start:.0f} s; {first[0]:.1f} to {now[0]:.1f} MiB, "
            f"descriptors {first[1]} to {now[1]}"
        )


def main() -> None:
    """All of it, or one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--burst", type=int, metavar="MB")
    parser.add_argument("--soak", type=int, metavar="LINES")
    parser.add_argument("--jobs", type=int, metavar="NUMBER")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "odoo.log"
        if given.soak:
            soak(log, given.soak)
        elif given.jobs:
            ending(log, given.jobs)
        elif given.burst:
            burst(log, given.burst * 1_000_000)
        else:
            reaction(log)


if __name__ == "__main__":
    main()
