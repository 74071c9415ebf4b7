"""The pipeline of Promtail and Alloy: stages that make labels, metadata and counters of a job's records."""

import json
from collections.abc import Mapping
from typing import NamedTuple

from logparse.export.line import (
    COLOUR,
    DATABASE,
    NO_DATABASE,
    PREFIX,
    any_of,
    header,
    message_of,
    unnamed,
)
from logparse.export.signal import ACCESS, EXCEPTIONS, Signal
from logparse.match.interest import interest
from logparse.match.pattern import LEVELS, Pattern, PatternSet

IDLE = "168h"
"""How long a metric stays that nothing counts; a rare failure's must not go, and start at 0 again."""

MAX_LINES = 2000
"""Lines of a record; tracebacks are longer than Promtail's default of 128."""

MAX_WAIT = "3s"
"""How long a record's next line may be in coming."""

# A selector needs a label that is sure to be there; which ones an entry comes with, its user decides.
_MARKER = "odoo_queue_job"
_NO_DB = rf"^\S+ \S+ \S+ \S+ {NO_DATABASE} "
_SUM = (
    "{{ if .sql_seconds }}{{ addf .sql_seconds .other_seconds }}{{ else if .seconds }}{{ .seconds }}{{ end }}"
)
# Records that reach a signal's match have been taken apart: their time need not be looked at again.
_TAKEN_APART = r"\S+ \S+ \d+ "
_RECORD_LABELS = {"level": "level", "logger": "logger"}


class Stage(NamedTuple):
    """One stage. kind: Promtail's name for it. fields: its settings. stages: those inside a match."""

    kind: str
    fields: "Mapping[str, str | int | Metric] | tuple[str, ...]"
    stages: tuple["Stage", ...] = ()
    comment: str = ""


class Metric(NamedTuple):
    """One metric of a metrics stage; kind: `Counter` or `Histogram`; source: a value that must be there."""

    kind: str
    help: str
    source: str


def stages(signals: tuple[Signal, ...], *, http: bool = False) -> tuple[Stage, ...]:
    """The whole pipeline. http: also counts every access line."""
    patterns = tuple(pattern for signal in signals for pattern in signal.patterns)
    gates = tuple(text.decode() for text in interest(PatternSet(patterns, "", "")).literals)
    if http:
        gates = (*gates, " werkzeug: ")
    about_jobs = (
        Stage("labeldrop", (_MARKER,)),
        Stage("decolorize", {}, comment="What a terminal showed in colour."),
        Stage(
            "regex",
            {"expression": _record(patterns, http=http)},
            comment="Takes the record apart, if it is of a logger that the signals are made from.",
        ),
        Stage("labels", _RECORD_LABELS),
        *(_http() if http else ()),
        *(_match(signal) for signal in signals),
        Stage("labels", _RECORD_LABELS),
        Stage(
            "structured_metadata",
            {
                "pid": "pid",
                "job_uuid": "uuid",
                "duration": "duration",
                "status": "status",
                "exception": "exception",
            },
            comment="What has too many values for a label.",
        ),
    )
    return (
        Stage(
            "multiline",
            {
                "firstline": f"^{PREFIX}{COLOUR}{any_of(LEVELS)}",
                "max_wait_time": MAX_WAIT,
                "max_lines": MAX_LINES,
            },
            comment="A record is a header and all lines up to the next one: a traceback stays whole.",
        ),
        Stage("regex", {"expression": r"^(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) "}),
        Stage(
            "timestamp",
            {"source": "time", "format": "2006-01-02 15:04:05,000", "location": "UTC"},
            comment="Odoo writes UTC, whatever the host's zone.",
        ),
        Stage(
            "static_labels",
            {_MARKER: "1"},
            comment="Only for the next selector, which needs a label; it is taken off again.",
        ),
        Stage(
            "match",
            {"selector": _select(f'{_MARKER}="1"', ("|~", "|".join(any_of((gate,)) for gate in gates)))},
            about_jobs,
            comment="What follows is for records about jobs; all others pass as they are.",
        ),
        Stage("labeldrop", (_MARKER,)),
    )


def _select(matcher: str, *filters: tuple[str, str]) -> str:
    """A LogQL selector. In double quotes: Alloy's parser of selectors knows no others."""
    written = (f"{operator} {json.dumps(text, ensure_ascii=False)}" for operator, text in filters)
    return " ".join((f"{{{matcher}}}", *written))


