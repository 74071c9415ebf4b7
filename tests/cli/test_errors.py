"""What can go wrong: one clear line on standard error, the exit status, and never a traceback."""

import gzip
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran, one_line, without_roots_rights

Logparse = Callable[..., Ran]
Started = Callable[..., subprocess.Popen[str]]

HEADER = "2026-11-24 02:59:20,896 17636 INFO prod odoo.modules.loading: Modules loaded. \n"


@pytest.fixture
def log(fixtures: Path) -> Path:
    return fixtures / "16.0-w2-info" / "odoo.log"


def test_missing_file(logparse: Logparse) -> None:
    ran = logparse("events", "nowhere.log")
    assert one_line(ran, 1) == "nowhere.log does not exist: check its path (Odoo's --logfile)"
    assert ran.stdout == ""


def test_one_of_several_missing_stops_before_anything_is_printed(logparse: Logparse, log: Path) -> None:
    ran = logparse("events", log, "nowhere.log")
    assert one_line(ran, 1).startswith("nowhere.log does not exist")
    assert ran.stdout == ""


def test_directory(logparse: Logparse, tmp_path: Path) -> None:
    assert one_line(logparse("events", tmp_path), 1) == f"{tmp_path} is a directory: name the log files in it"


def test_binary(logparse: Logparse, tmp_path: Path) -> None:
    path = tmp_path / "some.bin"
    path.write_bytes(bytes(range(256)) * 100)
    assert one_line(logparse("events", path), 1) == (
        f"{path} is a binary file and no log: give Odoo's log file (its --logfile)"
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("hello\n", "give the file that Odoo writes"),
        ('{"level": "INFO", "message": "hello"}\n', "it looks like JSON of another program"),
        ("nginx-1  | started\n", "a container that is not Odoo's"),
        ("2026-11-24T02:59:20.89+00:00 stdout F started\n", "a container that is not Odoo's"),
        ("Nov 24 02:59:20 host sshd[17636]: started\n", "journalctl -u odoo"),
        ("<14>Nov 24 02:59:20 host cron: started\n", "journalctl -u odoo"),
        ('10.0.0.1 - - [24/Nov/2026:02:59:20 +0000] "GET / HTTP/1.1" 200 5\n', "a web server's access log"),
        ("2026-11-24 02:59:20.896 UTC [17636] odoo@prod LOG:  hello\n", "PostgreSQL"),
    ],
)
def test_not_an_odoo_log_and_what_it_may_be(logparse: Logparse, tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "other.log"
    path.write_text(line * 5)
    sentence = one_line(logparse("events", path), 1)
    assert sentence.startswith(f"{path} is not an Odoo server log: no line of it begins like `2026-")
    assert told in sentence


def test_standard_input_that_is_no_odoo_log(logparse: Logparse) -> None:
    ran = logparse("events", "-", input="hello\n")
    assert one_line(ran, 1).startswith("standard input is not an Odoo server log")


def test_a_foreign_file_among_logs_is_told_and_the_logs_are_read(
    logparse: Logparse, tmp_path: Path, log: Path
) -> None:
    path = tmp_path / "other.log"
    path.write_text("hello\n")
    ran = logparse("events", path, log)
    assert one_line(ran, 0).startswith(f"{path} is not an Odoo server log")
    assert ran.stdout == logparse("events", log).stdout != ""


def test_empty_file_is_no_error(logparse: Logparse, tmp_path: Path) -> None:
    path = tmp_path / "odoo.log"
    path.touch()
    ran = logparse("events", path)
    assert one_line(ran, 0) == f"{path} is empty: nothing was in it"
    assert ran.stdout == ""


def test_permission_denied(logparse: Logparse, tmp_path: Path) -> None:
    path = tmp_path / "odoo.log"
    path.write_text(HEADER)
    path.chmod(0)
    ran = logparse("events", path, preexec_fn=without_roots_rights)
    assert one_line(ran, 1).startswith(f"{path} may not be read by this user: it belongs to ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("replay", "SHUT"),
        ("replay", "--html", "SHUT", "LOG"),
        ("replay", "--otlp", "SHUT", "LOG"),
        ("replay", "--parquet", "SHUT", "LOG"),
        ("replay", "--compare", "SHUT", "LOG"),
        ("events", "--output", "SHUT", "LOG"),
        ("serve", "--listen", "127.0.0.1:0", "--events", "SHUT", "LOG"),
        ("sql", "SELECT 1", "SHUT"),
        ("SHUT",),
    ],
    ids=" ".join,
)
def test_a_directory_that_may_not_be_entered(
    logparse: Logparse, log: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """As /var/log/odoo is for most users."""
    folder = tmp_path / "odoo"
    folder.mkdir(mode=0)
    try:
        words = [{"SHUT": folder / "odoo.log", "LOG": log}.get(word, word) for word in arguments]
        sentence = one_line(logparse(*words, preexec_fn=without_roots_rights), 1)
    finally:
        folder.chmod(0o700)
    assert sentence.startswith(f"{folder}/odoo.log ")
    assert "may not be " in sentence or "Permission denied" in sentence


def test_the_same_file_twice_is_read_once(logparse: Logparse, log: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.log"
    link.symlink_to(log)
    ran = logparse("events", log, link)
    assert one_line(ran, 0) == f"{link} was given also as {log}; it is read once"
    assert ran.stdout == logparse("events", log).stdout != ""


def test_a_file_that_is_cut_short_gives_what_it_holds_and_then_the_error(
    logparse: Logparse, log: Path, tmp_path: Path
) -> None:
    path = tmp_path / "odoo.log.gz"
    path.write_bytes(gzip.compress(log.read_bytes())[:-2000])
    for order in ((), ("--sort",)):
        ran = logparse("events", *order, path)
        assert "it ends in the middle of its gzip data" in one_line(ran, 1)
        assert len(ran.stdout.splitlines()) > 100


@pytest.mark.parametrize("option", ["--from", "--to"])
def test_bad_date(logparse: Logparse, log: Path, option: str) -> None:
    sentence = one_line(logparse("events", option, "soonish", log), 2)
    assert f"'{option}': 'soonish' is not a time; write it like one of: 2026-11-24 03:05" in sentence


def test_from_after_to(logparse: Logparse, log: Path) -> None:
    ran = logparse("events", "--from", "2026-11-02", "--to", "2026-11-01", log)
    assert "--from is not before --to" in one_line(ran, 2)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("events",), "Missing argument 'FILE...'"),
        (("events", "--settle", "1y", "x"), "'1y' is not a duration; write it like 3600 (seconds), 90m"),
        (("events", "--odoo", "sixteen", "x"), "'sixteen' is not an Odoo version; write it like 16.0"),
        (("events", "--max-jobs", "0", "x"), "--max-jobs"),
        (
            ("events", "--only", "finished", "x"),
            "no event is called 'finished'; there are queued, dispatched",
        ),
        (("events", "--follow", "--sort", "x"), "--sort needs the end of the log"),
        (("events", "--nope", "x"), "No such option"),
        (("serve", "--save-every", "nan", "x"), "'nan' is no number of seconds"),
        (("serve", "--save-every", "inf", "x"), "'inf' is no number of seconds"),
        (("ship", "--loki", "http://loki", "--timeout", "nan", "x"), "'nan' is no number of seconds"),
        (("evnts", "x"), "No such command 'evnts'"),
        (("serve", "--start", "middle", "x"), "beginning, end or a time: 'middle' is not a time"),
        (("patterns", "explain", "--odoo", "sixteen", "x"), "'sixteen' is not an Odoo version"),
        (("serve", "--listen", "nowhere", "x"), "'--listen': 'nowhere' is not an address and a port"),
        (("serve", "--listen", "9747", "x"), "'--listen': '9747' is not an address and a port"),
        (("serve", "--listen", ":9811", "x"), "'--listen': ':9811' is not an address and a port"),
        (("serve", "--listen", "", "x"), "'--listen': '' is not an address and a port"),
        (("serve", "--listen", "127.0.0.1:99999", "x"), "the port must be a number from 0 to 65535"),
        (("ship", "--loki", "http://loki", "--listen", "9747", "x"), "'--listen': '9747' is not an address"),
        (("ship", "--loki", "foo", "x"), "'--loki': this is no address of Loki"),
        (("ship", "--loki", "http://loki:99999", "x"), "'--loki': the address of Loki is no URL"),
        (("ship", "--loki", "http://loki", "--tenant", "\u00e4", "x"), "'--tenant': '\u00e4' is no tenant"),
        (("replay", "--group-by", "", "x"), "'--group-by': it names nothing; there are "),
        (("replay", "--group-by", ", ", "x"), "'--group-by': it names nothing; there are "),
        (
            ("replay", "--compare", "2026-11-25..2026-11-24", "x"),
            "'--compare': '2026-11-25..2026-11-24' does not begin before its end",
        ),
        (
            ("replay", "--compare", "2026-11-24 03:05", "--from", "2026-11-24 03:06", "x"),
            "--from is not before the time of --compare, so nothing comes before it",
        ),
        (
            ("replay", "--compare", "2026-11-24 03:05..", "--from", "2026-11-24 03:04", "x"),
            "--from, where the period of --compare ends, is not after its beginning",
        ),
        (
            ("replay", "--compare", "2026-11-24 03:05..", "x"),
            "the period of --compare has no end: write it like 2026-11-20..2026-11-21",
        ),
        (
            ("replay", "--compare", "2026-11-24 03:05", "--to", "2026-11-24 03:05", "x"),
            "--to is not after what --compare names, so nothing comes after it",
        ),
    ],
)
def test_wrong_usage(logparse: Logparse, arguments: tuple[str, ...], told: str) -> None:
    sentence = one_line(logparse(*arguments), 2)
    assert told in sentence
    assert "--help` tells more" in sentence


