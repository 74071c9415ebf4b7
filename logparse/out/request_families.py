"""The metrics of HTTP requests by name; they are exposed where requests are counted (`--http`)."""

from logparse.out.family import Family

PREFIX = "odoo_http_"

DURATIONS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Upper bounds of requests' times, in seconds."""
QUERIES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10000.0)
"""Upper bounds of a request's number of SQL queries."""

ROUTE = ("db", "method", "route")
MODEL = ("db", "model", "model_method")

REQUEST_FAMILIES: tuple[Family, ...] = (
    Family(
        PREFIX + "requests_total",
        "counter",
        (*ROUTE, "status"),
        "HTTP requests that Odoo answered, each access line once; `route` is a template (docs/requests.md).",
        "INFO",
    ),
    Family(
        PREFIX + "request_duration_seconds",
        "histogram",
        ROUTE,
        "Time from the start of a request to its answer (Odoo 12.0 and later, and the evented port).",
        "INFO",
        "seconds",
        DURATIONS,
    ),
    Family(
        PREFIX + "request_sql_seconds",
        "histogram",
        ROUTE,
        "Time that a request spent in SQL (Odoo 12.0 and later).",
        "INFO",
        "seconds",
        DURATIONS,
    ),
    Family(
        PREFIX + "request_sql_queries",
        "histogram",
        ROUTE,
        "SQL queries of a request (Odoo 12.0 and later).",
        "INFO",
        "",
        QUERIES,
    ),
    Family(
        PREFIX + "model_calls_total",
        "counter",
        MODEL,
        "Requests whose path names a model and its method (`/web/dataset/call_kw/{model}/{method}` and the "
        "like); they are among `odoo_http_requests_total`, too.",
        "INFO",
    ),
    Family(
        PREFIX + "model_call_seconds_total",
        "counter",
        MODEL,
        "Time that those requests took, all together (Odoo 12.0 and later).",
        "INFO",
        "seconds",
    ),
    Family(
        PREFIX + "model_call_sql_seconds_total",
        "counter",
        MODEL,
        "Time of it that was spent in SQL (Odoo 12.0 and later).",
        "INFO",
        "seconds",
    ),
    Family(
        PREFIX + "monitored_requests_total",
        "counter",
        MODEL,
        "Requests of which the addon monitoring_log_requests told model and method, whatever their path; "
        "the same requests are among `odoo_http_requests_total`, so never add the two.",
        "INFO",
    ),
    Family(
        PREFIX + "monitored_request_seconds_total",
        "counter",
        MODEL,
        "Time that a user waited for those requests, as the addon measured it.",
        "INFO",
        "seconds",
    ),
)
"""In the order in which they are exposed, after all others."""
