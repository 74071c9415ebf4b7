"""The built-in patterns: each keeps the promise of its samples, and together they cover the catalogue."""

import gzip
import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from logparse.match.load import compile_builtin, load_patterns, read_builtin
from logparse.match.matcher import Matcher
from logparse.match.pattern import REQUEST_KINDS, Pattern, PatternSet
from logparse.match.verify import verify
from logparse.record.parse import parse_line

ALL = {pattern.id: pattern for pattern in read_builtin()}
CATALOGUE = json.loads((Path(__file__).parents[2] / "fixtures/catalogue/lines.json").read_text())

# Entries of the catalogue without a pattern of their own: no line at all, and the same line in colour.
NO_LINE = {"addon.silenced"}
SAME_LINE = {"core.access.styled": "core.access.perf"}
# What the catalogue's groups are called here; None: not captured.
RENAMED = {
    "cap": "capacity",
    "queued": "pending",
    "pid": "worker_pid",
    "class": "worker_class",
    "requests": "count",
    "try": "count",
    "max": "limit",
    "left": "count",
    "elapsed": "seconds",
    "function": "method",
    "recordset": None,
    "until": None,
    "at": None,
    "client": None,
    "date": None,
    "path": None,
    "size": None,
    "perf": None,
    "signal": None,
    "thread": None,
    "txid": None,
    "key": None,
    "uid": None,
    "ids": None,
    "identity_key": None,
    "error": None,
    "query": None,
}


@pytest.mark.parametrize("pattern_id", ALL)
def test_samples(patterns: PatternSet, pattern_id: str) -> None:
    verify(patterns, [ALL[pattern_id]])


@pytest.mark.parametrize("pattern_id", ALL)
def test_samples_with_the_version_known(patterns: PatternSet, pattern_id: str) -> None:
    """In each series that a pattern covers, its samples are its own."""
    pattern = ALL[pattern_id]
    for major in filter(pattern.covers, range(7, 25)):
        for sample in pattern.samples:
            record = parse_line(sample.line)
            assert record is not None
            fact = Matcher(patterns, f"{major}.0")(record)
            assert fact is not None
            assert fact.pattern == pattern_id, f"in {major}.0"


@pytest.mark.parametrize("pattern_id", ALL)
def test_imitations(patterns: PatternSet, pattern_id: str) -> None:
    """No record that a user's code can write under its own logger is a fact."""
    for sample in ALL[pattern_id].samples:
        record = parse_line(sample.line)
        assert record is not None
        imitation = type(record)(
            record.time,
            record.pid,
            record.level,
            "prod",
            "odoo.addons.my_addon.models.my_model",
            record.message,
            record.body,
            record.file,
            record.offset,
        )
        assert Matcher(patterns)(imitation) is None


def test_every_pattern_that_tells_of_jobs_has_not_samples() -> None:
    bare = [p.id for p in ALL.values() if not p.not_samples and ("uuid" in p.names or p.db != "any")]
    assert bare == []


@pytest.mark.parametrize("entry", [e for e in CATALOGUE if e["id"] not in NO_LINE], ids=lambda e: e["id"])
def test_catalogue(patterns: PatternSet, entry: dict[str, str]) -> None:
    """Each line of the catalogue is recognised as what the catalogue says, with what its regex captures."""
    record = parse_line(entry["example"])
    assert record is not None
    fact = Matcher(patterns)(record)
    assert fact is not None
    assert fact.pattern == SAME_LINE.get(entry["id"], entry["id"])
    assert fact.kind == entry["event"]
    assert fact.confidence == entry["confidence"]
    theirs = re.search(entry["regex"], record.message)
    assert theirs is not None
    for name, value in theirs.groupdict().items():
        ours = RENAMED.get(name, name)
        if value is not None and ours is not None:
            expected = value.lstrip(",") if name == "paused" else unquote(value) if name == "db" else value
            assert fact.fields[ours] == expected


def test_catalogue_is_whole() -> None:
    assert len(CATALOGUE) == 100
    missing = {entry["id"] for entry in CATALOGUE} - NO_LINE - SAME_LINE.keys() - ALL.keys()
    assert missing == set()


@pytest.mark.parametrize("entry", [e for e in CATALOGUE if e["id"] in ALL], ids=lambda e: e["id"])
def test_catalogue_levels_and_loggers(entry: dict[str, str]) -> None:
    pattern = ALL[entry["id"]]
    record = parse_line(entry["example"])
    assert record is not None
    assert record.logger in pattern.loggers
    assert record.level in pattern.levels
    assert set(pattern.levels) == set(re.findall("DEBUG|INFO|WARNING|ERROR", entry["level"]))


