"""The dashboard *logparse itself*: does it read all, understand all, and keep its state."""

from grafana_foundation_sdk.builders import dashboard

from monitoring.generate.base import DB, INSTANCE, new, row
from monitoring.generate.panels import NONE_IS_GOOD, Query, a_second, in_an_hour, lines, number, rows

P = "logparse_"
_SHIP = "Of `logparse ship`, where it runs."


def build() -> dashboard.Dashboard:
    made = new(
        "logparse-itself",
        "Odoo: logparse itself",
        "Does it read all, understand all, and keep its state: what the other dashboards rest on.",
        channel=False,
    )
    for part in (_now, _reading, _understanding, _limits, _ship):
        made = part(made)
    return made


def _now(made: dashboard.Dashboard) -> dashboard.Dashboard:
    return row(
        made,
        "Now",
        number(
            "Lag",
            "Bytes that are written and not read.",
            Query(f"{P}lag_bytes{{{INSTANCE}}}", "{{instance}} {{file}}"),
            unit="bytes",
            steps=((None, "green"), (1048576.0, "orange"), (16777216.0, "red")),
        ),
        number(
            "Newest record",
            "Since when the log has been silent, by its own clock.",
            Query(f"time() - {P}last_record_timestamp_seconds{{{INSTANCE}}}", "{{instance}} {{file}}"),
            unit="s",
            steps=((None, "green"), (600.0, "orange"), (1800.0, "red")),
        ),
        number(
            "Outcomes visible",
            "Whether the log shows how the jobs of a database end.",
            Query(f"{P}outcome_visible{{{DB}}}", "{{instance}} {{db}}"),
            names={"0": ("no", "red"), "1": ("yes", "green")},
            steps=((None, "red"), (1.0, "green")),
        ),
        number(
            "Memory",
            "That logparse holds.",
            Query(f"{P}resident_memory_bytes{{{INSTANCE}}}", "{{instance}}"),
            unit="bytes",
        ),
        number(
            "State saved",
            "How long ago; empty where it runs without --state.",
            Query(f"time() - {P}snapshot_timestamp_seconds{{{INSTANCE}}}", "{{instance}}"),
            unit="s",
            steps=((None, "green"), (120.0, "red")),
        ),
        rows(
            "Version",
            "Of logparse, and of its set of patterns.",
            Query(f"{P}build_info{{{INSTANCE}}}", instant=True),
            hidden=("Value",),
            width=4,
        ).height(4),
    )


def _reading(made: dashboard.Dashboard) -> dashboard.Dashboard:
    return row(
        made,
        "Reading",
        lines(
            "Lines",
            "Read a second.",
            Query(f"rate({P}lines_total{{{INSTANCE}}}[$__rate_interval])", "{{instance}} {{file}}"),
            unit="ops",
            width=6,
        ),
        lines(
            "Bytes",
            "Read a second.",
            Query(f"rate({P}bytes_total{{{INSTANCE}}}[$__rate_interval])", "{{instance}} {{file}}"),
            unit="Bps",
            width=6,
        ),
        lines(
            "Lag",
            "Bytes that are written and not read.",
            Query(f"{P}lag_bytes{{{INSTANCE}}}", "{{instance}} {{file}}"),
            unit="bytes",
            width=6,
        ),
        lines(
            "Rotations, and lines lost",
            "In an hour. A line is lost where its file was gone before it was read.",
            in_an_hour(f"{P}rotations_total{{{INSTANCE}}}", "instance, kind", "{{kind}} {{instance}}"),
            in_an_hour(f"{P}lines_lost_total{{{INSTANCE}}}", "instance", "lost {{instance}}"),
            width=6,
        ),
    )


