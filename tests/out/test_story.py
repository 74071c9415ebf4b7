"""One job's story: its events, its lines, its tracebacks, from logs of every kind of process."""

import gzip
import json
import re
from functools import cache
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from logparse.lifecycle.event import Event
from logparse.out.selection import Selection
from logparse.out.story import Stories, Story
from logparse.out.story_json import stories_json
from logparse.out.terminal.story import show, show_candidates
from logparse.pipe import Pipe
from logparse.source.chunk import Chunk

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
UUID = "8eb07891-f7d0-4a19-8a53-3ffa1694941e"
OTHER = "8eb07891-0000-4a19-8a53-3ffa1694941e"
RUNNER = "odoo.addons.queue_job.jobrunner.runner"
CONTROLLER = "odoo.addons.queue_job.controllers.main"
EVERYTHING = Selection()


@cache
def text_of(folder: str) -> str:
    (path,) = (FIXTURES / folder).glob("odoo.log*")
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode(errors="replace")


def told(text: str, prefix: str, selection: Selection = EVERYTHING) -> tuple[Stories, Pipe]:
    pipe, stories = Pipe(), Stories(prefix, selection)
    pipe.tap = stories
    pipe.feed(Chunk("odoo.log", 0, text.encode(), last=True))
    pipe.finish()
    return stories, pipe


def story(text: str, uuid: str, selection: Selection = EVERYTHING) -> Story:
    stories, pipe = told(text, uuid, selection)
    (one,) = stories.stories(uuid, pipe)
    return one


def words(one: Story) -> list[str]:
    return [step.event.event for step in one.steps if step.event is not None]


def line(second: float, pid: int, level: str, db: str, logger: str, message: str, *more: str) -> str:
    time = f"2026-11-24 03:{int(second) // 60:02d}:{int(second) % 60:02d},{round(second % 1 * 1000):03d}"
    return "\n".join([f"{time} {pid} {level} {db} {logger}: {message} ", *more]) + "\n"


def asking(second: float, uuid: str = UUID, db: str = "prod") -> str:
    return line(second, 7, "INFO", "?", RUNNER, f"asking Odoo to run job {uuid} on db {db}")


def answer(second: float, pid: int, status: int, took: float, uuid: str = UUID, db: str = "prod") -> str:
    request = (
        f'"GET /queue_job/runjob?db={db}&job_uuid={uuid} HTTP/1.1" {status} - 13 0.010 {took - 0.01:.3f}'
    )
    return (
        line(second, pid, "INFO", db, "werkzeug", f"127.0.0.1 - - [24/Nov/2026 03:00:00] {request}")[:-2]
        + "\n"
    )


def trace(second: float, pid: int, exception: str) -> str:
    body = ('  File "/opt/odoo/queue_job/controllers/main.py", line 1, in runjob', "    ...", exception, " ")
    return line(second, pid, "ERROR", "prod", CONTROLLER, "Traceback (most recent call last):", *body)


def test_every_line_of_a_real_job_is_in_its_story() -> None:
    text = text_of("16.0-w2-debug")
    (uuid,) = set(re.findall(r"<Job (\S+), priority:\d+> OperationalError, postponed", text))
    found = story(text, uuid)
    own = re.compile(rf"^2026-\S+ \S+ \d+ [A-Z]+ \S+ \S+: .*{uuid}", re.MULTILINE)
    offsets = [len(text[: m.start()].encode()) for m in own.finditer(text)]
    shown = [step.line.offset for step in found.steps if step.line is not None]
    assert sorted(shown) == offsets  # each of them, and once
    assert [step.time for step in found.steps] == sorted(step.time for step in found.steps)
    assert words(found)[:4] == ["queued", "dispatched", "started", "retried"]
    assert (found.outcome, found.state, found.attempts) == ("done", None, 2)


@pytest.mark.parametrize("folder", ["16.0-w2-info", "12.0-w2-info", "18.0-w2-2db-info"])
def test_in_prefork_every_failure_has_its_own_traceback(folder: str) -> None:
    """The traceback that stands before the job's answer, in the same process, without another one between."""
    text = text_of(folder)
    answers = re.finditer(
        r"^2026-\S+ \S+ (\d+) INFO \S+ werkzeug: .*runjob\?db=(\S+)&job_uuid=(\S+) HTTP/1\.1\" [45]\d\d ",
        text,
        re.MULTILINE,
    )
    checked = 0
    for found in list(answers)[::6]:
        pid, db, uuid = found.groups()
        before = [
            m.start()
            for m in re.finditer(
                rf"^2026-\S+ \S+ {pid} ERROR \S+ {CONTROLLER}: Traceback", text, re.MULTILINE
            )
            if m.start() < found.start()
        ]
        stories, pipe = told(text, uuid)
        (one,) = (one for one in stories.stories(uuid, pipe) if one.db == db)
        place = len(text[: found.start()].encode())
        (step,) = (s for s in one.steps if s.event and s.event.event == "failed" and s.event.offset == place)
        assert step.trace is not None
        assert step.trace.offset == len(text[: before[-1]].encode())
        checked += 1
    assert checked >= 7


