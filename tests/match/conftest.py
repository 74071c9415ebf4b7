"""The built-in patterns, read from their YAML, for the tests of this directory."""

import pytest

from logparse.match.load import load_patterns, read_builtin
from logparse.match.pattern import PatternSet, digest_of


@pytest.fixture(scope="session")
def patterns() -> PatternSet:
    read = read_builtin()
    return PatternSet(read, load_patterns(http=True).version, digest_of(read))
