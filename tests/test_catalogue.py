"""The catalogue of log lines: each has a sample in every series, and becomes the event that it should.

fixtures/catalogue/lines.json is what was read from the sources of Odoo, werkzeug and queue_job. What its
column `event` becomes is the design's table, here as the events that the pipe tells of a log with the line.
"""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from logparse.lifecycle.event import Event
from logparse.match.matcher import Matcher
from logparse.match.pattern import Pattern
from logparse.pipe import Pipe
from logparse.record.parse import parse_line
from logparse.source.chunk import Chunk
from tests import recorded

CATALOGUE = json.loads((Path(__file__).parent.parent / "fixtures/catalogue/lines.json").read_text())
UUID = "8eb07891-f7d0-4a19-8a53-3ffa1694941e"
# No line at all: an add-on that removes lines.
NO_LINE = {"addon.silenced"}
# The same line in colour, which is taken off before.
SAME_LINE = {"core.access.styled": "core.access.perf"}
SERIES = range(7, 20)


def series_of(entry: dict) -> list[int]:  # type: ignore[type-arg]
    """The series that write the line; all, where it is of no series."""
    numbers = {int(found[1]) for r in entry["ranges"] if (found := re.search(r"(\d+)\.0$", r["series"]))}
    return sorted(numbers) or list(SERIES)


def samples_of(entry_id: str) -> list[str]:
    pattern = recorded.patterns()[SAME_LINE.get(entry_id, entry_id)]
    return [sample.line for sample in pattern.samples]


def logger_of(line: str) -> str:
    record = parse_line(line)
    assert record is not None
    return record.logger


RANGES = [
    (entry["id"], number) for entry in CATALOGUE for number in series_of(entry) if entry["id"] not in NO_LINE
]


def exercised(entry_id: str, number: int) -> bool:
    """Whether a sample of the line's pattern is recognised as it in a log of this series."""
    matcher = Matcher(recorded.patterns(), f"{number}.0")
    wanted = SAME_LINE.get(entry_id, entry_id)
    pattern: Pattern = recorded.patterns()[wanted]
    if not pattern.covers(number):
        return False
    facts = [matcher(record) for line in samples_of(entry_id) if (record := parse_line(line)) is not None]
    return any(fact is not None and fact.pattern == wanted for fact in facts)


def test_every_line_of_every_series_is_exercised_by_a_sample() -> None:
    assert [item for item in RANGES if not exercised(*item)] == []
    assert len(RANGES) > 700


def test_a_line_without_a_sample_would_be_listed() -> None:
    assert not exercised("runner.reset_to_pending", 19)


def test_old_and_new_loggers_have_samples_where_both_write_the_line() -> None:
    """A pattern of connector and queue_job shows by its samples that it reads both."""
    missing = []
    for entry in CATALOGUE:
        if entry["id"] in NO_LINE or not entry["logger"].startswith(
            ("odoo.addons.queue_job", "openerp.addons")
        ):
            continue
        numbers = series_of(entry)
        loggers = {logger_of(line).partition(".")[0] for line in samples_of(entry["id"])}
        if min(numbers) < 10 and "openerp" not in loggers:
            missing.append((entry["id"], "before 10.0"))
        if max(numbers) >= 10 and "odoo" not in loggers:
            missing.append((entry["id"], "10.0 and later"))
    assert missing == []


# The design's table: what becomes of each word of the catalogue.


def line(level: str, pid: int, db: str, logger: str, message: str, second: int = 0) -> str:
    return f"2026-11-24 03:00:{second:02},000 {pid} {level} {db} {logger}: {message} "


MASTERS = {"core.version", "core.server_stop", "core.worker_timeout", "core.worker_timeout.8"}
RUNNER, WORKER, MASTER = 25516, 25509, 25498
RUNNERS = "odoo.addons.queue_job.jobrunner.runner"
BOOT = [
    line("INFO", MASTER, "?", "odoo", "Odoo version 17.0", 0),
    line("INFO", MASTER, "?", "odoo.service.server", "HTTP service (werkzeug) running on 127.0.0.1:8069", 0),
    line("INFO", WORKER, "prod", "odoo.service.server", f"Worker WorkerHTTP ({WORKER}) alive", 0),
    line("INFO", RUNNER, "prod", "odoo.service.server", f"Worker WorkerJobRunner ({RUNNER}) alive", 0),
    line("INFO", RUNNER, "?", RUNNERS, "starting", 1),
    line("INFO", RUNNER, "?", RUNNERS, "queue job runner ready for db prod", 1),
    line("INFO", RUNNER, "?", RUNNERS, "database connections ready", 1),
]
ASKED = line("INFO", RUNNER, "?", RUNNERS, f"asking Odoo to run job {UUID} on db prod", 5)
STARTED = line(
    "DEBUG", WORKER, "prod", "odoo.addons.queue_job.controllers.main", f"<Job {UUID}, priority:10> started", 6
)
ENDED = line(
    "INFO",
    WORKER,
    "prod",
    "werkzeug",
    f'127.0.0.1 - - [24/Nov/2026 03:00:19] "GET /queue_job/runjob?db=prod&job_uuid={UUID} HTTP/1.1" 500 - '
    "16 0.037 0.028",
    19,
).rstrip()


