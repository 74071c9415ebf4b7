"""Writes the page: a template, to which everything from the log is handed as data and escaped."""

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files
from pathlib import PurePath
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from logparse.lifecycle.event import Event
from logparse.out import headline, units
from logparse.out.findings import findings
from logparse.out.page.blame import Group
from logparse.out.page.data import encoded
from logparse.out.page.stories import Stories, Told
from logparse.out.report import Database, Report
from logparse.out.terminal.layout import WHAT
from logparse.out.time import iso
from logparse.out.timeline import ROTATION, Timeline
from logparse.out.trust import REASONS
from logparse.out.visible import Setting, Visible
from logparse.source.error import shown

_HERE = files("logparse.out.page")
MOST_BYTES = 1_900_000
"""Of a page; beyond it, less is told of."""
_MOST_MARKS = 200
_CLASSES = {"failed": "bad", "lost": "bad", "done": "good", "retried": "warn", "requeued": "warn"}
MARKS = {
    "runner_started": "job runner started",
    "runner_stopped": "job runner stopped",
    "runner_error": "job runner error",
    "runner_standby": "job runner on standby",
    "server_started": "server started",
    "server_stopped": "server stopped",
    "worker_killed": "worker killed",
    ROTATION: "log rotated",
}
_STATES = {
    "pending": "waiting",
    "dispatched": "dispatched: waiting for a worker, or running",
    "enqueued": "waiting for a worker",
    "started": "running",
    "unsettled": "ended without an error; may still be retried",
}


class _Mark(NamedTuple):
    kind: str
    begin: str
    times: int
    notes: str


class _Step(NamedTuple):
    time: str
    after: str
    word: str
    details: str
    evidence: str
    place: str


class _Story(NamedTuple):
    uuid: str
    db: str
    channel: str
    outcome: str
    steps: list[_Step]
    left_out: int


class _Hidden(NamedTuple):
    setting: Setting | None
    items: list[Visible]


class _Limits(NamedTuple):
    """How much is told at most: databases, channels of each, kinds of exceptions, jobs with their stories."""

    databases: int
    channels: int
    groups: int
    stories: int


_LIMITS = (
    _Limits(60, 40, 60, 150),
    _Limits(40, 20, 40, 80),
    _Limits(20, 15, 25, 40),
    _Limits(10, 10, 10, 20),
)


def page(report: Report, timeline: Timeline, groups: list[Group], stories: Stories, *, texts: bool) -> bytes:
    """The whole page, UTF-8. texts: whether the groups hold texts of exceptions, which the page then says."""
    data = encoded(report, timeline)
    script = _text("uplot/uPlot.iife.min.js") + "\n" + _text("page.js")
    style = _text("uplot/uPlot.min.css") + "\n" + _text("page.css")
    template = _environment().get_template("page.html")
    content = b""
    for limits in _LIMITS:
        told = stories.of(list(_named(report, groups[: limits.groups]))[: limits.stories])
        html = template.render(
            report=report,
            databases=report.databases[: limits.databases],
            most_channels=limits.channels,
            at=_clock(report),
            when=headline.when(report),
            told=headline.told(report),
            sentence=headline.sentence(report),
            nothing=headline.nothing(report),
            findings=findings(report),
            total=lambda word: headline.total(report.databases, word),
            runs=_known(database.runs for database in report.databases),
            opened=_opened(report.databases),
            groups=groups[: limits.groups],
            more_groups=groups[limits.groups :],
            texts=texts,
            stories=[_story(uuid, one) for uuid, one in told.items()],
            with_story=set(told),
            marks=_marks(timeline),
            hidden=_hidden(report),
            files=[PurePath(file).name for file in report.input.files],
            data=Markup(data.decode()),  # noqa: S704 (no `<` is in it: see encoded)
            script=Markup(script),  # noqa: S704 (ours)
            style=Markup(style),  # noqa: S704 (ours)
            script_hash=_digest(script),
            style_hash=_digest(style),
            MARKS=MARKS,
            STATES=_STATES,
            REASONS=REASONS,
            WHAT=WHAT,
        )
        content = html.encode(errors="replace")
        if len(content) <= MOST_BYTES:
            break
    return content


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("logparse.out", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=units.number,
        duration=units.duration,
        size=units.size,
        share=units.share,
        plural=units.plural,
        # What could hide in a page as well as in a terminal: controls, and marks that turn the direction.
        shown=lambda text: units.printable(text) if text else "",
        traceback=lambda text: "\n".join(map(units.printable, text.replace("\t", "    ").split("\n"))),
        moment=_moment,
        tone=lambda word: _CLASSES.get(word, ""),
    )
    return environment


