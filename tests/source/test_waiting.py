"""Waiting: woken by a write, by a file that appears, or by whoever calls."""

import threading
import time
from pathlib import Path

from logparse.source.waiting import Waiter, file_system


def test_a_write_and_a_new_file_wake(tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    waiter = Waiter()
    waiter.watch([str(log)])
    assert waiter.polled is None
    stop = threading.Event()

    def write() -> None:
        while not stop.wait(0.05):
            log.write_text("x\n")

    writer = threading.Thread(target=write)
    writer.start()
    start = time.monotonic()
    waiter.wait(600)
    assert time.monotonic() - start < 60
    stop.set()
    writer.join()
    waiter.close()


def test_a_missing_directory_is_polled(tmp_path: Path) -> None:
    waiter = Waiter()
    waiter.watch([str(tmp_path / "none" / "odoo.log")])
    assert waiter.polled == f"the directory {tmp_path / 'none'} is missing, or closed to this user"
    start = time.monotonic()
    waiter.wait(600)
    assert time.monotonic() - start < 60
    waiter.close()


def test_wake_ends_the_wait(tmp_path: Path) -> None:
    waiter = Waiter()
    waiter.watch([str(tmp_path / "odoo.log")])
    waiter.wake()
    waiter.wait(600)
    waiter.close()


def test_nothing_is_watched_while_it_rests_and_all_is_afterwards(tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    waiter = Waiter()
    waiter.watch([str(log)])
    waiter.rest(0.0)
    assert watching() == []
    waiter.wake()
    waiter.rest(600)
    waiter.watch([str(log)])
    waiter.wake()
    waiter.rest(600)  # what was watched may have woken it, but not that alone
    waiter.watch([str(log)])
    assert len(watching()) == 1
    waiter.close()
    assert watching() == []


def test_what_is_written_before_the_system_watches_is_not_waited_for_long(tmp_path: Path) -> None:
    waiter = Waiter()
    waiter.watch([str(tmp_path / "odoo.log")])
    start = time.monotonic()
    waiter.wait(600)
    assert time.monotonic() - start < 60
    waiter.close()


def watching() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "logparse-watching"]


def test_file_system() -> None:
    assert file_system("/proc") == "proc"
