"""A real Prometheus that scrapes real logparses while their logs are written: all that panels and rules ask.

Each target has the name of the recorded run whose log it follows. What is asked is asked of the run that can
show it.
"""

import json
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitoring.generate.level import level_of
from tests import recorded
from tests.monitoring import dashboards, promql, promtool
from tests.monitoring.serving import environment, serving
from tests.monitoring.test_configuration import free_port, running

pytestmark = pytest.mark.needs_promtool

INFO, DEBUG, ROTATED = "16.0-w2-info", "18.0-w2-debug", "12.0-w2-rotate-rename"
JSON, PORT, BLIND = "16.0-json-w2-info", "17.0-w2-badport", "16.0-werkzeug-silenced-info"
SHIP = "ship"
OPTIONS = {INFO: ("--state", "state"), JSON: ("--http",), PORT: ("--http",)}
"""The runs whose logs are served, and how."""
PIECES = 8

# Which run shows what the run at INFO or DEBUG does not.
SHOWN_BY = {
    # Most releases of queue_job write no line of it; 12.0 does.
    "odoo_queue_job_cancelled_": ROTATED,
    "odoo_http_monitored_": PORT,
    "odoo_http_": JSON,
    "logparse_ship_": SHIP,
    "logparse_rotations_": ROTATED,
    "logparse_unmatched_": PORT,
    "odoo_queue_job:never_started": PORT,
    "odoo_queue_job:runner_crashes": PORT,
    "odoo_queue_job:blind": BLIND,
}
UNKNOWN = b"%s 14509 INFO ? odoo.addons.queue_job.jobrunner.runner: asked Odoo to do something \n"
CRASH = b"%s 14509 ERROR ? odoo.addons.queue_job.jobrunner.runner: exception: sleeping 5s and retrying \n"
MONITORED = (
    b"%s 14501 INFO prod monitoring.http.requests: "
    b'{"duration": 0.25, "method": "POST", "path": "/web/dataset/call_kw", "model": "res.partner", '
    b'"model_method": "read", "uid": 2} \n'
)