def told(lines: list[str]) -> list[Event]:
    pipe = Pipe(recorded.patterns())
    data = "".join(text + "\n" for text in lines).encode()
    out = [*pipe.feed(Chunk("odoo.log", 0, data, last=True)), *pipe.finish()]
    return [output for output in out if isinstance(output, Event)]


def in_context(entry: dict) -> str:  # type: ignore[type-arg]
    """The catalogue's example, at its time and by a process that can write it."""
    example = re.sub(r"^\S+ \S+ ", "2026-11-24 03:00:18,770 ", entry["example"])
    record = parse_line(example)
    assert record is not None
    pid = record.pid
    if entry["id"] in MASTERS:
        pid = MASTER
    elif ".jobrunner" in record.logger:
        pid = RUNNER
    elif record.logger == "werkzeug" or ".controllers." in record.logger:
        pid = WORKER
    # A real traceback has frames.
    example = example.replace(
        "last):\nValueError", 'last):\n  File "/opt/x.py", line 1, in f\n    f()\nValueError'
    )
    blank = " " if record.logger == "longpolling" else ""  # which the formatter of 12.0 and later puts there
    return example.replace(f" {record.pid} ", f" {pid} ", 1) + blank


def as_old(lines: list[str]) -> list[str]:
    """A log's lines as Odoo 8 writes them."""
    text = "\n".join(line.rstrip(" ") for line in lines)
    text = re.sub(r"(HTTP/1\.1\" \d+ -).*", r"\1", text)
    words = {
        "odoo.addons.queue_job": "openerp.addons.connector",
        " odoo.service": " openerp.service",
        " odoo: Odoo version 17.0": " openerp: OpenERP version 8.0",
        "queue job runner ready": "connector runner ready",
        "/queue_job/": "/connector/",
    }
    for new, old in words.items():
        text = text.replace(new, old)
    return text.split("\n") if text else []


def added(entry: dict, before: list[str], after: list[str]) -> list[str]:  # type: ignore[type-arg]
    """The words of the events that the line adds to a log, or changes in it."""
    example = in_context(entry)
    if (not example.endswith(" ") and not re.search(r"\d$", example)) or "openerp" in example:
        before, after = as_old(before), as_old(after)
    with_it = Counter(map(word, told([*before, example, *after])))
    return list((with_it - Counter(map(word, told([*before, *after])))).elements())


def word(event: Event) -> str:
    """What happened, and why."""
    why = event.exception or (event.reason if event.event == "requeued" else None)
    return f"{event.event} {why}" if why else event.event


