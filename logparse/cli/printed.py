"""What a replay prints to standard output: the summary as tables or JSON, or the counters as metrics."""

import sys
from collections.abc import Iterator, Sequence

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
        from logparse.out.gauges import Build, FileStats, PipeStats, ReaderStats
        from logparse.out.live import LiveGauges

        pipe, files = self.source.pipe, self.source.files

        class Readers(ReaderStats):
            def files(self) -> Iterator[FileStats]:
                tally = pipe.tally
                if len(files) == 1:
                    yield FileStats(files[0], tally.lines, tally.bytes, last_record=tally.last)

            def pipe(self) -> PipeStats:
                tally = pipe.tally
                return PipeStats(pipe.facts, pipe.unmatched, tally.truncated, tally.decode_errors)

        registry = CollectorRegistry()
        patterns = pipe.patterns
        build = Build(__version__, patterns.version, patterns.digest)
        gauges = LiveGauges(pipe.lifecycle, [pipe])
        registry.register(QueueJobCollector(self.summary.counts, gauges, Readers(), build=build))
        sys.stdout.buffer.write(generate_latest(registry))
