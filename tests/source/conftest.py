"""What the tests of this room share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from logparse.source import follow
from tests.source.writing import Writer


@pytest.fixture(autouse=True)
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """The writers of these tests are done before a file is polled: nothing is to be waited for."""
    monkeypatch.setattr(follow, "GRACE_SECONDS", 0.0)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "odoo.log"


@pytest.fixture
def writer(log: Path) -> Iterator[Writer]:
    writing = Writer(log)
    yield writing
    writing.close()
