"""The tables: which columns they have, and how attempts and jobs are made of events."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

EVENTS = {
    "number": "BIGINT",
    "ts": "TIMESTAMPTZ",
    "event": "VARCHAR",
    "db": "VARCHAR",
    "uuid": "VARCHAR",
    "attempt": "INTEGER",
    "evidence": "VARCHAR",
    "channel": "VARCHAR",
    "duration": "DOUBLE",
    "wait": "DOUBLE",
    "sql_queries": "BIGINT",
    "sql_time": "DOUBLE",
    "exception": "VARCHAR",
    "reason": "VARCHAR",
    "pid": "BIGINT",
    "server": "VARCHAR",
    "pattern": "VARCHAR",
    "file": "VARCHAR",
    "offset": "BIGINT",
    "capacity": "BIGINT",
    "pending": "BIGINT",
    "running": "BIGINT",
    "failed": "BIGINT",
}
"""docs/events.md explains them; number: the order in which they are proven."""

RECORDS = {
    "ts": "TIMESTAMPTZ",
    "pid": "BIGINT",
    "level": "VARCHAR",
    "db": "VARCHAR",
    "logger": "VARCHAR",
    "pattern": "VARCHAR",
    "kind": "VARCHAR",
    "uuid": "VARCHAR",
    "believed": "BOOLEAN",
    "message": "VARCHAR",
    "server": "VARCHAR",
    "file": "VARCHAR",
    "offset": "BIGINT",
}
"""The lines of the log that a pattern recognised; message: where texts are wanted."""

ROWS = 61_440
"""That are held in memory of each partition of Parquet, and in a group of rows there."""
WRITTEN = ("events", "attempts", "jobs")
"""The tables that Parquet has, too."""

# An attempt of a job that was forgotten and came again (--max-jobs) may have the number of an earlier one.
_ATTEMPTS = """
CREATE TABLE attempts AS
WITH numbered AS (
    SELECT *, count(*) FILTER (event = 'started') OVER (
        PARTITION BY db, uuid, attempt ORDER BY number ROWS UNBOUNDED PRECEDING
    ) AS life
    FROM events
    WHERE uuid IS NOT NULL AND attempt IS NOT NULL
      AND event IN ('started', 'done', 'failed', 'retried', 'requeued', 'lost')
)
SELECT
    db, uuid, attempt,
    any_value(channel) AS channel,
    min(ts) FILTER (event = 'started') AS started,
    max(ts) FILTER (event <> 'started') AS ended,
    any_value(event) FILTER (event <> 'started') AS ending,
    any_value(duration) AS duration,
    any_value(wait) AS wait,
    any_value(sql_queries) AS sql_queries,
    any_value(sql_time) AS sql_time,
    any_value(exception) AS exception,
    any_value(reason) FILTER (event <> 'started') AS reason,
    any_value(pid) FILTER (event = 'started') AS pid,
    any_value(server) AS server,
    CASE WHEN bool_and(evidence = 'observed') THEN 'observed' ELSE 'inferred' END AS evidence
FROM numbered
GROUP BY db, uuid, attempt, life
"""
_JOBS = """
CREATE TABLE jobs AS
SELECT
    db, uuid,
    any_value(channel) AS channel,
    min(ts) FILTER (event = 'queued') AS queued,
    min(ts) FILTER (event = 'dispatched') AS dispatched,
    min(ts) FILTER (event = 'started') AS started,
    max(ts) FILTER (event IN ('done', 'failed', 'cancelled', 'lost')) AS ended,
    arg_max(event, number) AS last_event,
    coalesce(max(attempt), 0) AS attempts,
    count(*) FILTER (event = 'failed') AS failures,
    count(*) FILTER (event = 'retried') AS retries,
    count(*) FILTER (event = 'requeued') AS requeues,
    sum(duration) FILTER (event <> 'started') AS duration,
    arg_max(exception, number) FILTER (exception IS NOT NULL) AS exception
FROM events
WHERE uuid IS NOT NULL
GROUP BY db, uuid
"""


@contextmanager
def connect(folder: Path | None = None, *, memory: str | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database of its own, in UTC. folder: where its tables are, and what memory has no room for.

    memory: most that it may take, such as `128MB`.
    """
    with ExitStack() as stack:
        if folder is not None and "?" in str(folder):
            # What follows it would be taken for options of the database.
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="logparse-")))
        connection = stack.enter_context(
            duckdb.connect(":memory:" if folder is None else str(folder / "tables.duckdb"))
        )
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET python_enable_replacements = false")
        if memory is not None:
            connection.execute("SET threads = 1")
            connection.execute(f"SET memory_limit = '{memory}'")
            connection.execute(f"SET partitioned_write_flush_threshold = {ROWS}")
        yield connection


def make(connection: duckdb.DuckDBPyConnection, folder: Path | None = None) -> None:
    """Make all tables, of what a Spool has put into the folder; empty ones where there is none."""
    for name, columns in (("events", EVENTS), ("records", RECORDS)):
        lines = None if folder is None else folder / f"{name}.jsonl"
        if lines is not None and lines.exists():
            fields = ", ".join(f"'{column}': '{kind}'" for column, kind in columns.items())
            connection.execute(
                f"CREATE TABLE {name} AS FROM read_json($1, format = 'newline_delimited',"
                f" columns = {{{fields}}}, maximum_object_size = 8000000)",
                [_literally(lines)],
            )
        else:
            fields = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
            connection.execute(f"CREATE TABLE {name} ({fields})")
    connection.execute(_ATTEMPTS)
    connection.execute(_JOBS)


def view(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Show the tables that the sink Parquet wrote into a folder. Raises duckdb.Error: it has none."""
    for name in WRITTEN:
        if not any((folder / name).glob("*/*/*.parquet")):
            continue
        files = _quoted(f"{_literally(folder / name)}/*/*/*.parquet")
        connection.execute(
            f"CREATE VIEW {name} AS FROM read_parquet({files}, hive_partitioning = true,"
            " hive_types = {'day': DATE, 'database': VARCHAR})"
        )


def close_off(connection: duckdb.DuckDBPyConnection, folder: Path | None = None) -> None:
    """From here on, nothing outside can be read or written, and no setting be changed back.

    folder: what may be read still.
    """
    if folder is not None:
        names = (_quoted(str(folder)), _quoted(_literally(folder)))
        connection.execute(f"SET allowed_directories = [{', '.join(names)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _literally(path: Path) -> str:
    """A path where DuckDB wants a pattern."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def _quoted(text: str) -> str:
    """A text as SQL has it, where no parameter can stand."""
    return "'" + text.replace("'", "''") + "'"
