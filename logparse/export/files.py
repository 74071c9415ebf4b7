"""The generated files by name; `python -m logparse.export.files promtail` writes those of the repository."""

import sys
from collections.abc import Callable
from pathlib import Path

from logparse.export import alloy, lnav, mtail, promtail, rules
from logparse.export.signal import Signal, signals
from logparse.export.stages import stages
from logparse.match.load import load_patterns
from logparse.match.pattern import PatternSet

FORMATS = ("promtail", "stages", "alloy", "alloy-module", "rules", "mtail", "lnav")

FILES = {
    "promtail.yaml": "promtail",
    "pipeline_stages.yaml": "stages",
    "config.alloy": "alloy",
    "odoo_queue_job.alloy": "alloy-module",
    "loki-rules.yaml": "rules",
    "odoo_queue_job.mtail": "mtail",
    "odoo_queue_job.lnav.json": "lnav",
}
"""The repository's files in promtail/, and the format of each."""

_COMMENTS = {"alloy": "//", "alloy-module": "//"}


def generate(format_: str, patterns: PatternSet, *, odoo: str | None = None, http: bool = False) -> str:
    """One file's text.

    format_: one of FORMATS. odoo: a series, such as `16.0`, whose lines alone are wanted. http: also counts
    every access line (not for `rules` and `lnav`). ExportError where `odoo` is none, or a pattern cannot be
    exported; ValueError for another format.
    """
    found = signals(patterns, odoo)
    makers: dict[str, Callable[[], str]] = {
        "promtail": lambda: promtail.config(stages(found, http=http)),
        "stages": lambda: promtail.pipeline(stages(found, http=http)),
        "alloy": lambda: alloy.config(stages(found, http=http)),
        "alloy-module": lambda: alloy.module(stages(found, http=http)),
        "rules": lambda: rules.rules(found),
        "mtail": lambda: mtail.program(found, http=http),
        "lnav": lambda: lnav.log_format(found),
    }
    if format_ not in makers:
        raise ValueError(f"{format_!r} is not one of {', '.join(FORMATS)}")
    text = makers[format_]()
    if format_ == "lnav":  # JSON has no comments
        return text
    return f"{_head(format_, odoo, http=http, found=found)}{text}"


def _head(format_: str, odoo: str | None, *, http: bool, found: tuple[Signal, ...]) -> str:
    options = f"{f' --odoo {odoo}' if odoo else ''}{' --http' if http else ''}"
    of = sum(len(signal.patterns) for signal in found)
    mark = _COMMENTS.get(format_, "#")
    return (
        f"{mark} Made by `logparse export {format_}{options}` from {of} of logparse's patterns.\n"
        f"{mark} Do not edit it: change the patterns and make it again.\n"
    )


if __name__ == "__main__":
    for name, format_ in FILES.items():
        (Path(sys.argv[1]) / name).write_text(generate(format_, load_patterns()), encoding="utf-8")
