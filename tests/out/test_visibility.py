"""What a log can show: by its level, by what is silenced, by its version."""

import gzip
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from logparse.lifecycle.event import JOB_EVENTS, Event
from logparse.out.visibility import visibility
from logparse.out.visible import MEASURES, Visibility
from logparse.pipe import Pipe
from logparse.source.chunk import Chunk

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
CHANNELS = "--log-handler=odoo.addons.queue_job.jobrunner.channels:DEBUG"
CONTROLLERS = "--log-handler=odoo.addons.queue_job.controllers.main:DEBUG"
WERKZEUG = "--log-handler=werkzeug:INFO"
UUID = "8eb07891-f7d0-4a19-8a53-3ffa1694941e"


@cache
def text_of(folder: str) -> str:
    (path,) = (FIXTURES / folder).glob("odoo.log*")
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode(errors="replace")


@cache
def seen(text: str) -> Visibility:
    pipe = Pipe()
    outputs = [*pipe.feed(Chunk("odoo.log", 0, text.encode(), last=True)), *pipe.finish()]
    told = Counter(output.event for output in outputs if isinstance(output, Event))
    return visibility(pipe, told)


def hidden(visibility: Visibility) -> set[str]:
    return {one.what for one in visibility.items if one.shown == "no"}


def option(visibility: Visibility, what: str) -> str | None:
    setting = visibility[what].setting
    return setting.option if setting is not None else None


@pytest.mark.parametrize(
    "text", ["", *(text_of(folder) for folder in ("16.0-w2-info", "16.0-w2-debug", "17.0-w2-warn"))]
)
def test_everything_is_judged_once(text: str) -> None:
    items = seen(text).items
    assert [one.what for one in items] == [*JOB_EVENTS, *MEASURES]
    assert all(one.why and not one.why.endswith(".") for one in items)


def test_debug_shows_all_that_is_ever_logged() -> None:
    found = seen(text_of("16.0-w2-debug"))
    assert found.level == "debug"
    assert found.blind is None
    assert hidden(found) == {"cancelled"}
    assert all(found[word].shown == "yes" for word in ("queued", "started", "done", "failed", "retried"))
    assert all(one.setting is None for one in found.items)


def test_info_infers_what_debug_observes() -> None:
    found = seen(text_of("16.0-w2-info"))
    assert found.level == "info"
    assert found.blind is None
    assert hidden(found) == {"queued", "queue_wait", "channel", "cancelled"}
    assert {word for word in JOB_EVENTS if found[word].shown == "inferred"} == {
        "started",
        "done",
        "retried",
        "lost",
    }
    assert {option(found, what) for what in ("queued", "queue_wait", "channel", "requeued")} == {CHANNELS}
    assert {option(found, what) for what in ("started", "done", "retried")} == {CONTROLLERS}
    setting = found["queued"].setting
    assert setting is not None
    assert setting.conf == "log_handler = :INFO,odoo.addons.queue_job.jobrunner.channels:DEBUG"


def test_one_of_the_two_loggers_at_debug() -> None:
    lines = text_of("16.0-w2-debug").splitlines(keepends=True)
    channels = seen("".join(line for line in lines if "controllers.main: <Job" not in line))
    assert (channels.level, channels["queued"].shown, channels["done"].shown) == (
        "partly debug",
        "yes",
        "inferred",
    )
    controllers = seen("".join(line for line in lines if "jobrunner.channels: " not in line))
    assert (controllers.level, controllers["queued"].shown) == ("partly debug", "no")
    assert controllers["done"].shown == "yes"


def test_cancelled_shows_only_where_queue_job_logs_it() -> None:
    assert seen(text_of("12.0-w2-info"))["cancelled"].shown == "yes"
    assert seen(text_of("12.0-w2-info"))["queued"].shown == "partly"  # `unknown channel` names some


def test_silenced_werkzeug_is_blind_to_outcomes() -> None:
    found = seen(text_of("16.0-werkzeug-silenced-info"))
    assert found.blind is not None
    assert "werkzeug" in found.blind
    assert "300 dispatches" in found.blind
    assert {"done", "retried", "duration", "dispatch_delay"} <= hidden(found)
    assert found["failed"].shown == "partly"
    assert option(found, "done") == option(found, "duration") == WERKZEUG


def test_werkzeug_silenced_for_a_part_of_the_log() -> None:
    text = text_of("16.0-w2-info")
    half = len(text) // 3
    rest = "".join(line for line in text[half:].splitlines(keepends=True) if " werkzeug: " not in line)
    found = seen(text[:half] + rest)
    assert found.blind is not None
    assert "werkzeug" in found.blind
    assert found["done"].shown == "partly"
    assert not found.shows("done")


def test_debug_without_access_lines_is_not_blind() -> None:
    lines = text_of("16.0-w2-debug").splitlines(keepends=True)
    found = seen("".join(line for line in lines if " werkzeug: " not in line))
    assert found.blind is None
    assert found["done"].shown == "yes"
    assert found["failed"].shown != "no"


