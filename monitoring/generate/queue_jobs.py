"""The dashboard *Queue jobs*: is it healthy now, and what happened."""

from grafana_foundation_sdk.builders import dashboard

from monitoring.generate.base import ALERTS, DB, INSTANCE, JOB, new, row
from monitoring.generate.panels import (
    NONE_IS_GOOD,
    UP_OR_DOWN,
    Query,
    buckets,
    lines,
    number,
    records,
    rows,
)

P = "odoo_queue_job_"
UID = "odoo-queue-jobs"
_LINES = f"/d/{UID}?${{__url_time_range}}&${{datasource:queryparam}}&${{loki:queryparam}}&var-db=${{__field.labels.db}}"
_ONE = f"/d/{UID}?${{__url_time_range}}&${{datasource:queryparam}}&${{loki:queryparam}}&var-uuid=${{__value.raw}}"


def build() -> dashboard.Dashboard:
    made = new(
        UID,
        "Odoo: queue jobs",
        "Is it healthy now, and what happened to the jobs: read by logparse from Odoo's log.",
        logs=True,
    )
    for part in (_now, _throughput, _times, _exceptions, _lines):
        made = part(made)
    return made


def _now(made: dashboard.Dashboard) -> dashboard.Dashboard:
    return row(
        made,
        "Is it healthy now?",
        number(
            "Runner",
            "Whether the job runner of every server runs. A runner that was killed shows only in its last "
            "activity.",
            Query(f"min({P}runner_up{{{INSTANCE}}})"),
            names=UP_OR_DOWN,
            steps=((None, "red"), (1.0, "green")),
            width=3,
        ),
        number(
            "Open jobs",
            "Jobs that were handed to a worker or wait for one, by state; `dispatched` is enqueued or "
            "running, which a log at INFO does not tell apart.",
            Query(f'sum by (state) ({P}jobs{{{JOB},state!="unsettled"}})', "{{state}}"),
            width=5,
        ),
        number(
            "Oldest open job",
            "How long the oldest open job has been in its state, by the log's clock.",
            Query(
                f'time() - min by (state) ({P}oldest_timestamp_seconds{{{JOB},state!="unsettled"}})',
                "{{state}}",
            ),
            unit="s",
            steps=((None, "green"), (900.0, "orange"), (3600.0, "red")),
        ),
        number(
            "Failed in the last hour",
            "Attempts after which the job stayed failed.",
            Query(f"sum(increase({P}failed_total{{{JOB}}}[1h]))", "failed"),
            steps=NONE_IS_GOOD,
            width=3,
            decimals=0,
        ),
        number(
            "Failures in the last hour",
            "Share of the attempts that ended.",
            Query(
                f"sum(increase({P}failed_total{{{JOB}}}[1h])) / (sum(increase({P}runs_total{{{JOB}}}[1h])) > 0)",
                "failed",
            ),
            unit="percentunit",
            steps=((None, "green"), (0.1, "orange"), (0.25, "red")),
            width=3,
        ),
        number(
            "Retried, and dead, in the last hour",
            "Attempts after which the job went back to wait; jobs whose worker died.",
            Query(f"sum(increase({P}retried_total{{{JOB}}}[1h]))", "retried"),
            Query(f'sum(increase({P}requeued_total{{{JOB},reason="dead"}}[1h]))', "dead"),
            steps=NONE_IS_GOOD,
            width=3,
            decimals=0,
        ),
        number(
            "Newest record",
            "Since when the log has been silent. All that is shown here rests on it.",
            Query(f"time() - max(logparse_last_record_timestamp_seconds{{{INSTANCE}}})"),
            unit="s",
            steps=((None, "green"), (600.0, "orange"), (1800.0, "red")),
            width=3,
        ),
        number(
            "Lag of the reader",
            "Bytes that Odoo has written and logparse has not read.",
            Query(f"max(logparse_lag_bytes{{{INSTANCE}}})"),
            unit="bytes",
            steps=((None, "green"), (1048576.0, "orange"), (16777216.0, "red")),
        ),
        number(
            "Outcomes visible",
            "Whether the log shows how jobs end, in every database. Where it does not, outcomes, times and "
            "failures below are missing, and not 0.",
            Query(f"min(logparse_outcome_visible{{{DB}}})"),
            names={"0": ("no", "red"), "1": ("yes", "green")},
            steps=((None, "red"), (1.0, "green")),
        ),
        rows(
            "Alerts",
            "What fires now, where the rules of monitoring/rules are loaded; docs/runbooks has a page for each.",
            Query(ALERTS, instant=True),
            hidden=("alertstate", "Value"),
            width=16,
        ).height(4),
    )


