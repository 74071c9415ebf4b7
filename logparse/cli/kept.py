"""The state of the stages as plain data: every object that they hold, each once, with who refers to whom.

What is saved is all that the objects hold, so that nothing which a stage remembers can be forgotten here;
but for what options and patterns make of them (`_GIVEN`), which a later start may change. Only classes of
the rooms record and lifecycle can be in it: reading it makes objects of
no others, and calls nothing of theirs.
"""

import gc
from array import array
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from itertools import chain
from operator import attrgetter
from pkgutil import iter_modules
from types import MethodType
from typing import Any

import msgspec

from logparse.match.fact import Fact
from logparse.record.wrappers import formats, wrappers
from logparse.record.wrappers.pasted import COMMAS
from logparse.record.wrappers.wrapper import Format, Wrapper

_GIVEN: dict[str, frozenset[str]] = {
    "lifecycle.lifecycle.Lifecycle": frozenset({"_of_job", "_sides"}),
    "lifecycle.course.Course": frozenset({"settle", "due"}),
    "lifecycle.jobs.Jobs": frozenset({"limit"}),
    "record.reader.Reader": frozenset({"server", "_in_bulk"}),
    "record.origins.Origins": frozenset({"_interest", "_max_record", "_server"}),
    "record.scan.Scanner": frozenset(
        {"_literals", "_bodies", "_wanted", "_bulk", "_max_record", "_max_line"}
    ),
    "record.wrappers.wrapper.Context": frozenset({"zone", "year", "dates", "forms"}),
}
_PLAIN = frozenset({type(None), bool, int, float, str, bytes})
CONTAINERS: dict[str, type] = {
    kind.__name__: kind for kind in (list, tuple, set, frozenset, deque, dict, OrderedDict, Counter)
}
KINDS = frozenset(CONTAINERS.values())
MAPPINGS = (dict, OrderedDict, Counter)
# So many values are written in columns: that takes a tenth of the time.
_MANY = 16


# The attributes of a class, as its first object had them: all have the same. Before Python 3.13 what uses an
# object is slower once that was asked for its __dict__, and a worker's are saved after each chunk.
_names: dict[type, tuple[str, ...]] = {}


class Unkept(Exception):
    """Something that the state holds cannot be saved, or what was saved cannot be the state."""


@cache
def classes_of() -> dict[str, type]:
    found: dict[str, type] = {"match.fact.Fact": Fact}
    for room in ("logparse.record", "logparse.record.wrappers", "logparse.lifecycle"):
        for module in iter_modules(import_module(room).__path__, f"{room}."):
            for item in vars(import_module(module.name)).values():
                if isinstance(item, type) and item.__module__.startswith("logparse."):
                    found[name_of(item)] = item
    return found


