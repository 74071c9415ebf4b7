"""What a replay tells of HTTP requests: the routes and models that took the most time, beside the jobs."""

import math
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from logparse.out.request_state import Model, Route

if TYPE_CHECKING:
    from logparse.out.requests import Requests

_RUNJOB = frozenset({"/queue_job/runjob", "/connector/runjob"})


class RouteTimes(msgspec.Struct, frozen=True):
    """The requests of one route; null: its access lines tell no numbers (Odoo 11 and earlier).

    seconds: all together. p50, p95: within 0.5 %. share: of the time of all requests. sql_share: of its
    time, spent in SQL. queries: a request, on average.
    """

    db: str | None
    method: str
    route: str
    count: int
    errors_4xx: int
    errors_5xx: int
    seconds: float | None
    share: float | None
    mean: float | None
    p50: float | None
    p95: float | None
    max: float | None
    sql_share: float | None
    queries: float | None


class ModelTimes(msgspec.Struct, frozen=True):
    """The requests that called a method of a model. seconds: all together. sql_share: of them, in SQL."""

    db: str | None
    model: str
    model_method: str
    count: int
    seconds: float
    sql_share: float | None


class RequestReport(msgspec.Struct, frozen=True):
    """count: access lines. seconds: of all requests; job_seconds: of those among them that ran jobs.

    attempts, attempt_seconds: of the jobs themselves, in the same period. routes: those with the most time,
    then the most requests. models: by path. monitored: as the addon monitoring_log_requests told; the same
    requests.
    """

    count: int
    errors_4xx: int
    errors_5xx: int
    seconds: float
    sql_share: float | None
    job_count: int
    job_seconds: float
    attempts: int
    attempt_seconds: float
    routes: list[RouteTimes]
    models: list[ModelTimes]
    monitored: list[ModelTimes]


def request_report(requests: "Requests", top: int, attempts: int, attempt_seconds: float) -> RequestReport:
    """The report of what was counted. attempts, attempt_seconds: of jobs, in the same period."""
    state = requests.to_state()
    times = requests.spread or {}
    seconds = sum(one.duration.sum for one in state.routes) / 1000
    sql = sum(one.sql.sum for one in state.routes) / 1000
    of_jobs = [one for one in state.routes if one.route in _RUNJOB]
    routes = [
        _route(one, times.get((one.db, one.method, one.route), Counter()), seconds) for one in state.routes
    ]
    routes.sort(key=lambda one: (-(one.seconds or 0), -one.count, one.db or "", one.route, one.method))
    return RequestReport(
        count=sum(one.count for one in routes),
        errors_4xx=sum(one.errors_4xx for one in routes),
        errors_5xx=sum(one.errors_5xx for one in routes),
        seconds=seconds,
        sql_share=sql / seconds if seconds else None,
        job_count=sum(sum(one.statuses.values()) for one in of_jobs),
        job_seconds=sum(one.duration.sum for one in of_jobs) / 1000,
        attempts=attempts,
        attempt_seconds=attempt_seconds,
        routes=routes[:top],
        models=_models(state.models, top),
        monitored=_models(state.monitored, top),
    )


def _route(one: Route, times: Counter[int], all_seconds: float) -> RouteTimes:
    count = sum(one.statuses.values())
    timed = sum(one.duration.counts)
    seconds, known = one.duration.sum / 1000, sum(one.queries.counts)
    return RouteTimes(
        db=one.db or None,
        method=one.method,
        route=one.route,
        count=count,
        errors_4xx=sum(number for status, number in one.statuses.items() if status[0] == "4"),
        errors_5xx=sum(number for status, number in one.statuses.items() if status[0] == "5"),
        seconds=seconds if timed else None,
        share=seconds / all_seconds if timed and all_seconds else None,
        mean=seconds / timed if timed else None,
        p50=_quantile(times, 0.5),
        p95=_quantile(times, 0.95),
        max=max(times) / 1000 if times else None,
        sql_share=one.sql.sum / one.duration.sum if known and one.duration.sum else None,
        queries=one.queries.sum / known if known else None,
    )


def _quantile(times: Counter[int], share: float) -> float | None:
    """The seconds at the rank ceil(share * count); times: how many took so many ms."""
    rank = math.ceil(share * times.total())
    for millis in sorted(times):
        rank -= times[millis]
        if rank <= 0:
            return millis / 1000
    return None


def _models(models: Iterable[Model], top: int) -> list[ModelTimes]:
    told = [
        ModelTimes(
            one.db or None,
            one.model,
            one.model_method,
            one.count,
            one.micros / 1e6,
            one.sql_micros / one.micros if one.sql_micros and one.micros else None,
        )
        for one in models
        if one.model
    ]
    told.sort(key=lambda one: (-one.seconds, -one.count, one.db or "", one.model, one.model_method))
    return told[:top]
