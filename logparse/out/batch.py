"""Outputs that come together, taken apart once by what they tell: for all who count them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Generic, TypeVar

from logparse.lifecycle.event import JOB_EVENTS, Ended, Event, Output, QueueWait, Unanswered
from logparse.out.numbers import countable

Pair = tuple[str | None, str | None]
"""Database and channel, as the log names them."""

O = TypeVar("O", bound=Output)  # noqa: E741
T = TypeVar("T")
_JOB_EVENTS = frozenset(JOB_EVENTS)


class Group(Generic[O]):
    """Outputs of one kind that are counted as one, in their order."""

    __slots__ = ("_values", "outputs")

    def __init__(self, outputs: list[O]) -> None:
        self.outputs = outputs
        self._values: dict[str, list[float]] = {}

    def values(self, field: str) -> list[float]:
        """What a field says, as far as it counts; looked at once, whoever asks."""
        found = self._values.get(field)
        if found is None:
            found = self._values[field] = countable(map(attrgetter(field), self.outputs))
        return found


class Kind(Generic[O]):
    """All outputs of one kind, in their order. by_pair: those of each database and channel."""

    __slots__ = ("by_pair", "outputs")

    def __init__(self, outputs: list[O]) -> None:
        self.outputs = outputs
        found: defaultdict[Pair, list[O]] = defaultdict(list)
        for output in outputs:
            found[output.db, output.channel].append(output)
        self.by_pair = {pair: Group(those) for pair, those in found.items()}

    def by(self, target: Mapping[Pair, T]) -> Iterable[tuple[T, Group[O]]]:
        """Those of each target; one that several pairs share is given theirs in the order of all."""
        by_pair = self.by_pair
        targets = [target[pair] for pair in by_pair]
        if len(set(map(id, targets))) == len(targets):
            return zip(targets, by_pair.values(), strict=True)
        shared: dict[int, list[Pair]] = {}
        for pair, one in zip(by_pair, targets, strict=True):
            shared.setdefault(id(one), []).append(pair)
        return [(target[pairs[0]], self._of(pairs)) for pairs in shared.values()]

    def _of(self, pairs: list[Pair]) -> Group[O]:
        if len(pairs) == 1:
            return self.by_pair[pairs[0]]
        if len(pairs) == len(self.by_pair):
            return Group(self.outputs)
        return Group([output for output in self.outputs if (output.db, output.channel) in pairs])


class Batch:
    """What was told, in its order, and taken apart.

    ended, waits, unanswered: those outputs. words: events by their word; jobs: those of jobs. pairs: the
    databases and channels of all but the installation's events.
    """

    def __init__(self, outputs: Sequence[Output]) -> None:
        self.outputs = outputs
        ended: list[Ended] = []
        waits: list[QueueWait] = []
        unanswered: list[Unanswered] = []
        words: defaultdict[str, list[Event]] = defaultdict(list)
        for output in outputs:
            if type(output) is Ended:
                ended.append(output)
            elif isinstance(output, Event):
                words[output.event].append(output)
            elif isinstance(output, QueueWait):
                waits.append(output)
            elif isinstance(output, Unanswered):
                unanswered.append(output)
        self.words: Mapping[str, list[Event]] = words
        self.ended, self.waits, self.unanswered = Kind(ended), Kind(waits), Kind(unanswered)
        self.jobs = {word: Kind(events) for word, events in words.items() if word in _JOB_EVENTS}
        self.pairs: set[Pair] = {*self.ended.by_pair, *self.waits.by_pair, *self.unanswered.by_pair}
        for kind in self.jobs.values():
            self.pairs.update(kind.by_pair)

    def installation(self) -> Sequence[Event]:
        """Events of the installation, in their order."""
        of_it = [events for word, events in self.words.items() if word not in _JOB_EVENTS]
        if len(of_it) < 2:
            return of_it[0] if of_it else ()
        return [one for one in self.outputs if isinstance(one, Event) and one.event not in _JOB_EVENTS]
