"""The lives of jobs on a server of any series and queue_job release, and what its log must show of them."""

from tests.truth import Change
from tests.version_lines import Job, Lines, Seen


class Server(Lines):
    """A server, its workers and its runner (see Lines)."""

    def boot(self) -> None:
        """Start the server; its runner begins to work."""
        product = "OpenERP" if self.release.old else "Odoo"
        self.next_pid = max(self.next_pid, self.master)
        self.core("INFO", self.master, "", f"{product} version {self.series}.0")
        self.core("INFO", self.master, "service.server", "HTTP service (werkzeug) running on 127.0.0.1:8069")
        self.workers = []
        if self.model == "prefork" or self.model == "evented":
            own = self.release.writes("init.worker_starting")
            if not own:
                self.line("init.thread_start", "prefork server", pid=self.master)
            self.line("channels.configured", "root(C:2,Q:0,R:0,F:0)", pid=self.master)
            for _ in range(2):
                self.workers.append(self.spawn("WorkerHTTP"))
            if own:
                self.runner = self.spawn("WorkerJobRunner")
            else:
                self.runner = self.master
            self.spawn("WorkerCron")
            if self.model == "evented":
                self.next_pid += 1
                pid = self.next_pid
                self.core("INFO", pid, "", f"{product} version {self.series}.0")
                self.core(
                    "INFO", pid, "service.server", "Evented Service (longpolling) running on 127.0.0.1:8072"
                )
                self.workers = [pid]
            if own:
                self.maybe("init.worker_starting", self.runner, pid=self.runner)
        else:
            self.line("init.thread_start", "threaded server", pid=self.master)
            self.line("channels.configured", "root(C:2,Q:0,R:0,F:0)", pid=self.master)
            self.runner = self.master
            self.workers = [self.master]
        self.log.wait(5)
        self.start_runner()

    def spawn(self, kind: str) -> int:
        self.next_pid += 1
        self.core(
            "INFO",
            self.next_pid,
            "service.server",
            f"Worker {kind} ({self.next_pid}) alive",
            self.databases[-1],
        )
        return self.next_pid

    def start_runner(self) -> None:
        """The runner starts, and reads what is in the databases anew."""
        self.line("runner.starting", pid=self.runner)
        debug = self.release.writes("runner.init_db_conn.debug")
        self.line(f"runner.init_db_conn.{'debug' if debug else 'info'}", pid=self.runner)
        if not self.leads:
            self.line(
                "runner.master_lost", "could not acquire master runner lock on prod", 5, pid=self.runner
            )
            return
        self.read_databases()

    def read_databases(self) -> None:
        for db in self.databases:
            for job in self.log.jobs:
                if job.db != db:
                    continue
                if job.state == "pending":
                    self.channel_line(job, "pending")
                elif job.state in ("enqueued", "started"):
                    self.channel_line(job, "running")
                elif job.state == "failed":
                    self.channel_line(job, "failed")
            name = "runner.ready_db.connector" if self.release.old else "runner.ready_db"
            self.line(name, db, pid=self.runner)
        self.line("runner.db_ready", pid=self.runner)
        self.maybe("runner.select_timeout", 60.0, pid=self.runner)

    def stop(self) -> None:
        """Stop in order (SIGTERM)."""
        self.core("INFO", self.master, "service.server", "Stopping gracefully", self.databases[-1])
        self.maybe("runner.stop_requested", pid=self.runner)
        self.maybe("runner.stopped", pid=self.runner)
        if self.model == "prefork":
            for pid in self.workers:
                self.core(
                    "INFO",
                    pid,
                    "service.server",
                    f"Worker ({pid}) exiting. request_count: 7, registry count: 1.",
                    self.databases[-1],
                )

    def restart(self, *, kill: bool = False) -> None:
        """Stop, or die of kill -9, and start as a new process."""
        if not kill:
            self.stop()
        for job in self.log.jobs:
            if job.state in ("enqueued", "started"):
                job.running = False
        self.log.wait(20)
        self.next_pid += 50
        self.master = self.next_pid
        self.boot()

    def change(self, job: Job, state: str) -> None:
        self.log.changes.append(Change(job.db, job.uuid, self.log.now.timestamp() * 1000, job.state, state))
        job.state = state

    def create(self, db: str = "", uuid: str = "", *, channel: str = "root", waits: bool = False) -> Job:
        """A job is made. waits: for a parent, so that the runner does not hear of it yet."""
        db = db or self.databases[0]
        uuid = uuid or f"{len(self.log.jobs) + 1:08x}-1111-4111-8111-{self.master:012x}"
        job = Job(uuid, db, channel)
        self.log.jobs.append(job)
        creator = self.workers[0] if self.workers else self.master
        created = self.maybe_created(job, creator)
        self.change(job, "wait_dependencies" if waits else "pending")
        if not waits:
            self.heard(job, created=created)
        return job

    def maybe_created(self, job: Job, pid: int) -> bool:
        if not self.release.writes("job.enqueued"):
            return False
        logger = f"{self.base}.job"
        message = f"enqueued res.partner(1,):sync(*(1,), **{{}}) with uuid: {job.uuid}"
        return self.write("DEBUG", pid, job.db, logger, message)

    def heard(self, job: Job, *, created: bool = False) -> None:
        """The runner is notified of a job that waits, for the first time."""
        told = self.notified(job) or created
        if self.release.writes("channels.unknown") and job.channel == "root.unknown":
            told = self.line("channels.unknown", job.channel, job.uuid, pid=self.runner) or told
        if told and not job.known:
            job.seen.append(Seen("queued"))
        job.known = job.known or told

    def notified(self, job: Job) -> bool:
        if not self.leads:
            return False
        if job.channel == "root.unknown":
            return self._in_root(job, "pending")
        return self.channel_line(job, "pending")

    def _in_root(self, job: Job, what: str) -> bool:
        hidden = self.hides == "mangono"
        return self.line(
            f"channels.{what}", job.uuid, "root(C:2,Q:0,R:1,F:0)", pid=self.runner, hidden=hidden
        )

    def released(self, job: Job) -> None:
        """The last parent of a job is done."""
        self.change(job, "pending")
        self.heard(job)

    def ask(self, job: Job) -> None:
        """The runner dispatches the job."""
        self.log.wait(1)
        if job.channel != "root.unknown":
            self.channel_line(job, "running")
        asked = self.line("runner.asking", job.uuid, job.db, pid=self.runner, hidden=self.hides == "mangono")
        self.change(job, "enqueued")
        if job.pending_retry:
            job.pending_retry = False
            if asked and job.seen and job.seen[-1].event == "dispatched":
                # Without answers, only that it is asked for again shows that it went back, not why.
                job.seen.append(Seen("requeued", None, None, "unknown"))
            if asked and job.seen and job.seen[-1].event == "_answered":
                job.seen[-1] = job.seen[-1]._replace(event="retried")
        if asked:
            job.seen.append(Seen("dispatched"))
        job.pid = self.workers[self.turn % len(self.workers)]
        self.turn += 1

    def start(self, job: Job) -> None:
        """A worker takes the job up."""
        self.log.wait(0.02)
        job.began = self.log.now
        job.running = True
        self.change(job, "started")
        if self.line("ctl.started", job, pid=job.pid, db=job.db):
            self._started(job)
        else:
            job.running = False

    def _started(self, job: Job) -> None:
        job.attempts += 1
        job.running = True
        job.seen.append(Seen("started", job.attempts))

    def _ended(self, job: Job, event: str, exception: str | None = None) -> None:
        """The log shows how the attempt ended: so it shows that there was one."""
        if not job.running:
            self._started(job)
        job.running = False
        job.seen.append(Seen(event, job.attempts, exception))

    def run(self, job: Job, seconds: float = 0.2) -> Job:
        """Dispatch and start; then the job takes so long."""
        self.ask(job)
        self.start(job)
        self.log.wait(seconds)
        return job

    def done(self, job: Job, *, nothing: bool = False) -> None:
        """The job succeeds; nothing: by NothingToDoJob, of which no line tells but the answer."""
        self.change(job, "done")
        told = False if nothing else self.line("ctl.done", job, pid=job.pid, db=job.db)
        if self.release.writes("ctl.depends_started") and not self.release.is_from("18.0.2.1.1"):
            self.line("ctl.depends_started", job, pid=job.pid, db=job.db)
            self.line("ctl.depends_done", job, pid=job.pid, db=job.db)
        channel = self.channel_line(job, "done")
        told = self.access(job, 200) or told
        if told or (channel and job.running):
            self._ended(job, "done")

    def fail(self, job: Job, kind: str = "ValueError", *, slow: bool = False) -> None:
        """The job raises. slow: after more than the second that the runner waits for the answer."""
        if slow:
            self.log.wait(2)
        name, status = self.exception(kind)
        text = {"max retries": "Max. retries (3) reached: try later", "UserError": "do not"}.get(kind, "boom")
        trace = self.trace(f"{name}: {text}")
        traced = self.write("ERROR", job.pid, job.db, f"{self.base}.controllers.main", trace + "\n")
        self.change(job, "failed")
        channel = self.channel_line(job, "failed")
        if self.series >= 16:
            if kind == "UserError":
                self.core("WARNING", job.pid, "http", text, job.db)
            else:
                self.core("ERROR", job.pid, "http", "Exception during request handling.", job.db, exc=trace)
        answered = self.access(job, status)
        if self.series <= 15:
            perf = "- - -"
            self.write("ERROR", job.pid, job.db, "werkzeug", "Error on request:\n" + trace, perf=perf)
        seen_by_runner = not slow and self.answered_with_error(job, status)
        if answered or (channel and job.running) or (seen_by_runner and traced):
            self._ended(job, "failed", name)

    def answered_with_error(self, job: Job, status: int) -> bool:
        """The runner sees the error within its second."""
        reason = "500 Server Error: INTERNAL SERVER ERROR" if status == 500 else f"{status} Client Error: BAD"
        error = f"{reason} for url: {self.url(job)}"
        name = "HTTPError" if self.series <= 10 else "requests.exceptions.HTTPError"
        return self.got(job, f"{name}: {error}")

    def got(self, job: Job, error: str) -> bool:
        trace = (
            "Traceback (most recent call last):\n"
            '  File "/opt/odoo/jobrunner/runner.py", line 200, in urlopen\n    response.raise_for_status()\n'
            f"{error}"
        )
        return self.line("runner.get_exception", self.url(job), pid=self.runner, exc=trace)

    def retry(self, job: Job, *, conflict: bool = False) -> None:
        """The attempt ends, and the job waits for another: RetryableJobError, or a concurrent update."""
        told = False
        if conflict:
            error = "ERROR: could not serialize access due to concurrent update"
            self.core("ERROR", job.pid, "sql_db", f"bad query: COMMIT\n{error}\n", job.db)
            if self.release.old:  # 7.0 as well, of which the catalogue says nothing
                text = " or InternalError" if self.release.name == "8.0.3.3.0" else ""
                text = f"{job} OperationalError{text}, postponed"
                told = self.write("DEBUG", job.pid, job.db, f"{self.base}.controllers.main", text)
            else:
                told = self.line("ctl.op_error", job, pid=job.pid, db=job.db)
        if not conflict or self.series >= 12:
            told = self.line("ctl.postponed", job, pid=job.pid, db=job.db) or told
        self.change(job, "pending")
        self.line("channels.rescheduled", job.uuid, pid=self.runner)
        channel = self.channel_line(job, "pending")
        answered = self.access(job, 200)
        if told or channel:
            self._ended(job, "retried")
        elif answered:
            # At INFO only the next dispatch tells it from done.
            self._ended(job, "_answered")
        job.pending_retry = True
        self.log.wait(5 if conflict else 600)

    def not_taken(self, job: Job) -> None:
        """No worker takes the job up within a second, and the runner puts it back."""
        self.log.wait(1)
        told = self.maybe("runner.reset_to_pending", job.uuid, "enqueued", "pending", pid=self.runner)
        self.change(job, "pending")
        waits = self.channel_line(job, "pending")
        if told or waits:
            # 12.0.1.0.0 resets silently, and no line tells it from the releases of 12.0 that write one.
            known = told or self.series < 12
            job.seen.append(Seen("requeued", None, None, "timeout" if known else "unknown"))
        elif self.level != "warn" and self.hides != "mangono":
            job.seen.append(Seen("requeued", None, None, "unknown"))  # its next dispatch tells

    def refuse(self, job: Job, kind: str) -> None:
        """A worker is asked for a job that is not there to be run."""
        pid = self.workers[self.turn % len(self.workers)]
        values = {"v1": (job.uuid, "done"), "lock": (job.uuid,)}.get(kind, (job.uuid, "enqueued"))
        name = f"ctl.refused.{kind}"
        if kind == "v1" and self.release.name == "8.0.3.1.0":
            values = ("done", job.uuid)
        if self.line(name, *values, pid=pid, db=job.db):
            job.seen.append(Seen("refused"))
        kept, job.pid, began = job.pid, pid, job.began
        job.began = self.log.now
        self.access(job, 200, queries=2)
        job.pid, job.began = kept, began

    @property
    def refusals(self) -> list[str]:
        return [kind for kind in ("v1", "v2", "v3", "lock") if self.release.writes(f"ctl.refused.{kind}")]

    def kill(self, job: Job) -> None:
        """The worker that runs the job dies (kill -9); the master starts another."""
        if self.model == "prefork":
            self.workers[self.workers.index(job.pid)] = self.spawn("WorkerHTTP")

    def dead(self, job: Job, *, gives_up: bool = False) -> None:
        """The runner finds that the job's worker is dead. gives_up: it has died too often."""
        self.log.wait(12)
        told = self.line("runner.requeued_dead", job.uuid, pid=self.runner)
        self.change(job, "failed" if gives_up else "pending")
        self.channel_line(job, "failed" if gives_up else "pending")
        if not told:
            return
        # That no dispatch follows tells only where dispatches are logged; at DEBUG a channel tells.
        asks = self.level != "warn" and self.hides != "mangono"
        if gives_up and (asks or self.level == "debug"):
            name = "odoo.addons.queue_job.exception.JobFoundDead"
            if not job.running:
                job.attempts += 1
            job.seen.append(Seen("failed", job.attempts, name))
        else:
            job.seen.append(Seen("requeued", job.attempts if job.running else None, None, "dead"))
        job.running = False

    def requeue(self, job: Job) -> None:
        """Somebody presses Requeue."""
        self.log.wait(30)
        pid = self.workers[0]
        clicked = False
        if self.model != "evented":
            button = "/queue.requeue.job/requeue" if self.series >= 9 else ""
            message = f'10.0.0.7 - - [{self.date}] "POST /web/dataset/call_button{button} HTTP/1.1" 200 -'
            hidden = self.hides == "werkzeug"
            perf = "21 0.010 0.020"
            clicked = self.write("INFO", pid, job.db, "werkzeug", message, perf=perf, hidden=hidden)
            clicked = clicked and self.series >= 9
        self.change(job, "pending")
        channel = self.channel_line(job, "pending")
        if channel:
            job.seen.append(Seen("requeued", None, None, "manual"))
        elif self.level != "warn" and self.hides != "mangono":
            job.seen.append(Seen("requeued", None, None, "manual" if clicked else "unknown"))

    def cancel(self, job: Job) -> None:
        """Somebody presses Cancel."""
        self.change(job, "cancelled")
        if self.release.cancelled == "error":
            told = self.line(
                "channels.unexpected_state", "cancelled", f"<ChannelJob {job.uuid}>", pid=self.runner
            )
            if told:
                job.seen.append(Seen("cancelled"))
        else:
            self.channel_line(job, "done")
