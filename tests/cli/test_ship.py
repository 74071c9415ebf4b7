"""The verb ship: a real program that follows a log and pushes to a stand-in for Loki, through faults."""

import gzip
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.cli.conftest import NOW
from tests.cli.test_serve import end_of
from tests.loki import FAULTS, SECOND, Loki

Logparse = Callable[..., subprocess.CompletedProcess[str]]
Started = Callable[..., subprocess.Popen[str]]
KILLS = int(os.environ.get("LOGPARSE_KILLS", "12")) // 2
SEED = int(os.environ.get("LOGPARSE_SEED", "1"))
# Short waits, so that a test takes seconds.
QUICKLY = ("--batch-wait", "0.05", "--save-every", "0.05", "--settle", "60", "--start", "beginning")


# Writes the records of a file, one a write, in so many seconds.
WRITER = """
import os, re, sys, time
with open(sys.argv[2], "rb") as whole:
    records = re.split(rb"(?m)^(?=\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d,\\d{3} )", whole.read())
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
pause = float(sys.argv[3]) / len(records)
for record in records:
    os.write(fd, record)
    time.sleep(pause)
"""


@pytest.fixture
def log(fixtures: Path, tmp_path: Path) -> Path:
    """A recorded log, ended by a record that says nothing."""
    data = (fixtures / "16.0-w2-info" / "odoo.log").read_bytes()
    path = tmp_path / "odoo.log"
    path.write_bytes(data + end_of(data))
    return path


@pytest.fixture
def expected(log: Path, logparse: Logparse) -> Counter[str]:
    """What `logparse events` tells of it, as a follower does."""
    run = logparse("events", "--settle", "60", "--no-settle-at-end", log)
    return Counter(run.stdout.splitlines())


def until(true: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> None:
    deadline = time.monotonic() + 40
    while not true():
        assert time.monotonic() < deadline, "in vain"
        assert process is None or process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.02)


def stopped(process: subprocess.Popen[str]) -> str:
    """End it as systemd does; what it said."""
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=10)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    return said


def test_once(loki: Loki, log: Path, logparse: Logparse) -> None:
    run = logparse("ship", "--loki", loki.url, "--once", log)
    assert run.returncode == 0, run.stderr
    assert Counter(loki.lines) == Counter(logparse("events", log).stdout.splitlines())
    assert run.stderr == f"logparse: {len(loki.lines)} events are in Loki\n"
    # Again, and nothing is doubled; nor from a compressed copy, but for its name.
    before = loki.lines
    assert logparse("ship", "--loki", f"{loki.url}/loki/api/v1/push", "--once", log).returncode == 0
    assert loki.lines == before
    assert loki.duplicates == len(before)


def test_labels_are_few_and_the_rest_is_metadata(loki: Loki, log: Path, logparse: Logparse) -> None:
    logparse("ship", "--loki", loki.url, "--once", "--label", "job=odoo", "--label", "env=prod", log)
    names = {name for labels in loki.store for name, _ in labels}
    assert names == {"job", "source", "env", "event", "db", "service_name"}
    for labels, entries in loki.store.items():
        for (ts, line), metadata in entries.items():
            event = json.loads(line)
            assert dict(labels)["event"] == event["event"]
            assert dict(labels).get("db") == event["db"]
            assert dict(labels)["env"] == "prod"
            assert metadata.get("job_uuid") == event["uuid"]
            assert metadata.get("exception") == event["exception"]
            if event["duration"] is not None:
                assert float(metadata["duration"]) == event["duration"]
            assert f"{ts // 1_000_000 % 1000:03d}+00:00" in event["ts"]


def test_texts_only_where_asked(loki: Loki, log: Path, logparse: Logparse) -> None:
    data = log.read_text()
    logparse("ship", "--loki", loki.url, "--once", log)
    assert not any('"text"' in line or "Traceback" in line for line in loki.lines)
    loki.store.clear()
    loki.newest.clear()
    logparse("ship", "--loki", loki.url, "--once", "--with-text", log)
    events = [json.loads(line) for line in loki.lines]
    failed = [event for event in events if event["event"] == "failed" and event["exception"]]
    with_text = [event for event in failed if "text" in event]
    assert len(with_text) > 20
    for event in with_text:
        assert "Traceback (most recent call last):" in event["text"]
        assert f"\n{event['exception']}" in event["text"]
        assert event["text"].splitlines()[-1] in data
    assert all("text" not in event for event in events if event["event"] == "done")


