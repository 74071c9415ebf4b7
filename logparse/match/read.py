"""Reads a directory of pattern files into patterns."""

from pathlib import Path
from typing import Any

from logparse.match.error import PatternError
from logparse.match.pattern import Pattern, Sample
from logparse.match.re2 import RegexError, check
from logparse.match.structure import Node, read_nodes
from logparse.match.versions import VersionError, parse_range

_EXCEPTION_FIELDS = frozenset({"exception", "exception_text"})


def read_directory(directory: Path, *, user: bool) -> list[Pattern]:
    """All patterns of the *.yaml files in `directory`, by file name and in their order there."""
    try:
        paths = sorted(path for path in directory.iterdir() if path.suffix == ".yaml")
    except OSError as error:
        raise PatternError(
            str(directory), 0, f"cannot be read: {error.strerror}", hint="give a directory of *.yaml files"
        ) from None
    if not paths:
        raise PatternError(str(directory), 0, "holds no *.yaml file", hint="name the files *.yaml")
    patterns: dict[str, Pattern] = {}
    for path in paths:
        for raw in read_nodes(path):
            pattern = _pattern(raw, str(path) if user else f"patterns/{path.name}", user=user)
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
            f"pattern {raw['id']}: its regex is refused: {error.message}",
            hint=error.hint,
            text=raw["regex"],
            column=error.position,
        ) from None
    fields: dict[str, str] = raw.get("fields", {})
    captured = set(regex.names) | (_EXCEPTION_FIELDS if "body" in raw else set())
    for name in (*sorted(captured - set(fields)), *sorted(set(fields) - captured)):
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
        optional=regex.optional,
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
