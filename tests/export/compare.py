"""Compares what mtail, lnav and the stages count in any logs with what logparse reads in them.

    python -m tests.export.compare DIRECTORY…

Each directory holds the log of one run, perhaps in pieces. It ends with 1 where a count differs.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

from logparse.pipe import Pipe
from logparse.source.chunk import Chunk
from logparse.source.files import order_files, read_files
from tests import recorded
from tests.export.facts import Facts, exported
from tests.export.pipeline import Run
from tests.export.test_lnav import ask, install
from tests.export.test_mtail import PREFIX, Series, by, counted
from tests.export.test_promtail import stages

ROOT = Path(__file__).parent.parent.parent


def texts(directory: Path) -> dict[str, bytes]:
    """The uncompressed pieces, by name, in the order of time."""
    paths = [path for path in sorted(directory.iterdir()) if ".log" in path.name]
    found: dict[str, bytes] = {}
    for chunk in read_files(order_files([str(path) for path in paths])):
        name = Path(chunk.file).name
        found[name] = found.get(name, b"") + chunk.data
    return found


def compared(directory: Path) -> dict[str, dict[str, Counter[str]]]:
    """By kind (`events`, `exceptions`), by who counts: the counts."""
    logs = texts(directory)
    pipe = Pipe(recorded.patterns())
    pipe.tap = facts = Facts()
    for name, text in logs.items():
        pipe.feed(Chunk(name, 0, text, last=True))
    result: dict[str, dict[str, Counter[str]]] = {
        "events": {"logparse": facts.of},
        "exceptions": {"logparse": facts.exceptions},
    }
    whole = b"".join(logs.values()).decode(errors="replace").removesuffix("\n").split("\n")
    run = Run(stages(), whole, {"job": "odoo"})
    result["events"]["stages"] = Counter({s.event: run.total(PREFIX + s.metric) for s in exported()})
    result["exceptions"]["stages"] = run.by(f"{PREFIX}failed_total", "exception")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = (ROOT / "promtail" / "odoo_queue_job.mtail").read_text(encoding="utf-8")
        series: Series = Counter()
        for text in logs.values():
            series += counted(program, text, folder)
        result["events"]["mtail"] = Counter({s.event: by(series, s.metric, "").total() for s in exported()})
        result["exceptions"]["mtail"] = by(series, "failed_total", "exception")
        install(folder, (ROOT / "promtail" / "odoo_queue_job.lnav.json").read_text(encoding="utf-8"))
        pieces = []
        for piece, text in logs.items():
            (folder / piece.removesuffix(".gz")).write_bytes(text)
            pieces.append(folder / piece.removesuffix(".gz"))
        columns = ", ".join(f"count({signal.event}) as {signal.event}" for signal in exported())
        of_class = "select exception, count(*) as n from odoo_queue_job where failed is not null group by 1"
        try:
            (row,) = ask(folder, f"select {columns} from odoo_queue_job", *pieces)  # noqa: S608
        except ValueError:  # it knows no line of the format
            row = {}
        rows = ask(folder, of_class, *pieces) if row.get("failed") else []
        result["events"]["lnav"] = Counter(row)
        result["exceptions"]["lnav"] = Counter({row["exception"] or "": row["n"] for row in rows})
    return result


def main(directories: list[str]) -> int:
    """Print a table, and where something differs, what."""
    differs = 0
    print("| log | " + " | ".join(signal.event for signal in exported()) + " | |")
    print("|---" * (len(exported()) + 2) + "|")
    for directory in map(Path, directories):
        result = compared(directory)
        told = result["events"]["logparse"]
        notes = [
            f"{who}: {kind} +{dict(counts - theirs)} -{dict(theirs - counts)}"
            for kind, of in result.items()
            for who, counts in of.items()
            if +counts != +(theirs := of["logparse"])
        ]
        differs += bool(notes)
        row = " | ".join(str(told[signal.event]) for signal in exported())
        print(f"| {directory.name} | {row} | {'; '.join(notes) or 'all equal'} |", flush=True)
    return 1 if differs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
