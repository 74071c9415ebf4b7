"""Which process is what, as far as the log tells: runner, HTTP worker, cron worker, all in one.

A line counts only if the process that it names could have written it: a job can log or raise a text that
holds a perfect line with any pid in it. Roles are announced (`Worker WorkerHTTP (7) alive`, `starting`) or
shown by what a process logs; a process that was neither is believed until the log has shown all roles.
"""

import msgspec

RUNNER, HTTP, CRON, EVENTED, THREADED, SERVER = "runner", "http", "cron", "evented", "threaded", "server"
_CLASSES = {
    "WorkerHTTP": HTTP,
    "WorkerCron": CRON,
    "WorkerJobRunner": RUNNER,
    "WorkerJobRunnerEvented": RUNNER,
}
# So many lines of one kind make a process known by what it does.
_SHOWN = 3
# Of so many databases it is remembered which servers run their jobs.
_DATABASES = 1000
# A process that was active so lately (ms) is alive: its pid cannot have been given to another one.
_ALIVE = 10_000
# The master starts its first workers within this time (ms); later ones replace others.
_STARTS_WITHIN = 5_000

Pid = tuple[str | None, int | None]


class Process(msgspec.Struct, gc=False):
    """One process. role: None while unknown. announced: a line said so, not only its own work.

    stale: its server was started anew since. runner_lines, worker_lines: what it logged so far.
    """

    role: str | None = None
    announced: bool = False
    stale: bool = False
    seen: int = 0
    runner_lines: int = 0
    worker_lines: int = 0


class Server(msgspec.Struct):
    """One server. complete: its start was seen, and so was that of every worker since.

    since: when it was started (ms). workers: how many HTTP workers it started with. answered: for each of
    their places, when the last request of a job that was answered there had begun, or a worker ended with a
    line (ms); since one ended without. A place has the pid of a worker; places: of those that replaced it.
    left: places of workers that ended with a line, and are not replaced yet.
    """

    name: str | None
    master: int | None = None
    complete: bool = False
    threaded: bool = False
    since: int = 0
    workers: int = 0
    answered: dict[int | None, int] = {}
    places: dict[int, int] = {}
    left: list[int] = []


