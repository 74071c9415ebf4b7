"""Loads pattern sets: the built-in one, and directories of the user's laid over it."""

import hashlib
from pathlib import Path

import msgspec

from logparse import __version__
from logparse.match.error import PatternError
from logparse.match.pattern import REQUEST_KINDS, Pattern, PatternSet, digest_of

__all__ = ["PatternError", "builtin_directory", "compile_builtin", "load_patterns"]

# The built-in patterns as read from their YAML, so that a start need not read it again (60 ms). It holds
# the hash of the YAML and counts only while that is right. `python -m logparse.match.load` writes it.
_COMPILED = Path(__file__).with_name("builtin.json")


class _Compiled(msgspec.Struct, frozen=True):
    sources: str
    patterns: tuple[Pattern, ...]


def load_patterns(*dirs: Path, builtin: bool = True, http: bool = False) -> PatternSet:
    """The built-in patterns with those of `dirs` over them, later directories over earlier ones.

    A pattern replaces the one of the same id, in its place; others follow at the end. Those of `dirs` are
    held to their samples. builtin: False leaves the built-in ones out. http: with those of HTTP requests.
    PatternError where one is refused.
    """
    patterns = {pattern.id: pattern for pattern in _builtin()} if builtin else {}
    added: set[str] = set()
    for directory in dirs:
        from logparse.match.read import read_directory  # with YAML, which a plain start does without

        for pattern in read_directory(directory, user=True):
            patterns[pattern.id] = pattern
            added.add(pattern.id)
    all_ = tuple(one for one in patterns.values() if http or one.kind not in REQUEST_KINDS)
    version = __version__ if builtin else "none"
    loaded = PatternSet(all_, f"{version}+user" if dirs else version, digest_of(all_))
    if added:
        from logparse.match.verify import verify

        loggers = {logger for pattern_id in added for logger in patterns[pattern_id].loggers}
        verify(loaded, [one for one in all_ if not loggers.isdisjoint(one.loggers)])
    return loaded


def builtin_directory() -> Path:
    """Where the built-in patterns are: within the installed package, or beside it in a checkout."""
    package = Path(__file__).parent.parent
    for directory in (package / "patterns", package.parent / "patterns"):
        if (directory / "queue_job.yaml").is_file():
            return directory
    raise PatternError(str(package / "patterns"), 0, "holds no patterns", hint="install logparse again")


def read_builtin() -> tuple[Pattern, ...]:
    """The built-in patterns, read from their YAML."""
    from logparse.match.read import read_directory

    return tuple(read_directory(builtin_directory(), user=False))


def compile_builtin() -> bytes:
    """What builtin.json must hold."""
    compiled = _Compiled(_hash(builtin_directory()), read_builtin())
    return msgspec.json.format(msgspec.json.encode(compiled), indent=1) + b"\n"


def _builtin() -> tuple[Pattern, ...]:
    try:
        compiled = msgspec.json.decode(_COMPILED.read_bytes(), type=_Compiled)
        if compiled.sources == _hash(builtin_directory()):
            return compiled.patterns
    except (OSError, msgspec.MsgspecError):
        pass
    return read_builtin()


def _hash(directory: Path) -> str:
    """Of the names and bytes of the YAML files in `directory`."""
    digest = hashlib.sha256()
    for path in sorted(directory.glob("*.yaml")):
        data = path.read_bytes()
        digest.update(f"{path.name}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()


if __name__ == "__main__":
    _COMPILED.write_bytes(compile_builtin())
