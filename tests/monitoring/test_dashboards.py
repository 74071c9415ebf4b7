"""The dashboards: generated as committed, whole, and about metrics that there are."""

import re
import sys
from pathlib import Path

import pytest
from grafana_foundation_sdk.models.dashboard import Dashboard

from logparse.out.family import exposed
from monitoring.generate.__main__ import DASHBOARDS, FOLDER, main, text
from monitoring.generate.level import level_of
from tests.export import facts
from tests.monitoring import dashboards, promql
from tests.monitoring.dashboards import Json
from tests.monitoring.promtool import RULES

UNUSED: dict[str, str] = {}
"""Families that neither a panel nor a rule has, each with its reason: none."""

PANELS = [
    (path.stem, panel) for path in dashboards.PATHS for panel in dashboards.panels(dashboards.load(path))
]


def named(value: object) -> str:
    return str(value.get("title", value.get("refId"))) if isinstance(value, dict) else str(value)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_what_is_committed_is_what_is_generated(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text(encoding="utf-8") == text(DASHBOARDS[name]()), (
        "run python -m monitoring.generate"
    )


def test_a_stale_dashboard_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys.modules[main.__module__], "FOLDER", tmp_path)
    assert main(["--check"]) == 1
    assert main([]) == 0
    assert main(["--check"]) == 0
    (tmp_path / "requests.json").write_text("{}")
    assert main(["--check"]) == 1
    assert main(["--wrong"]) == 2


@pytest.mark.parametrize("path", dashboards.PATHS, ids=lambda path: path.stem)
def test_a_dashboard_is_whole(path: Path) -> None:
    made = dashboards.load(path)
    assert path.stem in DASHBOARDS
    assert Dashboard.from_json(made).title == made["title"]
    assert made["uid"]
    assert made["description"]
    numbers = [panel["id"] for panel in made["panels"]]
    assert len(set(numbers)) == len(numbers)
    variables = {one["name"] for one in made["templating"]["list"]}
    assert {"datasource", "instance", "db"} <= variables
    assert made["links"][0]["tags"] == made["tags"]
    used = set(re.findall(r"\$\{?(\w+)", path.read_text(encoding="utf-8")))
    assert {name for name in used if not name.startswith("__")} <= variables
    assert variables <= used | {"uuid"}
    places = [tuple(panel["gridPos"].get(key, 0) for key in "xywh") for panel in dashboards.panels(made)]
    for x, _, w, _ in places:
        assert x + w <= 24
    for place, (x, y, w, h) in enumerate(places):
        for x2, y2, w2, h2 in places[:place]:
            assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y, "two panels in one place"


def test_the_dashboards_have_names_of_their_own() -> None:
    made = [dashboards.load(path) for path in dashboards.PATHS]
    assert len({one["uid"] for one in made}) == len({one["title"] for one in made}) == len(made) == 4


def test_there_is_a_choice_of_data_source_database_channel_and_instance() -> None:
    made = dashboards.load(FOLDER / "queue-jobs.json")
    kinds = {one["name"]: one["type"] for one in made["templating"]["list"]}
    assert kinds == {
        "datasource": "datasource",
        "instance": "query",
        "db": "query",
        "channel": "query",
        "loki": "datasource",
        "uuid": "textbox",
    }


@pytest.mark.parametrize(("name", "panel"), PANELS, ids=named)
def test_a_panel_says_what_it_shows_and_when_it_cannot(name: str, panel: Json) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["noValue"]
    assert panel["datasource"]["uid"] in ("${datasource}", "${loki}")
    if panel["type"] in ("stat", "timeseries", "table") and panel["datasource"]["uid"] == "${datasource}":
        assert defaults["unit"]
    (link,) = panel["links"]
    assert link["title"]
    uid = re.fullmatch(r"/d/([a-z-]+)\?.*", link["url"])
    assert uid
    own = dashboards.load(FOLDER / f"{name}.json")["uid"]
    assert uid[1] in {dashboards.load(path)["uid"] for path in dashboards.PATHS} - {own}
    if panel["type"] == "stat":
        assert defaults["thresholds"]["steps"]
    levels = {level_of(query["expr"]) for query in dashboards.asked(panel, "prometheus")}
    for level in levels & {"INFO", "DEBUG"}:
        assert level in panel["description"]
    if levels and levels <= {"INFO", "DEBUG"}:
        assert "needs " + ("INFO" if "INFO" in levels else "DEBUG") in defaults["noValue"]


