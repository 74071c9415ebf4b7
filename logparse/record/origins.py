"""The programs, or servers, that write to one file: each line goes to its own; the records come in order."""

from collections import Counter

from logparse.record.interest import Interest
from logparse.record.origin import Origin
from logparse.record.record import Record
from logparse.record.scan import Scanner
from logparse.record.tally import Tally
from logparse.record.wrappers.wrapper import Context, Line

# So many origins in one file are told apart.
_ORIGINS = 64
# A line that comes so many lines after the one before it of its origin does not go on with a record.
_APART = 64


class Origins:
    """`give` it opened lines, and take the `records` that are complete.

    plain: the scanner of the file's own lines. server: the name of the one server whose log it is.
    file: its name now. last: whose line was the last. seen: the forms that records changed to, by names.
    """

    def __init__(self, plain: Scanner, interest: Interest, server: str | None, max_record: int) -> None:
        self.file = ""
        self.last: Origin | None = None
        self.seen: Counter[tuple[str, ...]] = Counter()
        self._plain = plain
        self._interest = interest
        self._server = server
        self._max_record = max_record
        self._all: dict[bytes, Origin] = {}
        self._ahead: list[Record] = []  # of one origin, until those before it of the others are known
        self._closed: list[Tally] = []
        self._foreign = 0

    @property
    def foreign(self) -> int:
        """Lines that are no records of their origin's form."""
        return self._foreign + sum(origin.foreign for origin in self._all.values())

    @property
    def tallies(self) -> list[Tally]:
        """What was read so far, but for the plain scanner's."""
        scanners = {
            id(one.scanner): one.scanner for one in self._all.values() if one.scanner is not self._plain
        }
        return [*self._closed, *(scanner.tally for scanner in scanners.values())]

    @property
    def open_at(self) -> list[int]:
        """Where in the file what was given and not returned yet begins, of each."""
        places = [at for origin in self._all.values() if (at := origin.open_at) is not None]
        return [*places, *(record.offset for record in self._ahead)]

    @property
    def whole(self) -> bool:
        """As a Scanner's."""
        return all(origin.scanner.whole for origin in self._all.values())

    @property
    def only(self) -> Scanner | None:
        """The scanner of the only one; None where there are none or several."""
        return next(iter(self._all.values())).scanner if len(self._all) == 1 else None

    def taken(self) -> None:
        """What was counted so far is counted elsewhere."""
        for origin in self._all.values():
            origin.scanner.taken()
            origin.foreign = 0
        self._closed = []
        self._foreign = 0

    def leave(self) -> None:
        """As a Scanner's."""
        self.end()
        self._ahead = []
        self.file = ""

    def normal(self, line: int) -> None:
        """As Origin.normal, of each."""
        for origin in self._all.values():
            origin.normal(line)

    def begin_plain(self, start: int) -> None:
        """The plain lines from the byte `start` on are one more origin: other lines begin."""
        origin = self._all[b""] = Origin(self._plain, self._server, start)
        origin.known = True

    def give(self, inner: Line, place: int, number: int, context: Context, longest: int) -> int | None:
        """An opened line, the number-th of the file, which stood at `place`; as Origin.take."""
        origin = self._all.get(inner.key)
        if origin is None:
            origin = self._new(inner.key)
        elif number - origin.line > _APART and len(self._all) > 1:
            origin.let_go()
            self._ahead += origin.records(self.file, last=False)
            self._ahead += origin.quiet(long=True)
        was_known = origin.known
        time = origin.take(inner, place, context, longest)
        if origin.known and not was_known:
            others = any(other.known for other in self._all.values() if other is not origin)
            key = inner.key.decode(errors="replace")
            if others:
                origin.server = f"{self._server}/{key}" if self._server else key
        origin.line = number
        self.last = origin
        return time

    def records(self, number: int, place: int, *, last: bool) -> list[Record]:
        """The records that are complete now. number, place: of the line that comes next."""
        for origin in self._all.values():
            self._ahead += origin.records(self.file, last=last)
            if len(self._all) > 1 and number - origin.line > _APART:
                self._ahead += origin.quiet(long=True)
            if origin.seen:
                self.seen.update(origin.seen)
                origin.seen.clear()
        return self._in_order(place)

    def quiet(self, place: int, *, long: bool) -> list[Record]:
        """The last records that are whole lines, as Reader.quiet."""
        for origin in self._all.values():
            if long:
                origin.let_go()
            self._ahead += origin.records(self.file, last=False)
            self._ahead += origin.quiet(long=long)
        return self._in_order(place)

    def end(self) -> None:
        """Another form, or another file, begins: the origins that it has are not known yet."""
        for origin in self._all.values():
            self._finish(origin)
            self._foreign += origin.foreign
            if origin.scanner is not self._plain:
                self._closed.append(origin.scanner.tally)
        self._all = {}
        self.last = None

    def _new(self, key: bytes) -> Origin:
        if len(self._all) >= _ORIGINS:
            idle = [known for known, origin in self._all.items() if not origin.known]
            # A program of which no line is Odoo's need not be known again.
            for one in idle or [min(self._all, key=lambda known: self._all[known].line)]:
                gone = self._all.pop(one)
                self._finish(gone)
                if gone.known:
                    self._closed.append(gone.scanner.tally)
        scanner = Scanner(self._interest, max_record=self._max_record)
        origin = self._all[key] = Origin(scanner, self._server)
        return origin

    def _finish(self, origin: Origin) -> None:
        origin.let_go()
        self._ahead += origin.records(self.file, last=True)

    def _in_order(self, place: int) -> list[Record]:
        """The records before which none of another origin can still come."""
        if len(self._all) < 2:
            records, self._ahead = self._ahead, []
            return records
        self._ahead.sort(key=lambda record: record.offset)
        open_at = [at for origin in self._all.values() if (at := origin.open_at) is not None]
        floor = min(open_at, default=place)
        count = sum(record.offset < floor for record in self._ahead)
        records, self._ahead = self._ahead[:count], self._ahead[count:]
        return records
