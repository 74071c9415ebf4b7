"""The interest: no record that a pattern can match is passed over, and few others are read."""

import re
from pathlib import Path

from hypothesis import assume, given
from hypothesis import strategies as st

from logparse.match.interest import interest
from logparse.match.load import load_patterns
from logparse.match.matcher import Matcher
from logparse.match.pattern import Pattern, PatternSet
from logparse.match.re2 import check
from logparse.record.parse import parse_line

PATTERNS = load_patterns()
INTEREST = interest(PATTERNS)


def _sees(first_line: str) -> bool:
    return any(literal in first_line.encode() for literal in INTEREST.literals)


def test_few_and_telling() -> None:
    assert len(INTEREST.literals) <= 10
    assert all(len(literal) >= 4 for literal in INTEREST.literals)
    assert any(b"queue_job" in literal for literal in INTEREST.literals)
    assert b"/runjob?" in INTEREST.literals
    ordinary = (
        '2026-11-24 03:10:00,100 1 INFO prod werkzeug: 10.0.0.7 - - [24/Nov/2026 03:10:00] "POST '
        '/web/dataset/call_kw/res.partner/web_search_read HTTP/1.1" 200 - 21 0.010 0.020',
        "2026-11-24 03:10:00,100 1 INFO prod odoo.modules.loading: 12 modules loaded in 0.10s, 0 queries ",
        "2026-11-24 03:10:00,100 1 INFO prod odoo.addons.base.models.ir_cron: Job done: `Mail` (0.1s). ",
        "2026-11-24 03:10:00,100 1 DEBUG prod odoo.models: saved 12 records of res.partner ",
        '  File "/opt/odoo/queue_job/odoo/addons/queue_job/controllers/main.py", line 155, in _runjob',
    )
    assert not any(_sees(line) for line in ordinary)


def test_samples_are_seen() -> None:
    for pattern in PATTERNS.patterns:
        for sample in pattern.samples:
            assert _sees(sample.line.partition("\n")[0]), pattern.id


@given(st.sampled_from(PATTERNS.patterns), st.data())
def test_whatever_matches_is_seen(pattern: Pattern, data: st.DataObject) -> None:
    message = data.draw(st.from_regex(re.compile(pattern.python, re.ASCII)))
    assume("\n" not in message and not re.search("[\ud800-\udfff]", message))
    logger = data.draw(st.sampled_from(pattern.loggers))
    assert _sees(f"2026-11-24 03:00:18,770 1 {pattern.levels[0]} ? {logger}: {message}")


def test_real_logs_are_read_sparingly(fixtures: Path) -> None:
    """In a real log every fact is seen, and most of what is not about jobs is passed over."""
    matcher = Matcher(PATTERNS)
    facts = seen = lines = 0
    for line in (fixtures / "18.0-w2-dead-info" / "odoo.log").read_text(errors="replace").split("\n"):
        record = parse_line(line)
        lines += 1
        seen += _sees(line)
        if record is not None and matcher(record) is not None:
            facts += 1
            assert _sees(line)
    assert facts > 50
    assert seen < lines


def test_bodies() -> None:
    assert "odoo.addons.queue_job.controllers.main" in INTEREST.bodies
    assert "odoo.addons.queue_job.jobrunner.channels" not in INTEREST.bodies
    assert INTEREST.bodies == {
        logger for pattern in PATTERNS.patterns if pattern.body for logger in pattern.loggers
    }


def _of(logger: str, regex: str) -> tuple[bytes, ...]:
    checked = check(regex)
    pattern = Pattern(
        "p", (), (), (logger,), ("INFO",), "any", regex, checked.python, checked.names, (),
        checked.anchored, checked.prefix, checked.literals, "k", "proves", "s",
    )  # fmt: skip
    return interest(PatternSet((pattern,), "", "")).literals


def test_users_patterns() -> None:
    assert _of("odoo.addons.my_addon.sync", ".") == (b" odoo.addons.my_addon.sync",)
    assert _of("werkzeug", ".") == (b" werkzeug",)
    assert _of("werkzeug", "^it (?:broke|failed) badly$") == (b" badly",)
    assert _of("werkzeug", '^"GET ') == (b" werkzeug",)
    assert _of("odoo", r"^\d+$") == (b" odoo: ",)
    assert _of("x", "^é$") == (b" x: ",)
    assert interest(PatternSet((), "", "")).literals == ()