def _record(patterns: tuple[Pattern, ...], *, http: bool) -> str:
    """A record's header, and its message without the blank that ends it."""
    loggers = dict.fromkeys(name for pattern in patterns for name in pattern.loggers)
    if http:
        loggers["werkzeug"] = None
    names = any_of(tuple(loggers)).removeprefix("(?:").removesuffix(")")
    return (
        rf"^\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d,\d{{3}} (?P<pid>\d+) (?P<level>{'|'.join(LEVELS)}) "
        rf"(?:{NO_DATABASE}|(?P<record_db>{DATABASE})) (?P<logger>{names}): "
        r"(?P<message>[^\r\n]*?) ?\r?(?:\n|$)"
    )


def _match(signal: Signal) -> Stage:
    """What is done with the records of one signal, and with no others: fields, labels, metrics."""
    patterns = signal.patterns
    level = any_of(tuple(dict.fromkeys(level for pattern in patterns for level in pattern.levels)))
    of_level = f'level=~"{level.removeprefix("(?:").removesuffix(")")}"'
    filters = [("!~", _NO_DB)] if all(pattern.db == "job" for pattern in patterns) else []
    filters.append(("|~", "|".join(_line(signal, pattern) for pattern in patterns)))
    return Stage(
        "match",
        {"selector": _select(of_level, *filters)},
        (
            *_fields(signal, of_level),
            Stage("labeldrop", tuple(_RECORD_LABELS)),
            *((Stage("labels", {"db": "record_db"}),) if signal.db else ()),
            *((Stage("labels", {"db": "db"}),) if signal.db == "db" else ()),
            *_metrics(signal),
            Stage("static_labels", {"event": signal.event}),
        ),
        comment=f"{signal.event}: {', '.join(pattern.id for pattern in patterns)}",
    )


def _line(signal: Signal, pattern: Pattern) -> str:
    """The record's first line; further ones may follow."""
    end = signal.end(pattern).removesuffix("$") + r"(?:\n|$)"
    return unnamed(header(pattern, prefix=_TAKEN_APART) + message_of(pattern, end))


def _fields(signal: Signal, of_level: str) -> list[Stage]:
    """Captures what the patterns name; of several regexes, those that do not match change nothing."""
    if signal.label == "exception":
        return [Stage("regex", {"expression": regex}) for regex in EXCEPTIONS]
    found = [
        Stage("regex", {"source": "message", "expression": regex})
        for regex in dict.fromkeys(pattern.regex for pattern in signal.patterns)
    ]
    for pattern in signal.patterns if signal.reasons else ():
        words = max(pattern.literals, key=len)
        reason = Stage("static_labels", {"reason": signal.reasons[pattern.kind]})
        found.append(Stage("match", {"selector": _select(of_level, ("|=", words))}, (reason,)))
    return found


def _metrics(signal: Signal) -> list[Stage]:
    # A traceback names no job; all other records do, and none is counted without.
    counter = Metric("Counter", signal.help, "message" if signal.label == "exception" else "uuid")
    found = []
    if signal.label == "status":
        seconds = "Seconds that Odoo took to answer the runner, of Odoo 12 and later."
        found += [
            Stage("template", {"source": "duration", "template": _SUM}),
            Stage("metrics", {"runjob_response_seconds": Metric("Histogram", seconds, "duration")}),
        ]
    if signal.label in ("status", "exception"):
        return [
            *found,
            Stage("labels", {signal.label: signal.label}),
            Stage("metrics", {signal.metric: counter}),
            Stage("labeldrop", (signal.label,)),
        ]
    return [*found, Stage("metrics", {signal.metric: counter})]


def _http() -> tuple[Stage, ...]:
    """Counts every access line, those of jobs too; the line itself gets nothing from it."""
    requests = Metric("Counter", "HTTP requests that Odoo answered.", "method")
    seconds = Metric("Histogram", "Seconds of an HTTP request, of Odoo 12 and later.", "http_seconds")
    access = Stage(
        "match",
        {"selector": _select('logger="werkzeug",level="INFO"', ("|~", r'\] "[A-Z]+ \S+ HTTP/'))},
        (
            Stage("regex", {"source": "message", "expression": ACCESS}),
            Stage("template", {"source": "http_seconds", "template": _SUM}),
            Stage("labeldrop", tuple(_RECORD_LABELS)),
            Stage("labels", {"db": "record_db", "method": "method", "status": "status"}),
            Stage("metrics", {"http_requests_total": requests}),
            Stage("metrics", {"http_request_seconds": seconds}),
            Stage("labeldrop", ("db", "method", "status")),
            Stage("labels", _RECORD_LABELS),
        ),
        comment="http: every access line",
    )
    return (access,)
