"""The logs of servers whose jobs no job runner dispatches: polling workers, and cron workers."""

from tests.version_lines import Job, Seen
from tests.version_logs import Server


class Polling(Server):
    """A server whose jobs are run by connector's polling workers (7.0 and 8.0): no runner, no requests."""

    def boot(self) -> None:
        self.core("INFO", self.master, "", f"OpenERP version {self.series}.0")
        self.core("INFO", self.master, "service.server", "HTTP service (werkzeug) running on 127.0.0.1:8069")

    def say(self, level: str, job: Job, message: str) -> bool:
        return self.write(level, self.master, job.db, f"{self.base}.queue.worker", message)

    def create(self, db: str = "", uuid: str = "", *, channel: str = "root", waits: bool = False) -> Job:  # noqa: ARG002
        db = db or self.databases[0]
        job = Job(uuid or f"{len(self.log.jobs) + 1:08x}-1111-4111-8111-{self.master:012x}", db, channel)
        self.log.jobs.append(job)
        return job

    def run(self, job: Job, seconds: float = 0.2) -> Job:
        self.log.wait(1)
        if not job.pending_retry:  # which is put back into the worker's own queue, without a line
            self.write(
                "DEBUG", self.master, job.db, f"{self.base}.queue.model", "Assign 1 jobs to worker 3c6f"
            )
            if self.say("DEBUG", job, f"{job} enqueued in <Worker 3c6f>"):
                job.seen.append(Seen("dispatched"))
        job.pending_retry = False
        if self.say("DEBUG", job, f"{job} started"):
            self._started(job)
        self.log.wait(seconds)
        return job

    def done(self, job: Job, *, nothing: bool = False) -> None:  # noqa: ARG002
        if self.say("DEBUG", job, f"{job} done"):
            self._ended(job, "done")

    def fail(self, job: Job, kind: str = "ValueError", *, slow: bool = False) -> None:  # noqa: ARG002
        name, _ = self.exception(kind)
        self.say("ERROR", job, self.trace(f"{name}: boom").replace("controllers/main", "queue/worker") + "\n")
        if job.running:  # else no line says whose traceback it is
            self._ended(job, "failed", name)

    def retry(self, job: Job, *, conflict: bool = False) -> None:
        if self.say("DEBUG", job, f"{job} {'OperationalError, ' if conflict else ''}postponed"):
            self._ended(job, "retried")
        job.pending_retry = True
        self.log.wait(60)


class CronRunner(Server):
    """A server whose jobs are run by queue_job_cron_jobrunner, in a cron worker.

    tells_end: `enqueue depends …` is logged after every attempt (15.0 since 2022, 16.0 since 2023, and 14.0,
    17.0, 18.0 always).
    """

    tells_end = True
    cron = 0

    def boot(self) -> None:
        self.core("INFO", self.master, "", f"Odoo version {self.series}.0")
        self.core("INFO", self.master, "service.server", "HTTP service (werkzeug) running on 127.0.0.1:8069")
        self.workers = [self.spawn("WorkerHTTP")]
        self.cron = self.spawn("WorkerCron")

    def say(self, level: str, job: Job, message: str) -> bool:
        return self.write(
            level, self.cron, job.db, "odoo.addons.queue_job_cron_jobrunner.models.queue_job", message
        )

    def create(self, db: str = "", uuid: str = "", *, channel: str = "root", waits: bool = False) -> Job:  # noqa: ARG002
        db = db or self.databases[0]
        job = Job(uuid or f"{len(self.log.jobs) + 1:08x}-1111-4111-8111-{self.master:012x}", db, channel)
        self.log.jobs.append(job)
        return job

    def run(self, job: Job, seconds: float = 0.2) -> Job:
        self.log.wait(1)
        if self.say("DEBUG", job, f"{job.uuid} started"):
            self._started(job)
        self.log.wait(seconds)
        return job

    def _depends(self, job: Job) -> None:
        if self.tells_end:
            self.say("DEBUG", job, f"{job} enqueue depends started")
            self.say("DEBUG", job, f"{job} enqueue depends done")

    def done(self, job: Job, *, nothing: bool = False) -> None:  # noqa: ARG002
        self._depends(job)
        if job.running:
            self._ended(job, "done")

    def fail(self, job: Job, kind: str = "ValueError", *, slow: bool = False) -> None:  # noqa: ARG002
        name, _ = self.exception(kind)
        self.say("ERROR", job, self.trace(f"{name}: boom") + "\n")
        self._depends(job)
        if job.running:
            self._ended(job, "failed", name)

    def retry(self, job: Job, *, conflict: bool = False) -> None:
        told = conflict and self.say("DEBUG", job, f"{job} OperationalError, postponed")
        told = self.say("DEBUG", job, f"{job} postponed") or told
        if told:
            self._ended(job, "retried")
        self._depends(job)
        self.log.wait(5)
