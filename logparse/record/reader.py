"""The record stage for whatever holds an Odoo log: what is around its lines comes off first."""

from collections import Counter

import msgspec

from logparse.record.broken import ENOUGH, LONGEST, Rejoiner, width_of
from logparse.record.change import Held, may_change
from logparse.record.closing import HEADER
from logparse.record.counted import Counted, Taken
from logparse.record.interest import Interest
from logparse.record.judge import Judge
from logparse.record.origins import Origins
from logparse.record.record import Record
from logparse.record.scan import Scanner
from logparse.record.tally import Tally
from logparse.record.unwrap import Found, Layers, find, open_layers, without_noise
from logparse.record.wrappers.wrapper import Context, Line
from logparse.source.chunk import Chunk

# A line that is longer is dropped, where lines have something around them.
_LONGEST = 1 << 20
# The blanks before a further line of a message in journalctl's output.
_INDENT = b" " * 16
_DAY, _MINUTE = 86_400_000, 60_000


class Reader:
    """`feed` it chunks in order, and it returns the records of interest, as a Scanner does.

    What is around the lines is found out from the first line that holds a record, and again where that
    changes. The lines of a plain log go to a scanner as they are. Of several origins in one file (the
    containers of `docker compose logs`) each has a scanner; their records come in the order of the file.

    server: the name of the one server whose log it is, for the records.
    """

    def __init__(
        self,
        interest: Interest,
        context: Context,
        *,
        server: str | None = None,
        max_record: int = 1 << 20,
    ) -> None:
        self.server = server
        self._in_bulk = interest.requests
        self._context = context
        self._counted = Counted()
        self._file: str | None = None
        self._plain = Scanner(interest, max_record=max_record)
        self._origins = Origins(self._plain, interest, server, max_record)
        self._layers: Layers | None = None
        self._indents = False
        self._direct = False
        self._rest = b""
        self._place = 0
        self._line = 0
        self._skipping = False
        self._width = 0  # of what was around the last line
        self._decides = False  # what the lines look like, though there are few of them
        self._rejoiner: Rejoiner | None = None
        self._held = Held()

    @property
    def seen(self) -> Counter[tuple[str, ...]]:
        """What was around the lines so far, by names, with how often a file, or a part of one, began so."""
        return self._counted.seen

    @property
    def foreign(self) -> int:
        """Lines that did not have the form of their file."""
        return self._counted.foreign + self._origins.foreign

    @property
    def tally(self) -> Tally:
        """What was read so far, of all origins."""
        return self._counted.tally([self._plain.tally, *self._origins.tallies])

    @property
    def judge(self) -> Judge:
        """That of the only origin, or of a plain log, which outlasts a file."""
        return (self._origins.only or self._plain).judge

    def taken(self) -> Taken:
        """What was counted since this was asked last; it is not counted here any more."""
        taken = Taken(self.tally, dict(self.seen), self.foreign)
        self._plain.taken()
        self._origins.taken()
        self._counted.clear()
        return taken

    def count(self, taken: Taken) -> None:
        """Count what another reader has read, of what follows."""
        self._counted.add(taken)

    def leave(self) -> None:
        """What comes next stands elsewhere: only what was learned of the log counts there."""
        self._file = None
        self._origins.leave()
        self._layers = None
        self._direct = self._indents = self._skipping = False
        self._rest = b""
        self._rejoiner = None
        self._held = Held()
        near = self._context.near if self._context.year else None
        self._context = msgspec.structs.replace(self._context, latest=None, near=near)
        self._plain.leave()
        self.normal()

    def normal(self) -> None:
        """Number anew what is numbered, and drop what does not matter any more.

        Readers that go on alike hold the same then.
        """
        self._origins.normal(self._line)
        self._line = 0
        if not self._held.lines:
            self._held.layers = ()
        if self._direct or self._file is None:
            self._place = self._width = 0

    def tally_of(self, file: str) -> Tally:  # noqa: ARG002 (of several servers' readers it tells which)
        """What was read so far of the server whose file it is: there is one."""
        return self.tally

    @property
    def pending(self) -> int:
        """Bytes that were fed and belong to records that are not reported yet."""
        if self._direct:
            return self._plain.pending
        places = [place for _, place in self._held.lines[:1]]
        if self._rejoiner is not None and self._rejoiner.open_at is not None:
            places.append(self._rejoiner.open_at)
        places += self._origins.open_at
        return self._place + len(self._rest) - min(places, default=self._place)

    @property
    def whole(self) -> bool:
        """Whether each line that is pending is a record of its own, of a kind that has no further lines."""
        if self._direct:
            return self._plain.whole
        if self._layers is None:
            return self._rest.count(b"\n") <= 1
        return self._origins.whole

    def feed(self, chunk: Chunk) -> list[Record]:
        """The records of interest that are complete now, in file order."""
        return self._dated(self._feed(chunk))

    def _feed(self, chunk: Chunk) -> list[Record]:
        records: list[Record] = []
        if chunk.file != self._file:
            if self._file is not None:
                records += self._through(Chunk(self._file, self._place, b"", True))
            self._begin(chunk)
        self._counted.bytes += len(chunk.data)
        # `count` looks at each byte singly, which takes twice as long as a copy without them.
        line_ends = len(chunk.data) - len(chunk.data.replace(b"\n", b""))
        self._counted.lines += line_ends
        if self._direct and may_change(chunk.data, self._context):
            self._direct = False
            self._origins.begin_plain(chunk.offset)
            self._layers = ()
            self._place = chunk.offset
        if self._direct:
            records += self._of_server(self._plain.feed(chunk, line_ends=line_ends))
        else:
            records += self._through(chunk)
        if chunk.last:
            self._file = None
        return records

    def quiet(self, *, long: bool = False) -> list[Record]:
        """The last records that are whole lines: to be called when nothing has come for a while (or long)."""
        return self._dated(self._quiet(long=long))

    def _dated(self, records: list[Record]) -> list[Record]:
        if records:
            self._counted.see(records[0].time, records[-1].time)
        if self._in_bulk is not None and (times := self._in_bulk.times):
            self._counted.see(times[0], max(times[-1], self._counted.last or 0))
            times.clear()
        return records

    def _quiet(self, *, long: bool) -> list[Record]:
        if self._direct:
            return self._of_server(self._plain.quiet(long=long))
        if self._layers is None and self._rest:
            self._decides = True
            records = self._through(Chunk(self._file or "", self._place, b""))
            self._decides = False
            if records or self._direct:
                return records + (self._of_server(self._plain.quiet(long=long)) if self._direct else [])
        if long:
            self._give_up_held()
            self._rejoined_rest()
        return self._told(self._origins.quiet(self._place, long=long))

    def _of_server(self, records: list[Record]) -> list[Record]:
        if self.server is None:
            return records
        return [msgspec.structs.replace(record, server=self.server) for record in records]

    def _begin(self, chunk: Chunk) -> None:
        self._file = self._origins.file = chunk.file
        self._origins.end()
        self._layers = None
        self._direct = False
        self._rest = b""
        self._place = chunk.offset
        self._skipping = False
        self._rejoiner = None
        self._held.release()
        date = self._context.dates.get(chunk.file)
        if date is not None:
            # Clocks of two machines may differ, and a file may be written on after it was looked at.
            self._context = msgspec.structs.replace(self._context, latest=date + _DAY)
            if not self._context.year:
                self._context = msgspec.structs.replace(self._context, near=None)

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
        for line in lines:
            place = self._place
            self._place += len(line) + 1
            self._line += 1
            if self._skipping:
                self._skipping = False
            elif len(line) > _LONGEST:
                self._counted.too_long += 1
            else:
                self._take(line, place)
        if len(self._rest) > _LONGEST:
            self._place += len(self._rest)
            self._rest = b""
            self._counted.too_long += not self._skipping
            self._skipping = True
        if chunk.last:
            self._give_up_held()
            self._rejoined_rest()
        return self._told(self._origins.records(self._line, self._place, last=chunk.last))

    def _look(self, data: bytes, chunk: Chunk) -> list[Record] | None:
        """Find the first record; where it is plain, all goes to the scanner: its records, else None."""
        position = 0
        while (end := data.find(b"\n", position)) >= 0 or (chunk.last and position < len(data)):
            end = end if end >= 0 else len(data)
            found = find(data[position : min(end, position + _LONGEST)], self._context)
            if found is not None:
                head = data[position:].split(b"\n", ENOUGH)[:ENOUGH]
                short = all(len(line) <= LONGEST for line in head)
                if short and len(head) < ENOUGH and not chunk.last and not self._decides:
                    break
                self._become(found)
                width = self._width_of(head, found) if short else None
                if width is not None:
                    self._rejoiner = Rejoiner(width)
                if (
                    found.layers
                    or found.form is not None
                    or width is not None
                    or not self._context.utc
                    or may_change(data, self._context)
                ):
                    self._place += position
                    self._rest = b""
                    return self._through(msgspec.structs.replace(chunk, data=data[position:]))
                self._direct = True
                whole = Chunk(chunk.file, self._place, data, chunk.last)
                self._rest = b""
                return self._of_server(self._plain.feed(whole))
            position = end + 1
        # Nothing before the first record matters.
        keep = data[position:] if not chunk.last else b""
        if len(keep) > _LONGEST:
            keep = b""
        self._place += len(data) - len(keep)
        self._rest = keep
        return []

    def _width_of(self, lines: list[bytes], found: Found) -> int | None:
        opened = [open_layers(without_noise(line), found.layers, self._context) for line in lines]
        return width_of([line.content for line in opened if line is not None])

    def _become(self, found: Found) -> None:
        self._layers = found.layers
        self._indents = any(layer.indents for layer in found.layers)
        self.seen[tuple(found.names)] += 1
        self._held.release()

    def _take(self, line: bytes, place: int) -> None:
        layers = self._layers or ()
        last = self._origins.last
        if self._indents and last is not None and line.startswith(_INDENT):
            last.go_on(line[self._width :], place)
            return
        bare = without_noise(line) if layers else line
        inner = open_layers(bare, layers, self._context)
        if inner is not None and (
            HEADER.match(without_noise(bare)) if inner.content is bare or inner.content == bare else layers
        ):
            self._give_up_held()
            self._width = len(bare) - len(inner.content)
            self._into(inner, place)
            return
        # Not so wrapped, or not plainly a record: the log may have changed to something else here.
        found = find(bare, self._context)
        if found is not None and found.layers == layers:
            found = None
        if found is not None and self._held.lines and found.layers != self._held.layers:
            self._give_up_held()
        if found is None and not self._held.lines:
            if inner is None:
                self._counted.foreign += 1
            else:
                self._into(inner, place)
            return
        changed = self._held.add(line, place, found)
        if found is not None and changed:
            held = self._held.release()
            self._origins.end()
            self._become(found)
            for old, old_place in held:
                self._take(old, old_place)
        elif changed is False:
            self._give_up_held()

    def _give_up_held(self) -> None:
        """The held lines were no change of the log: text of a message, or of somebody else."""
        for line, place in self._held.release():
            inner = open_layers(line, self._layers or (), self._context)
            if inner is None:
                self._counted.foreign += 1
            else:
                self._into(inner, place)

    def _into(self, inner: Line, place: int) -> None:
        """Give an opened line to its origin, joined with what was broken from it."""
        if self._rejoiner is None:
            self._give(inner, place)
        elif (joined := self._rejoiner.take(inner, place)) is not None:
            self._give(*joined)

    def _rejoined_rest(self) -> None:
        if self._rejoiner is not None and (joined := self._rejoiner.rest()) is not None:
            self._give(*joined)

    def _give(self, inner: Line, place: int) -> None:
        time = self._origins.give(inner, place, self._line, self._context, _LONGEST)
        self._set_near(time if time is not None else inner.time)

    def _set_near(self, time: int | None) -> None:
        if time is None:
            return
        near = time - time % _MINUTE
        if near != self._context.near:
            self._context = msgspec.structs.replace(self._context, near=near)

    def _told(self, records: list[Record]) -> list[Record]:
        if self._origins.seen:
            self.seen.update(self._origins.seen)
            self._origins.seen.clear()
        return records
