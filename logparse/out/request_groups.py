"""Which of the limited label values a request belongs to: by the words of its path, each worked out once."""

from collections.abc import Iterator
from operator import itemgetter

import msgspec

from logparse.out.label import cleaned
from logparse.out.request_families import DURATIONS, QUERIES
from logparse.out.request_state import Measured, Model, RequestState, Route
from logparse.out.routes import METHODS, MODEL, OTHER, route, words_of
from logparse.out.state import moved
from logparse.record.bulk import Row
from logparse.record.parse import NO_DATABASE

LIMITED = ("http_db", "http_route", "http_model")
"""What is limited in number, as logparse_label_overflow_total names it."""

MILLIS = [round(bound * 1000) for bound in DURATIONS]
"""Upper bounds of the histograms of times, ms."""
COUNTS = [round(bound) for bound in QUERIES]
"""Those of queries."""

Waiting = list[bytes]
"""The numbers of requests that are not added up yet, as a Row has them."""

KEY = itemgetter(1, 2, 3)
"""Of a row: database, method and path, status."""

_MOST_PATHS, _LONGEST = 50_000, 300  # so many are remembered with their route, none of more bytes
_NOT_FOUND = frozenset({"404", "405"})


class Group:
    """Requests of one route and status, and of one model where the path names it. waiting: to be added up."""

    __slots__ = ("model", "route", "status", "waiting")

    def __init__(self, route: Route, status: str, model: Model | None) -> None:
        self.route = route
        self.status = status
        self.model = model
        self.waiting: Waiting = []


class Limits(msgspec.Struct, frozen=True):
    """How many label values there may be. What comes beyond is `other`.

    series: of method, route and status in one database; all_series: in all. learned: templates that are made
    of paths. models: pairs of model and method in one database; all_models: in all.
    """

    databases: int = 100
    series: int = 500
    all_series: int = 5000
    learned: int = 150
    models: int = 200
    all_models: int = 2000


