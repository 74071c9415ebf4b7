"""Counts the lines that tailers lose and double: logparse beside pygtail and mtail.

    python benchmarks/tailing.py [SCENARIO…]

Each scenario writes numbered lines into a log, rotates it as logrotate does, and stops, kills or freezes
the tailer meanwhile. A line is lost when the tailer never tells of it, doubled when it tells of it more
than once. No scenario destroys a line before it could be read.

The tailers run as processes, as their manuals say: `mtail --logs LOG`, scraped right before it is stopped,
as a Prometheus would have its numbers at best; pygtail in a loop, as it comes and with all that it offers
against loss (`paranoid`, so that every line's offset is saved, and `full_lines`); `logparse serve --state
--events`, whose metrics must tell what its events tell.
"""

import gzip
import inspect
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

QUIET_SECONDS = 4.0  # in which a tailer that tells nothing new tells no more
LONGEST_SECONDS = 60.0
START_SECONDS = 60.0

PYGTAIL = """
import os, sys, time
from pygtail import Pygtail
log, offset, out, best = sys.argv[1:]
options = {"paranoid": True, "full_lines": True} if best == "best" else {}
to = os.open(out, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
while True:
    try:
        for line in Pygtail(log, offset_file=offset, **options):
            os.write(to, (line if isinstance(line, bytes) else line.encode()).rstrip(b"\\n") + b"\\n")
    except Exception as error:
        print(type(error).__name__, error, file=sys.stderr, flush=True)
    time.sleep(0.05)
"""
# One series for each line, by its number.
MTAIL = r"""
counter seen by number
/asking Odoo to run job (?P<number>[0-9a-f-]{36}) on db/ {
  seen[$number]++
}
"""
NUMBERED = re.compile(r" asking Odoo to run job ([0-9a-f-]{36}) on db prod$")


