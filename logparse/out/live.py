"""What a scrape shows of a lifecycle that goes on, and of the followers and pipes that feed it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from logparse.lifecycle.lifecycle import Lifecycle
from logparse.out.gauges import FileStats, Gauges, PipeStats, ReaderStats
from logparse.out.memory import resident
from logparse.pipe import Pipe
from logparse.source.follow import Follower

_ENOUGH = 20
"""Dispatches of a database after which the lack of any ending means that this log shows none."""


class LiveGauges(Gauges):
    """The gauges of a lifecycle, and of the pipes that share it.

    What the log's level cannot tell apart is not told apart: at INFO a job that was handed to a worker is
    `dispatched`, whether it runs yet or not; `pending` is shown only where lines tell who waits.
    """

    def __init__(self, lifecycle: Lifecycle, pipes: Sequence[Pipe]) -> None:
        self._lifecycle = lifecycle
        self._pipes = pipes

    def turn_to(self, lifecycle: Lifecycle, pipes: Sequence[Pipe]) -> None:
        """Another lifecycle goes on with what this one knew."""
        self._lifecycle = lifecycle
        self._pipes = pipes

    def open_jobs(self) -> Iterator[tuple[str | None, str | None, str, int, int]]:
        for db, channel, state, count, oldest in self._lifecycle.jobs.states():
            if (shown := self._shown(state)) is not None:
                yield db, channel, shown, count, oldest

    def most_attempts(self) -> Iterator[tuple[str | None, str | None, int]]:
        return self._lifecycle.jobs.most_attempts()

    def states(self) -> tuple[str, ...]:
        states = ("pending", "enqueued", "started", "unsettled")
        return tuple(dict.fromkeys(shown for state in states if (shown := self._shown(state)) is not None))

    def visible(self) -> Iterator[tuple[str | None, bool]]:
        sight = self._lifecycle.sight
        for db in dict.fromkeys((*sight.databases, *sight.dispatched)):
            answered, dispatched = sight.answered[db], sight.dispatched[db]
            # An add-on may remove the dispatches, and of the answers all but failures.
            only_failures = not dispatched and answered >= _ENOUGH and sight.failed[db] == answered
            ends = sight.started or (answered > 0 and not only_failures)
            yield db, ends or (dispatched < _ENOUGH and not only_failures)

    def tracked_jobs(self) -> int:
        return len(self._lifecycle.jobs)

    def evicted_jobs(self) -> int:
        return self._lifecycle.jobs.evicted

    def rejected(self) -> Mapping[str, int]:
        rejected = Counter(self._lifecycle.rejected)
        for pipe in self._pipes:
            rejected.update(pipe.tally.rejected)
        return rejected

    def clock_skew(self) -> int:
        return sum(pipe.tally.clock_skew for pipe in self._pipes)

    def runner_activity(self) -> Mapping[str, int]:
        return self._lifecycle.runner_activity

    def runner_wakeup(self) -> Mapping[str, int]:
        return self._lifecycle.runner_wakeup

    def _shown(self, state: str) -> str | None:
        if state == "pending":
            return state if self._lifecycle.sight.pending else None
        if state in ("enqueued", "started") and not self._lifecycle.sight.started:
            return "dispatched"
        return state


class ReadOnce(ReaderStats):
    """The numbers of files that are read once, through one pipe; by file, where there is only one."""

    def __init__(self, pipe: Pipe, files: Sequence[str]) -> None:
        self._pipe = pipe
        self._files = files

    def files(self) -> Iterator[FileStats]:
        if len(self._files) == 1:
            tally = self._pipe.tally
            yield FileStats(self._files[0], tally.lines, tally.bytes, last_record=tally.last)

    def pipe(self) -> PipeStats:
        tally = self._pipe.tally
        return PipeStats(self._pipe.facts, self._pipe.unmatched, tally.truncated, tally.decode_errors)


class Counted(Protocol):
    """What a follower counted of its file until some moment."""

    @property
    def rotations(self) -> Mapping[str, int]: ...
    @property
    def lost(self) -> int: ...
    @property
    def lost_bytes(self) -> int: ...


class Followed(Protocol):
    """A file that is followed, and the pipe that its lines go through.

    lag_bytes: bytes that are written and not read yet. kept: what the saved state counts of it.
    """

    @property
    def follower(self) -> Follower: ...
    @property
    def pipe(self) -> Pipe: ...
    @property
    def lag_bytes(self) -> int: ...
    @property
    def kept(self) -> Counted: ...


class LiveReaders(ReaderStats):
    """The numbers of followed files and their pipes.

    snapshot: when the positions were last saved, seconds since the epoch; None before. snapshot_errors:
    how often they could not be. Both are set by whoever saves.
    kept: a state is saved: rotations and losses are shown when it knows of them, so that they never decrease.
    """

    def __init__(self, files: Sequence[Followed], *, kept: bool) -> None:
        self._files = files
        self._kept = kept
        self.snapshot: float | None = None
        self.snapshot_errors = 0

    def turn_to(self, files: Sequence[Followed]) -> None:
        """Others go on with these files."""
        self._files = files

    def files(self) -> Iterator[FileStats]:
        for one in self._files:
            follower, tally = one.follower, one.pipe.tally
            counted: Counted = one.kept if self._kept else follower
            yield FileStats(
                follower.path,
                lines=tally.lines,
                bytes=tally.bytes,
                lag_bytes=one.lag_bytes,
                last_record=tally.last,
                rotations=dict(counted.rotations),
                lines_lost=max(counted.lost, counted.lost_bytes),
            )

    def pipe(self) -> PipeStats:
        facts: Counter[str] = Counter()
        unmatched: Counter[str] = Counter()
        tallies = [one.pipe.tally for one in self._files]
        for one in self._files:
            facts.update(one.pipe.facts)
            unmatched.update(one.pipe.unmatched)
        return PipeStats(
            facts=facts,
            unmatched=unmatched,
            truncated_records=sum(tally.truncated for tally in tallies),
            decode_errors=sum(tally.decode_errors for tally in tallies),
            snapshot=self.snapshot,
            snapshot_errors=self.snapshot_errors,
            memory=resident(),
        )
