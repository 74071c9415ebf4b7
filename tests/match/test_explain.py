"""Explanations: which pattern took a line, or how far each of its logger's patterns got."""

from logparse.match.explain import explain
from logparse.match.load import load_patterns

PATTERNS = load_patterns()
UUID = "8eb07891-f7d0-4a19-8a53-3ffa1694941e"
RUNNER = "odoo.addons.queue_job.jobrunner.runner"


def test_recognised() -> None:
    line = f"2026-11-24 03:00:18,770 25516 INFO ? {RUNNER}: asking Odoo to run job {UUID} on db prod "
    explanation = explain(line, PATTERNS)
    assert explanation.fact is not None
    assert explanation.attempts == ()
    assert str(explanation).splitlines() == [
        "runner.asking: proves dispatched",
        f"  uuid = {UUID}",
        "  db = prod",
    ]


def test_no_header() -> None:
    explanation = explain("asking Odoo to run job", PATTERNS)
    assert explanation.record is None
    assert str(explanation).startswith("No record of an Odoo log")


def test_no_pattern_of_the_logger() -> None:
    explanation = explain("2026-11-24 03:00:18,770 1 INFO ? odoo.addons.my_addon: asking", PATTERNS)
    assert not explanation.watched
    assert str(explanation) == "No pattern has the logger odoo.addons.my_addon."


def test_how_far_it_got() -> None:
    line = f"2026-11-24 03:00:18,770 1 INFO ? {RUNNER}: asking Odoo to run Job {UUID} on db prod "
    explanation = explain(line, PATTERNS)
    assert explanation.watched
    assert len(explanation.attempts) == sum(RUNNER in p.loggers for p in PATTERNS.patterns)
    closest = explanation.attempts[0]
    assert (closest.pattern.id, closest.stops_at) == ("runner.asking", len("asking Odoo to run "))
    lines = str(explanation).splitlines()
    assert lines[1] == "runner.asking: its message differs"
    assert lines[2] == f"    asking Odoo to run Job {UUID} on db prod"
    assert lines[3] == "    " + " " * len("asking Odoo to run ") + "^"
    assert lines[-1].endswith("of them want a message that begins differently.")


def test_what_else_fails() -> None:
    line = f"2026-11-24 03:00:18,770 1 DEBUG x {RUNNER}: asking Odoo to run job {UUID} on db prod "
    closest = explain(line, PATTERNS).attempts[0]
    assert closest.pattern.id == "runner.asking"
    assert closest.stops_at is None
    assert closest.reason == (
        "its level is DEBUG, not INFO; it carries the database x, and such a record carries ?"
    )
    controllers = "odoo.addons.queue_job.controllers.main"
    line = f"2026-11-24 03:00:18,770 1 DEBUG ? {controllers}: <Job {UUID}, priority:10> done "
    closest = explain(line, PATTERNS).attempts[0]
    assert closest.reason == "it carries no database, and such a record carries the job's"


def test_long_and_hostile_lines() -> None:
    hostile = "asking Odoo to run job \x1b]0;x\x07\x00\u2028" + "a" * 100_000
    text = str(explain(f"2026-11-24 03:00:18,770 1 INFO ? {RUNNER}: {hostile}", PATTERNS))
    assert text.isprintable() or set(filter(lambda char: not char.isprintable(), text)) == {"\n"}
    assert len(text) < 5_000


def test_version() -> None:
    line = "2026-11-24 03:00:18,770 1 WARNING prod odoo.http: x, retrying with a read/write cursor "
    for odoo, expected in (("16.0", "core.http_warning.16"), ("18.0", "core.readonly_retry")):
        fact = explain(line, PATTERNS, odoo).fact
        assert fact is not None
        assert fact.pattern == expected
