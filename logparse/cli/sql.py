"""The verb `sql`: questions to a log, in SQL."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from logparse.cli.error import BAD_INPUT, USAGE, CliError, say
from logparse.cli.options import Reading, Workers, reading_options, workers_option
from logparse.cli.standard import printing, standard_output
from logparse.source.error import shown

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from rich.console import Console

    from logparse.out.sql.answer import Answer

_ROWS = 10_000  # that a table has
_NUMBERS = ("BIGINT", "INTEGER", "HUGEINT", "DOUBLE", "FLOAT", "DECIMAL", "SMALLINT", "TINYINT", "U")


@click.command("sql")
@click.argument("query", metavar="QUERY")
@click.argument("files", metavar="FILE...", nargs=-1, type=str)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    help="How to print the answer; a table on a terminal, else CSV.",
)
@click.option(
    "--with-text",
    is_flag=True,
    help="Fill records.message; messages hold names, arguments and other personal data.",
)
@click.option(
    "--external",
    is_flag=True,
    help="Let the query read and write files, and load extensions; else it sees the log's tables only.",
)
@workers_option
@reading_options
def command(
    reading: Reading, workers: Workers, query: str, form: str | None, with_text: bool, external: bool
) -> None:
    """Ask a log in SQL, as DuckDB has it: the tables are events, attempts, jobs and records.

    docs/sql.md explains the columns and has recipes. FILE may be plain, .gz, .zst, .bz2, .xz or - for
    standard input; or it is the one directory that `logparse replay --parquet` wrote, which has no records.

    \b
    Examples:
      logparse sql "select exception, count(*) from attempts group by all order by 2 desc" odoo.log
      logparse sql "from attempts where duration > 60 order by duration desc" odoo.log odoo.log.1.gz
      logparse sql --format json "from jobs where last_event = 'lost'" tables/
    """
    printing()
    try:
        from logparse.out.sql.answer import Answer, WrongQuery
    except ModuleNotFoundError as error:
        if error.name != "duckdb":
            raise
        raise CliError("sql needs duckdb: install it with `pip install 'logparse[sql]'`") from error
    try:
        with _opened(reading, workers, query, texts=with_text, external=external) as connection:
            _print(Answer(connection, query), form or ("table" if sys.stdout.isatty() else "csv"))
    except WrongQuery as error:
        if error.where and sys.stderr is not None:
            sys.stderr.write(_safe(error.where) + "\n")
        status = BAD_INPUT if error.late else USAGE
        raise CliError(f"this query is not answered: {error}; docs/sql.md has the tables", status) from error


@contextmanager
def _opened(
    reading: Reading, workers: Workers, query: str, *, texts: bool, external: bool
) -> Iterator["DuckDBPyConnection"]:
    """A connection with all tables; the query was checked before anything was read."""
    from duckdb import Error

    from logparse.cli.outputs import run_into
    from logparse.cli.run import open_run
    from logparse.out.sql.answer import check
    from logparse.out.sql.attended import attended
    from logparse.out.sql.spool import Spool
    from logparse.out.sql.tables import close_off, connect, make, view

    directory = next((Path(file) for file in reading.files if Path(file).is_dir()), None)
    if directory is not None:
        if len(reading.files) > 1 or not reading.selection.everything:
            raise click.UsageError(
                "of a directory, nothing else is read, and --from, --to and --db stand in the query"
            )
        with connect() as connection:
            view(connection, directory.resolve())
            if not connection.sql("SHOW TABLES").fetchall():
                raise CliError(f"{shown(str(directory))} has no tables: name what `replay --parquet` wrote")
            if not external:
                close_off(connection, directory.resolve())
            check(connection, query)
            yield connection
        return
    with connect() as connection:
        make(connection)
        if not external:
            close_off(connection)
        check(connection, query)
    with TemporaryDirectory(prefix="logparse-") as name:
        spooled = Path(name)
        run = open_run(reading, progress=True, workers=workers)
        try:
            run_into(run, [Spool(spooled, records=True, texts=texts)])
        except OSError as error:
            if error.filename != name:
                raise
            raise _no_room(name, error.strerror) from error
        with connect(spooled) as connection:
            try:
                attended(connection, make, connection, spooled)
            except Error as error:
                raise _no_room(name, str(error).splitlines()[0]) from error
            for lines in spooled.glob("*.jsonl"):
                lines.unlink()
            if not external:
                close_off(connection)
            yield connection


def _no_room(folder: str, why: object) -> CliError:
    where = shown(str(Path(folder).parent))
    return CliError(f"the tables cannot be made in {where} ({why}): name a directory with room by TMPDIR")


def _print(answer: "Answer", form: str) -> None:
    from logparse.out.sql.answer import as_csv, as_json

    if form == "table":
        _print_table(answer)
        return
    lines: Iterable[str] = as_csv(answer) if form == "csv" else as_json(answer)
    to = standard_output()
    for line in lines:
        to.write(line.encode(errors="replace"))


def _print_table(answer: "Answer") -> None:
    from itertools import islice

    from logparse.out.sql.answer import shown as text
    from logparse.out.terminal.layout import printed

    found = iter(answer)
    names = [_safe(name) for name, _ in answer.columns]
    right = [kind.startswith(_NUMBERS) for _, kind in answer.columns]
    lines = [[_safe(text(value)) for value in row] for row in islice(found, _ROWS)]
    printed(sys.stdout, lambda console: _show(console, names, right, lines))
    if next(found, None) is not None:
        say(f"these are the first {_ROWS:,} rows: --format csv prints all")


def _show(console: "Console", names: list[str], right: list[bool], lines: list[list[str]]) -> None:
    """As a table; where that is too wide, each row as a list of its values."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    widths = [max(map(len, column)) for column in zip(names, *lines, strict=True)]
    if sum(widths) + 2 * len(widths) + 2 > console.width and lines:
        width = max(map(len, names))
        for line in lines:
            for name, value in zip(names, line, strict=True):
                console.print(Text(f"{name:>{width}}  {value}"), soft_wrap=True)
            console.print()
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    for name, numbers in zip(names, right, strict=True):
        table.add_column(Text(name), justify="right" if numbers else "left", overflow="fold")
    for line in lines:
        table.add_row(*map(Text, line))
    console.print(table)


def _safe(text: str) -> str:
    return "".join(char if char.isprintable() or char == "\n" else repr(char)[1:-1] for char in text)
