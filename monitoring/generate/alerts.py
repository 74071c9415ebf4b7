"""The alerts as a table, for docs/monitoring.md."""

from pathlib import Path
from typing import Any

import yaml

RULES = Path(__file__).resolve().parent.parent / "rules" / "odoo_queue_job.yml"


def table() -> str:
    """Name, severity, how long it must last, the log level that it needs, and its thresholds, as Markdown."""
    groups: list[dict[str, Any]] = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    recorded = {rule["record"]: str(rule["expr"]) for rule in rules if "record" in rule}
    rows = ["| alert | severity | for | needs | thresholds |", "|---|---|---|---|---|"]
    for rule in rules:
        if "alert" not in rule:
            continue
        name = rule["alert"]
        thresholds = sorted(_thresholds(str(rule["expr"]), recorded))
        values = ", ".join(f"`{one.rpartition(':')[2]}` {_number(recorded[one])}" for one in thresholds)
        level = rule["annotations"]["log_level"]
        rows.append(
            f"| [{name}](runbooks/{name}.md) | {rule['labels']['severity']} | {rule.get('for', 'at once')} | "
            f"{level} | {values or 'none'} |"
        )
    return "\n".join(rows) + "\n"


def _number(text: str) -> str:
    return f"{int(text):,}" if text.isdecimal() else text


def _thresholds(expr: str, recorded: dict[str, str]) -> set[str]:
    """Those that an expression compares with, itself or by what it is made of; not by what silences it."""
    used = {name for name in recorded if ":threshold:" in name and name in expr}
    for name in recorded:
        if ":threshold:" not in name and name in expr.partition(" unless ")[0]:
            used |= _thresholds(recorded[name], recorded)
    return used