class Log:
    """The log that a scenario writes. numbers: of the lines that a tailer could read."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.path = folder / "odoo.log"
        self.numbers: list[str] = []
        self.path.touch()

    def line(self) -> bytes:
        """The next line."""
        count = len(self.numbers)
        number = f"{count:08d}-0000-4000-8000-000000000000"
        self.numbers.append(number)
        # Three a millisecond, so that all are of one day.
        hours, rest = divmod(count // 3, 3_600_000)
        minutes, rest = divmod(rest, 60_000)
        clock = f"{hours:02d}:{minutes:02d}:{rest // 1000:02d},{rest % 1000:03d}"
        about = "odoo.addons.queue_job.jobrunner.runner: asking Odoo to run job"
        return f"2026-11-24 {clock} 17 INFO ? {about} {number} on db prod\n".encode()

    def put(self, data: bytes) -> None:
        """Write, as Odoo does: it opens the file anew where it was renamed."""
        with self.path.open("ab", 0) as file:
            file.write(data)

    def write(self, lines: int = 10) -> None:
        """Write whole lines, at once."""
        self.put(b"".join(self.line() for _ in range(lines)))

    def piece(self, number: int) -> Path:
        """The rotated piece of that number."""
        return self.path.with_name(f"odoo.log.{number}")

    def shift(self) -> None:
        """Give each piece the next number."""
        for number in range(8, 0, -1):
            for suffix in ("", ".gz"):
                old = self.piece(number)
                if (old := old.with_name(old.name + suffix)).exists():
                    old.rename(self.path.with_name(f"odoo.log.{number + 1}{suffix}"))

    def rename(self) -> None:
        """Rotate as logrotate does with `create`."""
        self.shift()
        self.path.rename(self.piece(1))
        self.path.touch()

    def copytruncate(self) -> None:
        """Rotate as logrotate does with `copytruncate`."""
        self.shift()
        shutil.copy2(self.path, self.piece(1))
        os.truncate(self.path, 0)

    def compress(self, number: int = 1) -> None:
        """Compress a piece as gzip does, which keeps its times."""
        piece = self.piece(number)
        times = piece.stat()
        packed = piece.with_name(piece.name + ".gz")
        packed.write_bytes(gzip.compress(piece.read_bytes()))
        os.utime(packed, ns=(times.st_atime_ns, times.st_mtime_ns))
        piece.unlink()


class Tailer:
    """A tailer's process. told: how often it told of each line's number."""

    name = ""

    def __init__(self, log: Log, folder: Path) -> None:
        self.log = log
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        self.errors = (folder / "errors").open("ab")

    def command(self) -> list[str]:
        """What starts it."""
        raise NotImplementedError

    def told(self) -> Counter[str]:
        """How often it told of each number."""
        raise NotImplementedError

    def ready(self) -> bool:
        """Whether it is reading."""
        return True

    def start(self) -> None:
        """Start it, and wait until it reads."""
        self.process = subprocess.Popen(self.command(), stdout=self.errors, stderr=self.errors)
        deadline = time.monotonic() + START_SECONDS
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} does not start: {(self.folder / 'errors').read_text()}")
            time.sleep(0.02)

    def stop(self, *, kill: bool = False) -> None:
        """Stop it as a service manager does, or as a lack of memory does."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            self.process.wait(20)
            self.process = None

    def freeze(self) -> None:
        """Let it not run, as on a machine that is too busy."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it run on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def catch_up(self) -> None:
        """Wait until it has told of all lines, or tells of no more."""
        started = changed = time.monotonic()
        before = self.told()
        while (now := time.monotonic()) < started + LONGEST_SECONDS:
            told = self.told()
            if told != before:
                before, changed = told, now
            if set(self.log.numbers) <= set(told) or now - changed > QUIET_SECONDS:
                break
            time.sleep(0.05)


class Pygtail(Tailer):
    """pygtail, asked again and again, by a process that keeps what it said."""

    name = "pygtail"
    best = ""

    def command(self) -> list[str]:
        out, offset = self.folder / "out", self.folder / "offset"
        return [sys.executable, "-c", PYGTAIL, str(self.log.path), str(offset), str(out), self.best]

    def told(self) -> Counter[str]:
        out = self.folder / "out"
        lines = out.read_text().splitlines() if out.exists() else []
        return Counter(found[1] for line in lines if (found := NUMBERED.search(line)))


class BestPygtail(Pygtail):
    """pygtail with all that it offers against loss."""

    name = "pygtail, paranoid"
    best = "best"


class Mtail(Tailer):
    """mtail, whose counters are those that were scraped last before each of its ends."""

    name = "mtail"

    def __init__(self, log: Log, folder: Path) -> None:
        super().__init__(log, folder)
        (folder / "progs").mkdir()
        (folder / "progs" / "seen.mtail").write_text(MTAIL)
        self.before: Counter[str] = Counter()
        self.port = 0

    def command(self) -> list[str]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        where = ["--address", "127.0.0.1", "--port", str(self.port)]
        return ["mtail", "--progs", str(self.folder / "progs"), "--logs", str(self.log.path), *where]

    def scrape(self) -> Counter[str]:
        """What it says now."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        found = re.findall(r'^seen\{.*?number="([^"]+)".*?\} (\d+)', text, re.MULTILINE)
        return Counter({number: int(count) for number, count in found})

    def ready(self) -> bool:
        try:
            self.scrape()
        except OSError:
            return False
        return True

    def told(self) -> Counter[str]:
        return self.before + (self.scrape() if self.process is not None else Counter())

    def stop(self, *, kill: bool = False) -> None:
        self.before = self.told()
        super().stop(kill=kill)


class Logparse(Tailer):
    """logparse serve, whose events are counted, and its metrics held against them."""

    name = "logparse"

    def command(self) -> list[str]:
        (self.folder / "errors").write_bytes(b"")
        said = ["--state", str(self.folder / "state"), "--events", str(self.folder / "events")]
        verb = [sys.executable, "-m", "logparse", "serve", "--listen", "127.0.0.1:0", "--start", "beginning"]
        return [*verb, *said, str(self.log.path)]

    def ready(self) -> bool:
        return "listening" in (self.folder / "errors").read_text()

    def told(self) -> Counter[str]:
        events = self.folder / "events"
        lines = events.read_bytes().splitlines(keepends=True) if events.exists() else []
        whole = (json.loads(line) for line in lines if line.endswith(b"\n"))
        return Counter(event["uuid"] for event in whole if event["event"] == "dispatched")

    def counted(self) -> int:
        """What its metrics say of all lines."""
        url = re.findall(r"url=(\S+)", (self.folder / "errors").read_text())[-1]
        with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:  # noqa: S310
            text = answer.read().decode()
        found = re.findall(r"^odoo_queue_job_dispatched_total\{.*?\} (\S+)$", text, re.MULTILINE)
        return int(sum(map(float, found)))


TAILERS: tuple[type[Tailer], ...] = (Pygtail, BestPygtail, Mtail, Logparse)


def renamed(log: Log, tailer: Tailer) -> None:
    """renamed while it runs"""
    log.write()
    tailer.catch_up()
    log.rename()
    log.write()
    tailer.catch_up()
    log.rename()
    log.write()


def renamed_while_down(log: Log, tailer: Tailer) -> None:
    """renamed while it is down"""
    log.write()
    tailer.catch_up()
    tailer.stop()
    log.write()
    log.rename()
    log.write()
    tailer.start()


def renamed_twice_while_down(log: Log, tailer: Tailer) -> None:
    """renamed twice while it is down"""
    log.write()
    tailer.catch_up()
    tailer.stop()
    log.write()
    log.rename()
    log.write()
    log.rename()
    log.write()
    tailer.start()


def renamed_and_compressed(log: Log, tailer: Tailer) -> None:
    """renamed twice while it is down, both pieces compressed"""
    log.write()
    tailer.catch_up()
    tailer.stop()
    log.write()
    log.rename()
    log.compress()
    log.write()
    log.rename()
    log.compress()
    log.write()
    tailer.start()


def dated_while_down(log: Log, tailer: Tailer) -> None:
    """renamed twice while it is down, to dated names"""
    log.write()
    tailer.catch_up()
    tailer.stop()
    for day in ("20261123", "20261124"):
        log.write()
        log.path.rename(log.path.with_name(f"odoo.log-{day}"))
        log.path.touch()
    log.write()
    tailer.start()


def renamed_twice_while_frozen(log: Log, tailer: Tailer) -> None:
    """renamed twice before it looks, the older piece compressed"""
    log.write()
    tailer.catch_up()
    tailer.freeze()
    log.write()
    log.rename()
    log.write()
    log.rename()
    log.compress(2)
    log.write()
    tailer.thaw()


def copied_and_cut(log: Log, tailer: Tailer) -> None:
    """copytruncate while it runs, all read before"""
    log.write(20)
    tailer.catch_up()
    log.copytruncate()
    log.write(5)


def copied_and_cut_while_frozen(log: Log, tailer: Tailer) -> None:
    """copytruncate before it looks, not all read before"""
    log.write(20)
    tailer.catch_up()
    tailer.freeze()
    log.write(10)
    log.copytruncate()
    log.write(5)
    tailer.thaw()


def copied_and_cut_while_down(log: Log, tailer: Tailer) -> None:
    """copytruncate while it is down"""
    log.write()
    tailer.catch_up()
    tailer.stop()
    log.write()
    log.copytruncate()
    log.write(5)
    tailer.start()


def copied_and_cut_twice_while_down(log: Log, tailer: Tailer) -> None:
    """copytruncate twice while it is down"""
    log.write()
    tailer.catch_up()
    tailer.stop()
    log.write()
    log.copytruncate()
    log.write()
    log.copytruncate()
    log.write(5)
    tailer.start()


def grown_past_its_old_size(log: Log, tailer: Tailer) -> None:
    """truncated, and grown past the old size before it looks"""
    log.write(20)
    tailer.catch_up()
    tailer.freeze()
    os.truncate(log.path, 0)
    log.write(40)
    tailer.thaw()


def grown_past_its_old_size_while_down(log: Log, tailer: Tailer) -> None:
    """the same while it is down"""
    log.write(20)
    tailer.catch_up()
    tailer.stop()
    os.truncate(log.path, 0)
    log.write(40)
    tailer.start()


def cut_to_half(log: Log, tailer: Tailer) -> None:
    """cut to half, and written on, before it looks"""
    log.write(20)
    tailer.catch_up()
    tailer.freeze()
    os.truncate(log.path, log.path.stat().st_size // 2)
    log.write(5)
    tailer.thaw()


def half_a_line(log: Log, _: Tailer) -> None:
    """half a line, and the rest two seconds later"""
    log.write()
    line = log.line()
    log.put(line[:90])
    time.sleep(2)
    log.put(line[90:])
    log.write()


def half_a_line_over_a_restart(log: Log, tailer: Tailer) -> None:
    """half a line, a restart, and the rest"""
    log.write()
    line = log.line()
    log.put(line[:90])
    time.sleep(2)
    tailer.stop()
    tailer.start()
    log.put(line[90:])
    log.write()


def invalid_byte(log: Log, tailer: Tailer) -> None:
    """one byte that is not UTF-8, in a line about something else"""
    log.write()
    tailer.catch_up()
    log.put(b"2026-11-24 00:00:00,003 17 INFO prod odoo.addons.base: caf\xe9\n")
    log.write()
    tailer.catch_up()
    log.write()


def reused_inode(log: Log, tailer: Tailer) -> None:
    """removed while it is down, and a longer log with the same inode number written"""
    log.write()
    tailer.catch_up()
    tailer.stop()
    inode = log.path.stat().st_ino
    log.path.unlink()
    log.path.touch()
    for number in range(1000):
        if log.path.stat().st_ino == inode:
            break
        log.path.rename(log.path.with_name(f"other{number}"))
        log.path.touch()
    if log.path.stat().st_ino != inode:
        print(f"{log.path}: this file system, such as tmpfs, does not use an inode again", file=sys.stderr)
    log.write(20)
    tailer.start()


def missing_at_first(log: Log, tailer: Tailer) -> None:
    """missing at the start, and written later"""
    tailer.stop()
    log.path.unlink()
    tailer.start()
    time.sleep(1)
    log.write()


def away_and_back(log: Log, tailer: Tailer) -> None:
    """moved away, and back after a second"""
    log.write()
    tailer.catch_up()
    log.path.rename(log.path.with_name("elsewhere"))
    time.sleep(1)
    log.path.with_name("elsewhere").rename(log.path)
    log.write()


def switched_link(log: Log, tailer: Tailer) -> None:
    """a symbolic link that is switched to a new file, as in Kubernetes"""
    tailer.stop()
    folder = log.path.parent
    log.path.rename(folder / "0.log")
    log.path.symlink_to("0.log")
    tailer.start()
    log.write()
    tailer.catch_up()
    (folder / "1.log").touch()
    (folder / "new").symlink_to("1.log")
    (folder / "new").rename(log.path)
    log.write()


def restarted(log: Log, tailer: Tailer) -> None:
    """stopped and started, eight times, while lines are written"""
    _while_written(log, tailer, kill=False)


def killed(log: Log, tailer: Tailer) -> None:
    """kill -9 and started, eight times, while lines are written"""
    _while_written(log, tailer, kill=True)


def killed_in_a_burst(log: Log, tailer: Tailer) -> None:
    """kill -9 in the middle of 20,000 lines that were written at once"""
    log.write(20_000)
    deadline = time.monotonic() + 5
    while not tailer.told() and time.monotonic() < deadline:
        time.sleep(0.001)
    tailer.stop(kill=True)
    tailer.start()
    tailer.catch_up()
    log.write()


def _while_written(log: Log, tailer: Tailer, *, kill: bool) -> None:
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            log.write(7)
            time.sleep(0.01)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        chance = random.Random(1)
        for _ in range(8):
            time.sleep(chance.random() / 2)
            tailer.stop(kill=kill)
            time.sleep(0.2)
            tailer.start()
    finally:
        done.set()
        writer.join()


SCENARIOS: tuple[Callable[[Log, Tailer], None], ...] = (
    renamed,
    renamed_while_down,
    renamed_twice_while_down,
    renamed_and_compressed,
    dated_while_down,
    renamed_twice_while_frozen,
    copied_and_cut,
    copied_and_cut_while_frozen,
    copied_and_cut_while_down,
    copied_and_cut_twice_while_down,
    grown_past_its_old_size,
    grown_past_its_old_size_while_down,
    cut_to_half,
    half_a_line,
    half_a_line_over_a_restart,
    invalid_byte,
    reused_inode,
    missing_at_first,
    away_and_back,
    switched_link,
    restarted,
    killed,
    killed_in_a_burst,
)


class Result(NamedTuple):
    """written: lines. lost, doubled: how many of them."""

    written: int
    lost: int
    doubled: int


def run(scenario: Callable[[Log, Tailer], None], kind: type[Tailer], folder: Path) -> Result:
    """Run one scenario with one tailer, in a folder that is made."""
    log = Log(folder / "logs")
    tailer = kind(log, folder)
    tailer.start()
    try:
        scenario(log, tailer)
        tailer.catch_up()
        told = tailer.told()
        if isinstance(tailer, Logparse):
            assert tailer.counted() == told.total(), "the metrics tell what the events tell"
    finally:
        tailer.stop()
        tailer.errors.close()
    lost = sum(number not in told for number in log.numbers)
    doubled = sum(told[number] > 1 for number in log.numbers)
    return Result(len(log.numbers), lost, doubled)


def main(names: list[str]) -> int:
    """Run all scenarios, or those that are named, and print the table."""
    chosen = [one for one in SCENARIOS if not names or one.__name__ in names]
    if not chosen or len(chosen) < len(names):
        print(f"There are: {', '.join(one.__name__ for one in SCENARIOS)}.", file=sys.stderr)
        return 2
    print("| lost / doubled |" + "|".join(f" {kind.name} " for kind in TAILERS) + "| lines |")
    print("|---|" + "---|" * (len(TAILERS) + 1))
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(len(TAILERS)) as pool:
        for scenario in chosen:
            folders = [Path(name) / scenario.__name__ / kind.__name__ for kind in TAILERS]
            results = list(pool.map(run, [scenario] * len(TAILERS), TAILERS, folders))
            cells = [f" {one.lost} / {one.doubled} " for one in results]
            print(
                f"| {inspect.getdoc(scenario)} |" + "|".join(cells) + f"| {results[-1].written:,} |",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
