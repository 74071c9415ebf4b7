"""What a log can show where jobs are run by cron (queue_job_cron_jobrunner), and not by a job runner.

There is no dispatch, no request and no answer: at DEBUG its own lines name the jobs, at INFO nothing does
(queue_job_cron_jobrunner/models/queue_job.py).
"""

from logparse.out.seen import Seen
from logparse.out.visible import Setting, Visibility, Visible

_LOGGER = "odoo.addons.queue_job_cron_jobrunner"
_SETTING = Setting(f"--log-handler={_LOGGER}:DEBUG", f"log_handler = :INFO,{_LOGGER}:DEBUG")


def of_cron(log: Seen, worker: Visible) -> Visibility:
    """What it can show; worker: what it can of workers, which is the same as elsewhere."""
    debug = log.kinds["started"] > 0
    blind = None
    if not debug:
        blind = "jobs are run by cron (queue_job_cron_jobrunner), which names them at DEBUG only"

    def at_debug(what: str, why: str, *, inferred: bool = False) -> Visible:
        if debug:
            return Visible(what, "inferred" if inferred else "yes", why)
        return Visible(what, "no", "the cron job runner names its jobs at DEBUG only", _SETTING)

    items = (
        Visible("queued", "no", "where jobs are run by cron their creation is not logged"),
        Visible("dispatched", "no", "the cron job runner starts jobs without a dispatch"),
        at_debug("started", "the cron job runner logs each start"),
        at_debug("done", "an attempt that ended, without a traceback and without a retry", inferred=True),
        at_debug("failed", "the traceback that its process wrote while it ran"),
        at_debug("retried", "the cron job runner logs it"),
        Visible("requeued", "partly", "what is done by hand shows in the next start"),
        Visible("refused", "no", "the cron job runner is asked for no job, and refuses none"),
        Visible("cancelled", "no", "the cron job runner does not log it"),
        at_debug("lost", "an attempt whose server or worker ended, and that never ended", inferred=True),
        at_debug("duration", "from start and end of each attempt"),
        Visible("dispatch_delay", "no", "the cron job runner starts jobs without a dispatch"),
        Visible("queue_wait", "no", "where jobs are run by cron their creation is not logged"),
        at_debug("exception", "the traceback that its process wrote while it ran"),
        Visible("channel", "no", "the cron job runner does not log it"),
        Visible("runner", "no", "jobs are run by cron, and not by a job runner"),
        worker,
    )
    return Visibility("debug" if debug else "info", blind, items)
