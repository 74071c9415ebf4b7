"""A recorded run as Prometheus would have scraped it: its log, read as it grew, at each scrape."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import msgspec

from logparse.lifecycle.lifecycle import Lifecycle
from logparse.out.collector import QueueJobCollector
from logparse.out.counts import Counts
from logparse.out.gauges import Build, FileStats, PipeStats, ReaderStats
from logparse.out.live import LiveGauges
from logparse.pipe import Pipe
from logparse.record.reader import Reader
from logparse.record.record import Record
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


class _Growing:
    """A log that grows, and the pipe that reads it."""

    def __init__(self, name: str, text: bytes, pipe: Pipe) -> None:
        self.name, self.text, self.pipe = name, text, pipe
        self.places = list(_places(text))
        self._read = self._at = 0

    def until(self, now: float) -> list[tuple[int, Pipe, Record]]:
        """What is read of the records that were written by then."""
        while self._at < len(self.places) and self.places[self._at][0] <= now:
            self._at += 1
        end = self.places[self._at][1] if self._at < len(self.places) else len(self.text)
        if end == self._read:
            return []
        reader = self.pipe.reader
        assert isinstance(reader, Reader)
        records = reader.feed(Chunk(self.name, self._read, self.text[self._read : end]))
        records += reader.quiet(long=True)
        self._read = end
        return [(record.time, self.pipe, record) for record in records]


class _Readers(ReaderStats):
    def __init__(self, logs: list[_Growing]) -> None:
        self._logs = logs

    def files(self) -> Iterator[FileStats]:
        for log in self._logs:
            tally = log.pipe.tally
            yield FileStats(f"/var/log/odoo/{log.name}", tally.lines, tally.bytes, 0, tally.last)

    def pipe(self) -> PipeStats:
        facts: Counter[str] = Counter()
        unmatched: Counter[str] = Counter()
        for log in self._logs:
            facts.update(log.pipe.facts)
            unmatched.update(log.pipe.unmatched)
        return PipeStats(facts, unmatched)


def scraped(run: str, *, interval: int = 15, hold: int = 0, stopped: bool = False) -> Scraped:
    """A run's logs, scraped as they were written, and then for `hold` more seconds in which they are silent.

    Each run ends with a stop of its last server. Without `stopped`, all before that is there: the log of a
    server that goes on, and has nothing more to say.
    """
    logs = _logs(run, stopped=stopped)
    times = [place[0] for log in logs for place in log.places]
    start = int(min(times)) - interval
    count = int(max(times) + hold - start) // interval + 2
    counts, pipes = Counts(), [log.pipe for log in logs]
    gauges = LiveGauges(pipes[0].lifecycle, pipes)
    collector = QueueJobCollector(counts, gauges, _Readers(logs), build=Build("1", "1", "0"))
    found = Scraped(start, interval, count, {})
    for number in range(count):
        now = start + number * interval
        records = sorted((one for log in logs for one in log.until(now)), key=lambda one: one[0])
        for _, pipe, record in records:
            for output in pipe.follow([record]):
                counts.add(output)
        _note(found, number, "up", {}, 1.0)
        for metric in collector.collect():
            for sample in metric.samples:
                _note(found, number, sample.name, sample.labels, sample.value)
    return found


def _logs(run: str, *, stopped: bool) -> list[_Growing]:
    """The log of each server of the installation, all of its pieces together."""
    lifecycle = Lifecycle()
    servers = recorded.servers(run)
    texts = recorded.texts(run)
    if servers is None:
        texts, servers = {"odoo.log": b"".join(texts.values())}, {None: ["odoo.log"]}
    stops = {name: _last_stop(text) for name, text in texts.items()}
    when = {name: next(_places(texts[name][stop:]), (0.0, 0))[0] for name, stop in stops.items()}
    last = max(when, key=lambda name: when[name])
    if not stopped:
        texts = {**texts, last: texts[last][: stops[last]]}
    return [
        _Growing(name, texts[name], Pipe(recorded.patterns(), server=server, lifecycle=lifecycle))
        for server, names in servers.items()
        for name in names
    ]


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
