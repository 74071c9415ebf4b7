"""Debian's Prometheus and its promtool, over blocks that a test has made."""

import json
import math
import re
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from logparse.out.sketch import ERROR

SAMPLE = re.compile(
    r'(?P<name>[a-z_]+)(?:\{(?P<labels>(?:[a-z_]+="(?:[^"\\]|\\.)*",?)*)\})? (?P<value>\S+) (?P<at>\S+)'
)
_LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')

Series = tuple[str, frozenset[tuple[str, str]]]
Samples = dict[Series, dict[int, float]]  # by time in ms


def written(text: str) -> Samples:
    """The samples of OpenMetrics text, each metric's times being in order."""
    found: Samples = {}
    assert text.endswith("# EOF\n")
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample, line
        # A label that is empty is none for Prometheus.
        labels = frozenset(pair for pair in _LABEL.findall(sample["labels"] or "") if pair[1])
        series = (sample["name"], labels)
        times = found.setdefault(series, {})
        at = round(float(sample["at"]) * 1000)
        assert at > max(times, default=-1), line
        times[at] = float(sample["value"])
    return found


def lines(samples: Samples) -> list[str]:
    """To compare them: as text, in which NaN is NaN."""
    return sorted(
        f"{name} {sorted(labels)} {sorted(times.items())}" for (name, labels), times in samples.items()
    )


def blocks(text: Path, folder: Path) -> None:
    """Have promtool make blocks of it."""
    (folder / "wal").mkdir(parents=True)  # `tsdb dump` wants to see one
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(text), str(folder)]
    subprocess.run(command, check=True, capture_output=True)


def dumped(folder: Path) -> Samples:
    """All samples of the blocks."""
    command = ["promtool", "tsdb", "dump", str(folder)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: Samples = {}
    for line in text.splitlines():
        labels, value, at = re.fullmatch(r"\{(.*)\} (\S+) (\d+)", line).groups()  # type: ignore[union-attr]
        pairs = dict(_LABEL.findall(labels))
        series = (pairs.pop("__name__"), frozenset(pairs.items()))
        times = found.setdefault(series, {})
        assert int(at) not in times, line
        times[int(at)] = float(value)
    return found


@contextmanager
def serving(folder: Path, rules: Path | None = None) -> Iterator[str]:
    """The URL of a Prometheus over these blocks."""
    config = folder / "prometheus.yml"
    config.write_text("{}" if rules is None else json.dumps({"rule_files": [str(rules)]}))
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    command = [
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={folder}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(300):
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            try:
                with urllib.request.urlopen(f"{url}/-/ready", timeout=5):  # noqa: S310
                    break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.communicate()


def in_its_bucket(figure: float | None, quantile: float, bounds: tuple[float, ...]) -> bool:
    """Whether Prometheus' quantile is in the bucket that holds the replay's figure, with that one's error."""
    assert figure is not None
    index = bisect_left(bounds, quantile)
    lower, upper = (0.0, *bounds)[index], (*bounds, math.inf)[index]
    return lower * (1 - ERROR) <= figure <= upper * (1 + ERROR)


def asked(url: str, query: str, at: float) -> list[tuple[dict[str, str], float]]:
    """What Prometheus answers to an instant query, at seconds since the epoch."""
    parameters = urllib.parse.urlencode({"query": query, "time": at})
    with urllib.request.urlopen(f"{url}/api/v1/query?{parameters}", timeout=30) as answer:  # noqa: S310
        data = json.load(answer)["data"]["result"]
    return [(one["metric"], float(one["value"][1])) for one in data]
