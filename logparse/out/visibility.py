"""What a log can show of its jobs, what it cannot, why, and which setting of Odoo would show it."""

from collections.abc import Mapping

import msgspec

from logparse.out.cron_visibility import of_cron
from logparse.out.seen import Seen, look
from logparse.out.visible import Setting, Visibility, Visible
from logparse.pipe import Pipe


def visibility(pipe: Pipe, told: Mapping[str, int] | None = None) -> Visibility:
    """What the log that was read through `pipe` can show (docs/replay.md).

    told: how many events of each kind were told so far; without it, a log from which an add-on removed
        the successes cannot be told from one whose jobs all failed.
    """
    log = look(pipe, told)
    settings = _settings(log.old)
    if log.by_cron:
        return of_cron(log, _worker(log, settings))
    items = (*_events(log, settings), *_measures(log, settings))
    return Visibility(_level(log), _blind(log), items)


def _level(log: Seen) -> str | None:
    if log.sees_pending and log.sees_started:
        return "debug"
    if log.sees_pending or log.sees_started:
        return "partly debug"
    if log.info:
        return "info"
    return "warning" if log.levels else None


def _blind(log: Seen) -> str | None:
    """Why this log does not tell how jobs end; None where it does."""
    if log.outcomes:
        if log.filtered:
            return (
                "only failures are in this log: no dispatch and no success of any job, as where an add-on "
                "such as queue_job_silence_runjob_logs removes those lines"
            )
        if log.unanswered:
            return (
                f"{log.dispatches:,} dispatches have only {log.answers:,} answers in this log: for a part of "
                "its time the lines of the logger werkzeug were silenced, or written to another log"
            )
        return None
    if not log.jobs:
        return None
    if not log.info:
        return (
            "the log level is warning or above: only failures are in it, and of those only the ones that "
            "ended within a second of their dispatch name their job"
        )
    if log.refused_requests:
        return (
            "no job was taken up, since the requests of the job runner fail (`exception in GET`); it may ask "
            "the wrong host or port (ODOO_QUEUE_JOB_HOST, ODOO_QUEUE_JOB_PORT)"
        )
    if log.dispatches:
        return (
            f"{log.dispatches:,} dispatches and not one answer: the lines of the logger werkzeug are "
            "silenced (log_handler), or the workers write to another log"
        )
    return "no line of a worker is in this log: the workers write to another log"


class _Settings(msgspec.Struct, frozen=True):
    info: Setting
    werkzeug: Setting
    channels: Setting
    controllers: Setting


def _settings(old: bool) -> _Settings:
    """The settings by what they show; the loggers have other names before Odoo 10 (connector)."""
    base = "openerp.addons.connector" if old else "odoo.addons.queue_job"

    def handler(logger: str, level: str) -> Setting:
        return Setting(f"--log-handler={logger}:{level}", f"log_handler = :INFO,{logger}:{level}")

    return _Settings(
        Setting("--log-level=info", "log_level = info"),
        handler("werkzeug", "INFO"),
        handler(f"{base}.jobrunner.channels", "DEBUG"),
        handler(f"{base}.controllers.main", "DEBUG"),
    )


def _events(log: Seen, settings: _Settings) -> tuple[Visible, ...]:
    return (
        _queued(log, settings),
        _dispatched(log, settings),
        _started(log, settings),
        _success("done", log, settings),
        _failed(log, settings),
        _success("retried", log, settings),
        _requeued(log, settings),
        _refused(),
        _cancelled(log),
        _lost(log, settings),
    )


def _queued(log: Seen, settings: _Settings) -> Visible:
    if log.sees_pending:
        return Visible("queued", "yes", "the runner tells of each job that it hears of")
    if log.kinds["created"]:
        return Visible("queued", "yes", "the creation of each job is logged")
    if log.kinds["pending"]:
        return Visible(
            "queued", "partly", "only jobs of a channel that is not configured are told", settings.channels
        )
    return _by_channels("queued", "the creation of a job is logged at DEBUG only", log, settings)


