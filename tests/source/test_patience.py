"""Calls that may hang: one that does keeps its thread, and no other call."""

import threading

import pytest

from logparse.source import patience as patience_module
from logparse.source.patience import Patience


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> Patience:
    monkeypatch.setattr(patience_module, "SECONDS", 0.05)
    return Patience()


def test_a_call_that_hangs_holds_no_other(patience: Patience) -> None:
    go_on = threading.Event()

    def hangs() -> int:
        go_on.wait()
        return 1

    hanging = [patience.ask(hangs) for _ in range(3)]
    assert not any(asked.done for asked in hanging)
    assert patience.ask(lambda: 2).result() == 2
    go_on.set()
    for asked in hanging:
        assert asked.wait(30)
        assert asked.result() == 1
    patience.close()


def test_an_error_is_the_callers(patience: Patience) -> None:
    asked = patience.ask(lambda: int("none"))
    with pytest.raises(ValueError, match="none"):
        asked.result()
    assert patience.ask(lambda: 2).result() == 2
    patience.close()


def test_threads_end(patience: Patience) -> None:
    def mine() -> set[threading.Thread]:
        return {one for one in threading.enumerate() if one.name == "logparse-reading"}

    before = mine()
    go_on = threading.Event()
    for _ in range(3):
        patience.ask(go_on.wait)
    patience.ask(lambda: None)
    made = mine() - before
    assert len(made) == 4
    go_on.set()
    patience.close()
    for one in made:
        one.join(30)
    assert not mine() - before
