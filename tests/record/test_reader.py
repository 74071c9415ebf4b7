"""Times, formats, servers and directions that the user tells, or that the log shows."""

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from logparse.lifecycle.event import Event
from logparse.pipe import Pipe
from logparse.record.direction import newest_first
from logparse.record.merge import Merged
from logparse.record.template import template
from logparse.record.unwrap import find
from logparse.record.wrappers.wrapper import Context
from logparse.source.chunk import Chunk
from logparse.source.files import read_files
from logparse.source.reverse import read_reversed
from tests import recorded
from tests.record.test_wrappers import LATEST, bare, joined, told
from tests.record.wrapping import BARS, WRAPS, bars, compose, journal_short, records

BERLIN = ZoneInfo("Europe/Berlin")
RUNNER = "odoo.addons.queue_job.jobrunner.runner"


def utc(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def starts(lines: list[str], context: Context) -> list[int]:
    pipe = Pipe(recorded.patterns(), context=context)
    log = joined([line.encode() for line in lines])
    return [record.time for record in pipe.reader.feed(Chunk("odoo.log", 0, log, last=True))]


def syslog(time: str) -> str:
    return f"{time} vm Odoo Server 16.0:?:INFO:{RUNNER}:starting"


def test_the_year_is_the_last_that_the_files_date_allows() -> None:
    context = Context(latest=utc("2027-01-02 00:00:00"))
    assert starts([syslog("Dec 31 23:59:00"), syslog("Jan  1 00:01:00")], context) == [
        utc("2026-12-31 23:59:00"),
        utc("2027-01-01 00:01:00"),
    ]
    by_name = Context(dates={"odoo.log": utc("2026-11-23 23:00:00")})
    assert starts([syslog("Nov 24 02:00:00")], by_name) == [utc("2026-11-24 02:00:00")]
    assert starts([syslog("Nov 25 02:00:00")], by_name) == [utc("2025-11-25 02:00:00")]


def test_the_given_year_is_that_of_the_first_line() -> None:
    lines = [syslog("Dec 31 23:59:00"), syslog("Jan  1 00:00:10"), syslog("Dec 31 23:59:59")]
    assert starts(lines, Context(year=2023)) == [
        utc("2023-12-31 23:59:00"),
        utc("2024-01-01 00:00:10"),
        utc("2023-12-31 23:59:59"),
    ]
    assert starts([syslog("Feb 29 10:00:00")], Context(year=2024)) == [utc("2024-02-29 10:00:00")]
    assert starts([syslog("Feb 29 10:00:00")], Context(latest=utc("2027-05-01 00:00:00"))) == [
        utc("2024-02-29 10:00:00")
    ]


def test_without_any_year_nothing_is_made_up() -> None:
    assert starts([syslog("Nov 24 02:00:00")], Context()) == []


def odoo(time: str) -> str:
    return f"{time},000 7 INFO ? {RUNNER}: starting "


def test_a_zone_is_that_of_odoo_s_own_time() -> None:
    assert starts([odoo("2026-11-24 02:00:00")], Context(zone=BERLIN)) == [utc("2026-11-24 01:00:00")]
    assert starts([odoo("2026-07-24 02:00:00")], Context(zone=BERLIN)) == [utc("2026-07-24 00:00:00")]


def test_the_hour_that_comes_twice_is_told_apart_by_the_order() -> None:
    lines = [
        odoo(f"2026-10-25 {clock}:00") for clock in ("01:59", "02:30", "02:59", "02:01", "02:59", "03:00")
    ]
    pipe = Pipe(recorded.patterns(), context=Context(zone=BERLIN))
    got = [
        record.time for record in pipe.reader.feed(Chunk("f", 0, joined([x.encode() for x in lines]), True))
    ]
    expected = ["23:59", "00:30", "00:59", "01:01", "01:59", "02:00"]
    days = ["2026-10-24", *["2026-10-25"] * 5]
    assert got == [utc(f"{day} {clock}:00") for day, clock in zip(days, expected, strict=True)]
    assert pipe.tally.clock_skew == 0


def test_a_zone_is_that_of_the_wrapper_where_it_has_a_time() -> None:
    assert starts([syslog("Nov 24 03:00:00")], Context(zone=BERLIN, year=2026)) == [
        utc("2026-11-24 02:00:00")
    ]
    wrapped = f"Nov 24 03:00:00 vm odoo[1]: {odoo('2026-11-24 02:00:00')}"
    assert starts([wrapped], Context(zone=BERLIN, year=2026)) == [utc("2026-11-24 02:00:00")]


def test_a_whole_log_in_another_zone() -> None:
    lines = bare("16.0-w2-info")
    shift = ZoneInfo("Etc/GMT-1")
    moved = [
        line.replace(b"2026-11-24 03:", b"2026-11-24 04:") if line[:1] == b"2" else line for line in lines
    ]
    assert told(joined(moved), Context(zone=shift)) == told(joined(lines))


def test_the_given_format() -> None:
    lines = bare("16.0-w2-info")
    expected = told(joined(lines))
    assert told(joined(bars(lines)), Context(forms=(template(BARS),))) == expected
    assert told(joined(compose(bars(lines))), Context(forms=(template(BARS),))) == expected
    assert told(joined(bars(lines))) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "[%(asctime)s] %(levelname)-8s {%(process)5d} <%(dbname)s> %(name)s - %(message)s",
            "[2026-11-24 02:00:00,000] INFO     {    7} <prod> x.y - hello",
        ),
        (
            "%(levelname)s %(asctime)s.%(msecs)03d %(threadName)s %(db)s %(pid)s %(name)s: "
            "%(message)s %(perf_info)s",
            "INFO 2026-11-24T02:00:00.000 Main prod 7 x.y: hello",
        ),
    ],
)
def test_formats(text: str, line: str) -> None:
    (form,) = [template(text)]
    from logparse.record.wrappers.wrapper import BARE

    record = form.read(line.encode(), BARE, Context())
    assert record is not None
    assert record.rstrip() == b"2026-11-24 02:00:00,000 7 INFO prod x.y: hello"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("odoo", "no fields"),
        ("%(asctime)s %(name)s %(message)s", r"lacks %\(levelname\)s"),
        (
            "%(asctime)s %(levelname)s %(name)s %(message)s %(process)d",
            r"%\(process\)d?s? follows the message",
        ),
        ("%(asctime)s %(levelname)s %(name)s 5% %(message)s", "per cent"),
    ],
)
def test_formats_that_are_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        template(text)


