"""A recorded run as Prometheus would have scraped it: its log, read as it grew, at each scrape."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import msgspec

from logparse.lifecycle.event import Output
from logparse.out.collector import QueueJobCollector
from logparse.out.counts import Counts
from logparse.out.gauges import Build, FileStats, PipeStats, ReaderStats
from logparse.out.live import LiveGauges
from logparse.pipe import Pipe
from logparse.source.chunk import Chunk
from tests import recorded

TARGET = {"job": "odoo_queue_job", "instance": "odoo1:9747"}
_HEADER = re.compile(rb"^(?:\x1b\[[0-9;]*m)*(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),(\d{3}) \d+ ", re.MULTILINE)

Labels = tuple[tuple[str, str], ...]


class Scraped(msgspec.Struct):
    """What was scraped, every `interval` seconds from `start` (Unix time) on.

    series: by name and labels; None where it was not there.
    """

    start: int
    interval: int
    count: int
    series: dict[tuple[str, Labels], list[float | None]]

    def values(self, name: str, **labels: str) -> list[list[float | None]]:
        """The series of this name that have these labels."""
        return [
            values
            for (known, own), values in self.series.items()
            if known == name and labels.items() <= dict(own).items()
        ]


class _Readers(ReaderStats):
    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    def files(self) -> Iterator[FileStats]:
        tally = self._pipe.tally
        yield FileStats("/var/log/odoo/odoo.log", tally.lines, tally.bytes, 0, tally.last)

    def pipe(self) -> PipeStats:
        return PipeStats(self._pipe.facts, self._pipe.unmatched)


def scraped(run: str, *, interval: int = 15, hold: int = 0, stopped: bool = False) -> Scraped:
    """A run's log, scraped as it was written, and then for `hold` more seconds in which it is silent.

    Each run ends with a stop of its server. Without `stopped`, all before that is there: the log of a server
    that goes on, and has nothing more to say.
    """
    text = b"".join(recorded.texts(run).values())
    if not stopped:
        text = text[: _last_stop(text)]
    places = list(_places(text))
    start = int(places[0][0]) - interval
    count = int(places[-1][0] + hold - start) // interval + 2
    pipe, counts = Pipe(recorded.patterns()), Counts()
    collector = QueueJobCollector(
        counts, LiveGauges(pipe.lifecycle, [pipe]), _Readers(pipe), build=Build("1", "1", "0")
    )
    found = Scraped(start, interval, count, {})
    read, at = 0, 0
    for number in range(count):
        now = start + number * interval
        while at < len(places) and places[at][0] <= now:
            at += 1
        until_byte = places[at][1] if at < len(places) else len(text)
        out: list[Output] = []
        if until_byte > read:
            out += pipe.feed(Chunk("odoo.log", read, text[read:until_byte]))
            out += pipe.quiet(long=True)
            read = until_byte
        for output in out:
            counts.add(output)
        _note(found, number, "up", {}, 1.0)
        for metric in collector.collect():
            for sample in metric.samples:
                _note(found, number, sample.name, sample.labels, sample.value)
    return found


def _last_stop(text: bytes) -> int:
    """Where the record begins with which the server's last stop begins."""
    said = max(text.rfind(words) for words in (b"Stopping gracefully", b"Initiating shutdown"))
    return text.rfind(b"\n", 0, said) + 1


def _note(found: Scraped, number: int, name: str, labels: Mapping[str, str], value: float) -> None:
    key = (name, tuple(sorted({**labels, **TARGET}.items())))
    values = found.series.setdefault(key, [None] * found.count)
    values[number] = float(value)


def _places(text: bytes) -> Iterator[tuple[float, int]]:
    """(time, offset) of each record by its look, in time that never goes back nor jumps."""
    newest = 0.0
    for match in _HEADER.finditer(text):
        when = datetime.strptime(match[1].decode(), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        time = when.timestamp() + int(match[2]) / 1000
        if newest and not newest - 60 < time < newest + 3600:
            continue  # a line that a job wrote, with a time of its own
        newest = max(newest, time)
        yield newest, match.start()
