"""The state of the stages as plain data: every object that they hold, each once, with who refers to whom.

What is saved is all that the objects hold, so that nothing which a stage remembers can be forgotten here;
but for what options and patterns make of them (`_GIVEN`), which a later start may change. Only classes of
the rooms record and lifecycle can be in it: reading it makes objects of
no others, and calls nothing of theirs.
"""

from collections import Counter, OrderedDict, deque
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import FunctionType, MethodType
from typing import Any

import msgspec

from logparse.match.fact import Fact
from logparse.record.wrappers import formats, wrappers
from logparse.record.wrappers.pasted import COMMAS
from logparse.record.wrappers.wrapper import Context, Format, Wrapper

_GIVEN: dict[str, frozenset[str]] = {
    "lifecycle.lifecycle.Lifecycle": frozenset({"_of_job", "_sides"}),
    "lifecycle.course.Course": frozenset({"settle"}),
    "lifecycle.jobs.Jobs": frozenset({"limit"}),
    "record.reader.Reader": frozenset({"_interest", "_max_record", "server"}),
    "record.scan.Scanner": frozenset({"_literals", "_bodies", "_max_record", "_max_line"}),
    "record.wrappers.wrapper.Context": frozenset({"zone", "year", "dates", "forms"}),
}
_PLAIN = (type(None), bool, int, float, str, bytes)
_CONTAINERS: dict[str, type] = {
    kind.__name__: kind for kind in (list, tuple, set, frozenset, deque, dict, OrderedDict, Counter)
}
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
    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}
        self.alive: list[object] = []
        self.names = {kind: name for name, kind in _classes().items()}

    def data(self, value: Any) -> Any:
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind in _CONTAINERS.values():
            if kind in _MAPPINGS:
                return [kind.__name__, [[self.data(key), self.data(one)] for key, one in value.items()]]
            items = [self.data(one) for one in value]
            return [kind.__name__, items, value.maxlen] if kind is deque else [kind.__name__, items]
        if kind is MethodType:
            return ["method", self.data(value.__self__), value.__name__]
        if kind in (Wrapper, Format):
            if value not in _known():
                raise Unkept(f"a log within {value.name} cannot be saved in the middle")
            return ["known", value.name]
        number = self.numbers.get(id(value))
        if number is not None:
            return ["same", number]
        name = self.names.get(kind)
        if name is None:
            raise Unkept(f"what is held of the kind {kind.__qualname__} cannot be saved")
        self.numbers[id(value)] = len(self.numbers)
        self.alive.append(value)
        if issubclass(kind, msgspec.Struct):
            fields = _fields(kind)
            held = [getattr(value, one) for one in fields]
        else:
            given = _GIVEN.get(name, frozenset())
            attributes = _attributes(value)
            fields = tuple(one for one in attributes if one not in given)
            held = [attributes[one] for one in fields]
        return ["object", self.numbers[id(value)], name, fields, [self.data(one) for one in held]]


class _Reader:
    def __init__(self) -> None:
        self.objects: dict[int, object] = {}

    def value(self, data: Any, fresh: object = None) -> Any:
        """fresh: what stands there in a state at its beginning; an object that is there is filled."""
        if not isinstance(data, list):
            return data
        kind = data[0]
        if kind in _CONTAINERS:
            made = _CONTAINERS[kind]
            if made in _MAPPINGS:
                before = fresh if isinstance(fresh, dict) else {}
                pairs = ((self.value(key), one) for key, one in data[1])
                return made({key: self.value(one, before.get(key)) for key, one in pairs})
            items = [self.value(one) for one in data[1]]
            return deque(items, data[2]) if made is deque else made(items)
        if kind == "same":
            return self.objects[data[1]]
        if kind == "known":
            return next(one for one in _known() if one.name == data[1])
        if kind == "method":
            owner = self.value(data[1])
            if not isinstance(getattr(type(owner), data[2], None), FunctionType):
                raise Unkept(f"{data[2]} is no step of the lifecycle")
            return getattr(owner, data[2])
        return self._object(data, fresh)

    def _object(self, data: list[Any], fresh: object) -> object:
        _, number, name, fields, values = data
        kind = _classes().get(name)
        if kind is None:
            raise Unkept(f"this release knows no {name}")
        if issubclass(kind, msgspec.Struct):
            known = dict(zip(fields, values, strict=True))
            if not kind.__struct_config__.frozen:
                made = fresh if type(fresh) is kind else None
                if made is None:
                    made = kind(**{one.name: None for one in msgspec.structs.fields(kind) if one.required})
                self.objects[number] = made
                for one in kind.__struct_fields__:
                    if one in known:
                        setattr(made, one, self.value(known[one], getattr(made, one)))
                return made
            held = {one: self.value(known[one]) for one in kind.__struct_fields__ if one in known}
            if isinstance(fresh, Context) and type(fresh) is kind:
                frozen: object = msgspec.structs.replace(fresh, **held)
            else:
                frozen = kind(**held)
            self.objects[number] = frozen
            return frozen
        filled: object = fresh if type(fresh) is kind else kind.__new__(kind)
        self.objects[number] = filled
        attributes = _attributes(filled)
        for one, value in zip(fields, values, strict=True):
            setattr(filled, one, self.value(value, attributes.get(one)))
        return filled


@cache
def _known() -> tuple[Wrapper | Format, ...]:
    return (*wrappers(), *formats(), COMMAS)


def _attributes(value: object) -> dict[str, Any]:
    slots = [one for kind in type(value).__mro__ for one in getattr(kind, "__slots__", ())]
    return {one: getattr(value, one) for one in slots if hasattr(value, one)} | getattr(value, "__dict__", {})


def to_data(*objects: object) -> list[Any]:
    """The objects, and all that they hold, as lists and plain values. Raises Unkept."""
    writer = _Writer()
    return [writer.data(one) for one in objects]


def fill(data: list[Any], *objects: object) -> list[Any]:
    """Make of new objects what the saved ones were; what has no object to fill is returned as made anew.

    Raises Unkept, and then the objects are of no use.
    """
    reader = _Reader()
    try:
        return [reader.value(one, fresh) for one, fresh in zip(data, objects, strict=True)]
    except (LookupError, TypeError, ValueError, AttributeError, StopIteration, RecursionError) as error:
        raise Unkept(f"what was saved is not of this form ({type(error).__name__}: {error})") from error
