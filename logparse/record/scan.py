"""Finds the records of interest in chunks of a log, and passes over all other bytes unread."""

import re
from collections.abc import Iterable, Sequence

from logparse.record.bulk import Bulk
from logparse.record.charset import decoded
from logparse.record.clean import Text, clean
from logparse.record.closing import HEADER, NEXT_HEADER
from logparse.record.interest import Interest
from logparse.record.interleaved import RUNNER, inner_start, rest_of
from logparse.record.judge import Judge
from logparse.record.parse import parse_header
from logparse.record.record import Record
from logparse.record.tally import Tally
from logparse.source.chunk import Chunk

# Records of these levels carry no traceback.
_WITHOUT_BODY = re.compile(rb"\S+ \S+ (?:\d+|-) (?:DEBUG|INFO) ")
# Loggers of which Odoo's formatter adds the numbers of the request to each message.
_PERF_LOGGERS = ("werkzeug", "longpolling")
# The mark of lines that cannot be records (logparse.record.wrappers.wrapper).
_SEAL = "\x01"


class Scanner:
    """The record stage for one log: `feed` it chunks in order, and it returns the records of interest.

    A record is reported once the header of the next one is there, or the file is at its end, so that the
    result does not depend on how the bytes were cut into chunks. One scanner reads one stream: several
    files in a row, each ended by a chunk with `last`.

    interest: which records matter (logparse.match.interest).
    max_record: bytes of a record that are read; the rest of a longer one is dropped and counted.
    max_line: bytes of a first line that are read.
    tally: where to count.
    """

    def __init__(
        self,
        interest: Interest,
        *,
        max_record: int = 1 << 20,
        max_line: int = 1 << 16,
        tally: Tally | None = None,
    ) -> None:
        self.tally = tally if tally is not None else Tally()
        self._literals = interest.literals
        self._bodies = interest.bodies
        self._wanted = interest.literals
        self._bulk: Bulk | None = None
        if interest.literals and interest.requests is not None:
            self._wanted += interest.requests.literals
            self._bulk = Bulk(interest.requests, interest.literals, max_line)
        self._max_record = max_record
        self._max_line = max_line
        self._judge = Judge()
        self._file: str | None = None
        self._last_file: str | None = None
        self._buffer = b""  # raw bytes that are not reported yet, from the start of a line
        self._offset = 0  # of the buffer's first byte in the file
        self._dropping = False  # the buffer goes on with a record that was too long
        self._midline = False  # and begins inside a line

    def feed(self, chunk: Chunk, *, line_ends: int | None = None) -> list[Record]:
        """The records of interest that are complete now, in file order; line_ends: of the chunk, if known."""
        records: list[Record] = []
        if chunk.file != self._file:
            if self._buffer:
                records += self._report(final=True)
            self._begin(chunk)
        tally = self.tally
        tally.bytes += len(chunk.data)
        tally.lines += chunk.data.count(b"\n") if line_ends is None else line_ends
        data = chunk.data
        if chunk.last:
            self._buffer += data
            if self._buffer and not self._buffer.endswith(b"\n"):
                tally.lines += 1
            records += self._report(final=True)
            self._file = None
        else:
            # Half a line waits for its other half; the whole ones are copied only once.
            end = data.rfind(b"\n") + 1
            if end < len(data) or self._buffer:
                self._buffer = b"".join((self._buffer, memoryview(data)[:end]))
            else:
                self._buffer = data
            records += self._report(final=False)
            if end < len(data):
                self._buffer += data[end:]
                if len(self._buffer) > self._max_record:
                    records += self._report(final=False)
        tally.clock_skew = self._judge.clock.steps_back
        return records

    def quiet(self, *, long: bool = False) -> list[Record]:
        """The last record, if it is one whole line: to be called when nothing has come for a while.

        A record whose continuation lines are wanted stays open: they may still come. So does one whose
        time is doubtful. long: nothing has come for so long that nothing belongs to it any more, since a
        record is one write; then whole lines are what they would be at the end of the file.
        """
        buffer = self._buffer
        if self._dropping or not buffer.endswith(b"\n"):
            return []
        if long:
            return self._report(final=True)
        if buffer.count(b"\n") != 1:
            return []
        if not _WITHOUT_BODY.match(buffer) and any(logger.encode() in buffer for logger in self._bodies):
            return []
        text = clean(buffer, head=self._offset == 0)
        if not self._hits(text.data, 0, len(text.data), self._wanted):
            return []
        records, done = self._records(text, len(text.data), final=False)
        if done == len(text.data):
            self._drop(len(buffer))
        return records

    @property
    def judge(self) -> Judge:
        """What tells records from what looks like one."""
        return self._judge

    def taken(self) -> Tally:
        """What was counted since this was asked last."""
        tally, self.tally = self.tally, Tally()
        self._judge.clock.steps_back = 0
        return tally

    def leave(self) -> None:
        """What comes next stands elsewhere: nothing is open there, and its time is its own."""
        self._buffer = b""
        self._offset = 0
        self._file = self._last_file = None
        self._dropping = self._midline = False
        self._judge.new_file()

    def move(self, given: int) -> None:
        """From here on, offsets count the bytes that were fed as if there had been `given`."""
        self._offset = given - len(self._buffer)

    @property
    def pending(self) -> int:
        """Bytes that were fed and belong to a record that is not reported yet."""
        return len(self._buffer)

    @property
    def whole(self) -> bool:
        """Whether each line that is pending is a record of its own, of a kind that has no further lines."""
        lines = self._buffer.splitlines()
        if not all(HEADER.match(line) for line in lines) or not lines:
            return False
        last = lines[-1]
        return bool(_WITHOUT_BODY.match(last)) or not any(one.encode() in last for one in self._bodies)

    def _begin(self, chunk: Chunk) -> None:
        self._file = chunk.file
        self._buffer = b""
        self._offset = chunk.offset
        self._dropping = self._midline = False
        # A log that is rotated while it is followed goes on under its name.
        self._judge.new_file(goes_on=chunk.file == self._last_file)
        self._last_file = chunk.file

    def _report(self, *, final: bool) -> list[Record]:
        """Report what is complete in the buffer, and drop it."""
        if self._dropping and not self._resume(final):
            return []
        buffer = self._buffer
        end = len(buffer) if final else buffer.rfind(b"\n") + 1
        text = clean(buffer if end == len(buffer) else buffer[:end], head=self._offset == 0)
        data = text.data
        stop = len(data) if final else _last_header(data)
        records: list[Record] = []
        if stop < 0:
            self._judge.passed(data)
            self._drop(end)
        else:
            if HEADER.match(data) or NEXT_HEADER.search(data):
                self.tally.headers += 1
            if stop:  # nothing stands before the last header: what it begins is open
                records, done = self._records(text, stop, final=final)
                self._drop(end if done >= len(data) else text.raw(done))
        if len(self._buffer) > self._max_record:
            records += self._overlong()
        return records

    def _resume(self, final: bool) -> bool:
        """Drop what is left of an overlong record; whether the buffer begins with the next one's header."""
        buffer = self._buffer
        start = 0
        if self._midline:
            start = buffer.find(b"\n") + 1
            if start == 0:
                self._drop(len(buffer))
                return False
        if not HEADER.match(buffer, start):
            found = NEXT_HEADER.search(buffer, max(0, start - 1))
            if found is None:
                # The last line may be the half of a header.
                keep = len(buffer) if final else max(start, buffer.rfind(b"\n") + 1)
                self._midline = len(buffer) - keep > 256
                self._drop(len(buffer) if self._midline else keep)
                return False
            start = found.end()
        self._dropping = self._midline = False
        self._drop(start)
        return True

    def _overlong(self) -> list[Record]:
        """Report the record at the start of the buffer, which is over the limit, and drop what follows."""
        head = self._offset == 0
        text = clean(self._buffer, head=head)
        if len(text.data) <= self._max_record and len(self._buffer) <= 8 * self._max_record:
            return []
        line_end = self._buffer.rfind(b"\n") + 1
        whole = clean(self._buffer[:line_end], head=head)
        stop = _last_header(whole.data)
        if stop > 0:
            # Several records: the first waits for those that follow to confirm its time, and must no longer.
            records, done = self._records(whole, stop, final=True)
            self._drop(whole.raw(done))
            return records + self._overlong()
        cut = text.until(self._max_record + 1)
        records, _ = self._records(cut, len(cut.data), final=False, single=True)
        self._judge.skipped()
        self._dropping = True
        self._midline = len(self._buffer) - line_end > 256
        self._drop(len(self._buffer) if self._midline else line_end)
        return records

    def _drop(self, count: int) -> None:
        self._buffer = self._buffer[count:]
        self._offset += count

    def _hits(self, data: bytes, start: int, stop: int, literals: Sequence[bytes]) -> list[tuple[int, int]]:
        """Starts and ends of the lines that start in data[start:stop] and hold a literal, in order.

        Of all lines without literals.
        """
        if not literals:
            return _lines(data, start, stop)
        ends: dict[int, int] = {}
        size, max_line = len(data), self._max_line
        find, rfind = data.find, data.rfind
        for literal in literals:
            end = start
            while (position := find(literal, end, stop)) >= 0:
                first = rfind(b"\n", 0, position) + 1
                end = find(b"\n", position)
                if end < 0:
                    end = size
                if position - first < max_line:
                    ends[first] = end
        return sorted(ends.items())

    def _records(
        self, text: Text, stop: int, *, final: bool, single: bool = False
    ) -> tuple[list[Record], int]:
        """The records that start before `stop`, and up to where the text is done with.

        final: nothing follows. single: the text is one record, cut at the limit.
        """
        data = text.data
        tally = self.tally
        max_line = self._max_line
        file = self._file or ""
        judge = self._judge
        judge.begin(data)
        judged = judge.judge
        bodies = self._bodies
        base, plain = self._offset, text.plain
        records: list[Record] = []
        append = records.append
        perf_loggers = _PERF_LOGGERS
        first = newest = None
        hits: Iterable[tuple[int, int]]
        if self._bulk is None or single:
            hits = self._hits(data, 0, stop, self._wanted)
        else:
            hits = self._bulk.candidates(data, stop, judge, self._hits)
        for start, end in hits:
            # 44 is a comma: in a continuation line no time stands here.
            if end - start < 20 or data[start + 19] != 44:
                continue
            raw_line = data[start : end if end - start <= max_line else start + max_line]
            broken = False
            try:
                line = raw_line.decode()
            except UnicodeDecodeError:
                line = decoded(raw_line)
                broken = True
            header = parse_header(line)
            if header is None:
                continue
            time, pid, level, db, logger, message, request = header
            cut = inner_start(raw_line) if RUNNER in logger else -1
            reason = judged(start, end, time, logger in perf_loggers, final or single, not single)
            if reason is None:
                stop = start
                break
            if broken:
                tally.decode_errors += 1
            if reason:
                tally.rejected[reason] += 1
                continue
            if end - start > max_line:
                tally.truncated += 1
            body = ""
            if logger in bodies and not HEADER.match(data, end + 1):
                following = NEXT_HEADER.search(data, end)
                last = following.start() if following else len(data)
                judge.goes_on(start, end, last + 1)
                if last - start > self._max_record:
                    last = start + self._max_record
                    tally.truncated += 1
                body = decoded(data[end + 1 : last]).replace(_SEAL, "")
            if first is None:
                first = time
            newest = time
            offset = base + (start if plain else text.raw(start))
            if cut < 0:
                append(Record(time, pid, level, db, logger, message, body, file, offset, request))
                continue
            # Two records in one line.
            outer = raw_line[:cut].decode(errors="replace") + rest_of(data, end + 1)
            for part, place in ((outer, start), (raw_line[cut:].decode(errors="replace"), start + cut)):
                if (header := parse_header(part)) is not None:
                    time, pid, level, db, logger, message, request = header
                    offset = base + (place if plain else text.raw(place))
                    append(Record(time, pid, level, db, logger, message, "", file, offset, request))
        judge.end(stop)
        if newest is not None:
            tally.first = first if tally.first is None else tally.first
            tally.last = newest
        return records, stop


def _lines(data: bytes, start: int, stop: int) -> list[tuple[int, int]]:
    lines = []
    while start < stop:
        end = data.find(b"\n", start)
        if end < 0:
            end = len(data)
        lines.append((start, end))
        start = end + 1
    return lines


def _last_header(data: bytes) -> int:
    """Start of the last header-like line of `data`, which ends with a line end; -1 without one."""
    start = len(data)
    while start > 0:
        start = data.rfind(b"\n", 0, start - 1) + 1
        if HEADER.match(data, start):
            return start
    return -1
