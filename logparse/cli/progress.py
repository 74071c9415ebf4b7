"""How far reading has come, on a terminal."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from logparse.source.error import named
from logparse.source.files import total_bytes

_REFRESH_SECONDS = 0.1


@contextmanager
def reported(files: list[str], *, shown_: bool) -> Iterator[Callable[[str, int], None] | None]:
    """A progress bar over the bytes of the files as they are stored, where standard error is a terminal."""
    if not shown_ or sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    from logparse.out.terminal.room import opened

    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=opened(stderr=True),
        transient=True,
        auto_refresh=False,  # no thread, which would be in the way of starting processes
    )
    with bar:
        task = bar.add_task("", total=total_bytes(files))
        name, shown_at = "", 0.0

        def report(path: str, count: int) -> None:
            nonlocal name, shown_at
            if path != name:
                name = path
                which = f" ({files.index(path) + 1} of {len(files)})" if len(files) > 1 else ""
                bar.update(task, description=named(path) + which)
            bar.update(task, advance=count)
            if (now := time.monotonic()) - shown_at >= _REFRESH_SECONDS:
                shown_at = now
                bar.refresh()

        yield report
