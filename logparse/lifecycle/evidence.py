"""What a process wrote since its last answer: tracebacks and refusals that name no job, or no attempt.

The traceback of a failed job carries no uuid; the next access line of the same process for a job is its
own (queue_job/controllers/main.py re-raises, and the answer is logged when it is sent). Where all share
one process (workers = 0), it is told only where no other job can be meant.
"""

import msgspec

from logparse.lifecycle.job import Proof

# What a process may leave behind is bounded.
_MOST = 64


class Trace(msgspec.Struct, frozen=True, gc=False):
    """A traceback: the dotted class name of its exception (None where it shows none), place and database."""

    exception: str | None
    proof: Proof
    db: str | None = None


class Evidence(msgspec.Struct):
    """Of one process, since its last answer. Times are milliseconds.

    refused: uuid -> when the process refused to run it. releases: when the release of dependent jobs was
    tried again, or given up: the job itself was done by then.
    """

    traces: list[Trace] = []
    refused: dict[str, int] = {}
    releases: list[int] = []

    def trace(self, trace: Trace) -> None:
        """Remember a traceback."""
        self.traces.append(trace)
        del self.traces[:-_MOST]

    def refuse(self, uuid: str, time: int) -> None:
        """Remember a refusal."""
        self.refused[uuid] = time
        if len(self.refused) > _MOST:
            del self.refused[next(iter(self.refused))]

    def release(self, time: int) -> None:
        """Remember trouble with the release of dependent jobs."""
        self.releases.append(time)
        del self.releases[:-_MOST]

    def has_released(self, since: int | None) -> bool:
        """Whether there was trouble with the release of dependent jobs; since then, where it is given."""
        return any(since is None or time >= since for time in self.releases)

    def was_refused(self, uuid: str, since: int | None) -> bool:
        """Whether the answer for `uuid` is that of a refusal; `since`: when the request began."""
        time = self.refused.get(uuid)
        if time is None or (since is not None and time < since):
            return False
        del self.refused[uuid]
        return True

    def take_trace(self, since: int, db: str | None, *, shared: bool) -> tuple[bool, Trace | None]:
        """(whether there is a traceback since then, the one that is certain), and forget it.

        db: of the job. shared: several jobs run in this process at once.
        """
        here = [
            trace
            for trace in self.traces
            if trace.proof.time >= since and (trace.db == db or trace.db is None or db is None)
        ]
        if not here:
            return False, None
        if not shared:
            self.traces.clear()
            return True, here[-1]
        if len(here) == 1:
            self.traces.remove(here[0])
            return True, here[0]
        if len({trace.exception for trace in here}) == 1:
            self.traces.remove(here[0])
            return True, here[0]
        return True, None

    def clear(self) -> None:
        """The process has answered."""
        if self.traces:
            self.traces.clear()
        if self.refused:
            self.refused.clear()
        if self.releases:
            self.releases.clear()
