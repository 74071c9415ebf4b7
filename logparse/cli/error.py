"""What a command says when it cannot do what it was asked: one sentence, and an exit status."""

import sys

BAD_INPUT = 1
USAGE = 2
INTERRUPTED = 130


class CliError(Exception):
    """A command cannot go on; the message is one sentence: what, where, why, and what would help.

    status: the exit status, 1 for bad input or a failed check.
    """

    def __init__(self, message: str, status: int = BAD_INPUT) -> None:
        super().__init__(message)
        self.status = status


def say(message: str) -> None:
    """Write `logparse: message` to standard error as one line; never raises.

    A name from a file system or a text from a log cannot break the line or steer the terminal.
    """
    if sys.stderr is None:
        return
    shown = "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode()
        for char in message
    )
    try:
        sys.stderr.write(f"logparse: {shown}\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return
