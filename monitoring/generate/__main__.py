"""Writes the dashboards: `python -m monitoring.generate`; with `--check` it only tells which are stale."""

import sys
from pathlib import Path

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import loki, prometheus
from grafana_foundation_sdk.models.dashboard import Panel

from monitoring.generate import logparse_itself, queue_jobs, requests, runner
from monitoring.generate.links import link_of

FOLDER = Path(__file__).resolve().parent.parent / "dashboards"
DASHBOARDS = {
    "queue-jobs": queue_jobs.build,
    "runner-and-channels": runner.build,
    "requests": requests.build,
    "logparse": logparse_itself.build,
}


def text(made: dashboard.Dashboard) -> str:
    """The dashboard as JSON, as Grafana imports it. Each panel has a number, in order, and leads on."""
    built = made.build()
    panels = built.panels or []
    for number, panel in enumerate(panels, 1):
        panel.id_val = number
        if isinstance(panel, Panel):
            panel.links = [link_of(str(built.uid), _exprs(panel))]
    return JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False).encode(built) + "\n"


def _exprs(panel: Panel) -> list[str]:
    queries = [
        query for query in panel.targets or [] if isinstance(query, prometheus.Dataquery | loki.Dataquery)
    ]
    return [query.expr for query in queries]


def main(arguments: list[str]) -> int:
    """Exit status: 0, 1 where a dashboard is stale (--check), 2 for a wrong use."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m monitoring.generate [--check]", file=sys.stderr)
        return 2
    stale = 0
    for name, build in DASHBOARDS.items():
        path = FOLDER / f"{name}.json"
        new = text(build())
        if path.exists() and path.read_text(encoding="utf-8") == new:
            continue
        if arguments:
            stale = 1
            print(f"{path.name} is stale: run python -m monitoring.generate", file=sys.stderr)
        else:
            FOLDER.mkdir(exist_ok=True)
            path.write_text(new, encoding="utf-8")
            print(f"{path.name} written")
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
