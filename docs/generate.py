"""Writes the generated parts of the documentation, between their markers.

    python docs/generate.py          rewrite what is stale
    python docs/generate.py --check  change nothing; exit with 1 where something is stale

A page asks for a part with `<!-- generated: NAME -->`, and ends it with `<!-- end -->`.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the docs are those of this checkout, whatever is installed

import reference  # noqa: E402

from logparse.out import families, shipped  # noqa: E402
from logparse.out.request_families import REQUEST_FAMILIES  # noqa: E402
from monitoring.generate import alerts  # noqa: E402

PARTS: dict[str, Callable[[], str]] = {
    "metrics": families.table,
    "request-metrics": lambda: families.table(REQUEST_FAMILIES),
    "buckets": lambda: families.bounds(REQUEST_FAMILIES),
    "ship": shipped.ship_table,
    "commands": reference.commands,
    "alerts": alerts.table,
}
_PART = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str) -> str:
    """The page's text with every generated part anew. Raises KeyError for a part that nobody makes."""
    return _PART.sub(lambda found: f"{found[1]}\n{PARTS[found[2]]().strip()}\n\n{found[3]}", page)


def main(arguments: list[str]) -> int:
    """Exit status: 0, 1 where a page was stale (--check) or asks for an unknown part, 2 for a wrong use."""
    if arguments not in ([], ["--check"]):
        print("usage: generate.py [--check]", file=sys.stderr)
        return 2
    stale = 0
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        if not path.exists():
            continue
        page = path.read_text(encoding="utf-8")
        try:
            new = filled(page)
        except KeyError as error:
            print(f"{path.relative_to(ROOT)}: nothing generates the part {error}", file=sys.stderr)
            return 1
        if new == page:
            continue
        if arguments:
            stale = 1
            print(f"{path.relative_to(ROOT)} is stale: run python docs/generate.py", file=sys.stderr)
        else:
            path.write_text(new, encoding="utf-8")
            print(f"{path.relative_to(ROOT)} written")
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
