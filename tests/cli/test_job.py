"""The verb `job`, run as a user runs it."""

import gzip
import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

Logparse = Callable[..., subprocess.CompletedProcess[str]]
FAILED = re.compile(r"/queue_job/runjob\?db=(\S+)&job_uuid=(\S+) HTTP/1\.1\" [45]\d\d ")
TWICE = "4e506296-8b2e-4f8d-b70a-1ce418a22c42"
"""It failed at 03:03:55 and, run again, at 03:04:11."""


@pytest.fixture
def log(fixtures: Path) -> Path:
    return fixtures / "16.0-w2-info" / "odoo.log"


@pytest.fixture
def failed(log: Path) -> str:
    """A job that failed, and that nobody requeued."""
    counts = Counter(uuid for _, uuid in FAILED.findall(log.read_text(errors="replace")))
    return next(uuid for uuid, count in counts.items() if count == 1)


def test_a_failed_job(logparse: Logparse, log: Path, failed: str) -> None:
    ran = logparse("job", failed, log)
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert lines[0] == f"Job {failed}"
    assert lines[1].startswith("failed · database qj16_w2_info_a")
    assert lines[1].endswith("1 attempt")
    assert f"asking Odoo to run job {failed}" in ran.stdout
    assert "Traceback (most recent call last):" in ran.stdout
    assert re.search(r"^\+0\.000 s  dispatched  observed$", ran.stdout, re.MULTILINE)
    assert lines[-1] == "Nothing of it is open at the end of the log."


def test_places_are_the_bytes_of_the_file(logparse: Logparse, log: Path, failed: str) -> None:
    ran = logparse("job", "--json", failed, log)
    data = log.read_bytes()
    (job,) = json.loads(ran.stdout)["jobs"]
    records = [step["record"] for step in job["steps"] if step["record"]]
    assert records
    for record in records:
        line = data[record["offset"] :].split(b"\n", 1)[0].decode(errors="replace")
        assert record["text"].split("\n")[0] in line
        assert failed in line
        assert re.match(rf"\S+ \S+ {record['pid']} {record['level']} ", line)


def test_json_has_the_keys_of_the_docs(logparse: Logparse, log: Path, failed: str) -> None:
    docs = (Path(__file__).parent.parent.parent / "docs" / "job.md").read_text()
    (job,) = json.loads(logparse("job", "--json", failed, log).stdout)["jobs"]
    (failure,) = (step for step in job["steps"] if step["traceback"])
    for key in {*job, *failure, *failure["traceback"]}:
        assert re.search(rf"[`.]{key}(?:\[\])?`", docs), key


def test_the_beginning_of_a_uuid(logparse: Logparse, log: Path, failed: str) -> None:
    text = log.read_text(errors="replace")
    known = set(re.findall(r"runner: asking Odoo to run job (\S+)", text))
    length = next(n for n in range(4, 36) if sum(uuid.startswith(failed[:n]) for uuid in known) == 1)
    assert logparse("job", failed[:length].upper(), log).stdout.startswith(f"Job {failed}\n")


def test_an_ambiguous_beginning_lists_the_jobs(logparse: Logparse, tmp_path: Path) -> None:
    uuids = [f"8eb0{number:04x}-f7d0-4a19-8a53-3ffa1694941e" for number in range(25)]
    path = tmp_path / "odoo.log"
    runner = "odoo.addons.queue_job.jobrunner.runner"
    path.write_text(
        "".join(
            f"2026-11-24 03:00:18,770 7 INFO ? {runner}: asking Odoo to run job {u} on db x \n" for u in uuids
        )
    )
    ran = logparse("job", "8eb0", path)
    assert (ran.returncode, ran.stdout) == (1, "")
    listed = [line.split()[0] for line in ran.stderr.splitlines() if line.startswith("8eb0")]
    assert listed == uuids[:20]
    assert "and 5 more" in ran.stderr
    assert ran.stderr.splitlines()[-1] == "logparse: 8eb0 is the beginning of 25 jobs' uuids: give more of it"


def test_an_unknown_job(logparse: Logparse, log: Path) -> None:
    ran = logparse("job", "00000000-0000-4000-8000-000000000000", log)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.count("\n") == 1
    assert "2026-11-24T03:03:30 to 2026-11-24T03:06:08 UTC" in ran.stderr
    assert "rotated pieces" in ran.stderr
    assert "before it is dispatched" in ran.stderr


def test_an_unknown_job_of_a_log_that_is_not_whole(logparse: Logparse, log: Path, tmp_path: Path) -> None:
    path = tmp_path / "odoo.log.gz"
    path.write_bytes(gzip.compress(log.read_bytes())[:8000])
    ran = logparse("job", "abcd1234", path)
    assert (ran.returncode, ran.stdout) == (1, "")
    part, unknown = ran.stderr.splitlines()
    assert "could be read only in part" in part
    assert unknown.startswith("logparse: no line of what could be read of this log (2026-11-24T03:03:30 to ")
    assert " names a job abcd1234…: " in unknown
    path.write_bytes(gzip.compress(log.read_bytes())[:20])
    assert logparse("job", "abcd1234", path).stderr.count("\n") == 1


