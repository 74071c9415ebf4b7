"""mtail's program, run by mtail itself."""

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from logparse.export.files import generate
from tests import recorded
from tests.export.facts import RUNS, exported, facts

ROOT = Path(__file__).parent.parent.parent
PREFIX = "odoo_queue_job_pipeline_"
_SERIES = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')

Series = Counter[tuple[str, tuple[tuple[str, str], ...]]]


def counted(program: str, log: bytes, directory: Path) -> Series:
    """What mtail counts in a log, by name and labels."""
    (directory / "progs").mkdir(exist_ok=True)
    (directory / "progs" / "odoo.mtail").write_text(program, encoding="utf-8")
    (directory / "odoo.log").write_bytes(log)
    ran = subprocess.run(
        [
            "mtail",
            "-one_shot",
            "-one_shot_format=prometheus",
            "-emit_prog_label=false",
            "-logtostderr",
            f"-progs={directory / 'progs'}",
            f"-logs={directory / 'odoo.log'}",
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    assert "compile failed" not in ran.stderr
    found: Series = Counter()
    for name, labels, value in _SERIES.findall(ran.stdout):
        if not name.endswith(("_bucket", "_sum")):
            found[name, tuple(sorted(_LABEL.findall(labels)))] += int(float(value))
    return found


def by(series: Series, metric: str, label: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for (name, labels), count in series.items():
        if name == PREFIX + metric:
            found[dict(labels).get(label, "")] += count
    return found


@pytest.fixture(scope="module")
def program() -> str:
    return (ROOT / "promtail" / "odoo_queue_job.mtail").read_text(encoding="utf-8")


@pytest.mark.parametrize("run", RUNS)
def test_it_counts_what_logparse_reads(run: str, program: str, tmp_path: Path) -> None:
    series: Series = Counter()
    for text in recorded.texts(run).values():
        series += counted(program, text, tmp_path)
    assert {s.event: by(series, s.metric, "").total() for s in exported()} == {
        s.event: facts(run).of[s.event] for s in exported()
    }
    assert +by(series, "failed_total", "exception") == facts(run).exceptions
    databases = {db for metric in exported() for db in by(series, metric.metric, "db") if metric.db}
    told = {event.db for event in recorded.events(run) if event.uuid is not None}
    assert databases - {""} <= told


@pytest.mark.parametrize("run", ["12.0-w2-info", "16.0-w2-info", "17.0-w0-pty"])
def test_seconds_of_all_answers_are_observed(run: str, program: str, tmp_path: Path) -> None:
    (text,) = recorded.texts(run).values()
    series = counted(program, text, tmp_path)
    assert by(series, "runjob_response_seconds_count", "").total() == facts(run).of["answered"]


@pytest.mark.parametrize("odoo", ["8.0", "10.0", "12.0", "19.0"])
@pytest.mark.parametrize("http", [False, True])
def test_the_program_of_every_series_compiles(odoo: str, http: bool, tmp_path: Path) -> None:
    counted(generate("mtail", recorded.patterns(), odoo=odoo, http=http), b"", tmp_path)


def test_requests_are_counted_where_asked_for(program: str, tmp_path: Path) -> None:
    (text,) = recorded.texts("16.0-w2-info").values()
    with_http = counted(generate("mtail", recorded.patterns(), http=True), text, tmp_path)
    lines = text.decode().splitlines()
    access = [line for line in lines if " werkzeug: " in line and ' HTTP/1.1" ' in line]
    assert by(with_http, "http_requests_total", "").total() == len(access)
    assert {key: n for key, n in with_http.items() if "http_" not in key[0]} == counted(
        program, text, tmp_path
    )


def test_a_forged_line_counts_nothing(program: str, tmp_path: Path) -> None:
    uuid = "8eb07891-f7d0-4a19-8a53-3ffa1694941e"
    runner, controller = "odoo.addons.queue_job.jobrunner.runner", "odoo.addons.queue_job.controllers.main"
    log = (
        f"2026-11-24 03:00:18,770 25516 INFO prod {runner}: asking Odoo to run job {uuid} on db prod \n"
        f"2026-11-24 03:00:18,772 25516 INFO prod x: {runner}: asking Odoo to run job {uuid} on db prod \n"
        f"2026-11-24 03:00:18,773 25516 ERROR ? {controller}: Traceback (most recent call last):\nX: y \n"
        f"2026-11-24 03:00:18,775 25516 DEBUG None {controller}: <Job {uuid}, priority:10> done \n"
    )
    assert counted(program, log.encode(), tmp_path).total() == 0


def test_a_failure_whose_traceback_is_cut_is_counted(program: str, tmp_path: Path) -> None:
    log = (
        "2026-11-24 03:00:18,773 7 ERROR prod odoo.addons.queue_job.controllers.main: "
        "Traceback (most recent call last):\n"
        "2026-11-24 03:00:18,775 7 INFO prod odoo.modules: next \n"
    )
    series = counted(program, log.encode(), tmp_path)
    assert +by(series, "failed_total", "exception") == {"unknown": 1}