def _by_channels(what: str, why: str, log: Seen, settings: _Settings) -> Visible:
    """What only the runner's DEBUG lines about waiting jobs show, and they are not there."""
    if log.channels:
        return Visible(what, "no", "an add-on seems to remove the runner's lines about waiting jobs")
    return Visible(what, "no", why, settings.channels)


def _dispatched(log: Seen, settings: _Settings) -> Visible:
    if log.dispatches:
        return Visible("dispatched", "yes", "the runner logs each request")
    if not log.info:
        return Visible("dispatched", "no", "the runner's requests are logged at INFO", settings.info)
    if log.filtered:
        return Visible("dispatched", "no", "an add-on seems to remove the runner's requests from this log")
    if log.runner and log.jobs:
        return Visible(
            "dispatched", "no", "the runner's requests are kept out of this log (level, or an add-on)"
        )
    if log.jobs:
        return Visible("dispatched", "no", "no line of a job runner is in this log: it logs elsewhere")
    return Visible("dispatched", "yes", "the runner logs each request; there was none")


def _started(log: Seen, settings: _Settings) -> Visible:
    if log.sees_started:
        return Visible("started", "yes", "the worker logs each start")
    if log.sees_traces and not log.outcomes:
        return Visible("started", "partly", "only of failures that name their job", settings.controllers)
    if log.filtered or not log.outcomes:
        return Visible("started", "no", "the start of a job is logged at DEBUG only", settings.controllers)
    if "sql_seconds" not in log.names:
        return Visible(
            "started",
            "inferred",
            "an attempt that ended had started; when, is logged at DEBUG only",
            settings.controllers,
        )
    return Visible(
        "started",
        "inferred",
        "from the end of the attempt and its duration, and so only once it has ended",
        settings.controllers,
    )


def _success(what: str, log: Seen, settings: _Settings) -> Visible:
    if log.sees_started:
        return Visible(what, "yes", "the worker logs it")
    if log.filtered:
        return Visible(what, "no", "only failures are in this log", settings.controllers)
    if log.sees_answers and log.unanswered:
        return Visible(what, "partly", "for most dispatches the answer is not in this log", settings.werkzeug)
    if log.sees_answers:
        why = {
            "done": "an answer 200 that no further dispatch of the job follows",
            "retried": "an answer 200 that a further dispatch of the job follows",
        }
        return Visible(what, "inferred", why[what], settings.controllers)
    if not log.info and log.jobs:
        return Visible(what, "no", "answers are logged at INFO", settings.info)
    if log.refused_requests:
        return Visible(what, "no", "no request of the runner was answered")
    if log.dispatches:
        return Visible(what, "no", "the answers of the workers are not in this log", settings.werkzeug)
    if log.jobs:
        return Visible(what, "no", "no line of a worker is in this log")
    return Visible(what, "inferred", "from the answers of the workers; there was none", settings.controllers)


def _failed(log: Seen, settings: _Settings) -> Visible:
    if log.filtered:
        return Visible("failed", "yes", "answers 4xx and 5xx are in this log")
    if log.sees_answers and log.unanswered:
        return Visible(
            "failed", "partly", "for most dispatches the answer is not in this log", settings.werkzeug
        )
    if log.sees_answers:
        return Visible("failed", "yes", "an answer 4xx or 5xx, with the traceback before it")
    if log.sees_started:
        return Visible("failed", "partly", "from the tracebacks of processes that run one job at a time")
    if log.sees_traces or log.kinds["dispatch_http_error"]:
        if log.refused_requests:
            return Visible("failed", "no", "no request of the runner was answered")
        setting = settings.info if not log.info else settings.werkzeug
        return Visible(
            "failed", "partly", "only failures within a second of their dispatch name their job", setting
        )
    if log.dispatches:
        return Visible("failed", "no", "the answers of the workers are not in this log", settings.werkzeug)
    return Visible("failed", "yes", "an answer 4xx or 5xx, with the traceback before it; there was none")


