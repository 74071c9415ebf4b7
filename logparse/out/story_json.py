"""One job's story as JSON (docs/job.md)."""

from collections.abc import Iterable
from typing import Any

import msgspec

from logparse.lifecycle.event import Event
from logparse.out.steps import Line
from logparse.out.story import Story
from logparse.out.time import iso
from logparse.source.error import shown as shown_path

_MOST_NAMED = 100


def stories_json(stories: Iterable[Story]) -> dict[str, Any]:
    """The stories as what JSON can hold (docs/job.md): times in UTC, events as in docs/events.md."""
    return {"jobs": [_story_json(story) for story in stories]}


def _story_json(story: Story) -> dict[str, Any]:
    result: dict[str, Any] = msgspec.to_builtins(story)
    result["since"] = iso(story.since)
    result["steps"] = [
        {
            "ts": iso(step.time),
            "event": _event_json(step.event),
            "record": _line_json(step.line),
            "traceback": _line_json(step.trace),
            "traceback_one_of": [
                {"file": shown_path(line.file), "offset": line.offset} for line in step.maybe[:_MOST_NAMED]
            ],
        }
        for step in story.steps
    ]
    return result


def _event_json(event: Event | None) -> dict[str, Any] | None:
    if event is None:
        return None
    result: dict[str, Any] = msgspec.to_builtins(event)
    result["ts"] = iso(event.ts)
    result["file"] = shown_path(event.file)
    for key in ("duration", "wait", "sql_time"):
        if result[key] is not None:
            result[key] = round(result[key], 3)
    return result


def _line_json(line: Line | None) -> dict[str, Any] | None:
    if line is None:
        return None
    result: dict[str, Any] = msgspec.to_builtins(line)
    del result["time"]
    result["file"] = shown_path(line.file)
    return {"ts": iso(line.time), **result}
