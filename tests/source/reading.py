"""What the tests of finite logs share."""

import subprocess
import sys

from logparse.source.chunk import Chunk

HEADER = "2026-11-24 02:59:20,896 17636 INFO prod odoo.modules.loading: Modules loaded. \n"


def content(chunks: list[Chunk]) -> dict[str, bytes]:
    """Join what each file's chunks hold, and check what every stream of chunks must keep to."""
    files: dict[str, bytes] = {}
    ended: set[str] = set()
    for chunk in chunks:
        assert chunk.file not in ended
        assert chunk.offset == len(files.get(chunk.file, b""))
        files[chunk.file] = files.get(chunk.file, b"") + chunk.data
        if chunk.last:
            ended.add(chunk.file)
    assert ended == set(files)
    return files


def run(code: str, *args: str, **options: object) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([sys.executable, "-c", code, *args], capture_output=True, **options)  # type: ignore[call-overload,no-any-return]
