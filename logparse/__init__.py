"""Reads Odoo's server log and tells what happened to every queue_job.

    import logparse

    for event in logparse.events("odoo.log"):
        print(event.ts, event.event, event.db, event.uuid)

To count instead: `logparse.Pipe` turns chunks of a log into outputs, `logparse.Counts` adds them up, and
`logparse.QueueJobCollector` shows the sums to prometheus_client.
"""

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logparse.lifecycle.event import Event
    from logparse.match.pattern import PatternSet
    from logparse.out.collector import QueueJobCollector
    from logparse.out.counts import Counts
    from logparse.pipe import Pipe
    from logparse.source.chunk import Chunk

__all__ = ["Chunk", "Counts", "Event", "Pipe", "QueueJobCollector", "events"]
__version__ = "0.1.0"

# Loaded when they are first asked for, so that `import logparse` costs nothing.
_HOMES = {
    "Chunk": "logparse.source.chunk",
    "Counts": "logparse.out.counts",
    "Event": "logparse.lifecycle.event",
    "Pipe": "logparse.pipe",
    "QueueJobCollector": "logparse.out.collector",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})


def events(
    log: str | os.PathLike[str] | Iterable[str | bytes | os.PathLike[str]],
    *,
    settle: float = 3600.0,
    settle_at_end: bool = True,
    odoo: str | None = None,
    patterns: "PatternSet | Iterable[str | os.PathLike[str]] | None" = None,
) -> "Iterator[Event]":
    """Iterate over what a log proves, in the order in which it is proven.

    log: a path, or a URL that fsspec reads; a list (tuple, set) of them, which are one log in pieces and are
        put in the order of time; or any iterable of lines, str or bytes, with or without their line ends,
        such as an open file.
        Files may be compressed by gzip, zstd, bzip2 or xz. A list of str holds paths where none of them
        has a line end or begins as a record of the log does.
    settle: seconds of log time after which an attempt that ended without an error counts as done.
    settle_at_end: whether the log is at its end, so that what its time would settle is settled then.
    odoo: the log's series, such as `16.0`; where None, the log tells, or all patterns apply.
    patterns: a loaded set, or directories of patterns that are laid over the built-in ones.

    An Event's `ts` is in milliseconds since the epoch, UTC; `duration`, `wait` and `sql_time` are in
    seconds; what the log does not tell is None. The `file` of events from lines is `-`, their `offset` the
    byte in all lines so far.

    Raises (when the iteration begins, or on the way) `logparse.source.error.SourceError`: a file cannot be
    read, or not to its end, after the events of what was read; `logparse.match.error.PatternError`: a
    pattern is refused; ValueError: `odoo` is no version; TypeError: a line is neither str nor bytes.
    """
    from logparse.api import read_events

    return read_events(log, settle=settle, settle_at_end=settle_at_end, odoo=odoo, patterns=patterns)
