"""What a log is, and that what is not understood is told without what may be personal."""

import gzip
import io
import re
from functools import cache
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from logparse.out.check import Check, Inspection, redacted
from logparse.out.sink import Source
from logparse.out.terminal.check import show
from logparse.pipe import Pipe
from logparse.source.chunk import Chunk

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
UUID = "8eb07891-f7d0-4a19-8a53-3ffa1694941e"


@cache
def text_of(folder: str) -> str:
    (path,) = [*(FIXTURES / folder).glob("odoo.log*"), *(FIXTURES / folder).glob("pty-capture.log")]
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode(errors="replace")


def checked(text: str, *, with_text: bool = False) -> Check:
    pipe, inspection = Pipe(), Inspection(with_text=with_text)
    pipe.tap = inspection.tap
    inspection.open(Source(pipe, ["odoo.log"]))
    inspection.add(pipe.feed(Chunk("odoo.log", 0, text.encode(), last=True)))
    inspection.add(pipe.finish())
    return inspection.result()


@cache
def check_of(folder: str) -> Check:
    return checked(text_of(folder))


def shown(check: Check, width: int = 80) -> str:
    file = io.StringIO()
    show(check, Console(file=file, width=width))
    return file.getvalue()


def kinds(check: Check) -> list[str]:
    return [one.kind for one in check.problems if one.fails]


@pytest.mark.parametrize("folder", ["12.0-w2-info", "14.0-w0-debug", "16.0-w2-debug", "18.0-w2-2db-info"])
def test_a_good_log_is_fine(folder: str) -> None:
    check = check_of(folder)
    assert check.ok
    assert check.problems == []
    assert check.odoo == [folder[:4]]
    assert check.unmatched == []
    assert "Fine" in shown(check)


@pytest.mark.parametrize(
    ("folder", "word"),
    [("16.0-werkzeug-silenced-info", "werkzeug"), ("17.0-w2-warn", "level"), ("17.0-w2-badport", "PORT")],
)
def test_a_log_that_is_blind_to_outcomes_fails(folder: str, word: str) -> None:
    check = check_of(folder)
    assert not check.ok
    assert kinds(check) == ["blind"]
    assert word in check.problems[0].text


def test_levels_are_those_of_the_recognised_records() -> None:
    text, check = text_of("16.0-w2-info"), check_of("16.0-w2-info")
    assert check.levels["WARNING"] == text.count("Re-queued dead job")
    assert "DEBUG" not in check.levels
    assert check.recognised["runner.asking"] == len(
        re.findall(r"^2026-\S+ \S+ \d+ INFO \? \S+\.runner: asking Odoo", text, re.MULTILINE)
    )
    assert sum(check.levels.values()) == sum(check.recognised.values())


def test_process_model_and_runners() -> None:
    text, check = text_of("16.0-w2-info"), check_of("16.0-w2-info")
    asking = re.findall(r"^2026-\S+ \S+ (\d+) INFO \? \S+\.runner: asking Odoo", text, re.MULTILINE)
    assert check.processes.model == "prefork"
    assert {one.pid: one.dispatches for one in check.processes.runners} == {
        int(pid): asking.count(pid) for pid in set(asking)
    }
    answers = re.findall(r"^2026-\S+ \S+ (\d+) INFO \S+ werkzeug: .*runjob", text, re.MULTILINE)
    assert check.processes.workers == len(set(answers))
    assert check_of("16.0-w0-info").processes.model == "threaded"
    assert check_of("14.0-w0-debug").processes.model == "threaded"


def test_databases() -> None:
    text, check = text_of("18.0-w2-2db-info"), check_of("18.0-w2-2db-info")
    asked = re.findall(r"^2026-.*\.runner: asking Odoo to run job \S+ on db (\S+)", text, re.MULTILINE)
    assert {one.db: one.dispatches for one in check.databases} == {db: asked.count(db) for db in set(asked)}
    assert len(check.databases) == 2


def test_colours_and_line_ends() -> None:
    pty, plain = check_of("17.0-w0-pty"), check_of("16.0-w2-info")
    assert (pty.colours, pty.crlf) == (True, True)
    assert (plain.colours, plain.crlf) == (False, False)
    assert [one.around for one in plain.shapes] == [[]]
    assert "some with colours" in shown(pty)


def test_the_release_is_bounded_by_the_lines() -> None:
    """`max capacity of … reached` is written from 18.0.4.0.0 on (runner.max_capacity in patterns/)."""
    text = text_of("18.0-w2-debug")
    found = check_of("18.0-w2-debug").queue_job
    assert found is not None
    assert (found.first, found.last) == ("18.0.4.0.0", None)
    without = "".join(line for line in text.splitlines(keepends=True) if "max capacity" not in line)
    earlier = checked(without).queue_job
    assert earlier is not None
    assert earlier.first is not None
    assert [int(part) for part in earlier.first.split(".")] < [18, 0, 4, 0, 0]


