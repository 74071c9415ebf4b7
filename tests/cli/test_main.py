"""The program as a whole: its verbs, its help, its start."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from logparse import __version__
from logparse.cli import VERBS, cli

MOST_EXPRESSIONS = 78  # of our own, for a plain replay
Logparse = Callable[..., subprocess.CompletedProcess[str]]


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command, with the words that call it."""
    with click.Context(cli) as ctx:
        for verb in cli.list_commands(ctx):
            command = cli.get_command(ctx, verb)
            assert command is not None
            yield verb, command
            if isinstance(command, click.Group):
                yield from ((f"{verb} {name}", inner) for name, inner in command.commands.items())


@pytest.mark.parametrize(("words", "command"), list(commands()))
def test_every_verb_explains_itself_with_an_example(
    words: str, command: click.Command, logparse: Logparse
) -> None:
    ran = logparse(*words.split(), "--help")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert f"Usage: logparse {words}" in " ".join(ran.stdout.split())
    assert f"\n    logparse {words}" in ran.stdout
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


def test_the_short_help_is_how_the_long_one_begins() -> None:
    with click.Context(cli) as ctx:
        for verb, short in VERBS.items():
            command = cli.get_command(ctx, verb)
            assert command is not None
            assert command.help is not None
            assert command.help.startswith(short.removesuffix("."))


def test_help_lists_the_verbs(logparse: Logparse) -> None:
    ran = logparse("--help")
    assert (ran.returncode, ran.stderr) == (0, "")
    for verb, short in VERBS.items():
        assert f"  {verb} " in ran.stdout
        assert short in ran.stdout


@pytest.mark.parametrize("words", [(), ("patterns",)])
def test_without_a_verb_the_help_is_shown_and_the_status_is_that_of_wrong_usage(
    logparse: Logparse, words: tuple[str, ...]
) -> None:
    ran = logparse(*words)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("Usage: logparse")


def test_version(logparse: Logparse) -> None:
    ran = logparse("--version")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"logparse {__version__}\n", "")


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("import logparse", ("click", "msgspec", "logparse.pipe")),
        (
            "import logparse.cli; logparse.cli.cli.get_help(__import__('click').Context(logparse.cli.cli))",
            ("msgspec", "rich", "yaml", "dateutil", "prometheus_client", "regex"),
        ),
        ("import logparse.cli.events", ("rich", "yaml", "dateutil", "prometheus_client", "regex")),
    ],
)
def test_nothing_is_loaded_before_it_is_needed(
    environment: dict[str, str], code: str, unwanted: tuple[str, ...]
) -> None:
    show = f"import sys; before = set(sys.modules); {code}; print(*(set(sys.modules) - before))"
    ran = subprocess.run(
        [sys.executable, "-c", show], env=environment, capture_output=True, text=True, check=True
    )
    assert not set(unwanted) & set(ran.stdout.split())


_REPLAY = """
import sys, logparse.cli
try: logparse.cli.main(['replay', '--json', {log!r}])
except SystemExit: pass
"""
_SHOW = "print(*sys.modules, file=sys.stderr)"
_COUNT = """
import logparse, re, sys
made, compile_ = [], re._compiler.compile
def count(pattern, flags=0):
    frame = sys._getframe(2)
    while '/re/' in frame.f_code.co_filename or 'functools' in frame.f_code.co_filename:
        frame = frame.f_back
    if frame.f_code.co_filename.startswith(logparse.__path__[0]):
        made.append(pattern)
    return compile_(pattern, flags)
re._compiler.compile = count
"""


def _of_replay(environment: dict[str, str], code: str) -> str:
    log = Path(__file__).parents[2] / "fixtures/16.0-w2-info/odoo.log"
    ran = subprocess.run(
        [sys.executable, "-c", code.replace("{log!r}", repr(str(log)))],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.startswith("{")
    return ran.stderr


def test_a_plain_replay_loads_nothing_for_what_it_does_not_read_or_print(environment: dict[str, str]) -> None:
    loaded = set(_of_replay(environment, _REPLAY + _SHOW).split())
    unwanted = {"rich", "yaml", "dateutil", "prometheus_client", "regex", "multiprocessing", "zoneinfo"}
    unwanted |= {"bz2", "lzma", "backports.zstd", "compression.zstd", "_strptime"}
    assert not unwanted & loaded


def test_a_plain_replay_compiles_few_expressions(environment: dict[str, str]) -> None:
    """Each costs a start 0.1 to 1 ms: one that few runs need is compiled when it is needed."""
    count = _of_replay(environment, _COUNT + _REPLAY + "print(len(made), file=sys.stderr)")
    assert 20 < int(count) <= MOST_EXPRESSIONS
