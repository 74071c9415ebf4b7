"""Logs as tables: the verb `sql`, and `replay --parquet`."""

import csv
import io
import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests import recorded
from tests.odoo import asking, record, uuid

Logparse = Callable[..., subprocess.CompletedProcess[str]]
RECIPES = re.findall(
    r"\n([^\n]+):\n\n```sql\n(.*?)```", (recorded.FIXTURES.parent / "docs/sql.md").read_text(), re.S
)
HOSTILE = [
    "../../up",
    "a/b",
    "a=b",
    "%2E%2E",
    "__HIVE_DEFAULT_PARTITION__",
    "ü" * 200,
    "x'; DROP TABLE events; --",
]


@pytest.fixture(scope="session")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DEBUG log, with all kinds of events."""
    path = tmp_path_factory.mktemp("log") / "odoo.log"
    path.write_bytes(b"".join(recorded.texts("18.0-w2-debug").values()))
    return path


@pytest.fixture(scope="session")
def tables(log: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The tables of the log, as the verb makes them."""
    from logparse.cli.options import Reading
    from logparse.cli.outputs import run_into
    from logparse.cli.run import open_run
    from logparse.out.sql.spool import Spool
    from logparse.out.sql.tables import connect, make

    folder = tmp_path_factory.mktemp("spool")
    run_into(open_run(Reading((str(log),))), [Spool(folder, records=True)])
    with connect() as connection:
        make(connection, folder)
        yield connection


def events_of(logparse: Logparse, *arguments: str | Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in logparse("events", *arguments).stdout.splitlines()]


def test_events_are_those_that_are_printed(logparse: Logparse, log: Path) -> None:
    ran = logparse("sql", "--format", "json", "SELECT * EXCLUDE number FROM events ORDER BY number", log)
    told = events_of(logparse, log)
    rows = json.loads(ran.stdout)
    assert [{key: row[key] for key in event} for row, event in zip(rows, told, strict=True)] == told


def test_a_number_of_the_query_is_a_number(logparse: Logparse, log: Path) -> None:
    """DuckDB takes 1.5 for a DECIMAL."""
    query = "SELECT 1.5 AS a, -2::DECIMAL(10, 2) AS b"
    assert logparse("sql", "--format", "csv", query, log).stdout == "a,b\n1.5,-2.00\n"
    assert json.loads(logparse("sql", "--format", "json", query, log).stdout) == [{"a": 1.5, "b": -2}]
    assert "-2.00" in logparse("sql", "--format", "table", query, log).stdout


def test_attempts_and_jobs_are_what_their_events_tell(logparse: Logparse, log: Path, tables: Any) -> None:
    told = [event for event in events_of(logparse, log) if event["uuid"]]
    ends = {
        (event["uuid"], event["attempt"]): event
        for event in told
        if event["attempt"] and event["event"] in ("done", "failed", "retried", "requeued", "lost")
    }
    starts = {(event["uuid"], event["attempt"]): event for event in told if event["event"] == "started"}
    attempts = tables.execute(
        "SELECT uuid, attempt, ending, duration, wait, exception, pid FROM attempts"
    ).fetchall()
    assert {row[:2] for row in attempts} == starts.keys() | ends.keys()
    assert len(attempts) == len({row[:2] for row in attempts})
    for *key, ending, duration, wait, exception, pid in attempts:
        start, end = starts[tuple(key)], ends.get(tuple(key), {})
        assert (ending, duration, exception) == (end.get("event"), end.get("duration"), end.get("exception"))
        assert (wait, pid) == (start["wait"], start["pid"])
    failures = Counter(event["uuid"] for event in told if event["event"] == "failed")
    last = {event["uuid"]: event["event"] for event in told}
    jobs = tables.execute("SELECT uuid, last_event, failures FROM jobs").fetchall()
    assert {one: (event, count) for one, event, count in jobs} == {
        one: (last[one], failures[one]) for one in last
    }


def test_records_are_the_lines_of_jobs(logparse: Logparse, log: Path) -> None:
    query = 'SELECT uuid, message, file, "offset" FROM records WHERE kind = \'dispatched\' ORDER BY "offset"'
    without = json.loads(logparse("sql", "--format", "json", query, log).stdout)
    assert {row["message"] for row in without} == {None}
    rows = json.loads(logparse("sql", "--with-text", "--format", "json", query, log).stdout)
    text = log.read_bytes()
    assert len(rows) == len(without) > 100
    for row in rows:
        line = text[row["offset"] :].split(b"\n", 1)[0].decode()
        assert row["message"] in line
        assert row["uuid"] in row["message"]


