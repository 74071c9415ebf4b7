"""patterns/schema.json and the loader agree on the shape of a file, right or wrong."""

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from logparse.match.error import PatternError
from logparse.match.load import builtin_directory
from logparse.match.structure import read_nodes

SCHEMA = json.loads((builtin_directory() / "schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

GOOD: dict[str, Any] = {
    "patterns": [
        {
            "id": "my.synced",
            "versions": ["16.0+", "12.0 >=12.0.1.0.1"],
            "logger": ["a.b", "a.c"],
            "level": "INFO",
            "db": "job",
            "regex": "^a$",
            "body": "exception",
            "fact": "synced",
            "confidence": "proves",
            "fields": {"uuid": "the job"},
            "source": "x",
            "condition": "c",
            "notes": "n",
            "samples": [{"line": "a", "fields": {"uuid": "1"}}],
            "not_samples": ["b"],
        }
    ]
}


def _loads(document: object, directory: Path) -> bool:
    path = directory / "x.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    try:
        list(read_nodes(path))
    except PatternError as error:
        assert error.line > 0, error  # whatever is wrong in it has a place
        return False
    return True


def test_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", sorted(path.name for path in builtin_directory().glob("*.yaml")))
def test_builtin_files_are_valid(name: str) -> None:
    VALIDATOR.validate(yaml.safe_load((builtin_directory() / name).read_text()))


def test_good(tmp_path: Path) -> None:
    VALIDATOR.validate(GOOD)
    assert _loads(GOOD, tmp_path)


def _places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    out = [path]
    children: list[tuple[Any, object]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    for key, child in children:
        out += _places(child, (*path, key))
    return out


STRINGS = st.sampled_from(
    [
        "", "a", "a.b", "A", "a b", "9", "_a", "a.", ".a", "a-b", "é", "INFO", "info", "none", "job", "any",
        "proves", "exception", "16.0", "16.0+", "12.0-15.0", "16.0 <=16.0.2.9.0", "16.0 >=1 <=2", "16",
        "x16.0", "16.0 >=16.0.1 <=16.0.2", "true", "null", "1", "~", "2026-11-24", "=", "<<",
    ]
)  # fmt: skip
VALUES = st.one_of(
    STRINGS,
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(allow_nan=False, allow_infinity=False),
    st.just([]),
    st.just({}),
    st.lists(STRINGS, max_size=3),
    st.dictionaries(STRINGS.filter(bool), STRINGS, max_size=2),
)


@given(st.sampled_from(_places(GOOD)), st.sampled_from(["replace", "delete", "add"]), VALUES, STRINGS)
def test_mutations(
    tmp_path_factory: pytest.TempPathFactory, path: tuple[Any, ...], how: str, value: object, key: str
) -> None:
    document: Any = {"root": copy.deepcopy(GOOD)}
    parent, last = document, "root"
    for step in path:
        parent, last = parent[last], step
    target = parent[last]
    if how == "delete" and path:
        del parent[last]
    elif how == "add" and isinstance(target, dict):
        target[key] = value
    elif how == "add" and isinstance(target, list):
        target.append(value)
    else:
        parent[last] = value
    mutated = document["root"]
    assert _loads(mutated, tmp_path_factory.mktemp("mutated")) is VALIDATOR.is_valid(mutated), mutated