def pieces_of(run: str) -> list[bytes]:
    """A run's log, in pieces that end anywhere; of the closed port, until it is stopped.

    That one goes on with lines that a later release, an add-on, and a runner that crashes would write.
    """
    text = b"".join(recorded.texts(run).values())
    if run != PORT:
        return list(cut(text, PIECES))
    text = text[: text.rfind(b"\n", 0, text.rfind(b"Stopping gracefully")) + 1]
    at = re.findall(rb"^(\d{4}-\S+ \S+) ", text, re.MULTILINE)[-1]
    return [*cut(text, PIECES // 2), *([UNKNOWN % at + MONITORED % at + CRASH % at] * (PIECES // 2))]


def cut(text: bytes, number: int) -> Iterator[bytes]:
    """As many pieces of one size."""
    size = len(text) // number + 1
    for start in range(0, number * size, size):
        yield text[start : start + size]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of one that has scraped the runs' logs while they were written, and evaluated the rules."""
    folder = tmp_path_factory.mktemp("live")
    runs = [INFO, DEBUG, ROTATED, JSON, PORT, BLIND]
    logs = {run: folder / run / "odoo.log" for run in runs}
    for log in logs.values():
        log.parent.mkdir()
        log.touch()
    with ExitStack() as stack:
        targets = {}
        for run, log in logs.items():
            options = [str(log.parent / one) if one == "state" else one for one in OPTIONS.get(run, ())]
            targets[run] = stack.enter_context(serving(log, *options))
        targets[SHIP] = stack.enter_context(shipping(logs[INFO]))
        url = stack.enter_context(scraping(targets, folder))
        wait(lambda: len(ask(url, "up == 1")) == len(targets))
        pieces = {run: pieces_of(run) for run in runs}
        for number in range(PIECES):
            for run, log in logs.items():
                if run == ROTATED and number == PIECES // 2:
                    log.rename(log.with_name("odoo.log.1"))
                with log.open("ab") as file:
                    file.write(pieces[run][number])
            time.sleep(0.6)
        wait(lambda: not ask(url, 'logparse_lag_bytes > 0 or logparse_bytes_total{instance!="ship"} == 0'))
        wait(lambda: all(rule["lastEvaluation"] > "1" for rule in rules(url)))
        wait(lambda: ask(url, "odoo_queue_job:never_started:jobs > 0"))
        # The last lines are read, and have been scraped twice.
        wait(lambda: ask(url, "increase(logparse_unmatched_records_total[1h])"))
        wait(lambda: ask(url, "increase(odoo_http_monitored_requests_total[1h])"))
        wait(lambda: ask(url, "increase(odoo_queue_job_cancelled_total[1h])"))
        yield url


def scraping(targets: dict[str, str], folder: Path) -> Any:
    port = free_port()
    configuration = folder / "prometheus.yml"
    configuration.write_text(
        yaml.safe_dump(
            {
                "global": {"scrape_interval": "500ms", "evaluation_interval": "1s"},
                "rule_files": [str(promtool.RULES)],
                "scrape_configs": [
                    {
                        "job_name": "odoo_queue_job",
                        "static_configs": [
                            {"targets": [address], "labels": {"instance": run}}
                            for run, address in targets.items()
                        ],
                    }
                ],
            }
        )
    )
    url = f"http://127.0.0.1:{port}"
    command = ["prometheus", f"--config.file={configuration}", f"--web.listen-address=127.0.0.1:{port}"]
    return _Url(running([*command, f"--storage.tsdb.path={folder / 'data'}"], f"{url}/-/ready"), url)


class _Url:
    """A context that gives an address."""

    def __init__(self, inner: Any, url: str) -> None:
        self._inner, self._url = inner, url

    def __enter__(self) -> str:
        self._inner.__enter__()
        return self._url

    def __exit__(self, *error: object) -> None:
        self._inner.__exit__(*error)


class shipping:
    """A `logparse ship` to a Loki that is not there; the address of its metrics."""

    def __init__(self, log: Path) -> None:
        self._said = log.parent / "ship.said"
        port = free_port()
        self._address = f"127.0.0.1:{port}"
        nowhere = f"http://127.0.0.1:{free_port()}"
        program = [sys.executable, "-m", "logparse", "ship", "--loki", nowhere]
        options = ["--state", str(log.parent / "ship"), "--start", "beginning", "--batch-wait", "0.1"]
        self._command = [*program, *options, "--listen", self._address, str(log)]

    def __enter__(self) -> str:
        with self._said.open("w") as errors:
            self._process = subprocess.Popen(self._command, stderr=errors, env=environment())
        return self._address

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()


def wait(true: Any) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.2)


def api(url: str, path: str, **parameters: str) -> Any:
    query = urllib.parse.urlencode(parameters)
    with urllib.request.urlopen(f"{url}/api/v1/{path}?{query}", timeout=30) as answer:  # noqa: S310
        return json.load(answer)["data"]


def ask(url: str, query: str) -> list[dict[str, Any]]:
    """The series of an instant query; Prometheus refuses what it cannot parse."""
    data = api(url, "query", query=query)
    assert data["resultType"] == "vector"
    result: list[dict[str, Any]] = data["result"]
    return result


def rules(url: str) -> list[dict[str, Any]]:
    return [rule for group in api(url, "rules")["groups"] for rule in group["rules"]]


def shown_by(expr: str) -> str:
    """The run that shows an expression."""
    names = promql.metrics(expr)
    for start, run in SHOWN_BY.items():
        if any(name.startswith(start) for name in names):
            return run
    return DEBUG if level_of(expr) == "DEBUG" else INFO


def test_every_query_of_every_panel_has_data_with_its_labels(prometheus: str) -> None:
    asked, empty = 0, []
    for name, panel, query in dashboards.queries():
        expr = query["expr"]
        run = shown_by(expr)
        found = ask(prometheus, dashboards.as_asked(expr.replace("$instance", run)))
        where = f"{name}: {panel['title']}: {expr} on {run}"
        asked += 1
        if not found:
            empty.append(where)
            continue
        labels = dashboards.labels(query) | promql.grouped(expr)
        shown = {label for one in found for label in one["metric"]}
        # At INFO no line tells a job's channel; a log of one server has no name for it.
        absent = {"server", "channel"} if run != DEBUG else {"server"}
        if "_channel_" in expr:  # of a runner, for all its databases
            absent = {"server", "db"}
        assert labels - absent <= shown, where
        if "db" in labels and run in (INFO, DEBUG) and "channel_" not in expr:
            assert any(one["metric"].get("db", "").startswith("qj") for one in found), where
    assert empty == []
    assert asked > 80


def test_every_variable_has_values(prometheus: str) -> None:
    asked = 0
    for path in dashboards.PATHS:
        for variable in dashboards.load(path)["templating"]["list"]:
            if variable["type"] != "query":
                continue
            text = dashboards.as_asked(variable["query"]["query"])
            match = re.fullmatch(r"label_values\((.*), (\w+)\)", text)
            assert match, text
            values = api(prometheus, f"label/{match[2]}/values", **{"match[]": match[1]})
            assert any(values), text
            asked += 1
    assert asked >= 8


def test_every_rule_is_evaluated_without_an_error(prometheus: str) -> None:
    found = rules(prometheus)
    assert {rule["name"] for rule in found} == {
        rule.get("alert", rule.get("record"))
        for group in yaml.safe_load(promtool.RULES.read_text())["groups"]
        for rule in group["rules"]
    }
    assert [(rule["name"], rule.get("lastError")) for rule in found if rule["health"] != "ok"] == []


def test_every_recorded_series_has_data_with_its_labels(prometheus: str) -> None:
    for rule in rules(prometheus):
        if rule["type"] != "recording":
            continue
        name = rule["name"]
        if ":threshold:" in name:
            (one,) = ask(prometheus, name)
            assert set(one["metric"]) == {"__name__"}
            continue
        run = shown_by(name if any(map(name.startswith, SHOWN_BY)) else f"{name} {rule['query']}")
        found = ask(prometheus, f'{name}{{instance="{run}"}}')
        assert found, (name, run)
        for one in found:
            assert {"job", "instance"} <= one["metric"].keys()
        if "db" in promql.grouped(rule["query"]):
            assert all(one["metric"].get("db") for one in found), name


def test_what_each_alert_asks_can_be_asked(prometheus: str) -> None:
    # Whether it fires is for other tests. Here: Prometheus takes it; and a log of the past is stale.
    for rule in rules(prometheus):
        if rule["type"] == "alerting":
            ask(prometheus, rule["query"])
    stale = ask(prometheus, 'ALERTS{alertname="OdooLogStale",alertstate="firing"}')
    assert {one["metric"]["instance"] for one in stale} >= {INFO, DEBUG}


def test_no_series_is_exposed_that_no_family_announces(prometheus: str) -> None:
    names = set(api(prometheus, "label/__name__/values"))
    ours = {name for name in names if name.startswith(("odoo_queue_job_", "odoo_http_", "logparse_"))}
    assert ours <= promql.exposed()
    # And every family has a series somewhere in these runs.
    assert promql.exposed() - ours == set()
