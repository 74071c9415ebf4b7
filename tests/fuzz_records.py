"""Feeds mutated real logs to the pipe under atheris, which looks for inputs that reach new code.

    python -m tests.fuzz_records [options of libFuzzer, such as -max_total_time=600]     (`make fuzz`)

Nothing may raise, whatever the bytes are, and however they are cut.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["logparse"]):
    from logparse.match.load import load_patterns
    from logparse.pipe import Pipe
    from logparse.source.chunk import Chunk

from tests import recorded

PATTERNS = load_patterns()
_PIECE = 6000  # bytes of a real log that are one seed


def run(data: bytes) -> None:
    """One input: its first byte says how large the blocks are in which the rest arrives."""
    size = (data[0] if data else 0) * 16 + 1
    text = data[1:]
    pipe = Pipe(PATTERNS)
    for start in range(0, len(text), size):
        pipe.feed(Chunk("x", start, text[start : start + size]))
    pipe.feed(Chunk("x", len(text), b"", last=True))
    pipe.finish()


def seeds(directory: Path) -> None:
    """Write pieces of the recorded logs, from which the mutations start."""
    for name in recorded.RUNS:
        for file, data in recorded.texts(name).items():
            for number in range(0, len(data), max(_PIECE, len(data) // 5)):
                start = data.find(b"\n", number) + 1
                (directory / f"{name}-{file}-{number}").write_bytes(b"\xff" + data[start : start + _PIECE])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as corpus:
        seeds(Path(corpus))
        atheris.Setup([sys.argv[0], *sys.argv[1:], "-max_len=8000", corpus], run)
        atheris.Fuzz()