def test_an_addon_that_removes_dispatches_and_successes() -> None:
    lines = text_of("16.0-w2-info").splitlines(keepends=True)
    silent = re.compile(r'runner: asking Odoo|/queue_job/runjob\S+ HTTP/1.1" 200 ')
    found = seen("".join(line for line in lines if not silent.search(line)))
    assert found.blind is not None
    assert "add-on" in found.blind
    assert {"dispatched", "done", "retried", "started"} <= hidden(found)
    assert found["failed"].shown == "yes"


def test_a_runner_that_logs_elsewhere() -> None:
    lines = text_of("16.0-w2-info").splitlines(keepends=True)
    found = seen("".join(line for line in lines if ".jobrunner" not in line))
    assert found.blind is None
    assert found["dispatched"].shown == "no"
    assert "elsewhere" in found["dispatched"].why
    assert found["done"].shown == "inferred"


def test_workers_that_log_elsewhere() -> None:
    lines = [line for line in text_of("16.0-w2-info").splitlines(keepends=True) if "runner: asking" in line]
    found = seen("".join(lines))
    assert found.blind is not None
    assert "another log" in found.blind


def test_requests_that_do_not_arrive() -> None:
    found = seen(text_of("17.0-w2-badport"))
    assert found.blind is not None
    assert "ODOO_QUEUE_JOB_PORT" in found.blind
    assert found["failed"].shown == "no"
    assert option(found, "duration") is None


def test_warning_shows_failures_that_name_their_job() -> None:
    found = seen(text_of("17.0-w2-warn"))
    assert found.level == "warning"
    assert found.blind is not None
    assert "level" in found.blind
    assert found["failed"].shown == "partly"
    assert option(found, "dispatched") == option(found, "done") == "--log-level=info"
    assert not found.shows("lost")


def test_nothing_known_of_an_empty_log() -> None:
    found = seen("")
    assert found.level is None
    assert found.blind is None


def old_log(version: str) -> str:
    series = "OpenERP version" if version == "8.0" else "Odoo version"
    access = f'"GET /connector/runjob?db=prod&job_uuid={UUID} HTTP/1.1" 200 -'
    return (
        f"2015-11-24 03:00:10,000 70 INFO ? openerp: {series} {version} \n"
        "2015-11-24 03:00:11,000 70 INFO ? openerp.addons.connector.jobrunner.runner: starting \n"
        "2015-11-24 03:00:12,000 70 INFO ? openerp.addons.connector.jobrunner.runner: "
        f"asking Odoo to run job {UUID} on db prod \n"
        f"2015-11-24 03:00:13,000 71 INFO prod werkzeug: 127.0.0.1 - - [24/Nov/2015 03:00:13] {access} \n"
    ).replace(" \n", "\n")


@pytest.mark.parametrize("version", ["8.0", "9.0"])
def test_before_odoo_10_the_loggers_are_those_of_connector(version: str) -> None:
    found = seen(old_log(version))
    assert option(found, "queued") == "--log-handler=openerp.addons.connector.jobrunner.channels:DEBUG"
    assert option(found, "started") == "--log-handler=openerp.addons.connector.controllers.main:DEBUG"


def test_before_odoo_12_no_duration_is_logged() -> None:
    found = seen(old_log("8.0"))
    assert found["done"].shown == "inferred"
    assert {"duration", "dispatch_delay"} <= hidden(found)
    assert seen(text_of("12.0-w2-info"))["duration"].shown == "yes"


def cron_log(*, debug: bool) -> str:
    logger = "odoo.addons.queue_job_cron_jobrunner.models.queue_job"
    lines = [f"DEBUG prod {logger}: {UUID} started"] if debug else []
    lines += [f"ERROR prod {logger}: Traceback (most recent call last):"]
    start = "".join(f"2026-11-24 03:00:1{number},000 70 {line} \n" for number, line in enumerate(lines))
    return (
        f"2026-11-24 03:00:01,000 7 INFO ? odoo: Odoo version 18.0 \n{start}"
        '  File "/opt/odoo/queue_job_cron_jobrunner/models/queue_job.py", line 1, in _process\n'
        "ValueError: x\n \n"
    )


def test_jobs_that_cron_runs() -> None:
    found = seen(cron_log(debug=True))
    assert (found.level, found.blind) == ("debug", None)
    assert found["started"].shown == "yes"
    assert found["done"].shown == "inferred"
    assert {"dispatched", "dispatch_delay", "refused", "runner"} <= hidden(found)
    assert [one.what for one in found.items] == [*JOB_EVENTS, *MEASURES]


def test_jobs_that_cron_runs_are_not_named_at_info() -> None:
    found = seen(cron_log(debug=False))
    assert found.blind is not None
    assert "cron" in found.blind
    assert option(found, "started") == "--log-handler=odoo.addons.queue_job_cron_jobrunner:DEBUG"
    assert not found.shows("failed")


def test_an_unknown_word_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        seen("")["finished"]
