"""The metrics of jobs, channels, runner and workers by name."""

from typing import Literal

from logparse.out.family import PREFIX, Family, Kind

ATTEMPTS = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 20.0, 50.0)
"""Upper bounds of `attempts`: five is queue_job's own default of max_retries."""
QUERIES = (10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10000.0, 50000.0)
"""Upper bounds of `sql_queries`."""

JOB = ("db", "channel")
CHANNEL = ("db", "channel", "server")


def _job(name: str, kind: Kind, help: str, level: str, labels: tuple[str, ...] = JOB) -> Family:
    unit: Literal["", "seconds"] = "seconds" if name.endswith("_seconds") else ""
    bounds = {"attempts": ATTEMPTS, "sql_queries": QUERIES}.get(name, ())
    return Family(PREFIX + name, kind, labels, help, level, unit, bounds)


JOB_FAMILIES: tuple[Family, ...] = (
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
)
