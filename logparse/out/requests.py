"""Counts HTTP requests: by route, and by model; the numbers behind the metrics `odoo_http_…`."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus
from operator import add, itemgetter

import msgspec

from logparse.match.fact import Fact
from logparse.out.label import cleaned
from logparse.out.monitored import told
from logparse.out.request_families import DURATIONS, QUERIES
from logparse.out.request_state import Measured, Model, RequestState, Route
from logparse.out.routes import METHODS, MODEL, OTHER, route, words_of
from logparse.out.selection import Selection
from logparse.out.state import moved
from logparse.record.bulk import Row
from logparse.record.parse import NO_DATABASE, milliseconds

LIMITED = ("http_db", "http_route", "http_model")
"""What is limited in number, as logparse_label_overflow_total names it."""

_PENDING = 30000  # rows that wait to be added up: in groups that is cheap
_MOST_PATHS = 50_000
_MOST_NUMBERS = 50_000
_ABSURD = 10**12
_NOT_FOUND = frozenset({"404", "405"})
_KEY = itemgetter(1, 2, 3, 4)
_QUERIES, _SQL, _OTHER = itemgetter(5), itemgetter(6), itemgetter(7)


class _Numbers(dict[bytes, int]):
    """`0.037` to 37, and `16` to 16: numbers of access lines, each worked out once. ValueError: not one."""

    def __missing__(self, text: bytes) -> int:
        if len(self) >= _MOST_NUMBERS:
            self.clear()
        _, point, decimals = text.partition(b".")
        number = round(float(text) * 1000) if point and len(decimals) != 3 else int(text.replace(b".", b""))
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


_MILLIS = _Buckets([round(bound * 1000) for bound in DURATIONS])
_COUNTS = _Buckets([round(bound) for bound in QUERIES])


class _Group:
    """Requests of one route and one status, and of one model where the path names it."""

    __slots__ = ("model", "route", "rows", "status")

    def __init__(self, route: Route, status: str, model: Model | None) -> None:
        self.route = route
        self.status = status
        self.model = model
        self.rows: list[Row] = []


class Requests:
    """Counters of the requests that were told to `add` and `add_rows`, bounded whatever clients ask for.

    selection: which are counted. spread: whether their times are kept for percentiles, too.
    max_databases; max_series: of method, route and status in one database; max_all_series; max_learned:
    templates that are made of paths; max_models: pairs of model and method in one database;
    max_all_models. What comes beyond a limit is counted under `other`.
    """

    def __init__(
        self,
        selection: Selection = Selection(),  # noqa: B008 (frozen)
        *,
        spread: bool = False,
        max_databases: int = 100,
        max_series: int = 500,
        max_all_series: int = 5000,
        max_learned: int = 150,
        max_models: int = 200,
        max_all_models: int = 2000,
    ) -> None:
        self._selection = selection
        self._max_databases = max_databases
        self._max_series = max_series
        self._max_all_series = max_all_series
        self._max_learned = max_learned
        self._max_models = max_models
        self._max_all_models = max_all_models
        self._numbers = _Numbers()
        self.spread: dict[tuple[str, str, str], Counter[int]] | None = {} if spread else None
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self._held = 0
        self._by_raw: dict[tuple[bytes, ...], list[Row]] = {}
        self._by_top: dict[tuple[bytes, ...], _Group] = {}
        self._by_words: dict[tuple[bytes, ...], _Group] = {}
        self._groups: dict[tuple[str, ...], _Group] = {}
        self._routes: dict[tuple[str, str, str], Route] = {}
        self._models: dict[tuple[str, str, str], Model] = {}
        self._monitored: dict[tuple[str, str, str], Model] = {}
        self._dbs: set[str] = set()
        self._series: dict[str, set[tuple[str, str, str]]] = {}
        self._learned: set[str] = set()
        self._overflow = dict.fromkeys(LIMITED, 0)

    def add_rows(self, rows: Sequence[Row]) -> None:
        """Count access lines that were read in bulk."""
        if not self._selection.everything:
            rows = [row for row in rows if self._wants(row)]
        enter = self._enter
        for row, group in zip(rows, map(self._by_raw.get, map(_KEY, rows)), strict=True):
            if group is None:
                enter(row)
            else:
                group.append(row)
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
        row = tuple(
            (text or "").encode(errors="replace")
            for text in (
                "",
                record.db,
                fields.get("method"),
                fields.get("path"),
                _status(fields.get("status", "")),
                fields.get("queries"),
                fields.get("sql_seconds"),
                fields.get("other_seconds"),
            )
        )
        group = self._enter(row)  # type: ignore[arg-type] # eight of them
        self._held += 1
        if "seconds" in fields:
            # The evented port tells the time alone.
            durations = [round(float(fields["seconds"]) * 1000)]
            _observe(group.route.duration, _MILLIS, durations)
            self._spread(group.route, durations)
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
        model = self._model(self._monitored, self._db(db), info.model, info.model_method)
        model.count += 1
        model.micros += info.micros

    def _enter(self, row: Row) -> _Group:
        """Put a row, of a kind that may be new, to its group."""
        key = _KEY(row)
        db, method, path, status = key
        # Most paths that are new differ from others in an id alone, or in what follows their first two words.
        top: tuple[bytes, ...] = (*path.split(b"/", 3)[1:3], db, method, status)
        group = self._by_top.get(top)
        if group is None:
            words = (words_of(path), db, method, status)
            group = self._by_words.get(words)
        if group is None:
            group, scope = self._group(*(text.decode(errors="replace") for text in key))
            if len(self._by_raw) + len(self._by_words) >= _MOST_PATHS:
                self._by_raw.clear()
                self._by_words.clear()
                self._by_top.clear()
            if scope == "top":
                self._by_top[top] = group
            elif scope == "words":
                self._by_words[words] = group
            else:
                self._by_raw[key] = group.rows
        group.rows.append(row)
        return group

    def _group(self, db: str, method: str, path: str, status: str) -> tuple[_Group, str]:
        """The group of such requests, and the scope of its route."""
        db = self._db("" if db in NO_DATABASE else db)
        method = method if method in METHODS else OTHER
        found = route(path, found=status not in _NOT_FOUND)
        name = found.template
        if found.learned and name not in self._learned:
            if len(self._learned) < self._max_learned:
                self._learned.add(name)
            else:
                self._overflow["http_route"] += 1
                name = route(path, found=False).template
        series = self._series.setdefault(db, set())
        if (method, name, status) not in series:
            most = len(series) >= self._max_series
            if most or sum(map(len, self._series.values())) >= self._max_all_series:
                self._overflow["http_route"] += 1
                method = name = status = OTHER
            series.add((method, name, status))
        model = None
        if found.model:
            model = self._model(self._models, db, found.model, found.model_method)
        key = (db, method, name, status, *((model.model, model.model_method) if model else ()))
        group = self._groups.get(key)
        if group is None:
            route_ = self._routes.get((db, method, name))
            if route_ is None:
                route_ = self._routes[db, method, name] = Route(
                    db,
                    method,
                    name,
                    Measured([0] * (len(_MILLIS.bounds) + 1)),
                    Measured([0] * (len(_MILLIS.bounds) + 1)),
                    Measured([0] * (len(_COUNTS.bounds) + 1)),
                )
            group = self._groups[key] = _Group(route_, status, model)
        return group, found.scope

    def _db(self, db: str | None) -> str:
        if not db or db in self._dbs:
            return db or ""
        label = cleaned(db)
        if label not in self._dbs:
            if len(self._dbs) >= self._max_databases:
                self._overflow["http_db"] += 1
                return OTHER
            self._dbs.add(label)
        return label

    def _model(
        self, known: dict[tuple[str, str, str], Model], db: str, model: str, model_method: str
    ) -> Model:
        """The counters of a pair that may be new; beyond a limit, or where it is none, of all others."""
        found = known.get((db, model, model_method))
        if found is None:
            if model and not (MODEL.fullmatch(model) and model_method.isidentifier()):
                model = model_method = OTHER
            of_db = sum(key[0] == db for key in known)
            if model and (of_db >= self._max_models or len(known) >= self._max_all_models):
                self._overflow["http_model"] += 1
                model = model_method = OTHER
            key = (db, cleaned(model), cleaned(model_method))
            found = known.get(key)
            if found is None:
                found = known[key] = Model(*key)
        return found

    def _add_up(self) -> None:
        """Add up what waits."""
        self._held = 0
        for group in self._groups.values():
            rows = group.rows
            if rows:
                route = group.route
                route.statuses[group.status] = route.statuses.get(group.status, 0) + len(rows)
                if group.model is not None:
                    group.model.count += len(rows)
                self._measure(group, rows)
                rows.clear()

    def _measure(self, group: _Group, rows: Sequence[Row]) -> None:
        number = self._numbers.__getitem__
        try:
            sql = list(map(number, map(_SQL, rows)))
            durations = list(map(add, sql, map(number, map(_OTHER, rows))))
            queries = list(map(number, map(_QUERIES, rows)))
        except ValueError:
            # Some have no numbers (Odoo 11 and earlier, `- - -`).
            rows = [row for row in rows if self._has_numbers(row)]
            if rows:
                self._measure(group, rows)
            return
        route = group.route
        _observe(route.sql, _MILLIS, sql)
        _observe(route.duration, _MILLIS, durations)
        _observe(route.queries, _COUNTS, queries)
        if group.model is not None:
            group.model.micros += 1000 * sum(durations)
            group.model.sql_micros += 1000 * sum(sql)
        self._spread(route, durations)

    def _has_numbers(self, row: Row) -> bool:
        try:
            return all(row[5:]) and all(self._numbers[text] >= 0 for text in row[5:])
        except ValueError:
            return False

    def _spread(self, route: Route, durations: Sequence[int]) -> None:
        if self.spread is None:
            return
        key = (route.db, route.method, route.route)
        times = self.spread.setdefault(key, Counter())
        times.update(durations)
        if len(times) > _MOST_NUMBERS:
            fewer = self.spread[key] = Counter[int]()
            for millis, count in times.items():
                fewer[_rounded(millis)] += count

    def to_state(self) -> RequestState:
        """A copy of everything counted, which later calls do not change."""
        self._add_up()
        state = RequestState(
            _MILLIS.bounds,
            _COUNTS.bounds,
            list(self._routes.values()),
            list(self._models.values()),
            list(self._monitored.values()),
            sorted(self._learned),
            self._overflow,
        )
        return msgspec.convert(msgspec.to_builtins(state), RequestState)

    def from_state(self, state: RequestState) -> None:
        """Go on from what another run had counted; what was counted here before is forgotten.

        What a changed histogram had below an old bound is put under the next new one.
        """
        self.forget()
        for route_ in state.routes:
            for one, old, new in (
                (route_.duration, state.millis, _MILLIS.bounds),
                (route_.sql, state.millis, _MILLIS.bounds),
                (route_.queries, state.queries, _COUNTS.bounds),
            ):
                if old != new:
                    one.counts = moved(one.counts, old, new)
            self._routes[route_.db, route_.method, route_.route] = route_
            self._series.setdefault(route_.db, set()).update(
                (route_.method, route_.route, status) for status in route_.statuses
            )
        for known, models in ((self._models, state.models), (self._monitored, state.monitored)):
            known.update(((one.db, one.model, one.model_method), one) for one in models)
            self._dbs.update(one.db for one in models)
        self._dbs.update(self._series)
        self._dbs -= {"", OTHER}
        self._learned = set(state.learned)
        self._overflow.update(state.overflow)


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
