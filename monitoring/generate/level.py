"""From which level of the log on an expression has data, by the metrics that it names."""

import re

from logparse.out.families import FAMILIES
from logparse.out.family import exposed as name_of
from logparse.out.request_families import REQUEST_FAMILIES
from logparse.out.shipped import FAMILIES as SHIP_FAMILIES

_RANK = ("any", "WARNING", "INFO", "DEBUG")
_LEVELS = {name_of(family): family.level for family in (*FAMILIES, *REQUEST_FAMILIES, *SHIP_FAMILIES)}
_NAME = re.compile(r"\b(?:odoo_queue_job|odoo_http|logparse)_[a-z0-9_]*")
# Jobs in these states are told apart at DEBUG alone.
_STATE = re.compile(r'state="(?:pending|enqueued|started)"')


def level_of(expr: str) -> str:
    """`any`, `WARNING`, `INFO` or `DEBUG`: the highest that any of its metrics needs."""
    levels = {_LEVELS[re.sub(r"_(bucket|sum|count)$", "", name)] for name in _NAME.findall(expr)}
    if _STATE.search(expr):
        levels.add("DEBUG")
    return max(levels, key=_RANK.index, default="any")
