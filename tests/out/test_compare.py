"""Before and after: what got worse is found, what is chance is not, and both are said in words."""

import random

import pytest

from logparse.lifecycle.event import Ended, Event, Output
from logparse.out.compare import Comparison, Difference, Side, compared
from logparse.out.difference import plain, sentence, table
from logparse.out.selection import Selection
from logparse.out.sink import Source
from logparse.pipe import Pipe
from logparse.source.chunk import Chunk

TS = 1_795_000_000_000
# The lines of a log that shows how jobs end: what its pipe tells is not what is compared here.
SHOWS = (
    "2026-11-24 03:00:00,000 7 INFO ? odoo.addons.queue_job.jobrunner.runner: asking Odoo to run job {0} "
    "on db prod \n"
    "2026-11-24 03:00:01,000 8 INFO prod werkzeug: 127.0.0.1 - - [24/Nov/2026 03:00:01] "
    '"GET /queue_job/runjob?db=prod&job_uuid={0} HTTP/1.1" 200 - 16 0.085 0.028\n'
).format("00000000-0000-4000-8000-000000000000")


def side(
    chance: random.Random,
    *,
    jobs: int,
    failing: float,
    slow: float = 0.0,
    exceptions: tuple[str, ...] = ("ValueError",),
) -> Side:
    """So many jobs, of which a share fails; their times are log-normal, `slow` on the logarithm."""
    made = Side(Selection())
    pipe = Pipe()
    made.open(Source(pipe, ["odoo.log"]))
    pipe.feed(Chunk("odoo.log", 0, SHOWS.encode(), last=True))
    for number in range(jobs):
        ts, seconds = TS + number * 1000, chance.lognormvariate(slow, 1)
        channel = f"root.{number % 2}"
        failed = chance.random() < failing
        outputs: list[Output] = [
            Event(ts, "dispatched", "prod", f"u{number}", channel=channel),
            Event(ts, "started", "prod", f"u{number}", 1, channel=channel, wait=chance.lognormvariate(-3, 1)),
            Ended(ts, "prod", channel, seconds, None, None),
            Event(
                ts,
                "failed" if failed else "done",
                "prod",
                f"u{number}",
                1,
                channel=channel,
                duration=seconds,
                exception=exceptions[number % len(exceptions)] if failed else None,
            ),
        ]
        made.add(outputs)
    return made


def found(comparison: Comparison, what: str, **fields: object) -> Difference:
    (one,) = (
        one
        for one in comparison.differences
        if one.what == what and all(getattr(one, name) == value for name, value in fields.items())
    )
    return one


def test_nothing_is_told_of_two_of_a_kind() -> None:
    chance = random.Random(1)
    told = 0
    for _ in range(20):
        comparison = compared(side(chance, jobs=300, failing=0.1), side(chance, jobs=300, failing=0.1))
        assert comparison.tests >= 15
        told += any(one.certain for one in comparison.differences)
    assert told <= 3  # one of twenty is to be expected


def test_what_began_to_fail_and_what_got_slower() -> None:
    chance = random.Random(2)
    comparison = compared(
        side(chance, jobs=400, failing=0.05),
        side(chance, jobs=400, failing=0.25, slow=0.8, exceptions=("ValueError", "KeyError", "OSError")),
    )
    failed = found(comparison, "failed", channel=None)
    assert (failed.certain, failed.verdict) == (True, "worse")
    assert failed.ratio == (failed.after.count / 400) / (failed.before.count / 400) > 3
    new = found(comparison, "exception", exception="KeyError")
    assert (new.certain, new.verdict, new.before.count) == (True, "new", 0)
    run = found(comparison, "run_time", channel=None)
    assert (run.certain, run.verdict) == (True, "worse")
    assert run.greater == pytest.approx(0.71, abs=0.05)
    assert run.ratio == pytest.approx(2.2, rel=0.25)
    assert found(comparison, "dispatch_delay", channel=None).verdict == "same"
    assert comparison.differences[0].certain
    assert comparison.before.runs == comparison.after.runs == 400


def test_the_other_way_round_it_got_better() -> None:
    chance = random.Random(3)
    comparison = compared(
        side(chance, jobs=400, failing=0.25, exceptions=("ValueError", "KeyError")),
        side(chance, jobs=400, failing=0.02, slow=-0.8),
    )
    assert found(comparison, "failed", channel=None).verdict == "better"
    assert found(comparison, "exception", exception="KeyError").verdict == "gone"
    assert found(comparison, "run_time", channel=None).verdict == "better"


def test_a_certain_difference_that_matters_to_nobody_is_none() -> None:
    chance = random.Random(4)
    comparison = compared(
        side(chance, jobs=20_000, failing=0.1), side(chance, jobs=20_000, failing=0.1, slow=0.06)
    )
    run = found(comparison, "run_time", channel=None)
    assert run.certain
    assert run.verdict == "same"


def test_what_few_jobs_show_is_not_tested() -> None:
    comparison = compared(
        side(random.Random(5), jobs=5, failing=0.0), side(random.Random(6), jobs=5, failing=0.5, slow=5)
    )
    assert not any(one.certain for one in comparison.differences)
    assert not any(one.what.startswith("run_time") for one in comparison.differences)


def test_in_words() -> None:
    chance = random.Random(2)
    comparison = compared(
        side(chance, jobs=400, failing=0.05),
        side(chance, jobs=400, failing=0.25, slow=0.8, exceptions=("ValueError", "KeyError", "OSError")),
    )
    failed = found(comparison, "failed", channel=None)
    assert sentence(failed) == (
        f"failures: {failed.before.count} of 400, {failed.before.count / 4:.1f} %; "
        f"then {failed.after.count} of 400, {failed.after.count / 4:.1f} %"
    )
    new = found(comparison, "exception", exception="KeyError")
    assert sentence(new) == f"KeyError is new: {new.after.count} failures, none before"
    assert len(table(comparison).rows) == comparison.tests
    assert len(plain(comparison).rows) == len(comparison.differences)
    for made in (table(comparison), plain(comparison)):
        assert all(len(row) == len(made.columns) for row in made.rows)
