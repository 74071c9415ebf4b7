"""The dashboard *Runner and channels*: capacity against load, and what dies."""

from grafana_foundation_sdk.builders import dashboard

from monitoring.generate.base import CHANNEL, DB, INSTANCE, JOB, new, row
from monitoring.generate.panels import UP_OR_DOWN, Query, a_second, in_an_hour, lines, number, rows

P = "odoo_queue_job_"


def build() -> dashboard.Dashboard:
    made = new(
        "odoo-queue-job-runner",
        "Odoo: job runner and channels",
        "Whether the runner runs, what the channels hold, which workers and jobs die.",
    )
    for part in (_runner, _channels, _dead):
        made = part(made)
    return made


def _runner(made: dashboard.Dashboard) -> dashboard.Dashboard:
    return row(
        made,
        "Runner",
        number(
            "Runner",
            "Of each server: from a start to a stop, a crash, or a restart of the server.",
            Query(f"{P}runner_up{{{INSTANCE}}}", "{{instance}} {{server}}"),
            names=UP_OR_DOWN,
            steps=((None, "red"), (1.0, "green")),
        ),
        number(
            "Last activity",
            "Since when the runner has written nothing. Long where nothing is to be done; of a standby always.",
            Query(
                f"time() - {P}runner_last_activity_timestamp_seconds{{{INSTANCE}}}",
                "{{instance}} {{server}}",
            ),
            unit="s",
        ),
        number(
            "Overslept",
            "How long ago the runner should have woken up; negative while it sleeps. Only its own lines at "
            "DEBUG tell it.",
            Query(f"time() - {P}runner_wakeup_timestamp_seconds{{{INSTANCE}}}", "{{instance}} {{server}}"),
            unit="s",
            steps=((None, "green"), (120.0, "red")),
        ),
        rows(
            "Servers, and who stands by",
            "Of several runners one is the leader: it writes, the others are up and silent, and stand by. "
            "(From 16.0.2.11.0, 17.0.1.3.0 and 18.0.1.3.0 on; before, each asks for every job.) At DEBUG a standby "
            "says so every five seconds: pattern `runner.master_lost`, in the dashboard of logparse itself.",
            Query(f"{P}runner_up{{{INSTANCE}}}", instant=True),
            Query(f"1000 * {P}runner_last_activity_timestamp_seconds{{{INSTANCE}}}", instant=True),
            width=12,
        ).height(4),
        lines(
            "Starts and crashes",
            "In an hour. A deployment is one start; a runner that crashes tries again every five seconds.",
            in_an_hour(
                f"{P}runner_starts_total{{{INSTANCE}}}", "instance, server", "starts {{instance}} {{server}}"
            ),
            in_an_hour(
                f"{P}runner_errors_total{{{INSTANCE}}}", "instance, server", "crashes {{instance}} {{server}}"
            ),
            width=12,
        ),
        lines(
            "Dispatched",
            "How often the runner asks Odoo to run a job, a second.",
            a_second(f"{P}dispatched_total{{{JOB}}}", "db", "{{db}}"),
            unit="ops",
            width=12,
        ),
    )


def _channels(made: dashboard.Dashboard) -> dashboard.Dashboard:
    return row(
        made,
        "Channels: capacity against load",
        lines(
            "Busy places",
            "How many jobs ran at once, on average, and how many the root channel allows. It counts an attempt "
            "when it ends.",
            a_second(f"{P}run_duration_seconds_sum{{{JOB}}}", "instance", "busy {{instance}}"),
            Query(
                f'max by (instance) ({P}channel_capacity{{{INSTANCE},channel="root"}})',
                "root {{instance}}",
            ),
        ),
        lines(
            "Handed to workers",
            "Jobs that were dispatched and have not ended, against the capacity of the root channel: if they "
            "are the same for long, it is full. At DEBUG enqueued and started are told apart.",
            Query(
                f'sum by (instance, state) ({P}jobs{{{DB},state=~"dispatched|enqueued|started"}})',
                "{{state}} {{instance}}",
            ),
            Query(
                f'max by (instance) ({P}channel_capacity{{{INSTANCE},channel="root"}})',
                "root {{instance}}",
            ),
        ),
        rows(
            "Capacity",
            "What each channel may run at once; +Inf has no limit of its own.",
            Query(f"max by (instance, db, channel) ({P}channel_capacity{{{CHANNEL}}})", instant=True),
        ),
        lines(
            "Running by channel",
            "Enqueued or started, as the runner's last line told. A parent contains its children: do not add up.",
            Query(f"max by (db, channel) ({P}channel_running{{{CHANNEL}}})", "{{db}} {{channel}}"),
        ),
        lines(
            "Load by channel",
            "Running, by the channel's capacity: at 100 % the next job waits.",
            Query(
                f"max by (db, channel) ({P}channel_running{{{CHANNEL}}} / ({P}channel_capacity{{{CHANNEL}}} < +Inf))",
                "{{db}} {{channel}}",
            ),
            unit="percentunit",
            steps=((None, "transparent"), (1.0, "red")),
        ),
        lines(
            "Waiting by channel",
            "As the runner's last line told; jobs that wait for a date are among them.",
            Query(f"max by (db, channel) ({P}channel_pending{{{CHANNEL}}})", "{{db}} {{channel}}"),
        ),
        lines(
            "Known failures by channel",
            "Failed jobs that the runner knows, old ones included: what somebody has to look at.",
            Query(f"max by (db, channel) ({P}channel_failed{{{CHANNEL}}})", "{{db}} {{channel}}"),
            width=12,
        ),
        lines(
            "Age of the oldest, by state",
            "How long the oldest job has been in its state.",
            Query(
                f'time() - min by (db, state) ({P}oldest_timestamp_seconds{{{JOB},state!="unsettled"}})',
                "{{db}} {{state}}",
            ),
            unit="s",
            width=12,
        ),
    )


def _dead(made: dashboard.Dashboard) -> dashboard.Dashboard:
    return row(
        made,
        "What dies",
        lines(
            "Killed workers",
            "In an hour, by reason. A `kill -9`, also the kernel's for memory, has no line.",
            in_an_hour(f"{P}worker_kills_total{{{INSTANCE}}}", "instance, reason", "{{instance}} {{reason}}"),
            width=6,
        ),
        lines(
            "Dead and lost jobs",
            "In an hour: jobs whose worker died. `dead`: the runner put them back; `lost`: nobody did.",
            in_an_hour(f'{P}requeued_total{{{JOB},reason="dead"}}', "db", "dead {{db}}"),
            in_an_hour(f"{P}lost_total{{{JOB}}}", "db", "lost {{db}}"),
            width=6,
        ),
        lines(
            "Requests without an answer",
            "In an hour. `unreached`: nobody listens where the runner asks; `broken`: the worker died within a "
            "second.",
            in_an_hour(f"{P}unanswered_total{{{JOB}}}", "db, reason", "{{db}} {{reason}}"),
            width=6,
        ),
        lines(
            "Taken back and refused",
            "In an hour. `timeout`: no worker took the dispatch up within a second; refused: it came too late.",
            in_an_hour(f'{P}requeued_total{{{JOB},reason="timeout"}}', "db", "timeout {{db}}"),
            in_an_hour(f"{P}refused_total{{{JOB}}}", "db", "refused {{db}}"),
            width=6,
        ),
    )
