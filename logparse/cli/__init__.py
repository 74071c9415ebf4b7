"""The command line: the verbs, and how each of them ends."""

import errno
import gc
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from logparse import __version__
from logparse.cli.error import BAD_INPUT, INTERRUPTED, USAGE, CliError, say

__all__ = ["VERBS", "cli", "main"]

VERBS = {
    "backfill": "Put the history of logs into Prometheus' storage.",
    "check": "Tell what a log is and what it can show.",
    "events": "Print what happened to the jobs, as lines of JSON.",
    "export": "Print a configuration with which another tool tells of the jobs.",
    "job": "Tell one job's whole story.",
    "patterns": "List, test and explain the patterns that recognise lines.",
    "replay": "Summarise what happened to the jobs of a log.",
    "serve": "Follow logs and serve Prometheus metrics.",
    "ship": "Follow logs and push what happens to the jobs to Loki.",
    "sql": "Ask a log in SQL.",
    "stage": "Hand lines on at once, with what they prove beside them.",
}
"""The verbs with their short help, so that `--help` need not load them."""

_COLLECTED = 100_000
"""After so many more objects Python looks for cycles, by default after 700: nearly all that a log makes is in
none. It still looks, so that what a follower leaves in cycles is freed."""

_ENDED = (128 + signal.SIGTERM, 128 + signal.SIGHUP)
_INTERRUPTED = (INTERRUPTED, *_ENDED)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class _Verbs(click.Group):
    """Loads a verb's module when the verb is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(f"logparse.cli.{cmd_name}").command
        _name_variables(command, f"LOGPARSE_{cmd_name}")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if args and Path(args[0]).exists():
                raise click.UsageError(f"a verb comes first: try `logparse replay {args[0]}`", ctx) from error
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Verbs"):
            formatter.write_dl(sorted(VERBS.items()))


def _name_variables(command: click.Command, prefix: str) -> None:
    """Give every option its environment variable, by the option's own long name."""
    for option in command.params:
        if isinstance(option, click.Option) and option.envvar is None:
            option.envvar = f"{prefix}_{max(option.opts, key=len).lstrip('-')}".replace("-", "_").upper()
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            _name_variables(inner, f"{prefix}_{name}")


@click.group(
    cls=_Verbs,
    subcommand_metavar="VERB [ARGUMENTS]",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", message="logparse %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Reads Odoo's server log and tells what happened to every queue_job.

    \b
    Examples:
      logparse replay odoo.log
      logparse events --from yesterday odoo.log odoo.log.1.gz
      logparse VERB --help
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(USAGE)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0; 1 bad input or a failed check; 2 usage; 128 + N after signal N."""
    gc.set_threshold(_COLLECTED, 10, 10)
    status = _status(list(sys.argv[1:] if arguments is None else arguments))
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        status = _of_os_error(error)
    if status in _INTERRUPTED:
        _silence()
    if status in _ENDED:
        # Whoever started it sees the signal itself: systemd, for one, takes that for a good end.
        number = status - 128
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    # What is left goes with the process: to look for cycles in it takes a twelfth of a small replay.
    gc.freeze()
    sys.exit(status)


def _status(arguments: list[str]) -> int:
    from logparse.source.error import SourceError

    try:
        _end_tidily()
        return _run(arguments)
    except _Ended as error:
        say(f"ended by {signal.Signals(error.number).name}")
        return 128 + error.number
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        ctx = error.ctx if isinstance(error, click.UsageError) else None
        path = "logparse" if ctx is None else ctx.command_path
        message = error.format_message()
        say(f"{message.rstrip('.')}{'' if message.endswith('?') else ';'} `{path} --help` tells more")
        return USAGE
    except (CliError, SourceError) as error:
        say(str(error))
        return error.status
    except (KeyboardInterrupt, click.Abort):
        say("interrupted")
        return INTERRUPTED
    except OSError as error:
        return _of_os_error(error)
    except Exception as error:
        return _of_defect(error)


class _Ended(BaseException):
    """A signal ends the program; what is half-written is taken away on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _end_tidily() -> None:
    """What `kill`, a service manager or a lost terminal send is answered as Ctrl-C is.

    A signal that whoever started the program has it ignore, as `nohup` does, stays ignored.
    """
    first = os.getpid()

    def end(number: int, _: object) -> None:
        if os.getpid() != first:  # a worker: what is half-written is not its own
            os._exit(128 + number)
        signal.signal(number, signal.SIG_IGN)
        raise _Ended(number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, end)


def _run(arguments: list[str]) -> int:
    with cli.make_context("logparse", arguments) as ctx:
        cli.invoke(ctx)
    return 0


def _of_os_error(error: OSError) -> int:
    """The status for what standard output, or a file that was written, did not take."""
    if error.errno == errno.EPIPE:
        _silence()
        return 0
    from logparse.source.error import shown

    if error.errno in _FULL or error.errno == errno.EIO:
        _silence()
        where = f"{shown(str(error.filename))} " if error.filename else "what was to be printed "
        say(f"{where}cannot be written: {os.strerror(error.errno)}; what came before is there")
        return BAD_INPUT
    if isinstance(error, PermissionError) and isinstance(error.filename, str):
        say(f"{shown(error.filename)} may not be looked at by this user: run logparse as one who may")
        return BAD_INPUT
    return _of_defect(error)


def _of_defect(error: Exception) -> int:
    if os.environ.get("LOGPARSE_DEBUG"):
        traceback.print_exception(error)
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "logparse" in Path(frame.filename).parts] or frames
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"
    say(
        f"a defect in logparse {__version__} ({type(error).__name__} at {place}): please report it, "
        "with what LOGPARSE_DEBUG=1 prints before this line"
    )
    return BAD_INPUT


def _silence() -> None:
    """Let nothing more reach standard output: what is left in its buffer has nowhere to go."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.close(null)
    except OSError:
        return
