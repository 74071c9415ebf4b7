"""What people see: it fits, it is aligned, it is safe, and it says why there is nothing."""

import gzip
import io
import re
from functools import cache
from pathlib import Path

import pytest
from rich.console import Console

from logparse.lifecycle.event import Ended, Event
from logparse.out.report import Report
from logparse.out.summary import Summary
from logparse.out.table import Column, Table
from logparse.out.terminal.grid import grid
from logparse.out.terminal.layout import printed
from logparse.out.terminal.report import show
from logparse.pipe import Pipe
from logparse.source.chunk import Chunk

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
FOLDERS = (
    "12.0-w2-info",
    "16.0-w2-debug",
    "16.0-werkzeug-silenced-info",
    "17.0-w2-badport",
    "17.0-w2-warn",
    "18.0-w2-2db-info",
    "18.0-w2-dead-info",
)
TS = 1_795_000_000_000


@cache
def report_of(folder: str) -> Report:
    (path,) = (FIXTURES / folder).glob("odoo.log*")
    data = path.read_bytes()
    return summed(gzip.decompress(data) if path.suffix == ".gz" else data)


def summed(data: bytes) -> Report:
    pipe, summary = Pipe(), Summary()
    for output in (*pipe.feed(Chunk("odoo.log", 0, data, last=True)), *pipe.finish()):
        summary.add(output)
    return summary.result(pipe, ["odoo.log"])


