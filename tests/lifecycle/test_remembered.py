"""Closed jobs in arrays: the same as a dictionary would say, whatever is put, taken and forgotten."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from logparse.cli.kept import to_data
from logparse.cli.restored import fill
from logparse.lifecycle.job import Job
from logparse.lifecycle.remembered import Remembered

UUIDS = [str(UUID(int=number << 64 | number)) for number in range(1, 60)] + ["", "no uuid", "\udcff", "ZZ"]
DBS = ("a", "b", None)


def closed(db: str | None, uuid: str, attempts: int = 1, channel: str | None = "root") -> Job:
    return Job(db, uuid, state="closed", channel=channel, attempts=attempts, outcome="done", waited=True)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "put", "take", "named", "forget"]),
        st.sampled_from(DBS),
        st.sampled_from(UUIDS),
        st.integers(0, 3),
    ),
    max_size=400,
)


@given(STEPS, st.sampled_from([1, 10, 40]))
def test_it_says_what_a_dictionary_would(steps: list[tuple[str, str | None, str, int]], limit: int) -> None:
    table = Remembered(limit)
    known: dict[tuple[str | None, str], Job] = {}
    for step, db, uuid, attempts in steps:
        if step == "put":
            known[db, uuid] = job = closed(db, uuid, attempts)
            table.put(job)
        elif step == "take":
            assert table.take(db, uuid) == known.pop((db, uuid), None)
        elif step == "named":
            there = [known.pop((one, uuid)) for one in DBS if (one, uuid) in known]
            assert sorted(table.take_named(uuid), key=repr) == sorted(there, key=repr)
        elif known:
            table.forget_oldest()
            gone = [key for key in known if not holds(table, *key)]
            assert len(gone) == 1
            del known[gone[0]]
        assert len(table) == len(known)
    (again,) = fill(to_data(table), Remembered(limit))
    for db in DBS:
        for uuid in UUIDS:
            assert again.take(db, uuid) == known.get((db, uuid))
    assert len(again) == 0


def holds(table: Remembered, db: str | None, uuid: str) -> bool:
    job = table.take(db, uuid)
    if job is not None:
        table.put(job)
    return job is not None


@given(st.lists(st.sampled_from(UUIDS), unique=True, max_size=60), st.sampled_from([1, 16, 100]))
def test_the_longest_closed_is_forgotten_first(uuids: list[str], limit: int) -> None:
    table = Remembered(limit)
    for uuid in uuids:
        table.put(closed("a", uuid))
    for number, uuid in enumerate(uuids):
        table.forget_oldest()
        assert len(table) == len(uuids) - number - 1
        assert table.take("a", uuid) is None
    table.forget_oldest()
    assert len(table) == 0


def test_a_job_that_comes_and_goes_takes_no_room() -> None:
    table = Remembered(10)
    table.put(closed("a", UUIDS[0]))
    for number in range(1000):
        job = table.take("a", UUIDS[0])
        assert job is not None and job.attempts == max(1, number)
        job.attempts = number + 1
        table.put(job)
    assert len(table) == 1


def test_as_many_different_things_as_there_are_jobs_are_kept() -> None:
    table = Remembered(40_000)
    for turn in range(3):
        for number in range(40_000):
            table.put(closed(f"db{number % 7}", str(UUID(int=number + 1)), channel=f"root.{turn}.{number}"))
    assert len(table._kept) < 140_000
    for number in range(0, 40_000, 97):
        job = table.take(f"db{number % 7}", str(UUID(int=number + 1)))
        assert job is not None and job.channel == f"root.2.{number}"
