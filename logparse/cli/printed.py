"""What a replay prints to standard output: the summary as tables or JSON, or the counters as metrics."""

import sys
from collections.abc import Sequence

from logparse.lifecycle.event import Output
from logparse.out.report import Report
from logparse.out.sink import Sink, Source
from logparse.out.summary import Summary


class Printed(Sink):
    """Adds up a summary. Inherit, and print it in `finish`."""

    def __init__(self, summary: Summary) -> None:
        self.summary = summary

    def open(self, source: Source) -> None:
        self.source = source

    def add(self, outputs: Sequence[Output]) -> None:
        add = self.summary.add
        for output in outputs:
            add(output)

    def report(self) -> Report:
        """Of all that was added."""
        return self.summary.result(self.source.pipe, self.source.files)


class Tables(Printed):
    """For people."""

    def finish(self) -> None:
        from logparse.out.terminal.layout import printed
        from logparse.out.terminal.report import show

        report = self.report()
        printed(sys.stdout, lambda console: show(report, console))


class Json(Printed):
    """For programs."""

    def finish(self) -> None:
        import msgspec

        report = msgspec.json.encode(self.report())
        sys.stdout.buffer.write(msgspec.json.format(report, indent=2) + b"\n")


class Metrics(Printed):
    """In Prometheus' text format."""

    def finish(self) -> None:
        from prometheus_client import CollectorRegistry, generate_latest

        from logparse import __version__
        from logparse.out.collector import QueueJobCollector
        from logparse.out.gauges import Build
        from logparse.out.live import LiveGauges, ReadOnce

        pipe = self.source.pipe
        registry = CollectorRegistry()
        patterns = pipe.patterns
        build = Build(__version__, patterns.version, patterns.digest)
        gauges, readers = LiveGauges(pipe.lifecycle, [pipe]), ReadOnce(pipe, self.source.files)
        registry.register(QueueJobCollector(self.summary.counts, gauges, readers, build=build))
        sys.stdout.buffer.write(generate_latest(registry))
