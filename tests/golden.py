"""Writes the events expected of the recorded runs: `python -m tests.golden --write`, or `make golden`.

It refuses where tests/test_truth.py fails: the databases decide what is right, not the output of the day.
Without `--write` it tells which runs have changed, and exits with 1 where one has.
"""

import argparse
import gzip
import sys

import pytest

from tests import recorded


def main() -> int:
    """0; 1 where events have changed and are not written, 2 where they contradict the databases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write what has changed")
    write = parser.parse_args().write
    changed = [run for run in recorded.RUNS if recorded.golden(run) != expected(run)]
    for run in changed:
        sys.stdout.write(f"{run}: events have changed\n")
    if not changed:
        return 0
    if not write:
        return 1
    truth = recorded.FIXTURES.parent / "tests" / "test_truth.py"
    if pytest.main(["-q", "--no-header", str(truth)]) != 0:
        sys.stderr.write("nothing was written: the events contradict the databases, see above\n")
        return 2
    for run in changed:
        path = recorded.FIXTURES / run / recorded.GOLDEN
        path.write_bytes(gzip.compress(recorded.golden(run), 9, mtime=0))
    return 0


def expected(run: str) -> bytes:
    """The lines that are stored; none where there are none yet."""
    path = recorded.FIXTURES / run / recorded.GOLDEN
    return gzip.decompress(path.read_bytes()) if path.exists() else b""


if __name__ == "__main__":
    sys.exit(main())
