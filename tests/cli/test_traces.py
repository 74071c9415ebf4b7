"""`replay --otlp`: a trace of each job, at a collector or in a file."""

import base64
import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status, TracesData

from logparse.out.traces import trace_id
from tests.collector import attributes, collecting

Logparse = Callable[..., subprocess.CompletedProcess[str]]

ROOT = Path(__file__).parent.parent.parent
LOGS = ["16.0-w2-info/odoo.log", "16.0-w2-debug/odoo.log.gz", "18.0-w2-2db-info/odoo.log.gz"]


@pytest.fixture
def log(fixtures: Path) -> Path:
    return fixtures / "16.0-w2-info" / "odoo.log"


def told(ran: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert ran.returncode == 0, ran.stderr
    report: dict[str, Any] = json.loads(ran.stdout)
    return report


def identity(span: Span) -> tuple[str, str]:
    return span.trace_id.hex(), span.span_id.hex()


@pytest.mark.parametrize(
    ("log", "unseen"), [("12.0-w2-info/odoo.log", "lost"), ("18.0-w2-dead-info/odoo.log", "failed")]
)
def test_an_attempt_whose_start_no_line_shows_has_a_span(
    logparse: Logparse, fixtures: Path, log: str, unseen: str
) -> None:
    with collecting() as collector:
        report = told(logparse("replay", "--json", "--otlp", collector.url, fixtures / log))
    (database,) = report["databases"]
    events, spans = database["events"], collector.spans
    attempts = [attributes(span) for span in spans if span.name.startswith("attempt ")]
    outcomes = Counter(one.get("odoo.job.outcome") for one in attempts)
    for word in ("done", "failed", "retried", "lost"):
        assert outcomes[word] == (events[word] or 0), word
    unknown = [one["odoo.job.outcome"] for one in attempts if one.get("odoo.job.start_unknown")]
    assert unknown == [unseen, unseen]
    assert len(attempts) == events["started"] + 2
    jobs = [attributes(span) for span in spans if span.name.startswith("job")]
    assert sum(int(str(one["odoo.job.attempts"])) for one in jobs) == len(attempts)


@pytest.mark.parametrize("log", LOGS)
def test_a_collector_gets_what_the_summary_counts(logparse: Logparse, fixtures: Path, log: str) -> None:
    with collecting() as collector:
        report = told(logparse("replay", "--json", "--otlp", collector.url, fixtures / log))
    spans = collector.spans
    assert (collector.paths, collector.services) == ({"/v1/traces"}, {"odoo"})
    assert len({identity(span) for span in spans}) == len(spans)
    by_id = {identity(span): span for span in spans}
    attempts = [span for span in spans if span.name.startswith("attempt ")]
    outcomes = Counter(
        (attributes(span)["db.namespace"], attributes(span).get("odoo.job.outcome")) for span in attempts
    )
    for database in report["databases"]:
        db, events = database["db"], database["events"]
        for word in ("done", "failed", "retried", "lost"):
            assert outcomes[db, word] == (events[word] or 0), word
        assert sum(count for (of, _), count in outcomes.items() if of == db) == events["started"]
        seconds = sorted(
            (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9
            for span in attempts
            if attributes(span)["db.namespace"] == db
            and attributes(span).get("odoo.job.outcome") in ("done", "failed", "retried")
        )
        assert seconds[-1] == pytest.approx(database["duration"]["max"], abs=0.002)
    for span in spans:
        assert span.start_time_unix_nano <= span.end_time_unix_nano
        assert span.trace_id == trace_id(
            *map(str, (attributes(span)["db.namespace"], attributes(span)["odoo.job.uuid"]))
        ).to_bytes(16)
        if span.parent_span_id:
            parent = by_id[span.trace_id.hex(), span.parent_span_id.hex()]
            assert parent.name.startswith("job")
            assert parent.start_time_unix_nano <= span.start_time_unix_nano
        for link in span.links:
            assert (link.trace_id.hex(), link.span_id.hex()) in by_id
        failed = attributes(span).get("odoo.job.outcome") == "failed"
        assert not failed or span.status.code == Status.STATUS_CODE_ERROR
    roots = Counter(span.trace_id for span in spans if not span.parent_span_id)
    assert set(roots.values()) == {1}
    assert len(roots) == len({span.trace_id for span in spans})


def test_a_second_replay_sends_the_same(logparse: Logparse, log: Path) -> None:
    with collecting() as collector:
        for _ in range(2):
            assert logparse("replay", "--otlp", collector.url, log).returncode == 0
    bodies = [body for body in collector.bodies if body]
    half = len(bodies) // 2
    assert half > 0
    assert bodies[:half] == bodies[half:]


def test_a_file_holds_what_a_collector_gets(logparse: Logparse, log: Path, tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    with collecting() as collector:
        assert logparse("replay", "--otlp", collector.url, log).returncode == 0
    assert logparse("replay", "--otlp", path, log).returncode == 0
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        for of_resource in line["resourceSpans"]:
            for of_scope in of_resource["scopeSpans"]:
                for span in of_scope["spans"]:
                    in_base64(span, "traceId", "spanId", "parentSpanId")
                    for link in span.get("links", []):
                        in_base64(link, "traceId", "spanId")
    # It refuses names that OTLP does not have.
    parsed = [json_format.ParseDict(line, TracesData()) for line in lines]
    assert [
        span
        for data in parsed
        for of_resource in data.resource_spans
        for of_scope in of_resource.scope_spans
        for span in of_scope.spans
    ] == collector.spans


def in_base64(holder: dict[str, Any], *names: str) -> None:
    """Ids as protobuf's own JSON has them: OTLP's has them in hexadecimal."""
    for name in names:
        if name in holder:
            assert re.fullmatch(r"(?:[0-9a-f]{16}){1,2}", holder[name])
            holder[name] = base64.b64encode(bytes.fromhex(holder[name])).decode()


def test_texts_of_exceptions_only_where_asked(logparse: Logparse, log: Path) -> None:
    secrets = set(
        re.findall(
            r"^(?:odoo\.exceptions\.)?(?:UserError|ValueError): (.{8,})$",
            log.read_text(errors="replace"),
            re.MULTILINE,
        )
    )
    assert secrets
    with collecting() as quiet, collecting() as telling:
        assert logparse("replay", "--otlp", quiet.url, log).returncode == 0
        assert logparse("replay", "--with-text", "--otlp", telling.url, log).returncode == 0
    assert not [secret for secret in secrets for body in quiet.bodies if secret.strip().encode() in body]
    assert b"Traceback" not in b"".join(quiet.bodies)
    exceptions = [event for span in telling.spans for event in span.events if event.name == "exception"]
    assert len(exceptions) == len(
        [span for span in quiet.spans for event in span.events if event.name == "exception"]
    )
    for event in exceptions:
        texts = {one.key: one.value.string_value for one in event.attributes}
        assert texts["exception.type"] in texts["exception.stacktrace"]
        assert texts["exception.message"] in texts["exception.stacktrace"]
        assert "Traceback (most recent call last):" in texts["exception.stacktrace"]


def test_nobody_listens(logparse: Logparse, log: Path) -> None:
    ran = logparse("replay", "--otlp", "http://user:secret@127.0.0.1:9", log)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert re.fullmatch(
        r"logparse: http://127\.0\.0\.1:9/v1/traces does not take traces: nobody answers; .*\n", ran.stderr
    )


def test_somebody_else_listens(logparse: Logparse, log: Path) -> None:
    with collecting(status=404) as collector:
        ran = logparse("replay", "--otlp", collector.url + "/x", log)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert f"{collector.url}/x does not take traces: it answers 404 Not Found; " in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_a_collector_that_refuses_later(logparse: Logparse, log: Path, tmp_path: Path) -> None:
    text = tmp_path / "out.om"
    with collecting(status=400, takes=2) as collector:
        ran = logparse("replay", "--openmetrics", text, "--otlp", collector.url, log)
    assert ran.returncode == 1
    assert "spans and then no more: it answers 400 Bad Request; another replay sends them again" in ran.stderr
    assert ran.stderr.count("\n") == 1


@pytest.mark.parametrize("url", ["http://", "http://[", "http://127.0.0.1:x", "https:///v1/traces"])
def test_no_url(logparse: Logparse, log: Path, url: str) -> None:
    ran = logparse("replay", "--otlp", url, log)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "is no URL; write it like http://127.0.0.1:4318" in ran.stderr


def test_files_that_cannot_be(logparse: Logparse, log: Path, tmp_path: Path) -> None:
    for path, says in (
        (log, "is one of the logs"),
        (tmp_path, "is a directory"),
        (tmp_path / "a/b", "no directory"),
    ):
        ran = logparse("replay", "--otlp", path, log)
        assert (ran.returncode, ran.stdout) == (1, "")
        assert says in ran.stderr
    ran = logparse("replay", "--otlp", "/dev/full", log)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("logparse: /dev/full cannot be written: No space left on device")


def test_one_file_for_two_outputs(logparse: Logparse, log: Path, tmp_path: Path) -> None:
    path = tmp_path / "out"
    ran = logparse("replay", "--otlp", path, "--openmetrics", f"{tmp_path}/./out", log)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "out was given for two outputs: give each its own file" in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_extra_that_is_missing_is_named(logparse: Logparse, log: Path, tmp_path: Path) -> None:
    (tmp_path / "opentelemetry.py").write_text("raise ModuleNotFoundError('no', name='opentelemetry')\n")
    path = tmp_path / "traces.jsonl"
    ran = logparse("replay", "--otlp", path, log, env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"})
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "logparse: --otlp needs opentelemetry: run `pip install 'logparse[otlp]'`\n"
    assert not path.exists()


def test_all_in_one_pass(logparse: Logparse, log: Path, tmp_path: Path) -> None:
    alone = {name: tmp_path / f"alone.{name}" for name in ("openmetrics", "otlp")}
    together = {name: tmp_path / f"together.{name}" for name in alone}
    for name, path in alone.items():
        assert logparse("replay", f"--{name}", path, log).returncode == 0
    ran = logparse("replay", "--json", *(f"--{name}={path}" for name, path in together.items()), log)
    assert ran.stdout == logparse("replay", "--json", log).stdout
    for name, path in alone.items():
        assert path.read_bytes() == together[name].read_bytes()
