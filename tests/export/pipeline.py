"""A small interpreter of Promtail's stages, over google-re2, as far as the configuration uses them.

How each behaves was measured on a real Promtail 3.6: a named group that took no part is stored as "", a
counter counts where its source is there, every label of that moment becomes one of the metric's, a match
sees labels and the line.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import re2

_FILTER = re.compile(r'\s*(\|=|\|~|!=|!~)\s*("(?:[^"\\]|\\.)*")')
_MATCHER = re.compile(r'\s*([a-z_]+)(=~|!=|!~|=)("(?:[^"\\]|\\.)*")\s*,?')
_COLOUR = re.compile(r"\x1b\[[0-9;:?]*[A-Za-z]")


class Entry:
    """What flows: a line, its labels, what was extracted, its structured metadata."""

    def __init__(self, line: str, labels: dict[str, str]) -> None:
        self.line = line
        self.labels = labels
        self.extracted: dict[str, str] = {}
        self.metadata: dict[str, str] = {}
        self.time = ""


class Run:
    """One run of a pipeline: `counters` by (name, labels), `observed` values by the same, and `entries`."""

    def __init__(self, stages: list[dict[str, Any]], lines: Iterable[str], labels: dict[str, str]) -> None:
        self.counters: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()
        self.observed: dict[tuple[str, tuple[tuple[str, str], ...]], list[float]] = {}
        self.entries: list[Entry] = []
        kind, config = _single(stages[0])
        assert kind == "multiline"
        for text in _multiline(lines, config):
            entry = Entry(text, dict(labels))
            self._apply(stages[1:], entry)
            self.entries.append(entry)

    def total(self, name: str, **labels: str) -> int:
        """The sum of a counter's series that have these labels."""
        return sum(
            count
            for (metric, found), count in self.counters.items()
            if metric == name and labels.items() <= dict(found).items()
        )

    def by(self, name: str, label: str) -> Counter[str]:
        """A counter's values by one label."""
        found: Counter[str] = Counter()
        for (metric, labels), count in self.counters.items():
            if metric == name:
                found[dict(labels).get(label, "")] += count
        return found

    def _apply(self, stages: list[dict[str, Any]], entry: Entry) -> None:
        for stage in stages:
            kind, config = _single(stage)
            getattr(self, f"_{kind}")(config, entry)

    def _match(self, config: dict[str, Any], entry: Entry) -> None:
        if selects(config["selector"], entry):
            self._apply(config["stages"], entry)

    def _regex(self, config: dict[str, str], entry: Entry) -> None:
        text: str | None = entry.line
        if "source" in config:
            text = entry.extracted.get(config["source"])
            if text is None:
                return
        found = _re2(config["expression"]).search(text)
        if found is not None:
            entry.extracted |= {name: value or "" for name, value in found.groupdict().items()}

    def _timestamp(self, config: dict[str, str], entry: Entry) -> None:
        assert config == {"source": "time", "format": "2006-01-02 15:04:05,000", "location": "UTC"}
        entry.time = entry.extracted.get("time", "")

    def _decolorize(self, config: dict[str, str], entry: Entry) -> None:
        assert config == {}
        entry.line = _COLOUR.sub("", entry.line)

    def _static_labels(self, config: dict[str, str], entry: Entry) -> None:
        entry.labels |= config

    def _labels(self, config: dict[str, str], entry: Entry) -> None:
        for label, source in config.items():
            if source in entry.extracted:
                entry.labels[label] = entry.extracted[source]

    def _labeldrop(self, config: list[str], entry: Entry) -> None:
        for label in config:
            entry.labels.pop(label, None)

    def _structured_metadata(self, config: dict[str, str], entry: Entry) -> None:
        for name, source in config.items():
            if source in entry.extracted:
                entry.metadata[name] = entry.extracted[source]
            # A label of that name moves over, and is gone.
            if source in entry.labels:
                entry.metadata[name] = entry.labels.pop(source)

    def _template(self, config: dict[str, str], entry: Entry) -> None:
        """Only the one template that is in use: a sum of two numbers, or a third."""
        assert "addf .sql_seconds .other_seconds" in config["template"]
        values = entry.extracted
        if values.get("sql_seconds"):
            total = float(values["sql_seconds"]) + float(values["other_seconds"] or 0)
            values[config["source"]] = repr(total)
        elif values.get("seconds"):
            values[config["source"]] = values["seconds"]
        else:
            values.pop(config["source"], None)

    def _metrics(self, config: dict[str, dict[str, Any]], entry: Entry) -> None:
        for name, metric in config.items():
            if metric["source"] not in entry.extracted:
                continue
            # An empty label is none, to Prometheus.
            labels = tuple(sorted((key, value) for key, value in entry.labels.items() if value))
            series = (metric["prefix"] + name, labels)
            if metric["type"] == "Counter":
                assert metric["config"] == {"action": "inc"}
                self.counters[series] += 1
            else:
                self.observed.setdefault(series, []).append(float(entry.extracted[metric["source"]]))


def selects(selector: str, entry: Entry) -> bool:
    """Whether a LogQL selector with line filters takes the entry."""
    matchers, filters = _parsed(selector)
    for label, operator, value in matchers:
        found = entry.labels.get(label, "")
        right = found == value
        if operator.endswith("~"):
            right = _re2(f"^(?:{value})$").search(found) is not None
        if right is operator.startswith("!"):
            return False
    for operator, text in filters:
        if operator in ("|=", "!="):
            there = text in entry.line
        else:
            there = _re2(text).search(entry.line) is not None
        if there is operator.startswith("!"):
            return False
    return True


@cache
def _parsed(selector: str) -> tuple[list[tuple[str, str, str]], list[tuple[str, str]]]:
    """The matchers and the line filters; AssertionError where it is no selector of Promtail and Alloy."""
    assert selector.startswith("{"), selector
    at = 1
    matchers: list[tuple[str, str, str]] = []
    while (found := _MATCHER.match(selector, at)) is not None:
        matchers.append((found[1], found[2], json.loads(found[3])))
        at = found.end()
    assert matchers, f"no matcher in {selector}"
    assert selector.startswith("}", at), selector[at:]
    at += 1
    filters: list[tuple[str, str]] = []
    while at < len(selector):
        found = _FILTER.match(selector, at)
        assert found is not None, selector[at:]
        filters.append((found[1], json.loads(found[2])))
        at = found.end()
    return matchers, filters


@cache
def _re2(expression: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(expression, options)


def _single(stage: dict[str, Any]) -> tuple[str, Any]:
    ((kind, config),) = stage.items()
    return kind, config


def _multiline(lines: Iterable[str], config: dict[str, Any]) -> Iterator[str]:
    first = _re2(config["firstline"])
    block: list[str] = []
    started = False
    for line in lines:
        if first.search(line):
            if block:
                yield "\n".join(block)
            block, started = [], True
        elif not started:
            yield line
            continue
        block.append(line)
        if len(block) == config["max_lines"]:
            yield "\n".join(block)
            block = []
    if block:
        yield "\n".join(block)
