"""What logparse tells of the recorded runs, counted as the exported pipelines count."""

from collections import Counter
from functools import cache

from logparse.export.signal import Signal, signals
from logparse.match.fact import Fact
from logparse.pipe import Pipe, Tap
from logparse.source.chunk import Chunk
from tests import recorded

# A concurrency error writes a second line, "postponed", in all versions that these runs are of.
_NOT_COUNTED = frozenset({"ctl.op_error"})


# The pipelines read Odoo's own format; what syslog or a JSON formatter made of it is for logparse alone.
RUNS = [run for run in recorded.RUNS if "syslog" not in run and "json" not in run]


@cache
def exported() -> tuple[Signal, ...]:
    """The signals of all versions."""
    return signals(recorded.patterns())


class Facts(Tap):
    """of: facts by signal. exceptions: the failures' by class. uuids: those that a counted fact names."""

    def __init__(self) -> None:
        self.of: Counter[str] = Counter()
        self.exceptions: Counter[str] = Counter()
        self.uuids: set[str] = set()
        self._signals = {p.id: signal.event for signal in exported() for p in signal.patterns}

    def fact(self, fact: Fact, *, believed: bool) -> None:  # noqa: ARG002
        event = self._signals.get(fact.pattern)
        if event is None or fact.pattern in _NOT_COUNTED:
            return
        self.of[event] += 1
        if event == "failed":
            self.exceptions[fact.fields.get("exception", "")] += 1
        if fact.uuid is not None:
            self.uuids.add(fact.uuid)


@cache
def facts(run: str) -> Facts:
    """Of the whole pipe, on one run."""
    pipe = Pipe(recorded.patterns())
    pipe.tap = found = Facts()
    for name, text in recorded.texts(run).items():
        pipe.feed(Chunk(name, 0, text, last=True))
    return found


@cache
def events(run: str) -> Counter[str]:
    """logparse's events, by word."""
    return Counter(event.event for event in recorded.events(run))


def lines(run: str) -> list[str]:
    """All lines of a run, in order, without their line ends, as a tailer hands them on."""
    text = b"".join(recorded.texts(run).values()).decode(errors="replace")
    return text.removesuffix("\n").split("\n")