def test_threaded_failures_of_one_kind_at_once_leave_it_open() -> None:
    text = (
        line(
            0,
            5,
            "INFO",
            "?",
            "odoo.addons.queue_job.jobrunner",
            "starting jobrunner thread (in threaded server)",
        )
        + asking(1).replace(" 7 ", " 5 ")
        + asking(1.1, OTHER).replace(" 7 ", " 5 ")
        + trace(2, 5, "ValueError: one")
        + trace(2.1, 5, "ValueError: two")
        + answer(2.2, 5, 500, 1.1)
        + answer(2.3, 5, 500, 1.1, OTHER)
    )
    found = story(text, UUID)
    (failed,) = (step for step in found.steps if step.event and step.event.event == "failed")
    assert failed.trace is None
    assert {one.text.rpartition(": ")[2] for one in failed.maybe} == {"one", "two"}
    different = story(text.replace("ValueError: two", "KeyError: two"), UUID)
    (failed,) = (step for step in different.steps if step.event and step.event.event == "failed")
    assert failed.trace is None


def test_threaded_failure_alone_has_its_traceback() -> None:
    text = (
        line(
            0,
            5,
            "INFO",
            "?",
            "odoo.addons.queue_job.jobrunner",
            "starting jobrunner thread (in threaded server)",
        )
        + asking(1).replace(" 7 ", " 5 ")
        + trace(2, 5, "ValueError: mine")
        + answer(2.2, 5, 500, 1.1)
    )
    (failed,) = (step for step in story(text, UUID).steps if step.event and step.event.event == "failed")
    assert failed.trace is not None
    assert failed.trace.text.endswith("ValueError: mine")


def test_a_traceback_before_the_attempt_is_not_its_own() -> None:
    text = asking(1, OTHER) + trace(1.5, 9, "ValueError: of the other") + answer(1.6, 9, 500, 0.5, OTHER)
    text += asking(10) + answer(12, 9, 500, 1.9)
    (failed,) = (
        step for step in story(text, UUID).steps if step.event and step.event.event in ("failed", "lost")
    )
    assert failed.trace is None
    assert failed.maybe == ()


def test_a_failure_without_a_traceback_is_not_given_that_of_another_process() -> None:
    text = (
        asking(1)
        + asking(1, OTHER)
        + trace(1.5, 8, "ValueError: of the other")
        + answer(1.6, 8, 500, 0.5, OTHER)
    )
    text += line(1.7, 9, "ERROR", "prod", "odoo.http", "Exception during request handling.", "ValueError: x")
    text += answer(1.8, 9, 500, 0.7)
    (ended,) = (
        step for step in story(text, UUID).steps if step.event and step.event.event in ("failed", "lost")
    )
    assert ended.trace is None
    assert ended.maybe == ()


def test_at_warning_the_tracebacks_that_fit_are_named() -> None:
    error = (
        "Traceback (most recent call last):",
        "requests.exceptions.HTTPError: 500 Server Error: X for url: y",
    )
    url = f"exception in GET http://localhost/queue_job/runjob?db=prod&job_uuid={UUID}"
    text = trace(1.5, 8, "ValueError: x") + trace(1.6, 9, "ValueError: y")
    text += line(1.7, 7, "ERROR", "?", RUNNER, url, *error)
    (failed,) = (step for step in story(text, UUID).steps if step.event and step.event.event == "failed")
    assert failed.trace is None
    assert [one.pid for one in failed.maybe] == [8, 9]
    assert "one of those at odoo.log:0, odoo.log:" in " ".join(shown(text, UUID).split())


def test_what_is_open() -> None:
    one = story(asking(1), UUID)
    assert (one.state, one.since, one.outcome) == ("dispatched", one.steps[0].time, None)


def test_what_is_open_since_after_the_span_is_not_told() -> None:
    text = asking(1) + answer(1.6, 9, 500, 0.5) + asking(100)
    whole = story(text, UUID)
    assert (whole.outcome, whole.state, whole.outside) == (None, "dispatched", 0)
    assert whole.since is not None
    before = story(text, UUID, Selection(end_ms=whole.since))
    assert (before.outcome, before.state, before.since, before.outside) == ("failed", None, None, 1)
    after = story(text, UUID, Selection(start_ms=whole.since))
    assert (after.outcome, after.state, after.attempts, after.outside) == (None, "dispatched", 0, 2)
    assert after.db == "prod"


def test_a_second_failure_after_a_first_one_counts() -> None:
    text = (
        asking(1)
        + trace(1.5, 9, "ValueError: x")
        + answer(1.6, 9, 500, 0.5)
        + asking(30)
        + answer(31, 9, 200, 0.5)
    )
    one = story(text, UUID)
    assert one.outcome == "done"
    assert one.attempts == 2