def test_faults_and_kills(
    loki: Loki, log: Path, expected: Counter[str], environment: dict[str, str], tmp_path: Path
) -> None:
    """Killed at random, with whatever may go wrong between: all events are there, and each once."""
    chance = random.Random(SEED)
    whole, followed = tmp_path / "whole", tmp_path / "logs" / "odoo.log"
    log.rename(whole)
    followed.parent.mkdir()
    loki.fault = lambda: chance.choice(FAULTS) if chance.random() < 0.4 else None
    command = [sys.executable, "-m", "logparse", "ship", "--loki", loki.url, *QUICKLY]
    command += ["--timeout", "0.5", "--batch-count", "60", "--batch-wait", "0.2", "--with-text"]
    command += ["--state", tmp_path / "state", followed]
    seconds = KILLS * 0.9
    with subprocess.Popen([sys.executable, "-c", WRITER, str(followed), str(whole), str(seconds)]) as writer:
        for _ in range(KILLS):
            process = subprocess.Popen(
                list(map(str, command)), env=environment, stderr=subprocess.PIPE, cwd=tmp_path
            )
            assert process.stderr is not None
            assert any(b"following" in line for line in process.stderr)
            time.sleep(chance.random())
            assert process.poll() is None
            process.kill()
            process.communicate()
        writer.wait()
    told = Counter(without_place(line.replace(str(log), str(followed))) for line in expected.elements())
    with subprocess.Popen(
        list(map(str, command)), env=environment, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    ) as process:
        try:
            until(lambda: len(loki.lines) >= sum(told.values()), process)
            time.sleep(0.2)
            stopped(process)
        finally:
            process.kill()
    assert Counter(map(without_place, loki.lines)) == told
    assert sum('"text":' in line for line in loki.lines) > 20
    assert loki.duplicates > 0  # what came twice was dropped by what it is


def without_place(line: str) -> str:
    return re.sub(r',"file":.*', "}", line)


