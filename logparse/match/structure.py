"""The shape of a pattern file: YAML nodes checked key by key, each complaint with its line and column.

patterns/schema.json says the same for editors; the tests hold the two together.
"""

import difflib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from logparse.match.error import PatternError
from logparse.match.pattern import BODIES, CONFIDENCES, DB_RULES, LEVELS

_STRING = "tag:yaml.org,2002:str"
_ID = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*")
_WORD = re.compile(r"[a-z][a-z0-9_]*")
_LOGGER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*")
_VERSION = re.compile(
    r"[0-9]{1,3}\.0(?:\+|-[0-9]{1,3}\.0)?(?: >=[0-9]+(?:\.[0-9]+)+)?(?: <=[0-9]+(?:\.[0-9]+)+)?"
)
_VERSION_HINT = 'write them like "10.0+", "12.0-15.0", "16.0" or "16.0 <=16.0.2.9.0", in quotes'
_FILE_LIMIT = 4 * 1024 * 1024
_DEPTH = 20
_TOO_DEEP = "exceeded maximum nesting depth"  # libyaml's scanner from PyYAML 6.0.4 on has a limit of its own


class Node:
    """A YAML node, and the file in which it stands."""

    def __init__(self, node: yaml.Node, file: str, lines: list[str]) -> None:
        self.node = node
        self.file = file
        self.lines = lines

    @property
    def line(self) -> int:
        return int(self.node.start_mark.line) + 1

    def error(self, message: str, hint: str = "") -> PatternError:
        mark = self.node.start_mark
        text = self.lines[mark.line] if mark.line < len(self.lines) else ""
        return PatternError(self.file, self.line, message, hint=hint, text=text, column=mark.column)

    def mapping(self, what: str) -> dict[str, "Node"]:
        """Its keys and values; refused where it is no mapping, or a key is no text or stands twice."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.error(f"{what} must be a mapping (key: value)")
        out: dict[str, Node] = {}
        for key_node, value in self.node.value:
            key = Node(key_node, self.file, self.lines)
            name = key.string(f"a key of {what}")
            if name in out:
                raise key.error(f"{what} has the key {name} twice")
            out[name] = Node(value, self.file, self.lines)
        return out

    def items(self, what: str, *, least: int = 1) -> list["Node"]:
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.error(f"{what} must be a list")
        if len(self.node.value) < least:
            raise self.error(f"{what} is empty")
        return [Node(item, self.file, self.lines) for item in self.node.value]

    def string(self, what: str, hint: str = "write it in quotes") -> str:
        if not isinstance(self.node, yaml.ScalarNode) or self.node.tag != _STRING:
            raise self.error(f"{what} must be a text", hint)
        return str(self.node.value)

    def text(self, what: str) -> str:
        value = self.string(what)
        if not value:
            raise self.error(f"{what} is empty")
        return value

    def like(self, what: str, shape: re.Pattern[str], hint: str) -> str:
        value = self.string(what, hint)
        if not shape.fullmatch(value):
            raise self.error(f"{what} cannot be {value!r}", hint)
        return value

    def one_of(self, what: str, words: tuple[str, ...]) -> str:
        value = self.string(what)
        if value not in words:
            raise self.error(f"{what} cannot be {value!r}", f"one of: {', '.join(words)}")
        return value

    def one_or_more(self, what: str, read: Callable[["Node"], str]) -> tuple[str, ...]:
        if isinstance(self.node, yaml.SequenceNode):
            return tuple(read(item) for item in self.items(what))
        return (read(self),)


def read_nodes(path: Path) -> Iterator[dict[str, Any]]:
    """The patterns of one file, as the YAML has them, shape-checked; PatternError where it is refused.

    Each is a dict of the YAML's keys (lists as tuples), with the nodes under `_nodes` and the line under
    `_line`, so that later complaints can point at them.
    """
    file = str(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PatternError(file, 0, f"cannot be read: {error.strerror}") from None
    if len(data) > _FILE_LIMIT:
        raise PatternError(file, 0, f"is larger than {_FILE_LIMIT} bytes", hint="split it")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PatternError(file, line, "is not UTF-8", hint="save it as UTF-8") from None
    lines = text.splitlines()
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _check_depth(text, loader, file)
        root = yaml.compose(text, loader)
    except yaml.YAMLError as error:
        raise _syntax_error(error, file, lines) from None
    if root is None:
        raise PatternError(file, 1, "is empty", hint="it must begin with patterns:")
    top = Node(root, file, lines)
    keys = top.mapping("a pattern file")
    for name, node in keys.items():
        if name != "patterns":
            raise node.error(f"unknown key {name} at the top of a pattern file", "the only one is patterns")
    if "patterns" not in keys:
        raise top.error("the key patterns is missing", "a file is: patterns: [...]")
    for item in keys["patterns"].items("patterns"):
        yield _pattern(item)


REQUIRED = ("id", "versions", "logger", "level", "db", "regex", "fact", "confidence", "source", "samples")
OPTIONAL = ("fields", "body", "condition", "notes", "not_samples")


def _pattern(item: Node) -> dict[str, Any]:
    nodes = item.mapping("a pattern")
    name = f"pattern {nodes['id'].node.value}" if "id" in nodes else "a pattern"
    for key, node in nodes.items():
        if key not in REQUIRED and key not in OPTIONAL:
            close = difflib.get_close_matches(key, REQUIRED + OPTIONAL, 1)
            hint = f"did you mean {close[0]}?" if close else f"keys: {', '.join(REQUIRED + OPTIONAL)}"
            raise node.error(f"unknown key {key} in {name}", hint)
    for key in REQUIRED:
        if key not in nodes:
            hint = "docs/patterns.md explains every key"
            if key == "samples":
                hint = "add one real log line that it must match, and the fields that it must capture"
            raise item.error(f"{name} has no {key}", hint)
    out: dict[str, Any] = {"_nodes": nodes, "_line": item.line}
    out["id"] = nodes["id"].like("id", _ID, "small letters, digits, _ and dots, such as my_addon.synced")
    out["versions"] = tuple(
        node.like("a version", _VERSION, _VERSION_HINT) for node in nodes["versions"].items("versions")
    )
    out["logger"] = nodes["logger"].one_or_more(
        "logger", lambda n: n.like("a logger", _LOGGER, "the dotted name that stands before the colon")
    )
    out["level"] = nodes["level"].one_or_more("level", lambda n: n.one_of("a level", LEVELS))
    out["db"] = nodes["db"].one_of("db", DB_RULES)
    out["regex"] = nodes["regex"].text("regex")
    out["fact"] = nodes["fact"].like("fact", _WORD, "one word: small letters, digits and _")
    out["confidence"] = nodes["confidence"].one_of("confidence", CONFIDENCES)
    out["source"] = nodes["source"].text("source")
    if "body" in nodes:
        out["body"] = nodes["body"].one_of("body", BODIES)
    for key in ("condition", "notes"):
        if key in nodes:
            out[key] = nodes[key].string(key)
    if "fields" in nodes:
        described = nodes["fields"].mapping("fields")
        out["fields"] = {key: node.text(f"field {key}") for key, node in described.items()}
    out["samples"] = tuple(_sample(node) for node in nodes["samples"].items("samples"))
    if "not_samples" in nodes:
        out["not_samples"] = tuple(
            node.text("a not_sample") for node in nodes["not_samples"].items("not_samples", least=0)
        )
    return out


def _sample(item: Node) -> tuple[str, dict[str, str]]:
    nodes = item.mapping("a sample")
    for key, node in nodes.items():
        if key not in ("line", "fields"):
            raise node.error(f"unknown key {key} in a sample", "its keys are line and fields")
    for key in ("line", "fields"):
        if key not in nodes:
            raise item.error(f"a sample has no {key}", "its keys are line and fields ({} for none)")
    fields = nodes["fields"].mapping("a sample's fields")
    return nodes["line"].text("a sample's line"), {k: n.string(f"field {k}") for k, n in fields.items()}


def _check_depth(text: str, loader: Any, file: str) -> None:
    """Composing nodes recurses, in C without a limit; so what nests deeply is refused before."""
    depth = 0
    for event in yaml.parse(text, loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEPTH:
                line = event.start_mark.line + 1 if event.start_mark else 0
                raise PatternError(file, line, "nests too deeply")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _syntax_error(error: yaml.YAMLError, file: str, lines: list[str]) -> PatternError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    if problem == _TOO_DEEP:
        return PatternError(file, mark.line + 1 if mark else 0, "nests too deeply")
    if mark is None:
        return PatternError(file, 0, f"is not YAML: {problem}")
    text = lines[mark.line] if mark.line < len(lines) else ""
    hint = "regexes and log lines are safest in 'single quotes'"
    message = f"is not YAML: {problem}"
    return PatternError(file, mark.line + 1, message, hint=hint, text=text, column=mark.column)