def turned_by_lines(lines: list[bytes]) -> list[bytes]:
    return lines[::-1]


def turned_by_records(lines: list[bytes]) -> list[bytes]:
    return [line for record in records(lines)[::-1] for line in record]


@pytest.mark.parametrize("turn", [turned_by_lines, turned_by_records])
@pytest.mark.parametrize("name", ["plain", "compose", "json-file", "syslog, RFC 3339"])
def test_newest_first(turn: object, name: str, tmp_path: Path) -> None:
    lines = bare("16.0-w2-info")
    wrap = WRAPS.get(name, list)
    assert callable(turn)
    path = tmp_path / "odoo.log"
    if turn is turned_by_lines:
        log = joined(wrap(lines)[::-1])
    else:
        log = joined(wrap(turn(lines)))
    path.write_bytes(log)
    assert newest_first(log[:65536], LATEST)
    assert not newest_first(joined(wrap(lines))[:65536], LATEST)
    pipe = Pipe(recorded.patterns(), context=LATEST)
    out = []
    for chunk in read_reversed([str(path)], lambda line: find(line, LATEST) is not None):
        out += pipe.feed(chunk)
    out += pipe.finish()
    got = [(one.ts, one.event, one.uuid) for one in out if isinstance(one, Event) and one.uuid]
    expected = [(one.ts, one.event, one.uuid) for one in told(joined(lines)) if one.uuid]
    if turn is turned_by_lines:
        assert got == expected
    else:
        # Texts that look like records were torn from theirs when the log was turned.
        assert len(set(got) ^ set(expected)) <= 4


def test_one_server_is_merged_to_what_it_is() -> None:
    (log,) = recorded.texts("16.0-w2-info").values()
    pipe = Pipe(recorded.patterns(), files={"a": ["a.log"]})
    out = pipe.feed(Chunk("a.log", 0, log, last=True)) + pipe.finish()
    events = [one for one in out if isinstance(one, Event)]
    assert {event.server for event in events} == {"a"}
    assert [(event.ts, event.event) for event in events] == [(one.ts, one.event) for one in told(log)]


def test_servers_are_read_in_step() -> None:
    """No more of a server is read than is needed to know what comes first."""
    folder = recorded.FIXTURES / "16.0-2servers-info"
    names = {"a": [str(folder / "odoo-a.log.gz")], "b": [str(folder / "odoo-b.log.gz")]}
    pipe = Pipe(recorded.patterns(), files=names)
    assert isinstance(pipe.reader, Merged)
    streams = {name: read_files(files, chunk_size=4096) for name, files in names.items()}
    times: list[int] = []
    most = 0
    while pipe.reader.open:
        times += [one.time for one in pipe.reader.feed(next(streams[pipe.reader.wanted]))]
        most = max(most, pipe.reader.waiting)
    assert len(times) > 1000
    assert most < 300
    # But for milliseconds within one server, whose lines stay in its order.
    assert sum(later < earlier - 50 for earlier, later in pairwise(times)) == 0


def test_journal_entries_of_several_lines_are_one_record() -> None:
    forged = odoo("2026-11-24 02:00:05").encode()
    lines = journal_short([odoo("2026-11-24 02:00:00").encode()])
    head = lines[0].index(b"2026-")
    lines.append(b" " * head + forged)
    assert len(told(joined(lines))) == 1
