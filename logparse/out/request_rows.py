"""The series of the metrics of HTTP requests at one moment."""

from collections.abc import Callable, Iterator, Mapping

from logparse.out.exposition import Buckets, Row
from logparse.out.request_families import PREFIX
from logparse.out.request_state import Measured, Model, RequestState, Route
from logparse.out.rows import Moment


def _requests(now: Moment) -> Iterator[Row]:
    for one in _state(now).routes:
        for status, count in one.statuses.items():
            yield (one.db, one.method, one.route, status), count


def _models(
    kind: Callable[[RequestState], list[Model]], number: Callable[[Model], float]
) -> Callable[[Moment], Iterator[Row]]:
    def rows(now: Moment) -> Iterator[Row]:
        for one in kind(_state(now)):
            yield (one.db, one.model, one.model_method), number(one)

    return rows


def _measured(of: Callable[[Route], Measured], unit: float) -> Callable[[Moment], Iterator[Buckets]]:
    def series(now: Moment) -> Iterator[Buckets]:
        for one in _state(now).routes:
            found = of(one)
            if any(found.counts):
                yield (one.db, one.method, one.route), found.counts, found.sum / unit

    return series


def _state(now: Moment) -> RequestState:
    return now.state.requests or RequestState([], [])


REQUEST_ROWS: Mapping[str, Callable[[Moment], Iterator[Row]]] = {
    PREFIX + "requests_total": _requests,
    PREFIX + "model_calls_total": _models(lambda state: state.models, lambda one: one.count),
    PREFIX + "model_call_seconds_total": _models(lambda state: state.models, lambda one: one.micros / 1e6),
    PREFIX + "model_call_sql_seconds_total": _models(
        lambda state: state.models, lambda one: one.sql_micros / 1e6
    ),
    PREFIX + "monitored_requests_total": _models(lambda state: state.monitored, lambda one: one.count),
    PREFIX + "monitored_request_seconds_total": _models(
        lambda state: state.monitored, lambda one: one.micros / 1e6
    ),
}
"""By family name."""

REQUEST_HISTOGRAMS: Mapping[str, Callable[[Moment], Iterator[Buckets]]] = {
    PREFIX + "request_duration_seconds": _measured(lambda one: one.duration, 1000),
    PREFIX + "request_sql_seconds": _measured(lambda one: one.sql, 1000),
    PREFIX + "request_sql_queries": _measured(lambda one: one.queries, 1),
}
"""By family name; the bounds are the family's."""
