"""The verb `stage`: lines in, the same lines out, with what they prove beside them."""

import os
import select
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from logparse.cli.error import CliError
from logparse.cli.options import Reading
from logparse.cli.run import open_pipe
from logparse.cli.standard import printing, typed
from logparse.lifecycle.event import Event, Output
from logparse.match.versions import major_of
from logparse.out.jsonl import encode
from logparse.out.stage import as_json, as_logfmt
from logparse.pipe import Pipe
from logparse.record.closing import HEADER
from logparse.record.interest import Interest
from logparse.record.reader import Reader
from logparse.record.unwrap import without_noise
from logparse.source.chunk import Chunk
from logparse.source.error import shown

_BLOCK = 1 << 16
# A line that is longer is written, and read, in pieces.
_LONGEST = 1 << 20
# Without a new byte: after this lines that are whole records are taken for such, and after that a traceback.
_QUIET_SECONDS, _LONG_QUIET_SECONDS = 0.2, 5.0

# Lines that are written already and not yet fed.
_MOST_HELD, _MOST_HELD_BYTES = 256, 1 << 20
# Where a literal may be hidden: escapes of a terminal and of JSON, and journald's texts as lists of numbers.
_ESCAPES = (b"\x1b", b"\x00", b"\\u", b"\\/", b":[", b": [")
_PLAIN = {()}

_FORMATS: dict[str, Callable[[bytes | None, Sequence[Event]], bytes]] = {
    "json": as_json,
    "logfmt": as_logfmt,
}


def _odoo(ctx: click.Context, param: click.Parameter, text: str | None) -> str | None:
    if text is not None and major_of(text) is None:
        raise click.BadParameter(f"{text!r} is not an Odoo version; write it like 16.0", ctx, param)
    return text


@click.command("stage")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["raw", *_FORMATS]),
    default="raw",
    show_default=True,
    help="raw: every byte unchanged. json, logfmt: each line with the events that it proves.",
)
@click.option(
    "--events", metavar="FILE", type=click.Path(path_type=Path), help="Also append the events there, as JSON."
)
@click.option("--odoo", metavar="VERSION", callback=_odoo, help="The log's Odoo version, such as 16.0.")
@click.option(
    "--patterns",
    multiple=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Lay the patterns of this directory over the built-in ones. Repeatable.",
)
def command(format_: str, events: Path | None, odoo: str | None, patterns: tuple[Path, ...]) -> None:
    """Hand lines on at once, with what they prove beside them: from standard input to standard output.

    An event stands beside the line that proves it, which may be later than the one that it is about: a
    failure is proven when its traceback has ended. What only a pause proves follows without a line.

    \b
    Examples:
      logparse stage --events jobs.jsonl < odoo.log
      tail -F odoo.log | logparse stage --format json | promtail -stdin -config.file mine.yaml
    """
    printing()
    source = typed().fileno()
    pipe = open_pipe(Reading(("-",), patterns=patterns, odoo=odoo))
    with _beside(events, source) as beside:
        Stage(pipe, _FORMATS.get(format_), beside).run(source, sys.stdout.fileno())


@contextmanager
def _beside(path: Path | None, source: int) -> Iterator[Callable[[bytes], None] | None]:
    """What appends to the file of events; None without one. source: what is read, which must not be it."""
    if path is None:
        yield None
        return
    try:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    except OSError as error:
        raise _unwritten(path, error) from error
    try:
        if os.path.samestat(os.fstat(file), os.fstat(source)):
            raise CliError(f"{shown(str(path))} is the log itself: name another file for --events")

        def append(data: bytes) -> None:
            try:
                _write(file, data)
            except OSError as error:
                raise _unwritten(path, error) from error

        yield append
    finally:
        os.close(file)


def _unwritten(path: Path, error: OSError) -> CliError:
    return CliError(f"{shown(str(path))} cannot be written: {error.strerror}")


