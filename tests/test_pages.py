"""The pages: each can be found from the README, and what one points to is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    path.relative_to(ROOT)
    for folder in ("", "docs", "docs/runbooks", "fixtures", "promtail")
    for path in (ROOT / folder).glob("*.md")
)
LINK = re.compile(r"\]\((?!https?://)([^)#\s]*)(?:#([^)\s]*))?\)")


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of the headings."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_what_a_page_points_to_is_there(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text(), flags=re.MULTILINE | re.DOTALL)
    for name, anchor in LINK.findall(text):
        target = (ROOT / page).parent / name if name else ROOT / page
        assert target.exists(), name
        if anchor:
            assert anchor in anchors(target), (name, anchor)


def test_every_page_is_in_the_readme() -> None:
    named = {name for name, _ in LINK.findall((ROOT / "README.md").read_text())}
    assert {str(page) for page in PAGES if page.parent == Path("docs")} <= named
