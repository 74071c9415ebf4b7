"""Numbers put down as they come, and given back item by item in order of time, in bounded memory."""

import errno
import sqlite3
from collections.abc import Iterator, Sequence
from struct import pack, unpack

_WAITING = 2_000
_CACHE = 8 << 10  # KiB


class Spool:
    """A private database on disk (in TMPDIR), which is gone when it is closed, or the process ends.

    Raises OSError where the disk is full; filename: the file that cannot be written then.
    """

    def __init__(self, filename: str) -> None:
        self._filename = filename
        self._waiting: list[tuple[int, int, bytes]] = []
        self._database = sqlite3.connect("", isolation_level=None)
        for setting in ("journal_mode=off", "synchronous=off", f"cache_size=-{_CACHE}"):
            self._database.execute(f"pragma {setting}")
        self._database.execute("create table numbers (item integer, step integer, value blob)")

    def add(self, item: int, step: int, numbers: Sequence[float]) -> None:
        """Keep the numbers of an item (0 to 2^63) at a step."""
        self._waiting.append((item, step, pack(f"={len(numbers)}d", *numbers)))
        if len(self._waiting) >= _WAITING:
            self._flush()

    def sort(self) -> None:
        """All was added."""
        self._flush()
        self._execute("create index by_item on numbers (item, step)")

    def of(self, item: int) -> Iterator[tuple[int, tuple[float, ...]]]:
        """The item's numbers by step, rising; at one step in the order in which they were added."""
        rows = self._execute("select step, value from numbers where item = ? order by step, rowid", item)
        for step, value in rows:
            yield step, unpack(f"={len(value) // 8}d", value)

    def close(self) -> None:
        """Forget all of it."""
        self._database.close()

    def _flush(self) -> None:
        try:
            self._database.execute("begin")
            self._database.executemany("insert into numbers values (?, ?, ?)", self._waiting)
            self._database.execute("commit")
        except sqlite3.OperationalError as error:
            raise self._full(error) from error
        self._waiting.clear()

    def _execute(self, statement: str, *values: int) -> sqlite3.Cursor:
        try:
            return self._database.execute(statement, values)
        except sqlite3.OperationalError as error:
            raise self._full(error) from error

    def _full(self, error: sqlite3.OperationalError) -> OSError:
        why = f"temporary files, in TMPDIR, cannot be written ({error})"
        return OSError(errno.ENOSPC, why, self._filename)