def test_a_file_where_a_verb_belongs(logparse: Logparse, log: Path) -> None:
    assert f"a verb comes first: try `logparse replay {log}`" in one_line(logparse(log), 2)


def test_bad_pattern_directory(logparse: Logparse, log: Path, tmp_path: Path) -> None:
    missing = logparse("events", "--patterns", "nowhere", log)
    assert one_line(missing, 1).startswith("nowhere: cannot be read: No such file or directory (give a dir")
    (tmp_path / "mine").mkdir()
    empty = logparse("events", "--patterns", "mine", log)
    assert one_line(empty, 1).startswith("mine: holds no *.yaml file")
    (tmp_path / "mine" / "a.yaml").write_text("patterns:\n  - id: [\n")
    broken = logparse("events", "--patterns", "mine", log)
    assert one_line(broken, 1).startswith("mine/a.yaml:3: ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--listen", "203.0.113.1:9747", "LOG"), "cannot listen on '203.0.113.1:9747'"),
        (("--state", "/dev/null/state", "LOG"), "the state directory /dev/null/state cannot be made"),
        (("/dev",), "/dev is not a plain file"),
        (("-",), "standard input cannot be followed"),
        (("--events", "-", "LOG"), "- is no plain file, which events are appended to"),
        (("--events", "/dev/stdout", "LOG"), "/dev/stdout is no plain file"),
        (("--events", "/dev/full", "LOG"), "`logparse events --follow` prints them"),
        (("--patterns", "/dev/null/mine", "LOG"), "/dev/null/mine: cannot be read"),
    ],
)
def test_what_keeps_serve_from_starting(
    logparse: Logparse, tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    ran = logparse("serve", *(tmp_path / "odoo.log" if word == "LOG" else word for word in arguments))
    assert ran.returncode == 1
    (line,) = (line for line in ran.stderr.splitlines() if line.startswith("logparse: "))
    assert told in line
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    "arguments",
    [("events", "LOG"), ("events", "--sort", "LOG"), ("patterns", "list"), ("--help",), ("events", "-h")],
)
def test_full_disk(logparse: Logparse, log: Path, arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        ran = logparse(*(log if word == "LOG" else word for word in arguments), stdout=full)
    assert one_line(ran, 1).startswith("what was to be printed cannot be written: No space left on device")


def test_full_disk_of_an_output_file(logparse: Logparse, log: Path) -> None:
    ran = logparse("events", "--output", "/dev/full", log)
    assert one_line(ran, 1).startswith("/dev/full cannot be written: No space left on device")


def test_an_output_file_that_cannot_be_made(logparse: Logparse, log: Path) -> None:
    ran = logparse("events", "--output", "no/such/place", log)
    assert one_line(ran, 1).startswith("no/such/place cannot be written: No such file or directory")


def test_the_log_is_not_overwritten(logparse: Logparse, log: Path, tmp_path: Path) -> None:
    copy = tmp_path / "odoo.log"
    shutil.copy(log, copy)
    os.link(copy, tmp_path / "same.log")
    ran = logparse("events", "--output", "same.log", copy)
    assert "same.log is one of the logs" in one_line(ran, 1)
    assert copy.read_bytes() == log.read_bytes()


def test_a_name_cannot_steer_the_terminal(logparse: Logparse) -> None:
    sentence = one_line(logparse("events", "a\x1b[2Jb\nc.log"), 1)
    assert "\x1b" not in sentence
    assert "does not exist" in sentence


def test_a_defect_is_one_line_too_and_a_traceback_only_when_asked_for(
    logparse: Logparse, tmp_path: Path
) -> None:
    """A module of the program is broken, as a defect would break it."""
    broken = tmp_path / "sitecustomize.py"
    broken.write_text(
        "import logparse.cli.run\n"
        "def open_run(reading, **_): raise ZeroDivisionError('secret of a customer')\n"
        "logparse.cli.run.open_run = open_run\n"
    )
    path = os.pathsep.join((str(tmp_path), str(Path(__file__).parent.parent.parent)))
    sentence = one_line(logparse("events", "x", env={"PYTHONPATH": path}), 1)
    assert "a defect in logparse" in sentence
    assert "ZeroDivisionError at " in sentence
    assert "secret" not in sentence
    ran = logparse("events", "x", env={"PYTHONPATH": path, "LOGPARSE_DEBUG": "1"})
    assert ran.returncode == 1
    assert "Traceback" in ran.stderr
    assert ran.stderr.splitlines()[-1].startswith("logparse: a defect")
