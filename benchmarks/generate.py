"""Writes large logs that look like those of busy servers, out of real ones: fixtures/ and traffic/ here."""

import argparse
import gzip
import random
import re
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
DATA = HERE / "data"
_FIXTURES = HERE.parent / "fixtures"

_HEADER = re.compile(
    rb"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) (\d+) (?:DEBUG|INFO|WARNING|ERROR|CRITICAL) (\S+) [\w.]+: ",
    re.M,
)
_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
# What changes from one use of a record to the next: its time, an access line's time, the uuids.
_SLOT = re.compile(
    rb"(?P<access>(?<=\[)\d\d/[A-Z][a-z][a-z]/\d{4} \d\d:\d\d:\d\d(?=\]))|(?P<uuid>%b)" % _UUID.pattern
)
_ALIVE = re.compile(rb"Worker WorkerHTTP \((\d+)\) alive")
_READY, _STOPPING = b"runner: database connections ready", b"Stopping gracefully"
PAUSE = 2.0
"""Between two repetitions of the run's work, seconds: then some 6,000 jobs run in an hour."""


class Template(NamedTuple):
    """A record of a real log.

    after: ms since the first of its run. about_jobs, lines: how many of its lines hold `queue_job`, and
    how many there are. parts: what stands between the slots; slots: a uuid of the run, or `None` for the
    time of an access line. The record's own time stands before the first part.
    """

    after: int
    about_jobs: int
    lines: int
    parts: tuple[bytes, ...]
    slots: tuple[bytes | None, ...]

    def at(self, time: int, uuids: "Uuids") -> bytes:
        """The record, as it would be written at `time` (ms)."""
        own, access = _times(time)
        out = [own, self.parts[0]]
        for slot, part in zip(self.slots, self.parts[1:], strict=True):
            out.append(access if slot is None else uuids[slot])
            out.append(part)
        return b"".join(out)


class Uuids(dict[bytes, bytes]):
    """The uuids of one repetition: for each of the run's a new one, the same on all lines of the job."""

    def __init__(self, source: random.Random) -> None:
        self._source = source

    def __missing__(self, old: bytes) -> bytes:
        new = str(uuid.UUID(int=self._source.getrandbits(128), version=4)).encode()
        self[old] = new
        return new


_known: tuple[int, bytes, bytes] = (-1, b"", b"")


def _times(time: int) -> tuple[bytes, bytes]:
    """`2026-11-24 03:03:30,277` and `24/Nov/2026 03:03:30`."""
    global _known
    second, millis = divmod(time, 1000)
    if second != _known[0]:
        moment = datetime.fromtimestamp(second, UTC)
        _known = (
            second,
            moment.strftime("%Y-%m-%d %H:%M:%S,").encode(),
            moment.strftime("%d/%b/%Y %H:%M:%S").encode(),
        )
    return b"%b%03d" % (_known[1], millis), _known[2]


def _milliseconds(text: bytes) -> int:
    moment = datetime.strptime(text.decode(), "%Y-%m-%d %H:%M:%S,%f").replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def _records(data: bytes) -> list[bytes]:
    starts = [match.start() for match in _HEADER.finditer(data)]
    return [data[start:end] for start, end in zip(starts, [*starts[1:], len(data)], strict=True)]


def _template(record: bytes, first: int) -> Template:
    parts, slots, position = [], [], 23
    for match in _SLOT.finditer(record, position):
        parts.append(record[position : match.start()])
        slots.append(match["uuid"])
        position = match.end()
    parts.append(record[position:])
    lines = record.splitlines()
    about_jobs = sum(b"queue_job" in line for line in lines)
    after = _milliseconds(record[:23]) - first
    return Template(after, about_jobs, len(lines), tuple(parts), tuple(slots))


class Run(NamedTuple):
    """A fixture's log: how its server starts, and the work from then until it is first stopped.

    first: the time of its first record, ms.
    """

    first: int
    start: list[Template]
    work: list[Template]
    traffic: list[Template]


