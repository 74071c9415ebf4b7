"""When a followed log is looked at: as the system tells, less often where it is busy, and for a scrape."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from logparse.cli import following as following_module
from logparse.cli import service as service_module
from logparse.cli.following import Following
from logparse.cli.options import Reading
from logparse.cli.service import Service
from logparse.source.waiting import Waiter

LINE = b"2026-11-24 03:00:00,000 7 INFO prod odoo.modules.loading: one line \n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "odoo.log"
    path.touch()
    return path


@pytest.fixture
def following(log: Path) -> Iterator[Following]:
    one = Following(Reading((str(log),)), "beginning")
    yield one
    one.close()


def watches() -> bool:
    return any(thread.name == "logparse-watching" for thread in threading.enumerate())


def add(log: Path) -> None:
    with log.open("ab") as file:
        file.write(LINE)


def test_what_is_written_to_all_the_while_is_not_watched_until_it_pauses(
    monkeypatch: pytest.MonkeyPatch, following: Following, log: Path
) -> None:
    monkeypatch.setattr(following_module, "_BUSY_LOOKS", 3)
    waiter = Waiter()
    for _ in range(2):
        for fruitful in (1, 2, 3):
            add(log)
            assert following.poll()[0]
            following.wait(waiter, 0.0)
            assert watches() == (fruitful < 3)
        assert not following.poll()[0]
        following.wait(waiter, 0.0)
        assert watches()
    waiter.close()


@pytest.mark.parametrize("looks", [1, 1_000_000], ids=["busy", "watched"])
def test_a_scrape_tells_of_all_that_was_written_before_it(
    monkeypatch: pytest.MonkeyPatch, following: Following, log: Path, looks: int
) -> None:
    monkeypatch.setattr(following_module, "_BUSY_LOOKS", looks)
    monkeypatch.setattr(following_module, "BUSY_SECONDS", 600.0)
    monkeypatch.setattr(service_module, "_ASKED_SECONDS", 60.0)
    service = Service(lambda _: following, None)
    stop = threading.Event()
    reading = threading.Thread(target=service.run, args=(stop,))
    reading.start()
    read = []
    for _ in range(20):
        add(log)
        assert service.ready() is None
        read.append(following.live[0].seen.position)
    stop.set()
    service.waiter.wake()
    reading.join()
    service.end()
    assert read == [len(LINE) * n for n in range(1, 21)]


@pytest.mark.parametrize("ends", [True, False])
def test_a_scrape_does_not_wait_for_who_reads_no_more(
    monkeypatch: pytest.MonkeyPatch, following: Following, ends: bool
) -> None:
    """It is let go when `serve` ends, and where nobody looks it has waited long enough some time."""
    monkeypatch.setattr(service_module, "_ASKED_SECONDS", 600.0 if ends else 0.01)
    service = Service(lambda _: following, None)
    scrape = threading.Thread(target=service.ready, daemon=True)
    scrape.start()
    while ends and not service._asked:
        time.sleep(0.001)
    if ends:
        service.end()
    scrape.join(60)
    assert not scrape.is_alive()
    if not ends:
        service.end()
