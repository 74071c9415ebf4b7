"""The dashboard *Requests*: what the web and RPC calls cost, by route and by model."""

from grafana_foundation_sdk.builders import dashboard

from monitoring.generate.base import DB, new, row
from monitoring.generate.panels import Query, buckets, lines, number, rows

P = "odoo_http_"
_OFF = "Counted where logparse runs with --http."


def build() -> dashboard.Dashboard:
    made = new(
        "odoo-requests",
        "Odoo: requests",
        f"Web and RPC calls, from the access lines. {_OFF}",
        databases="odoo_http_requests_total",
        channel=False,
    )
    for part in (_all, _routes, _models):
        made = part(made)
    return made


def _rate(name: str, by: str = "", more: str = "") -> str:
    return f"sum{by} (rate({P}{name}{{{DB}{more}}}[$__rate_interval]))"


def _quantile(share: float, name: str, by: str = "le") -> str:
    return f"histogram_quantile({share}, sum by ({by}) (rate({P}{name}_bucket{{{DB}}}[$__rate_interval])))"


def _all(made: dashboard.Dashboard) -> dashboard.Dashboard:
    errors = _rate("requests_total", more=',status=~"5.."')
    return row(
        made,
        "All requests",
        number("Requests", _OFF, Query(_rate("requests_total"), "requests"), unit="reqps", width=6),
        number(
            "Errors",
            f"Share that was answered with 5xx. Jobs that fail are among them (/queue_job/runjob). {_OFF}",
            Query(f"({errors} or vector(0)) / ({_rate('requests_total')} > 0)", "5xx"),
            unit="percentunit",
            steps=((None, "green"), (0.01, "orange"), (0.05, "red")),
            width=6,
        ),
        number(
            "p95",
            f"Within this time 95 of 100 requests were answered. {_OFF}",
            Query(_quantile(0.95, "request_duration_seconds"), "p95"),
            unit="s",
            width=6,
        ),
        number(
            "In SQL",
            f"Share of all requests' time. {_OFF}",
            Query(
                f"{_rate('request_sql_seconds_sum')} / ({_rate('request_duration_seconds_sum')} > 0)",
                "SQL",
            ),
            unit="percentunit",
            width=6,
        ),
        lines(
            "Requests by status",
            f"How many a second. {_OFF}",
            Query(_rate("requests_total", " by (status)"), "{{status}}"),
            unit="reqps",
            stacked=True,
        ),
        buckets(
            "Times",
            f"How many requests took how long. {_OFF}",
            Query(
                f"sum by (le) (increase({P}request_duration_seconds_bucket{{{DB}}}[$__rate_interval]))",
                "{{le}}",
            ),
        ),
        lines(
            "Workers that are busy",
            f"On average: seconds of requests in a second, jobs and the others. {_OFF}",
            Query(
                f'sum (rate({P}request_duration_seconds_sum{{{DB},route="/queue_job/runjob"}}[$__rate_interval]))',
                "jobs",
            ),
            Query(
                f'sum (rate({P}request_duration_seconds_sum{{{DB},route!="/queue_job/runjob"}}[$__rate_interval]))',
                "others",
            ),
            stacked=True,
        ),
    )


def _routes(made: dashboard.Dashboard) -> dashboard.Dashboard:
    return row(
        made,
        "By route",
        rows(
            "Where the time goes, in this time",
            f"Seconds of all requests of a route together. {_OFF}",
            Query(
                f"topk(20, sum by (db, method, route) (increase({P}request_duration_seconds_sum{{{DB}}}[$__range])))",
                instant=True,
            ),
            unit="s",
            width=12,
        ),
        rows(
            "Errors, in this time",
            f"Requests that were answered with 4xx or 5xx. {_OFF}",
            Query(
                f'topk(20, sum by (db, route, status) (increase({P}requests_total{{{DB},status=~"[45].."}}[$__range])) > 0)',
                instant=True,
            ),
            width=12,
        ),
        lines(
            "Requests",
            f"How many a second: the ten most. {_OFF}",
            Query(f"topk(10, {_rate('requests_total', ' by (route)')})", "{{route}}"),
            unit="reqps",
            width=6,
        ),
        lines(
            "p95",
            f"Within this time 95 of 100 requests of the route were answered. {_OFF}",
            Query(_quantile(0.95, "request_duration_seconds", "le, route"), "{{route}}"),
            unit="s",
            width=6,
        ),
        lines(
            "p95 of the time in SQL",
            f"Odoo 12.0 and later. {_OFF}",
            Query(_quantile(0.95, "request_sql_seconds", "le, route"), "{{route}}"),
            unit="s",
            width=6,
        ),
        lines(
            "p95 of the SQL queries",
            f"A route with thousands reads records one by one. Odoo 12.0 and later. {_OFF}",
            Query(_quantile(0.95, "request_sql_queries", "le, route"), "{{route}}"),
            width=6,
        ),
    )


def _models(made: dashboard.Dashboard) -> dashboard.Dashboard:
    by = "sum by (db, model, model_method)"

    def top(name: str) -> Query:
        return Query(f"topk(20, {by} (increase({P}{name}{{{DB}}}[$__range])) > 0)", instant=True)

    return row(
        made,
        "By model",
        rows(
            "Calls by model and method, in this time",
            "Requests whose path names both (`/web/dataset/call_kw/…`). " + _OFF,
            top("model_calls_total"),
        ),
        rows(
            "Time by model and method, in this time",
            f"Seconds of all those calls together. {_OFF}",
            top("model_call_seconds_total"),
            unit="s",
        ),
        rows(
            "Time in SQL by model and method, in this time",
            f"Seconds of all those calls together. {_OFF}",
            top("model_call_sql_seconds_total"),
            unit="s",
        ),
        rows(
            "Monitored calls, in this time",
            "As the addon `monitoring_log_requests` tells them, whatever their path; without the addon there "
            f"are none. The same requests are among the above. {_OFF}",
            top("monitored_requests_total"),
            width=12,
        ),
        rows(
            "Time that users waited for monitored calls, in this time",
            f"As the addon measured it. {_OFF}",
            top("monitored_request_seconds_total"),
            unit="s",
            width=12,
        ),
    )
