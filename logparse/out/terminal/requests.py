"""Shows what a replay tells of HTTP requests."""

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from logparse.out.request_report import ModelTimes, RequestReport
from logparse.out.terminal.layout import columns, flow, section
from logparse.out.terminal.room import fitted
from logparse.out.units import duration, number, plural, printable, share


def show_requests(report: RequestReport, console: Console) -> None:
    """Print the section. Everything that comes from the log is escaped."""
    section(console, "HTTP requests")
    console.print(_sentence(report))
    spare = ((4, "4xx"), (3, "SQL"), (2, "p95"), (5, "5xx"), (1, "requests"))
    tables: list[RenderableType] = [fitted(_routes(report), console, spare)]
    for title, models in (
        ("Models, by path", report.models),
        ("Models, as monitoring_log_requests tells (the same requests)", report.monitored),
    ):
        if models:
            tables.append(fitted(_models(title, models), console, ((2, "SQL"), (1, "requests"))))
    console.print(flow(console, tables))


def _sentence(report: RequestReport) -> Text:
    text = Text(f"{plural(report.count, 'request')} took {duration(report.seconds)}")
    if report.sql_share is not None:
        text.append(f", {share(report.sql_share)} of it in SQL")
    text.append(f"; {number(report.errors_4xx)} answered 4xx, {number(report.errors_5xx)} 5xx.")
    if report.job_count:
        text.append(f" Of these, {number(report.job_count)} ran jobs and took {duration(report.job_seconds)}")
        if report.seconds:
            text.append(f" ({share(report.job_seconds / report.seconds)})")
        text.append(".")
    if report.attempts:
        ran = f" The jobs themselves: {plural(report.attempts, 'attempt')}"
        text.append(f"{ran} in {duration(report.attempt_seconds)}.")
    return text


def _routes(report: RequestReport) -> Table:
    several = len({one.db for one in report.routes if one.db}) > 1
    table = columns(
        "Routes with the most time",
        ("time", ">"),
        ("requests", ">"),
        ("p95", ">"),
        ("SQL", ">"),
        ("4xx", ">"),
        ("5xx", ">"),
        ("route", "*"),
    )
    for one in report.routes:
        name = Text(f"{printable(one.method)} {printable(one.route)}", overflow="fold")
        if several:
            name.append(f"  {printable(one.db or 'no database')}", "dim")
        table.add_row(
            _seconds(one.seconds),
            number(one.count),
            _seconds(one.p95),
            "–" if one.sql_share is None else share(one.sql_share),
            Text(number(one.errors_4xx), "yellow" if one.errors_4xx else "dim"),
            Text(number(one.errors_5xx), "red" if one.errors_5xx else "dim"),
            name,
        )
    return table


def _models(title: str, models: list[ModelTimes]) -> Table:
    table = columns(title, ("time", ">"), ("requests", ">"), ("SQL", ">"), ("method", "*"))
    for one in models:
        in_sql = "–" if one.sql_share is None else share(one.sql_share)
        name = Text(f"{printable(one.model)}.{printable(one.model_method)}")
        table.add_row(duration(one.seconds), number(one.count), in_sql, name)
    return table


def _seconds(value: float | None) -> str:
    return "–" if value is None else duration(value)
