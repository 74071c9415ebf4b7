"""One question in SQL: checked before anything is read, and its answer as a table, CSV or JSON."""

import csv
import io
import json
import math
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import duckdb

from logparse.out.sql.attended import attended
from logparse.out.table import csv_text

_BLOCK = 1000
_FIRST, _EXPLAIN = "LINE 1: ", "EXPLAIN "
_ASKED = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)


class WrongQuery(Exception):
    """The query cannot be answered.

    where: the lines in which DuckDB shows the place; "" without one. late: it was only seen with what the log
    holds.
    """

    def __init__(self, message: str, where: str = "", *, late: bool = False) -> None:
        super().__init__(message)
        self.where = where
        self.late = late


def check(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Raise WrongQuery where the query is not one question, or not about the tables that are there."""
    try:
        statements = duckdb.extract_statements(query)
    except duckdb.Error as error:
        raise wrong(error) from error
    if len(statements) != 1:
        raise WrongQuery("it must be one statement" if statements else "it is empty")
    if statements[0].type not in _ASKED:
        raise WrongQuery("only questions are answered: begin with SELECT, WITH, FROM, DESCRIBE or SUMMARIZE")
    try:
        explained = statements[0].type == duckdb.StatementType.EXPLAIN
        connection.execute(query if explained else _EXPLAIN + query)
    except duckdb.Error as error:
        raise wrong(error) from error


class Answer:
    """Iterate over its rows, once. columns: names and types. Raises WrongQuery."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, query: str) -> None:
        try:
            self._connection = attended(connection, connection.execute, query)
        except duckdb.Error as error:
            raise wrong(error, late=True) from error
        self.columns = [(str(name), str(kind)) for name, kind, *_ in self._connection.description or ()]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        try:
            while block := attended(self._connection, self._connection.fetchmany, _BLOCK):
                yield from block
        except duckdb.Error as error:
            raise wrong(error, late=True) from error


def wrong(error: duckdb.Error, *, late: bool = False) -> WrongQuery:
    """What DuckDB said: its sentence, and where the query is wrong."""
    sentence, *rest = str(error).strip().split("\n")
    hints = [line.strip() for line in rest if line.strip()]
    at = next((number for number, line in enumerate(rest) if line.startswith("LINE ")), None)
    if at is None:
        return WrongQuery(" ".join((sentence, *hints)), late=late)
    hints = [line.strip() for line in rest[:at] if line.strip()]
    line, *mark = rest[at : at + 2]
    if line.startswith(_FIRST + _EXPLAIN):
        line = line.replace(_EXPLAIN, "", 1)
        mark = [one.removeprefix(" " * len(_EXPLAIN)) for one in mark]
    return WrongQuery(" ".join((sentence, *hints)), "\n".join((line, *mark)), late=late)


def as_csv(answer: Answer) -> Iterator[str]:
    """Lines of CSV: the names of the columns first; what is not known is empty.

    Texts are as those of all CSV (`csv_text`); the names of columns are the query's own.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([name for name, _ in answer.columns])
    for row in answer:
        writer.writerow([_cell(value) for value in row])
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()


def _cell(value: Any) -> str:
    # A number below 0 is no formula.
    return shown(value) if isinstance(value, int | float | Decimal) else csv_text(shown(value))


def as_json(answer: Answer) -> Iterator[str]:
    """An array of objects, one a line."""
    before = "[\n"
    names = [name for name, _ in answer.columns]
    for row in answer:
        pairs = {name: _plain(value) for name, value in zip(names, row, strict=True)}
        yield before + json.dumps(pairs, ensure_ascii=False, default=str)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def shown(value: Any) -> str:
    """A value as text; "" where it is not known."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return f"{value:f}"
    plain = _plain(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False, default=str)


def _plain(value: Any) -> Any:
    """As JSON can hold it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds" if value.microsecond % 1000 == 0 else "microseconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    return value
