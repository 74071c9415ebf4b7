"""What a replay prints to standard output: the summary as tables or JSON, or the counters as metrics."""

import sys

from logparse.out.sink import Sink
from logparse.out.summed import Summed
from logparse.out.timeline import Timeline


class Printed(Sink):
    """What was added up. Inherit, and print it in `finish`."""

    def __init__(self, summed: Summed) -> None:
        self._summed = summed


class Tables(Printed):
    """For people. timeline: added up before it."""

    def __init__(self, summed: Summed, timeline: Timeline) -> None:
        super().__init__(summed)
        self._timeline = timeline

    def finish(self) -> None:
        from logparse.out.terminal.layout import printed
        from logparse.out.terminal.report import show

        report = self._summed.report
        printed(sys.stdout, lambda console: show(report, console, self._timeline))


class Json(Printed):
    """For programs."""

    def finish(self) -> None:
        import msgspec

        report = msgspec.json.encode(self._summed.report)
        sys.stdout.buffer.write(msgspec.json.format(report, indent=2) + b"\n")


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
        sys.stdout.buffer.write(generate_latest(registry))
