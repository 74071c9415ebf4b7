"""A family of metrics: its name, kind, labels and meaning."""

from typing import Literal

import msgspec

Kind = Literal["counter", "gauge", "histogram", "info"]

SECONDS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0, 14400.0)
"""Default upper bounds of the histograms in seconds; +Inf follows."""

PREFIX = "odoo_queue_job_"
"""Of the names that tell of jobs."""


class Family(msgspec.Struct, frozen=True):
    """One metric family.

    name: as exposed, with `_total` or `_info` where the kind has it.
    labels: in the order in which their values are given.
    help: one sentence, the HELP text.
    level: the lowest verbosity of the log at which it shows something: WARNING, INFO, DEBUG (of
        `odoo.addons.queue_job`), or `any`.
    unit: of the values, where the name ends with it (OpenMetrics' UNIT).
    bounds: of a histogram, where they are not those in seconds that can be set.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    level: str = "any"
    unit: Literal["", "seconds", "bytes"] = ""
    bounds: tuple[float, ...] = ()


def exposed(family: Family) -> str:
    """The family's name as a query names it (an info has `_info` at its end)."""
    return family.name + "_info" if family.kind == "info" else family.name
