"""The matcher: order, versions, databases, and that nothing a record holds can make it fail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logparse.match.load import load_patterns
from logparse.match.matcher import Matcher
from logparse.match.pattern import LEVELS, Pattern, PatternSet
from logparse.match.re2 import check
from logparse.match.versions import parse_range
from logparse.record.parse import parse_line
from logparse.record.record import Record

UUID = "8eb07891-f7d0-4a19-8a53-3ffa1694941e"
PATTERNS = load_patterns()
RUNNER = "odoo.addons.queue_job.jobrunner.runner"


def _record(line: str) -> Record:
    record = parse_line(line)
    assert record is not None
    return record


def _access(url: str, db: str = "prod", tail: str = "200 - 16 0.037 0.028") -> Record:
    return _record(
        f"2026-11-24 03:00:18,854 25509 INFO {db} werkzeug: 127.0.0.1 - - [24/Nov/2026 03:00:18] "
        f'"GET {url} HTTP/1.1" {tail}'
    )


def _pattern(pattern_id: str, regex: str, versions: str, *, user: bool = False) -> Pattern:
    checked = check(regex)
    return Pattern(
        id=pattern_id,
        versions=(versions,),
        ranges=(parse_range(versions),),
        loggers=("l",),
        levels=("INFO",),
        db="any",
        regex=regex,
        python=checked.python,
        names=checked.names,
        optional=checked.optional,
        anchored=checked.anchored,
        prefix=checked.prefix,
        literals=checked.literals,
        kind="k",
        confidence="proves",
        source="s",
        user=user,
    )


@pytest.mark.parametrize("user", [False, True])
def test_version_first_then_order(user: bool) -> None:
    one = _pattern("one", "^a", "16.0+", user=user)
    two = _pattern("two", "^a", "12.0-15.0", user=user)
    patterns = PatternSet((one, two), "", "")
    record = Record(0, 1, "INFO", None, "l", "abc", "", "", 0)
    for odoo, expected in ((None, "one"), ("17.0", "one"), ("16.0", "one"), ("14.0", "two"), ("8.0", "one")):
        fact = Matcher(patterns, odoo)(record)
        assert fact is not None
        assert fact.pattern == expected
    later = Record(0, 1, "INFO", None, "l", "xabc", "", "", 0)
    assert Matcher(patterns)(later) is None


def test_a_backport_is_still_a_fact() -> None:
    record = _record(f"2026-11-24 03:00:18,770 1 WARNING ? {RUNNER}: Re-queued dead job with uuid: {UUID} ")
    fact = Matcher(PATTERNS, "12.0")(record)
    assert fact is not None
    assert fact.kind == "dead_requeued_or_failed"


def test_version_from_the_log() -> None:
    start = _record("2026-11-24 03:00:18,770 1 INFO ? odoo: Odoo version 17.0+e-20240101 ")
    matcher = Matcher(PATTERNS)
    assert matcher.odoo is None
    matcher(start)
    assert matcher.odoo == "17.0+e-20240101"
    matcher(_record("2026-11-24 03:00:18,770 1 INFO ? odoo: Odoo version 18.0 "))
    assert matcher.odoo == "18.0"
    given_ = Matcher(PATTERNS, "14.0")
    given_(start)
    assert given_.odoo == "14.0"


def test_version_that_is_none() -> None:
    with pytest.raises(ValueError, match=r"'seventeen' is no Odoo version; write it like 17\.0"):
        Matcher(PATTERNS, "seventeen")


@pytest.mark.parametrize(
    ("url", "own", "db"),
    [
        (f"/queue_job/runjob?db=prod&job_uuid={UUID}", "other", "prod"),
        (f"/queue_job/runjob?db=a%20b%26c&job_uuid={UUID}", "other", "a b&c"),
        (f"/queue_job/runjob?db=a&b=c&job_uuid={UUID}", "other", "a&b=c"),
        (f"/queue_job/runjob?db=beta-17.test&job_uuid={UUID}", "other", "beta-17.test"),
        (f'/queue_job/runjob?db=a"b&job_uuid={UUID}', "other", 'a"b'),
        (f"/queue_job/runjob?db=100%&job_uuid={UUID}", "other", "100%"),
        (f"/queue_job/runjob?job_uuid={UUID}", "own", "own"),
        (f"/queue_job/runjob?job_uuid={UUID}", "?", None),
        (f"/queue_job/runjob?db=&job_uuid={UUID}", "own", "own"),
        (f"/connector/runjob?db=prod&job_uuid={UUID}", "None", "prod"),
    ],
)
@pytest.mark.parametrize("tail", ["200 -", "500 - - - -", "200 - 16 0.037 0.028", "422 - 3 0.1 0.2 ro->rw"])
def test_database_of_an_access_line(url: str, own: str, db: str | None, tail: str) -> None:
    fact = Matcher(PATTERNS)(_access(url, own, tail))
    assert fact is not None
    assert (fact.kind, fact.uuid, fact.db) == ("attempt_ended", UUID, db)
    assert fact.fields["status"] == tail[:3]


@pytest.mark.parametrize(
    ("tail", "numbers"),
    [
        ("200 - 16 0.037 0.028", ("16", "0.037", "0.028", None)),
        ("200 - 16 0.037 -0.001 rw", ("16", "0.037", "-0.001", "rw")),
        ("200 - 16 0.037 0.028 -", ("16", "0.037", "0.028", None)),
        ("200 - 16 0.037 0.028 ro->rw", ("16", "0.037", "0.028", "ro->rw")),
        ("200 - - - -", (None, None, None, None)),
        ("200 -", (None, None, None, None)),
    ],
)
def test_numbers_of_an_access_line(tail: str, numbers: tuple[str | None, ...]) -> None:
    fact = Matcher(PATTERNS)(_access(f"/queue_job/runjob?db=prod&job_uuid={UUID}", tail=tail))
    assert fact is not None
    names = ("queries", "sql_seconds", "other_seconds", "replica")
    assert tuple(fact.fields.get(name) for name in names) == numbers
    assert all(value is not None for value in fact.fields.values())


def test_percent_of_a_runner_line_is_as_written() -> None:
    line = f"2026-11-24 03:00:18,770 1 INFO ? {RUNNER}: asking Odoo to run job {UUID} on db 100%25 "
    fact = Matcher(PATTERNS)(_record(line))
    assert fact is not None
    assert fact.db == "100%25"


@pytest.mark.parametrize(
    ("logger", "watched"),
    [
        ("odoo.addons.queue_job", True),
        (RUNNER, True),
        ("odoo.addons.queue_job.models.anything", True),
        ("odoo.addons.queue_job_cron_jobrunner.models.queue_job", True),
        ("openerp.addons.connector.jobrunner.channels", True),
        ("openerp.addons.connector.controllers.main", True),
        ("openerp.addons.connector.queue.job", True),
        ("openerp.addons.connector.session", False),
        ("odoo.addons.queue_job_batch", False),
        ("odoo.addons.connector", False),
        ("xodoo.addons.queue_job", False),
        ("werkzeug", False),
        ("odoo", False),
    ],
)
def test_watches(logger: str, watched: bool) -> None:
    matcher = Matcher(PATTERNS)
    assert matcher.watches(logger) is watched
    assert matcher.watches(logger) is watched


def test_watches_forgets_what_is_too_much() -> None:
    matcher = Matcher(PATTERNS)
    assert not any(matcher.watches(f"l{number}") for number in range(20_005))
    assert matcher.watches(RUNNER)


LOGGERS = st.sampled_from(sorted({logger for p in PATTERNS.patterns for logger in p.loggers})) | st.text()
MESSAGES = st.text() | st.sampled_from(
    [_record(sample.line).message for p in PATTERNS.patterns for sample in p.samples]
).flatmap(lambda m: st.integers(0, len(m)).map(lambda n: m[:n]) | st.text(max_size=5).map(lambda t: m + t))


@given(
    st.builds(
        Record,
        time=st.integers(0, 2**41),
        pid=st.none() | st.integers(0, 2**31),
        level=st.sampled_from(LEVELS) | st.text(),
        db=st.none() | st.text(),
        logger=LOGGERS,
        message=MESSAGES,
        body=st.text(),
        file=st.text(),
        offset=st.integers(0, 2**63),
    ),
    st.sampled_from([None, "8.0", "12.0", "18.0", "saas~17.2"]),
)
def test_any_record(record: Record, odoo: str | None) -> None:
    """No record makes it fail, and a fact is always the record's own."""
    fact = Matcher(PATTERNS, odoo)(record)
    if fact is not None:
        pattern = PATTERNS[fact.pattern]
        assert fact.record is record
        assert record.logger in pattern.loggers
        assert record.level in pattern.levels
        assert fact.fields.keys() <= pattern.fields.keys()
        assert all(isinstance(value, str) for value in fact.fields.values())
        assert fact.uuid == fact.fields.get("uuid")


@given(st.lists(st.sampled_from([s.line for p in PATTERNS.patterns for s in p.samples]), max_size=30))
def test_one_matcher_for_many_records(lines: list[str]) -> None:
    """What it met before decides at most the order of versions: a sample stays its pattern's own."""
    matcher = Matcher(PATTERNS)
    for line in lines:
        fact, alone = matcher(_record(line)), Matcher(PATTERNS)(_record(line))
        assert fact is not None
        assert alone is not None
        assert fact.kind == alone.kind or fact.pattern == "core.http_warning.16"
