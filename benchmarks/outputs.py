"""What the outputs of a replay cost beside the plain one, each by itself and all together, on one log."""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from run import Cost, Log, lines_of, machine, measure


def commands(log: Path, folder: Path) -> dict[str, list[str]]:
    """What is compared; the first is what the others are compared with."""
    replay = [sys.executable, "-m", "logparse", "replay", "--json"]
    outputs = {
        "--html": ["--html", f"{folder}/report.html"],
        "--openmetrics": ["--openmetrics", f"{folder}/out.om"],
        "--openmetrics --step 1m": ["--openmetrics", f"{folder}/out.om", "--step", "1m"],
        "--otlp": ["--otlp", f"{folder}/traces.jsonl"],
    }
    together = [*outputs["--html"], *outputs["--openmetrics"], *outputs["--otlp"]]
    return {
        "": [*replay, str(log)],
        **{name: [*replay, *options, str(log)] for name, options in outputs.items()},
        "all of them": [*replay, *together, str(log)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    log = Log("", "info", 0.2, lines=given.lines)
    path = log.path("16.0")
    print(machine())
    print(
        f"\n{lines_of(path):,} lines, {path.stat().st_size / 1e6:.0f} MB; median of {given.rounds} rounds\n"
    )
    print("| `logparse replay --json` … | CPU s | times the plain one | peak MiB |\n|---|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        runs = commands(path, Path(folder))
        costs: dict[str, list[Cost]] = {name: [] for name in runs}
        for _ in range(given.rounds):
            for name, command in runs.items():
                costs[name].append(measure(command))
    plain = statistics.median(cost.cpu for cost in costs[""])
    for name, took in costs.items():
        cpu = statistics.median(cost.cpu for cost in took)
        memory = max(cost.memory for cost in took)
        print(f"| {f'`{name}`' if name else ''} | {cpu:.2f} | {cpu / plain:.2f} | {memory:.0f} |")


if __name__ == "__main__":
    main()