def text_of(report: Report, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    show(report, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def row(text: str, name: str) -> list[str]:
    """The cells of the row that begins with `name`."""
    (line,) = re.findall(rf"^{name} .*$", text, re.MULTILINE)
    return re.split(r"\s{2,}", line.strip())


@pytest.mark.parametrize("width", [1, 20, 40, 60, 80, 140])
@pytest.mark.parametrize("folder", FOLDERS)
def test_it_fits_every_width(folder: str, width: int) -> None:
    text = text_of(report_of(folder), width)
    assert max(map(len, text.split("\n"))) <= width


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("folder", FOLDERS)
def test_no_uuid_is_cut(folder: str, width: int) -> None:
    report = report_of(folder)
    text = text_of(report, width)
    named = [one.uuid for database in report.databases for one in (*database.slowest, *database.most_retried)]
    assert all(uuid in text for uuid in named if uuid)


@pytest.mark.parametrize("width", [40, 50, 60])
@pytest.mark.parametrize("folder", FOLDERS)
def test_what_has_no_room_is_left_out_rather_than_cut(folder: str, width: int) -> None:
    text = text_of(report_of(folder), width)
    assert "…" not in text
    for name in ("attempt", "dispatch delay"):
        for line in re.findall(rf"^{name}  +\d.*$", text, re.MULTILINE):
            assert re.fullmatch(rf"{name}( +[\d.]+ (ms|s))+( +\d+)?", line)


def test_what_is_left_out_is_said() -> None:
    report = report_of("16.0-w2-debug")
    narrow = " ".join(text_of(report, 40).split())
    assert "no room for p90, p99, max, count: a wider terminal, or --format json" in narrow
    assert re.search(r"^ +p50 +p95$", text_of(report, 40), re.MULTILINE)
    assert "no room" not in text_of(report, 80)


def test_wide_terminals_have_tables_beside_each_other() -> None:
    report = report_of("16.0-w2-debug")
    assert "Times" not in text_of(report, 80).split("Events", 1)[1].split("\n", 1)[0]
    assert "Times" in text_of(report, 150).split("Events", 1)[1].split("\n", 1)[0]
    assert text_of(report, 150).count("\n") < text_of(report, 80).count("\n") * 0.7


def test_the_numbers_of_the_report_are_shown() -> None:
    report = report_of("18.0-w2-2db-info")
    text = text_of(report)
    for database in report.databases:
        part = text.split(f"\n{database.db} ─")[1].split("\nTimes")[0]
        assert row(part, "dispatched")[1] == str(database.events["dispatched"])
        assert row(part, "failed")[1] == str(database.events["failed"])
    assert "420 jobs ran in 480 attempts: 328 done, 98 failed, 54 retried" in " ".join(text.split())


def test_numbers_are_aligned_to_the_right() -> None:
    text = text_of(report_of("16.0-w2-debug")).split("Events")[1].split("Times")[0]
    rows = [re.match(r"[a-z]+ +([\d,]+) ", line) for line in text.split("\n")]
    ends = {found.end(1) for found in rows if found}
    assert sum(found is not None for found in rows) == 9  # all but cancelled
    assert len(ends) == 1


def test_what_is_not_visible_is_said_and_never_zero() -> None:
    text = text_of(report_of("16.0-werkzeug-silenced-info"))
    for word in ("queued", "done", "retried", "cancelled", "lost"):
        assert row(text.split("What this log cannot show")[0], word) == [word, "–", "not visible"]
    assert "--log-handler=werkzeug:INFO" in text
    assert "300 dispatches and not one answer" in " ".join(text.split())


def test_how_it_is_known_is_said() -> None:
    info, debug = text_of(report_of("18.0-w2-2db-info")), text_of(report_of("16.0-w2-debug"))
    assert re.search(r"^done +164 +inferred", info, re.MULTILINE)
    assert re.search(r"^dispatched +240 +observed", info, re.MULTILINE)
    assert re.search(r"^requeued +3 +in part", info, re.MULTILINE)
    assert re.search(r"^done +218 +observed", debug, re.MULTILINE)


def test_thousands_and_units() -> None:
    summary = Summary()
    for number in range(1_234):
        summary.add(Event(TS + number, "done", "prod", f"u{number}", 1, duration=75.0))
        summary.add(Ended(TS + number, "prod", None, 75.0, None, None))
    text = text_of(summary.result(Pipe()))
    assert "1,234" in text
    assert "1 min 15 s" in text


def test_names_from_the_log_cannot_drive_the_terminal_or_the_markup() -> None:
    summary = Summary()
    evil = "\x1b]0;x\x07\x1b[31m[bold]db[/bold]\r\u202e"
    summary.add(
        Event(TS, "failed", evil, evil, 1, channel=evil, exception=evil, duration=1.0, file=evil, reason=evil)
    )
    summary.add(Event(TS, "runner_error", reason=evil))
    summary.add(Event(TS, "worker_killed", reason=evil))
    summary.add(Ended(TS, evil, evil, 1.0, None, None))
    text = text_of(summary.result(Pipe(), [evil]), 140)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "[bold]db[/bold]" in text


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The log is empty."),
        (
            b"2026-11-24 03:00:18,770 2 INFO prod odoo.modules.loading: Modules loaded. \n",
            "server_wide_modules",
        ),
        (
            b"2026-11-24 03:00:18,770 7 INFO ? odoo.addons.queue_job.jobrunner.runner: starting \n",
            "dispatched no job",
        ),
        (
            b"2026-11-24 03:00:18,770 7 INFO ? odoo.service.server: Worker WorkerHTTP (7) alive \n",
            "No job runner started in this log",
        ),
    ],
)
def test_nothing_to_tell(data: bytes, sentence: str) -> None:
    text = " ".join(text_of(summed(data)).split())
    assert text.startswith("No queue job in this log.")
    assert sentence in text


def test_a_file_gets_no_colours_and_no_blanks_at_the_ends_of_lines() -> None:
    file = io.StringIO()
    printed(file, lambda console: show(report_of("16.0-w2-debug"), console))
    text = file.getvalue()
    assert "\x1b" not in text
    assert not re.search(r"[ \t]+$", text, re.MULTILINE)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_colours_where_there_are_any_and_none_where_they_are_unwanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def shown() -> str:
        console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system="standard")
        show(report_of("16.0-w2-debug"), console)
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue()

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert re.search(r"\x1b\[31m", shown())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[(?:\d+;)*3\dm", shown())


def test_an_encoding_without_lines_is_no_error() -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    printed(file, lambda console: show(report_of("16.0-w2-debug"), console))
    file.flush()
    assert b"done" in raw.getvalue()


def test_groups_and_a_comparison_are_folded_where_leaving_out_is_not_enough() -> None:
    names = ("minute", "attempts", "failed", "run_p95", "delay_p95")
    table = Table(
        [Column(names[0]), *(Column(name, "count") for name in names[1:])], [["2026-11-24 03:05", *[7] * 4]]
    )
    file = io.StringIO()
    console = Console(file=file, width=30)
    console.print(grid(table, console))
    text = file.getvalue()
    assert "…" not in text
    assert "03:05" in text
    assert "no room for delay p95" in text
