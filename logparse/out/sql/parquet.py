"""The sink that writes Parquet: one folder a table, in it one folder a day and database."""

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import quote

import duckdb

from logparse.lifecycle.event import Output
from logparse.out.sink import Sink, Source
from logparse.out.sql.attended import attended
from logparse.out.sql.spool import Spool, named
from logparse.out.sql.tables import ROWS, connect, make
from logparse.out.uploaded import upload_folder
from logparse.source.url import is_url

TABLES = {
    "events": ("ts", "number"),
    "attempts": ("coalesce(started, ended)", "db, uuid, attempt"),
    "jobs": ("coalesce(queued, dispatched, started, ended)", "db, uuid"),
}
"""What is written, by which time it is put into days and sorted, and how where that is the same; SQL."""

_MEMORY = "128MB"
# What a folder's name has room for, with what stands before it.
_LONGEST = 200


class Parquet(Sink):
    """Writes a folder, all of it or nothing; one of an earlier replay is replaced, but not at a URL.

    Raises OSError, with the path as it was given.
    """

    def __init__(self, path: str) -> None:
        self.writes: str = path
        self._url = path if is_url(path) else None
        target = Path(os.path.realpath(path))
        if self._url is not None:
            target = Path(mkdtemp(prefix="logparse-")) / "tables"
        self._target = target
        self._partial = target.with_name(f".{target.name[:200]}.{os.getpid()}.partial")
        self._spool = Spool(self._partial)

    def open(self, source: Source) -> None:
        with named(self.writes):
            self._partial.mkdir()
            self._spool.open(source)

    def add(self, outputs: Sequence[Output]) -> None:
        with named(self.writes):
            self._spool.add(outputs)

    def finish(self) -> None:
        self._spool.finish()
        made = self._partial / "made"
        made.mkdir()
        try:
            with connect(self._partial, memory=_MEMORY) as connection:
                attended(connection, make, connection, self._partial)
                (self._partial / "events.jsonl").unlink()
                for table, (time, then) in TABLES.items():
                    attended(connection, _write, connection, table, time, then, made)
        except duckdb.Error as error:
            raise OSError(str(error).splitlines()[0]) from error
        before = self._partial / "before"
        if self._target.exists():
            self._target.rename(before)
        made.rename(self._target)
        shutil.rmtree(self._partial)
        if self._url is not None:
            upload_folder(self._target, self._url)
            shutil.rmtree(self._target.parent)

    def discard(self) -> None:
        self._spool.discard()
        before = self._partial / "before"
        if before.exists() and not self._target.exists():
            before.rename(self._target)
        shutil.rmtree(self._partial, ignore_errors=True)
        if self._url is not None:
            shutil.rmtree(self._target.parent, ignore_errors=True)


def written(folder: Path) -> bool:
    """Whether a folder is empty or was written by this sink, so that it may be replaced."""
    tables = list(folder.iterdir())
    return all(
        table.name in TABLES
        and table.is_dir()
        and all(day.name.startswith("day=") for day in table.iterdir())
        for table in tables
    )


def _write(connection: duckdb.DuckDBPyConnection, table: str, time: str, then: str, folder: Path) -> None:
    (folder / table).mkdir()
    names = connection.sql(f"FROM {table}").filter("db IS NOT NULL").unique("db").fetchall()
    connection.execute("CREATE OR REPLACE TEMP TABLE folders (name VARCHAR, folder VARCHAR)")
    for (name,) in names:
        connection.execute("INSERT INTO folders VALUES ($1, $2)", [name, _folder(name)])
    to = str(folder / table).replace("'", "''")
    connection.execute(
        f"COPY (SELECT * EXCLUDE name RENAME (folder AS database), ({time})::DATE AS day FROM {table}"  # noqa: S608 (names of ours)
        f" LEFT JOIN folders ON name = db ORDER BY day, database, {time}, {then})"
        f" TO '{to}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROWS},"
        " PARTITION_BY (day, database))"
    )


def _folder(name: str) -> str:
    """What stands for a database in a folder's name, of which DuckDB escapes all but plain letters."""
    if len(quote(name, safe="")) <= _LONGEST:
        return name
    return f"{quote(name, safe='')[:100]}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"