@pytest.mark.parametrize(("title", "query"), RECIPES, ids=[title for title, _ in RECIPES])
def test_recipes(title: str, query: str, tables: Any) -> None:
    rows = tables.execute(query).fetchall()
    if "not believed" not in title:
        assert rows


def test_recipes_tell_the_truth(logparse: Logparse, log: Path, tables: Any) -> None:
    recipes = dict(RECIPES)
    report = json.loads(logparse("replay", "--json", log).stdout)["databases"][0]
    ((_, _, runs, half, most),) = tables.execute(recipes["How long runs took, hour by hour"]).fetchall()
    assert runs == report["duration"]["count"]
    assert half == pytest.approx(report["duration"]["p50"], rel=0.03)
    assert most == pytest.approx(report["duration"]["p95"], rel=0.03)
    failed = tables.execute(recipes["What failed, and its share of all failures"]).fetchall()
    assert {name: count for name, count, _ in failed} == {
        one["exception"]: one["count"] for one in report["exceptions"]
    }
    (longest, *_) = tables.execute(
        recipes["The longest wait of each channel, from the dispatch to the start"]
    ).fetchall()
    assert longest[2] == pytest.approx(report["dispatch_delay"]["max"])
    # By hand, what the steps of the recipe add up.
    attempts = tables.execute("SELECT started, ended FROM attempts WHERE ended IS NOT NULL").fetchall()
    most_at_once = max(sum(start <= moment < end for start, end in attempts) for moment, _ in attempts)
    minutes = tables.execute(
        recipes["How many jobs ran at the same time, minute by minute (the most within each)"]
    ).fetchall()
    assert max(count for _, count in minutes) == most_at_once


def test_forms(logparse: Logparse, log: Path) -> None:
    query = "SELECT event, count(*) AS n, max(ts) AS last, NULL AS nothing FROM events"
    query += " WHERE event = 'done' GROUP BY ALL"
    (row,) = json.loads(logparse("sql", "--format", "json", query, log).stdout)
    assert list(row) == ["event", "n", "last", "nothing"]
    assert row["nothing"] is None
    assert re.fullmatch(r"2026-11-24T\d\d:\d\d:\d\d\.\d{3}\+00:00", row["last"])
    plain = logparse("sql", query, log).stdout
    assert plain == f"event,n,last,nothing\ndone,{row['n']},{row['last']},\n"
    assert list(csv.reader(io.StringIO(plain)))[1] == ["done", str(row["n"]), row["last"], ""]
    table = logparse("sql", "--format", "table", query, log).stdout.split("\n")
    assert table[1].split() == ["event", "n", "last", "nothing"]
    assert table[3].split() == ["done", str(row["n"]), row["last"]]
    wide = logparse("sql", "--format", "table", "FROM jobs ORDER BY uuid LIMIT 1", log).stdout
    assert re.search(r"(?m)^ *last_event  done$", wide)
    assert logparse("sql", "--format", "json", "FROM jobs WHERE false", log).stdout == "[]\n"


def test_no_text_of_the_log_is_a_formula_or_steers_a_terminal_in_csv(
    logparse: Logparse, tmp_path: Path
) -> None:
    formula = "=cmd|'/c calc'!A1"
    path = tmp_path / "odoo.log"
    path.write_bytes(asking(0, 20, uuid(1), formula))
    answer = logparse("sql", "SELECT db FROM events WHERE event = 'dispatched'", path)
    replayed = logparse("replay", "--format", "csv", path).stdout.splitlines()[1]
    assert answer.stdout == f"db\n'{formula}\n"
    assert replayed.startswith(f"'{formula},")
    query = (
        "SELECT chr(27) || '[31m' AS a, -1 AS b, -0.5::DOUBLE AS c, '-x' AS d, [chr(155)] AS e, chr(10) AS f"
    )
    line = '\\x1b[31m,-1,-0.5,\'-x,"[""\\x9b""]",\\n\n'
    assert logparse("sql", query, path).stdout == "a,b,c,d,e,f\n" + line


