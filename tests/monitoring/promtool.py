"""Tests of rules for Prometheus' promtool, made of what was scraped."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.monitoring.scraped import Scraped

RULES = Path(__file__).parent.parent.parent / "monitoring" / "rules" / "odoo_queue_job.yml"
Alerts = Mapping[str, Sequence[Mapping[str, str]]]
"""The labels with which each alert fires, but for its severity and target."""


def groups() -> list[str]:
    """The names of the groups of rules, in their order: what an alert uses is recorded before it."""
    return [group["name"] for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]]


def run(tests: Mapping[str, Any], folder: Path) -> subprocess.CompletedProcess[str]:
    """`promtool test rules` of these tests."""
    file = folder / "tests.yml"
    file.write_text(yaml.safe_dump(tests, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True)


def fired(scraped: Scraped, *, labels: Sequence[str]) -> dict[str, Any]:
    """A test that asks which alerts fired at any moment, by name and by these labels."""
    end = (scraped.count - 1) * scraped.interval
    by = ", ".join(("alertname", *labels))
    return {
        "rule_files": [str(RULES)],
        "evaluation_interval": f"{scraped.interval}s",
        "group_eval_order": groups(),
        "tests": [
            {
                "interval": f"{scraped.interval}s",
                "input_series": series(scraped),
                "promql_expr_test": [
                    {
                        "expr": f'count by ({by}) (max_over_time(ALERTS{{alertstate="firing"}}[{end + 1}s]))',
                        "eval_time": f"{end}s",
                        "exp_samples": [],
                    }
                ],
            }
        ],
    }


def expect(test: dict[str, Any], alerts: Alerts) -> dict[str, Any]:
    """The same test, which holds where exactly these alerts fired."""
    test["tests"][0]["promql_expr_test"][0]["exp_samples"] = [
        {"labels": _selector("", {"alertname": name, **one}), "value": 1}
        for name, each in alerts.items()
        for one in each
    ]
    return test


def series(scraped: Scraped) -> list[dict[str, str]]:
    """As promtool has them; its time begins at 0, so times of the log are those since the first scrape."""
    return [
        {"series": _selector(name, dict(labels)), "values": " ".join(_values(name, values, scraped.start))}
        for (name, labels), values in scraped.series.items()
    ]


def _values(name: str, values: Sequence[float | None], start: int) -> list[str]:
    shift = start if name.endswith("timestamp_seconds") else 0
    shown: list[str] = []
    before: float | None = None
    for value in values:
        if value is None:
            # Prometheus marks a series that is no longer in a scrape.
            shown.append("_" if before is None else "stale")
        else:
            shown.append("Inf" if value == float("inf") else repr(value - shift))
        before = value
    return shown


def _selector(name: str, labels: Mapping[str, str]) -> str:
    inside = ",".join(f"{label}={_quoted(value)}" for label, value in labels.items())
    return f"{name}{{{inside}}}"


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