def read_run(odoo: str, level: str) -> Run:
    """The prefork run of that series and level in fixtures/. SystemExit where there is none."""
    found = sorted(_FIXTURES.glob(f"{odoo}-w2-{level}/odoo.log*"))
    if not found:
        there = sorted({path.parent.name for path in _FIXTURES.glob("*-w2-*/odoo.log*")})
        raise SystemExit(f"no run of Odoo {odoo} at {level} is in fixtures/; there are {', '.join(there)}")
    path = found[0]
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    records = _records(data)
    ready = next(number for number, record in enumerate(records) if _READY in record) + 1
    stop = next(number for number, record in enumerate(records) if _STOPPING in record)
    # Jobs that go on after the stop would stay open for ever: they are left out.
    later = set(_UUID.findall(b"".join(records[stop:])))
    work = [record for record in records[ready:stop] if later.isdisjoint(_UUID.findall(record))]
    first = _milliseconds(records[0][:23])
    return Run(
        first,
        [_template(record, first) for record in records[:ready]],
        [_template(record, first) for record in work],
        _traffic(odoo, records[:ready], first),
    )


def _traffic(odoo: str, start: list[bytes], first: int) -> list[Template]:
    """Web traffic, logged by the HTTP workers of the run for the run's database."""
    workers = [match[1] for record in start if (match := _ALIVE.search(record))]
    db = next(header[3] for record in start if (header := _HEADER.match(record)) and header[3] != b"?")
    path = HERE / "traffic" / ("12.0.log" if float(odoo) < 14 else "16.0.log")
    templates = []
    for number, record in enumerate(_records(path.read_bytes())):
        header = _HEADER.match(record)
        assert header is not None
        own_db = header[3]
        worker = workers[number % len(workers)]
        record = record[:24] + worker + record[header.end(2) :]
        templates.append(_template(record if own_db == b"?" else record.replace(own_db, db), first))
    return templates


def records(run: Run, *, jobs: float, seed: int, pause: float = PAUSE) -> Iterator[tuple[int, bytes]]:
    """(lines, record) without end: the start of the server, then its work again and again.

    jobs: at most so many of the lines hold `queue_job`; the others are the run's own and web traffic
    between them. pause: seconds of the log between two repetitions.
    """
    source = random.Random(seed)
    for template in run.start:
        yield template.lines, template.at(run.first + template.after, Uuids(source))
    begin, length = run.work[0].after, run.work[-1].after - run.work[0].after + round(pause * 1000)
    time, base = run.first + begin, run.first
    about_jobs = total = 0
    while True:
        uuids = Uuids(source)
        for template in run.work:
            due = base + template.after
            about_jobs += template.about_jobs
            total += template.lines
            missing = about_jobs / jobs - total
            # Web traffic fills the time since the record before.
            step = max(0, due - time) / (missing / 1.1 + 1) if missing > 0 else 0
            moment = float(time)
            while about_jobs > jobs * total:
                web = run.traffic[source.randrange(len(run.traffic))]
                moment = min(due, moment + step)
                total += web.lines
                yield web.lines, web.at(int(moment), uuids)
            # A log is in time order but for some milliseconds, and so are the run's records.
            time = max(time, due)
            yield template.lines, template.at(due, uuids)
        base += length


def write_log(
    path: Path,
    *,
    odoo: str,
    level: str,
    jobs: float,
    lines: int = 0,
    megabytes: float = 0,
    seed: int = 1,
    pause: float = PAUSE,
) -> None:
    """Write a log of so many lines or megabytes (whichever is given); the memory needed stays the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = size = 0
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        for count, record in records(read_run(odoo, level), jobs=jobs, seed=seed, pause=pause):
            if (lines and written >= lines) or (megabytes and size >= megabytes * 1e6):
                break
            file.write(record)
            written += count
            size += len(record)
    partial.rename(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--megabytes", type=float, default=0, help="stop by size instead")
    parser.add_argument("--jobs", type=float, default=0.2, help="share of the lines that are about jobs")
    parser.add_argument("--level", choices=("info", "debug"), default="info")
    parser.add_argument("--odoo", default="16.0", help="series of the run that is repeated")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--pause", type=float, default=PAUSE, help="seconds of the log between two repetitions of the run"
    )
    parser.add_argument("output", type=Path, nargs="?", help="default: in benchmarks/data/")
    given = parser.parse_args()
    if not 0 < given.jobs <= 1:
        parser.error("--jobs must be above 0 and at most 1")
    lines = 0 if given.megabytes else given.lines
    size = f"{given.megabytes:g}mb" if given.megabytes else f"{lines}"
    name = f"{given.odoo}-{given.level}-{given.jobs:g}-{size}-{given.seed}.log"
    path = given.output or DATA / name
    write_log(
        path,
        odoo=given.odoo,
        level=given.level,
        jobs=given.jobs,
        lines=lines,
        megabytes=given.megabytes,
        seed=given.seed,
        pause=given.pause,
    )
    sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
