"""Counts HTTP requests: by route, and by model; the numbers behind the metrics `odoo_http_…`."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus
from operator import add, itemgetter

from logparse.match.fact import Fact
from logparse.out.monitored import told
from logparse.out.request_groups import COUNTS, KEY, MILLIS, Group, Groups, Limits
from logparse.out.request_state import Measured, RequestState, Route
from logparse.out.routes import OTHER
from logparse.out.selection import Selection
from logparse.record.bulk import Row
from logparse.record.parse import milliseconds

_PENDING = 20000  # requests that wait to be added up: in large groups that is cheap
_MOST_NUMBERS = 50_000
_ABSURD = 10**12
_NUMBERS = itemgetter(4)


class _Numbers(dict[bytes, int]):
    """`0.037` to 37, and `16` to 16: numbers of access lines, each worked out once. ValueError: not one."""

    def __missing__(self, text: bytes) -> int:
        if len(self) >= _MOST_NUMBERS:
            self.clear()
        _, point, decimals = text.partition(b".")
        if point and len(decimals) != 3:
            number = round(min(float(text), _ABSURD) * 1000)
        else:
            number = int(text.replace(b".", b""))
        if not number < _ABSURD:
            raise ValueError
        self[text] = number = max(number, 0)  # clocks may differ by a millisecond
        return number


class _Buckets(dict[int, int]):
    """Which bucket a number belongs to; bounds: their upper bounds, ascending."""

    def __init__(self, bounds: list[int]) -> None:
        super().__init__()
        self.bounds = bounds

    def __missing__(self, number: int) -> int:
        bucket = bisect_left(self.bounds, number)
        if len(self) < _MOST_NUMBERS:
            self[number] = bucket
        return bucket


_MILLIS = _Buckets(MILLIS)
_COUNTS = _Buckets(COUNTS)


class Requests:
    """Counters of the requests that were told to `add` and `add_rows`, bounded whatever clients ask for.

    selection: which are counted. spread: whether their times are kept for percentiles, too.
    """

    def __init__(
        self,
        selection: Selection = Selection(),  # noqa: B008 (frozen)
        limits: Limits = Limits(),  # noqa: B008 (frozen)
        *,
        spread: bool = False,
    ) -> None:
        self._selection = selection
        self._limits = limits
        self._numbers = _Numbers()
        self.spread: dict[tuple[str, str, str], Counter[int]] | None = {} if spread else None
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self._held = 0
        self._groups = Groups(self._limits)

    def add_rows(self, rows: Sequence[Row]) -> None:
        """Count access lines that were read in bulk."""
        if not self._selection.everything:
            rows = [row for row in rows if self._wants(row)]
        groups = map(self._groups.by_raw.get, map(KEY, rows))
        for numbers, group, row in zip(map(_NUMBERS, rows), groups, rows, strict=True):
            if group is None:
                self._groups.enter(row).waiting.append(numbers)
            else:
                group.append(numbers)
        self._held += len(rows)
        if self._held > _PENDING:
            self._add_up()

    def add(self, fact: Fact) -> None:
        """Count what one record proves of a request."""
        record, fields = fact.record, fact.fields
        selection = self._selection
        if (selection.start_ms is not None and record.time < selection.start_ms) or (
            selection.end_ms is not None and record.time >= selection.end_ms
        ):
            return
        if "info" in fields:
            self._add_monitored(fields["info"], record.db)
            return
        if selection.dbs and record.db not in selection.dbs:
            return
        texts = (
            "",
            record.db or "",
            f"{fields.get('method') or ''} {fields.get('path') or ''}",
            _status(fields.get("status", "")),
            " ".join(filter(None, map(fields.get, ("queries", "sql_seconds", "other_seconds")))),
        )
        row: Row = tuple(text.encode(errors="replace") for text in texts)  # type: ignore[assignment]
        group = self._groups.enter(row)
        group.waiting.append(row[4])
        self._held += 1
        if "seconds" in fields:
            # The evented port tells the time alone.
            durations = [round(min(float(fields["seconds"]), _ABSURD) * 1000)]
            self._observe_durations(group.route, durations)
        if self._held > _PENDING:
            self._add_up()

    def _wants(self, row: Row) -> bool:
        selection = self._selection
        if selection.dbs and row[1].decode() not in selection.dbs:
            return False
        time = milliseconds(row[0].decode())
        if time is None:
            return False
        return (selection.start_ms is None or time >= selection.start_ms) and (
            selection.end_ms is None or time < selection.end_ms
        )

    def _add_monitored(self, text: str, db: str | None) -> None:
        info = told(text)
        if info is None:
            return
        db = db or info.db
        if self._selection.dbs and db not in self._selection.dbs:
            return
        groups = self._groups
        model = groups.model(groups.monitored, groups.db(db), info.model, info.model_method)
        model.count += 1
        model.micros += info.micros

    def _measure(self, waiting: Sequence[bytes]) -> Sequence[int]:
        """The three numbers of each request, one behind the other; those that have none are left out."""
        try:
            numbers = list(map(self._numbers.__getitem__, b" ".join(waiting).split()))
            if len(numbers) == 3 * len(waiting):
                return numbers
        except ValueError:
            pass
        if len(waiting) == 1 or not any(waiting):
            return ()
        return [number for one in waiting for number in self._measure((one,))]

    def _add_up(self) -> None:
        """Add up what waits."""
        self._held = 0
        for group in self._groups:
            waiting = group.waiting
            if waiting:
                route = group.route
                route.statuses[group.status] = route.statuses.get(group.status, 0) + len(waiting)
                if group.model is not None:
                    group.model.count += len(waiting)
                if numbers := self._measure(waiting):
                    queries, sql = numbers[0::3], numbers[1::3]
                    self._add_numbers(group, queries, sql, list(map(add, sql, numbers[2::3])))
                waiting.clear()

    def _add_numbers(
        self, group: Group, queries: Sequence[int], sql: Sequence[int], durations: Sequence[int]
    ) -> None:
        route = group.route
        _observe(route.queries, _COUNTS, queries)
        _observe(route.sql, _MILLIS, sql)
        self._observe_durations(route, durations)
        if group.model is not None:
            group.model.micros += 1000 * sum(durations)
            group.model.sql_micros += 1000 * sum(sql)

    def _observe_durations(self, route: Route, durations: Sequence[int]) -> None:
        if self.spread is None:
            _observe(route.duration, _MILLIS, durations)
            return
        counted = Counter(durations)
        for millis, count in counted.items():
            route.duration.counts[_MILLIS[millis]] += count
        route.duration.sum += sum(durations)
        key = (route.db, route.method, route.route)
        times = self.spread.setdefault(key, Counter())
        times.update(counted)
        if len(times) > _MOST_NUMBERS:
            fewer = self.spread[key] = Counter[int]()
            for millis, count in times.items():
                fewer[_rounded(millis)] += count

    def to_state(self) -> RequestState:
        """A copy of everything counted, which later calls do not change."""
        self._add_up()
        return self._groups.to_state()

    def from_state(self, state: RequestState) -> None:
        """Go on from what another run had counted; what was counted here before is forgotten."""
        self.forget()
        self._groups.from_state(state)


def _observe(measured: Measured, buckets: _Buckets, values: Sequence[int]) -> None:
    counts = measured.counts
    for bucket, count in Counter(map(buckets.__getitem__, values)).items():
        counts[bucket] += count
    measured.sum += sum(values)


def _rounded(millis: int) -> int:
    """To three digits, so that there are few: within 0.5 %."""
    unit = int("1" + "0" * (len(str(millis)) - 3))
    return (millis + unit // 2) // unit * unit


def _status(text: str) -> str:
    """`404`, also of what Python's enumeration of them was written as; `other` where it is none."""
    name = text.removeprefix("HTTPStatus.")
    if name in HTTPStatus.__members__:
        return str(HTTPStatus[name].value)
    return text if len(text) == 3 and text.isdigit() and text.isascii() else OTHER
