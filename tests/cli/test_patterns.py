"""The verb patterns."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from logparse.match.load import load_patterns

Ran = subprocess.CompletedProcess[str]
Logparse = Callable[..., Ran]

ASKING = (
    "2026-11-24 03:05:01,123 4711 INFO ? odoo.addons.queue_job.jobrunner.runner: asking Odoo to run job "
    "0f0f0f0f-1111-2222-3333-444444444444 on db prod "
)
MINE = """\
patterns:
  - id: mine.shipped
    versions: ["16.0"]
    logger: odoo.addons.shop.models.order
    level: INFO
    db: job
    regex: '^shipped job (?P<uuid>[0-9a-f-]{36})$'
    fact: noise
    confidence: hint
    source: shop/models/order.py, ship
    fields:
      uuid: the job
    samples:
      - line: >-
          2026-11-24 03:05:01,123 4711 INFO prod odoo.addons.shop.models.order:
          shipped job 0f0f0f0f-1111-2222-3333-444444444444
        fields:
          uuid: 0f0f0f0f-1111-2222-3333-444444444444
    not_samples:
      - '2026-11-24 03:05:01,123 4711 INFO prod odoo.addons.shop.models.order: shipped job none '
"""


def mine(folder: Path, text: str = MINE) -> Path:
    (folder / "mine").mkdir(exist_ok=True)
    (folder / "mine" / "shop.yaml").write_text(text)
    return folder / "mine"


def test_list(logparse: Logparse) -> None:
    ran = logparse("patterns", "list")
    assert (ran.returncode, ran.stderr) == (0, "")
    head, *rows = ran.stdout.splitlines()
    assert head.split() == ["id", "fact", "confidence", "level", "versions", "logger"]
    assert [row.split()[0] for row in rows] == [pattern.id for pattern in load_patterns(http=True).patterns]
    (asking,) = (row for row in rows if row.startswith("runner.asking "))
    assert asking.split()[1:4] == ["dispatched", "proves", "INFO"]


def test_list_for_machines_with_own_patterns(logparse: Logparse, tmp_path: Path) -> None:
    ran = logparse("patterns", "list", "--json", "--patterns", mine(tmp_path))
    assert ran.stderr == ""
    rows = json.loads(ran.stdout)
    assert [row["id"] for row in rows][-1] == "mine.shipped"
    assert rows[-1]["logger"] == ["odoo.addons.shop.models.order"]
    assert rows[-1]["regex"].startswith("^shipped job")


def test_list_as_the_environment_says(logparse: Logparse) -> None:
    assert json.loads(logparse("patterns", "list", env={"LOGPARSE_PATTERNS_LIST_JSON": "1"}).stdout)


def test_test(logparse: Logparse, tmp_path: Path) -> None:
    ran = logparse("patterns", "test")
    assert (ran.returncode, ran.stderr) == (0, "")
    built_in = load_patterns(http=True)
    samples = sum(len(pattern.samples) for pattern in built_in.patterns)
    assert f"{len(built_in.patterns)} patterns, {samples} samples, " in ran.stdout
    assert f"digest {built_in.digest}." in ran.stdout
    ran = logparse("patterns", "test", mine(tmp_path))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "yours: 1 patterns, 1 samples, 1 not_samples" in ran.stdout


def test_test_shows_the_place_of_a_broken_promise(logparse: Logparse, tmp_path: Path) -> None:
    folder = mine(tmp_path, MINE.replace("'^shipped job ", "'^shipped  job "))
    ran = logparse("patterns", "test", folder)
    assert (ran.returncode, ran.stdout) == (1, "")
    first, text, caret, *_ = ran.stderr.splitlines()
    assert first.startswith(f"{folder}/shop.yaml:2: pattern mine.shipped: a sample does not match")
    assert text.strip().startswith("shipped job 0f0f")
    # It stops at the second blank, which is not there.
    assert text[caret.index("^")] == "j"
    assert "Traceback" not in ran.stderr


def test_explain_a_line_that_is_recognised(logparse: Logparse) -> None:
    ran = logparse("patterns", "explain", ASKING)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == [
        "runner.asking: proves dispatched",
        "  uuid = 0f0f0f0f-1111-2222-3333-444444444444",
        "  db = prod",
    ]


def test_explain_a_line_that_is_not(logparse: Logparse) -> None:
    ran = logparse("patterns", "explain", ASKING.replace("to run job", "to start job"))
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert lines[0].startswith("None of the ")
    here = next(index for index, line in enumerate(lines) if line.startswith("runner.asking: "))
    text, caret = lines[here + 1 : here + 3]
    assert text[caret.index("^") :].startswith("start job")


def test_explain_several_records_from_standard_input(logparse: Logparse) -> None:
    other = "2026-11-24 03:05:01,200 4711 INFO prod odoo.sql_db: hello \nmore of it\n"
    ran = logparse("patterns", "explain", "-", input=f"\x1b[1m{ASKING}\x1b[0m\r\n{other}{ASKING}\n")
    assert (ran.returncode, ran.stderr) == (0, "")
    first, second, third = ran.stdout.rstrip("\n").split("\n\n")
    assert first == third
    assert first.startswith("runner.asking: proves dispatched")
    assert "odoo.sql_db" in second


def test_explain_with_own_patterns(logparse: Logparse, tmp_path: Path) -> None:
    line = ASKING.replace(" ? ", " prod ").replace(
        "odoo.addons.queue_job.jobrunner.runner", "odoo.addons.shop.models.order"
    )
    line = line.replace("asking Odoo to run job", "shipped job").removesuffix(" on db prod ")
    assert "No pattern has the logger" in logparse("patterns", "explain", line).stdout
    assert "mine.shipped" in logparse("patterns", "explain", line, "--patterns", mine(tmp_path)).stdout


def test_explain_what_is_no_record(logparse: Logparse) -> None:
    for ran in (
        logparse("patterns", "explain", "hello"),
        logparse("patterns", "explain", "-", input="hello\n"),
    ):
        assert ran.returncode == 1
        assert ran.stdout.startswith("No record of an Odoo log")
    for ran, what in (
        (logparse("patterns", "explain", "-", input=""), "standard input"),
        (logparse("patterns", "explain", ""), "LINE"),
    ):
        assert (ran.returncode, ran.stdout) == (1, "")
        assert ran.stderr == (
            f"logparse: {what} is empty, so there is nothing to explain: give a record of the log, with its "
            "header\n"
        )


def test_explain_shows_no_control_characters(logparse: Logparse) -> None:
    ran = logparse("patterns", "explain", ASKING.rstrip() + "\x07\x9b2J")
    assert not {"\x07", "\x9b"} & set(ran.stdout)
