"""The loader: what it refuses, with the file, the line and a hint; and the user's patterns over ours."""

import subprocess
import sys
from pathlib import Path

import pytest

from logparse.match.error import PatternError
from logparse.match.load import load_patterns
from logparse.match.matcher import Matcher
from logparse.record.parse import parse_line

ROOT = Path(__file__).parents[2]
UUID = "8eb07891-f7d0-4a19-8a53-3ffa1694941e"
LINE = f"2026-11-24 03:00:18,770 25516 INFO prod odoo.addons.my_addon.sync: synced job {UUID} in 12 s"

# Line numbers of the complaints below count in this file.
GOOD = f"""\
patterns:
  - id: my.synced
    versions: ["16.0+"]
    logger: odoo.addons.my_addon.sync
    level: INFO
    db: job
    regex: '^synced job (?P<uuid>[0-9a-f-]+) in (?P<seconds>\\d+) s$'
    fact: synced
    confidence: proves
    fields:
      uuid: the job
      seconds: how long it took, seconds
    source: 'my_addon/models/sync.py: Sync.run'
    samples:
      - line: '{LINE}'
        fields:
          uuid: {UUID}
          seconds: '12'
    not_samples:
      - '2026-11-24 03:00:18,770 25516 INFO prod odoo.addons.my_addon.sync: synced nothing'
"""


def _write(directory: Path, text: str | bytes, name: str = "mine.yaml") -> Path:
    directory.mkdir(exist_ok=True)
    path = directory / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def _refusal(directory: Path) -> PatternError:
    with pytest.raises(PatternError) as refusal:
        load_patterns(directory)
    return refusal.value


def test_good(tmp_path: Path) -> None:
    _write(tmp_path, GOOD)
    patterns = load_patterns(tmp_path)
    assert patterns.patterns[-1].id == "my.synced"
    assert patterns.version.endswith("+user")
    assert patterns.digest != load_patterns().digest
    assert [p.id for p in load_patterns(tmp_path, builtin=False).patterns] == ["my.synced"]
    record = parse_line(LINE)
    assert record is not None
    fact = Matcher(patterns)(record)
    assert fact is not None
    assert (fact.kind, fact.uuid, fact.db, fact.fields["seconds"]) == ("synced", UUID, "prod", "12")


