"""What a pipeline that sees one record at a time can tell: the signals, and which patterns carry each."""

import msgspec

from logparse.export.line import END, OLD_END, ExportError
from logparse.match.pattern import Pattern, PatternSet
from logparse.match.versions import major_of

PREFIX = "odoo_queue_job_pipeline_"
"""Of every metric. Not `odoo_queue_job_`: without state a line means less, and both may run side by side."""

SOURCE, SHIPPED = "source", "logparse"
"""The label of the streams that `logparse ship` sends: what counts a pipeline's own leaves them out."""

BUCKETS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0, 14400.0)
"""Seconds; those of logparse's own histograms."""


class Signal(msgspec.Struct, frozen=True):
    """One kind of thing that a single record tells.

    event: the label's value. metric: the counter's name behind the prefix. help: of the counter.
    patterns: those whose records carry it. db: the group with the job's database; `record_db` for the
    record's own. label: a further label of the counter, or "". reasons: its value by the pattern's fact,
    where the label is `reason`.
    """

    event: str
    metric: str
    help: str
    patterns: tuple[Pattern, ...]
    db: str
    label: str = ""
    reasons: dict[str, str] = {}

    def end(self, pattern: Pattern) -> str:
        """How the records of `pattern` that count end.

        From 12.0 a line "postponed" follows the controller's line of a concurrency error; before, none does.
        So that one counts where no blank ends it, which is Odoo 11 and earlier.
        """
        return OLD_END if pattern.id == "ctl.op_error" else END


_REASONS = {"dispatch_reset": "timeout", "dead_requeued_or_failed": "dead"}


def signals(patterns: PatternSet, odoo: str | None = None) -> tuple[Signal, ...]:
    """The signals, in the order of a job's life; those without a pattern are left out.

    odoo: only patterns that cover this series, such as `16.0`; None: all. ExportError where it is none, or
    nothing is left.
    """
    major = None
    if odoo is not None and (major := major_of(odoo)) is None:
        raise ExportError(f"{odoo!r} is not an Odoo version; write it like 16.0")
    usable = [pattern for pattern in patterns.patterns if major is None or pattern.covers(major)]
    proven = [pattern for pattern in usable if pattern.confidence == "proves" and "uuid" in pattern.names]

    def of(*kinds: str) -> tuple[Pattern, ...]:
        return tuple(pattern for pattern in proven if pattern.kind in kinds)

    answers = tuple(
        pattern
        for pattern in usable
        if pattern.kind == "attempt_ended" and {"uuid", "status"} <= set(pattern.names)
    )
    tracebacks = tuple(
        pattern
        for pattern in usable
        if pattern.kind == "failed" and pattern.body == "exception" and pattern.confidence == "implies"
    )
    found = (
        Signal(
            "dispatched",
            "dispatched_total",
            "Times that the runner asked Odoo to run a job.",
            of("dispatched"),
            "db",
        ),
        Signal("started", "started_total", "Attempts that began (DEBUG).", of("started"), "record_db"),
        Signal(
            "answered",
            "runjob_responses_total",
            "Answers of Odoo to the runner: 200 is done or retried, 4xx and 5xx failed.",
            answers,
            "record_db",
            label="status",
        ),
        Signal("done", "done_total", "Jobs that succeeded (DEBUG).", of("done"), "record_db"),
        Signal(
            "failed",
            "failed_total",
            "Jobs that failed with an exception, by its class.",
            tracebacks,
            "record_db",
            label="exception",
        ),
        Signal(
            "retried",
            "retried_total",
            "Attempts that ended and will be repeated (DEBUG).",
            of("postponed", "postponed_concurrency"),
            "record_db",
        ),
        Signal(
            "requeued",
            "requeued_total",
            "Jobs that the runner took back: no worker took them in time, or their worker died.",
            of(*_REASONS),
            "",
            label="reason",
            reasons=_REASONS,
        ),
        Signal(
            "refused",
            "refused_total",
            "Jobs that a worker was asked to run and did not.",
            of("refused"),
            "record_db",
        ),
    )
    left = tuple(signal for signal in found if signal.patterns)
    if not left:
        raise ExportError(f"no pattern is of Odoo {odoo}; `logparse patterns list` tells the versions")
    return left


ACCESS = (
    r'^\S+ - - \[[^\]]+\] "(?P<method>GET|POST|HEAD|PUT|PATCH|DELETE|OPTIONS) \S+ HTTP/[0-9.]+" '
    r"(?P<status>\d{3}) (?:-|\d+)(?: (?:\d+|-) (?:(?P<sql_seconds>-?\d+\.\d+)|-)"
    r" (?:(?P<other_seconds>-?\d+\.\d+)|-)(?: (?:ro->rw|ro|rw|-))?)?$"
)
"""Any access line of werkzeug's (odoo/netsvc.py, PerfFilter, adds the numbers from 12.0)."""

CATCHERS = (
    r'"[^"\n]*[/\\](?:queue_job[/\\]controllers[/\\]main|connector[/\\]controllers[/\\]main'
    r'|queue_job_cron_jobrunner[/\\]models[/\\]queue_job)\.py"'
)
"""The file of a frame in which queue_job, the connector or the cron runner catches a job's exception."""

_FRAMES_AND_CLASS = (
    r"[^\n]*\n(?:(?:[ \t\r][^\n]*)?\n)*(?P<exception>[A-Za-z_][\w.<>]{0,299})[ \t\r]*(?::|\n|$)"
)
_TRACEBACK = r"Traceback \(most recent call last\):\r?\n  File "

_LAST_LINK = (
    r"(?s:.*)\n\r?\n(?:During handling of the above exception, another exception occurred"
    r"|The above exception was the direct cause of the following exception):\r?\n\r?\n"
)

EXCEPTIONS = (
    _TRACEBACK + _FRAMES_AND_CLASS,
    _LAST_LINK + _TRACEBACK + _FRAMES_AND_CLASS,
    _TRACEBACK + CATCHERS + _FRAMES_AND_CLASS,
)
"""The class of a job's exception, in a whole record; of those that match, the last is right.

It is the first line after the frames that is not indented: of the first traceback; of the last in a chain;
of the one whose first frame is where queue_job catches the exception, and so neither its cause's nor one
that its text quotes. An exception group is not read.
"""