def test_rotated_while_loki_is_away(
    loki: Loki, log: Path, expected: Counter[str], started: Started, tmp_path: Path
) -> None:
    """Nothing is given up while Loki is away, the memory is bounded, and the position waits too."""
    whole = log.read_bytes()
    cut = whole.index(b"\n", len(whole) // 2) + 1
    log.write_bytes(whole[:cut])
    loki.status, loki.text = 503, "no healthy instance"
    options = ("--loki", loki.url, *QUICKLY, "--batch-bytes", "4096", "--state", tmp_path / "state", log)
    process = started("ship", *options)
    until(lambda: len(loki.statuses) > 1, process)
    said = stopped(process)
    assert "Loki has trouble itself (503)" in said
    assert said.count("events wait: ") == 1  # once, not for each try
    log.rename(tmp_path / "odoo.log.1")
    log.write_bytes(whole[cut:])
    loki.status = None
    process = started("ship", *options)
    until(lambda: len(loki.lines) >= expected.total(), process)
    stopped(process)
    assert Counter(map(without_place, loki.lines)) == Counter(map(without_place, expected.elements()))


def test_no_more_than_one_batch_is_sent_again(
    loki: Loki, log: Path, expected: Counter[str], started: Started, tmp_path: Path
) -> None:
    options = ("--loki", loki.url, *QUICKLY, "--batch-count", "50", "--state", tmp_path / "state", log)
    for number in range(4, 16, 4):
        process = started("ship", *options)
        until(lambda number=number: len(loki.pushes) >= number, process)  # type: ignore[misc]
        process.kill()
        process.wait()
    process = started("ship", *options)
    until(lambda: len(loki.lines) >= expected.total(), process)
    stopped(process)
    assert Counter(loki.lines) == expected
    assert loki.duplicates <= 3 * 50
    # Stopped in order, nothing is sent again.
    pushes = len(loki.pushes)
    process = started("ship", *options)
    assert process.stderr is not None
    assert any("following" in line for line in process.stderr)
    time.sleep(0.3)
    stopped(process)
    assert len(loki.pushes) == pushes


def test_too_old_and_too_far_behind(loki: Loki, log: Path, logparse: Logparse) -> None:
    """Refused for good: told, counted, not sent for ever; all others arrive."""
    events = [json.loads(line) for line in logparse("events", log).stdout.splitlines()]
    middle = sorted(event["ts"] for event in events)[len(events) // 3]
    at = time.mktime(time.strptime(middle[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
    loki.now, loki.reject_old_samples_max_age = at + 3600, 3600.0
    run = logparse("ship", "--loki", loki.url, "--once", log)
    assert run.returncode == 1
    left = [event for event in events if event["ts"] >= middle[:19]]
    assert len(loki.lines) == len(left)
    assert f"Loki refused {len(events) - len(left)} events" in run.stderr
    assert "too_old" in run.stderr
    assert len(loki.pushes) < 10
    # An hour behind the newest entry of its stream.
    loki.store.clear()
    loki.pushes.clear()
    loki.reject_old_samples_max_age = None
    loki.now = NOW + 86400
    newest = max(event["ts"] for event in events if event["event"] == "done")
    labels = next(labels for labels in loki.newest if dict(labels)["event"] == "done")
    loki.newest = {labels: (int(NOW) + 7200) * SECOND}
    run = logparse("ship", "--loki", loki.url, "--once", log)
    assert run.returncode == 1
    done = sum(event["event"] == "done" for event in events)
    assert f"Loki refused {done} events ({done} too_far_behind)" in run.stderr
    assert len(loki.lines) == len(events) - done
    assert "done" in newest or len(loki.pushes) < 10


def test_what_is_told_late_is_not_too_far_behind(
    loki: Loki, fixtures: Path, logparse: Logparse, tmp_path: Path
) -> None:
    """At INFO a dead job is known to have failed after the settle time, when others failed long since."""
    data = (fixtures / "18.0-w2-dead-info" / "odoo.log").read_text()
    uuid = re.compile(r"[0-9a-f]{4}(?=[0-9a-f]{4}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
    parts = []
    for part in range(6):

        def later(match: re.Match[str], part: int = part) -> str:
            time = datetime.strptime(match[0], "%Y-%m-%d %H:%M:%S") + timedelta(minutes=50 * part)
            return time.strftime("%Y-%m-%d %H:%M:%S")

        text = re.sub(r"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?=,)", later, data)
        parts.append(uuid.sub(f"{part:04x}", text))
    log = tmp_path / "odoo.log"
    log.write_text("".join(parts))
    loki.now = NOW + 6 * 3600
    run = logparse("ship", "--loki", loki.url, "--once", "--settle", "2h", log)
    assert run.returncode == 0, run.stderr
    assert Counter(loki.lines) == Counter(logparse("events", "--settle", "2h", log).stdout.splitlines())
    late = {dict(labels)["event"] for labels in loki.store if dict(labels).get("late") == "true"}
    assert {"done", "failed"} <= late


def test_secrets_are_nowhere(loki: Loki, log: Path, started: Started, tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("s3cr3t-token\n")
    loki.login, loki.auth_enabled = "Bearer other", True
    process = started("ship", "--loki", loki.url, "--token-file", secret, "--tenant", "team-a", *QUICKLY, log)
    until(lambda: bool(loki.statuses), process)
    command = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    # The file is read anew, so that it may be replaced while it runs.
    loki.login = "Bearer next"
    secret.write_text("next\n")
    until(lambda: bool(loki.lines), process)
    said = stopped(process)
    assert "Loki does not know this login (401)" in said
    assert "Loki takes events again" in said
    assert b"s3cr3t" not in command
    assert "s3cr3t" not in said
    assert loki.headers[0]["Authorization"] == "Bearer s3cr3t-token"
    assert loki.headers[-1]["X-Scope-OrgID"] == "team-a"


def test_nobody_listens(log: Path, started: Started, tmp_path: Path) -> None:
    """It waits, says so once, and keeps what waits; SIGTERM ends it within two seconds."""
    process = started("ship", "--loki", "http://127.0.0.1:9", *QUICKLY, "--state", tmp_path / "state", log)
    assert process.stderr is not None
    line = next(line for line in process.stderr if "events wait" in line)
    assert "127.0.0.1:9 cannot be reached (Connection refused)" in line
    began = time.monotonic()
    said = stopped(process)
    assert time.monotonic() - began < 2
    assert "are kept for the next start" in said


def test_metrics_and_health(loki: Loki, log: Path, started: Started, tmp_path: Path) -> None:
    import urllib.error
    import urllib.request

    loki.status = 500
    process = started("ship", "--loki", loki.url, *QUICKLY, "--listen", "127.0.0.1:0", log)
    assert process.stderr is not None
    url = next(found[1] for line in process.stderr if (found := re.search(r"url=(\S+)", line)))

    def samples() -> dict[tuple[str, str], float]:
        with urllib.request.urlopen(f"{url}/metrics") as answer:  # noqa: S310
            text = answer.read().decode()
        return {
            (sample.name, "".join(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    until(lambda: samples().get(("logparse_ship_retries_total", "500"), 0) > 0, process)
    now = samples()
    assert now["logparse_ship_up", ""] == 0
    assert now["logparse_ship_waiting_events", ""] > 900
    assert now["logparse_ship_oldest_waiting_timestamp_seconds", ""] == pytest.approx(1795489410.277)
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(f"{url}/healthz")  # noqa: S310
    assert json.loads(error.value.read())["loki_error"] == "Loki has trouble itself (500)"
    loki.status = None
    until(lambda: samples()["logparse_ship_waiting_events", ""] == 0, process)
    now = samples()
    assert now["logparse_ship_sent_total", ""] == len(loki.lines)
    assert now["logparse_ship_dropped_total", "too_old"] == 0
    assert now["logparse_ship_up", ""] == 1
    assert now["logparse_bytes_total", str(log)] == log.stat().st_size
    assert not any(name.startswith("odoo_queue_job_") for name, _ in now)
    stopped(process)


def test_a_compressed_log_and_one_of_another_verb(
    loki: Loki, log: Path, logparse: Logparse, started: Started, tmp_path: Path
) -> None:
    packed = tmp_path / "odoo.log.1.gz"
    packed.write_bytes(gzip.compress(log.read_bytes()))
    assert logparse("ship", "--loki", loki.url, "--once", packed).returncode == 0
    assert len(loki.lines) == len(logparse("events", packed).stdout.splitlines())
    process = started("serve", "--listen", "127.0.0.1:0", "--state", tmp_path / "state", log)
    assert process.stderr is not None
    assert any("following" in line for line in process.stderr)
    stopped(process)
    run = logparse("ship", "--loki", loki.url, "--state", tmp_path / "state", log)
    assert run.returncode == 1
    assert "is the state of another verb (`serve`)" in run.stderr
