"""Whatever order lines come in: nothing raises, and what is told is possible."""

from collections import Counter
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from logparse.lifecycle.event import Ended, Event
from logparse.lifecycle.lifecycle import Options
from logparse.out.counts import Counts
from tests.lifecycle.log import MASTER, RUN, W1, W2, A, B, Log
from tests.truth import impossible

Step = Callable[[Log, float], object]

JOBS = st.sampled_from([A, B])
PIDS = st.sampled_from([W1, W2, RUN, MASTER])
DBS = st.sampled_from(["prod", "clone"])


def step(
    name: str, *arguments: st.SearchStrategy[object], **named: st.SearchStrategy[object]
) -> st.SearchStrategy[Step]:
    def build(args: tuple[object, ...], kwargs: dict[str, object]) -> Step:
        return lambda log, at: getattr(log, name)(at, *args, **kwargs)

    return st.builds(build, st.tuples(*arguments), st.fixed_dictionaries(named))


RUNNERS = st.sampled_from([RUN, RUN, 21, W1])
STEPS: st.SearchStrategy[Step] = st.one_of(
    step("ask", JOBS, db=DBS, pid=RUNNERS),
    step("ask", JOBS),
    step("dead", JOBS, pid=RUNNERS),
    step("reset", JOBS),
    step("get_exception", JOBS, status=st.sampled_from([None, 404, 500])),
    step(
        "access",
        JOBS,
        st.sampled_from([200, 200, 303, 404, 422, 500]),
        st.sampled_from([0.0, 0.1, 5.0, 700.0]),
        db=DBS,
        pid=PIDS,
    ),
    step("access", JOBS),
    step(
        "controller",
        st.sampled_from(["started", "done", "postponed", "OperationalError, postponed"]),
        JOBS,
        db=DBS,
        pid=PIDS,
    ),
    step(
        "channel",
        st.sampled_from(["pending", "running", "done", "failed"]),
        JOBS,
        channel=st.sampled_from(["root", "root.sub"]),
    ),
    step("cancelled", JOBS),
    step("created", JOBS, db=DBS),
    step("trace", pid=PIDS),
    step("fail", JOBS),
    step("refuse", JOBS, pid=PIDS, how=st.sampled_from(["state", "worker", "lock"])),
    step("releases", pid=PIDS),
    step("by_hand"),
    step("starting", pid=RUNNERS),
    step("ready", st.sampled_from([None, "prod", "clone"])),
    step("crash"),
    step("stopped"),
    step("alive", PIDS, st.sampled_from(["WorkerHTTP", "WorkerCron", "WorkerJobRunner"])),
    step("exits", PIDS),
    step("timeout", PIDS),
    step("version"),
    step("listens"),
    step("stopping"),
    step("boot"),
    step("boot_threaded"),
    step("tick"),
)
# Mostly moments; sometimes a step back within what processes are apart, minutes, or hours.
MOVES = st.sampled_from([0, 0.001, 0.01, 0.5, 1.1, -0.15, -0.05, 12, 70, 700, 4000, 8000])
WALK = st.lists(st.tuples(MOVES, STEPS), max_size=40)


def walk(log: Log, steps: list[tuple[float, Step]]) -> None:
    at = 0.0
    for move, take in steps:
        at += move
        take(log, at)


@given(WALK, st.sampled_from([8, 12, 16, 19]), st.booleans(), st.sampled_from([1, 2, 100]))
def test_any_lines_in_any_order(steps: list[tuple[float, Step]], series: int, known: bool, most: int) -> None:
    log = Log(series, Options(max_jobs=most))
    if known:
        log.read(-1)
    walk(log, steps)
    gauges = log.gauges()
    assert len(log.lifecycle.jobs) <= most
    log.end()
    events = log.events
    assert [text for text in impossible(of_remembered(events)) if most == 100] == []
    assert all(count > 0 for count in gauges.values())
    assert set(gauges) <= {"pending", "enqueued", "started", "unsettled"}
    # Settled: nothing is left unsettled, and no attempt of a server that is gone.
    assert "unsettled" not in log.gauges()
    told = Counter(event.event for event in events if event.attempt is not None)
    ended = sum(told[name] for name in ("done", "failed", "retried", "requeued", "lost"))
    runs = sum(isinstance(output, Ended) for output in log.outputs)
    if most == 100:
        assert runs == ended
    counts = Counts()
    for output in log.outputs:
        counts.add(output)


def of_remembered(events: list[Event]) -> list[Event]:
    return [event for event in events if event.uuid in (A, B)]


@given(WALK, st.integers(0, 40), st.integers(0, 40))
def test_any_cut_at_head_and_tail(steps: list[tuple[float, Step]], head: int, tail: int) -> None:
    log = Log()
    walk(log, steps[head : len(steps) - tail])
    log.end()
    assert list(impossible(of_remembered(log.events))) == []


@given(WALK, st.integers(0, 40))
def test_the_end_settles_and_tells_nothing_twice(steps: list[tuple[float, Step]], at: int) -> None:
    log = Log()
    walk(log, steps[:at])
    log.end()
    assert log.end() == []


# Of processes that were announced: else it is the number of lines that shows who is who.
ANNOUNCED: st.SearchStrategy[Step] = st.one_of(
    step("ask", JOBS),
    step("dead", JOBS),
    step("reset", JOBS),
    step("access", JOBS),
    step("controller", st.sampled_from(["started", "done", "postponed"]), JOBS),
    step("channel", st.sampled_from(["pending", "running", "done", "failed"]), JOBS),
    step("fail", JOBS),
    step("refuse", JOBS),
)


@given(st.lists(st.tuples(MOVES, ANNOUNCED), max_size=40))
def test_lines_that_two_handlers_write_count_once(steps: list[tuple[float, Step]]) -> None:
    once, twice = Log(), Log()
    once.boot()
    twice.boot()
    twice.double = True
    walk(once, steps)
    walk(twice, steps)
    once.end()
    twice.end()
    for job in (A, B):
        assert twice.told(job) == once.told(job)
