"""The configurations of Prometheus, Alertmanager and Grafana: checked by their own tools, and run."""

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from logparse.out.http import DEFAULT_LISTEN
from tests.monitoring.serving import serving

MONITORING = Path(__file__).parent.parent.parent / "monitoring"
PROMETHEUS = MONITORING / "prometheus.yml"
ALERTMANAGER = MONITORING / "alertmanager.yml"
PROVISIONING = MONITORING / "grafana" / "provisioning"
Json = dict[str, Any]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def ask(url: str, data: object = None) -> Any:
    """The answer's JSON."""
    body = None if data is None else json.dumps(data).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return json.loads(answer.read() or b"null")


@contextmanager
def running(command: list[str], ready: str) -> Iterator[None]:
    """A program, once it answers at the address `ready` and until the test is over."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None, command
            assert time.monotonic() < deadline, "in vain"
            try:
                with urllib.request.urlopen(ready, timeout=10):  # noqa: S310
                    break
            except OSError:
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(30)


def alerts() -> dict[str, Json]:
    """The labels of each alert that the rules have."""
    groups = [
        group
        for file in (MONITORING / "rules").glob("*.yml")
        for group in yaml.safe_load(file.read_text())["groups"]
    ]
    return {rule["alert"]: rule["labels"] for group in groups for rule in group["rules"] if "alert" in rule}


@pytest.mark.needs_promtool
def test_promtool_finds_nothing(tmp_path: Path) -> None:
    ran = subprocess.run(["promtool", "check", "config", PROMETHEUS], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "1 rule files found" in ran.stdout
    copy = tmp_path / "prometheus.yml"
    copy.write_text(PROMETHEUS.read_text().replace("evaluation_interval", "evaluation_intervall"))
    assert subprocess.run(["promtool", "check", "config", copy], capture_output=True).returncode == 1


@pytest.mark.needs_promtool
def test_a_real_prometheus_takes_it(fixtures: Path, tmp_path: Path) -> None:
    """It scrapes what serves on the default address, here on another port, and loads all rules."""
    log = tmp_path / "odoo.log"
    log.write_bytes((fixtures / "16.0-w2-info" / "odoo.log").read_bytes())
    shutil.copytree(MONITORING / "rules", tmp_path / "rules")
    text = PROMETHEUS.read_text()
    assert text.count(DEFAULT_LISTEN) == 1
    url = f"http://127.0.0.1:{(port := free_port())}"
    with serving(log) as address:
        configuration = tmp_path / "prometheus.yml"
        configuration.write_text(text.replace(DEFAULT_LISTEN, address).replace("15s", "1s"))
        options = [f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={tmp_path / 'data'}"]
        with running(["prometheus", f"--config.file={configuration}", *options], f"{url}/-/ready"):
            query = f"{url}/api/v1/query?query=sum(odoo_queue_job_runs_total)"
            deadline = time.monotonic() + 60
            while not (found := ask(query)["data"]["result"]):
                assert time.monotonic() < deadline, "nothing is scraped"
                time.sleep(0.2)
            assert found[0]["value"][1] == "291"
            (target,) = ask(f"{url}/api/v1/targets")["data"]["activeTargets"]
            assert (target["health"], target["labels"]["job"]) == ("up", "odoo_queue_job")
            loaded = ask(f"{url}/api/v1/rules?type=alert")["data"]["groups"]
    assert {rule["name"] for group in loaded for rule in group["rules"]} == set(alerts())


def test_amtool_finds_nothing(tmp_path: Path) -> None:
    ran = subprocess.run(["amtool", "check-config", ALERTMANAGER], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    copy = tmp_path / "alertmanager.yml"
    copy.write_text(ALERTMANAGER.read_text().replace("receiver: on-call", "receiver: nobody"))
    assert subprocess.run(["amtool", "check-config", copy], capture_output=True).returncode == 1


def test_it_holds_no_secret_and_sends_nowhere_by_itself() -> None:
    """Only a mail server on this machine, and addresses that are nobody's (RFC 2606)."""
    configuration = yaml.safe_load(ALERTMANAGER.read_text())
    assert configuration["global"]["smtp_smarthost"].startswith("127.0.0.1:")
    for receiver in configuration["receivers"]:
        assert set(receiver) == {"name", "email_configs"}
        for mail in receiver["email_configs"]:
            assert mail["to"].endswith("@example.com")
            assert set(mail) == {"to", "send_resolved"}


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real one with this configuration, that finds no mail server."""
    folder = tmp_path_factory.mktemp("alertmanager")
    configuration = folder / "alertmanager.yml"
    assert ":25\n" in ALERTMANAGER.read_text()
    configuration.write_text(ALERTMANAGER.read_text().replace(":25\n", ":1\n"))
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = ["prometheus-alertmanager", f"--config.file={configuration}", "--cluster.listen-address="]
    options = [
        f"--web.listen-address=127.0.0.1:{port}",
        f"--storage.path={folder / 'data'}",
    ]
    with running([*command, *options], f"{url}/-/ready"):
        yield url


def fire(url: str, *names: str, instance: str, db: str = "prod") -> None:
    """Let these alerts fire at once for one Odoo."""
    end = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    common = {"job": "odoo_queue_job", "instance": instance, "db": db}
    fired = [{"labels": {"alertname": name, **common, **alerts()[name]}, "endsAt": end} for name in names]
    ask(f"{url}/api/v2/alerts", fired)


def told(url: str, instance: str) -> dict[str, tuple[str, bool]]:
    """(who is told, whether it is held back) of each of the alerts of one Odoo."""
    answer = ask(f"{url}/api/v2/alerts?filter=instance%3D%22{instance}%22")
    return {
        one["labels"]["alertname"]: (one["receivers"][0]["name"], bool(one["status"]["inhibitedBy"]))
        for one in answer
    }


def test_every_alert_reaches_somebody_by_its_severity(alertmanager: str) -> None:
    receivers = {"critical": "on-call", "warning": "team", "info": "team"}
    for name, labels in alerts().items():
        fire(alertmanager, name, instance=name)
        assert told(alertmanager, name) == {name: (receivers[labels["severity"]], False)}


CRITICAL = {"OdooQueueJobRunnerDown", "OdooQueueJobRunnerSilent", "OdooQueueJobNeverStarted", "LogparseDown"}


@pytest.mark.parametrize(
    ("cause", "held"),
    [
        ("LogparseDown", set(alerts()) - {"LogparseDown"}),
        ("OdooLogStale", {name for name in alerts() if name.startswith("OdooQueueJob")} - CRITICAL),
        ("LogparseBehind", {name for name in alerts() if name.startswith("OdooQueueJob")} - CRITICAL),
        (
            "OdooQueueJobRunnerDown",
            {"OdooQueueJobNeverStarted", "OdooQueueJobBacklogGrowing", "OdooQueueJobChannelSaturated"},
        ),
        ("OdooQueueJobNeverStarted", {"OdooQueueJobBacklogGrowing", "OdooQueueJobRunningTooLong"}),
        ("OdooQueueJobDeadJobs", set()),
    ],
)
def test_what_follows_from_another_is_held_back(alertmanager: str, cause: str, held: set[str]) -> None:
    others = set(alerts()) - {cause}
    for other in others:
        fire(alertmanager, cause, other, instance=f"{cause}-{other}")
    elsewhere = sorted(held)[:1]
    fire(alertmanager, *elsewhere, instance=f"{cause}-elsewhere")
    # Alertmanager takes alerts in one thread, and hears of those that hold others back in another.
    deadline = time.monotonic() + 20
    while True:
        found = {other: told(alertmanager, f"{cause}-{other}") for other in others}
        back = {other for other in others if found[other][other][1]}
        if back == held or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    assert back == held
    # The cause itself is told, where what follows does not hold it back in turn.
    assert not any(found[other][cause][1] for other in held)
    # Of another Odoo it says nothing.
    there = told(alertmanager, f"{cause}-elsewhere")
    assert {name: back for name, (_, back) in there.items()} == dict.fromkeys(elsewhere, False)


def test_every_alert_that_is_named_exists() -> None:
    named = set()
    for rule in yaml.safe_load(ALERTMANAGER.read_text())["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            label, _, value = matcher.partition(" ")
            if label == "alertname" and "*" not in value:
                named |= set(value.lstrip("!=~ ").strip('"').split("|"))
    assert named
    assert named <= set(alerts())
    assert {name for name, labels in alerts().items() if labels["severity"] == "critical"} == CRITICAL


def test_grafana_finds_the_dashboards_and_their_sources() -> None:
    """By the keys that Grafana's documentation has (administration/provisioning)."""
    (sources,) = [yaml.safe_load(file.read_text()) for file in (PROVISIONING / "datasources").iterdir()]
    assert sources["apiVersion"] == 1
    known = {"name", "uid", "type", "access", "url", "isDefault", "jsonData"}
    for source in sources["datasources"]:
        assert {"name", "type", "access", "url"} <= set(source) <= known
        assert source["url"].startswith("http://127.0.0.1:")
    assert [source["type"] for source in sources["datasources"] if source.get("isDefault")] == ["prometheus"]
    scraped = yaml.safe_load(PROMETHEUS.read_text())["global"]["scrape_interval"]
    assert sources["datasources"][0]["jsonData"]["timeInterval"] == scraped
    (dashboards,) = [yaml.safe_load(file.read_text()) for file in (PROVISIONING / "dashboards").iterdir()]
    assert dashboards["apiVersion"] == 1
    (provider,) = dashboards["providers"]
    assert provider["type"] == "file"
    assert Path(provider["options"]["path"]).is_absolute()
    keys = {
        "name",
        "orgId",
        "folder",
        "type",
        "disableDeletion",
        "allowUiUpdates",
        "updateIntervalSeconds",
        "options",
    }
    assert set(provider) == keys
    types = {source["type"] for source in sources["datasources"]}
    for file in (MONITORING / "dashboards").glob("*.json"):
        dashboard = json.loads(file.read_text())
        used = [variable for variable in dashboard["templating"]["list"] if variable["type"] == "datasource"]
        assert {variable["query"] for variable in used} <= types, file.name
