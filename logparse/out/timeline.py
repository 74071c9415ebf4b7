"""What happened when: counts, run times, delays and open jobs, in intervals that widen as time goes on."""

import math
from collections.abc import Iterator, Sequence

import msgspec

from logparse.lifecycle.event import JOB_EVENTS, Ended, Event, Output, QueueWait, Unanswered
from logparse.out.counts import Counts
from logparse.out.labels import OTHER
from logparse.out.sink import Sink, Source

WIDTHS: tuple[int, ...] = (
    *(1_000, 5_000, 15_000, 60_000, 300_000, 900_000),
    *(3_600_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000),
    *(7 * 86_400_000 * 2**power for power in range(20)),
)
"""Of an interval, ms: each holds the one before a whole number of times."""
MOST = 600
"""Intervals; where there would be more, they are made wider."""
LOOKS = 12
"""How often in an interval it is looked at what is open, where it is longer than so many seconds."""
_MOST_LANES = 64

GAMMA = 1.1
"""Durations are counted in steps of 10 %: a percentile of them is within 5 %."""
_PER_STEP = 1 / math.log(GAMMA)
_LEAST, _ABSURD = 0.0005, 1e12
ZERO = math.floor(math.log(_LEAST) * _PER_STEP)
"""The step of all that is below half a millisecond."""

STATES = ("pending", "enqueued", "started", "unsettled")
MARKS = frozenset(
    {
        "runner_started",
        "runner_stopped",
        "runner_error",
        "runner_standby",
        "server_started",
        "server_stopped",
        "worker_killed",
    }
)
"""Events of the installation that are marked."""
ROTATION = "rotation"
_WORDS = {word: index for index, word in enumerate(JOB_EVENTS)}
_DISPATCHED, _STARTED = _WORDS["dispatched"], _WORDS["started"]
_MOST_NOTES = 8  # texts of one interval's marks

Steps = dict[int, int]
"""How many durations are in each step: i is for those above GAMMA^(i-1) and up to GAMMA^i seconds."""


def _count(steps: Steps, seconds: float) -> None:
    # A number that no job can have taken is forged, or no number at all.
    if seconds < _ABSURD:
        step = math.ceil(math.log(seconds) * _PER_STEP) if seconds > _LEAST else ZERO
        steps[step] = steps.get(step, 0) + 1


def quantile(steps: Steps, share: float) -> float | None:
    """The duration (seconds) at or below which a share (0 to 1) of these is, within 5 %; None of none."""
    rank = max(1, math.ceil(share * sum(steps.values())))
    passed = 0
    for step in sorted(steps):
        passed += steps[step]
        if passed >= rank:
            return 0.0 if step == ZERO else 2 * GAMMA**step / (GAMMA + 1)
    return None


class Cell(msgspec.Struct):
    """Of one interval. counts: by JOB_EVENTS. ended: attempts. run, delay, wait: durations by step.

    seen: jobs by STATES, at the look at which most were open; peak: the most under way at once, by what was
    dispatched and ended between the looks. left: open at its end. oldest, longest: of those under way, and of
    those pending, how old the oldest was (seconds).
    """

    counts: list[int] = msgspec.field(default_factory=lambda: [0] * len(JOB_EVENTS))
    ended: int = 0
    run: Steps = {}
    delay: Steps = {}
    wait: Steps = {}
    seen: list[int] | None = None
    peak: int = 0
    left: int = 0
    oldest: float = 0.0
    longest: float = 0.0

    def look(self, states: list[int], oldest: float, longest: float) -> None:
        """What is open now."""
        self.left = sum(states[:3])
        if self.seen is None or self.left >= sum(self.seen[:3]):
            self.seen = states
        self.oldest, self.longest = max(self.oldest, oldest), max(self.longest, longest)

    @property
    def open(self) -> list[int]:
        """Jobs by STATES, when most were open; what no look saw began and ended soon, and so ran."""
        pending, enqueued, started, unsettled = self.seen or (0, 0, 0, 0)
        return [pending, enqueued, max(started, self.peak - enqueued), unsettled]

    def merge(self, other: "Cell") -> None:
        """Add what a later one counted."""
        self.counts = [one + more for one, more in zip(self.counts, other.counts, strict=True)]
        self.ended += other.ended
        for mine, theirs in ((self.run, other.run), (self.delay, other.delay), (self.wait, other.wait)):
            for step, count in theirs.items():
                mine[step] = mine.get(step, 0) + count
        if other.seen is not None:
            self.look(other.seen, other.oldest, other.longest)
        self.oldest = max(self.oldest, other.oldest)
        self.peak = max(self.peak, other.peak)
        self.left = other.left


