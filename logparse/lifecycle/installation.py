"""What happened to the installation: runner, channels, workers, servers."""

import msgspec

from logparse.lifecycle.event import ChannelEvent, Event, Output
from logparse.lifecycle.job import Proof
from logparse.lifecycle.processes import CRON, EVENTED, HTTP, RUNNER, THREADED, Processes
from logparse.match.fact import Fact, whole

# `Odoo version` is also written by shells and by the evented process; a server goes on to listen. (ms)
_LISTENS_WITHIN = 120_000
# Lines of one start of the runner: the process is announced, sleeps 5 s, says `starting`. (ms)
_ONE_START = 60_000
_KILLS = {
    "core.worker_timeout": "limit_time_real",
    "core.worker_timeout.8": "limit_time_real",
    "core.worker_cpu": "limit_time_cpu",
    "core.worker_exception": "exception",
}


class _Starting(msgspec.Struct, frozen=True, gc=False):
    proof: Proof
    version: str | None


class Installation:
    """Turns facts about runner, workers and servers into events, each told once.

    version: of Odoo, as the last server that started told it.
    """

    def __init__(self, processes: Processes) -> None:
        self.processes = processes
        self.version: str | None = None
        self._restarts: list[tuple[str | None, int]] = []
        self._starting: dict[tuple[str | None, int | None], _Starting] = {}
        self._runner: dict[tuple[str | None, int | None], int] = {}  # a start was told at
        self._stopped: set[tuple[str | None, int | None]] = set()
        self._killed: set[tuple[str | None, int]] = set()

    def tell(self, fact: Fact, proof: Proof, out: list[Output]) -> str | None:
        """Tell what the fact means; why it is rejected, None where it is not."""
        handler = getattr(self, "_on_" + fact.kind, None)
        return handler(fact, proof, out) if handler is not None else None

    def restarts(self) -> list[tuple[str | None, int]]:
        """The servers that were started since the last call, and when (ms)."""
        if not self._restarts:
            return []
        restarts, self._restarts = self._restarts, []
        return restarts

    # Runner

    def _on_runner_start(self, fact: Fact, proof: Proof, out: list[Output]) -> str | None:
        if fact.confidence == "hint":
            return None
        pid = proof.pid
        named = fact.fields.get("worker_pid")
        if named is not None and named != str(pid):
            return "role"
        where = fact.fields.get("server")
        if where == "threaded server":
            self.processes.server(proof.server).threaded = True
            role = THREADED
        elif where is not None:
            role = "server"
        else:
            role = self.processes.role(proof.server, pid) or RUNNER
        if role in (RUNNER, THREADED) and not self.processes.announce(proof.server, pid, role, proof.time):
            return "role"
        if role == THREADED:
            self._confirm(proof, out)
        self._started(proof, out)
        return None

    def _started(self, proof: Proof, out: list[Output]) -> None:
        key = (proof.server, proof.pid)
        told = self._runner.get(key)
        self._runner[key] = told if told is not None else proof.time
        if told is None or proof.time - told > _ONE_START:
            self._runner[key] = proof.time
            out.append(_event("runner_started", proof))

    def _on_runner_ready(self, fact: Fact, proof: Proof, out: list[Output]) -> str | None:
        if fact.confidence == "proves":
            out.append(_event("runner_ready", proof, db=fact.db))
        return None

    def _on_runner_stopped(self, fact: Fact, proof: Proof, out: list[Output]) -> str | None:
        self._runner.pop((proof.server, proof.pid), None)
        out.append(_event("runner_stopped", proof))
        return None

    def _on_runner_crash(self, fact: Fact, proof: Proof, out: list[Output]) -> str | None:
        out.append(_event("runner_error", proof, reason=fact.fields.get("exception") or "crash"))
        return None

    def _on_runner_misconfigured(self, fact: Fact, proof: Proof, out: list[Output]) -> str | None:
        out.append(_event("runner_error", proof, db=fact.db, reason="misconfigured"))
        return None

    def _on_runner_standby(self, fact: Fact, proof: Proof, out: list[Output]) -> str | None:
        out.append(_event("runner_standby", proof, db=fact.db))
        return None

    # Channels

    def _on_channel_config(self, fact: Fact, proof: Proof, out: list[Output]) -> str | None:
        if fact.confidence == "proves":
            out.append(_channel("channel_configured", fact, proof))
        return None

    def _on_backpressure(self, fact: Fact, proof: Proof, out: list[Output]) -> str | None:
        out.append(_event("backpressure", proof, db=fact.db, channel=fact.fields.get("channel")))
        if "running" in fact.fields:
            out.append(_channel("channel_state", fact, proof))
        return None

    # Workers

    def _on_worker_start(self, fact: Fact, proof: Proof, out: list[Output]) -> str | None:
        worker_class = fact.fields.get("worker_class", "")
        if fact.fields.get("worker_pid") != str(proof.pid):
            return "role"
        if not self.processes.announce_worker(proof.server, proof.pid, worker_class, proof.time):
            return "role"
        self._killed.discard((proof.server, proof.pid or 0))
        out.append(_event("worker_started", proof, reason=worker_class or None))
        if "JobRunner" in worker_class:
            self._started(proof, out)
        return None

    def _on_worker_stop(self, fact: Fact, proof: Proof, out: list[Output]) -> str | None:
        if fact.fields.get("worker_pid") != str(proof.pid):
            return "role"
        self.processes.gone(proof.server, proof.pid, proof.time)
        out.append(_event("worker_stopped", proof))
        return None

    def _on_worker_killed(self, fact: Fact, proof: Proof, out: list[Output]) -> str | None:
        named = fact.fields.get("worker_pid")
        if fact.confidence == "hint" or named is None:
            return None
        pid = whole(named)
        by_master = fact.confidence == "proves"
        if by_master and self.processes.role(proof.server, proof.pid) in (HTTP, CRON, RUNNER, EVENTED):
            return "role"
        if not by_master and pid != proof.pid:
            return "role"
        self.processes.gone(proof.server, pid, proof.time)
        if (proof.server, pid) not in self._killed:
            self._killed.add((proof.server, pid))
            reason = _KILLS.get(fact.pattern, "killed")
            out.append(_event("worker_killed", proof, reason=reason, pid=pid))
        return None

    # Servers

    def _on_server_start(self, fact: Fact, proof: Proof, out: list[Output]) -> str | None:
        if fact.confidence != "proves":
            return None
        version = fact.fields.get("version")
        if not self.processes.may_speak_for_server(proof.server, proof.pid):
            return "role"
        self._starting[proof.server, proof.pid] = _Starting(proof, version)
        if len(self._starting) > 1000:
            del self._starting[next(iter(self._starting))]
        return None

    def _on_server_http(self, fact: Fact, proof: Proof, out: list[Output]) -> str | None:
        self._confirm(proof, out)
        return None

    def _on_evented_start(self, fact: Fact, proof: Proof, out: list[Output]) -> str | None:
        self._starting.pop((proof.server, proof.pid), None)
        self.processes.announce(proof.server, proof.pid, EVENTED, proof.time)
        return None

    def _confirm(self, proof: Proof, out: list[Output]) -> None:
        starting = self._starting.pop((proof.server, proof.pid), None)
        if starting is None or proof.time - starting.proof.time > _LISTENS_WITHIN:
            return
        self.version = starting.version or self.version
        self.processes.started(proof.server, proof.pid, proof.time)
        self._runner = {key: time for key, time in self._runner.items() if key[0] != proof.server}
        self._stopped.clear()
        self._killed = {key for key in self._killed if key[0] != proof.server}
        self._restarts.append((proof.server, starting.proof.time))
        out.append(_event("server_started", starting.proof))

    def _on_server_stop(self, fact: Fact, proof: Proof, out: list[Output]) -> str | None:
        key = (proof.server, proof.pid)
        if key in self._starting:
            # A shell, or a script, that ends: it never listened.
            del self._starting[key]
            return None
        if not self.processes.may_stop_server(proof.server, proof.pid):
            return "role"
        if key not in self._stopped:
            self._stopped.add(key)
            out.append(_event("server_stopped", proof))
        return None


