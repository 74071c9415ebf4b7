"""What a replay prints to standard output: the summary or groups, in the form that is asked for; metrics."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from logparse.cli.standard import standard_output
from logparse.out.sink import Sink

if TYPE_CHECKING:
    from rich.console import Console

    from logparse.out.groups import Groups
    from logparse.out.summed import Summed
    from logparse.out.timeline import Timeline

FORMS = ("table", "json", "csv", "markdown")
MOST_ROWS = 40
"""Groups that people are shown, where they do not say how many."""


class Printed(Sink):
    """What was added up. Inherit, and print it in `finish`."""

    def __init__(self, summed: "Summed") -> None:
        self._summed = summed


class Tables(Printed):
    """The summary for people. timeline: added up before it."""

    def __init__(self, summed: "Summed", timeline: "Timeline") -> None:
        super().__init__(summed)
        self._timeline = timeline

    def finish(self) -> None:
        from logparse.out.terminal.report import show

        report = self._summed.report
        to_console(lambda console: show(report, console, self._timeline))


class Markdown(Printed):
    """The summary for an issue."""

    def finish(self) -> None:
        from logparse.out.markdown import summary

        to_text(summary(self._summed.report))


class Json(Printed):
    """The summary for programs; with `groups`, those too. most: groups, None: all."""

    def __init__(self, summed: "Summed", groups: "Groups | None" = None, most: int | None = None) -> None:
        super().__init__(summed)
        self._groups = groups
        self._most = most

    def finish(self) -> None:
        import msgspec

        report = self._summed.report
        if self._groups is not None:
            table = self._groups.table(report.visibility, self._most)
            names = [column.name for column in table.columns]
            rows = [dict(zip(names, row, strict=True)) for row in table.rows]
            report = msgspec.structs.replace(report, groups=rows)
        to_json(report)


class Grouped(Printed):
    """Groups, as a table, CSV or Markdown. timeline: for the headline above a table."""

    def __init__(
        self, summed: "Summed", timeline: "Timeline", groups: "Groups", form: str, most: int | None
    ) -> None:
        super().__init__(summed)
        self._timeline = timeline
        self._groups = groups
        self._form = form
        self._most = most

    def finish(self) -> None:
        from logparse.out.table import as_csv, as_markdown

        report = self._summed.report
        most = MOST_ROWS if self._most is None and self._form != "csv" else self._most
        table = self._groups.table(report.visibility, most)
        if self._form == "csv":
            to_text(as_csv(table))
        elif self._form == "markdown":
            from logparse.out.markdown import headline

            to_text(f"{headline(report)}\n{as_markdown(table)}")
        else:
            from logparse.out.terminal.grid import grid
            from logparse.out.terminal.headline import headline as heads

            def show(console: "Console") -> None:
                console.print(heads(report, self._timeline, width=console.width))
                console.print()
                console.print(grid(table, console))

            to_console(show)


class Metrics(Printed):
    """In Prometheus' text format."""

    def finish(self) -> None:
        from prometheus_client import CollectorRegistry, generate_latest

        from logparse import __version__
        from logparse.out.collector import QueueJobCollector
        from logparse.out.gauges import Build
        from logparse.out.live import LiveGauges, ReadOnce

        source = self._summed.source
        pipe = source.pipe
        registry = CollectorRegistry()
        patterns = pipe.patterns
        build = Build(__version__, patterns.version, patterns.digest)
        gauges, readers = LiveGauges(pipe.lifecycle, [pipe]), ReadOnce(pipe, source.files)
        counts = self._summed.summary.counts
        registry.register(QueueJobCollector(counts, gauges, readers, build=build))
        standard_output().write(generate_latest(registry))


def to_console(show: Callable[["Console"], None]) -> None:
    """Let `show` print to standard output."""
    from logparse.out.terminal.layout import printed

    printed(sys.stdout, show)


def to_text(text: str) -> None:
    """Print as UTF-8, whatever the terminal's encoding: it is for a file or a program."""
    standard_output().write(text.encode(errors="replace"))


def to_json(value: object) -> None:
    """Print as JSON, indented."""
    import msgspec

    standard_output().write(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")
