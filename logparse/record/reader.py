"""The record stage for whatever holds an Odoo log: what is around its lines comes off first."""

import re
from bisect import bisect_right
from collections import Counter

import msgspec

from logparse.record.closing import HEADER
from logparse.record.interest import Interest
from logparse.record.record import Record
from logparse.record.scan import Scanner
from logparse.record.tally import Tally
from logparse.record.unwrap import Found, Layers, find, form_of, open_layers, without_noise
from logparse.record.wrappers.wrapper import SEAL, Context, Format, Line
from logparse.source.chunk import Chunk

# How many lines in a row of another form show that the log changed to it. One record a line can hardly be
# the text of a message; lines with something around them can.
_TO_FORM, _TO_LAYERS = 3, 20
# So many lines are held until that is known.
_HELD = 60
# A line that is longer is dropped, where lines have something around them.
_LONGEST = 1 << 20
# So many sources in one file are told apart.
_SOURCES = 64
_JSON_RECORD = re.compile(rb'(?:\A|\n)\{"[^\n]{0,4000}?"(?:levelname|level|severity)"')


class _Source:
    """The lines of one source in a file: its own scanner, its form, and where each line stood.

    form: of its records; None for Odoo's own lines. known: a record was found.
    """

    def __init__(self, scanner: Scanner, server: str | None, start: int = 0) -> None:
        self.scanner = scanner
        self.server = server
        self.form: Format | None = None
        self.known = False
        self.half = b""  # of a line that goes on in the next one
        self.half_at = 0
        self.forms: list[Format] = []  # that its records had so far
        self.held: list[tuple[bytes, bytes | None, int]] = []  # (as it is, as a record of a form, place)
        self.given = self.end = start  # of the text: what the scanner has, and what it has or will have
        self.text: list[bytes] = []
        self.starts: list[int] = []
        self.places: list[int] = []

    def add(self, text: bytes, place: int) -> None:
        """Whole lines of Odoo's own form, which stood at `place` of the file."""
        self.starts.append(self.end)
        self.places.append(place)
        self.text.append(text)
        self.end += len(text)

    def records(self, file: str, *, last: bool) -> list[Record]:
        """What the scanner finds in the lines that were added."""
        chunk = Chunk(file, self.given, b"".join(self.text), last)
        self.given = self.end
        self.text.clear()
        return self.placed(self.scanner.feed(chunk))

    def placed(self, records: list[Record]) -> list[Record]:
        """The records with their places in the file, and the name of their server."""
        out = []
        for record in records:
            index = bisect_right(self.starts, record.offset) - 1
            offset = self.places[index] if index >= 0 else record.offset
            out.append(msgspec.structs.replace(record, offset=offset, server=self.server))
        done = bisect_right(self.starts, self.given - self.scanner.pending) - 1
        if done > 4096:
            del self.starts[:done], self.places[:done]
        return out