@pytest.mark.parametrize(
    ("query", "status", "sentence", "where"),
    [
        ("SELCT 1", 2, "Parser Error: syntax error", "LINE 1: SELCT 1\n        ^"),
        ("SELECT\nnope FROM jobs", 2, 'column "nope" not found', "LINE 2: nope FROM jobs\n        ^"),
        (
            "SELECT nope FROM jobs",
            2,
            'column "nope" not found',
            "LINE 1: SELECT nope FROM jobs\n               ^",
        ),
        ("FROM nothing", 2, "Table with name nothing does not exist", ""),
        ("", 2, "it is empty", ""),
        ("SELECT 1; SELECT 2", 2, "it must be one statement", ""),
        ("DELETE FROM events", 2, "only questions are answered", ""),
        ("SELECT event::INTEGER FROM events", 1, "Conversion Error: Could not convert string", ""),
        ("FROM read_csv('/etc/passwd')", 2, "Permission Error", ""),
        ("FROM read_text('/etc/passwd')", 2, "Permission Error", ""),
        ("FROM glob('/*')", 2, "Permission Error", ""),
        ("COPY events TO 'out.csv'", 2, "only questions are answered", ""),
        ("SET enable_external_access = true", 2, "only questions are answered", ""),
    ],
)
def test_wrong_queries(
    query: str, status: int, sentence: str, where: str, logparse: Logparse, log: Path, tmp_path: Path
) -> None:
    ran = logparse("sql", query, log)
    assert (ran.returncode, ran.stdout) == (status, "")
    *lines, last = ran.stderr.splitlines()
    assert last.startswith("logparse: this query is not answered: ")
    assert sentence in last
    if where:
        assert "\n".join(lines).startswith(where)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_query_is_told_before_the_log_is_read(logparse: Logparse, tmp_path: Path) -> None:
    ran = logparse("sql", "SELECT nope FROM jobs", tmp_path / "missing.log")
    assert "nope" in ran.stderr
    assert "missing.log" not in ran.stderr


def test_files_where_they_are_wanted(logparse: Logparse, log: Path, tmp_path: Path) -> None:
    (tmp_path / "teams.csv").write_text("channel,team\nroot,ops\n")
    query = "SELECT team, count(*) AS n FROM jobs JOIN read_csv('teams.csv') USING (channel) GROUP BY ALL"
    assert logparse("sql", query, log).returncode == 2
    ran = logparse("sql", "--external", query, log)
    assert re.fullmatch(r"team,n\nops,\d+\n", ran.stdout)


def test_a_selection(logparse: Logparse, fixtures: Path) -> None:
    log = fixtures / "18.0-w2-2db-info" / "odoo.log.gz"
    query = "SELECT DISTINCT db FROM records WHERE uuid IS NOT NULL UNION SELECT db FROM jobs"
    both = logparse("sql", query, log).stdout.splitlines()[1:]
    assert len(both) == 2
    assert logparse("sql", "--db", both[0], query, log).stdout.splitlines()[1:] == both[:1]


# Parquet.


def test_parquet_is_sorted_typed_and_parted(logparse: Logparse, fixtures: Path, tmp_path: Path) -> None:
    log, folder = fixtures / "18.0-w2-2db-info" / "odoo.log.gz", tmp_path / "tables"
    assert logparse("replay", "--parquet", folder, log).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["tables"]
    assert {path.name for path in folder.iterdir()} == {"events", "attempts", "jobs"}
    assert {path.name for path in (folder / "jobs").iterdir()} == {"day=2026-11-24"}
    dbs = {path.name for path in (folder / "jobs" / "day=2026-11-24").iterdir()}
    assert dbs == {"database=acme18", "database=beta-18.test"}
    with duckdb.connect() as connection:
        for path in folder.rglob("*.parquet"):
            rows = connection.execute("FROM read_parquet($1, hive_partitioning = false)", [str(path)])
            kinds = {str(name): str(kind) for name, kind, *_ in rows.description or ()}
            by = next(name for name in ("ts", "dispatched", "started") if name in kinds)
            assert kinds[by] == "TIMESTAMP WITH TIME ZONE"
            assert kinds.get("duration", "DOUBLE") == "DOUBLE"
            times = [row[list(kinds).index(by)] for row in rows.fetchall()]
            assert times == sorted(times)
            assert path.parent.name in {*dbs, "database=__HIVE_DEFAULT_PARTITION__"}


