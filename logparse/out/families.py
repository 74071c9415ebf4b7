"""All metrics by name that are exposed of every log, and the tables of them for docs/metrics.md."""

from logparse.out.family import SECONDS, Family, exposed
from logparse.out.job_families import JOB_FAMILIES
from logparse.out.own_families import OWN_FAMILIES

FAMILIES: tuple[Family, ...] = (*JOB_FAMILIES, *OWN_FAMILIES)
"""In the order in which they are exposed."""


def table(families: tuple[Family, ...] = FAMILIES) -> str:
    """Families as a Markdown table, for docs/metrics.md."""
    rows = ["| metric | kind | labels | seen from | meaning |", "|---|---|---|---|---|"]
    for family in families:
        labels = " ".join(f"`{label}`" for label in family.labels)
        kind = "gauge, always 1" if family.kind == "info" else family.kind
        rows.append(f"| `{exposed(family)}` | {kind} | {labels} | {family.level} | {family.help} |")
    return "\n".join(rows) + "\n"


def bounds(more: tuple[Family, ...] = ()) -> str:
    """The bounds of the histograms, and of `more`, as a Markdown list, for docs/metrics.md."""
    others = [family for family in (*FAMILIES, *more) if family.bounds]
    lines = [f"- in seconds (settable): {_numbers(SECONDS)}"]
    lines += [f"- `{family.name}`: {_numbers(family.bounds)}" for family in others]
    return "\n".join(lines) + "\n"


def _numbers(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:g}" for value in values) + " +Inf"
