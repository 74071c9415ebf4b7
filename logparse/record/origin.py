"""The lines of one of the programs, or servers, that wrote to a file."""

from bisect import bisect_right
from collections import Counter
from datetime import datetime

import msgspec

from logparse.record.closing import HEADER, NEXT_HEADER
from logparse.record.record import Record
from logparse.record.scan import Scanner
from logparse.record.unwrap import find, form_of, without_noise
from logparse.record.wrappers.wrapper import SEAL, Context, Format, Line, asctime, moment
from logparse.source.chunk import Chunk

TO_FORM = 3
"""How many lines of another form show that the records changed to it: one record a line is hardly a text."""

# Where the text of an origin goes on after what does not matter any more: not at its beginning.
_FAR = 1 << 40
# So many lines are held until that is known.
_HELD = 60


class Origin:
    """Its own scanner, the form of its records, and where each of its lines stood.

    `take` its lines, and `records` tells what they hold.

    server: the name for its records. form: None for Odoo's own lines. known: a record was found.
    line: the number of its last line. foreign: lines that are no records of its form.
    """

    def __init__(self, scanner: Scanner, server: str | None, start: int = 0) -> None:
        self.scanner = scanner
        self.server = server
        self.form: Format | None = None
        self.known = False
        self.line = 0
        self.foreign = 0
        self.seen: Counter[tuple[str, ...]] = Counter()
        self._half = b""  # of a line that goes on in the next one
        self._half_at = 0
        self._forms: list[Format] = []  # that its records had so far
        self._held: list[tuple[bytes, bytes | None, int]] = []  # (as it is, as a record of a form, place)
        self._given = self._end = start  # of the text: what the scanner has, and what it has or will have
        self._text: list[bytes] = []
        self._starts: list[int] = []
        self._places: list[int] = []

    def take(self, line: Line, place: int, context: Context, longest: int) -> int | None:
        """A line without what was around it, which stood at `place` of the file.

        Returns about when it was written, ms, where that was worked out by the context.
        """
        content = line.content
        if self._half:
            content = self._half + content
            place = self._half_at
            self._half = b""
        if line.partial:
            self._half, self._half_at = content[:longest], place
            return None
        content = without_noise(content)
        if not self.known:
            found = find(content.split(b"\n", 1)[0], context, line, 0)
            if found is None:
                return None
            self.known = True
            self.form = found.form
            if found.form is not None:
                self._forms.append(found.form)
        return self._read(content, line, place, context)

    def go_on(self, text: bytes, place: int) -> None:
        """A line of which its form tells that it goes on with the record before."""
        if self.known:
            text = without_noise(text)
            self._add((SEAL if HEADER.match(text) else b"") + text + b"\n", place)

    def records(self, file: str, *, last: bool) -> list[Record]:
        """What the scanner finds in the lines that were taken."""
        if last:
            self.let_go()
        elif not self._text:
            return []
        chunk = Chunk(file, self._given, b"".join(self._text), last)
        self._given = self._end
        self._text.clear()
        return self._placed(self.scanner.feed(chunk))

    def quiet(self, *, long: bool) -> list[Record]:
        """As a Scanner's."""
        return self._placed(self.scanner.quiet(long=long))

    def let_go(self) -> None:
        """What is held was the text of a message after all."""
        for as_is, _, place in self._held:
            self._add(as_is, place)
        self._held = []

    def normal(self, line: int) -> None:
        """Number its text and its lines (line: the reader's) anew: only what is to come matters."""
        waiting = self._end - self._given + self.scanner.pending
        index = max(0, bisect_right(self._starts, self._end - waiting) - 1)
        shift = _FAR - self._given
        self._starts = [start + shift for start in self._starts[index:]] if waiting else []
        self._places = self._places[index:] if waiting else []
        self._given += shift
        self._end += shift
        self.scanner.move(self._given)
        if not self._half:
            self._half_at = 0
        self.line -= line

    @property
    def open_at(self) -> int | None:
        """Where in the file what was taken and not reported yet begins; None where all is reported."""
        places = [self._held[0][2]] if self._held else []
        if self._half:
            places.append(self._half_at)
        waiting = self._end - self._given + self.scanner.pending
        if waiting:
            begins = self._end - waiting
            index = bisect_right(self._starts, begins) - 1
            # What a plain log had before other lines began stands where it stood.
            places.append(self._places[index] if index >= 0 else begins)
        return min(places, default=None)

    def _placed(self, records: list[Record]) -> list[Record]:
        """The records with their places in the file, and the name of their server."""
        out = []
        for record in records:
            index = bisect_right(self._starts, record.offset) - 1
            offset = self._places[index] if index >= 0 else record.offset
            out.append(msgspec.structs.replace(record, offset=offset, server=self.server))
        done = bisect_right(self._starts, self._given - self.scanner.pending) - 1
        if done > 4096:
            del self._starts[:done], self._places[:done]
        return out

    def _add(self, text: bytes, place: int) -> None:
        self._starts.append(self._end)
        self._places.append(place)
        self._text.append(text)
        self._end += len(text)

    def _read(self, line: bytes, around: Line, place: int, context: Context) -> int | None:
        form = self.form
        text = form.read(line, around, context) if form is not None else None
        if text is not None:
            self._add(text, place)
            return None
        header = HEADER.match(line) is not None
        time: int | None = None
        plain = line
        if header and around.time is None:
            time, plain = in_utc(line, context)
        plain = NEXT_HEADER.sub(b"\n" + SEAL, plain) + b"\n"
        if form is not None and not form.whole:
            self._add(plain, place)
            return time
        if form is not None:
            # Nothing in a record of one line can be another: what is a record now, is one.
            if header:
                self.form = None
                self._add(plain, place)
                return time
            other = form_of(line, around, context)
            if other is None:
                self.foreign += 1
                return None
            self.form = other
            return self._read(line, around, place, context)
        other = None if header else form_of(line, around, context)
        if other is None:
            if self._held:
                self._held.append((plain, None, place))
                if len(self._held) > _HELD:
                    self.let_go()
            else:
                self._add(plain, place)
            return time
        self._held.append((plain, other.read(line, around, context), place))
        records = sum(read is not None for _, read, _ in self._held)
        if other in self._forms or records >= TO_FORM:
            self.form = other
            if other not in self._forms:
                self._forms.append(other)
                self.seen[other.name,] += 1
            for as_is, read, held_place in self._held:
                self._add(read if read is not None else as_is, held_place)
            self._held = []
        return None


def in_utc(line: bytes, context: Context) -> tuple[int | None, bytes]:
    """The time of a record in Odoo's own form, ms, and the record with it in UTC.

    (None, the line) where Odoo wrote UTC anyway, as it does on all systems but Windows, or no true time.
    """
    if context.utc:
        return None, line
    try:
        when = datetime.fromisoformat(line[:23].decode())
    except ValueError:
        return None, line
    time = moment(when, context)
    return (None, line) if time is None else (time, asctime(time).encode() + line[23:])