class Reader:
    """`feed` it chunks in order, and it returns the records of interest, as a Scanner does.

    What is around the lines is found out from the first line that holds a record, and again where that
    changes. The lines of a plain log go to a scanner as they are.

    seen: what was around the lines so far, by names, with how often a file, or a part of one, began so.
    foreign: lines that did not have the form of their file.
    """

    def __init__(self, interest: Interest, context: Context, *, max_record: int = 1 << 20) -> None:
        self.seen: Counter[tuple[str, ...]] = Counter()
        self.foreign = 0
        self._interest = interest
        self._context = context
        self._max_record = max_record
        self._lines = self._bytes = 0
        self._file: str | None = None
        self._plain = self._scanner()
        self._closed: list[Tally] = []
        self._layers: Layers | None = None
        self._direct = False
        self._sources: dict[bytes, _Source] = {}
        self._rest = b""
        self._place = 0
        self._skipping = False
        self._held: list[tuple[bytes, int]] = []
        self._held_layers: Layers = ()
        self._held_found = 0

    @property
    def tally(self) -> Tally:
        """What was read so far, of all sources."""
        tally = Tally(lines=self._lines, bytes=self._bytes)
        scanners = [self._plain, *(source.scanner for source in self._sources.values())]
        for part in [*self._closed, *{id(scanner): scanner.tally for scanner in scanners}.values()]:
            tally.headers += part.headers
            tally.truncated += part.truncated
            tally.decode_errors += part.decode_errors
            tally.clock_skew += part.clock_skew
            tally.rejected.update(part.rejected)
            if part.first is not None:
                tally.first = part.first if tally.first is None else min(tally.first, part.first)
            if part.last is not None:
                tally.last = part.last if tally.last is None else max(tally.last, part.last)
        return tally

    @property
    def pending(self) -> int:
        """Bytes that were fed and belong to records that are not reported yet."""
        if self._direct:
            return self._plain.pending
        return len(self._rest) + sum(source.scanner.pending for source in self._sources.values())

    def feed(self, chunk: Chunk) -> list[Record]:
        """The records of interest that are complete now, in file order."""
        records: list[Record] = []
        if chunk.file != self._file:
            if self._file is not None:
                records += self._through(Chunk(self._file, self._place, b"", True))
            self._begin(chunk)
        self._bytes += len(chunk.data)
        self._lines += chunk.data.count(b"\n")
        if self._direct and self._changes(chunk.data):
            self._direct = False
            source = self._sources[b""] = _Source(self._plain, None, chunk.offset)
            source.known = True
            self._layers = ()
            self._place = chunk.offset
        if self._direct:
            records += self._plain.feed(chunk)
        else:
            records += self._through(chunk)
        if chunk.last:
            self._file = None
        return records

    def quiet(self, *, long: bool = False) -> list[Record]:
        """The last records that are whole lines: to be called when nothing has come for a while (or long)."""
        if self._direct:
            return self._plain.quiet(long=long)
        return [
            record
            for source in self._sources.values()
            for record in source.placed(source.scanner.quiet(long=long))
        ]

    def _scanner(self) -> Scanner:
        return Scanner(self._interest, max_record=self._max_record)

    def _begin(self, chunk: Chunk) -> None:
        self._file = chunk.file
        for source in self._sources.values():
            if source.scanner is not self._plain:
                self._closed.append(source.scanner.tally)
        self._sources = {}
        self._layers = None
        self._direct = False
        self._rest = b""
        self._place = chunk.offset
        self._skipping = False
        self._held = []

    def _changes(self, data: bytes) -> bool:
        """Whether a plain log may be none from here on: it has records of another form, or ends in layers."""
        if b'{"' in data and _JSON_RECORD.search(data):
            return True
        lines = data[-8192:].split(b"\n")[1:-1][-_TO_LAYERS:]
        if len(lines) < _TO_LAYERS or any(HEADER.match(without_noise(line)) for line in lines):
            return False
        return any(find(line, self._context) is not None for line in lines)

    def _through(self, chunk: Chunk) -> list[Record]:
        """Line by line."""
        data = self._rest + chunk.data if self._rest else chunk.data
        if self._layers is None:
            direct = self._look(data, chunk)
            if direct is not None:
                return direct
        lines = data.split(b"\n")
        self._rest = b"" if chunk.last else lines[-1]
        if not chunk.last or not lines[-1]:
            lines.pop()
        last_source = None
        for line in lines:
            place = self._place
            self._place += len(line) + 1
            if self._skipping:
                self._skipping = False
                continue
            last_source = self._take(line, place) or last_source
        if len(self._rest) > _LONGEST:
            self._place += len(self._rest)
            self._rest = b""
            self._skipping = True
        if chunk.last:
            self._give_up_held()
        return self._found(chunk, last_source)

    def _look(self, data: bytes, chunk: Chunk) -> list[Record] | None:
        """Find the first record; where it is plain, all goes to the scanner: its records, else None."""
        position = 0
        while (end := data.find(b"\n", position)) >= 0 or (chunk.last and position < len(data)):
            end = end if end >= 0 else len(data)
            found = find(data[position:end], self._context)
            if found is not None:
                self._become(found)
                if found.layers or found.form is not None or self._changes(data):
                    self._place += position
                    self._rest = b""
                    return self._through(msgspec.structs.replace(chunk, data=data[position:]))
                self._direct = True
                whole = Chunk(chunk.file, self._place, data, chunk.last)
                self._rest = b""
                return self._plain.feed(whole)
            position = end + 1
        # Nothing before the first record matters.
        keep = data[position:] if not chunk.last else b""
        if len(keep) > _LONGEST:
            keep = b""
        self._place += len(data) - len(keep)
        self._rest = keep
        return []

    def _become(self, found: Found) -> None:
        self._layers = found.layers
        self.seen[tuple(found.names)] += 1
        self._held = []

    def _take(self, line: bytes, place: int) -> _Source | None:
        layers = self._layers or ()
        inner = open_layers(line, layers, self._context)
        if inner is not None and (layers or HEADER.match(without_noise(line))):
            source = self._give_up_held()
            return self._into(inner, place) or source
        # Not so wrapped, or not plainly a record: the log may have changed to something else here.
        found = find(line, self._context)
        if found is not None and found.layers == layers:
            found = None
        if found is not None and self._held and found.layers != self._held_layers:
            self._give_up_held()
        if found is None and not self._held:
            if inner is None:
                self.foreign += 1
                return None
            return self._into(inner, place)
        self._held.append((line, place))
        if found is None:
            return self._give_up_held() if len(self._held) > 10 * _TO_LAYERS else None
        self._held_layers = found.layers
        self._held_found += 1
        if self._held_found < (_TO_FORM if found.form else _TO_LAYERS):
            return None
        held, self._held, self._held_found = self._held, [], 0
        self._become(found)
        source = None
        for old, old_place in held:
            source = self._take(old, old_place) or source
        return source

    def _give_up_held(self) -> _Source | None:
        """The held lines were no change of the log: text of a message, or of somebody else."""
        if not self._held:
            return None
        held, self._held, self._held_found = self._held, [], 0
        source = None
        for line, place in held:
            inner = open_layers(line, self._layers or (), self._context)
            if inner is None:
                self.foreign += 1
            else:
                source = self._into(inner, place) or source
        return source

    def _into(self, inner: Line, place: int) -> _Source | None:
        """Give an opened line to its source."""
        source = self._sources.get(inner.key)
        if source is None:
            if len(self._sources) >= _SOURCES:
                self.foreign += 1
                return None
            source = self._sources[inner.key] = _Source(self._scanner(), None)
        content = source.half + inner.content
        if source.half:
            place = source.half_at
            source.half = b""
        if inner.partial:
            source.half, source.half_at = content[:_LONGEST], place
            return None
        line = without_noise(content)
        if not source.known:
            found = find(line, self._context, inner.time, 0)
            if found is None:
                return None
            source.known = True
            source.form = found.form
            if found.form is not None:
                source.forms.append(found.form)
            named = any(other.known for other in self._sources.values() if other is not source)
            source.server = inner.key.decode(errors="replace") if named else None
        self._read(source, line, inner.time, place)
        return source

    def _read(self, source: _Source, line: bytes, time: int | None, place: int) -> None:
        form = source.form
        text = form.read(line, time, self._context) if form is not None else None
        if text is not None:
            source.add(text, place)
            return
        plain = line.replace(b"\n", b"\n" + SEAL) + b"\n"
        if form is not None:
            # Nothing in a record of one line can be another: what is a record now, is one.
            if HEADER.match(line):
                source.form = None
                source.add(plain, place)
                return
            other = form_of(line, time, self._context)
            if other is None:
                self.foreign += 1
                return
            source.form = other
            self._read(source, line, time, place)
            return
        other = None if HEADER.match(line) else form_of(line, time, self._context)
        if other is None:
            if source.held:
                source.held.append((plain, None, place))
                if len(source.held) > _HELD:
                    self._keep_held(source)
            else:
                source.add(plain, place)
            return
        source.held.append((plain, other.read(line, time, self._context), place))
        records = sum(read is not None for _, read, _ in source.held)
        if other in source.forms or records >= _TO_FORM:
            source.form = other
            if other not in source.forms:
                source.forms.append(other)
                self.seen[other.name,] += 1
            for as_is, read, held_place in source.held:
                source.add(read if read is not None else as_is, held_place)
            source.held = []

    def _keep_held(self, source: _Source) -> None:
        """They were the text of a message after all."""
        for as_is, _, place in source.held:
            source.add(as_is, place)
        source.held = []

    def _found(self, chunk: Chunk, last_source: _Source | None) -> list[Record]:
        records: list[Record] = []
        for source in self._sources.values():
            if chunk.last:
                self._keep_held(source)
            if source.text or chunk.last:
                records += source.records(chunk.file, last=chunk.last)
        if len(self._sources) > 1:
            for source in self._sources.values():
                if source is not last_source:
                    # The next line of this source may be long in coming; what it has does not wait for it.
                    records += source.placed(source.scanner.quiet())
            records.sort(key=lambda record: record.offset)
        return records
