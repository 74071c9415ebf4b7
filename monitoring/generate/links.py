"""Where a panel leads: to the dashboard that shows more of what it is about."""

import re

from grafana_foundation_sdk.models import dashboard as models

_JOBS = ("odoo-queue-jobs", "Queue jobs: what happened to them")
_RUNNER = ("odoo-queue-job-runner", "Job runner and channels: capacity against load")
_ITSELF = ("logparse-itself", "logparse itself: does it read all")
_REQUESTS = ("odoo-requests", "Requests: what else the workers do")

# The first that a panel's metrics match; of its own dashboard, the one after it.
_ABOUT = (
    (re.compile(r"\bodoo_queue_job_(?:runner|channel|worker|unanswered)"), _RUNNER, _JOBS),
    (re.compile(r"\bodoo_http_"), _REQUESTS, _JOBS),
    (re.compile(r"\blogparse_"), _ITSELF, _JOBS),
    (re.compile(r"\bodoo_queue_job_"), _JOBS, _RUNNER),
)
_KEPT = "${__url_time_range}&${datasource:queryparam}&${instance:queryparam}&${db:queryparam}"


def link_of(uid: str, exprs: list[str]) -> models.DashboardLink:
    """The link of a panel of the dashboard `uid` that asks for these expressions."""
    text = " ".join(exprs)
    target, title = next(
        (other if more[0] == uid else more for pattern, more, other in _ABOUT if pattern.search(text)),
        _RUNNER,
    )
    return models.DashboardLink(
        title=title, type_val=models.DashboardLinkType.LINK, url=f"/d/{target}?{_KEPT}", keep_time=False
    )