def test_a_folder_of_any_name(logparse: Logparse, fixtures: Path, tmp_path: Path) -> None:
    log, folder = fixtures / "18.0-w2-dead-info" / "odoo.log", tmp_path / "it's [all] of *it?"
    assert logparse("replay", "--parquet", folder, log).returncode == 0
    query = "SELECT count(*), count(*) FILTER (day = '2026-11-24') FROM events"
    count = len(events_of(logparse, log))
    assert logparse("sql", query, folder).stdout.splitlines()[1] == f"{count},{count}"


def test_parquet_of_hostile_names(logparse: Logparse, tmp_path: Path) -> None:
    log, folder = tmp_path / "odoo.log", tmp_path / "tables"
    lines = [asking(1000 * number, 9, uuid(number), db) for number, db in enumerate(HOSTILE)]
    log.write_bytes(b"".join(lines))
    assert logparse("replay", "--parquet", folder, log).returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {"odoo.log", "tables"}
    files = list((folder / "jobs").rglob("*.parquet"))
    assert all(len(path.relative_to(folder).parts) == 4 for path in files)
    told = json.loads(logparse("sql", "--format", "json", "SELECT db FROM jobs", folder).stdout)
    expected = {event["db"] for event in events_of(logparse, log)}
    assert {row["db"] for row in told} == expected
    assert len(expected) >= 5


def test_parquet_replaces_what_it_wrote_and_nothing_else(
    logparse: Logparse, log: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "events").mkdir()
    (folder / "events" / "mine.txt").write_text("mine")
    ran = logparse("replay", "--parquet", folder, log)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "tables holds other files: name an empty directory for --parquet, or none yet" in ran.stderr
    assert (folder / "events" / "mine.txt").read_text() == "mine"
    (folder / "events" / "mine.txt").unlink()
    (folder / "events").rmdir()
    for _ in range(2):
        assert logparse("replay", "--parquet", folder, log).returncode == 0
        assert len(list(folder.rglob("*.parquet"))) == 4
    assert list(tmp_path.iterdir()) == [folder]
    ran = logparse("replay", "--parquet", log, log)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "is no directory" in ran.stderr
    ran = logparse("replay", "--parquet", tmp_path / "no" / "tables", log)
    assert "there is no directory" in ran.stderr


def test_nothing_is_left_where_the_log_is_none(logparse: Logparse, tmp_path: Path) -> None:
    (tmp_path / "x.log").write_text("nothing\n" * 100)
    ran = logparse("replay", "--parquet", tmp_path / "tables", tmp_path / "x.log")
    assert ran.returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == ["x.log"]


def test_a_directory_without_tables(logparse: Logparse, tmp_path: Path) -> None:
    ran = logparse("sql", "FROM jobs", tmp_path)
    assert ran.returncode == 1
    assert "has no tables: name what `replay --parquet` wrote" in ran.stderr
    ran = logparse("sql", "--db", "x", "FROM jobs", tmp_path)
    assert ran.returncode == 2


def test_the_extra_that_is_missing_is_named(logparse: Logparse, log: Path, tmp_path: Path) -> None:
    (tmp_path / "duckdb.py").write_text("raise ModuleNotFoundError('no', name='duckdb')\n")
    path = f"{tmp_path}:{recorded.FIXTURES.parent}"
    for arguments in (("sql", "FROM jobs", log), ("replay", "--parquet", tmp_path / "tables", log)):
        ran = logparse(*arguments, env={"PYTHONPATH": path})
        assert (ran.returncode, ran.stdout) == (1, "")
        assert "needs duckdb: install it with `pip install 'logparse[sql]'`" in ran.stderr
        assert ran.stderr.count("\n") == 1


def test_a_line_that_another_process_wrote_is_not_believed(logparse: Logparse, tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    worker = record(0, 10, "INFO", None, "odoo.service.server", "Worker WorkerHTTP (10) alive")
    log.write_bytes(worker + b"".join(asking(1000 + pid, pid, uuid(pid), "d") for pid in (9, 10)))
    query = "SELECT pid, believed FROM records WHERE kind = 'dispatched' ORDER BY pid"
    assert logparse("sql", query, log).stdout.splitlines()[1:] == ["9,true", "10,false"]