def test_cloned_databases_have_a_story_each() -> None:
    text = (
        asking(1, db="a")
        + answer(2, 9, 200, 0.5, db="a")
        + asking(3, db="b")
        + answer(4, 9, 200, 0.5, db="b")
    )
    stories, pipe = told(text, UUID)
    one, other = stories.stories(UUID, pipe)
    assert (one.db, other.db) == ("a", "b")
    assert all(step.line is None or step.line.db == "a" for step in one.steps)
    assert [step.line.offset for step in other.steps if step.line] == [
        len((asking(1, db="a") + answer(2, 9, 200, 0.5, db="a")).encode()),
        len((asking(1, db="a") + answer(2, 9, 200, 0.5, db="a") + asking(3, db="b")).encode()),
    ]


def test_a_line_that_is_not_believed_says_so() -> None:
    text = line(0, 7, "INFO", "?", RUNNER, "starting")
    text += line(0.1, 9, "INFO", "?", "odoo.service.server", "Worker WorkerHTTP (9) alive")
    text += asking(1) + asking(2).replace(" 7 INFO", " 9 INFO") + answer(3, 9, 200, 1.9)
    one = story(text, UUID)
    assert [step.line.believed for step in one.steps if step.line] == [True, False, True]
    assert words(one) == ["dispatched", "started", "done"]


def test_candidates_of_a_beginning() -> None:
    text = asking(1) + answer(2, 9, 200, 0.5) + asking(3, OTHER) + asking(4, "11111111" + UUID[8:])
    stories, _ = told(text, "8eb0")
    found = stories.candidates()
    assert [one.uuid for one in found] == [UUID, OTHER]
    assert [one.last.event for one in found if one.last] == ["done", "dispatched"]
    out = StringIO()
    show_candidates(found, Console(file=out, width=100))
    assert UUID in out.getvalue()
    assert told(text, "9999")[0].candidates() == []


def test_it_is_bounded() -> None:
    many = "".join(asking(1 + number / 1000) for number in range(5_200))
    one = story(many, UUID)
    assert one.left_out == 200
    assert sum(step.line is not None for step in one.steps) == 5_000
    names = "".join(asking(1 + number / 1000, f"aaaa{number:04x}{UUID[8:]}") for number in range(1_100))
    stories, pipe = told(names, "aaaa")
    assert len(stories.candidates()) == 1_000
    assert stories.stories(f"aaaa{1000:04x}{UUID[8:]}", pipe) == []


def shown(text: str, uuid: str, *, width: int = 80, full: bool = False) -> str:
    out = StringIO()
    show([story(text, uuid)], Console(file=out, width=width), full=full)
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 80, 140])
def test_it_fits_the_terminal(width: int) -> None:
    text = text_of("18.0-w2-dead-info")
    (uuid, *_) = re.findall(r"Re-queued dead job with uuid: (\S+)", text)
    lines = shown(text, uuid, width=width).split("\n")
    assert max(map(len, lines)) <= width
    assert sum("dispatched" in one for one in lines) == len(re.findall(rf"run job {uuid}", text))


def test_long_records_are_shortened_unless_in_full() -> None:
    text = text_of("18.0-w2-dead-info")
    (uuid, *_) = re.findall(r"Re-queued dead job with uuid: (\S+)", text)
    short, full = shown(text, uuid), shown(text, uuid, full=True)
    assert "RemoteDisconnected" in short  # the last line of the runner's own traceback
    assert "http.client.RemoteDisconnected" not in short
    assert "http.client.RemoteDisconnected" in full
    assert "--full" in short
    assert "--full" not in full


def test_the_log_cannot_drive_the_terminal() -> None:
    evil = "ValueError: \x1b]0;pwned\x07\x1b[2J [red]not markup[/red] \u202egnp.exe \x9b31m"
    text = asking(1) + trace(1.5, 9, evil) + answer(1.6, 9, 500, 0.5)
    out = shown(text, UUID)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out)
    assert "[red]not markup[/red]" in out


def test_as_json() -> None:
    text = asking(1) + trace(1.5, 9, "ValueError: x") + answer(1.6, 9, 500, 0.5)
    stories, pipe = told(text, UUID)
    (job,) = json.loads(json.dumps(stories_json(stories.stories(UUID, pipe))))["jobs"]
    assert (job["uuid"], job["db"], job["outcome"], job["state"]) == (UUID, "prod", "failed", None)
    last = job["steps"][-1]
    assert last["event"]["event"] == "failed"
    assert last["event"]["ts"] == last["ts"] == "2026-11-24T03:00:01.600+00:00"
    assert last["record"]["offset"] == len((asking(1) + trace(1.5, 9, "ValueError: x")).encode())
    assert last["traceback"]["text"].endswith("ValueError: x")
    assert last["traceback"]["pid"] == 9


def test_an_event_of_another_job_is_left_out() -> None:
    stories = Stories("8eb0")
    stories.add(Event(1, "done", "prod", "11111111" + UUID[8:]))
    stories.add(Event(1, "server_started"))
    assert stories.candidates() == []
