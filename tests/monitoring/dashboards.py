"""The committed dashboards: their panels and all that they ask."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent.parent / "monitoring" / "dashboards"
PATHS = sorted(FOLDER.glob("*.json"))
Json = dict[str, Any]

# What Grafana puts in for its own variables: here, what the tests' few seconds of data have.
_OWN = {"$__rate_interval": "1m", "$__range": "1h", "$__interval": "15s"}
_OURS = {"$instance": ".*", "$db": ".*", "$channel": ".*"}


def load(path: Path) -> Json:
    dashboard: Json = json.loads(path.read_text(encoding="utf-8"))
    return dashboard


def panels(dashboard: Json) -> list[Json]:
    """All panels, those within rows too, without the rows."""
    found = [one for panel in dashboard["panels"] for one in (panel, *panel.get("panels", []))]
    return [panel for panel in found if panel["type"] != "row"]


def asked(panel: Json, kind: str) -> list[Json]:
    """The queries of a panel to Prometheus or to Loki."""
    return [one for one in panel["targets"] if one["datasource"]["type"] == kind]


def queries() -> Iterator[tuple[str, Json, Json]]:
    """(dashboard, panel, query) of all that is asked of Prometheus."""
    for path in PATHS:
        for panel in panels(load(path)):
            for query in asked(panel, "prometheus"):
                yield path.stem, panel, query


def as_asked(expr: str) -> str:
    """An expression as Grafana sends it, with everything chosen."""
    for name, value in (*_OWN.items(), *_OURS.items()):
        expr = re.sub(re.escape(name) + r"\b", value, expr)
    return expr


def labels(query: Json) -> set[str]:
    """The labels that its series are named by."""
    return set(re.findall(r"\{\{(\w+)\}\}", query.get("legendFormat", "")))
