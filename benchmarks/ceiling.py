"""The least that Python can do with a log: read it in blocks, find the literals, split the headers, count.

No record is judged, matched or followed here; what the pipe takes beyond this time is what its results cost.
"""

import sys
from collections import Counter
from pathlib import Path

from logparse.pipe import Pipe

_BLOCK = 1 << 20


def count(path: Path) -> Counter[str]:
    """How many lines of each logger hold one of the literals that the built-in patterns need."""
    literals = Pipe().interest.literals
    counts: Counter[str] = Counter()
    rest = b""
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            data = rest + block
            stop = data.rfind(b"\n") + 1
            hits: set[int] = set()
            for literal in literals:
                position = data.find(literal, 0, stop)
                while position >= 0:
                    hits.add(data.rfind(b"\n", 0, position) + 1)
                    position = data.find(literal, data.find(b"\n", position, stop), stop)
            for start in sorted(hits):
                words = data[start : data.find(b"\n", start)].decode(errors="replace").split(" ", 6)
                if len(words) == 7:
                    counts[words[5]] += 1
            rest = data[stop:]
    return counts


if __name__ == "__main__":
    for logger, number in count(Path(sys.argv[1])).most_common():
        sys.stdout.write(f"{number} {logger}\n")