@pytest.mark.parametrize(
    ("old", "new", "line", "says", "hint"),
    [
        (
            "    level: INFO",
            "    levels: INFO",
            5,
            "unknown key levels in pattern my.synced",
            "did you mean level?",
        ),
        ("    level: INFO\n", "    xyzzy: 1\n    level: INFO\n", 5, "unknown key xyzzy", "keys: id"),
        ("patterns:", "extra: 1\npatterns:", 1, "unknown key extra at the top", "patterns"),
        ("    source:", "    notes:", 2, "has no source", "docs/patterns.md"),
        ("    logger: odoo.addons.my_addon.sync\n", "", 2, "has no logger", "docs/patterns.md"),
        ("    logger: odoo.addons.my_addon.sync", "    logger: []", 4, "logger is empty", ""),
        (
            "    logger: odoo.addons.my_addon.sync",
            "    logger: ''",
            4,
            "a logger cannot be ''",
            "dotted name",
        ),
        (
            "    logger: odoo.addons.my_addon.sync",
            "    logger: 'a b'",
            4,
            "a logger cannot be",
            "dotted name",
        ),
        ("    level: INFO", "    level: LOUD", 5, "a level cannot be 'LOUD'", "DEBUG, INFO"),
        ("    db: job", "    db: some", 6, "db cannot be 'some'", "none, job, any"),
        (
            "    confidence: proves",
            "    confidence: sure",
            9,
            "confidence cannot be",
            "proves, implies, hint",
        ),
        ("    fact: synced", "    fact: 'it synced'", 8, "fact cannot be", "one word"),
        ("    fact: synced", "    fact: synced\n    body: all", 9, "body cannot be 'all'", "exception"),
        ("id: my.synced", "id: My Synced", 2, "id cannot be", "small letters"),
        ('["16.0+"]', "[16.0]", 3, "a version must be a text", "in quotes"),
        ('["16.0+"]', '["16"]', 3, "a version cannot be '16'", "10.0+"),
        ('["16.0+"]', '["16.0-14.0"]', 3, "ends before it begins", "versions"),
        ('["16.0+"]', '["16.0 <=17.0.1.0"]', 3, "release 17.0.1.0 is not of series 16.0", "versions"),
        ('["16.0+"]', '["16.0+ >=16.0.1.0"]', 3, "more than one series", "versions"),
        ('["16.0+"]', '["16.0 >=16.0.2.0 <=16.0.1.0"]', 3, "ends before it begins", "versions"),
        ('["16.0+"]', "[]", 3, "versions is empty", ""),
        ('["16.0+"]', '"16.0"', 3, "versions must be a list", ""),
        ("in (?P<seconds>", "(?=in) (?P<seconds>", 7, "a lookahead is not in", "say what must match"),
        ("(?P<seconds>\\d+)", "(?P<uuid>\\d+)", 7, "two groups named uuid", "differently"),
        ("    regex: '^", "    regex: '", 0, None, None),
        (r"(?P<seconds>\d+)", r"(?P<took>\d+)", 11, "does not say what its field took is", "with its unit"),
        (
            "      uuid: the job\n",
            "      uuid: the job\n      db: its db\n",
            11,
            "describes db, which it lacks",
            "",
        ),
        ("          seconds: '12'", "          seconds: '13'", 2, "field seconds is '12', not '13'", ""),
        ("          seconds: '12'", "          seconds: 12", 18, "field seconds must be a text", "quotes"),
        ("          seconds: '12'\n", "", 2, "field seconds is '12', not None", ""),
        (
            "          seconds: '12'\n",
            "          seconds: '12'\n          n: '1'\n",
            2,
            "n is not captured",
            "",
        ),
        (" in 12 s'", " in twelve s'", 2, "a sample does not match: its message differs", ""),
        (
            "INFO prod odoo.addons.my_addon.sync: synced job",
            "INFO ? odoo.addons.my_addon.sync: synced job",
            2,
            "a sample does not match: it carries no database",
            "",
        ),
        (
            "INFO prod odoo.addons.my_addon.sync: synced job",
            "DEBUG prod odoo.addons.my_addon.sync: synced job",
            2,
            "its level is DEBUG, not INFO",
            "",
        ),
        (
            f"line: '{LINE}'",
            "line: 'synced job'",
            2,
            "a sample is no record of an Odoo log",
            "with its header",
        ),
        (f"line: '{LINE}'", "row: 'x'", 15, "unknown key row in a sample", "line and fields"),
        (
            f"      - line: '{LINE}'\n        fields:\n",
            "      - fields:\n",
            15,
            "a sample has no line",
            "line",
        ),
        ("synced nothing'", f"synced job {UUID} in 1 s'", 2, "a not_sample matches", "tighter"),
        (
            "      - '2026-11-24 03:00:18,770 25516 INFO prod odoo.addons.my_addon.sync: synced nothing'",
            "      - 'synced nothing'",
            2,
            "a not_sample is no record",
            "with its header",
        ),
        ("    level: INFO", "    level: INFO\n    level: INFO", 6, "has the key level twice", ""),
        ("    level: INFO", "    level: INFO\n   bad: 1", 6, "is not YAML", "single quotes"),
        ("    regex: '", '    regex: "', 7, "is not YAML", "single quotes"),
        ("patterns:\n", "patterns:\n  - 1\n", 2, "a pattern must be a mapping", ""),
        ("patterns:", "patterns: []\nother:", 3, None, None),
        ("    source: 'my_addon/models/sync.py: Sync.run'", "    source: ''", 13, "source is empty", ""),
        (
            "    source: 'my_addon/models/sync.py: Sync.run'",
            "    source: [a]",
            13,
            "source must be a text",
            "",
        ),
    ],
)
def test_refused(tmp_path: Path, old: str, new: str, line: int, says: str | None, hint: str | None) -> None:
    assert old in GOOD
    path = _write(tmp_path, GOOD.replace(old, new, 1))
    if says is None and old.startswith("    regex"):
        load_patterns(tmp_path)  # a regex need not be anchored
        return
    refusal = _refusal(tmp_path)
    assert refusal.file == str(path)
    if says is None or hint is None:
        return
    assert says in refusal.message
    assert refusal.line == line
    assert hint in refusal.hint
    assert str(refusal).startswith(f"{path}:{line}: ")


