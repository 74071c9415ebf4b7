"""What the tests of this room share."""

import pytest

from logparse.source import follow


@pytest.fixture(autouse=True)
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """The writers of these tests are done before a file is polled: nothing is to be waited for."""
    monkeypatch.setattr(follow, "GRACE_SECONDS", 0.0)
