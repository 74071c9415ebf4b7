"""The verb `export`: other tools' configurations, made from the patterns."""

from pathlib import Path

import click

from logparse.cli.error import CliError
from logparse.cli.run import refused
from logparse.cli.standard import printing
from logparse.export.files import FORMATS, generate
from logparse.export.line import ExportError
from logparse.match.error import PatternError
from logparse.match.load import load_patterns
from logparse.match.versions import major_of


@click.command("export")
@click.argument("target", metavar="TARGET", type=click.Choice(FORMATS))
@click.option("--odoo", metavar="VERSION", help="Only the lines that this Odoo writes, such as 16.0.")
@click.option("--http", is_flag=True, help="Also count every HTTP request (not for rules and lnav).")
@click.option(
    "--patterns",
    multiple=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Lay the patterns of this directory over the built-in ones. Repeatable.",
)
def command(target: str, odoo: str | None, http: bool, patterns: tuple[Path, ...]) -> None:
    """Print a configuration with which another tool tells of the jobs.

    TARGET is promtail (a whole configuration), stages (its pipeline_stages alone), alloy (a whole
    configuration), alloy-module (its module alone, for import.file), rules (Loki's recording rules), mtail
    (a program) or lnav (a log format). All are made from the same patterns that logparse reads logs with.

    \b
    Examples:
      logparse export promtail --odoo 16.0 > promtail.yaml
      logparse export lnav > odoo_queue_job.json && lnav -i odoo_queue_job.json
    """
    printing()
    if odoo is not None and major_of(odoo) is None:
        raise click.BadParameter(f"{odoo!r} is not an Odoo version; write it like 16.0", param_hint="--odoo")
    if http and target in ("rules", "lnav"):
        raise click.UsageError(f"{target} has nothing to count requests with: leave --http out")
    try:
        text = generate(target, load_patterns(*patterns), odoo=odoo, http=http)
    except PatternError as error:
        raise refused(error) from error
    except ExportError as error:
        raise CliError(str(error)) from error
    click.echo(text, nl=False)