def test_the_release_has_an_upper_bound_where_lines_went_away() -> None:
    """`enqueued … with uuid` is written up to 12.0.3.1.3 (job.enqueued in patterns/)."""
    found = check_of("12.0-qj12.0.1.1.2-w2-debug").queue_job
    assert found is not None
    assert found.last is not None
    assert [int(part) for part in found.last.split(".")] <= [12, 0, 3, 1, 3]


def unknown(message: str, logger: str = "odoo.addons.queue_job.controllers.main") -> str:
    return f"2026-11-24 03:06:30,770 2551 WARNING prod {logger}: {message} \n"


def test_unmatched_records_are_told_without_their_text() -> None:
    text = text_of("16.0-w2-info") + unknown(f"Job {UUID} was eaten by Jane Doe <jane@example.com>")
    check = checked(text)
    assert kinds(check) == ["unmatched"]
    (found,) = check.unmatched
    assert (found.logger, found.count) == ("odoo.addons.queue_job.controllers.main", 1)
    (sample,) = found.samples
    assert sample.text == f"Job {UUID} was …"
    assert sample.offset == len(text_of("16.0-w2-info").encode())
    out = shown(check)
    assert UUID in out
    assert "jane" not in out.lower()
    assert b"jane" not in msgspec.json.encode(check).lower()


def test_unmatched_records_with_their_text_where_asked_for() -> None:
    text = unknown("Job eaten by Jane \x1b[31mDoe")
    (found,) = checked(text, with_text=True).unmatched
    assert found.samples[0].text.startswith("Job eaten by Jane ")
    assert "\x1b" not in shown(checked(text, with_text=True))


def test_samples_are_few_and_differ() -> None:
    words = ("alpha", "beta", "gamma", "delta")
    text = "".join(unknown(f"new {words[number % 4]} thing") for number in range(40))
    (found,) = checked(text).unmatched
    assert found.count == 40
    assert [one.text for one in found.samples] == ["new alpha thing", "new beta thing", "new gamma thing"]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("one two three four", "one two three …"),
        ("Job done", "Job done"),
        (f"uuid {UUID} done for 12 of 13 {UUID}", f"uuid {UUID} done … {UUID}"),
        ("jane@example.com paid 12.50", "… paid …"),
        ("", ""),
        (f"x{'y' * 50} is long", "… is long"),
        ("ключ = значение", "…"),
    ],
)
def test_redaction(message: str, text: str) -> None:
    assert redacted(message) == text


def test_what_is_not_believed_is_explained() -> None:
    check = check_of("16.0-w2-info")
    assert check.input.rejected["inside"] > 0
    assert "they stand inside the message of another record" in shown(check)


def test_the_settings_are_given_for_both_ways_of_configuring_and_can_be_copied() -> None:
    out = shown(check_of("16.0-w2-info"), 60)
    assert "\n  --log-handler=odoo.addons.queue_job.jobrunner.channels:DEBUG\n" in out
    assert (
        "\n  log_handler = :INFO,odoo.addons.queue_job.jobrunner.channels:DEBUG,"
        "odoo.addons.queue_job.controllers.main:DEBUG\n"
    ) in out
    assert "What would show more" not in shown(check_of("16.0-w2-debug"))


@pytest.mark.parametrize("width", [60, 80, 140])
def test_it_fits_but_for_the_settings(width: int) -> None:
    for folder in ("16.0-w2-info", "17.0-w2-warn", "12.0-w2-info"):
        lines = shown(check_of(folder), width).split("\n")
        assert max(len(line) for line in lines if not re.match(r"  (--|log_)", line)) <= width


def test_an_empty_log() -> None:
    check = checked("")
    assert check.ok
    assert shown(check).startswith("The log is empty.")


def test_a_log_without_queue_job() -> None:
    check = checked("2026-11-24 03:00:18,770 2 INFO prod odoo.modules.loading: Modules loaded. \n")
    assert check.ok
    assert "No line of queue_job" in shown(check)


def test_bytes_that_are_not_utf_8_are_noted_and_no_failure() -> None:
    data = unknown("x").replace("x", "Ü").replace("WARNING", "INFO").encode("latin-1")
    pipe, inspection = Pipe(), Inspection()
    pipe.tap = inspection.tap
    inspection.open(Source(pipe, []))
    pipe.feed(Chunk("odoo.log", 0, data, last=True))
    check = inspection.result()
    assert [(one.kind, one.fails) for one in check.problems] == [("unmatched", True), ("utf8", False)]


def test_it_is_json() -> None:
    check = check_of("16.0-w2-debug")
    assert msgspec.json.decode(msgspec.json.encode(check), type=Check) == check