def name_of(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("logparse.")


@cache
def fields_of(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(one for one in kind.__struct_fields__ if one not in given_to(kind))


def given_to(kind: type) -> frozenset[str]:
    """What options and patterns make of an object of this class: it is not saved."""
    return _GIVEN.get(name_of(kind), frozenset())


class _Within(Exception):
    """An object refers to one that is being written together with it."""


class _Writer:
    """Makes lists of objects: [number of its class, its own number, values]; of others: [what, …].

    Of many values that are alike it makes columns, a dict: `plain`, what is plain among them; `parts`, the
    others by kind: [where they stand, or None: everywhere; kind; …].
    """

    def __init__(self, forms: Sequence[Format]) -> None:
        self.classes: list[tuple[str, tuple[str, ...]]] = []
        self._forms = forms
        self._numbers: dict[int, int] = {}
        self._numbered: list[int] = []
        self._columns_of: list[tuple[int, int]] = []  # numbers of what is being written in columns
        self._of_class: dict[tuple[type, tuple[str, ...]], int] = {}
        self._names = {kind: name for name, kind in classes_of().items()}

    def data(self, value: Any) -> Any:
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind in KINDS:
            return self._container(value, kind)
        if kind is array:
            return ["array", value.typecode, value.tobytes()]
        number = self._numbers.get(id(value))
        if number is not None:
            self._check(number, number)
            return ["same", number]
        if kind is MethodType:
            return ["method", self.data(value.__self__), value.__name__]
        if kind in (Wrapper, Format):
            return self._given(value)
        number = self._number([value])
        if issubclass(kind, msgspec.Struct):
            fields = fields_of(kind)
            held = [getattr(value, one) for one in fields]
        else:
            attributes = attributes_of(value)
            fields = tuple(one for one in attributes if one not in given_to(kind))
            held = [attributes[one] for one in fields]
        return [self._form(kind, fields), number, self._each(held)]

    def _form(self, kind: type, fields: tuple[str, ...]) -> int:
        form = self._of_class.get((kind, fields))
        if form is None:
            name = self._names.get(kind)
            if name is None:
                raise Unkept(f"what is held of the kind {kind.__qualname__} cannot be saved")
            form = self._of_class[kind, fields] = len(self.classes)
            self.classes.append((name, fields))
        return form

    def _number(self, values: list[Any]) -> int:
        first = len(self._numbered)
        ids = list(map(id, values))
        self._numbered += ids
        self._numbers.update(zip(ids, range(first, first + len(ids)), strict=True))
        return first

    def _check(self, low: int, high: int) -> None:
        if any(low < end and high >= start for start, end in self._columns_of):
            raise _Within

    def _given(self, value: Any) -> list[Any]:
        if value in known_around():
            return ["known", value.name]
        if any(value is one for one in self._forms):
            return ["given", value.name]
        if isinstance(value, Wrapper) and any(one.name == value.name for one in measured_around()):
            return ["measured", value.name, value.samples[0][0]]
        raise Unkept(f"a log within {value.name} cannot be saved in the middle")

    def _container(self, value: Any, kind: type) -> list[Any]:
        if kind in MAPPINGS:
            return [kind.__name__, self._all(value), self._all(value.values())]
        if kind in (set, frozenset):
            value = sorted(value, key=repr)
        items = self._all(value)
        return [kind.__name__, items, value.maxlen] if kind is deque else [kind.__name__, items]

    def _each(self, values: Iterable[Any]) -> list[Any]:
        # Most values are plain, and a call for each takes most of the time.
        return [one if type(one) in _PLAIN else self.data(one) for one in values]

    def _all(self, values: Iterable[Any]) -> Any:
        values = list(values)
        if len(values) < _MANY:
            return self._each(values)
        kinds = set(map(type, values)) - _PLAIN
        if not kinds:
            return values
        plain = None
        if len(kinds) > 1 or len(kinds | set(map(type, values))) > 1:
            plain = [one if type(one) in _PLAIN else None for one in values]
        parts = []
        for kind in sorted(kinds, key=name_of):
            places = None if plain is None else [n for n, one in enumerate(values) if type(one) is kind]
            parts.append([places, *self._part(kind, [values[n] for n in places] if places else values)])
        return {"plain": plain, "parts": parts}

    def _part(self, kind: type, values: list[Any]) -> list[Any]:
        """Values of one kind that is not plain."""
        if kind in (list, tuple):
            return [kind.__name__, list(map(len, values)), self._all(chain.from_iterable(values))]
        if issubclass(kind, msgspec.Struct) and kind not in (Wrapper, Format):
            ids = set(map(id, values))
            known = len(ids & self._numbers.keys())
            if known == len(ids):
                numbers = [self._numbers[id(one)] for one in values]
                self._check(min(numbers), max(numbers))
                return ["same", numbers]
            if not known and len(ids) == len(values):
                begun = len(self._numbered)
                try:
                    return self._columns(kind, values)
                except _Within:
                    for one in self._numbered[begun:]:
                        del self._numbers[one]
                    del self._numbered[begun:]
        return ["each", self._each(values)]

    def _columns(self, kind: type[msgspec.Struct], values: list[Any]) -> list[Any]:
        fields = fields_of(kind)
        form = self._form(kind, fields)
        first = self._number(values)
        self._columns_of.append((first, first + len(values)))
        try:
            columns = [self._all(map(attrgetter(one), values)) for one in fields]
        finally:
            self._columns_of.pop()
        return [form, first, columns]


@cache
def known_around() -> tuple[Wrapper | Format, ...]:
    return (*wrappers(), *formats(), COMMAS)


def measured_around() -> Iterator[Wrapper]:
    return (one for one in wrappers() if one.measure is not None)


def attributes_of(value: object) -> dict[str, Any]:
    kind = type(value)
    names = _names.get(kind)
    if names is None:
        slots = [one for base in kind.__mro__ for one in getattr(base, "__slots__", ())]
        held = getattr(value, "__dict__", {})
        if not held:
            return {one: getattr(value, one) for one in slots if hasattr(value, one)}
        names = _names[kind] = (*slots, *held)
    return {one: getattr(value, one) for one in names if hasattr(value, one)}


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the collector, which would look through all that is being made, again and again."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def to_data(*objects: object, forms: Sequence[Format] = ()) -> list[Any]:
    """A list of the forms of classes, then the objects, and all that they hold, as lists and plain values.

    forms: of records, that the user gave. Raises Unkept.
    """
    writer = _Writer(forms)
    with uncollected():
        data = [writer.data(one) for one in objects]
    return [writer.classes, *data]
