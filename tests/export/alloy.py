"""Reads as much of Alloy's syntax as config.alloy uses, and gives back Promtail's stages."""

import json
import re
from typing import Any, NamedTuple

_TOKEN = re.compile(
    r'\s*(?://[^\n]*\n\s*)*(?:(?P<text>"(?:[^"\\\n]|\\.)*")|(?P<number>-?\d+(?:\.\d+)?)'
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)|(?P<mark>[{}\[\]=,]))"
)
_PROMTAIL = {"label_drop": "labeldrop"}
_MAPS = ("labels", "static_labels", "structured_metadata", "labeldrop")


class Name(str):
    """A reference, such as `argument.forward_to.value`."""

    __slots__ = ()


class Block(NamedTuple):
    """One block: its name, its label, its attributes, and the blocks in it."""

    name: str
    label: str | None
    attributes: dict[str, Any]
    blocks: "list[Block]"


def parse(text: str) -> list[Block]:
    """The blocks of a file; AssertionError where it is not well formed."""
    parser = _Parser(text)
    attributes, blocks = parser.body(None)
    assert not attributes
    return blocks


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str, bool]] = []
        at = 0
        text = re.sub(r"\s+\Z", "", text)
        while at < len(text):
            found = _TOKEN.match(text, at)
            assert found is not None, text[at : at + 80]
            kind = found.lastgroup
            assert kind is not None
            # An attribute or a block begins on a line of its own.
            self.tokens.append((kind, found[kind], "\n" in text[at : found.start(kind)] or at == 0))
            at = found.end()
        self.at = 0

    def next(self) -> tuple[str, str, bool]:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def body(self, end: str | None) -> tuple[dict[str, Any], list[Block]]:
        attributes: dict[str, Any] = {}
        blocks: list[Block] = []
        while self.at < len(self.tokens):
            kind, name, own_line = self.next()
            if kind == "mark" and name == end:
                return attributes, blocks
            assert kind == "name", name
            assert own_line, f"{name} begins no line"
            kind, mark, _ = self.next()
            if mark == "=":
                assert name not in attributes, name
                assert "." not in name
                attributes[name] = self.value()
                continue
            label = None
            if kind == "text":
                label = json.loads(mark)
                _, mark, _ = self.next()
            assert mark == "{", (name, mark)
            blocks.append(Block(name, label, *self.body("}")))
        assert end is None, "a block is not closed"
        return attributes, blocks

    def value(self) -> Any:
        kind, text, _ = self.next()
        if kind == "text":
            return json.loads(text)
        if kind == "number":
            return json.loads(text)
        if kind == "name":
            return {"true": True, "false": False}.get(text, Name(text))
        if text == "[":
            return self.items("]")
        assert text == "{", text
        return dict(self.items("}"))

    def items(self, end: str) -> list[Any]:
        found: list[Any] = []
        while self.tokens[self.at][1] != end:
            if end == "}":
                _, key, _ = self.next()
                assert self.next()[1] == "="
                found.append((json.loads(key) if key.startswith('"') else key, self.value()))
            else:
                found.append(self.value())
            if self.tokens[self.at][1] == ",":
                self.next()
            else:
                # Alloy wants a comma before a line end, also after the last.
                assert not self.tokens[self.at][2], "a comma is missing"
        self.next()
        return found


def as_promtail(blocks: list[Block], arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """The stages of a `loki.process`, in Promtail's form."""
    return [_stage(block, arguments) for block in blocks]


def _stage(block: Block, arguments: dict[str, Any]) -> dict[str, Any]:
    assert block.name.startswith("stage.")
    kind = block.name.removeprefix("stage.")
    kind = _PROMTAIL.get(kind, kind)
    attributes = {key: _given(value, arguments) for key, value in block.attributes.items()}
    if kind in _MAPS:
        assert attributes.keys() == {"values"}
        return {kind: attributes["values"]}
    if kind == "metrics":
        assert not attributes
        return {kind: dict(_metric(metric, arguments) for metric in block.blocks)}
    if kind == "match":
        return {kind: {**attributes, "stages": as_promtail(block.blocks, arguments)}}
    assert not block.blocks
    return {kind: attributes}


def _metric(block: Block, arguments: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    values = {key: _given(value, arguments) for key, value in block.attributes.items()}
    config = {key: values.pop(key) for key in ("action", "buckets") if key in values}
    type_ = {"metric.counter": "Counter", "metric.histogram": "Histogram"}[block.name]
    return values.pop("name"), {"type": type_, **values, "config": config}


def _given(value: Any, arguments: dict[str, Any]) -> Any:
    return arguments[value] if isinstance(value, Name) else value
