"""Loki's rules: well formed, and about labels and metadata that the pipeline gives."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from logparse.export.files import generate
from tests import recorded
from tests.export.facts import exported, lines
from tests.export.pipeline import Run

ROOT = Path(__file__).parent.parent.parent


def rules() -> list[dict[str, Any]]:
    text = yaml.safe_load((ROOT / "promtail" / "loki-rules.yaml").read_text(encoding="utf-8"))
    assert text.keys() == {"groups"}
    (group,) = text["groups"]
    assert group.keys() == {"name", "interval", "rules"}
    found: list[dict[str, Any]] = group["rules"]
    return found


def test_each_rule_has_a_name_of_its_own() -> None:
    names = [rule["record"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        assert rule.keys() == {"record", "expr"}
        assert re.fullmatch(r"odoo_queue_job_pipeline_[a-z_]+:[a-z0-9_]+", rule["record"])


def test_every_signal_has_a_rate() -> None:
    selector = re.compile(r'\{event="(\w+)", source!="logparse"\}')
    events = {event for rule in rules() for event in selector.findall(rule["expr"])}
    assert events == {signal.event for signal in exported()}
    assert any("quantile_over_time(0.95" in rule["expr"] for rule in rules())


def test_they_use_only_what_the_entries_have() -> None:
    stages = yaml.safe_load(generate("stages", recorded.patterns()))["pipeline_stages"]
    had: dict[str, set[str]] = {}
    for run in ("16.0-w2-debug", "18.0-w2-dead-info"):
        for entry in Run(stages, lines(run), {"job": "odoo"}).entries:
            had.setdefault(entry.labels.get("event", ""), set()).update(entry.labels, entry.metadata)
    for rule in rules():
        (event,) = set(re.findall(r'\{event="(\w+)", source!="logparse"\}', rule["expr"]))
        used = {
            name.strip() for names in re.findall(r"by \(([^)]*)\)", rule["expr"]) for name in names.split(",")
        }
        used |= set(re.findall(r"\| (?:unwrap )?([a-z]+)(?: !=|\s)", rule["expr"])) - {"unwrap"}
        assert event == "refused" or used <= had[event], rule


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["record"]))
def test_brackets_are_balanced(rule: dict[str, Any]) -> None:
    text = re.sub(r'"[^"]*"', "", rule["expr"])
    for left, right in ("()", "[]", "{}"):
        assert text.count(left) == text.count(right)