def test_refusal_points_at_the_place(tmp_path: Path) -> None:
    _write(tmp_path, GOOD.replace("in (?P<seconds>", "(?=in) (?P<seconds>"))
    assert str(_refusal(tmp_path)).splitlines()[1:] == [
        r"    ^synced job (?P<uuid>[0-9a-f-]+) (?=in) (?P<seconds>\d+) s$",
        "                                     ^",
        "  hint: say what must match instead; (?: and (?P<name> are the groups that there are",
    ]


def test_refusal_shows_how_far_a_sample_got(tmp_path: Path) -> None:
    _write(tmp_path, GOOD.replace(" in 12 s'", " in twelve s'"))
    refusal = _refusal(tmp_path)
    assert refusal.text[refusal.column or 0 :] == "twelve s"


def test_no_sample(tmp_path: Path) -> None:
    text = GOOD[: GOOD.index("    samples:")]
    _write(tmp_path, text)
    assert "has no samples" in _refusal(tmp_path).message
    _write(tmp_path, text + "    samples: []\n")
    assert "samples is empty" in _refusal(tmp_path).message


def test_sample_taken_by_another(tmp_path: Path) -> None:
    second = GOOD[len("patterns:\n") :].replace("my.synced", "my.other")
    _write(tmp_path, GOOD + second)
    refusal = _refusal(tmp_path)
    assert "pattern my.other: a sample is taken by my.synced" in refusal.message
    assert "tighter" in refusal.hint
    assert refusal.line == GOOD.count("\n") + 1


def test_overlay_may_not_take_a_builtin_sample(tmp_path: Path) -> None:
    """One that replaces a built-in pattern is held to the samples of its neighbours too."""
    greedy = (
        GOOD.replace("my.synced", "runner.ready_db")
        .replace("odoo.addons.my_addon.sync", "odoo.addons.queue_job.jobrunner.runner")
        .replace("db: job", "db: any")
        .replace("'^synced job (?P<uuid>[0-9a-f-]+) in (?P<seconds>\\d+) s$'", "'(?P<uuid>[0-9a-f-]{36})'")
        .replace("      seconds: how long it took, seconds\n", "")
        .replace("          seconds: '12'\n", "")
    )
    _write(tmp_path, greedy)
    load_patterns(tmp_path)  # it stands in the place of the replaced one, behind runner.asking
    greedy = greedy.replace("level: INFO", "level: [INFO, WARNING]")
    _write(tmp_path, greedy.replace("runner.ready_db", "runner.asking"))
    assert "a sample is taken by runner.asking" in _refusal(tmp_path).message


def test_duplicate_id(tmp_path: Path) -> None:
    _write(tmp_path, GOOD, "a.yaml")
    second = _write(tmp_path, GOOD, "b.yaml")
    refusal = _refusal(tmp_path)
    assert (refusal.file, refusal.line) == (str(second), 2)
    assert f"stands already in {tmp_path / 'a.yaml'}:2" in refusal.message


def test_overlay_in_the_place_of_the_builtin(tmp_path: Path) -> None:
    builtin = load_patterns()
    at = [p.id for p in builtin.patterns].index("runner.starting")
    _write(
        tmp_path / "first",
        GOOD.replace("my.synced", "runner.starting"),
    )
    _write(tmp_path / "second", GOOD.replace("fact: synced", "fact: other"))
    _write(tmp_path / "third", GOOD.replace("fact: synced", "fact: last"))
    patterns = load_patterns(tmp_path / "first").patterns
    assert len(patterns) == len(builtin.patterns)
    assert (patterns[at].id, patterns[at].kind, patterns[at].user) == ("runner.starting", "synced", True)
    later = load_patterns(tmp_path / "second", tmp_path / "third")
    assert later["my.synced"].kind == "last"
    with pytest.raises(KeyError):
        later["no.such"]


