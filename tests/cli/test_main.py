"""The program as a whole: its verbs, its help, its start."""

import subprocess
import sys
from collections.abc import Callable, Iterator

import click
import pytest

from logparse import __version__
from logparse.cli import VERBS, cli

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