@pytest.mark.parametrize("entry", [e for e in CATALOGUE if e["id"] in ALL], ids=lambda e: e["id"])
def test_catalogue_versions(entry: dict[str, list[dict[str, str]]]) -> None:
    """A pattern covers at least the series that the catalogue names, and no gap of it is closed."""
    pattern = ALL[str(entry["id"])]
    series = {
        int(found[1]) for r in entry["ranges"] if (found := re.search(r"(\d+)\.0$", r["series"])) is not None
    }
    added = {"runner.requeued_dead": {14}, "core.version": {8, 9}}.get(pattern.id, set())
    if series:
        assert {major for major in range(7, 20) if pattern.covers(major)} == series | added
    newest = [r for r in entry["ranges"] if r["series"].endswith("19.0") and r["last"] is None]
    assert pattern.covers(20) is bool(newest or not series)


def _forged(logger: str, db: str | None, pid: int | None) -> bool:
    """The forged headers in the fixtures: jobs wrote them, as pid 999 of database x."""
    return db == "x" and pid == 999 and logger.endswith("jobrunner.runner")


@pytest.mark.parametrize(
    "log", sorted((Path(__file__).parents[2] / "fixtures").glob("*/*.log*")), ids=lambda p: p.parent.name
)
def test_real_logs(patterns: PatternSet, log: Path) -> None:
    """Every record of queue_job's loggers in the real logs is recognised, but for those that jobs forged."""
    matcher = Matcher(patterns)
    unmatched = []
    recognised = 0
    data = gzip.decompress(log.read_bytes()) if log.suffix == ".gz" else log.read_bytes()
    for line in data.split(b"\n"):
        record = parse_line(line.decode(errors="replace"))
        if record is None or not matcher.watches(record.logger):
            continue
        fact = matcher(record)
        if fact is not None:
            recognised += 1
        if fact is None and not _forged(record.logger, record.db, record.pid):
            unmatched.append(record)
    assert unmatched == []
    # A wrapped line is no record of its own here (tests/record/test_wrappers.py).
    assert recognised or any(word in str(log) for word in ("warn", "rotate", "syslog"))


def test_compiled_patterns_are_those_of_the_yaml(patterns: PatternSet) -> None:
    """builtin.json is a copy that saves time and no second truth: `python -m logparse.match.load`."""
    package = Path(__file__).parents[2] / "logparse/match/builtin.json"
    assert package.read_bytes() == compile_builtin()
    assert load_patterns(http=True) == patterns
    of_jobs = tuple(one for one in patterns.patterns if one.kind not in REQUEST_KINDS)
    assert load_patterns().patterns == of_jobs != patterns.patterns


def test_no_two_patterns_take_the_same_sample(patterns: PatternSet) -> None:
    """Order decides in two places only: core.http_warning.16 takes any warning of odoo.http, and
    http.access.odd any access line.
    """
    shared = set()
    for pattern in ALL.values():
        for other in ALL.values():
            if other.id == pattern.id or (other.kind in REQUEST_KINDS) is not (pattern.kind in REQUEST_KINDS):
                continue  # a line may tell of a job and of a request
            alone = Matcher(PatternSet((other,), "", ""))
            for sample in pattern.samples:
                record = parse_line(sample.line)
                assert record is not None
                if alone(record) is not None:
                    shared.add((pattern.id, other.id))
    assert shared == {
        ("core.readonly_retry", "core.http_warning.16"),
        ("http.access", "http.access.odd"),
        ("http.access.plain", "http.access.odd"),
    }


def test_confidence_and_kinds_are_the_catalogues() -> None:
    kinds = {entry["event"] for entry in CATALOGUE}
    ours = {pattern.kind for pattern in ALL.values()}
    assert ours - kinds == {"server_http", "evented_start"} | REQUEST_KINDS
    assert kinds - ours == {"lines_missing"}


def test_rebranded_server(patterns: PatternSet) -> None:
    for product, version in (("Qplexity", "18.0"), ("dosyt", "14.0"), ("My ERP", "16.0-20240101")):
        matcher = Matcher(patterns)
        record = parse_line(f"2026-11-24 03:00:18,770 9426 INFO ? odoo: {product} version {version} ")
        assert record is not None
        fact = matcher(record)
        assert fact is not None
        assert (fact.kind, fact.fields) == ("server_start", {"version": version})
        assert matcher.odoo == version


def _pattern_ids(patterns: tuple[Pattern, ...]) -> list[str]:
    return [pattern.id for pattern in patterns]


def test_order_is_that_of_the_files(patterns: PatternSet) -> None:
    ids = _pattern_ids(patterns.patterns)
    assert ids == list(ALL)
    assert ids.index("core.readonly_retry") < ids.index("core.http_warning.16")