def test_not_utf8(tmp_path: Path) -> None:
    _write(tmp_path, GOOD.encode().replace(b"the job", b"the j\xffb"))
    refusal = _refusal(tmp_path)
    assert (refusal.message, refusal.line) == ("is not UTF-8", 11)


def test_empty_file_and_directory(tmp_path: Path) -> None:
    assert "holds no *.yaml file" in _refusal(tmp_path).message
    _write(tmp_path, "")
    assert "is empty" in _refusal(tmp_path).message
    _write(tmp_path, "- 1\n")
    assert "must be a mapping" in _refusal(tmp_path).message


def test_too_large(tmp_path: Path) -> None:
    _write(tmp_path, "#" * (4 * 1024 * 1024 + 1))
    assert "is larger than" in _refusal(tmp_path).message


@pytest.mark.parametrize("depth", [21, 100_000])
def test_nested_without_end(tmp_path: Path, depth: int) -> None:
    """Whether PyYAML says so by itself (from 6.0.4 on, far deeper than 20) or not."""
    _write(tmp_path, "patterns:\n  " + "[" * depth)
    refusal = _refusal(tmp_path)
    assert (refusal.message, refusal.line) == ("nests too deeply", 2)


def test_aliases_do_not_multiply(tmp_path: Path) -> None:
    """A YAML bomb is a file of the wrong shape, and refused as quickly as any."""
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
    _write(tmp_path, bomb)
    assert "unknown key a0" in _refusal(tmp_path).message


def test_missing_and_unreadable(tmp_path: Path) -> None:
    assert "No such file" in _refusal(tmp_path / "none").message
    assert "Not a directory" in _refusal(_write(tmp_path, GOOD)).message
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir" / "a.yaml").mkdir()
    refusal = _refusal(tmp_path / "dir")
    assert (refusal.file, refusal.line) == (str(tmp_path / "dir" / "a.yaml"), 0)
    assert "Is a directory" in refusal.message


def test_unreadable_file(tmp_path: Path) -> None:
    """As another user where the tests run as root, who reads everything."""
    path = _write(tmp_path / "dir", GOOD)
    path.chmod(0)
    path.parent.chmod(0o755)
    code = (
        "import os, sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from logparse.match.load import PatternError, load_patterns\n"
        "import logparse.match.read, logparse.match.verify\n"
        "os.getuid() == 0 and os.setuid(65534)\n"
        "try: load_patterns(Path('.'), builtin=False)\n"
        "except PatternError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT)],
        cwd=path.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "mine.yaml: cannot be read: Permission denied\n"


def test_catastrophic_regex(tmp_path: Path) -> None:
    """A regex that would take years is given up, counted, and matches nothing."""
    slow = (
        GOOD.replace("'^synced job (?P<uuid>[0-9a-f-]+) in (?P<seconds>\\d+) s$'", "'^(?:a|aa)+$'")
        .replace(f"{LINE}'", "2026-11-24 03:00:18,770 1 INFO prod odoo.addons.my_addon.sync: aaa'")
        .replace(
            GOOD[GOOD.index("        fields:\n") : GOOD.index("    not_samples:")], "        fields: {}\n"
        )
        .replace("    fields:\n      uuid: the job\n      seconds: how long it took, seconds\n", "")
    )
    _write(tmp_path, slow)
    matcher = Matcher(load_patterns(tmp_path))
    record = parse_line(LINE.replace(f"synced job {UUID} in 12 s", "a" * 60 + "!"))
    assert record is not None
    assert matcher(record) is None
    assert matcher.timeouts == {"my.synced": 1}
    _write(tmp_path, slow.replace(": aaa'", ": " + "a" * 60 + "!'"))
    assert "needs more than 0.05 s for a sample" in _refusal(tmp_path).message
