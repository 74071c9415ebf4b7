"""The verb `replay`, run as a user runs it."""

import csv
import gzip
import json
import os
import pty
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Logparse = Callable[..., subprocess.CompletedProcess[str]]
ASKING = re.compile(
    r"^2026-\S+ \S+ \d+ INFO \? \S+\.runner: asking Odoo to run job (\S+) on db (\S+)", re.MULTILINE
)
FAILED = re.compile(
    r"^2026-\S+ \S+ \d+ INFO \S+ werkzeug: .*/queue_job/runjob\S+ HTTP/1\.1\" [45]\d\d ", re.MULTILINE
)


@pytest.fixture
def log(fixtures: Path) -> Path:
    return fixtures / "16.0-w2-info" / "odoo.log"


def events(ran: subprocess.CompletedProcess[str]) -> dict[str, int | None]:
    assert ran.returncode == 0, ran.stderr
    (database,) = json.loads(ran.stdout)["databases"]
    found: dict[str, int | None] = database["events"]
    return found


def test_summary_on_standard_output_and_nothing_on_standard_error(logparse: Logparse, log: Path) -> None:
    ran = logparse("replay", log)
    assert (ran.returncode, ran.stderr) == (0, "")
    text = log.read_text(errors="replace")
    assert re.search(rf"^dispatched +{len(ASKING.findall(text))} ", ran.stdout, re.MULTILINE)
    assert re.search(rf"^failed +{len(FAILED.findall(text))} ", ran.stdout, re.MULTILINE)
    assert re.search(r"^queued +– +not visible", ran.stdout, re.MULTILINE)
    assert "\x1b" not in ran.stdout


def test_json(logparse: Logparse, log: Path) -> None:
    text = log.read_text(errors="replace")
    found = events(logparse("replay", "--json", log))
    assert found["dispatched"] == len(ASKING.findall(text))
    assert found["failed"] == len(FAILED.findall(text))
    assert found["queued"] is None


def test_json_has_the_keys_of_the_docs(logparse: Logparse, fixtures: Path) -> None:
    docs = (Path(__file__).parent.parent.parent / "docs" / "replay.md").read_text()
    report = json.loads(logparse("replay", "--json", fixtures / "16.0-w2-debug" / "odoo.log.gz").stdout)
    (database,) = report["databases"]
    parts = [report, report["input"], report["visibility"], report["installation"], database]
    parts += [
        database["slowest"][0],
        database["most_failing"][0],
        database["channels"][0],
        database["open"][0],
    ]
    parts += [database["duration"], database["exceptions"][0], report["visibility"]["items"][0]]
    for part in parts:
        for key in part:
            assert re.search(rf"[`.]{key}(?:\[\])?`", docs), key


def test_metrics_are_the_same_counters(logparse: Logparse, log: Path) -> None:
    text = log.read_text(errors="replace")
    ran = logparse("replay", "--metrics", log)
    assert ran.returncode == 0
    (dispatched,) = re.findall(r"^odoo_queue_job_dispatched_total\{.*\} (\S+)$", ran.stdout, re.MULTILINE)
    assert float(dispatched) == len(ASKING.findall(text))
    (lines,) = re.findall(r"^logparse_lines_total\{.*\} (\S+)$", ran.stdout, re.MULTILINE)
    assert float(lines) == text.count("\n")
    assert "odoo_queue_job_queued_total{" not in ran.stdout


@pytest.mark.needs_promtool
def test_metrics_please_promtool(logparse: Logparse, fixtures: Path) -> None:
    ran = logparse("replay", "--metrics", fixtures / "18.0-w2-debug" / "odoo.log.gz")
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=ran.stdout, text=True, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")


def test_metrics_and_json_are_two_forms(logparse: Logparse, log: Path) -> None:
    ran = logparse("replay", "--metrics", "--json", log)
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1


def test_all_pieces_of_a_rotated_log_are_one(logparse: Logparse, fixtures: Path) -> None:
    pieces = sorted((fixtures / "12.0-w2-rotate-rename").glob("odoo.log*"))
    text = "".join(piece.read_text(errors="replace") for piece in pieces)
    ran = logparse("replay", "--json", *reversed(pieces))
    assert events(ran)["dispatched"] == len(ASKING.findall(text))
    assert len(json.loads(ran.stdout)["input"]["files"]) == len(pieces) == 7


def test_standard_input(logparse: Logparse, log: Path) -> None:
    with log.open() as file:
        ran = logparse("replay", "--json", "-", stdin=file)
    assert events(ran)["dispatched"] == len(ASKING.findall(log.read_text(errors="replace")))


