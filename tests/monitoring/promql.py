"""What an expression of PromQL names: enough to check ours, the rest is Prometheus' own business."""

import re

from logparse.out.families import FAMILIES
from logparse.out.family import exposed as name_of
from logparse.out.request_families import REQUEST_FAMILIES
from logparse.out.shipped import FAMILIES as SHIP_FAMILIES

ALL = (*FAMILIES, *REQUEST_FAMILIES, *SHIP_FAMILIES)
"""Every family of metrics that any verb of logparse has."""

_NAME = re.compile(r"\b(?:odoo_queue_job|odoo_http|logparse)[_:][a-z0-9_:]*\b|(?<![\w.])up(?![\w(])")
_SELECTOR = re.compile(r"\b([a-z_:][a-z0-9_:]*)\{([^}]*)\}")


def exposed() -> set[str]:
    """Every name under which logparse has series."""
    names: set[str] = set()
    for family in ALL:
        name = name_of(family)
        ends = ("_bucket", "_count", "_sum") if family.kind == "histogram" else ("",)
        names |= {name + end for end in ends}
    return names


def metrics(text: str) -> set[str]:
    """The names of series in a text."""
    return set(_NAME.findall(text))


def selectors(text: str) -> list[tuple[str, set[str]]]:
    """Each name with the labels that its selector asks for."""
    return [
        (name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", inside))) for name, inside in _SELECTOR.findall(text)
    ]


def grouped(text: str) -> set[str]:
    """The labels that a whole expression is grouped by: those of its first aggregation."""
    found = re.search(r"\bby \(([^)]*)\)", text)
    return {label.strip() for label in found[1].split(",")} - {"le"} if found else set()
