"""What all dashboards share: variables, links from one to the other, alerts as marks in time."""

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as models

from monitoring.generate.panels import PROMETHEUS

TAG = "odoo-queue-jobs"

INSTANCE = 'instance=~"$instance"'
"""Selects by the chosen logparse."""
DB = f'{INSTANCE},db=~"$db"'
JOB = f'{DB},channel=~"$channel"'
CHANNEL = f'{INSTANCE},channel=~"$channel"'

ALERTS = 'ALERTS{alertstate="firing",alertname=~"Odoo.*|Logparse.*",instance=~"$instance"}'


def new(
    uid: str,
    title: str,
    description: str,
    *,
    databases: str = "logparse_outcome_visible",
    channel: bool = True,
    logs: bool = False,
) -> dashboard.Dashboard:
    """A dashboard with nothing on it.

    databases: the metric that names them. channel, logs: whether it has those variables.
    """
    made = (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG])
        .time("now-6h", "now")
        .refresh("30s")
        .timezone("browser")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .editable()
        .link(
            dashboard.DashboardLink("Odoo")
            .type(models.DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .include_vars(True)
            .keep_time(True)
        )
        .with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .with_variable(_asked("instance", "logparse", "label_values(logparse_tracked_jobs, instance)"))
        .with_variable(_asked("db", "Database", f"label_values({databases}{{{INSTANCE}}}, db)"))
    )
    if channel:
        made = made.with_variable(
            _asked(
                "channel",
                "Channel",
                f'label_values({{__name__=~"odoo_queue_job_(jobs|channel_capacity)",{INSTANCE}}}, channel)',
                description="At INFO only the channels' capacity is known, and no job's channel: leave it at All.",
            )
        )
    if logs:
        made = made.with_variable(
            dashboard.DatasourceVariable("loki")
            .label("Loki")
            .type("loki")
            .description("Where there is one: the lines behind a job.")
        ).with_variable(
            dashboard.TextBoxVariable("uuid")
            .label("Job (uuid, or its beginning)")
            .default_value("")
            .description("Of which job the lines are shown.")
        )
    return made.annotation(
        dashboard.AnnotationQuery()
        .name("Alerts")
        .datasource(PROMETHEUS)
        .enable(True)
        .icon_color("red")
        .expr(ALERTS)
    )


def row(made: dashboard.Dashboard, title: str, *panels: Builder[models.Panel]) -> dashboard.Dashboard:
    """The dashboard with one more row of panels."""
    made = made.with_row(dashboard.Row(title))
    for panel in panels:
        made = made.with_panel(panel)
    return made


def _asked(name: str, label: str, query: str, *, description: str = "") -> dashboard.QueryVariable:
    """A variable whose values Prometheus knows; All is everything, also what has no value."""
    variable = (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(PROMETHEUS)
        .query({"query": query, "refId": name})
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(models.VariableOption(selected=True, text=["All"], value=["$__all"]))
    )
    return variable.description(description) if description else variable