def _text(name: str) -> str:
    return _HERE.joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """As a content security policy names what may run."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _moment(time: str | None) -> str:
    return units.moment(time) if time else "?"


def _clock(report: Report) -> Callable[[str | int], str]:
    """Writes a time (of a report, or ms): without its day, where all that is told happened on one."""
    one_day = report.first is not None and report.last is not None and report.first[:10] == report.last[:10]

    def at(time: str | int) -> str:
        text = iso(time) if isinstance(time, int) else time
        if not text:
            return "?"
        return units.moment(text, day=not one_day or report.first is None or text[:10] != report.first[:10])

    return at


def _known(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _opened(databases: list[Database]) -> int | None:
    """Jobs that are under way or wait when the log ends."""
    return _known(one.jobs for database in databases for one in database.open if one.state != "unsettled")


def _named(report: Report, groups: list[Group]) -> Mapping[str, None]:
    """The jobs that the page names, those first that matter most."""
    named: dict[str, None] = {}
    for database in report.databases:
        for uuid in (
            *(one.uuid for one in database.lost_jobs),
            *(one.uuid for one in database.slowest),
            *(one.uuid for one in database.most_failing),
            *(one.uuid for one in database.most_retried),
        ):
            if uuid is not None:
                named[uuid] = None
    for group in groups:
        if group.uuid is not None:
            named[group.uuid] = None
    return named


def _story(uuid: str, told: Told) -> _Story:
    events = sorted(told.events, key=lambda event: event.ts)
    first = events[0].ts
    outcome = ""
    for event in told.events:
        outcome = event.event if event.event in ("done", "failed", "cancelled", "lost") else ""
    return _Story(
        uuid,
        next((event.db for event in events if event.db), None) or "",
        next((event.channel for event in events if event.channel), None) or "",
        outcome or "open",
        [_step(event, first) for event in events],
        told.left_out,
    )


def _step(event: Event, first: int) -> _Step:
    details = []
    if event.attempt is not None:
        details.append(f"attempt {event.attempt}")
    if event.duration is not None:
        details.append(f"took {units.duration(event.duration)}")
    if event.wait is not None and event.event == "started":
        details.append(f"{units.duration(event.wait)} after its dispatch")
    if event.sql_queries is not None:
        details.append(units.plural(event.sql_queries, "query", "queries"))
    details += [text for text in (event.exception, event.reason) if text]
    time = iso(event.ts)
    return _Step(
        units.moment(time, milliseconds=True) if time else "?",
        f"+{units.duration((event.ts - first) / 1000)}",
        event.event,
        ", ".join(details),
        event.evidence,
        f"{PurePath(shown(event.file)).name}:{event.offset}",
    )


def _marks(timeline: Timeline) -> list[_Mark]:
    marks = sorted(timeline.marks.items())
    return [
        _Mark(kind, _moment(iso(interval * timeline.width)), mark.count, ", ".join(mark.notes))
        for (interval, kind), mark in marks[:_MOST_MARKS]
    ]


def _hidden(report: Report) -> list[_Hidden]:
    by_setting: dict[Setting | None, list[Visible]] = {}
    for one in report.visibility.items:
        if one.shown in ("no", "partly"):
            by_setting.setdefault(one.setting, []).append(one)
    return [
        _Hidden(setting, by_setting[setting]) for setting in sorted(by_setting, key=lambda one: one is None)
    ]
