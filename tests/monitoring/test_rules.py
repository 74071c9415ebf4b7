"""The rules: well formed, about metrics that there are, each alert with its page and its test."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from logparse.out.families import FAMILIES
from tests.monitoring import promql, promtool

pytestmark = pytest.mark.needs_promtool

ROOT = Path(__file__).parent.parent.parent
TESTS = ROOT / "monitoring" / "tests" / "alerts.yml"


def groups() -> dict[str, list[dict[str, Any]]]:
    text = yaml.safe_load(promtool.RULES.read_text(encoding="utf-8"))
    return {group["name"]: group["rules"] for group in text["groups"]}


def rules() -> list[dict[str, Any]]:
    return [rule for group in groups().values() for rule in group]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def name_of(rule: dict[str, Any]) -> str:
    return str(rule.get("alert", rule.get("record")))


def test_promtool_takes_the_rules() -> None:
    subprocess.run(["promtool", "check", "rules", str(promtool.RULES)], check=True, capture_output=True)


def test_the_tests_of_the_rules_hold() -> None:
    ran = subprocess.run(["promtool", "test", "rules", str(TESTS)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("alert", alerts(), ids=name_of)
def test_each_alert_is_tested_to_fire_and_to_be_silent(alert: dict[str, Any]) -> None:
    wanted = f'alertname="{alert["alert"]}"'
    asked = [
        one
        for test in yaml.safe_load(TESTS.read_text(encoding="utf-8"))["tests"]
        for one in test["promql_expr_test"]
        if one["expr"].startswith("ALERTS{") and wanted in one["expr"]
    ]
    assert any(
        'alertstate="firing"' in sample["labels"] for one in asked for sample in one.get("exp_samples", [])
    )
    assert any("exp_samples" not in one for one in asked)


@pytest.mark.parametrize("alert", alerts(), ids=name_of)
def test_each_alert_says_what_it_needs_and_where_to_read_on(alert: dict[str, Any]) -> None:
    assert alert["labels"].keys() == {"severity"}
    assert alert["labels"]["severity"] in ("critical", "warning", "info")
    said = alert["annotations"]
    assert said.keys() == {"summary", "description", "log_level", "runbook_url"}
    assert said["log_level"] in ("any", "WARNING", "INFO", "DEBUG")
    assert said["runbook_url"] == f"docs/runbooks/{alert['alert']}.md"
    assert (ROOT / said["runbook_url"]).is_file()


def test_there_is_no_page_without_an_alert() -> None:
    pages = {path.stem for path in (ROOT / "docs" / "runbooks").glob("*.md")}
    assert pages == {alert["alert"] for alert in alerts()}


def test_each_name_is_given_once() -> None:
    names = [name_of(rule) for rule in rules()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("rule", rules(), ids=name_of)
def test_a_rule_names_only_metrics_that_there_are(rule: dict[str, Any]) -> None:
    recorded = {one["record"] for one in rules() if "record" in one}
    text = str(rule["expr"]) + str(rule.get("annotations", ""))
    assert promql.metrics(text) <= promql.exposed() | recorded | {"up"}


@pytest.mark.parametrize("rule", rules(), ids=name_of)
def test_a_label_that_is_asked_for_is_one_of_the_metric(rule: dict[str, Any]) -> None:
    labels = {family.name: set(family.labels) for family in FAMILIES}
    for name, asked in promql.selectors(str(rule["expr"])):
        if name in labels:
            assert asked <= labels[name] | {"job", "instance"}


def test_thresholds_stand_in_one_place() -> None:
    thresholds = {rule["record"] for rule in groups()["odoo_queue_job_thresholds"]}
    others = [
        rule for name, group in groups().items() if name != "odoo_queue_job_thresholds" for rule in group
    ]
    used: set[str] = set()
    for rule in others:
        text = str(rule["expr"])
        used |= {name for name in promql.metrics(text) if ":threshold:" in name}
        # No number is compared with but 0, which tells whether there is anything.
        compared = re.findall(r"(?:[<>]=?|[=!]=)\s*(?:bool\s+)?(\d[\d.e]*)", re.sub(r'"[^"]*"', "", text))
        assert set(compared) <= {"0", "0.5"}, text
    assert used == thresholds


@pytest.mark.parametrize("rule", groups()["odoo_queue_job_thresholds"], ids=name_of)
def test_a_threshold_is_a_number_with_a_name(rule: dict[str, Any]) -> None:
    assert rule.keys() == {"record", "expr"}
    assert rule["record"].startswith("odoo_queue_job:threshold:")
    assert isinstance(rule["expr"], int | float)


def test_each_recorded_series_is_used() -> None:
    used = {name for rule in rules() for name in promql.metrics(str(rule["expr"]))}
    assert {rule["record"] for rule in rules() if "record" in rule} <= used
