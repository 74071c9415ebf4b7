"""A real browser: Debian's chromium, driven by playwright; it has no network, and none is asked for."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parent.parent.parent.parent


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.fail("chromium is not installed: `apt-get install chromium`", pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


Pages = Callable[..., tuple[Path, dict[str, Any]]]


class Opened(NamedTuple):
    """page: in the browser. report: what --json printed in the same run. path: of the page.

    troubles: what went wrong in the page, which fails the test at its end.
    """

    page: Page
    report: dict[str, Any]
    path: Path
    troubles: list[str]


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    """Replays a log with some options once, however often its page is opened."""

    @cache
    def page(*arguments: str | Path) -> tuple[Path, dict[str, Any]]:
        path = tmp_path_factory.mktemp("page") / "report.html"
        return path, replayed(*arguments, "--html", path)

    return page


@pytest.fixture
def opened(browser: Browser, pages: Pages) -> Iterator[Callable[..., Opened]]:
    """`opened(log, …, options=[…])`: replay into a page and open it. Errors and requests fail the test."""
    contexts = []
    troubles: list[str] = []

    def show(*logs: Path, options: tuple[str, ...] = (), **context: Any) -> Opened:
        path, report = pages(*logs, *options)
        context.setdefault("viewport", {"width": 1280, "height": 900})
        contexts.append(browser.new_context(**context))
        page = contexts[-1].new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("dialog", lambda dialog: troubles.append(dialog.message))
        page.on(
            "request",
            lambda request: (
                None
                if request.url == path.as_uri() or request.url.startswith("data:")
                else troubles.append(request.url)
            ),
        )
        page.goto(path.as_uri())
        return Opened(page, report, path, troubles)

    yield show
    for context in contexts:
        context.close()
    assert troubles == []


def replayed(*arguments: str | Path) -> dict[str, Any]:
    """What `replay --json` prints, with these arguments."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOGPARSE_")}
    ran = subprocess.run(
        [sys.executable, "-m", "logparse", "replay", "--json", *map(str, arguments)],
        env={**kept, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    report: dict[str, Any] = json.loads(ran.stdout)
    return report
