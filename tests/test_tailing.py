"""No line is lost or doubled in what benchmarks/tailing.py puts tailers to; and its measure finds what is."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks import tailing
from benchmarks.tailing import SCENARIOS, Logparse, Pygtail, Result, run


def test_logparse_loses_and_doubles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most of the time they wait for a clock or for a file, so several run at once."""
    monkeypatch.setattr(tailing, "QUIET_SECONDS", tailing.LONGEST_SECONDS)
    with ThreadPoolExecutor(12) as pool:
        results = list(pool.map(lambda one: run(one, Logparse, tmp_path / one.__name__), SCENARIOS))
    found = {one.__name__: result for one, result in zip(SCENARIOS, results, strict=True)}
    assert {name: result[1:] for name, result in found.items()} == dict.fromkeys(found, (0, 0))


def test_a_tailer_that_splits_a_line_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tailing, "QUIET_SECONDS", 1.0)
    assert run(tailing.half_a_line, Pygtail, tmp_path / "logs") == Result(written=21, lost=1, doubled=0)
