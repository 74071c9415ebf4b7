"""What `logparse stage` costs: CPU of the real program for each line, at a steady 10,000 lines a second.

    python benchmarks/stage.py [--lines N] [--rate N]

The logs are those of benchmarks/generate.py, also as other programs wrap them.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).parent
_HEADER = re.compile(r"(\S+ \S+?),(\d+) (\d+) (\w+) (\S+) ([\w.]+): (.*)")


def plain(lines: list[str]) -> Iterator[str]:
    yield from lines


def docker(lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield json.dumps({"log": line, "stream": "stderr", "time": "2026-11-24T03:03:42.576123456Z"}) + "\n"


def syslog(lines: list[str]) -> Iterator[str]:
    """As rsyslog writes what Odoo's --syslog sends: tracebacks in one line, no pid."""
    for time_, _, _, level, db, logger, text in records(lines):
        when = datetime.fromisoformat(time_)
        message = text.rstrip(" \n").replace("\n", "#012")
        yield f"{when:%b %e %H:%M:%S} vm Odoo Server 16.0:{db}:{level}:{logger}:{message}\n"


def json_records(lines: list[str]) -> Iterator[str]:
    for time_, part, pid, level, db, logger, text in records(lines):
        first, _, rest = text.rstrip(" \n").partition("\n")
        record: dict[str, object] = {"asctime": f"{time_},{part}", "pid": int(pid), "levelname": level}
        record |= {"dbname": db, "name": logger, "message": first}
        if rest:
            record["exc_info"] = rest
        yield json.dumps(record) + "\n"


def records(lines: list[str]) -> Iterator[tuple[str, str, str, str, str, str, str]]:
    header: re.Match[str] | None = None
    rest = ""
    for line in lines:
        if (match := _HEADER.match(line)) is None:
            rest += line
            continue
        if header is not None:
            yield (*header.groups()[:6], f"{header[7]}\n{rest}")  # type: ignore[misc]
        header, rest = match, ""


FORMS: dict[str, Callable[[list[str]], Iterator[str]]] = {
    "plain": plain,
    "docker's JSON": docker,
    "JSON records": json_records,
    "syslog": syslog,
}


def cost(lines: list[bytes], rate: int, *arguments: str) -> tuple[float, float]:
    """(CPU, µs a line; lines a second that were written)."""
    with subprocess.Popen(
        [sys.executable, "-m", "logparse", "stage", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        target = process.stdin.fileno()
        warm = len(lines) // 10
        os.write(target, b"".join(lines[:50]))
        time.sleep(1)
        done, start, began, before = 50, time.monotonic(), 0.0, 0.0
        while done < len(lines):
            due = min(len(lines), 50 + int((time.monotonic() - start) * rate))
            if due > done:
                os.write(target, b"".join(lines[done:due]))
                done = due
            if not began and done >= warm:
                began, before, warm = time.monotonic(), cpu(process.pid), done
            time.sleep(0.0005)
        took = time.monotonic() - began
        time.sleep(0.5)
        return (cpu(process.pid) - before) / (done - warm) * 1e6, (done - warm) / took


def cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=40_000)
    parser.add_argument("--rate", type=int, default=10_000)
    given = parser.parse_args()
    print("| log | lines about jobs | `--format` | CPU, µs a line | lines/s |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for level, jobs in (("info", 0.15), ("info", 1.0), ("debug", 1.0)):
            log = Path(folder) / "odoo.log"
            command = [sys.executable, HERE / "generate.py", "--lines", str(given.lines), "--jobs", str(jobs)]
            subprocess.run(
                [*command, "--level", level, "--odoo", "16.0", log], check=True, capture_output=True
            )
            lines = log.read_text(errors="replace").splitlines(keepends=True)
            for name, form in FORMS.items():
                wrapped = [line.encode() for line in form(lines)]
                micros, rate = cost(wrapped, given.rate, "--format", "json")
                print(
                    f"| {name}, {level.upper()} | {jobs:.0%} | json | {micros:.0f} | {rate:.0f} |", flush=True
                )


if __name__ == "__main__":
    main()
