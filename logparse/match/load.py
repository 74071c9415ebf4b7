"""Loads pattern sets: the built-in one, and directories of the user's laid over it."""

from pathlib import Path
from typing import Any

from logparse import __version__
from logparse.match.pattern import Pattern, PatternSet, Sample, digest_of
from logparse.match.re2 import RegexError, check
from logparse.match.structure import Node, PatternError, read_nodes
from logparse.match.verify import verify
from logparse.match.versions import VersionError, parse_range

__all__ = ["PatternError", "builtin_directory", "load_patterns"]

_EXCEPTION_FIELDS = {"exception", "exception_text"}


def load_patterns(*dirs: Path, builtin: bool = True) -> PatternSet:
    """The built-in patterns with those of `dirs` over them, later directories over earlier ones.

    A pattern replaces the one of the same id, in its place; others follow at the end. Those of `dirs` are
    held to their samples. builtin: False leaves the built-in ones out. PatternError where one is refused.
    """
    patterns: dict[str, Pattern] = {}
    if builtin:
        patterns = {p.id: p for p in read_directory(builtin_directory(), user=False)}
    added: set[str] = set()
    for directory in dirs:
        for pattern in read_directory(directory, user=True):
            patterns[pattern.id] = pattern
            added.add(pattern.id)
    all_ = tuple(patterns.values())
    version = __version__ if builtin else "none"
    loaded = PatternSet(all_, f"{version}+user" if dirs else version, digest_of(all_))
    if added:
        loggers = {logger for pattern_id in added for logger in patterns[pattern_id].loggers}
        verify(loaded, [p for p in all_ if not loggers.isdisjoint(p.loggers)])
    return loaded


def builtin_directory() -> Path:
    """Where the built-in patterns are: within the installed package, or beside it in a checkout."""
    package = Path(__file__).parent.parent
    for directory in (package / "patterns", package.parent / "patterns"):
        if (directory / "queue_job.yaml").is_file():
            return directory
    raise PatternError(str(package / "patterns"), 0, "holds no patterns", hint="install logparse again")


def read_directory(directory: Path, *, user: bool) -> list[Pattern]:
    """All patterns of the *.yaml files in `directory`, by file name and in their order there."""
    try:
        paths = sorted(path for path in directory.iterdir() if path.suffix in (".yaml", ".yml"))
    except OSError as error:
        raise PatternError(
            str(directory), 0, f"cannot be read: {error.strerror}", hint="give a directory of *.yaml files"
        ) from None
    if not paths:
        raise PatternError(str(directory), 0, "holds no *.yaml file", hint="name the files *.yaml")
    patterns: dict[str, Pattern] = {}
    for path in paths:
        for raw in read_nodes(path):
            pattern = _pattern(raw, str(path), user=user)
            if pattern.id in patterns:
                first = patterns[pattern.id]
                message = f"pattern {pattern.id} stands already in {first.file}:{first.line}"
                raise raw["_nodes"]["id"].error(message, "give one of them another id")
            patterns[pattern.id] = pattern
    return list(patterns.values())


def _pattern(raw: dict[str, Any], file: str, *, user: bool) -> Pattern:
    """A pattern of its shape-checked keys: ranges and regex are parsed here."""
    nodes: dict[str, Node] = raw["_nodes"]
    try:
        ranges = tuple(parse_range(version) for version in raw["versions"])
    except VersionError as error:
        raise nodes["versions"].error(f"pattern {raw['id']}: {error}", "docs/patterns.md: versions") from None
    try:
        regex = check(raw["regex"])
    except RegexError as error:
        raise PatternError(
            file,
            nodes["regex"].line,
            f"pattern {raw['id']}: the regex {error.message}",
            hint=error.hint,
            text=raw["regex"],
            column=error.position,
        ) from None
    fields: dict[str, str] = raw.get("fields", {})
    captured = set(regex.names) | (_EXCEPTION_FIELDS if "body" in raw else set())
    for name in sorted(captured ^ set(fields)):
        what = "does not say what its field {} is" if name in captured else "describes {}, which it lacks"
        hint = f"under fields: {name}: what it is, with its unit" if name in captured else ""
        raise nodes.get("fields", nodes["regex"]).error(f"pattern {raw['id']} {what.format(name)}", hint)
    return Pattern(
        id=raw["id"],
        versions=raw["versions"],
        ranges=ranges,
        loggers=raw["logger"],
        levels=raw["level"],
        db=raw["db"],
        regex=raw["regex"],
        python=regex.python,
        names=regex.names,
        anchored=regex.anchored,
        prefix=regex.prefix,
        literals=regex.literals,
        kind=raw["fact"],
        confidence=raw["confidence"],
        source=raw["source"],
        fields=fields,
        body=raw.get("body"),
        condition=raw.get("condition", ""),
        notes=raw.get("notes", ""),
        samples=tuple(Sample(line, expected) for line, expected in raw["samples"]),
        not_samples=raw.get("not_samples", ()),
        file=file,
        line=raw["_line"],
        user=user,
    )