def _event(
    name: str,
    proof: Proof,
    *,
    db: str | None = None,
    channel: str | None = None,
    reason: str | None = None,
    pid: int | None = None,
) -> Event:
    return Event(
        proof.time,
        name,
        db=db,
        channel=channel,
        reason=reason,
        pid=proof.pid if pid is None else pid,
        server=proof.server,
        pattern=proof.pattern,
        file=proof.file,
        offset=proof.offset,
    )


def channel_state(fact: Fact, proof: Proof) -> ChannelEvent:
    """The numbers of a channel, as a line shows them."""
    return _channel("channel_state", fact, proof)


def _channel(name: str, fact: Fact, proof: Proof) -> ChannelEvent:
    fields = fact.fields
    capacity = fields.get("capacity", "")
    return ChannelEvent(
        ts=proof.time,
        event=name,
        db=fact.db if name == "channel_configured" and "db" in fields else None,
        channel=fields.get("channel"),
        pid=proof.pid,
        server=proof.server,
        pattern=proof.pattern,
        file=proof.file,
        offset=proof.offset,
        capacity=whole(capacity) if capacity.isdecimal() else None,
        pending=whole(fields.get("pending", "0")),
        running=whole(fields.get("running", "0")),
        failed=whole(fields.get("failed", "0")),
    )
