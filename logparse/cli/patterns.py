"""The verb `patterns`: list, test and explain the patterns that recognise lines."""

import sys
from itertools import pairwise
from pathlib import Path

import click
import msgspec

from logparse.cli.error import USAGE, CliError
from logparse.cli.run import refused
from logparse.cli.standard import printing, typed
from logparse.match.error import PatternError
from logparse.match.explain import explain
from logparse.match.load import load_patterns
from logparse.match.pattern import PatternSet
from logparse.match.verify import verify
from logparse.match.versions import major_of
from logparse.record.clean import clean
from logparse.record.closing import NEXT_HEADER

_MOST = 1 << 20
"""Bytes of a line that is to be explained."""

_PATTERNS = click.option(
    "--patterns",
    multiple=True,
    metavar="DIR",
    type=click.Path(readable=False, path_type=Path),
    help="Lay the patterns of this directory over the built-in ones. Repeatable.",
)


@click.group("patterns", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """List, test and explain the patterns that recognise lines.

    \b
    Examples:
      logparse patterns list
      logparse patterns test ./my-patterns
      logparse patterns explain "$(tail -1 odoo.log)"
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(USAGE)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="As one JSON array, for machines.")
@_PATTERNS
def list_(as_json: bool, patterns: tuple[Path, ...]) -> None:
    """List the patterns: what each recognises, and where.

    confidence: whether a line proves the fact, implies it, or only hints at it. versions: of Odoo.

    \b
    Examples:
      logparse patterns list
      logparse patterns list --json | jq '.[].id'
    """
    printing()
    found = _loaded(patterns)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(_rows(found)), indent=2).decode())
        return
    titles = ("id", "fact", "confidence", "level", "versions", "logger")
    rows = [titles, *((str(row["id"]), *(_cell(row[title]) for title in titles[1:])) for row in _rows(found))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(titles))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@command.command("test")
@click.argument("dirs", metavar="[DIR]...", nargs=-1, type=click.Path(readable=False, path_type=Path))
def test(dirs: tuple[Path, ...]) -> None:
    """Hold the built-in patterns, and those of DIR over them, to their samples.

    Every sample must be recognised by its pattern, as one of all patterns and alone, and no not_sample by
    it. The first that breaks its promise is shown, with how far its regex got; the exit status is then 1.

    \b
    Examples:
      logparse patterns test
      logparse patterns test ./my-patterns
    """
    try:
        patterns = load_patterns(*dirs, http=True)
        verify(patterns)
    except PatternError as error:
        click.echo(_printable(str(error)), err=True)
        sys.exit(1)
    own = [pattern for pattern in patterns.patterns if pattern.user]
    if dirs:
        click.echo(f"yours: {_counted(PatternSet(tuple(own), '', ''))}")
    click.echo(f"all:   {_counted(patterns)}")
    click.echo(f"Every sample holds. Version {patterns.version}, digest {patterns.digest}.")


@command.command("explain")
@click.argument("line")
@click.option("--odoo", metavar="VERSION", help="The log's Odoo version, such as 16.0.")
@_PATTERNS
def explain_(line: str, odoo: str | None, patterns: tuple[Path, ...]) -> None:
    """Tell which pattern recognises LINE, or how far each that might got with it.

    LINE is a record of the log with its header, perhaps of several lines; - reads records from standard
    input. The exit status is 1 where there is no record in it.

    \b
    Examples:
      logparse patterns explain "$(tail -1 odoo.log)"
      grep queue_job odoo.log | tail -5 | logparse patterns explain -
    """
    printing()
    if odoo is not None and major_of(odoo) is None:
        raise click.BadParameter(f"{odoo!r} is not an Odoo version; write it like 16.0", param_hint="--odoo")
    found = _loaded(patterns)
    data = typed().read(_MOST + 1) if line == "-" else line.encode(errors="surrogateescape")
    if len(data) > _MOST:
        raise CliError(
            "that is more than 1 MiB: give one record, or a few; `logparse check` tells of a whole log"
        )
    text = clean(data, head=True).data
    cuts = [0, *(match.end() for match in NEXT_HEADER.finditer(text)), len(text)]
    records = [text[start:end].decode(errors="replace").rstrip("\n") for start, end in pairwise(cuts)]
    explanations = [explain(record, found, odoo) for record in records if record]
    if not explanations:
        what = "standard input is empty" if line == "-" else "LINE is empty"
        raise CliError(f"{what}, so there is nothing to explain: give a record of the log, with its header")
    click.echo(_printable("\n\n".join(str(explanation) for explanation in explanations)))
    if all(explanation.record is None for explanation in explanations):
        sys.exit(1)


def _loaded(dirs: tuple[Path, ...]) -> PatternSet:
    try:
        return load_patterns(*dirs, http=True)
    except PatternError as error:
        raise refused(error) from error


def _rows(patterns: PatternSet) -> list[dict[str, object]]:
    return [
        {
            "id": pattern.id,
            "fact": pattern.kind,
            "confidence": pattern.confidence,
            "level": pattern.levels,
            "versions": pattern.versions,
            "logger": pattern.loggers,
            "db": pattern.db,
            "regex": pattern.regex,
            "fields": pattern.fields,
            "body": pattern.body,
            "source": pattern.source,
            "condition": pattern.condition,
            "notes": pattern.notes,
            "file": pattern.file,
            "line": pattern.line,
        }
        for pattern in patterns.patterns
    ]


def _cell(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _counted(patterns: PatternSet) -> str:
    samples = sum(len(pattern.samples) for pattern in patterns.patterns)
    not_samples = sum(len(pattern.not_samples) for pattern in patterns.patterns)
    return f"{len(patterns.patterns)} patterns, {samples} samples, {not_samples} not_samples"


def _printable(text: str) -> str:
    """Without what could steer the terminal: the text of a log, or of a pattern file, is not ours."""
    return "".join(char if char.isprintable() or char == "\n" else "\N{MIDDLE DOT}" for char in text)
