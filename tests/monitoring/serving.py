"""A real `logparse serve` on a log, for Prometheus or a page's commands to ask."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def environment() -> dict[str, str]:
    """The program's environment: this checkout, and nothing of LOGPARSE_ from outside."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOGPARSE_")}
    return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "80"}


@contextmanager
def serving(log: Path, *arguments: str) -> Iterator[str]:
    """The address:port at which the log is served, from its beginning."""
    said = log.parent / f"{log.name}.said"
    command = [sys.executable, "-m", "logparse", "serve", "--listen", "127.0.0.1:0", "--start", "beginning"]
    with said.open("w") as errors:
        process = subprocess.Popen([*command, *arguments, str(log)], stderr=errors, env=environment())
    try:
        deadline = time.monotonic() + 60
        while (found := re.search(r"url=http://(\S+?:\d+)", said.read_text())) is None:
            assert process.poll() is None, said.read_text()
            assert time.monotonic() < deadline, "it does not listen"
            time.sleep(0.05)
        yield found[1]
    finally:
        process.terminate()
        process.wait()