def _throughput(made: dashboard.Dashboard) -> dashboard.Dashboard:
    def rate(name: str, by: str = "", more: str = "") -> str:
        return f"sum{by} (rate({P}{name}{{{JOB}{more}}}[$__rate_interval]))"

    outcomes = ("done", "failed", "retried", "refused", "cancelled", "lost")
    return row(
        made,
        "Throughput and outcomes",
        lines(
            "Throughput",
            "How many a second: queued, dispatched (the runner asked), started, ended (whatever way).",
            Query(rate("dispatched_total"), "dispatched"),
            Query(rate("started_total"), "started"),
            Query(rate("runs_total"), "ended"),
            Query(rate("queued_total"), "queued"),
            unit="ops",
        ),
        lines(
            "Outcomes",
            "How many a second, by what became of them. `done` is told when it is certain that no retry "
            "follows: at INFO an hour later.",
            *(Query(rate(f"{word}_total"), word) for word in outcomes),
            Query(rate("requeued_total", " by (reason)"), "requeued: {{reason}}"),
            unit="ops",
            stacked=True,
        ),
        lines(
            "Open jobs",
            "By state. `unsettled`: ended well, and may still prove to be retried.",
            Query(f"sum by (state) ({P}jobs{{{JOB}}})", "{{state}}"),
            stacked=True,
        ),
        lines(
            "Attempts that ended, by database",
            "How many a second. A point links to the database's failed and retried jobs in Loki, below.",
            Query(rate("runs_total", " by (db)"), "{{db}}"),
            unit="ops",
            links=(("Jobs of this database", _LINES),),
        ),
        lines(
            "Attempts that ended, by channel",
            "How many a second. At INFO the channel of a job is not in the log, and its name is empty.",
            Query(rate("runs_total", " by (channel)"), "channel {{channel}}"),
            unit="ops",
        ),
        lines(
            "Failures, by database and channel",
            "Share of the attempts that ended. A point links to the jobs in Loki, below.",
            Query(
                f"sum by (db, channel) (rate({P}failed_total{{{JOB}}}[$__rate_interval])) / "
                f"(sum by (db, channel) (rate({P}runs_total{{{JOB}}}[$__rate_interval])) > 0)",
                "{{db}} {{channel}}",
            ),
            unit="percentunit",
            steps=((None, "transparent"), (0.25, "red")),
            links=(("Failed jobs of this database", _LINES),),
        ),
    )


