"""The state of the stages made anew from what logparse.cli.kept made of it."""

from array import array
from collections import deque
from collections.abc import Sequence
from itertools import islice
from types import FunctionType
from typing import Any

import msgspec

from logparse.cli.kept import (
    CONTAINERS,
    MAPPINGS,
    Unkept,
    attributes_of,
    classes_of,
    fields_of,
    given_to,
    known_around,
    measured_around,
    name_of,
    uncollected,
)
from logparse.record.wrappers.wrapper import Format


class _Reader:
    def __init__(self, classes: list[Any], forms: Sequence[Format]) -> None:
        self._objects: dict[int, object] = {}
        self._given_forms = forms
        self._given: dict[type, dict[str, Any]] = {}
        self._forms: list[tuple[type, tuple[str, ...]]] = []
        for name, fields in classes:
            kind = classes_of().get(name)
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
        if kind in CONTAINERS:
            made = CONTAINERS[kind]
            if made in MAPPINGS:
                return made(dict(zip(self._all(data[1]), self._values(data, fresh), strict=True)))
            items = self._all(data[1])
            return deque(items, data[2]) if made is deque else made(items)
        if kind == "same":
            return self._objects[data[1]]
        if kind == "array":
            return array(data[1], data[2])
        if kind == "known":
            return next(one for one in known_around() if one.name == data[1])
        if kind == "given":
            return next(one for one in self._given_forms if one.name == data[1])
        if kind == "measured":
            return next(
                one.measure(data[2]) for one in measured_around() if one.name == data[1] and one.measure
            )
        owner = self.value(data[1])
        if kind != "method" or not isinstance(getattr(type(owner), data[2], None), FunctionType):
            raise Unkept(f"{kind} {data[2]} is no step of the lifecycle")
        return getattr(owner, data[2])

    def _values(self, data: list[Any], fresh: object) -> list[Any]:
        """Of a mapping; where one is there at the beginning, it is filled."""
        if not isinstance(fresh, dict) or not fresh or type(data[2]) is dict:
            return self._all(data[2])
        keys = self._all(data[1])
        return [self.value(one, fresh.get(key)) for key, one in zip(keys, data[2], strict=True)]

    def _all(self, values: Any) -> list[Any]:
        if type(values) is list:
            return [self.value(one) if type(one) is list else one for one in values]
        out: list[Any] = values["plain"] or []
        for places, *part in values["parts"]:
            made = self._part(*part)
            if places is None:
                return made
            for place, one in zip(places, made, strict=True):
                out[place] = one
        return out

    def _part(self, kind: Any, first: Any, rest: Any = None) -> list[Any]:
        if kind == "each":
            return self._all(first)
        if kind == "same":
            return [self._objects[number] for number in first]
        if kind in ("list", "tuple"):
            items = iter(self._all(rest))
            made = CONTAINERS[kind]
            return [made(islice(items, length)) for length in first]
        struct, fields = self._forms[kind]
        columns = [self._all(column) for column in rest]
        if fields == getattr(struct, "__struct_fields__", None):
            out = list(map(struct, *columns))
        else:
            rows = zip(*columns, strict=True)
            known = fields_of(struct)
            out = [
                struct(**{name: one for name, one in zip(fields, row, strict=True) if name in known})
                for row in rows
            ]
        self._objects.update(zip(range(first, first + len(out)), out, strict=True))
        return out

    def _object(self, data: list[Any], fresh: object) -> object:
        form, number, values = data
        kind, fields = self._forms[form]
        if issubclass(kind, msgspec.Struct):
            made = self._struct(kind, fields, values, fresh)
            self._objects[number] = made
            return made
        filled: object = fresh if type(fresh) is kind else kind.__new__(kind)
        self._objects[number] = filled
        attributes = attributes_of(filled)
        if given := given_to(kind):
            # What is made anew has them from the first of its class, which stands in the new state.
            of_class = self._given.setdefault(
                kind, {one: attributes[one] for one in given & attributes.keys()}
            )
            for one in of_class.keys() - attributes.keys():
                setattr(filled, one, of_class[one])
        if attributes and attributes.keys() - given_to(kind) != set(fields):
            other = sorted((attributes.keys() - given_to(kind)) ^ set(fields))
            raise Unkept(f"this release holds {name_of(kind)} in another form ({', '.join(other)})")
        for one, value in zip(fields, values, strict=True):
            setattr(filled, one, self.value(value, attributes.get(one)))
        return filled

    def _struct(
        self, kind: type[msgspec.Struct], fields: tuple[str, ...], values: list[Any], fresh: object
    ) -> object:
        """What this release does not know is left out; what it knows and was not saved has its default."""
        known = dict(zip(fields, values, strict=True))
        if type(fresh) is kind and not kind.__struct_config__.frozen:
            for one in fields_of(kind):
                if one in known:
                    setattr(fresh, one, self.value(known[one], getattr(fresh, one)))
            return fresh
        if fields == kind.__struct_fields__:
            return kind(*self._all(values))
        held = {one: self.value(known[one]) for one in fields_of(kind) if one in known}
        return msgspec.structs.replace(fresh, **held) if isinstance(fresh, kind) else kind(**held)


def fill(data: list[Any], *objects: object, forms: Sequence[Format] = ()) -> list[Any]:
    """Make of new objects what the saved ones were; what has no object to fill is returned as made anew.

    data: as to_data returns it. forms: as there. Raises Unkept, and then the objects are of no use.
    """
    try:
        reader = _Reader(data[0], forms)
        with uncollected():
            return [reader.value(one, fresh) for one, fresh in zip(data[1:], objects, strict=True)]
    except (LookupError, TypeError, ValueError, AttributeError, StopIteration, RecursionError) as error:
        raise Unkept(f"what was saved is not of this form ({type(error).__name__}: {error})") from error
