"""Standard input and output: whether they are there, and what a terminal is not to be given."""

import re
import sys
from typing import BinaryIO, Protocol

from logparse.cli.error import CliError

_STEERS = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")


class Writable(Protocol):
    """As much of a binary file as is needed to print."""

    def write(self, data: bytes, /) -> object:
        """Write all of it."""

    def flush(self) -> None:
        """Hand on what waits."""

    def isatty(self) -> bool:
        """Whether a person reads it as it comes."""


def printing() -> None:
    """Raises CliError where nothing can be printed, since standard output is closed."""
    if sys.stdout is None:
        raise CliError("standard output is closed: there is nowhere to print to")


def typed() -> BinaryIO:
    """Standard input. Raises CliError where it is closed."""
    if sys.stdin is None:
        raise CliError("standard input is closed: there is nothing to read")
    return sys.stdin.buffer


def standard_output() -> Writable:
    """Standard output, for what programs read; on a terminal without what could steer it.

    What is escaped there stands only within strings, where JSON has the same escapes.
    """
    return _Terminal(sys.stdout.buffer) if sys.stdout.isatty() else sys.stdout.buffer


class _Terminal:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.flush = file.flush
        self.isatty = file.isatty

    def write(self, data: bytes) -> None:
        self._file.write(_STEERS.sub(lambda found: b"\\u%04x" % ord(found[0].decode()), data))
