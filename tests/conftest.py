"""What all tests share: the fixture logs, how hard hypothesis tries, and the tests that need promtool.

`LOGPARSE_HYPOTHESIS=fuzz` (or `make fuzz`) tries 5,000 examples of each property instead of 50.

Tests marked `needs_promtool` run Prometheus' own promtool (Debian: `apt-get install prometheus`).
Where it is missing they fail, so that nobody takes an unchecked exposition for a checked one. A
developer who cannot install it leaves them out, knowingly, with `LOGPARSE_WITHOUT_PROMTOOL=1`.
"""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parent.parent

settings.register_profile("ci", deadline=None, max_examples=50)
settings.register_profile(
    "fuzz", deadline=None, max_examples=5000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("LOGPARSE_HYPOTHESIS", "ci"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not os.environ.get("LOGPARSE_WITHOUT_PROMTOOL"):
        return
    left_out = [item for item in items if item.get_closest_marker("needs_promtool")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("needs_promtool") and shutil.which("promtool") is None:
        pytest.fail(
            "promtool is not installed: `apt-get install prometheus`, or leave these tests out with "
            "LOGPARSE_WITHOUT_PROMTOOL=1",
            pytrace=False,
        )


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """The folder of real logs (fixtures/README.md)."""
    return ROOT / "fixtures"
