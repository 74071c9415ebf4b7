"""The state of the stages as plain data: every object that they hold, each once, with who refers to whom.

What is saved is all that the objects hold, so that nothing which a stage remembers can be forgotten here;
but for what options and patterns make of them (`_GIVEN`), which a later start may change. Only classes of
the rooms record and lifecycle can be in it: reading it makes objects of
no others, and calls nothing of theirs.
"""

import gc
from array import array
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import FunctionType, MethodType
from typing import Any

import msgspec

from logparse.match.fact import Fact
from logparse.record.wrappers import formats, wrappers
from logparse.record.wrappers.pasted import COMMAS
from logparse.record.wrappers.wrapper import Format, Wrapper

_GIVEN: dict[str, frozenset[str]] = {
    "lifecycle.lifecycle.Lifecycle": frozenset({"_of_job", "_sides"}),
    "lifecycle.course.Course": frozenset({"settle"}),
    "lifecycle.jobs.Jobs": frozenset({"limit"}),
    "record.reader.Reader": frozenset({"server"}),
    "record.origins.Origins": frozenset({"_interest", "_max_record", "_server"}),
    "record.scan.Scanner": frozenset({"_literals", "_bodies", "_max_record", "_max_line"}),
    "record.wrappers.wrapper.Context": frozenset({"zone", "year", "dates", "forms"}),
}
_PLAIN = frozenset({type(None), bool, int, float, str, bytes})
_CONTAINERS: dict[str, type] = {
    kind.__name__: kind for kind in (list, tuple, set, frozenset, deque, dict, OrderedDict, Counter)
}
_KINDS = frozenset(_CONTAINERS.values())
_MAPPINGS = (dict, OrderedDict, Counter)


class Unkept(Exception):
    """Something that the state holds cannot be saved, or what was saved cannot be the state."""


@cache
def _classes() -> dict[str, type]:
    found: dict[str, type] = {"match.fact.Fact": Fact}
    for room in ("logparse.record", "logparse.record.wrappers", "logparse.lifecycle"):
        for module in iter_modules(import_module(room).__path__, f"{room}."):
            for item in vars(import_module(module.name)).values():
                if isinstance(item, type) and item.__module__.startswith("logparse."):
                    found[_name(item)] = item
    return found


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("logparse.")


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    given = _GIVEN.get(_name(kind), frozenset())
    return tuple(one for one in kind.__struct_fields__ if one not in given)


class _Writer:
    """Makes lists of objects: [number of its class, its own number, values]; of others: [what, …]."""

    def __init__(self) -> None:
        self.classes: list[tuple[str, tuple[str, ...]]] = []
        self._numbers: dict[int, int] = {}
        self._of_class: dict[tuple[type, tuple[str, ...]], int] = {}
        self._names = {kind: name for name, kind in _classes().items()}

    def data(self, value: Any) -> Any:
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind in _KINDS:
            return self._container(value, kind)
        if kind is array:
            return ["array", value.typecode, value.tobytes()]
        number = self._numbers.get(id(value))
        if number is not None:
            return ["same", number]
        if kind is MethodType:
            return ["method", self.data(value.__self__), value.__name__]
        if kind in (Wrapper, Format):
            if value not in _known():
                raise Unkept(f"a log within {value.name} cannot be saved in the middle")
            return ["known", value.name]
        name = self._names.get(kind)
        if name is None:
            raise Unkept(f"what is held of the kind {kind.__qualname__} cannot be saved")
        number = self._numbers[id(value)] = len(self._numbers)
        if issubclass(kind, msgspec.Struct):
            fields = _fields(kind)
            held = [getattr(value, one) for one in fields]
        else:
            given = _GIVEN.get(name, frozenset())
            attributes = _attributes(value)
            fields = tuple(one for one in attributes if one not in given)
            held = [attributes[one] for one in fields]
        form = self._of_class.get((kind, fields))
        if form is None:
            form = self._of_class[kind, fields] = len(self.classes)
            self.classes.append((name, fields))
        return [form, number, self._all(held)]

    def _container(self, value: Any, kind: type) -> list[Any]:
        if kind in _MAPPINGS:
            return [kind.__name__, self._all(value), self._all(value.values())]
        items = self._all(value)
        return [kind.__name__, items, value.maxlen] if kind is deque else [kind.__name__, items]

    def _all(self, values: Iterable[Any]) -> list[Any]:
        # Most values are plain, and a call for each takes most of the time.
        return [one if type(one) in _PLAIN else self.data(one) for one in values]