def _understanding(made: dashboard.Dashboard) -> dashboard.Dashboard:
    return row(
        made,
        "Understanding",
        lines(
            "Records by pattern",
            "Recognised, a second: the ten most.",
            Query(
                f"topk(10, sum by (pattern) (rate({P}facts_total{{{INSTANCE}}}[$__rate_interval])))",
                "{{pattern}}",
            ),
            unit="ops",
            width=6,
        ),
        lines(
            "Unknown lines",
            "Records of queue_job that no pattern takes, in an hour: an upgrade may have changed a message. "
            "Empty while there are none.",
            in_an_hour(
                f"{P}unmatched_records_total{{{INSTANCE}}}", "instance, logger", "{{instance}} {{logger}}"
            ),
            steps=((None, "transparent"), (1.0, "red")),
            width=6,
        ),
        lines(
            "Not believed",
            "Records that were recognised and cannot be what they seem (docs/trust.md), in an hour.",
            in_an_hour(
                f"{P}rejected_records_total{{{INSTANCE}}}", "instance, reason", "{{instance}} {{reason}}"
            ),
            width=6,
        ),
        lines(
            "Inferred events",
            "Events that no single line states and that follow from others, a second. At INFO most are.",
            a_second(f"{P}inferred_events_total{{{INSTANCE}}}", "event", "{{event}}"),
            unit="ops",
            width=6,
        ),
        lines(
            "Damage in the log",
            "In an hour: records longer than the limit, bytes that are no UTF-8, records out of their order.",
            in_an_hour(f"{P}truncated_records_total{{{INSTANCE}}}", "instance", "too long {{instance}}"),
            in_an_hour(f"{P}decode_errors_total{{{INSTANCE}}}", "instance", "not UTF-8 {{instance}}"),
            in_an_hour(f"{P}clock_skew_total{{{INSTANCE}}}", "instance", "out of order {{instance}}"),
            width=24,
        ),
    )


def _limits(made: dashboard.Dashboard) -> dashboard.Dashboard:
    return row(
        made,
        "Memory, limits, state",
        lines(
            "Memory",
            "That logparse holds.",
            Query(f"{P}resident_memory_bytes{{{INSTANCE}}}", "{{instance}}"),
            unit="bytes",
            width=6,
        ),
        lines(
            "Tracked jobs",
            "Jobs that are held in memory, open ones and those that were.",
            Query(f"{P}tracked_jobs{{{INSTANCE}}}", "{{instance}}"),
            width=6,
        ),
        lines(
            "Limits reached",
            "In an hour: jobs that were dropped (--max-jobs), label values that were put under `other`.",
            in_an_hour(f"{P}evicted_jobs_total{{{INSTANCE}}}", "instance", "jobs {{instance}}"),
            in_an_hour(
                f"{P}label_overflow_total{{{INSTANCE}}}", "instance, label", "label {{label}} {{instance}}"
            ),
            width=6,
        ),
        lines(
            "State",
            "Failures to save it, in an hour. With failures, a restart would count anew.",
            in_an_hour(f"{P}snapshot_errors_total{{{INSTANCE}}}", "instance", "failures {{instance}}"),
            width=6,
        ),
    )


def _ship(made: dashboard.Dashboard) -> dashboard.Dashboard:
    return row(
        made,
        "Shipping events to Loki",
        number(
            "Loki",
            f"Whether the last push was taken. {_SHIP}",
            Query(f"{P}ship_up{{{INSTANCE}}}", "{{instance}}"),
            names={"0": ("away", "red"), "1": ("takes them", "green")},
            steps=((None, "red"), (1.0, "green")),
            width=6,
        ),
        number(
            "Waiting",
            f"Events that are not known to be in Loki yet. {_SHIP}",
            Query(f"{P}ship_waiting_events{{{INSTANCE}}}", "{{instance}}"),
            width=6,
        ),
        number(
            "Waiting since",
            f"How old the first event is that waits. {_SHIP}",
            Query(f"time() - {P}ship_oldest_waiting_timestamp_seconds{{{INSTANCE}}}", "{{instance}}"),
            unit="s",
            width=6,
        ),
        number(
            "Given up, in the last hour",
            f"Events that Loki refuses for good. {_SHIP}",
            in_an_hour(f"{P}ship_dropped_total{{{INSTANCE}}}", "reason", "{{reason}}"),
            steps=NONE_IS_GOOD,
            width=6,
            decimals=0,
        ),
        lines(
            "Sent, and to be sent again",
            f"Events a second; pushes a second by the status of the answer, 0 where there was none. {_SHIP}",
            a_second(f"{P}ship_sent_total{{{INSTANCE}}}", "instance", "sent {{instance}}"),
            a_second(
                f"{P}ship_retries_total{{{INSTANCE}}}", "instance, status", "again {{status}} {{instance}}"
            ),
            unit="ops",
            width=24,
        ),
    )
