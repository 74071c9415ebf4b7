"""Turns what was counted into the entries of a report."""

from collections import Counter
from collections.abc import Iterable, Sequence

from logparse.lifecycle.event import JOB_EVENTS, Event
from logparse.lifecycle.lifecycle import Lifecycle
from logparse.out.counts import REQUEUE_REASONS
from logparse.out.label import cleaned
from logparse.out.report import Attempt, Channel, Input, Lost, Open, Percentiles, Repeated
from logparse.out.sketch import Sketch
from logparse.out.state import Series
from logparse.out.time import iso
from logparse.out.top import Often
from logparse.out.visible import Visibility
from logparse.pipe import Pipe
from logparse.source.error import shown as shown_path


def tells_anything(series: Iterable[Series]) -> bool:
    """Whether anything was counted in these."""
    return any(one.events or one.runs for one in series)


def requeued(series: Iterable[Series], sees: Visibility) -> dict[str, int | None]:
    """Jobs that went back to wait, by reason; None for a reason that this log cannot show."""
    counted: Counter[str] = Counter()
    for one in series:
        counted.update(one.requeued)
    shown = {"manual": sees.shows("requeued"), "unknown": sees.shows("dispatched")}
    return {
        reason: counted[reason] if counted[reason] or shown.get(reason, True) else None
        for reason in REQUEUE_REASONS
    }


def percentiles(sketch: Sketch) -> Percentiles | None:
    """Of the numbers of a sketch; None where it is empty."""
    most = sketch.most
    if most is None:
        return None

    def at(share: float) -> float:
        value = sketch.quantile(share)
        return round(value, 3) if value is not None else most

    return Percentiles(
        sketch.count,
        round(sketch.sum / sketch.count, 3),
        at(0.5),
        at(0.9),
        at(0.95),
        at(0.99),
        round(most, 3),
    )


def attempt(event: Event) -> Attempt:
    """The entry of an ending, for the list of the slowest."""
    return Attempt(
        _text(event.uuid),
        round(event.duration or 0.0, 3),
        iso(event.ts) or "",
        event.event,
        event.attempt,
        _text(event.channel),
        shown_path(event.file),
        event.offset,
    )


def lost(event: Event) -> Lost:
    """The entry of an attempt that can no longer end."""
    return Lost(
        _text(event.uuid),
        iso(event.ts) or "",
        event.attempt,
        _text(event.reason),
        _text(event.channel),
        shown_path(event.file),
        event.offset,
    )


def repeated(often: Often[str]) -> Repeated:
    """The entry of a job to which something happened often."""
    last = often.last
    return Repeated(
        _text(often.key),
        often.at_least,
        often.at_least == often.at_most,
        iso(last.ts) or "",
        _text(last.exception),
        _text(last.channel),
    )


def channels(series: Iterable[Series], durations: dict[str, Sketch]) -> list[Channel]:
    """By channel; none where no line told any."""
    told = [one for one in series if one.events or one.runs]
    if not any(one.channel for one in told):
        return []
    channels = []
    for one in sorted(told, key=lambda item: (item.channel == "", item.channel)):
        sketch = durations.get(one.channel)
        channels.append(
            Channel(
                one.channel or None,
                {word: one.events[word] for word in JOB_EVENTS if word in one.events},
                one.runs,
                percentiles(sketch) if sketch is not None else None,
            )
        )
    return channels


def tells_starts(sees: Visibility) -> bool:
    """Whether a job that runs is told apart from one that waits for a worker."""
    return sees["started"].shown == "yes"


def open_states(opened: dict[str, tuple[int, int]], life: Lifecycle, sees: Visibility) -> list[Open]:
    """The states in the order of a job's life, those that the log cannot show as None."""
    names = ("pending", *(("enqueued", "started") if tells_starts(sees) else ("dispatched",)), "unsettled")
    dispatches = sees.shows("dispatched")
    shown = {"pending": life.sight.pending, "enqueued": dispatches, "dispatched": dispatches}
    result = []
    for name in names:
        count, oldest = opened.get(name, (0, None))
        result.append(Open(name, count if count or shown.get(name, True) else None, iso(oldest)))
    return result


def what_was_read(pipe: Pipe, files: Sequence[str]) -> Input:
    """What went into the report, of the whole log."""
    tally, life = pipe.tally, pipe.lifecycle
    rejected = Counter(tally.rejected)
    rejected.update(life.rejected)
    return Input(
        [shown_path(file) for file in files],
        tally.bytes,
        tally.lines,
        iso(tally.first),
        iso(tally.last),
        pipe.matcher.odoo,
        sum(count for name, count in pipe.facts.items() if "uuid" in pipe.patterns[name].names),
        dict(rejected.most_common()),
        {cleaned(logger): count for logger, count in pipe.unmatched.most_common()},
        tally.truncated,
        tally.decode_errors,
        tally.clock_skew,
        len(life.jobs),
        life.jobs.evicted,
    )


def _text(value: str | None) -> str | None:
    return cleaned(value) if value is not None else None