def _requeued(log: Seen, settings: _Settings) -> Visible:
    if log.sees_pending:
        return Visible("requeued", "yes", "the runner tells of each job that waits again")
    if not log.info:
        return Visible(
            "requeued", "partly", "dead jobs, and dispatches that no worker took up", settings.info
        )
    return Visible(
        "requeued",
        "partly",
        "dead jobs and dispatches that no worker took up; what is done by hand shows in the next dispatch",
        settings.channels,
    )


def _refused() -> Visible:
    return Visible("refused", "yes", "a worker that does not run a job logs a warning")


def _cancelled(log: Seen) -> Visible:
    if log.kinds["cancelled"]:
        return Visible("cancelled", "yes", "this queue_job logs an error for each cancelled job")
    return Visible(
        "cancelled",
        "no",
        "only some releases of queue_job log it (12.0.3.1.0 and later 12.0, early 14.0 to 16.0)",
    )


def _lost(log: Seen, settings: _Settings) -> Visible:
    if not log.info:
        return Visible("lost", "no", "that the server was started again is logged at INFO", settings.info)
    if log.outcomes and not log.filtered:
        return Visible(
            "lost", "inferred", "an attempt whose server or worker ended, and that is never heard of again"
        )
    return Visible("lost", "no", "where ends are not visible, the lack of one tells nothing")


def _measures(log: Seen, settings: _Settings) -> tuple[Visible, ...]:
    return (
        _duration(log, settings),
        _delay(log, settings),
        Visible("queue_wait", "yes", "from the lines of creation and dispatch")
        if log.sees_pending or log.kinds["created"]
        else _by_channels("queue_wait", "the creation of a job is logged at DEBUG only", log, settings),
        _exception(log),
        Visible("channel", "yes", "the runner names the channel of each job")
        if log.sees_pending
        else _by_channels("channel", "the channel of a job is logged at DEBUG only", log, settings),
        Visible("runner", "yes", "starts, stops and errors of the job runner")
        if log.info
        else Visible("runner", "partly", "only the errors of the job runner", settings.info),
        _worker(log, settings),
    )


def _worker(log: Seen, settings: _Settings) -> Visible:
    if not log.info:
        return Visible("worker", "partly", "kills by limit_time_real only", settings.info)
    return Visible(
        "worker", "partly", "kills by limit_time_real and limit_time_cpu; a kill -9 leaves no line"
    )


def _duration(log: Seen, settings: _Settings) -> Visible:
    if log.sees_started:
        return Visible("duration", "yes", "from start and end of each attempt")
    if "sql_seconds" in log.names:
        return Visible("duration", "yes", "the numbers at the end of the answer's line")
    if log.sees_answers:
        return Visible(
            "duration",
            "no",
            "the answers have no numbers: Odoo 11 and older, or syslog",
            settings.controllers,
        )
    setting = settings.info if not log.info else None if log.refused_requests else settings.werkzeug
    return Visible("duration", "no", "the ends of attempts are not in this log", setting)


def _delay(log: Seen, settings: _Settings) -> Visible:
    if not log.dispatches:
        return Visible("dispatch_delay", "no", "no dispatch is in this log")
    if log.sees_started:
        return Visible("dispatch_delay", "yes", "from the lines of dispatch and start")
    if "sql_seconds" in log.names:
        return Visible("dispatch_delay", "inferred", "from dispatch, end and duration")
    return Visible("dispatch_delay", "no", "when an attempt starts is not in this log", settings.controllers)


def _exception(log: Seen) -> Visible:
    if log.sees_traces and not log.sees_answers and not log.sees_started:
        return Visible("exception", "partly", "of failures whose job is known")
    return Visible(
        "exception", "yes", "the traceback that a failed job leaves, where it is certain whose it is"
    )
