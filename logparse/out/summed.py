"""The sink that adds up the summary, for all who show a report."""

from collections.abc import Sequence
from functools import cached_property

from logparse.lifecycle.event import Output
from logparse.out.report import Report
from logparse.out.sink import Sink, Source
from logparse.out.summary import Summary


class Summed(Sink):
    """Nothing is written by it. report: of all that was added; ask for it when all was read."""

    def __init__(self, summary: Summary) -> None:
        self.summary = summary

    def open(self, source: Source) -> None:
        self.source = source

    def add(self, outputs: Sequence[Output]) -> None:
        self.summary.add_all(outputs)

    @cached_property
    def report(self) -> Report:
        return self.summary.result(self.source.pipe, self.source.files)
