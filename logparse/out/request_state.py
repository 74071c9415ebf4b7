"""What is counted of HTTP requests, as plain data: to be saved, to go on from, and to be read at a scrape."""

import msgspec


class Measured(msgspec.Struct):
    """Observations in whole milliseconds (the log's own unit), or numbers of queries, so that sums are exact.

    counts: per bucket, not cumulated; the last one is above the last bound.
    """

    counts: list[int]
    sum: int = 0


class Route(msgspec.Struct):
    """The requests of one route; all texts are label values. statuses: how many were answered so.

    duration, sql, queries: of those whose access line tells them.
    """

    db: str
    method: str
    route: str
    duration: Measured
    sql: Measured
    queries: Measured
    statuses: dict[str, int] = {}


class Model(msgspec.Struct):
    """The requests that called one method of a model; all texts are label values.

    micros, sql_micros: microseconds, all together.
    """

    db: str
    model: str
    model_method: str
    count: int = 0
    micros: int = 0
    sql_micros: int = 0


class RequestState(msgspec.Struct):
    """Everything counted. Only types that JSON and MessagePack hold.

    millis, queries: the upper bounds of the histograms. monitored: as the addon
    monitoring_log_requests tells. learned: templates that were made of paths. overflow: how often a
    label's limit was hit.
    """

    millis: list[int]
    queries: list[int]
    routes: list[Route] = []
    models: list[Model] = []
    monitored: list[Model] = []
    learned: list[str] = []
    overflow: dict[str, int] = {}