# Word and confidence of the catalogue -> what stands before the line, what follows it, and what it adds.
ASKING, RUNNING = [*BOOT, ASKED], [*BOOT, ASKED, STARTED]
TABLE: dict[tuple[str, str], tuple[list[str], list[str], list[str]]] = {
    ("created", "proves"): (BOOT, [], ["queued"]),
    ("pending", "proves"): (BOOT, [], ["channel_state", "queued"]),
    ("pending", "implies"): (BOOT, [], ["queued"]),
    ("dispatched", "proves"): (BOOT, [], ["dispatched"]),
    ("dispatched", "hint"): (BOOT, [], []),
    ("started", "proves"): (ASKING, [], ["started"]),
    ("started", "hint"): (ASKING, [], []),
    ("done", "proves"): (RUNNING, [], ["done"]),
    ("failed", "implies"): (RUNNING, [ENDED], ["failed ValueError"]),
    ("failed", "proves"): (RUNNING, [ENDED], ["channel_state"]),
    ("failed", "hint"): (RUNNING, [], []),
    ("postponed", "proves"): (RUNNING, [], ["retried"]),
    ("postponed_concurrency", "proves"): (RUNNING, [], ["retried"]),
    ("postponed_concurrency", "hint"): (RUNNING, [], []),
    ("dispatch_reset", "proves"): (ASKING, [], ["requeued timeout"]),
    ("dead_requeued_or_failed", "proves"): (RUNNING, [], ["requeued dead"]),
    ("refused", "proves"): (ASKING, [], ["refused"]),
    ("cancelled", "proves"): (BOOT, [], ["cancelled"]),
    ("cancelled", "hint"): (BOOT, [], []),
    ("attempt_ended", "implies"): (ASKING, [], ["started", "done"]),
    ("dispatch_http_error", "implies"): (ASKING, [], []),
    ("dispatch_answered", "implies"): (ASKING, [], []),
    ("runner_start", "proves"): ([], [], ["runner_started"]),
    ("runner_start", "hint"): ([], [], []),
    ("runner_ready", "proves"): ([], [], ["runner_ready"]),
    ("runner_ready", "hint"): (BOOT, [], []),
    ("runner_stopping", "proves"): (BOOT, [], []),
    ("runner_stopped", "proves"): (BOOT, [], ["runner_stopped"]),
    ("runner_crash", "proves"): (BOOT, [], ["runner_error"]),
    ("runner_misconfigured", "proves"): (BOOT, [], ["runner_error"]),
    ("runner_standby", "proves"): (BOOT, [], ["runner_standby"]),
    ("runner_disabled", "proves"): ([], [], []),
    ("runner_heartbeat", "proves"): (BOOT, [], []),
    ("runner_misc", "hint"): (BOOT, [], []),
    ("channel_config", "proves"): (BOOT, [], ["channel_configured"]),
    ("channel_config", "hint"): (BOOT, [], []),
    ("running_in_channel", "implies"): (BOOT, [], ["channel_state"]),
    ("done_or_cancelled", "implies"): (BOOT, [], ["channel_state"]),
    ("rescheduled", "hint"): (BOOT, [], []),
    ("backpressure", "proves"): (BOOT, [], ["backpressure"]),
    ("worker_start", "proves"): ([], [], ["worker_started", "runner_started"]),
    ("worker_stop", "proves"): (BOOT, [], ["worker_stopped"]),
    ("worker_killed", "proves"): (BOOT, [], ["worker_killed"]),
    ("worker_killed", "implies"): (BOOT, [], ["worker_killed"]),
    ("worker_killed", "hint"): (BOOT, [], []),
    ("server_start", "proves"): ([], BOOT[1:2], ["server_started"]),
    ("server_start", "hint"): (BOOT, [], []),
    ("server_stop", "proves"): (BOOT, [], ["server_stopped"]),
    ("deps_check", "implies"): (RUNNING, [], []),
    ("deps_retry", "hint"): (RUNNING, [], []),
    ("deps_failed", "hint"): (RUNNING, [], []),
    ("duplicate_skipped", "proves"): (BOOT, [], []),
    ("executed_inline", "proves"): (BOOT, [], []),
    ("request_retried", "hint"): (RUNNING, [], []),
    ("manual_action", "hint"): (BOOT, [], []),
    ("deleted", "hint"): (BOOT, [], []),
    ("noise", "hint"): (BOOT, [], []),
}
# Lines that stand elsewhere than others of their word, or carry a channel's numbers besides.
CRON = "odoo.addons.queue_job_cron_jobrunner.models.queue_job"
CRON_RUNNING = [
    *BOOT[:2],
    line("INFO", 25515, "prod", "odoo.service.server", "Worker WorkerCron (25515) alive", 0),
    line("DEBUG", 25515, "prod", CRON, f"{UUID} started", 6),
]
POLLED = line(
    "DEBUG",
    RUNNER,
    "prod",
    "openerp.addons.connector.queue.worker",
    f"<Job {UUID}, priority:10> enqueued in <Worker 3c6f>",
    5,
)
EVENTED = line(
    "INFO", 25520, "?", "odoo.service.server", "Evented Service (longpolling) running on 127.0.0.1:8072", 1
)
ODD: dict[str, tuple[list[str], list[str], list[str]]] = {
    "channels.paused": (BOOT, [], ["backpressure", "channel_state"]),
    "channels.unpaused": (BOOT, [], ["backpressure", "channel_state"]),
    "channels.pausing": (BOOT, [], ["backpressure", "channel_state"]),
    "cronrunner.started": (CRON_RUNNING[:3], [], ["started"]),
    "cronrunner.op_error": (CRON_RUNNING, [], ["retried"]),
    "cronrunner.postponed": (CRON_RUNNING, [], ["retried"]),
    "cronrunner.traceback": (CRON_RUNNING, [BOOT[2].replace(":00,000", ":30,000")], ["failed ValueError"]),
    "cronrunner.depends": (CRON_RUNNING, [], ["done"]),
    "worker8.enqueued": (BOOT[:2], [POLLED.replace(UUID, UUID[::-1])], ["dispatched"]),
    "worker8.mislinked": ([*BOOT[:2], POLLED], [], ["requeued timeout"]),
    "core.access.styled": (ASKING, [], ["started", "failed"]),
    "core.access.gevent": ([*BOOT, EVENTED, ASKED], [], ["started", "done"]),
    "runner.db_ready": (BOOT[:-1], [], ["runner_ready"]),
}


def test_the_table_has_every_word_of_the_catalogue_and_no_other() -> None:
    words = {(entry["event"], entry["confidence"]) for entry in CATALOGUE if entry["id"] not in NO_LINE}
    assert words == TABLE.keys()


@pytest.mark.parametrize("entry", [e for e in CATALOGUE if e["id"] not in NO_LINE], ids=lambda e: e["id"])
def test_what_becomes_of_a_line(entry: dict) -> None:  # type: ignore[type-arg]
    before, after, expected = ODD.get(entry["id"]) or TABLE[entry["event"], entry["confidence"]]
    assert added(entry, before, after) == expected
