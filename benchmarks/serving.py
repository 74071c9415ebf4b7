"""What `logparse serve` costs beside a server that writes 5,000 lines a second, a fifth of them about jobs.

The writer adds lines every tenth of a second; a scrape comes every 15 seconds. Prints the share of one core
that the process took (user and system, from /proc, after ten seconds of warm-up), its memory, and how long
the scrapes took; then the same for a log that nobody writes to.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from run import Log, machine

_TICK = 0.1
_SCRAPE = 15.0
_WARM_UP = 10.0


def used(pid: int) -> tuple[float, float]:
    """CPU seconds and resident MiB of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return seconds, int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def blocks(path: Path, lines: int) -> Iterator[bytes]:
    """So many lines at a time."""
    with path.open("rb") as file:
        while block := b"".join(islice(file, lines)):
            yield block


def share(source: Path, rate: int, seconds: float) -> str:
    """One row of the table."""
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "odoo.log"
        log.touch()
        command = [sys.executable, "-m", "logparse", "serve", "--listen", "127.0.0.1:0"]
        process = subprocess.Popen(
            [*command, "--state", f"{directory}/state", str(log)], stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        found = None
        while found is None:
            found = re.search(r"http://\S+?:\d+", process.stderr.readline())
        url = f"{found[0]}/metrics"
        begun = time.monotonic()
        warm: tuple[float, float] | None = None
        scraped = begun
        took: list[float] = []
        source_blocks = blocks(source, int(rate * _TICK)) if rate else iter(())
        tick = 0
        with log.open("ab", buffering=0) as file:
            while (now := time.monotonic()) - begun < _WARM_UP + seconds:
                if (block := next(source_blocks, None)) is not None:
                    file.write(block)
                if now - scraped >= _SCRAPE:
                    scraped = now
                    with urllib.request.urlopen(url) as answer:  # noqa: S310 (our own server)
                        answer.read()
                    took.append((time.monotonic() - now) * 1000)
                if warm is None and now - begun >= _WARM_UP:
                    warm = (used(process.pid)[0], now)
                tick += 1
                time.sleep(max(0.0, begun + tick * _TICK - time.monotonic()))
        assert warm is not None
        cpu, memory = used(process.pid)
        percent = 100 * (cpu - warm[0]) / (time.monotonic() - warm[1])
        process.terminate()
        process.wait()
    scrapes = f"{sum(took) / len(took):.0f}" if took else ""
    return f"| {rate:,} lines/s | {percent:.2f} % | {memory:.0f} | {scrapes} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args()
    source = Log("serving", "info", 0.2, lines=1_000_000).path("16.0")
    print(machine())
    print("\n| written | of one core | MiB | a scrape, ms |\n|---|--:|--:|--:|")
    for rate in (5_000, 0):
        print(share(source, rate, given.seconds), flush=True)


if __name__ == "__main__":
    main()
