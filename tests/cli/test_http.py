"""HTTP requests through the program: `serve --http` counts what `replay --http` counts, also when killed."""

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.cli.test_serve import LISTEN, Served, end_of, pieces, samples

Logparse = Callable[..., subprocess.CompletedProcess[str]]
Started = Callable[..., subprocess.Popen[str]]
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]
PREFIX = "odoo_http_"


def of_requests(all_: Samples) -> Samples:
    return {key: value for key, value in all_.items() if key[0].startswith(PREFIX)}


def until_scraped(served: Served) -> None:
    served.until(lambda: served.get("/metrics")[0] == 200)


def test_serve_counts_what_replay_counts(
    logparse: Logparse, started: Started, fixtures: Path, tmp_path: Path
) -> None:
    """Of a log that grows in pieces, while the program is killed and started again."""
    data = (fixtures / "16.0-w2-info" / "odoo.log").read_bytes()
    data += end_of(data)
    log, state = tmp_path / "odoo.log", tmp_path / "state"
    log.touch()

    def serve() -> Served:
        options = ("--http", "--state", str(state), "--save-every", "0.05", "--start", "beginning")
        return Served(started("serve", *LISTEN, *options, str(log)))

    served = serve()
    for number, piece in enumerate(pieces(data)):
        with log.open("ab") as file:
            file.write(piece)
        if number % 7 == 3:
            until_scraped(served)
            served.process.send_signal(signal.SIGKILL)
            served.process.communicate(timeout=30)
            served = serve()
    ran = logparse("replay", "--http", "--metrics", str(log))
    expected = of_requests(samples(ran.stdout))
    assert sum(value for (name, _), value in expected.items() if name == PREFIX + "requests_total") == 310
    until_scraped(served)
    served.until(lambda: of_requests(served.samples()) == expected)
    assert served.stop()


def test_nothing_of_requests_without_the_option(logparse: Logparse, fixtures: Path) -> None:
    log = str(fixtures / "16.0-w2-info" / "odoo.log")
    plain = logparse("replay", "--metrics", log).stdout
    counted = logparse("replay", "--metrics", "--http", log).stdout
    assert PREFIX not in plain and "http.access" not in plain
    # And what is told of jobs is the same.
    jobs = [line for line in counted.splitlines() if line.startswith("odoo_queue_job_")]
    assert jobs == [line for line in plain.splitlines() if line.startswith("odoo_queue_job_")]


def test_replay_tells_of_routes(logparse: Logparse, fixtures: Path) -> None:
    log = str(fixtures / "16.0-w2-info" / "odoo.log")
    ran = logparse("replay", "--http", log)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "310 requests took" in ran.stdout
    assert "GET /queue_job/runjob" in ran.stdout
    report = json.loads(logparse("replay", "--http", "--json", "--top", "1", log).stdout)["requests"]
    assert (report["count"], report["job_count"], report["attempts"]) == (310, 291, 291)
    assert [one["route"] for one in report["routes"]] == ["/queue_job/runjob"]
    assert json.loads(logparse("replay", "--json", log).stdout)["requests"] is None


def test_a_client_writes_no_markup(logparse: Logparse, tmp_path: Path) -> None:
    """A path and a method are the client's: nothing of them reaches the terminal but known words."""
    log = tmp_path / "odoo.log"
    path, end = "/shop/[bold]%%1b[0m", "200 - 1 0.001 0.002"
    line = f'2026-11-24 03:00:0%d,000 7 INFO [red]x werkzeug: ::1 - - [x] "GET {path} HTTP/1.1" {end}'
    log.write_text("".join(line % number + "\n" for number in range(9)))
    ran = logparse("replay", "--http", str(log))
    assert ran.returncode == 0
    assert "GET /shop/{id}" in ran.stdout
    assert "9 requests took 27 ms" in ran.stdout


def test_the_environment_asks_for_it(logparse: Logparse, fixtures: Path) -> None:
    log = str(fixtures / "18.0-w2-dead-info" / "odoo.log")
    assert PREFIX in logparse("replay", "--metrics", log, env={"LOGPARSE_REPLAY_HTTP": "1"}).stdout


def test_what_holds_no_requests_is_said(logparse: Logparse, fixtures: Path, tmp_path: Path) -> None:
    log = str(fixtures / "16.0-w2-info" / "odoo.log")
    history = tmp_path / "out.om"
    result = logparse("replay", "--http", "--json", "--openmetrics", str(history), log)
    assert result.returncode == 0
    assert "what --openmetrics tells is of jobs" in result.stderr
    assert "odoo_http_" not in history.read_text(encoding="utf-8")
    assert "is of jobs" not in logparse("replay", "--http", "--json", log).stderr
