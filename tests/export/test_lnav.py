"""lnav's format, read and applied by lnav itself."""

import json
import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from logparse.export.files import generate
from logparse.record.closing import HEADER
from tests import recorded
from tests.export.facts import RUNS, exported, facts

ROOT = Path(__file__).parent.parent.parent


def lnav(home: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """lnav with its configuration in `home`, and without a terminal."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "dumb", "LANG": "C.UTF-8"}
    return subprocess.run(
        ["lnav", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def install(home: Path, text: str) -> None:
    formats = home / ".lnav" / "formats" / "odoo"
    formats.mkdir(parents=True)
    (formats / "odoo_queue_job.json").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the committed format is installed."""
    path = tmp_path_factory.mktemp("home")
    install(path, (ROOT / "promtail" / "odoo_queue_job.lnav.json").read_text(encoding="utf-8"))
    return path


def ask(home: Path, query: str, *logs: Path) -> list[dict[str, Any]]:
    """The rows that lnav gives for a query."""
    ran = lnav(home, "-n", "-c", f";{query}", "-c", ":write-json-to -", *logs)
    assert ran.returncode == 0, ran.stderr
    rows: list[dict[str, Any]] = json.loads(ran.stdout)
    return rows


def unpacked(run: str, directory: Path) -> list[Path]:
    logs = []
    for name, text in recorded.texts(run).items():
        path = directory / name.removesuffix(".gz")
        path.write_bytes(text)
        logs.append(path)
    return logs


@pytest.mark.parametrize("run", RUNS)
def test_it_counts_what_logparse_reads(run: str, home: Path, tmp_path: Path) -> None:
    logs = unpacked(run, tmp_path)
    columns = ", ".join(f"count({signal.event}) as {signal.event}" for signal in exported())
    (row,) = ask(home, f"select {columns}, count(distinct log_opid) as jobs from odoo_queue_job", *logs)  # noqa: S608
    assert row.pop("jobs") == len(facts(run).uuids)
    assert row == {signal.event: facts(run).of[signal.event] for signal in exported()}
    if facts(run).of["failed"]:
        rows = ask(
            home,
            "select exception, count(*) as n from odoo_queue_job where failed is not null group by exception",
            *logs,
        )
        assert Counter({row["exception"]: row["n"] for row in rows}) == facts(run).exceptions


def test_a_jobs_lines_are_one_operation(home: Path, fixtures: Path) -> None:
    log = fixtures / "16.0-w2-info" / "odoo.log"
    uuid = next(event.uuid for event in recorded.events("16.0-w2-info") if event.event == "done")
    rows = ask(
        home,
        "select log_time, log_level, dispatched, status, sql_seconds, db, record_db from odoo_queue_job"  # noqa: S608
        f" where log_opid = '{uuid}'",
        log,
    )
    asking, answer = rows
    assert asking["dispatched"].startswith(f"asking Odoo to run job {uuid} on db ")
    assert answer["record_db"] == asking["db"]
    assert int(answer["status"]) == 200
    assert float(answer["sql_seconds"]) > 0
    assert {row["log_level"] for row in rows} == {"info"}
    assert asking["log_time"].count(".") == 1


def test_every_record_is_a_message_of_the_format(home: Path, fixtures: Path) -> None:
    log = fixtures / "16.0-w2-info" / "odoo.log"
    (row,) = ask(home, "select count(*) as n, count(distinct log_level) as levels from odoo_queue_job", log)
    headers = [line for line in log.read_bytes().split(b"\n") if HEADER.match(line)]
    assert row["n"] == len(headers)
    assert row["levels"] >= 3


@pytest.mark.parametrize("odoo", [None, "8.0", "12.0", "19.0"])
def test_lnav_finds_no_fault_in_it(odoo: str | None, tmp_path: Path) -> None:
    install(tmp_path, generate("lnav", recorded.patterns(), odoo=odoo))
    ran = lnav(tmp_path, "-C")
    assert (ran.returncode, ran.stdout.strip(), ran.stderr.strip()) == (0, "", "")


def test_lnav_refuses_a_format_whose_sample_does_not_fit(tmp_path: Path) -> None:
    text = generate("lnav", recorded.patterns())
    install(tmp_path, text.replace('"line": "2026', '"line": "x2026'))
    assert lnav(tmp_path, "-C").returncode != 0


def test_lnav_installs_it_itself(tmp_path: Path) -> None:
    made = tmp_path / "odoo_queue_job.json"
    made.write_text(generate("lnav", recorded.patterns()), encoding="utf-8")
    assert lnav(tmp_path, "-i", made).returncode == 0
    assert list((tmp_path / ".lnav" / "formats" / "installed").glob("*.json"))