class _Reader:
    def __init__(self, classes: list[Any]) -> None:
        self._objects: dict[int, object] = {}
        self._given: dict[type, dict[str, Any]] = {}
        self._forms: list[tuple[type, tuple[str, ...]]] = []
        for name, fields in classes:
            kind = _classes().get(name)
            if kind is None:
                raise Unkept(f"this release knows no {name}")
            self._forms.append((kind, tuple(fields)))

    def value(self, data: Any, fresh: object = None) -> Any:
        """fresh: what stands there in a state at its beginning; an object that is there is filled."""
        if type(data) is not list:
            return data
        kind = data[0]
        if type(kind) is int:
            return self._object(data, fresh)
        if kind in _CONTAINERS:
            made = _CONTAINERS[kind]
            if made in _MAPPINGS:
                before = fresh if isinstance(fresh, dict) else {}
                keys = self._all(data[1])
                return made(
                    {key: self.value(one, before.get(key)) for key, one in zip(keys, data[2], strict=True)}
                )
            items = self._all(data[1])
            return deque(items, data[2]) if made is deque else made(items)
        if kind == "same":
            return self._objects[data[1]]
        if kind == "array":
            return array(data[1], data[2])
        if kind == "known":
            return next(one for one in _known() if one.name == data[1])
        owner = self.value(data[1])
        if kind != "method" or not isinstance(getattr(type(owner), data[2], None), FunctionType):
            raise Unkept(f"{kind} {data[2]} is no step of the lifecycle")
        return getattr(owner, data[2])

    def _all(self, values: list[Any]) -> list[Any]:
        return [self.value(one) if type(one) is list else one for one in values]

    def _object(self, data: list[Any], fresh: object) -> object:
        form, number, values = data
        kind, fields = self._forms[form]
        if issubclass(kind, msgspec.Struct):
            made = self._struct(kind, fields, values, fresh)
            self._objects[number] = made
            return made
        filled: object = fresh if type(fresh) is kind else kind.__new__(kind)
        self._objects[number] = filled
        attributes = _attributes(filled)
        if given := _GIVEN.get(_name(kind)):
            # What is made anew has them from the first of its class, which stands in the new state.
            of_class = self._given.setdefault(
                kind, {one: attributes[one] for one in given & attributes.keys()}
            )
            for one in of_class.keys() - attributes.keys():
                setattr(filled, one, of_class[one])
        for one, value in zip(fields, values, strict=True):
            setattr(filled, one, self.value(value, attributes.get(one)))
        return filled

    def _struct(
        self, kind: type[msgspec.Struct], fields: tuple[str, ...], values: list[Any], fresh: object
    ) -> object:
        """What this release does not know is left out; what it knows and was not saved has its default."""
        known = dict(zip(fields, values, strict=True))
        if type(fresh) is kind and not kind.__struct_config__.frozen:
            for one in _fields(kind):
                if one in known:
                    setattr(fresh, one, self.value(known[one], getattr(fresh, one)))
            return fresh
        if fields == kind.__struct_fields__:
            return kind(*self._all(values))
        held = {one: self.value(known[one]) for one in _fields(kind) if one in known}
        return msgspec.structs.replace(fresh, **held) if isinstance(fresh, kind) else kind(**held)


@cache
def _known() -> tuple[Wrapper | Format, ...]:
    return (*wrappers(), *formats(), COMMAS)


def _attributes(value: object) -> dict[str, Any]:
    slots = [one for kind in type(value).__mro__ for one in getattr(kind, "__slots__", ())]
    return {one: getattr(value, one) for one in slots if hasattr(value, one)} | getattr(value, "__dict__", {})


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector, which would look through all that is being made, again and again."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def to_data(*objects: object) -> list[Any]:
    """A list of the forms of classes, then the objects, and all that they hold, as lists and plain values.

    Raises Unkept.
    """
    writer = _Writer()
    with _uncollected():
        data = [writer.data(one) for one in objects]
    return [writer.classes, *data]


def fill(data: list[Any], *objects: object) -> list[Any]:
    """Make of new objects what the saved ones were; what has no object to fill is returned as made anew.

    data: as to_data returns it. Raises Unkept, and then the objects are of no use.
    """
    try:
        reader = _Reader(data[0])
        with _uncollected():
            return [reader.value(one, fresh) for one, fresh in zip(data[1:], objects, strict=True)]
    except (LookupError, TypeError, ValueError, AttributeError, StopIteration, RecursionError) as error:
        raise Unkept(f"what was saved is not of this form ({type(error).__name__}: {error})") from error