def test_one_of_two_databases(logparse: Logparse, fixtures: Path) -> None:
    path = fixtures / "18.0-w2-2db-info" / "odoo.log.gz"
    text = gzip.decompress(path.read_bytes()).decode(errors="replace")
    dbs = [db for _, db in ASKING.findall(text)]
    ran = logparse("replay", "--json", "--db", dbs[0], path)
    assert events(ran)["dispatched"] == dbs.count(dbs[0]) < len(dbs)


def test_a_span_of_time(logparse: Logparse, log: Path) -> None:
    text = log.read_text(errors="replace")
    times = [found.group()[:23] for found in ASKING.finditer(text)]
    middle = times[len(times) // 2][:19]
    before = logparse("replay", "--json", "--to", middle, log)
    after = logparse("replay", "--json", "--from", middle, log)
    assert events(before)["dispatched"] == sum(time < middle for time in times)
    assert events(after)["dispatched"] == sum(time >= middle for time in times)
    assert json.loads(before.stdout)["input"]["lines"] == text.count("\n")


def test_nothing_in_the_span(logparse: Logparse, log: Path) -> None:
    ran = logparse("replay", "--from", "2027-01-01", log)
    assert ran.returncode == 0
    assert ran.stdout.startswith("No queue job in what --from, --to and --db select of this log.")


def test_a_database_that_is_not_in_the_log(logparse: Logparse, fixtures: Path) -> None:
    path = fixtures / "18.0-w2-2db-info" / "odoo.log.gz"
    for verb in ("replay", "events", "check"):
        ran = logparse(verb, "--db", "acme1\x1b8", "--db", "acme18", path)
        assert ran.returncode == 0
        (line,) = ran.stderr.splitlines()
        assert line.startswith("logparse: no line about jobs is of a database 'acme1\\x1b8': there is ")
        assert "acme18" in line.partition("there is ")[2].split(", ")
    assert logparse("events", "--db", "acme18", path).stderr == ""


def test_top(logparse: Logparse, log: Path) -> None:
    (database,) = json.loads(logparse("replay", "--json", "--top", "2", log).stdout)["databases"]
    assert len(database["slowest"]) == len(database["most_retried"]) == 2
    ran = logparse("replay", log, env={"LOGPARSE_REPLAY_TOP": "0"})
    assert "Slowest attempts" not in ran.stdout


def test_unsettled_without_settling_at_the_end(logparse: Logparse, log: Path) -> None:
    done = events(logparse("replay", "--json", log))["done"]
    ran = logparse("replay", "--json", "--no-settle-at-end", log)
    (database,) = json.loads(ran.stdout)["databases"]
    (unsettled,) = (one["jobs"] for one in database["open"] if one["state"] == "unsettled")
    assert unsettled
    assert database["events"]["done"] + unsettled == done


def test_no_text_of_exceptions_leaves_the_log(logparse: Logparse, log: Path) -> None:
    text = log.read_text(errors="replace")
    messages = re.findall(
        r"^(?:Exception|ValueError|odoo\.exceptions\.UserError): (.{6,})$", text, re.MULTILINE
    )
    assert messages
    for form in ([], ["--json"], ["--metrics"]):
        out = logparse("replay", *form, log).stdout
        assert not [message for message in messages if message in out]


def test_an_empty_file_is_no_error(logparse: Logparse, tmp_path: Path) -> None:
    path = tmp_path / "odoo.log"
    path.touch()
    ran = logparse("replay", path)
    assert ran.returncode == 0
    assert "The log is empty." in ran.stdout
    assert ran.stderr.count("\n") == 1
    assert json.loads(logparse("replay", "--json", path).stdout)["databases"] == []


def test_not_a_log_of_odoo(logparse: Logparse, tmp_path: Path) -> None:
    path = tmp_path / "other.log"
    path.write_text("hello\nworld\n")
    ran = logparse("replay", path)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.count("\n") == 1


def test_a_damaged_file_is_summarised_as_far_as_it_goes(
    logparse: Logparse, fixtures: Path, tmp_path: Path
) -> None:
    whole = (fixtures / "18.0-w2-debug" / "odoo.log.gz").read_bytes()
    path = tmp_path / "odoo.log.gz"
    path.write_bytes(whole[: len(whole) // 2])
    ran = logparse("replay", path)
    assert ran.returncode == 1
    assert re.search(r"^dispatched +\d+ ", ran.stdout, re.MULTILINE)
    assert "could be read only in part" in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_what_is_damaged_is_told_and_the_rest_is_read(
    logparse: Logparse, fixtures: Path, tmp_path: Path
) -> None:
    pieces = sorted((fixtures / "12.0-w2-rotate-rename").glob("odoo.log*"))
    text = "".join(piece.read_text(errors="replace") for piece in pieces)
    paths = []
    for piece in pieces:
        path = tmp_path / f"{piece.name}.gz"
        path.write_bytes(gzip.compress(piece.read_bytes()))
        paths.append(path)
    content = paths[2].read_bytes()
    paths[2].write_bytes(content[: len(content) // 2])
    paths[4].write_bytes(gzip.compress(pieces[4].read_bytes())[:-4])
    ran = logparse("replay", "--json", *paths)
    assert ran.returncode == 1
    errors = ran.stderr.splitlines()
    assert [paths[index].name in line for index, line in zip((4, 2), errors, strict=True)] == [True, True]
    (database,) = json.loads(ran.stdout)["databases"]
    found = database["events"]["dispatched"]
    lost = len(ASKING.findall(pieces[2].read_text(errors="replace")))
    assert len(ASKING.findall(text)) - lost <= found < len(ASKING.findall(text))


def test_a_closed_pipe_is_quiet(environment: dict[str, str], log: Path) -> None:
    import sys

    ran = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -m logparse replay --json "{log}" | head -c 1; exit 0'],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.stdout, ran.stderr) == ("{", "")


def test_colours_in_a_terminal_and_none_with_no_color(logparse: Logparse, log: Path) -> None:
    def shown(env: dict[str, str]) -> str:
        ours, theirs = pty.openpty()
        try:
            ran = logparse("replay", log, stdout=theirs, env={"TERM": "xterm-256color", **env})
            assert ran.returncode == 0
        finally:
            os.close(theirs)
        output = b""
        try:
            while block := os.read(ours, 65536):
                output += block
        except OSError:  # all was read, and the other end is closed
            pass
        os.close(ours)
        return output.decode()

    assert re.search(r"\x1b\[(?:\d+;)*3\dm", shown({}))
    assert not re.search(r"\x1b\[(?:\d+;)*3\dm", shown({"NO_COLOR": "1"}))


def test_ascii_only(logparse: Logparse, log: Path) -> None:
    ran = logparse("replay", log, env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.isascii()


def test_help_has_an_example(logparse: Logparse) -> None:
    ran = logparse("replay", "--help")
    assert ran.returncode == 0
    assert "logparse replay odoo.log" in ran.stdout


def test_groups_are_the_counts_of_the_summary(logparse: Logparse, fixtures: Path) -> None:
    log = fixtures / "18.0-w2-2db-info" / "odoo.log.gz"
    ran = logparse("replay", "--group-by", "database", "--format", "json", log)
    report = json.loads(ran.stdout)
    assert len(report["groups"]) == 2
    for group in report["groups"]:
        (database,) = (one for one in report["databases"] if one["db"] == group["database"])
        for word in ("done", "failed", "retried", "requeued", "lost"):
            assert group[word] == database["events"][word]
        assert group["attempts"] == database["runs"]
        assert group["run_p95"] == database["duration"]["p95"]
        assert group["delay_p95"] == database["dispatch_delay"]["p95"]
    read = list(csv.DictReader(logparse("replay", "--format", "csv", log).stdout.splitlines()))
    assert {row["database"]: row["done"] for row in read} == {
        group["database"]: str(group["done"]) for group in report["groups"]
    }


def test_rows_of_exceptions_and_workers_add_up(logparse: Logparse, fixtures: Path) -> None:
    log = fixtures / "12.0-w2-syslog" / "syslog.log.gz"
    by = {}
    for name in ("exception", "worker"):
        report = json.loads(logparse("replay", "--group-by", name, "--json", log).stdout)
        by[name] = report["groups"]
        (database,) = report["databases"]
        assert sum(row["failed"] for row in by[name]) == database["events"]["failed"] == 49
    classes = {one["exception"]: one["count"] for one in database["exceptions"]}
    assert {row["exception"]: row["failed"] for row in by["exception"]} == classes
    assert classes[None] == 7


def test_groups_for_people(logparse: Logparse, log: Path) -> None:
    ran = logparse("replay", "--group-by", "exception", "--top", "2", log)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "261 jobs ran" in ran.stdout
    assert re.search(r"^Exception +19 +", ran.stdout, re.MULTILINE)
    assert "more: --top NUMBER" in ran.stdout
    assert max(map(len, ran.stdout.split("\n"))) <= 100
    by_minute = logparse("replay", "--group-by", "minute", "--format", "markdown", log).stdout
    assert re.findall(r"^\| 2026-11-24 03:(\d\d) ", by_minute, re.MULTILINE) == ["03", "04", "05", "06"]


def test_markdown_has_the_headline_and_the_counts(logparse: Logparse, log: Path) -> None:
    ran = logparse("replay", "--format", "markdown", log)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("**261 jobs ran in 291 attempts: 218 done, 46 failed")
    assert "| failed | 46 |" in ran.stdout
    assert "| queued | – |" in ran.stdout


def test_sparklines_in_the_headline(logparse: Logparse, log: Path) -> None:
    text = logparse("replay", log).stdout
    (bars,) = re.findall(r"^attempts  ([ ▁-█]+)at most \d+ in \d s, 03:03$", text, re.MULTILINE)
    assert "█" in bars
    assert re.search(r"^failed .*█", text, re.MULTILINE)
    plain = logparse("replay", log, env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}).stdout
    assert re.search(r"^attempts +[ .:=+*#@-]+  at most", plain, re.MULTILINE)


def test_before_and_after_a_time(logparse: Logparse, log: Path) -> None:
    text = log.read_text(errors="replace")
    ran = logparse("replay", "--compare", "2026-11-24 03:04", "--format", "json", log)
    assert (ran.returncode, ran.stderr) == (0, "")
    comparison = json.loads(ran.stdout)
    for side, part in (("before", "--to"), ("after", "--from")):
        report = json.loads(logparse("replay", "--json", part, "2026-11-24 03:04", log).stdout)
        (database,) = report["databases"]
        assert comparison[side]["runs"] == database["runs"]
        assert comparison[side]["failed"] == database["events"]["failed"]
        (run,) = (
            one for one in comparison["differences"] if one["what"] == "run_time" and not one["channel"]
        )
        assert run[side]["p50"] == database["duration"]["p50"]
    assert comparison["tests"] == sum(one["chance"] is not None for one in comparison["differences"]) > 5
    people = logparse("replay", "--compare", "2026-11-24 03:04", log).stdout
    assert "got worse" in people
    assert "What was compared" in people
    assert "plain failure" in text
    assert "plain failure" not in ran.stdout


def test_two_sets_of_logs(logparse: Logparse, log: Path, fixtures: Path) -> None:
    before = fixtures / "12.0-w2-info" / "odoo.log"
    ran = logparse("replay", "--compare", before, "--format", "csv", log)
    assert (ran.returncode, ran.stderr) == (0, "")
    rows = {(row["what"], row["exception"]): row for row in csv.DictReader(ran.stdout.splitlines())}
    expected = {
        side: json.loads(logparse("replay", "--json", path).stdout)["databases"][0]
        for side, path in (("before", before), ("after", log))
    }
    for side, database in expected.items():
        assert int(rows["failed", ""][f"{side}_count"]) == database["events"]["failed"]
        for one in database["exceptions"]:
            if one["exception"]:
                assert int(rows["exception", one["exception"]][f"{side}_count"]) == one["count"]
    same = logparse("replay", "--compare", log, log).stdout
    assert "Nothing changed by more than chance" in same


def test_what_is_to_be_compared_must_make_sense(logparse: Logparse, log: Path) -> None:
    for arguments, told in (
        (("--compare", "soon"), "neither a log that exists, nor a time"),
        (("--compare", "2026-11-24..2026-11-23"), "nothing to compare"),
        (("--compare", "2026-11-24 03:04", "--to", "2026-11-24 03:00"), "nothing comes after it"),
        *(
            (("--compare", "2026-11-24 03:04", *other), f"and nothing else: leave out {other[0]};")
            for other in (
                ("--html", "x.html"),
                ("--html", ""),
                ("--parquet", "tables"),
                ("--openmetrics", "x.om"),
                ("--otlp", "x.json"),
                ("--metrics",),
                ("--group-by", "hour"),
                ("--http",),
            )
        ),
        (("--group-by", "colour"), "nothing is grouped by 'colour'"),
        (("--format", "xml"), "'xml' is not one of"),
        (("--json", "--format", "csv"), "two forms of the same"),
    ):
        ran = logparse("replay", *arguments, log)
        assert ran.returncode in (1, 2)
        assert ran.stdout == ""
        assert told in ran.stderr
        assert ran.stderr.count("\n") == 1