@pytest.mark.parametrize(
    ("expr", "level"),
    [
        ("odoo_queue_job_runs_total", "INFO"),
        ("sum(rate(odoo_queue_job_queue_wait_seconds_bucket[5m]))", "DEBUG"),
        ('odoo_queue_job_jobs{state="pending"}', "DEBUG"),
        ("odoo_queue_job_failed_total / odoo_queue_job_runs_total", "INFO"),
        ("odoo_queue_job_runner_errors_total", "WARNING"),
        ("logparse_lag_bytes", "any"),
        ("up", "any"),
    ],
)
def test_what_an_expression_needs(expr: str, level: str) -> None:
    assert level_of(expr) == level


@pytest.mark.parametrize(("name", "panel", "query"), list(dashboards.queries()), ids=named)
def test_a_query_names_only_metrics_and_labels_that_there_are(name: str, panel: Json, query: Json) -> None:
    expr = query["expr"]
    assert promql.metrics(expr) <= promql.exposed()
    labels = {exposed(family): {*family.labels, "job", "instance"} for family in promql.ALL}
    for metric, wanted in promql.selectors(expr):
        if metric != "ALERTS":
            assert wanted <= labels[re.sub(r"_(bucket|count|sum)$", "", metric)] | {"le"}


def test_every_metric_is_shown_or_watched() -> None:
    text = RULES.read_text(encoding="utf-8") + "".join(query["expr"] for _, _, query in dashboards.queries())
    used = {re.sub(r"_(bucket|count|sum)$", "", name) for name in promql.metrics(text)} | promql.metrics(text)
    assert {exposed(family) for family in promql.ALL} - used == set(UNUSED)


def test_a_jobs_lines_are_found_by_what_the_entries_in_loki_have() -> None:
    made = dashboards.load(FOLDER / "queue-jobs.json")
    asked = {
        panel["title"]: query["expr"]
        for panel in dashboards.panels(made)
        for query in dashboards.asked(panel, "loki")
    }
    assert len(asked) == 2
    for expr in asked.values():
        assert set(re.findall(r"[{,](\w+)=~", expr)) <= {"event", "db"}
        assert set(re.findall(r"\| (\w+) ", expr)) == {"job_uuid"}
    # Both senders: `logparse ship`, and the stages of Promtail and Alloy.
    shipped = (Path(__file__).parent.parent.parent / "logparse" / "out" / "loki.py").read_text()
    assert '"job_uuid"' in shipped
    stages = (Path(__file__).parent.parent.parent / "promtail" / "pipeline_stages.yaml").read_text()
    assert "job_uuid: uuid" in stages
    assert {"failed", "requeued", "refused"} <= {signal.event for signal in facts.exported()}


def test_a_uuid_leads_to_the_lines_of_its_job() -> None:
    made = dashboards.load(FOLDER / "queue-jobs.json")
    (panel,) = [one for one in dashboards.panels(made) if one["title"] == "Jobs that failed or went back"]
    (override,) = panel["fieldConfig"]["overrides"]
    assert override["matcher"] == {"id": "byName", "options": "job_uuid"}
    (links,) = override["properties"]
    (link,) = links["value"]
    assert link["url"].startswith(f"/d/{made['uid']}?")
    assert "var-uuid=${__value.raw}" in link["url"]
    (lines,) = [one for one in dashboards.panels(made) if one["title"] == "All lines of the job"]
    assert "$uuid" in lines["targets"][0]["expr"]
