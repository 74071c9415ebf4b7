"""Sending the events of finite logs to Loki, for `ship --once`."""

import threading
from collections.abc import Sequence

from logparse.cli.error import CliError, say
from logparse.cli.options import Reading
from logparse.cli.run import open_run
from logparse.cli.sending import Sending, sentence
from logparse.cli.shipping import Plan
from logparse.lifecycle.event import Output
from logparse.out.sink import Sink, Source

# What no other try would change: --once ends with it.
_HOPELESS = frozenset({*range(300, 400), 400, 401, 403, 404, 405, 501})
_TRIES = 8  # of --once, in a row: about a minute


class _Once(Sink):
    """Sends what a replay tells; waits while too much waits."""

    def __init__(self, plan: Plan) -> None:
        self._answered = threading.Event()
        self._most = 4 * plan.batch_bytes
        self._endpoint = plan.endpoint
        self._failures = 0
        self._failed: object = None
        self.sending: Sending = plan.sending(None, self._answered.set)
        self.tap = self.sending.tap

    def open(self, source: Source) -> None:
        """Take note of the pipe."""
        self._source = source

    def add(self, outputs: Sequence[Output]) -> None:
        """Let them wait, and send what is due."""
        self.sending.add(outputs, self._source.pipe)
        self._step()
        while self.sending.outbox.bytes >= self._most:
            self._step(wait=True)

    def finish(self) -> None:
        """Send the rest."""
        while len(self.sending.outbox):
            self._step(wait=True)
        self.sending.close()

    def discard(self) -> None:
        """Send nothing more."""
        self.sending.close()

    def _step(self, *, wait: bool = False) -> None:
        sending = self.sending
        settled = sending.step(flush=wait)
        problem = sending.problem
        if problem is None:
            self._failures = 0
        elif problem is not self._failed:
            self._failures += 1
            if problem.status in _HOPELESS or self._failures >= _TRIES:
                raise CliError(
                    f"{sentence(problem, self._endpoint)}; {sending.outbox.sent} events were sent, "
                    f"{len(sending.outbox)} wait: send the same files again, what is in Loki is not doubled"
                )
        self._failed = problem
        if wait and not settled:
            self._answered.wait(min(0.5, sending.idle or 0.01))
            self._answered.clear()


def send_once(reading: Reading, plan: Plan) -> None:
    """Send what the files hold, and end when Loki has it. Raises CliError where it does not take all."""
    run = open_run(reading)
    sink = _Once(plan)
    try:
        run.into([sink])
        sink.finish()
    finally:
        sink.discard()
        for warning in run.warnings:
            say(warning)
    outbox = sink.sending.outbox
    say(f"{outbox.sent} events are in Loki")
    if dropped := outbox.dropped.total():
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(outbox.dropped.items()))
        raise CliError(f"Loki refused {dropped} events ({reasons}); docs/pipelines.md tells what helps")
