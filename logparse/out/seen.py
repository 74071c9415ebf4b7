"""What the lines of a log were, as far as it decides what else they could have shown."""

from collections import Counter
from collections.abc import Mapping

import msgspec

from logparse.match.versions import major_of
from logparse.pipe import Pipe

# Below so many dispatches a log may just be too short to hold an answer.
_FEW = 20


class Seen(msgspec.Struct, frozen=True):
    """What the lines of a log were, as far as it decides what they can show.

    old: the loggers are those of connector. successes: outcomes other than failures that were told; None
    where that is not known. channels: DEBUG lines of the channels are there, but none of a waiting job.
    by_cron: jobs are run by cron, as far as the log shows.
    """

    kinds: Counter[str]
    levels: Counter[str]
    names: frozenset[str]
    sees_pending: bool
    sees_started: bool
    sees_answers: bool
    sees_traces: bool
    dispatches: int
    answers: int
    old: bool
    successes: int | None
    channels: bool
    by_cron: bool

    @property
    def info(self) -> bool:
        return bool(self.levels["INFO"] or self.levels["DEBUG"])

    @property
    def jobs(self) -> bool:
        """Whether any line is about a job."""
        about = ("dispatched", "attempt_ended", "started", "done", "failed", "dispatch_http_error", "pending")
        return any(self.kinds[kind] for kind in about)

    @property
    def runner(self) -> bool:
        """Whether a job runner wrote any line."""
        kinds = ("runner_start", "runner_ready", "runner_heartbeat", "runner_stopped")
        return any(self.kinds[kind] for kind in kinds)

    @property
    def outcomes(self) -> bool:
        return self.sees_answers or self.sees_started

    @property
    def unanswered(self) -> bool:
        """Jobs were dispatched, again and again, and hardly ever a line told how one ended."""
        return self.dispatches >= _FEW and self.answers * 2 < self.dispatches and not self.sees_started

    @property
    def filtered(self) -> bool:
        """Answers are there, but no dispatch, and no success: an add-on that silences them."""
        return self.sees_answers and not self.dispatches and self.successes == 0 and not self.sees_started

    @property
    def refused_requests(self) -> bool:
        """The runner's requests do not reach Odoo."""
        errors = self.kinds["dispatch_http_error"]
        return not self.outcomes and not self.sees_traces and errors > 0 and errors * 2 >= self.dispatches


def look(pipe: Pipe, told: Mapping[str, int] | None) -> Seen:
    """What was read through `pipe` so far; told: how many events of each kind were told, where known."""
    kinds: Counter[str] = Counter()
    levels: Counter[str] = Counter()
    names: set[str] = set()
    old = cron = False
    for pattern_id, count in pipe.facts.items():
        pattern = pipe.patterns[pattern_id]
        kinds[pattern.kind] += count
        if len(pattern.levels) == 1:
            levels[pattern.levels[0]] += count
        names.update(pattern.names)
        old = old or all(logger.startswith("openerp.") for logger in pattern.loggers)
        cron = cron or any("queue_job_cron_jobrunner" in logger for logger in pattern.loggers)
    life = pipe.lifecycle
    major = major_of(pipe.matcher.odoo) if pipe.matcher.odoo else None
    successes = None
    if told is not None:
        unsettled = sum(count for _, _, state, count, _ in life.jobs.states() if state == "unsettled")
        successes = told.get("done", 0) + told.get("retried", 0) + told.get("refused", 0) + unsettled
    return Seen(
        kinds,
        levels,
        frozenset(names),
        life.sight.pending,
        life.sight.started or kinds["done"] > 0,
        life.sight.answers,
        life.sight.traces,
        life.sight.dispatched.total(),
        life.sight.answered.total(),
        major < 10 if major is not None else old,
        successes,
        not life.sight.pending and pipe.facts["channels.failed"] > 0,
        cron and not life.sight.dispatched and not life.sight.answers and not life.sight.started,
    )