def _times(made: dashboard.Dashboard) -> dashboard.Dashboard:
    def percentiles(name: str) -> tuple[Query, ...]:
        inner = f"sum by (le) (rate({P}{name}_bucket{{{JOB}}}[$__rate_interval]))"
        return tuple(
            Query(f"histogram_quantile({share}, {inner})", f"p{share * 100:g}") for share in (0.5, 0.95, 0.99)
        )

    def counts(name: str) -> Query:
        return Query(f"sum by (le) (increase({P}{name}_bucket{{{JOB}}}[$__rate_interval]))", "{{le}}")

    return row(
        made,
        "Times",
        lines(
            "Run time",
            "Of an attempt, from its start to its end.",
            *percentiles("run_duration_seconds"),
            unit="s",
        ),
        buckets("Run times", "How many attempts took how long.", counts("run_duration_seconds")),
        lines(
            "Run time by channel",
            "The time within which 95 of 100 attempts ended, by database and channel.",
            Query(
                f"histogram_quantile(0.95, sum by (le, db, channel) "
                f"(rate({P}run_duration_seconds_bucket{{{JOB}}}[$__rate_interval])))",
                "{{db}} {{channel}}",
            ),
            unit="s",
        ),
        lines(
            "Dispatch delay",
            "From the dispatch to the start: how long it waited for a free worker.",
            *percentiles("dispatch_delay_seconds"),
            unit="s",
        ),
        buckets(
            "Dispatch delays", "How many waited how long for a worker.", counts("dispatch_delay_seconds")
        ),
        lines(
            "Wait in the queue",
            "From the first sight of a job to its first dispatch.",
            *percentiles("queue_wait_seconds"),
            unit="s",
        ),
        lines(
            "Time in SQL",
            "Share of the run time. Odoo 12.0 and later.",
            Query(
                f"sum(rate({P}sql_seconds_sum{{{JOB}}}[$__rate_interval])) / "
                f"(sum(rate({P}run_duration_seconds_sum{{{JOB}}}[$__rate_interval])) > 0)",
                "SQL",
            ),
            unit="percentunit",
            width=6,
        ),
        lines(
            "SQL queries of an attempt",
            "Odoo 12.0 and later.",
            *percentiles("sql_queries"),
            width=6,
        ),
        lines(
            "Attempts until the end",
            "Attempts that a job had taken when it was done or failed, on average.",
            Query(
                f"sum by (db) (rate({P}attempts_sum{{{JOB}}}[$__rate_interval])) / "
                f"(sum by (db) (rate({P}attempts_count{{{JOB}}}[$__rate_interval])) > 0)",
                "{{db}}",
            ),
            width=6,
        ),
        lines(
            "Most attempts of an open job",
            "A job that is tried again and again; queue_job gives up after 5, but for conflicts.",
            Query(f"max by (db, channel) ({P}most_attempts{{{JOB}}})", "{{db}} {{channel}}"),
            steps=((None, "transparent"), (10.0, "red")),
            width=6,
            links=(("Retried jobs of this database", _LINES),),
        ),
    )


def _exceptions(made: dashboard.Dashboard) -> dashboard.Dashboard:
    return row(
        made,
        "Exceptions",
        rows(
            "Failures by class, in this time",
            "The class of the exception, as the job's own traceback names it; empty where no line tells "
            "whose it is.",
            Query(
                f"topk(20, sum by (db, exception) (increase({P}failed_by_exception_total{{{DB}}}[$__range])) > 0)",
                instant=True,
            ),
        ),
        lines(
            "Failures by class",
            "How many a second.",
            Query(
                f"topk(10, sum by (exception) (rate({P}failed_by_exception_total{{{DB}}}[$__rate_interval])) > 0)",
                "{{exception}}",
            ),
            unit="ops",
            stacked=True,
            width=16,
        ),
    )


def _lines(made: dashboard.Dashboard) -> dashboard.Dashboard:
    events = "failed|retried|requeued|refused|lost"
    return row(
        made,
        "The jobs themselves, where their lines are in Loki",
        records(
            "Jobs that failed or went back",
            "Events of single jobs, by `logparse ship`, or by Alloy or Promtail with the configuration in "
            "promtail/. Click on a uuid to see all lines of that job below.",
            f'{{event=~"{events}",db=~"$db"}} | job_uuid != ""',
            fields=("event", "db", "job_uuid", "exception", "duration"),
            link=("job_uuid", "All lines of this job", _ONE),
        ),
        records(
            "All lines of the job",
            "All that Loki has of the job whose uuid is chosen above: the uuid is structured metadata of its "
            "lines. Without one: of all jobs.",
            '{event=~".+",db=~"$db"} | job_uuid != "" | job_uuid =~ "$uuid.*"',
        ),
    )
