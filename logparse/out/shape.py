"""The shape of a log: what was around its lines, and what terminals and other systems left in them."""

import msgspec

from logparse.pipe import Pipe
from logparse.record.wrappers import formats, wrappers
from logparse.source.chunk import Chunk

_LOOKED_AT = 64 * 1024  # bytes at the beginning of each chunk


class Shape(msgspec.Struct, frozen=True):
    """around: what was around Odoo's own lines, outermost first; empty for nothing. parts: of the log, so.

    loses: what a log so kept does not show; empty for nothing.
    """

    around: list[str]
    parts: int
    loses: list[str]


class Shapes(msgspec.Struct):
    """Looks at a sample of each chunk. colours: it holds colour codes. crlf: lines that end in CR LF."""

    colours: bool = False
    crlf: bool = False

    def look(self, chunk: Chunk) -> None:
        """Look at the beginning of a chunk."""
        if self.colours and self.crlf:
            return
        sample = chunk.data[:_LOOKED_AT]
        self.colours = self.colours or b"\x1b[" in sample
        self.crlf = self.crlf or b"\r\n" in sample


def shapes_of(pipe: Pipe) -> list[Shape]:
    """The shapes that the pipe read, the most frequent first."""
    loses = {wrapper.name: wrapper.loses for wrapper in wrappers()}
    loses |= {form.name: form.loses for form in formats()}
    return [
        Shape(list(names), parts, [text for name in names if (text := loses.get(name, ""))])
        for names, parts in pipe.reader.seen.most_common()
    ]
