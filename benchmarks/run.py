"""Measures the whole pipe as processes, beside tools that do less, on logs that generate.py makes.

All commands read one file after the other in turns, several rounds in one session, so that what the
machine does besides falls on all of them; the table has the medians of the CPU time (user and system).
"""

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from generate import DATA, HERE, PAUSE, write_log

from logparse.lifecycle.event import Output
from logparse.match.fact import Fact
from logparse.out.summary import Summary
from logparse.pipe import Pipe
from logparse.record.record import Record
from logparse.source.files import read_files

_PROGRAM = HERE.parent / "promtail" / "odoo_queue_job.mtail"


class Log(NamedTuple):
    """A log to measure with; lines or megabytes, whichever is not 0; pause: seconds between its bursts."""

    name: str
    level: str
    jobs: float
    lines: int = 0
    megabytes: float = 0
    pause: float = PAUSE

    def path(self, odoo: str) -> Path:
        """Where it is; written first where it is not there yet."""
        size = self.lines or f"{self.megabytes:g}mb"
        path = DATA / f"{odoo}-{self.level}-{self.jobs:g}-{size}-{self.pause:g}.log"
        if not path.exists():
            write_log(
                path,
                odoo=odoo,
                level=self.level,
                jobs=self.jobs,
                lines=self.lines,
                megabytes=self.megabytes,
                pause=self.pause,
            )
        return path


SPEED = (
    Log("INFO, 20 % about jobs", "info", 0.2, lines=1_000_000),
    Log("INFO, 15 % about jobs", "info", 0.15, lines=1_000_000),
    Log("INFO, 1 % about jobs", "info", 0.01, lines=1_000_000),
    Log("DEBUG, 20 % about jobs", "debug", 0.2, lines=1_000_000),
)
MEMORY = (
    Log("10 MB, 1,000 jobs open at once", "info", 0.2, megabytes=10, pause=900),
    Log("1 GB, 1,000 jobs open at once", "info", 0.2, megabytes=1000, pause=900),
    Log("1 GB, 19,000 jobs open at once", "info", 0.2, megabytes=1000),
)


class Cost(NamedTuple):
    """What one process took: CPU and wall seconds, the most memory in MiB."""

    cpu: float
    wall: float
    memory: float


def measure(command: list[str]) -> Cost:
    """Run a command, its output thrown away; it must succeed (grep: may find nothing)."""
    # grep stops at its first hit where its output is /dev/null.
    counts = command[0] in ("grep", "rg")
    begun = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE if counts else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL if command[0] == "mtail" else None,  # it tells what it does
    )
    if process.stdout is not None:
        process.stdout.read()
        process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode > 1 or (process.returncode and command[0] not in ("grep", "rg")):
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


def lines_of(path: Path) -> int:
    """How many lines it has. Read in blocks: a process's peak counts what its parent held when it forked."""
    with path.open("rb", buffering=0) as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def commands(path: Path) -> dict[str, list[str]]:
    """What is compared on a file; tools that are not installed are left out."""
    logparse = [sys.executable, "-m", "logparse"]
    file = str(path)
    found = {
        "cat": ["cat", file],
        "grep -c queue_job": ["grep", "-c", "queue_job", file],
        "ceiling.py": [sys.executable, str(HERE / "ceiling.py"), file],
        "logparse replay --json": [*logparse, "replay", "--json", "--no-settle-at-end", file],
        "logparse events": [*logparse, "events", file],
    }
    if shutil.which("mtail"):
        # The program that `logparse export mtail` makes of the same patterns (promtail/).
        flags = ("-one_shot", "-one_shot_format=prometheus", "-logtostderr")
        found["mtail"] = ["mtail", *flags, f"-progs={_PROGRAM}", f"-logs={file}"]
    if shutil.which("rg"):
        found["rg -c queue_job"] = ["rg", "-c", "queue_job", file]
    return found


def compare(log: Log, odoo: str, rounds: int) -> Iterator[str]:
    """The lines of a table, in Markdown."""
    path = log.path(odoo)
    lines, megabytes = lines_of(path), path.stat().st_size / 1e6
    yield f"\n{log.name}: {lines:,} lines, {megabytes:.0f} MB, Odoo {odoo}; median of {rounds} rounds\n"
    yield "| | CPU s | wall s | lines/s | MB/s | peak MiB | grep x | ceiling x |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    runs = commands(path)
    costs: dict[str, list[Cost]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, command in runs.items():
            costs[name].append(measure(command))
    cpu = {name: statistics.median(cost.cpu for cost in took) for name, took in costs.items()}
    for name, took in costs.items():
        seconds = max(cpu[name], 1e-3)
        wall = statistics.median(cost.wall for cost in took)
        memory = max(cost.memory for cost in took)
        yield (
            f"| `{name}` | {seconds:.2f} | {wall:.2f} | {lines / seconds:,.0f} | {megabytes / seconds:,.0f} "
            f"| {memory:.0f} | {seconds / max(cpu['grep -c queue_job'], 1e-3):.1f} "
            f"| {seconds / cpu['ceiling.py']:.2f} |"
        )


def stages(log: Log, odoo: str) -> Iterator[str]:
    """Where the time goes, stage by stage, in this process."""
    pipe, summary = Pipe(), Summary()
    took = dict.fromkeys(("read", "record", "match", "lifecycle", "sums"), 0.0)
    number = dict.fromkeys(took, 0)
    clock = time.process_time
    begun = clock()
    for chunk in read_files([str(log.path(odoo))]):
        at = [begun, clock()]
        records: list[Record] = pipe.reader.feed(chunk)
        at.append(clock())
        facts: list[Fact] = pipe.match(records)
        at.append(clock())
        outputs: list[Output] = pipe.tell(facts)
        at.append(clock())
        summary.add_all(outputs)
        at.append(clock())
        handled = (chunk.data.count(b"\n"), len(records), len(facts), len(outputs), 0)
        for name, start, end, count in zip(took, at[:-1], at[1:], handled, strict=True):
            took[name] += end - start
            number[name] += count
        begun = at[-1]
    yield f"\nStages, {log.name}\n"
    yield "| stage | CPU s | gave |"
    yield "|---|--:|--:|"
    for (name, seconds), what in zip(
        took.items(), ("lines", "records", "facts", "events and measures", ""), strict=True
    ):
        yield f"| {name} | {seconds:.2f} | {f'{number[name]:,} {what}' if what else ''} |"


def memory(odoo: str) -> Iterator[str]:
    """The peak for a small and a large log."""
    yield "\n| `logparse replay --json` of | lines/s (CPU) | peak MiB |"
    yield "|---|--:|--:|"
    for log in MEMORY:
        path = log.path(odoo)
        lines = lines_of(path)
        cost = measure(commands(path)["logparse replay --json"])
        yield f"| {log.name} | {lines / cost.cpu:,.0f} | {cost.memory:.0f} |"


def machine() -> str:
    """The processor, and how many cores there are."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = models[0].partition(": ")[2] if models else model
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--odoo", default="16.0", help="series of the run that the logs are made of")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-memory", action="store_true", help="without the log of 1 GB")
    given = parser.parse_args()

    def show(lines: Iterator[str]) -> None:
        for line in lines:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()

    show(iter([machine()]))
    for log in SPEED:
        show(compare(log, given.odoo, given.rounds))
    if not given.no_memory:
        show(memory(given.odoo))
    for log in SPEED:
        show(stages(log, given.odoo))


if __name__ == "__main__":
    main()