class Stage:
    """Reads lines and hands them on. beside: also takes the events, as lines of JSON."""

    def __init__(
        self,
        pipe: Pipe,
        form: Callable[[bytes | None, Sequence[Event]], bytes] | None,
        beside: Callable[[bytes], None] | None,
    ) -> None:
        self._pipe = pipe
        self._form = form
        self._beside = beside
        self._literals = _literals(pipe.interest)
        self._offset = 0
        self._rest = b""
        self._held: list[bytes] = []  # lines that are written, and prove nothing before another one comes
        self._held_bytes = 0
        self._open = True  # what was fed is not all judged: what follows may tell
        self._plain = False  # there is nothing around the lines

    def run(self, source: int, target: int) -> None:
        """Until the input ends; OSError where the output takes no more."""
        last_byte, quiet = time.monotonic(), 0
        while True:
            idle = time.monotonic() - last_byte
            due = (_QUIET_SECONDS, _LONG_QUIET_SECONDS)[quiet] - idle if quiet < 2 else None
            ready, _, _ = select.select([source], [], [], None if due is None else max(due, 0.0))
            if not ready:
                quiet += 1
                _write(target, self.pause(long=quiet == 2))
                continue
            data = os.read(source, _BLOCK)
            if not data:
                break
            last_byte, quiet = time.monotonic(), 0
            _write(target, self.feed(data))
        _write(target, self.finish())

    def feed(self, data: bytes) -> bytes:
        """What is to be written for these bytes: every whole line, at once."""
        if self._form is None and self._beside is None:
            return data
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        while len(self._rest) > _LONGEST:
            lines.append(self._rest[:_LONGEST])
            self._rest = self._rest[_LONGEST:]
        written = b"".join([self._line(line, b"\n") for line in lines])
        return data if self._form is None else written

    def pause(self, *, long: bool) -> bytes:
        """The same when nothing has come for a while (long: for long)."""
        outputs = self._feed() if self._held else []
        reader = self._pipe.reader
        whole = isinstance(reader, Reader) and reader.whole
        return self._proven(None, [*outputs, *self._pipe.quiet(long=long or whole)])

    def finish(self) -> bytes:
        """The same for the end of the input: a line without an end, and what the end proves."""
        written = b""
        if self._rest:
            written = self._line(self._rest, b"")
            self._rest = b""
        outputs = self._feed() if self._held else []
        outputs += self._pipe.feed(Chunk("-", self._offset, b"", last=True))
        written += self._proven(None, [*outputs, *self._pipe.finish(settle=False)])
        return b"" if self._form is None else written

    def _line(self, line: bytes, end: bytes) -> bytes:
        self._held.append(line + (end or b"\n"))
        self._held_bytes += len(line) + 1
        return self._proven(line, [] if self._proves_nothing(line) else self._feed())

    def _proves_nothing(self, line: bytes) -> bool:
        """Whether the pipe need not see the line before the next one: most lines are about no job.

        While something is open, only another record tells; that a line is none is sure in a plain log, but
        for objects of JSON, to which the log may change.
        """
        if len(self._held) > _MOST_HELD or self._held_bytes > _MOST_HELD_BYTES:
            return False
        if self._open:
            return self._plain and HEADER.match(without_noise(line)) is None and not line.startswith(b"{")
        return not self._matters(line)

    def _matters(self, line: bytes) -> bool:
        return any(literal in line for literal in self._literals)

    def _feed(self) -> list[Output]:
        """What the held lines prove."""
        data = b"".join(self._held)
        last = self._held[-1]
        self._held.clear()
        self._held_bytes = 0
        pipe = self._pipe
        # A line that shows that it is whole is believed at once, so that its event stands beside it.
        outputs = [*pipe.feed(Chunk("-", self._offset, data)), *pipe.quiet()]
        self._offset += len(data)
        reader = pipe.reader
        self._open = (pending := reader.pending) > 0 and (pending > len(last) or self._matters(last))
        self._plain = isinstance(reader, Reader) and reader.seen.keys() == _PLAIN
        return outputs

    def _proven(self, line: bytes | None, outputs: list[Output]) -> bytes:
        """The line with its events; nothing where there is neither."""
        events = [output for output in outputs if isinstance(output, Event)]
        if self._beside is not None and events:
            self._beside(b"".join(map(encode, events)))
        if self._form is None or (line is None and not events):
            return b""
        return self._form(line, events)


def _literals(interest: Interest) -> tuple[bytes, ...]:
    """One of these is in every line that holds a record of interest, whatever is around it.

    What is searched for may have a blank beside it that only Odoo's own form has, and may be written with
    escapes; nothing is left out where everything is of interest.
    """
    if not interest.literals:
        return (b"",)
    return (*{literal.strip() for literal in interest.literals}, *_ESCAPES)


def _write(target: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(target, view) :]
