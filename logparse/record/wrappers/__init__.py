"""Every wrapper and format, each in a file of its own beside this one; a new file is found by itself."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from logparse.record.wrappers.wrapper import Format, Wrapper


@cache
def wrappers() -> tuple[Wrapper, ...]:
    """All wrappers: `WRAPPERS` of each module here, in the order of their names."""
    return tuple(item for item in _found() if isinstance(item, Wrapper))


@cache
def formats() -> tuple[Format, ...]:
    """All formats of whole records: `FORMATS` of each module here."""
    return tuple(item for item in _found() if isinstance(item, Format))


@cache
def _found() -> tuple[Wrapper | Format, ...]:
    found: list[Wrapper | Format] = []
    for module in sorted(iter_modules(__path__), key=lambda module: module.name):
        unit = import_module(f"{__name__}.{module.name}")
        found += [*getattr(unit, "WRAPPERS", ()), *getattr(unit, "FORMATS", ())]
    return tuple(found)
