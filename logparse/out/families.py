"""The metrics by name: the kind, the labels and the meaning of every family that is exposed."""

from typing import Literal

import msgspec

Kind = Literal["counter", "gauge", "histogram", "info"]

SECONDS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0, 14400.0)
"""Default upper bounds of the histograms in seconds; +Inf follows."""
ATTEMPTS = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 20.0, 50.0)
"""Upper bounds of `attempts`: five is queue_job's own default of max_retries."""
QUERIES = (10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10000.0, 50000.0)
"""Upper bounds of `sql_queries`."""

PREFIX = "odoo_queue_job_"
JOB = ("db", "channel")
CHANNEL = ("db", "channel", "server")


class Family(msgspec.Struct, frozen=True):
    """One metric family.

    name: as exposed, with `_total` or `_info` where the kind has it.
    labels: in the order in which their values are given.
    help: one sentence, the HELP text.
    level: the lowest verbosity of the log at which it shows something: WARNING, INFO, DEBUG (of
        `odoo.addons.queue_job`), or `any`.
    unit: of the values, where the name ends with it (OpenMetrics' UNIT).
    bounds: of a histogram, where they are not those in seconds that can be set.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    level: str = "any"
    unit: Literal["", "seconds", "bytes"] = ""
    bounds: tuple[float, ...] = ()


def _job(name: str, kind: Kind, help: str, level: str, labels: tuple[str, ...] = JOB) -> Family:
    unit: Literal["", "seconds"] = "seconds" if name.endswith("_seconds") else ""
    bounds = {"attempts": ATTEMPTS, "sql_queries": QUERIES}.get(name, ())
    return Family(PREFIX + name, kind, labels, help, level, unit, bounds)


def _tool(
    name: str,
    kind: Kind,
    labels: tuple[str, ...],
    help: str,
    unit: Literal["", "seconds", "bytes"] = "",
) -> Family:
    return Family("logparse_" + name, kind, labels, help, "any", unit)


FAMILIES: tuple[Family, ...] = (
    _job(
        "queued_total",
        "counter",
        "Jobs that a line showed waiting for the first time; only lines at DEBUG show it.",
        "DEBUG",
    ),
    _job(
        "dispatched_total",
        "counter",
        "Dispatches: how often the runner asked Odoo to run a job, whether or not a worker took it up.",
        "INFO",
    ),
    _job(
        "started_total",
        "counter",
        "Attempts that began; at INFO told by the access line, so only once the attempt has ended.",
        "INFO",
    ),
    _job(
        "done_total",
        "counter",
        "Jobs done; at INFO told only when no further dispatch followed within the settle time.",
        "INFO",
    ),
    _job(
        "failed_total",
        "counter",
        "Attempts after which the job stayed failed; at WARNING only those that a line ties to their job.",
        "WARNING",
    ),
    _job(
        "retried_total",
        "counter",
        "Attempts that ended with the job going back to wait (RetryableJobError, a concurrency error); "
        "at INFO told by the next dispatch of the job.",
        "INFO",
    ),
    _job(
        "refused_total",
        "counter",
        "Dispatches that reached a worker which did not run the job, because it was gone, locked or not "
        "enqueued.",
        "WARNING",
    ),
    _job(
        "cancelled_total",
        "counter",
        "Jobs that a line showed cancelled; most versions write no such line at any level.",
        "WARNING",
    ),
    _job(
        "lost_total",
        "counter",
        "Attempts that can no longer end, because their worker or server is gone and nothing took the job "
        "back.",
        "INFO",
    ),
    _job(
        "failed_by_exception_total",
        "counter",
        "Failures by the dotted class name that the job's own traceback names; empty where no line told "
        "it, `other` beyond the limit of classes for a database.",
        "WARNING",
        ("db", "exception"),
    ),
    _job(
        "requeued_total",
        "counter",
        "Jobs that went back to wait without an end of their attempt: `dead` worker, `timeout` of the "
        "dispatch, `manual` (DEBUG), `unknown` (dispatched again after settling).",
        "WARNING",
        (*JOB, "reason"),
    ),
    _job(
        "runs_total",
        "counter",
        "Attempts that ended, whatever way, counted at once: before they settle as done, failed or retried.",
        "INFO",
    ),
    _job(
        "unanswered_total",
        "counter",
        "Dispatches whose request broke off within a second, without an answer: `unreached`, nobody listened "
        "where the runner asks; `broken`, the connection was lost, as when the worker dies.",
        "WARNING",
        (*JOB, "reason"),
    ),
    _job(
        "run_duration_seconds",
        "histogram",
        "Time from the start of an attempt to its end.",
        "INFO",
    ),
    _job(
        "dispatch_delay_seconds",
        "histogram",
        "Time from a dispatch to the start of the attempt: how long it waited for a free worker.",
        "INFO",
    ),
    _job(
        "queue_wait_seconds",
        "histogram",
        "Time from the first sight of a job to its first dispatch; only lines at DEBUG show it.",
        "DEBUG",
    ),
    _job(
        "attempts",
        "histogram",
        "Attempts that a job had taken when it was done or failed; a job that is run again is counted at "
        "each such end.",
        "INFO",
    ),
    _job(
        "sql_queries",
        "histogram",
        "SQL queries of an attempt, as its access line tells them (Odoo 12.0 and later).",
        "INFO",
    ),
    _job(
        "sql_seconds",
        "histogram",
        "Time that an attempt spent in SQL, as its access line tells it (Odoo 12.0 and later).",
        "INFO",
    ),
    _job(
        "jobs",
        "gauge",
        "Jobs that are open now by state: at INFO `dispatched` (enqueued or running, not told apart) and "
        "`unsettled`, at DEBUG `pending`, `enqueued`, `started` and `unsettled`.",
        "INFO",
        (*JOB, "state"),
    ),
    _job(
        "oldest_timestamp_seconds",
        "gauge",
        "Since when the oldest open job of that state has been in it (Unix time of the log's clock).",
        "INFO",
        (*JOB, "state"),
    ),
    _job(
        "most_attempts",
        "gauge",
        "Most attempts that any job that is open now has taken; a job that ended with 200 is open until it "
        "settles.",
        "INFO",
    ),
    _job(
        "channel_capacity",
        "gauge",
        "Jobs that the channel may run at once, +Inf where it has no limit, as the runner's last line "
        "told (INFO where the configuration is printed, else DEBUG).",
        "INFO",
        CHANNEL,
    ),
    _job(
        "channel_pending",
        "gauge",
        "Jobs waiting in the channel, as the runner's last line told; a parent contains its children.",
        "DEBUG",
        CHANNEL,
    ),
    _job(
        "channel_running",
        "gauge",
        "Jobs of the channel that are enqueued or started, as the runner's last line told; a parent "
        "contains its children.",
        "DEBUG",
        CHANNEL,
    ),
    _job(
        "channel_failed",
        "gauge",
        "Failed jobs that the runner knows in the channel, old ones included, as its last line told; a "
        "parent contains its children.",
        "DEBUG",
        CHANNEL,
    ),
    _job(
        "runner_up",
        "gauge",
        "1 from a start of the runner's process (also as standby) to its stop, crash or a restart of the "
        "server, then 0; a kill -9 shows only in the last activity.",
        "INFO",
        ("server",),
    ),
    _job("runner_starts_total", "counter", "Starts of the runner.", "INFO", ("server",)),
    _job(
        "runner_errors_total",
        "counter",
        "Crashes and wrong configurations of the runner.",
        "WARNING",
        ("server",),
    ),
    _job(
        "runner_last_activity_timestamp_seconds",
        "gauge",
        "Time of the newest line of the runner (Unix time of the log's clock).",
        "WARNING",
        ("server",),
    ),
    _job(
        "runner_wakeup_timestamp_seconds",
        "gauge",
        "When the runner means to wake up if nothing wakes it before, as its last line told (Unix time of "
        "the log's clock): a time that has passed tells that it hangs or is gone. Only the runner's own "
        "lines at DEBUG show it.",
        "DEBUG",
        ("server",),
    ),
    _job(
        "worker_kills_total",
        "counter",
        "Workers of the server that were killed by their master or ended by a limit, by reason.",
        "WARNING",
        ("server", "reason"),
    ),
    _tool(
        "build",
        "info",
        ("version", "patterns", "digest"),
        "The version of logparse, and the version and digest of its set of patterns.",
    ),
    _tool("lines_total", "counter", ("file",), "Lines read of the file, all its rotated pieces together."),
    _tool(
        "bytes_total",
        "counter",
        ("file",),
        "Bytes read of the file, all its rotated pieces together.",
        "bytes",
    ),
    _tool(
        "lag_bytes",
        "gauge",
        ("file",),
        "Bytes that stand in the file and are not read yet.",
        "bytes",
    ),
    _tool(
        "last_record_timestamp_seconds",
        "gauge",
        ("file",),
        "Time of the newest accepted record of the file (Unix time of the log's clock).",
        "seconds",
    ),
    _tool("facts_total", "counter", ("pattern",), "Records that the pattern recognised."),
    _tool(
        "unmatched_records_total",
        "counter",
        ("logger",),
        "Records of a queue_job logger that no pattern recognised: an upgrade may have changed a message.",
    ),
    _tool(
        "rejected_records_total",
        "counter",
        ("reason",),
        "Records that were recognised and not believed, because they were forged or time jumped.",
    ),
    _tool(
        "rotations_total",
        "counter",
        ("file", "kind"),
        "Rotations of the file that were followed, by kind.",
    ),
    _tool(
        "lines_lost_total",
        "counter",
        ("file",),
        "Lines that were gone before they could be read, as far as that can be known.",
    ),
    _tool(
        "truncated_records_total",
        "counter",
        (),
        "Records that were longer than the limit, of which the rest was passed over.",
    ),
    _tool("decode_errors_total", "counter", (), "Records with bytes that are not UTF-8."),
    _tool(
        "clock_skew_total",
        "counter",
        (),
        "Records that were older than a record before them by more than the processes' usual disorder.",
    ),
    _tool("tracked_jobs", "gauge", (), "Jobs that are held in memory."),
    _tool(
        "evicted_jobs_total",
        "counter",
        (),
        "Jobs that were dropped from memory because the limit of tracked jobs was reached.",
    ),
    _tool(
        "label_overflow_total",
        "counter",
        ("label",),
        "How often a label's value was cut or put under `other` because a limit was reached.",
    ),
    _tool(
        "inferred_events_total",
        "counter",
        ("event",),
        "Events that no line states and that follow from others by a documented rule.",
    ),
    _tool(
        "outcome_visible",
        "gauge",
        ("db",),
        "1 where the log shows how the database's attempts end, 0 where its access lines are missing.",
    ),
    _tool(
        "resident_memory_bytes",
        "gauge",
        (),
        "Memory that logparse holds, as Linux counts it.",
        "bytes",
    ),
    _tool(
        "snapshot_timestamp_seconds",
        "gauge",
        (),
        "When the state was last saved (Unix time of this machine's clock).",
        "seconds",
    ),
    _tool("snapshot_errors_total", "counter", (), "Failures to save the state."),
)
"""In the order in which they are exposed."""


def exposed(family: Family) -> str:
    """The family's name as a query names it (an info has `_info` at its end)."""
    return family.name + "_info" if family.kind == "info" else family.name


def table(families: tuple[Family, ...] = FAMILIES) -> str:
    """Families as a Markdown table, for docs/metrics.md."""
    rows = ["| metric | kind | labels | seen from | meaning |", "|---|---|---|---|---|"]
    for family in families:
        labels = " ".join(f"`{label}`" for label in family.labels)
        kind = "gauge, always 1" if family.kind == "info" else family.kind
        rows.append(f"| `{exposed(family)}` | {kind} | {labels} | {family.level} | {family.help} |")
    return "\n".join(rows) + "\n"


def bounds(more: tuple[Family, ...] = ()) -> str:
    """The bounds of the histograms, and of `more`, as a Markdown list, for docs/metrics.md."""
    others = [family for family in (*FAMILIES, *more) if family.bounds]
    lines = [f"- in seconds (settable): {_numbers(SECONDS)}"]
    lines += [f"- `{family.name}`: {_numbers(family.bounds)}" for family in others]
    return "\n".join(lines) + "\n"


def _numbers(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:g}" for value in values) + " +Inf"
