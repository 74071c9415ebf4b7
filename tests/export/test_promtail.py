"""Promtail's configuration: its shape, and what the pipeline makes of the recorded runs."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from logparse.export.files import generate
from tests import recorded
from tests.export.facts import RUNS, events, exported, facts, lines
from tests.export.pipeline import Entry, Run, selects

ROOT = Path(__file__).parent.parent.parent
SCHEMA = json.loads((Path(__file__).parent / "promtail.schema.json").read_text(encoding="utf-8"))
PREFIX = "odoo_queue_job_pipeline_"
UUID = "8eb07891-f7d0-4a19-8a53-3ffa1694941e"
RUNNER = "odoo.addons.queue_job.jobrunner.runner"
HEADER = "2026-11-24 03:00:18,771 7 DEBUG prod odoo.addons.queue_job.controllers.main:"
CONTROLLER = "odoo.addons.queue_job.controllers.main"

# Runs in which a pipeline counts more or fewer failures than logparse tells events, and why.
_NOT_EVENTS = {
    "failed": {
        "16.0-werkzeug-silenced-info": (49, 46),  # three tracebacks that no line ties to a job
        "17.0-w2-warn": (49, 46),  # the same
        "18.0-w2-dead-info": (2, 4),  # two failed by the runner, as dead jobs, without a traceback
    },
    "retried": {
        # This release of queue_job, unlike all others of 12.0, writes one line for a concurrency error.
        "12.0-qj12.0.1.1.2-w2-debug": (26, 28),
    },
}


@cache
def stages() -> list[dict[str, Any]]:
    config = yaml.safe_load((ROOT / "promtail" / "pipeline_stages.yaml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = config["pipeline_stages"]
    return found


@cache
def of(run: str) -> Run:
    return Run(stages(), lines(run), {"job": "odoo"})


def through(*text: str) -> Run:
    """A run of the pipeline over these lines."""
    return Run(stages(), [line for block in text for line in block.split("\n")], {"job": "odoo"})


@pytest.mark.parametrize("name", ["promtail", "stages"])
@pytest.mark.parametrize("http", [False, True])
def test_the_configuration_has_the_shape_that_promtail_reads(name: str, http: bool) -> None:
    config = yaml.safe_load(generate(name, recorded.patterns(), http=http))
    jsonschema.validate(config, {**SCHEMA, "$ref": f"#/$defs/{name}"})


def test_the_whole_configuration_has_the_same_pipeline() -> None:
    config = yaml.safe_load((ROOT / "promtail" / "promtail.yaml").read_text(encoding="utf-8"))
    (scrape,) = config["scrape_configs"]
    assert scrape["pipeline_stages"] == stages()
    (static,) = scrape["static_configs"]
    assert static["labels"] == {"job": "odoo", "__path__": "/var/log/odoo/odoo.log"}


def test_the_schema_refuses_what_promtail_refuses() -> None:
    config = yaml.safe_load(generate("stages", recorded.patterns()))
    for bad in (
        {"regexp": {"expression": "x"}},
        {"match": {"selector": '{a="1"}'}},
        {"metrics": {"x": {"type": "Counter", "config": {"action": "set"}}}},
        {"metrics": {"x": {"type": "Summary", "config": {}}}},
        {"multiline": {"first_line": "x"}},
        {"timestamp": {"source": "time"}},
        {"regex": {"expression": "x"}, "labels": {"a": "a"}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            broken = {"pipeline_stages": [*config["pipeline_stages"], bad]}
            jsonschema.validate(broken, {**SCHEMA, "$ref": "#/$defs/stages"})


def test_no_metric_is_defined_twice() -> None:
    found: list[str] = []

    def collect(nested: list[dict[str, Any]]) -> None:
        for stage in nested:
            for kind, config in stage.items():
                if kind == "metrics":
                    found.extend(config)
                if kind == "match":
                    collect(config["stages"])

    collect(yaml.safe_load(generate("stages", recorded.patterns(), http=True))["pipeline_stages"])
    assert sorted(found) == sorted(set(found))
    assert set(found) == {signal.metric for signal in exported()} | {
        "runjob_response_seconds",
        "http_requests_total",
        "http_request_seconds",
    }


@pytest.mark.parametrize("run", RUNS)
def test_it_counts_what_logparse_reads(run: str) -> None:
    counted = {signal.event: of(run).total(PREFIX + signal.metric) for signal in exported()}
    assert counted == {signal.event: facts(run).of[signal.event] for signal in exported()}


@pytest.mark.parametrize("run", RUNS)
def test_it_counts_dispatches_and_failures_as_logparse_tells_them(run: str) -> None:
    metrics = {"dispatched": "dispatched_total", "failed": "failed_total"}
    if recorded.is_debug(run):
        metrics |= {"started": "started_total", "done": "done_total", "retried": "retried_total"}
    for event, metric in metrics.items():
        counted = (of(run).total(PREFIX + metric), events(run)[event])
        if run in _NOT_EVENTS.get(event, {}):
            assert counted == _NOT_EVENTS[event][run], event
        else:
            assert counted[0] == counted[1], event


@pytest.mark.parametrize("run", RUNS)
def test_it_names_the_exception_of_every_failure(run: str) -> None:
    assert of(run).by(f"{PREFIX}failed_total", "exception") == facts(run).exceptions


def test_the_runs_show_something_of_every_event_but_what_they_lack() -> None:
    seen = {signal.event: sum(facts(run).of[signal.event] for run in RUNS) for signal in exported()}
    assert all(seen.values()), seen


@pytest.mark.parametrize("run", RUNS)
def test_labels_are_few_and_the_job_is_metadata(run: str) -> None:
    streams = {tuple(sorted(entry.labels.items())) for entry in of(run).entries}
    assert len(streams) < 40
    uuids = set()
    for entry in of(run).entries:
        assert entry.labels.keys() <= {"job", "level", "logger", "event", "db", "reason"}
        assert entry.labels["job"] == "odoo"
        if "event" in entry.labels:
            assert {"level", "logger"} <= entry.labels.keys()
            assert entry.metadata["pid"].isdigit()
            if entry.labels["event"] != "failed":
                uuids.add(entry.metadata["job_uuid"])
    assert uuids == facts(run).uuids


@pytest.mark.parametrize("run", RUNS)
def test_every_line_comes_through(run: str) -> None:
    given = "\n".join(lines(run))
    came = "\n".join(entry.line for entry in of(run).entries)
    if run == "17.0-w0-pty":  # lines about jobs lose their colours
        assert came.count("\n") == given.count("\n")
        return
    assert came == given


@pytest.mark.parametrize("run", ["16.0-w2-info", "18.0-w2-debug"])
def test_seconds_of_answers_are_those_of_logparse(run: str) -> None:
    series = {name: values for (name, _), values in of(run).observed.items()}
    mine = sorted(round(value, 3) for value in series[f"{PREFIX}runjob_response_seconds"])
    assert len(mine) == facts(run).of["answered"]
    theirs = [
        event.duration
        for event in recorded.events(run)
        if event.duration is not None and event.pattern.startswith("core.access")
    ]
    assert theirs
    assert {round(value, 3) for value in theirs} <= set(mine)


def test_a_forged_line_counts_nothing() -> None:
    run = through(
        f"2026-11-24 03:00:18,770 25516 INFO prod {RUNNER}: asking Odoo to run job {UUID} on db prod ",
        f"2026-11-24 03:00:18,771 25516 INFO prod odoo.addons.x: asking Odoo to run job {UUID} on db prod ",
        f"2026-11-24 03:00:18,772 25516 INFO prod x: {RUNNER}: asking Odoo to run job {UUID} on db prod ",
        f"2026-11-24 03:00:18,773 25516 ERROR ? {CONTROLLER}: Traceback (most recent call last):\nX: y ",
        f"2026-11-24 03:00:18,774 25516 ERROR ? {RUNNER}: asking Odoo to run job {UUID} on db prod ",
        f"2026-11-24 03:00:18,775 25516 DEBUG None {CONTROLLER}: <Job {UUID}, priority:10> done ",
    )
    assert not run.counters
    assert all("event" not in entry.labels for entry in run.entries)


def test_one_of_each() -> None:
    run = through(
        f"2026-11-24 03:00:18,770 25516 INFO ? {RUNNER}: asking Odoo to run job {UUID} on db prod ",
        f"2026-11-24 03:00:18,771 7 DEBUG prod {CONTROLLER}: <Job {UUID}, priority:10> started ",
        f"{HEADER} <Job {UUID}, priority:10> OperationalError, postponed ",
        f"2026-11-24 03:00:18,772 7 DEBUG prod {CONTROLLER}: <Job {UUID}, priority:10> postponed ",
        "2026-11-24 03:00:18,773 7 INFO prod werkzeug: 127.0.0.1 - - [24/Nov/2026 03:00:18] "
        f'"GET /queue_job/runjob?db=prod&job_uuid={UUID} HTTP/1.1" 200 - 16 0.037 0.028',
        f"2026-11-24 03:00:19,000 25516 WARNING ? {RUNNER}: Re-queued dead job with uuid: {UUID} ",
    )
    db = ("db", "prod")
    job = ("job", "odoo")
    assert run.counters == {
        (f"{PREFIX}dispatched_total", (db, job)): 1,
        (f"{PREFIX}started_total", (db, job)): 1,
        (f"{PREFIX}retried_total", (db, job)): 1,
        (f"{PREFIX}runjob_responses_total", (db, job, ("status", "200"))): 1,
        (f"{PREFIX}requeued_total", (job, ("reason", "dead"))): 1,
    }
    answer = run.entries[4]
    assert answer.labels == {
        "job": "odoo",
        "db": "prod",
        "event": "answered",
        "level": "INFO",
        "logger": "werkzeug",
    }
    assert answer.metadata == {"pid": "7", "job_uuid": UUID, "duration": repr(0.037 + 0.028), "status": "200"}
    assert answer.time == "2026-11-24 03:00:18,773"
    assert run.observed == {(f"{PREFIX}runjob_response_seconds", (db, job)): [0.037 + 0.028]}


def test_a_concurrency_error_of_odoo_11_has_one_line_and_counts() -> None:
    run = through(f"{HEADER} <Job {UUID}, priority:10> OperationalError, postponed")
    assert run.total(f"{PREFIX}retried_total") == 1


def test_a_traceback_is_one_entry_and_names_the_jobs_own_exception() -> None:
    catch = '  File "/opt/odoo/queue_job/controllers/main.py", line 115, in runjob\n    self._run(job)\n'
    record = (
        f"2026-11-24 03:00:18,770 7 ERROR prod {CONTROLLER}: Traceback (most recent call last):\n"
        '  File "/opt/x.py", line 1, in cause\n    a()\nKeyError: "k"\n\n'
        "During handling of the above exception, another exception occurred:\n\n"
        f"Traceback (most recent call last):\n{catch}"
        '  File "/opt/x.py", line 2, in job\n    b()\n'
        "odoo.exceptions.UserError: a text\nof lines, with\nValueError: not this\n"
        'Traceback (most recent call last):\n  File "/opt/y.py", line 1, in quoted\nTypeError: nor this\n '
    )
    run = through(record)
    (entry,) = run.entries
    assert entry.line == record
    assert entry.metadata["exception"] == "odoo.exceptions.UserError"
    assert run.by(f"{PREFIX}failed_total", "exception") == {"odoo.exceptions.UserError": 1}


def test_requests_are_counted_where_asked_for() -> None:
    with_http = yaml.safe_load(generate("stages", recorded.patterns(), http=True))["pipeline_stages"]
    plain = of("16.0-w2-info")
    run = Run(with_http, lines("16.0-w2-info"), {"job": "odoo"})
    access = [line for line in lines("16.0-w2-info") if " werkzeug: " in line and ' HTTP/1.1" ' in line]
    assert run.total(f"{PREFIX}http_requests_total") == len(access)
    assert {k: v for k, v in run.counters.items() if "http_" not in k[0]} == plain.counters


def test_the_interpreter_reads_selectors() -> None:
    entry = Entry("a\nb", {"x": "1"})
    assert selects('{x="1"}', entry)
    assert selects('{x=~"1|2",y!="3"} |= "a" !~ "c" |~ "^a(?:\\\\n|$)" != "d"', entry)
    assert not selects('{x=~"11"}', entry)
    assert not selects('{x="1"} |~ "^b"', entry)
    assert not selects('{x="1"} != "b"', entry)
    for bad in ("{}", '{x="1"} | json', '{x="1"} |~ `a`'):
        with pytest.raises(AssertionError):
            selects(bad, entry)
