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


def test_file_system() -> None:
    assert file_system("/proc") == "proc"