class Groups:
    """Groups of requests with the same labels; `by_raw` those whose key is known, else `enter` it.

    routes, models, monitored: the counters, by label values. overflow: how often a limit was hit.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.by_raw: dict[tuple[bytes, ...], Waiting] = {}
        self._by_top: dict[tuple[bytes, ...], Group] = {}
        self._by_words: dict[tuple[bytes, ...], Group] = {}
        self._all: dict[tuple[str, ...], Group] = {}
        self.routes: dict[tuple[str, str, str], Route] = {}
        self.models: dict[tuple[str, str, str], Model] = {}
        self.monitored: dict[tuple[str, str, str], Model] = {}
        self._dbs: set[str] = set()
        self._series: dict[str, set[tuple[str, str, str]]] = {}
        self._learned: set[str] = set()
        self.overflow = dict.fromkeys(LIMITED, 0)

    def __iter__(self) -> Iterator[Group]:
        return iter(self._all.values())

    def enter(self, row: Row) -> Group:
        """The group of a row, of which the path is not known yet."""
        key = KEY(row)
        db, request, status = key
        short = len(request) <= _LONGEST
        # Most differ from others in an id alone, or in what follows their first two words.
        top: tuple[bytes, ...] = (*request.split(b"/", 3)[:3], db, status)
        group, scope = self._by_top.get(top), "top"
        words = (words_of(request), db, status) if group is None and short else ()
        if group is None:
            group, scope = self._by_words.get(words), "words"
        if group is None:
            group, scope = self._group(*(text.decode(errors="replace") for text in key))
            if len(self.by_raw) + len(self._by_words) >= _MOST_PATHS:
                self.by_raw.clear()
                self._by_words.clear()
                self._by_top.clear()
            if scope == "top" and sum(map(len, top)) <= _LONGEST:
                self._by_top[top] = group
            elif scope == "words" and short:
                self._by_words[words] = group
        if short and (not scope or len(self.by_raw) < _MOST_PATHS // 2):
            self.by_raw[key] = group.waiting
        return group

    def _group(self, db: str, request: str, status: str) -> tuple[Group, str]:
        """The group of such requests, and the scope of its route."""
        db = self.db("" if db in NO_DATABASE else db)
        method, _, path = request.partition(" ")
        method = method if method in METHODS else OTHER
        found = route(path, found=status not in _NOT_FOUND)
        name = found.template
        if found.learned and name not in self._learned:
            if len(self._learned) < self._limits.learned:
                self._learned.add(name)
            else:
                self.overflow["http_route"] += 1
                name = route(path, found=False).template
        series = self._series.setdefault(db, set())
        if (method, name, status) not in series:
            most = len(series) >= self._limits.series
            if most or sum(map(len, self._series.values())) >= self._limits.all_series:
                self.overflow["http_route"] += 1
                method = name = status = OTHER
            series.add((method, name, status))
        model = None
        if found.model:
            model = self.model(self.models, db, found.model, found.model_method)
        key = (db, method, name, status, *((model.model, model.model_method) if model else ()))
        group = self._all.get(key)
        if group is None:
            route_ = self.routes.get((db, method, name))
            if route_ is None:
                route_ = self.routes[db, method, name] = Route(
                    db,
                    method,
                    name,
                    Measured([0] * (len(MILLIS) + 1)),
                    Measured([0] * (len(MILLIS) + 1)),
                    Measured([0] * (len(COUNTS) + 1)),
                )
            group = self._all[key] = Group(route_, status, model)
        return group, found.scope

    def db(self, db: str | None) -> str:
        """The label value of a database."""
        if not db or db in self._dbs:
            return db or ""
        label = cleaned(db)
        if label not in self._dbs:
            if len(self._dbs) >= self._limits.databases:
                self.overflow["http_db"] += 1
                return OTHER
            self._dbs.add(label)
        return label

    def model(
        self, known: dict[tuple[str, str, str], Model], db: str, model: str, model_method: str
    ) -> Model:
        """The counters of a pair that may be new; beyond a limit, or where it is none, of all others."""
        found = known.get((db, model, model_method))
        if found is None:
            if model and not (MODEL.fullmatch(model) and model_method.isidentifier()):
                model = model_method = OTHER
            of_db = sum(key[0] == db for key in known)
            if model and (of_db >= self._limits.models or len(known) >= self._limits.all_models):
                self.overflow["http_model"] += 1
                model = model_method = OTHER
            key = (db, cleaned(model), cleaned(model_method))
            found = known.get(key)
            if found is None:
                found = known[key] = Model(*key)
        return found

    def to_state(self) -> RequestState:
        """A copy of everything counted, which later changes do not reach."""
        state = RequestState(
            MILLIS,
            COUNTS,
            list(self.routes.values()),
            list(self.models.values()),
            list(self.monitored.values()),
            sorted(self._learned),
            self.overflow,
        )
        return msgspec.convert(msgspec.to_builtins(state), RequestState)

    def from_state(self, state: RequestState) -> None:
        """Go on from what another run had counted; only where nothing was counted here.

        What a changed histogram had below an old bound is put under the next new one.
        """
        for route_ in state.routes:
            for one, old, new in (
                (route_.duration, state.millis, MILLIS),
                (route_.sql, state.millis, MILLIS),
                (route_.queries, state.queries, COUNTS),
            ):
                if old != new:
                    one.counts = moved(one.counts, old, new)
            self.routes[route_.db, route_.method, route_.route] = route_
            self._series.setdefault(route_.db, set()).update(
                (route_.method, route_.route, status) for status in route_.statuses
            )
        for known, models in ((self.models, state.models), (self.monitored, state.monitored)):
            known.update(((one.db, one.model, one.model_method), one) for one in models)
            self._dbs.update(one.db for one in models)
        self._dbs.update(self._series)
        self._dbs -= {"", OTHER}
        self._learned = set(state.learned)
        self.overflow.update(state.overflow)
