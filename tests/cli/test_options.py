"""Options that verbs share: what they amount to, from the command line and from the environment."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from logparse.cli import VERBS, cli
from logparse.cli.options import Reading, files_argument, reading_options
from logparse.out.selection import Selection


def reading_of(arguments: list[str], env: dict[str, str] | None = None) -> Reading:
    told: list[Reading] = []

    @click.command("verb")
    @files_argument
    @reading_options
    def command(reading: Reading) -> None:
        told.append(reading)

    result = CliRunner().invoke(command, arguments, env=env, auto_envvar_prefix="LOGPARSE_VERB")
    assert result.exit_code == 0, result.output
    (reading,) = told
    return reading


def test_defaults() -> None:
    assert reading_of(["a.log", "-"]) == Reading(files=("a.log", "-"))
    assert Reading(files=()).settle == 3600
    assert Reading(files=()).settle_at_end


def test_everything_given() -> None:
    arguments = [
        *("--from", "2026-11-01", "--to", "2026-11-02T00:00:00Z", "--db", "a", "--db", "b c"),
        *("--patterns", "one", "--patterns", "two", "--odoo", "16.0", "--settle", "1h30m"),
        *("--no-settle-at-end", "--max-jobs", "10", "a.log"),
    ]
    assert reading_of(arguments) == Reading(
        files=("a.log",),
        selection=Selection(1793491200000, 1793577600000, frozenset({"a", "b c"})),
        patterns=(Path("one"), Path("two")),
        odoo="16.0",
        settle=5400,
        settle_at_end=False,
        max_jobs=10,
    )


def test_everything_from_the_environment() -> None:
    env = {
        "LOGPARSE_VERB_FROM": "2026-11-01",
        "LOGPARSE_VERB_TO": "2026-11-02",
        "LOGPARSE_VERB_DB": "a b",
        "LOGPARSE_VERB_PATTERNS": "one:two",
        "LOGPARSE_VERB_ODOO": "16.0",
        "LOGPARSE_VERB_SETTLE": "2h",
        "LOGPARSE_VERB_NO_SETTLE_AT_END": "1",
        "LOGPARSE_VERB_MAX_JOBS": "10",
    }
    assert reading_of(["a.log"], env) == Reading(
        files=("a.log",),
        selection=Selection(1793491200000, 1793577600000, frozenset({"a", "b"})),
        patterns=(Path("one"), Path("two")),
        odoo="16.0",
        settle=7200,
        settle_at_end=False,
        max_jobs=10,
    )


def test_the_command_line_goes_over_the_environment() -> None:
    assert reading_of(["--settle", "60", "a.log"], {"LOGPARSE_VERB_SETTLE": "2h"}).settle == 60


def test_every_option_of_every_verb_has_a_variable_by_its_own_name() -> None:
    variables: list[str] = []

    def collect(command: click.Command) -> None:
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert isinstance(parameter.envvar, str)
                long = max(parameter.opts, key=len).lstrip("-").replace("-", "_").upper()
                assert parameter.envvar.endswith(f"_{long}")
                variables.append(parameter.envvar)
        for inner in getattr(command, "commands", {}).values():
            collect(inner)

    with click.Context(cli) as ctx:
        for verb in VERBS:
            command = cli.get_command(ctx, verb)
            assert command is not None
            collect(command)
    assert len(set(variables)) == len(variables)
    assert {"LOGPARSE_REPLAY_JSON", "LOGPARSE_SERVE_LISTEN", "LOGPARSE_PATTERNS_LIST_JSON"} <= set(variables)


@pytest.mark.parametrize("verb", sorted(VERBS.keys() - {"export", "patterns", "stage"}))
def test_every_verb_that_reads_files_has_them(verb: str) -> None:
    with cli.make_context("logparse", [verb, "--help"], resilient_parsing=True) as ctx:
        command = cli.get_command(ctx, verb)
    assert command is not None
    names = {name for parameter in command.params for name in parameter.opts}
    assert {"--from", "--to", "--db", "--patterns", "--odoo", "--settle", "--max-jobs", "files"} <= names