class Processes:
    """The processes of all servers; a pid means something within one server."""

    def __init__(self) -> None:
        self._known: dict[Pid, Process] = {}
        self._servers: dict[str | None, Server] = {}
        self._work: dict[str | None, dict[str | None, None]] = {}  # by database the servers that ran its jobs

    def server(self, name: str | None) -> Server:
        """The server of that name, made known if it is new."""
        server = self._servers.get(name)
        if server is None:
            server = self._servers[name] = Server(name)
        return server

    def get(self, server: str | None, pid: int | None) -> Process:
        """The process, made known if it is new."""
        process = self._known.get((server, pid))
        if process is None:
            if len(self._known) > 20_000:
                for key in [key for key, old in self._known.items() if old.stale or old.role is None][
                    :10_000
                ]:
                    del self._known[key]
            process = self._known[server, pid] = Process()
        return process

    def role(self, server: str | None, pid: int | None) -> str | None:
        """The role of a process; None while unknown."""
        process = self._known.get((server, pid))
        return process.role if process else None

    def shares(self, server: str | None, pid: int | None) -> bool:
        """Whether several jobs can run in this process at once; always where it is not known."""
        if pid is None:
            return True
        process = self._known.get((server, pid))
        return process is not None and process.role in (THREADED, EVENTED)

    def announce(self, server: str | None, pid: int | None, role: str, time: int) -> bool:
        """A line says what a process is; False where it cannot be."""
        process = self.get(server, pid)
        if (
            process.announced
            and not process.stale
            and process.role not in (role, SERVER)
            and time - process.seen < _ALIVE
        ):
            return False
        self._known[server, pid] = Process(role, True, False, time)
        return True

    def announce_worker(self, server: str | None, pid: int | None, worker_class: str, time: int) -> bool:
        """`Worker <class> (<pid>) alive` (odoo/service/server.py, Worker.start)."""
        role = _CLASSES.get(worker_class)
        if role is None:
            return True
        process = self.get(server, pid)
        if (
            process.announced
            and not process.stale
            and (process.worker_lines or process.runner_lines)
            and time - process.seen < _ALIVE
        ):
            # It is at work: it does not start again.
            return False
        if not self.announce(server, pid, role, time):
            return False
        state = self.server(server)
        if role == HTTP and state.complete:
            if time - state.since < _STARTS_WITHIN:
                state.workers += 1
            elif state.left and pid is not None:
                state.places[pid] = state.left.pop(0)
            else:
                state.answered.clear()  # one ended in silence: who answers from now on is alive
        return True

    def answered(self, server: str | None, pid: int | None, began: int, db: str | None) -> None:
        """A process answered the request of a job of this database that began then."""
        if server not in self._work.get(db, ()):
            self.works(server, db)
        state = self._servers.get(server) or self.server(server)
        answered = state.answered
        if state.places and pid is not None:
            pid = state.places.get(pid, pid)
        if answered.get(pid, -1) < began:
            if len(answered) > 1000:
                del answered[next(iter(answered))]
            answered[pid] = began

    def moved_on(self, server: str | None, since: int) -> bool:
        """Whether every HTTP worker of a prefork server began and answered something since then.

        The master keeps their number; each runs one request at a time. A worker may end without a line, but
        the one that replaces it has one: between two such replacements each process is another worker.
        """
        state = self.server(server)
        if not state.complete or not state.workers or state.threaded:
            return False
        return sum(began > since for began in state.answered.values()) >= state.workers

    def works(self, server: str | None, db: str | None) -> None:
        """A process of this server ran a job of this database."""
        servers = self._work.get(db)
        if servers is None:
            if len(self._work) >= _DATABASES:
                return
            servers = self._work[db] = {}
        servers[server] = None

    def rests(self, server: str | None) -> None:
        """A server has stopped."""
        for servers in self._work.values():
            servers.pop(server, None)

    def work_elsewhere(self, server: str | None, db: str | None) -> bool:
        """Whether other servers, which did not stop since, ran jobs of this database."""
        return any(name != server for name in self._work.get(db, ()))

    def started(self, server: str | None, pid: int | None, time: int) -> None:
        """A server was started with this master: what was known of its processes is of the past."""
        for (name, _), process in self._known.items():
            if name == server:
                process.stale = True
        state = self.server(server)
        state.master = pid
        state.complete = True
        state.threaded = False
        state.since = time
        state.workers = 0
        state.answered = {}
        state.places, state.left = {}, []
        process = self.get(server, pid)
        process.role = SERVER if process.role not in (RUNNER, THREADED) else process.role
        process.announced = True
        process.stale = False
        process.seen = time

    def gone(self, server: str | None, pid: int | None, time: int) -> None:
        """The process ended, at `time` (ms)."""
        process = self._known.get((server, pid))
        if process is not None:
            if process.role == HTTP and not process.stale:
                self._leave(self.server(server), pid, time)
            process.stale = True

    def _leave(self, state: Server, pid: int | None, time: int) -> None:
        if pid is not None and len(state.left) < state.workers:
            place = state.places.pop(pid, pid)
            state.answered[place] = time
            state.left.append(place)

    def may_run(self, server: str | None, pid: int | None, time: int) -> bool:
        """Whether this process may have written a line of the job runner."""
        process = self._known.get((server, pid)) or self.get(server, pid)
        role = process.role
        if role in (RUNNER, THREADED):
            pass
        elif role in (HTTP, CRON, EVENTED) and process.announced and not process.stale:
            return False
        elif role == SERVER:
            # Until 2020 a thread of the prefork server's master is the runner.
            pass
        else:
            rivals = [
                other
                for (name, number), other in self._known.items()
                if name == server and number != pid and not other.stale and other.runner_lines
            ]
            if any(other.announced and other.role in (RUNNER, THREADED) for other in rivals):
                return False
            if process.worker_lines:
                if any(other.runner_lines >= _SHOWN for other in rivals):
                    return False
                process.role = THREADED
        process.runner_lines += 1
        process.seen = time
        return True

    def may_work(self, server: str | None, pid: int | None, time: int) -> bool:
        """Whether this process may have run a job."""
        process = self._known.get((server, pid)) or self.get(server, pid)
        role = process.role
        if role in (HTTP, THREADED, EVENTED):
            pass
        elif process.announced and (role == RUNNER or (role == CRON and not process.stale)):
            return False
        elif role == SERVER:
            if not self._servers[server].threaded and self._workers_known(server):
                return False
            process.role = THREADED
        else:
            state = self.server(server)
            if role is None and state.complete and self._workers_known(server):
                return False
            if process.runner_lines:
                if process.runner_lines >= _SHOWN and self._others_work(server, pid):
                    return False
                process.role = THREADED
        process.worker_lines += 1
        process.seen = time
        return True

    def may_run_cron(self, server: str | None, pid: int | None, time: int) -> bool:
        """Whether this process may have run a job for the cron jobrunner."""
        process = self.get(server, pid)
        if process.announced and not process.stale and process.role in (HTTP, RUNNER, EVENTED):
            return False
        process.seen = time
        return True

    def may_speak_for_server(self, server: str | None, pid: int | None) -> bool:
        """Whether this process may be a server's master."""
        process = self._known.get((server, pid))
        return process is None or not process.announced or process.stale or process.role in (SERVER, THREADED)

    def may_stop_server(self, server: str | None, pid: int | None) -> bool:
        """Whether this process may be the master of a server that stops: of a log that shows its start."""
        process = self._known.get((server, pid))
        if self.server(server).complete and (process is None or process.role not in (SERVER, THREADED)):
            return False
        return self.may_speak_for_server(server, pid)

    def may_configure(self, server: str | None, pid: int | None) -> bool:
        """Whether this process may set up the job runner: master, runner or all in one; no worker."""
        process = self._known.get((server, pid))
        return not (
            process is not None
            and process.announced
            and not process.stale
            and process.role in (HTTP, CRON, EVENTED)
        )

    def _workers_known(self, server: str | None) -> bool:
        return any(
            name == server and process.announced and not process.stale and process.role in (HTTP, THREADED)
            for (name, _), process in self._known.items()
        )

    def _others_work(self, server: str | None, pid: int | None) -> bool:
        return any(
            name == server and number != pid and process.worker_lines >= _SHOWN
            for (name, number), process in self._known.items()
        )
