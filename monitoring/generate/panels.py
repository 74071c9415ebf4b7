"""Panels as all dashboards have them: each says what it shows, and at which level of the log it can."""

from collections.abc import Sequence
from typing import TypeVar

from grafana_foundation_sdk.builders import (
    common,
    dashboard,
    heatmap,
    logs,
    loki,
    prometheus,
    stat,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import heatmap as heatmap_models
from grafana_foundation_sdk.models import prometheus as prometheus_models

from monitoring.generate.level import level_of

PROMETHEUS = models.DataSourceRef("prometheus", "${datasource}")
LOKI = models.DataSourceRef("loki", "${loki}")

_NEEDS = {
    "any": "",
    "WARNING": "A log at WARNING shows it, too.",
    "INFO": "Needs a log at INFO, Odoo's default: below it there is nothing to show, which is not 0.",
    "DEBUG": "Needs DEBUG of `odoo.addons.queue_job`: at INFO there is nothing to show, which is not 0.",
}
_EMPTY = {
    "any": "nothing yet",
    "WARNING": "nothing yet",
    "INFO": "nothing yet, or not in this log: needs INFO",
    "DEBUG": "not in this log: needs DEBUG",
}
_RANK = ("any", "WARNING", "INFO", "DEBUG")

Panel = TypeVar("Panel", stat.Panel, timeseries.Panel, heatmap.Panel, table.Panel)

Step = tuple[float | None, str]
"""From which value on (None: from the beginning) which colour."""

GOOD: tuple[Step, ...] = ((None, "green"),)
NONE_IS_GOOD: tuple[Step, ...] = ((None, "green"), (1.0, "orange"))
UP_OR_DOWN = {"0": ("down", "red"), "1": ("up", "green")}


class Query:
    """An expression of PromQL, and the name of its series. instant: only its value now."""

    def __init__(self, expr: str, legend: str = "", *, instant: bool = False) -> None:
        self.expr = expr
        self.legend = legend
        self.instant = instant
        self.level = level_of(expr)

    def built(
        self, number: int, format: prometheus_models.PromQueryFormat | None = None
    ) -> Builder[Dataquery]:
        """The query with the number as its letter."""
        query = prometheus.Dataquery().datasource(PROMETHEUS).expr(self.expr).ref_id(chr(ord("A") + number))
        if self.legend:
            query = query.legend_format(self.legend)
        if format is not None:
            query = query.format(format)
        return query.instant() if self.instant else query.range()


def in_an_hour(series: str, by: str, legend: str) -> Query:
    """By how much a counter rose in an hour. by: labels."""
    return Query(f"sum by ({by}) (increase({series}[1h]))", legend)


def a_second(series: str, by: str, legend: str) -> Query:
    """By how much a counter rises in a second. by: labels."""
    return Query(f"sum by ({by}) (rate({series}[$__rate_interval]))", legend)


def number(
    title: str,
    what: str,
    *queries: Query,
    unit: str = "short",
    steps: Sequence[Step] = GOOD,
    names: dict[str, tuple[str, str]] | None = None,
    width: int = 4,
    decimals: int | None = None,
) -> stat.Panel:
    """Numbers of now, in the colour of the threshold that they are above. names: of values, with colours."""
    panel = (
        stat.Panel()
        .title(title)
        .height(4)
        .span(width)
        .unit(unit)
        .thresholds(_steps(steps))
        .color_mode(common_models.BigValueColorMode.VALUE)
        .graph_mode(common_models.BigValueGraphMode.AREA)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    )
    if decimals is not None:
        panel = panel.decimals(decimals)
    if names is not None:
        panel = panel.mappings(
            [
                models.ValueMap(
                    {
                        value: models.ValueMappingResult(text=text, color=color)
                        for value, (text, color) in names.items()
                    }
                )
            ]
        )
    for place, query in enumerate(queries):
        panel = panel.with_target(query.built(place))
    return _explained(panel, what, queries)


def lines(
    title: str,
    what: str,
    *queries: Query,
    unit: str = "short",
    steps: Sequence[Step] = (),
    stacked: bool = False,
    width: int = 8,
    links: Sequence[tuple[str, str]] = (),
) -> timeseries.Panel:
    """Series over time; thresholds are drawn as lines. links: (title, URL) of a point."""
    panel = (
        timeseries.Panel()
        .title(title)
        .height(8)
        .span(width)
        .unit(unit)
        .min(0)
        .fill_opacity(20 if stacked else 5)
        .show_points(common_models.VisibilityMode.AUTO)
        .legend(
            common.VizLegendOptions()
            .display_mode(common_models.LegendDisplayMode.LIST)
            .placement(common_models.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.MULTI))
    )
    if stacked:
        panel = panel.stacking(common.StackingConfig().mode(common_models.StackingMode.NORMAL))
    if steps:
        panel = panel.thresholds(_steps(steps)).thresholds_style(
            common.GraphThresholdsStyleConfig().mode(common_models.GraphThresholdsStyleMode.LINE)
        )
    if links:
        panel = panel.data_links([dashboard.DashboardLink(name).url(url) for name, url in links])
    for place, query in enumerate(queries):
        panel = panel.with_target(query.built(place))
    return _explained(panel, what, queries)


def buckets(title: str, what: str, query: Query, *, unit: str = "s", width: int = 8) -> heatmap.Panel:
    """A histogram over time, as a map of colours."""
    panel = (
        heatmap.Panel()
        .title(title)
        .height(8)
        .span(width)
        .calculate(False)
        .y_axis(heatmap.YAxisConfig().unit(unit).axis_placement(common_models.AxisPlacement.LEFT))
        .color(
            heatmap.HeatmapColorOptions()
            .mode(heatmap_models.HeatmapColorMode.SCHEME)
            .scheme("Oranges")
            .steps(64)
        )
        .with_target(query.built(0, prometheus_models.PromQueryFormat.HEATMAP))
    )
    return _explained(panel, what, [query])


def rows(
    title: str, what: str, *queries: Query, hidden: Sequence[str] = (), unit: str = "short", width: int = 8
) -> table.Panel:
    """A table of the series' labels and values. hidden: labels that nobody needs to see."""
    panel = table.Panel().title(title).height(8).span(width).unit(unit)
    for place, query in enumerate(queries):
        panel = panel.with_target(query.built(place, prometheus_models.PromQueryFormat.TABLE))
    if len(queries) > 1:
        panel = panel.with_transformation(models.DataTransformerConfig("merge", options={}))
    without = dict.fromkeys(("Time", "__name__", "job", *hidden), True)
    panel = panel.with_transformation(
        models.DataTransformerConfig("organize", options={"excludeByName": without})
    )
    return _explained(panel, what, queries)


def records(
    title: str, what: str, expr: str, *, fields: Sequence[str] = (), link: tuple[str, str, str] | None = None
) -> Builder[models.Panel]:
    """Lines of the log in Loki. fields: as a table of them; link: (field, title, URL) of its cells."""
    query = loki.Dataquery().datasource(LOKI).expr(expr).ref_id("A").max_lines(500)
    if not fields:
        return (
            logs.Panel()
            .title(title)
            .description(what)
            .height(12)
            .span(24)
            .datasource(LOKI)
            .no_value("nothing in Loki: is the right data source chosen, and does something send the log?")
            .show_time(True)
            .wrap_log_message(True)
            .enable_log_details(True)
            .with_target(query)
        )
    order = {name: place for place, name in enumerate(("Time", "timestamp", *fields))}
    panel = (
        table.Panel()
        .title(title)
        .description(what)
        .height(8)
        .span(24)
        .datasource(LOKI)
        .no_value("nothing in Loki: is the right data source chosen, and does something send the log?")
        .with_target(query)
        .with_transformation(
            models.DataTransformerConfig("extractFields", options={"source": "labels", "replace": False})
        )
        .with_transformation(
            models.DataTransformerConfig(
                # Grafana has two names for the time of a line.
                "filterFieldsByName",
                options={"include": {"names": ["Time", "timestamp", *fields]}},
            )
        )
        .with_transformation(models.DataTransformerConfig("organize", options={"indexByName": order}))
    )
    if link is not None:
        field, name, url = link
        panel = panel.override_by_name(
            field, [models.DynamicConfigValue("links", [{"title": name, "url": url, "targetBlank": False}])]
        )
    return panel


def _explained(panel: Panel, what: str, queries: Sequence[Query]) -> Panel:
    levels = [query.level for query in queries]
    lowest = min(levels, key=_RANK.index)
    said = [what, _NEEDS[lowest]]
    higher = [f"{query.legend or 'a part'} needs {query.level}" for query in queries if query.level != lowest]
    if higher:
        said.append("; ".join(higher) + ".")
    return panel.description(" ".join(filter(None, said))).no_value(_EMPTY[lowest]).datasource(PROMETHEUS)


def _steps(steps: Sequence[Step]) -> dashboard.ThresholdsConfig:
    return (
        dashboard.ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps([models.Threshold(value=value, color=color) for value, color in steps])
    )
