"""docs/patterns.md says what is so: its example loads, its tables are whole."""

import re
from pathlib import Path

import pytest

from logparse.match.error import PatternError
from logparse.match.explain import explain
from logparse.match.load import load_patterns
from logparse.match.matcher import TIMEOUT
from logparse.match.structure import OPTIONAL, REQUIRED
from logparse.match.versions import parse_range

TEXT = (Path(__file__).parents[2] / "docs/patterns.md").read_text()
EXAMPLE = re.search(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def _example() -> str:
    assert EXAMPLE is not None
    return EXAMPLE[1]


def test_the_example_loads(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(_example())
    assert load_patterns(tmp_path)["my_runner.asking"].kind == "dispatched"


def test_the_refusal_is_as_shown(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(_example().replace("job (?P<uuid>", "job (?=8)(?P<uuid>"))
    with pytest.raises(PatternError) as refusal:
        load_patterns(tmp_path)
    shown = str(refusal.value).replace(str(tmp_path), "my-patterns")
    assert "".join(f"    {line}\n" for line in shown.splitlines()) in TEXT


def test_the_explanation_is_as_shown() -> None:
    found = re.search(r"patterns explain '([^']+)'", TEXT)
    assert found is not None
    lines = str(explain(found[1], load_patterns())).splitlines()[1:4]
    assert "".join(f"    {line}\n" for line in lines) in TEXT


def test_keys_facts_and_files_are_listed() -> None:
    patterns = load_patterns().patterns
    for word in {*REQUIRED, *OPTIONAL, *(p.kind for p in patterns)}:
        assert f"`{word}`" in TEXT, word
    for name in {p.file for p in patterns}:
        assert f"`{name.removeprefix('patterns/')}`" in TEXT
    assert f"{TIMEOUT} s" in TEXT


def test_versions_are_as_shown() -> None:
    block = TEXT[TEXT.index("## Versions") : TEXT.index("## The subset")]
    shown = re.findall(r'^    "(.+?)"', block, re.MULTILINE)
    assert len(shown) == 6
    for text in shown:
        parse_range(text)