class Lane(msgspec.Struct):
    """One channel of a database.

    cells: by the number of the interval (time // width). left: open when last seen. running: under way now.
    """

    db: str
    channel: str
    cells: dict[int, Cell] = {}
    left: int = 0
    running: int = 0


class Mark(msgspec.Struct):
    """What happened to the installation in one interval: how often, and what of it (reasons, files)."""

    count: int = 0
    notes: list[str] = []


class Timeline(Sink):
    """Adds up what happens by time; memory grows neither with time nor with the number of jobs.

    counts: whose labels name databases and channels. lanes: of at most 64 channels; beyond, of `other`.
    marks: (number of the interval, kind) -> how often.
    """

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._level = 0
        self.width = WIDTHS[0]
        self.lanes: dict[tuple[str, str], Lane] = {}
        self.marks: dict[tuple[int, str], Mark] = {}
        self._by_raw: dict[tuple[str | None, str | None], Lane] = {}
        self._low, self._high = 1, 0  # no interval yet
        self._looked: int | None = None
        self._past = False  # the end of what is selected

    def open(self, source: Source) -> None:
        self._source = source
        self.due = 0

    @property
    def intervals(self) -> range:
        """The numbers of all intervals, also of those in which nothing happened."""
        return range(self._low, self._high + 1)

    def add(self, outputs: Sequence[Output]) -> None:
        by_raw = self._by_raw
        for output in outputs:
            index = -1
            if isinstance(output, Event):
                word = output.event
                found = _WORDS.get(word)
                if found is None:
                    if word in MARKS:
                        self._mark(self._interval(output.ts), word, output.reason)
                    continue
                index = found
            elif isinstance(output, Unanswered):
                continue
            interval = output.ts // self.width
            if not self._low <= interval <= self._high:
                interval = self._reach(output.ts)
            lane = by_raw.get((output.db, output.channel)) or self._lane(output.db, output.channel)
            cell = lane.cells.get(interval)
            if cell is None:
                cell = lane.cells[interval] = Cell()
            if index >= 0:
                cell.counts[index] += 1
                if index == _DISPATCHED:
                    lane.running += 1
                    if lane.running > cell.peak:
                        cell.peak = lane.running
                elif index == _STARTED and output.wait is not None:  # type: ignore[union-attr]
                    _count(cell.delay, output.wait)  # type: ignore[union-attr]
            elif isinstance(output, Ended):
                cell.ended += 1
                if lane.running:
                    lane.running -= 1
                if (duration := output.duration) is not None:
                    _count(cell.run, duration)
                    if cell.oldest < duration < _ABSURD:
                        cell.oldest = duration
            elif isinstance(output, QueueWait):
                _count(cell.wait, output.seconds)

    def rotated(self, time: int, file: str) -> None:
        """The log goes on in another file, after a record of `time` (ms)."""
        selection = self._source.selection
        if (selection.start_ms or 0) <= time and (selection.end_ms is None or time < selection.end_ms):
            self._mark(self._interval(time), ROTATION, file)

    def look(self, time: int) -> None:
        self._sample(time - 1)
        # What changes next does so now.
        if self._looked is not None:
            self._looked = time // self.width
        step = max(WIDTHS[0], self.width // LOOKS)
        self.due = (time // step + 1) * step

    def finish(self) -> None:
        now = self._source.pipe.lifecycle.now
        if now:
            self._sample(now)

    def widen(self) -> None:
        """Make the intervals wider by one level."""
        before = self.width
        self._level += 1
        self.width = WIDTHS[self._level]
        times = self.width // before
        for lane in self.lanes.values():
            cells: dict[int, Cell] = {}
            for interval, cell in sorted(lane.cells.items()):
                wide = cells.get(interval // times)
                if wide is None:
                    cells[interval // times] = cell
                else:
                    wide.merge(cell)
            lane.cells = cells
        marks: dict[tuple[int, str], Mark] = {}
        for (interval, kind), mark in self.marks.items():
            into = marks.setdefault((interval // times, kind), Mark())
            into.count += mark.count
            into.notes = list(dict.fromkeys([*into.notes, *mark.notes]))[:_MOST_NOTES]
        self.marks = marks
        self._low, self._high = self._low // times, self._high // times
        if self._looked is not None:
            self._looked //= times

    def _interval(self, time: int) -> int:
        interval = time // self.width
        if not self._low <= interval <= self._high:
            interval = self._reach(time)
        return interval

    def _reach(self, time: int) -> int:
        """The interval of a time that is before or after all before it."""
        if self._low > self._high:
            self._low = self._high = time // self.width
        while max(time // self.width, self._high) - min(time // self.width, self._low) >= MOST:
            self.widen()
        interval = time // self.width
        self._low, self._high = min(self._low, interval), max(self._high, interval)
        return interval

    def _lane(self, db: str | None, channel: str | None) -> Lane:
        key = self._counts.labels(db, channel)
        if key not in self.lanes and len(self.lanes) >= _MOST_LANES:
            key = (key[0], OTHER)
            if key not in self.lanes and len(self.lanes) >= 2 * _MOST_LANES:
                key = (OTHER, OTHER)
        lane = self.lanes.get(key)
        if lane is None:
            lane = self.lanes[key] = Lane(*key)
        if len(self._by_raw) > 10_000:
            self._by_raw.clear()
        self._by_raw[db, channel] = lane
        return lane

    def _mark(self, interval: int, kind: str, note: str | None) -> None:
        mark = self.marks.get((interval, kind))
        if mark is None:
            mark = self.marks[interval, kind] = Mark()
        mark.count += 1
        if note is not None and note not in mark.notes and len(mark.notes) < _MOST_NOTES:
            mark.notes.append(note)

    def _sample(self, until: int) -> None:
        """What is open now was so in all intervals since the last look, up to that of `until` (ms)."""
        selection = self._source.selection
        if selection.end_ms is not None and until >= selection.end_ms:
            if self._past:
                return
            self._past = True
            until = selection.end_ms - 1
        if self._low > self._high or until < self._low * self.width:
            return
        last = until // self.width
        if last > self._high:
            self._reach(until)
            last = until // self.width
        first = self._low if self._looked is None else max(self._looked, self._low)
        if first > last:
            first = last
        self._looked = last
        for lane in self.lanes.values():
            lane.running = 0
            if lane.left:
                lane.left = 0
                if first not in lane.cells:
                    lane.cells[first] = Cell()
                for interval in range(first, last + 1):
                    if interval in lane.cells:
                        lane.cells[interval].left = 0
        for lane, states, since, pending in self._open():
            lane.left, lane.running = sum(states[:3]), sum(states[1:3])
            for interval in range(first, last + 1):
                end = min((interval + 1) * self.width, until)
                cell = lane.cells.get(interval)
                if cell is None:
                    cell = lane.cells[interval] = Cell()
                cell.look(states, _age(end, since), _age(end, pending))

    def _open(self) -> Iterator[tuple[Lane, list[int], int | None, int | None]]:
        """(lane, jobs by state, since when the oldest under way and the oldest pending one are there)."""
        life, dbs = self._source.pipe.lifecycle, self._source.selection.dbs
        found: dict[tuple[str, str], tuple[Lane, list[int], list[int], list[int]]] = {}
        for db, channel, state, count, oldest in life.jobs.states():
            if (dbs and db not in dbs) or (state == "pending" and not life.sight.pending):
                continue
            lane = self._by_raw.get((db, channel)) or self._lane(db, channel)
            _, states, since, pending = found.setdefault((lane.db, lane.channel), (lane, [0] * 4, [], []))
            states[STATES.index(state)] += count
            if state == "pending":
                pending.append(oldest)
            elif state != "unsettled":
                since.append(oldest)
        for lane, states, since, pending in found.values():
            yield lane, states, min(since, default=None), min(pending, default=None)


def _age(now: int, since: int | None) -> float:
    return max(0, now - since) / 1000 if since is not None else 0.0
