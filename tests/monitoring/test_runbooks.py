"""The pages for 2 a.m.: their commands run, and show what the page says.

A page names a recorded run, whose log is `odoo.log` for its commands: `<!-- log: 16.0-w2-info -->`. With
`, served` `logparse serve` follows it meanwhile. Each block of `sh` has one of `text` after it. Its lines are
in the output, in this order: `…` stands for any number of lines, and within a line for any text.
"""

import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import recorded
from tests.monitoring.serving import environment, serving

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
HEADINGS = ["What it means", "See it", "Usual causes", "Do", "Do not"]
_LOG = re.compile(r"^<!-- log: (\S+?)(, served)? -->$", re.MULTILINE)
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


# `logparse` as it is in this checkout, whatever is installed.
_PROGRAM = f'logparse() {{ "{sys.executable}" -m logparse "$@"; }}\n'


def name_of(page: Path) -> str:
    return page.stem


def shows(output: str, expected: str) -> bool:
    """Whether the output has the lines that are expected, with something left out at each `…`."""
    text = "\n".join(line.rstrip() for line in output.splitlines()) + "\n"
    pattern = "".join(
        r"(?:.*\n)*?"
        if line.strip() == "…"
        else r".*?".join(re.escape(part) for part in line.rstrip().split("…")) + r"\n"
        for line in expected.splitlines()
    )
    return re.search(r"(?:^|\n)" + pattern, text) is not None


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_says_what_to_see_to_do_and_not_to_do(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {page.stem}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert (page.parent / link).is_file(), link


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_commands_of_a_page_show_what_it_says(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    ((run, served),) = _LOG.findall(text)
    (tmp_path / "odoo.log").write_bytes(b"".join(recorded.texts(run).values()))
    blocks = _BLOCK.findall(text)
    assert blocks
    assert {kind for kind, _ in blocks} == {"sh", "text"}
    with _address(tmp_path, served=bool(served)) as address:
        for (kind, command), (after, expected) in zip(blocks[::2], blocks[1::2], strict=True):
            assert (kind, after) == ("sh", "text")
            ran = subprocess.run(
                ["bash", "-eu", "-c", _PROGRAM + command.replace("127.0.0.1:9747", address)],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                env=environment(),
            )
            assert shows(ran.stdout, expected), ran.stdout + ran.stderr
            # `logparse check` ends with 1 where it finds what the page is about.
            assert ran.returncode in (0, 1)
            assert ran.stderr == ""


@contextmanager
def _address(folder: Path, *, served: bool) -> Iterator[str]:
    """Where the log is served, once all of it is read."""
    if not served:
        yield "nowhere"
        return
    log = folder / "odoo.log"
    with serving(log) as address:
        deadline = time.monotonic() + 60
        while f'bytes_total{{file="{log}"}} {float(log.stat().st_size)}' not in _metrics(address):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield address


def _metrics(address: str) -> str:
    with urllib.request.urlopen(f"http://{address}/metrics") as answer:
        text: str = answer.read().decode()
    return text
