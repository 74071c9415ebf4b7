"""Groups and tables: what they add up, their bound, and the forms in which they are written."""

import csv
import io

import pytest

from logparse.lifecycle.event import Ended, Event, Output
from logparse.out import groups
from logparse.out.groups import Groups
from logparse.out.table import Column, Table, as_csv, as_markdown
from logparse.out.visible import Visibility, Visible

TS = 1_795_489_500_000  # 2026-11-24 03:05:00
HOUR = 3_600_000
SEES = Visibility(
    "info",
    None,
    tuple(
        Visible(word, "no" if word == "lost" else "yes", "")
        for word in ("done", "failed", "retried", "requeued", "lost")
    ),
)


def rows(found: Groups, most: int | None = None) -> list[dict[str, object]]:
    table = found.table(SEES, most)
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in table.rows]


def attempt(
    ts: int, word: str, job: str, channel: str, seconds: float, exception: str | None = None
) -> list[Output]:
    return [
        Event(ts, "started", "prod", job, 1, channel=channel, wait=0.5, pid=7),
        Ended(ts, "prod", channel, seconds, None, None),
        Event(ts, word, "prod", job, 1, channel=channel, duration=seconds, exception=exception, pid=7),
    ]


def filled(*names: str) -> Groups:
    found = Groups(names)
    for number in range(10):
        found.add(attempt(TS + number * HOUR // 2, "done", f"a{number}", "root", 1.0))
    found.add(attempt(TS, "failed", "b", "root.slow", 20.0, "ValueError"))
    found.add(attempt(TS, "failed", "b", "root.slow", 40.0, "KeyError"))
    return found


def test_by_channel() -> None:
    slow, root = sorted(rows(filled("channel")), key=lambda row: str(row["channel"]), reverse=True)
    assert (root["channel"], root["attempts"], root["done"], root["failed"]) == ("root", 10, 10, 0)
    assert (slow["attempts"], slow["failed"], slow["failed_share"], slow["run_max"]) == (2, 2, 1.0, 40.0)
    assert slow["delay_p95"] == 0.5


def test_by_hour_in_the_order_of_time() -> None:
    found = rows(filled("hour"))
    assert [row["hour"] for row in found] == [f"2026-11-24 0{hour}:00" for hour in (3, 4, 5, 6, 7)]
    assert [row["attempts"] for row in found] == [4, 2, 2, 2, 2]


def test_by_exception_only_failures() -> None:
    found = rows(filled("exception"))
    assert {(row["exception"], row["failed"], row["failed_share"]) for row in found} == {
        ("ValueError", 1, None),
        ("KeyError", 1, None),
    }


def test_a_failure_without_a_class_has_a_row_as_the_summary_names_it() -> None:
    found = filled("exception")
    found.add(attempt(TS, "failed", "c", "root", 1.0))
    found.add([Event(TS, "lost", "prod", "d", 1, reason="worker gone")])
    assert [(row["exception"], row["failed"]) for row in rows(found)] == [
        (None, 1),
        ("KeyError", 1),
        ("ValueError", 1),
    ]
    table = found.table(SEES)
    assert "| not certain, or not in the log | 1 |" in as_markdown(table)
    assert as_csv(table).splitlines()[1].startswith(",1,0,1,")


def test_what_is_requeued_or_lost_is_of_no_worker() -> None:
    found = filled("worker")
    found.add([Event(TS, "lost", "prod", "d", 1, reason="worker gone", pid=9)])
    found.add([Event(TS, "requeued", "prod", "e", None, reason="dead", pid=9)])
    found.add([Event(TS, "dispatched", "prod", "e", None, pid=9), Event(TS, "queued", "prod", "e", None)])
    known, unknown = rows(found)
    assert (known["worker"], known["failed"], known["requeued"], known["lost"]) == ("7", 2, None, None)
    assert (unknown["worker"], unknown["failed"], unknown["requeued"], unknown["lost"]) == (None, 0, 1, 1)


def test_by_job_and_worker() -> None:
    first = rows(filled("job"))[0]
    assert (first["job"], first["attempts"], first["run_max"]) == ("b", 2, 40.0)
    (worker,) = rows(filled("worker"))
    assert (worker["worker"], worker["attempts"]) == ("7", 12)


def test_by_two() -> None:
    assert len(rows(filled("clock", "channel"))) == 6


def test_what_is_not_visible_is_unknown() -> None:
    assert all(row["lost"] is None and row["retried"] == 0 for row in rows(filled("database")))


def test_the_most_are_kept_where_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MOST", 50)
    found = Groups(("job",))
    for number in range(500):
        found.add(attempt(TS, "done", f"{number}", "root", 1.0))
        if number % 5 == 0:
            found.add(attempt(TS, "retried", "busy", "root", 1.0))
    assert len(found.groups) <= 51
    assert found.groups["busy",].runs == 100
    assert sum(group.runs for group in found.groups.values()) == 600


def test_csv_is_read_back_and_no_formula() -> None:
    table = Table(
        [Column("name"), Column("n", "count"), Column("share", "share")],
        [["=cmd|' /C calc'!A0", 1, 0.25], ['a,"b"\nc', 1234, None], ["+1", 0, 0.1 + 0.2], [None, None, 1.0]],
    )
    read = list(csv.reader(io.StringIO(as_csv(table))))
    assert read[0] == ["name", "n", "share"]
    assert read[1] == ["'=cmd|' /C calc'!A0", "1", "0.25"]
    assert read[2] == ['a,"b"\\nc', "1234", ""]
    assert read[3] == ["'+1", "0", "0.3"]
    assert read[4] == ["", "", "1.0"]


def test_markdown_takes_nothing_for_a_mark() -> None:
    table = Table([Column("channel"), Column("n", "count")], [["root|<b>*x*`@me`[l](u)", 1]], 3)
    lines = as_markdown(table).split("\n")
    assert lines[:2] == ["| channel | n |", "|---|--:|"]
    assert lines[2] == r"| root\|&lt;b&gt;\*x\*\`&#64;me\`\[l\]\(u\) | 1 |"
    assert "and 3 more" in lines
