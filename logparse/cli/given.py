"""Which logs the names stand for that are given to follow: of a pattern several, of a rotated piece none."""

import os
from collections.abc import Iterable, Iterator
from glob import glob, has_magic
from pathlib import Path
from typing import NamedTuple

from logparse.source.error import shown
from logparse.source.rotated import COMPRESSED, rank_of

_NAMED = 2  # pieces, in the sentence about all of a log


class Found(NamedTuple):
    """What lies there of the given patterns. matched: those that any file matches. new: (pattern, log)."""

    matched: set[str]
    new: list[tuple[str, str]]


def magic(path: str) -> bool:
    """Whether this is a pattern, and no file."""
    return has_magic(path) and not os.path.exists(path)  # noqa: PTH110 (Path's raises)


def expanded(path: str) -> list[str]:
    """The logs that a given name stands for; of a pattern not what they were rotated to."""
    if not magic(path):
        return [path]
    found = sorted(name for name in glob(path) if os.path.isfile(name))  # noqa: PTH113, PTH207
    bases = {Path(name).name for name in found}
    return [
        name
        for name in found
        if not COMPRESSED.search(name)
        and not any(rank_of(Path(name).name, base) for base in bases if base != Path(name).name)
    ]


def looked_for(given: Iterable[str], followed: Iterable[str]) -> Found:
    """What appeared of the patterns among the given names: no piece of a log that is followed."""
    found = [(path, name) for path in given if magic(path) for name in expanded(path)]
    known = set(followed)
    new = [(path, name) for path, name in found if name not in known]
    rotated = pieces([*known, *(name for _, name in new)]) if new else {}
    return Found({path for path, _ in found}, [one for one in new if one[1] not in rotated])


def pieces(paths: Iterable[str]) -> dict[str, str]:
    """Those that are by their names rotated pieces of others among them, and of which.

    What a shell makes of `odoo.log*` holds them. Who follows the log reads them, too.
    """
    own: dict[str, tuple[str, str]] = {}
    beside: dict[str, list[tuple[str, str]]] = {}  # by folder: (name, path)
    for path in paths:
        folder, name = os.path.split(os.path.abspath(path))  # noqa: PTH100
        own[path] = os.path.realpath(folder), name
        # A link's pieces may lie where it points to.
        for where, base in {own[path], os.path.split(os.path.realpath(path))}:
            beside.setdefault(where, []).append((base, path))
    bases = {
        path: [log for base, log in beside[folder] if log != path and _is_piece(name, base)]
        for path, (folder, name) in own.items()
    }
    # What is itself a piece is not followed: what was made of it is a log of its own.
    logs = {path: next((log for log in found if not bases[log]), None) for path, found in bases.items()}
    return {path: log for path, log in logs.items() if log is not None}


def _is_piece(name: str, base: str) -> bool:
    """Of a container's `0.log` and `1.log` each is a piece of the other, and the newest is the log."""
    rank, newest = rank_of(name, base), rank_of(base, base)
    return name != base and rank is not None and (newest is None or rank < newest)


def left_out(found: dict[str, str]) -> Iterator[str]:
    """A sentence for each log of which pieces were given that are not followed."""
    for log in dict.fromkeys(found.values()):
        names = [shown(path) for path, other in found.items() if other == log]
        if len(names) == 1:
            yield f"{names[0]} is a rotated piece of {shown(log)}, and is read with it: leave it out"
            continue
        more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
        *first, last = names[:_NAMED] + more
        yield (
            f"{', '.join(first)} and {last} are rotated pieces of {shown(log)}, and are read with it: "
            "leave them out"
        )