@pytest.mark.parametrize("uuid", ["abc", "zzzz", "8eb0*", "8eb0 8eb0", "a" * 40])
def test_what_is_no_uuid(logparse: Logparse, log: Path, uuid: str) -> None:
    ran = logparse("job", uuid, log)
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    assert "uuid" in ran.stderr


def test_another_database(logparse: Logparse, fixtures: Path) -> None:
    path = fixtures / "18.0-w2-2db-info" / "odoo.log.gz"
    text = gzip.decompress(path.read_bytes()).decode(errors="replace")
    db, uuid = FAILED.findall(text)[0]
    (other,) = {name for name, _ in FAILED.findall(text)} - {db}
    assert logparse("job", "--db", db, uuid, path).returncode == 0
    ran = logparse("job", "--db", other, uuid, path)
    assert ran.returncode == 1
    assert other in ran.stderr
    assert "leave out --db" in ran.stderr


def test_of_clones_only_the_lines_of_the_database_are_told(logparse: Logparse, tmp_path: Path) -> None:
    path = tmp_path / "odoo.log"
    runner = "odoo.addons.queue_job.jobrunner.runner"
    path.write_text(
        "".join(
            f"2026-11-24 03:00:18,770 7 INFO ? {runner}: asking Odoo to run job {TWICE} on db {db} \n"
            for db in ("prod", "staging")
        )
    )
    ran = logparse("job", "--db", "staging", TWICE, path)
    assert "on db staging" in ran.stdout
    assert "on db prod" not in ran.stdout


def test_all_pieces_of_a_rotated_log(logparse: Logparse, fixtures: Path) -> None:
    pieces = sorted((fixtures / "12.0-w2-rotate-rename").glob("odoo.log*"))
    of_job = {
        piece: set(re.findall(r"runner: asking Odoo to run job (\S+)", piece.read_text())) for piece in pieces
    }
    uuid = next(
        uuid
        for piece, uuids in of_job.items()
        for uuid in sorted(uuids)
        if any(uuid in other.read_text() for other in pieces if other != piece)
    )
    (job,) = json.loads(logparse("job", "--json", uuid, *pieces).stdout)["jobs"]
    files = {Path(step["record"]["file"]).name for step in job["steps"] if step["record"]}
    assert files == {piece.name for piece in pieces if uuid in piece.read_text()}
    assert len(files) > 1
    out = logparse("job", uuid, *pieces).stdout
    assert all(f"{file}:" in out for file in files)


def test_a_job_that_is_open(logparse: Logparse, fixtures: Path) -> None:
    path = fixtures / "17.0-w2-badport" / "odoo.log"
    uuid = re.findall(r"runner: asking Odoo to run job (\S+)", path.read_text())[0]
    ran = logparse("job", uuid, path)
    assert ran.returncode == 0
    assert "Open: dispatched since 24 Nov 2026 03:16:" in ran.stdout


def test_to_cuts_records_and_events_alike(logparse: Logparse, log: Path) -> None:
    ran = logparse("job", "--to", "2026-11-24 03:04:00", TWICE, log)
    lines = ran.stdout.splitlines()
    assert lines[1] == "failed · database qj16_w2_info_a · 1 attempt"
    assert lines[2].startswith("24 Nov 2026, 03:03:55 to 03:03:55 UTC")
    assert ran.stdout.count("asking Odoo to run job") == 1
    assert lines[-2:] == [
        "Nothing of it is open at the end of what --from and --to select of this log.",
        "3 more lines name it in this log, before or after that.",
    ]
    (job,) = json.loads(logparse("job", "--json", "--to", "2026-11-24 03:04:00", TWICE, log).stdout)["jobs"]
    assert (job["outside"], len(job["steps"])) == (3, 4)
    assert all(step["ts"] < "2026-11-24T03:04" for step in job["steps"])


def test_from_tells_of_an_attempt_whose_start_is_before(logparse: Logparse, log: Path) -> None:
    """The database, the attempt's number and its traceback follow from what is not selected."""
    ran = logparse("job", "--from", "2026-11-24 03:04:11.6", TWICE, log)
    lines = ran.stdout.splitlines()
    assert lines[1] == "failed · database qj16_w2_info_a · 1 attempt"
    assert lines[5].startswith("+0.000 s  failed  attempt 2, ")
    assert "Exception: plain failure 13" in ran.stdout
    assert lines[-1].startswith("4 more lines name it")


def test_what_came_of_it_may_be_beyond_to(logparse: Logparse, log: Path) -> None:
    """It was done at 03:06:06."""
    ran = logparse("job", "--to", "2026-11-24 03:06:00", "48d781fe", log)
    assert ran.stdout.splitlines()[-2:] == [
        "What came of it is not in what --from and --to select of this log.",
        "1 more line names it in this log, before or after that.",
    ]


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_nothing_of_it_is_selected(logparse: Logparse, log: Path, form: list[str]) -> None:
    ran = logparse("job", *form, "--from", "2027-01-01", "4e506296", log)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == (
        f"logparse: nothing of job {TWICE} is in what --from and --to select of this log: its lines are of "
        "2026-11-24T03:03:55 to 2026-11-24T03:04:11 UTC\n"
    )


def test_help_has_an_example(logparse: Logparse) -> None:
    assert "logparse job 05bad9a4 odoo.log" in logparse("job", "--help").stdout
