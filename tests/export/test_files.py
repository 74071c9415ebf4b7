"""The generated files are those that are committed, and every pattern stands in them as it is."""

import json
import re
from itertools import product
from pathlib import Path

import pytest
import re2
import yaml

from logparse.export.files import FILES, FORMATS, generate
from logparse.export.line import ExportError, header, message_of, renamed, unnamed
from logparse.export.signal import ACCESS, EXCEPTIONS, signals
from logparse.match.load import load_patterns
from logparse.record.parse import parse_line
from tests import recorded
from tests.export.facts import exported

ROOT = Path(__file__).parent.parent.parent
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
SERIES = [None, "8.0", "10.0", "12.0", "16.0", "19.0"]


@pytest.mark.parametrize("name", FILES)
def test_the_committed_files_are_what_the_patterns_give(name: str) -> None:
    made = generate(FILES[name], recorded.patterns())
    assert (ROOT / "promtail" / name).read_text(encoding="utf-8") == made, (
        "run `python -m logparse.export.files promtail`"
    )


@pytest.mark.parametrize(("format_", "odoo"), list(product(FORMATS, SERIES)))
def test_every_format_is_well_formed_for_every_series(format_: str, odoo: str | None) -> None:
    for http in (False, True):
        text = generate(format_, recorded.patterns(), odoo=odoo, http=http)
        if format_ == "lnav":
            json.loads(text)
        elif format_ in ("promtail", "stages", "rules"):
            assert yaml.safe_load(text)
        if odoo is not None and format_ not in ("lnav", "rules"):
            assert f"--odoo {odoo}" in text


def test_a_series_has_only_its_own_patterns() -> None:
    of_16 = {pattern.id for signal in signals(recorded.patterns(), "16.0") for pattern in signal.patterns}
    assert "runner.asking" in of_16
    assert "core.access.perf" in of_16
    assert not {"core.access.plain", "worker8.enqueued", "ctl.refused.v1"} & of_16


@pytest.mark.parametrize("version", ["", "sixteen", "5.0"])
def test_a_version_without_patterns_is_refused(version: str) -> None:
    with pytest.raises(ExportError):
        signals(recorded.patterns(), version)


@pytest.mark.parametrize(
    "name", ["promtail.yaml", "pipeline_stages.yaml", "config.alloy", "odoo_queue_job.alloy"]
)
def test_every_regex_stands_in_the_pipelines_as_the_pattern_has_it(name: str) -> None:
    text = (ROOT / "promtail" / name).read_text(encoding="utf-8")
    for signal in exported():
        for pattern in signal.patterns:
            if signal.event == "failed":  # its message is only a head: the record's text is read instead
                continue
            if name.endswith(".yaml"):
                assert "'" + pattern.regex.replace("'", "''") + "'" in text, pattern.id
            else:
                assert json.dumps(pattern.regex, ensure_ascii=False) in text, pattern.id


def test_the_regex_of_a_whole_line_takes_what_the_pattern_takes() -> None:
    patterns = [pattern for signal in exported() for pattern in signal.patterns]
    lines = [sample.line.partition("\n")[0] for pattern in patterns for sample in pattern.samples]
    lines += [line.partition("\n")[0] for pattern in patterns for line in pattern.not_samples]
    taken = 0
    for pattern in patterns:
        regex = re2.compile(header(pattern) + message_of(pattern))
        message = re2.compile(pattern.regex)
        for line in lines:
            record = parse_line(line)
            assert record is not None
            found = message.search(record.message)
            right = (
                found is not None
                and record.logger in pattern.loggers
                and record.level in pattern.levels
                and (pattern.db != "none" or record.db is None)
            )
            mine = regex.search(_COLOUR.sub("", line))
            assert (mine is not None) is right, (pattern.id, line)
            if mine is not None:
                taken += 1
                assert mine.groupdict() == found.groupdict()
    assert taken > len(patterns)


def test_a_text_in_a_message_is_not_taken_for_the_logger() -> None:
    pattern = recorded.patterns()["ctl.done"]
    regex = re2.compile(header(pattern) + message_of(pattern))
    real = pattern.samples[0].line.partition("\n")[0]
    record = parse_line(real)
    assert record is not None
    assert regex.search(real)
    assert not regex.search(real.replace(f" {record.db} ", f" {record.db} odoo.addons.x: see "))
    assert regex.search(real.replace(f" {record.db} ", " my old db "))


def test_names_are_taken_off_and_changed_by_the_token() -> None:
    assert unnamed(r"a(?P<x>\(?P<)[(?P<y>](?P<z>b)") == r"a(?:\(?P<)[(?P<y>](?:b)"
    assert unnamed(r"(?P<x>a)(?P<y>b)", keep={"y"}) == r"(?:a)(?P<y>b)"
    assert renamed(r"(?P<x>\(?P<a)") == r"(?<x>\(?P<a)"


def test_all_our_own_regexes_are_re2() -> None:
    for regex in (ACCESS, *EXCEPTIONS):
        re2.compile(regex)


def _write(directory: Path, regex: str) -> None:
    """A pattern of a user's own."""
    uuid = "8eb07891-f7d0-4a19-8a53-3ffa1694941e"
    pattern = {
        "id": "my.done",
        "versions": ["16.0+"],
        "logger": "odoo.addons.mine",
        "level": "INFO",
        "db": "job",
        "regex": regex,
        "fact": "done",
        "confidence": "proves",
        "fields": {"uuid": "the job"},
        "source": "mine.py",
        "samples": [
            {
                "line": f"2026-11-24 03:00:18,770 1 INFO prod odoo.addons.mine: finished {uuid} ",
                "fields": {"uuid": uuid},
            }
        ],
    }
    (directory / "mine.yaml").write_text(yaml.safe_dump({"patterns": [pattern]}), encoding="utf-8")


def test_a_pattern_that_cannot_stand_in_a_line_is_refused_by_name(tmp_path: Path) -> None:
    _write(tmp_path, "finished (?P<uuid>[0-9a-f-]{36})")
    with pytest.raises(ExportError, match=r"pattern my\.done "):
        generate("promtail", load_patterns(tmp_path))


def test_a_pattern_of_the_user_is_exported(tmp_path: Path) -> None:
    _write(tmp_path, "^finished (?P<uuid>[0-9a-f-]{36})$")
    patterns = load_patterns(tmp_path)
    for format_ in set(FORMATS) - {"rules"}:
        text = generate(format_, patterns).replace("\\", "")
        assert "odoo.addons.mine" in text, format_
