"""The reference of the command line, from the click commands themselves."""

import inspect
from collections.abc import Iterator

import click

from logparse.cli import cli


def commands() -> str:
    """Every verb with its arguments, options and environment variables."""
    parts: list[str] = []
    with click.Context(cli, info_name="logparse") as ctx:
        for name in cli.list_commands(ctx):
            if (command := cli.get_command(ctx, name)) is not None:
                parts += _command(command, ["logparse", name])
    return "\n".join(parts)


def _command(command: click.Command, words: list[str]) -> Iterator[str]:
    yield f"## {' '.join(words)}\n"
    arguments = [one for one in command.params if isinstance(one, click.Argument)]
    options = [one for one in command.params if isinstance(one, click.Option)]
    if isinstance(command, click.Group):
        usage = [*words, "VERB"]
    else:
        usage = [
            *words,
            *(["[OPTIONS]"] if options else []),
            *(str(one.metavar or one.name).upper() for one in arguments),
        ]
    yield f"    {' '.join(usage)}\n"
    yield from _help(command.help or "")
    if options:
        yield "| option | environment variable | |\n|---|---|---|"
        yield from map(_option, options)
        yield ""
    if isinstance(command, click.Group):
        for name, inner in sorted(command.commands.items()):
            yield from _command(inner, [*words, name])


def _help(text: str) -> Iterator[str]:
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b\n"):
            title, *lines = paragraph.split("\n")[1:]
            yield f"{title}\n"
            yield "\n".join(f"  {line}" for line in lines) + "\n"
        else:
            yield f"{paragraph}\n"


def _option(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in sorted(option.opts, key=len, reverse=True))
    if not option.is_flag:
        names += f" {option.metavar or option.type.name.upper()}"
    text = (option.help or "").replace("|", "\\|")
    default = option.default
    if option.show_default and default is not None:
        text += f" Default: {default}."
    return f"| {names} | `{option.envvar}` | {text} |"
