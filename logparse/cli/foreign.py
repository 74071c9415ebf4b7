"""Tells what a text that holds no record of Odoo's may be, and what would help."""

import re

EXPECTED = "2026-11-24 03:05:01,123 4711 INFO mydb odoo.modules.loading: …"
"""How a record of Odoo's log begins."""

_DATE = r"\d{4}-\d\d-\d\d"
_LOGFILE = "give the file that Odoo writes (its --logfile)"
_KINDS = (
    (r"\s*[\[{]", "JSON of another program", _LOGFILE),
    (
        rf"{_DATE}T[\d:.]+(?:Z|[+-]\d\d:\d\d) (?:stdout|stderr) [FP] |\S+ +\| ",
        "the output of a container that is not Odoo's",
        "give that of Odoo's container",
    ),
    (
        rf"(?:<\d+>)?(?:1 )?(?:[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d|{_DATE}T\S+) \S+ \S+(?: \d+|:)",
        "a system log without Odoo's records",
        "give what `journalctl -u odoo` prints, or Odoo's own file (its --logfile)",
    ),
    (r"\S+ \S+ \S+ \[\d\d/[A-Z][a-z]{2}/\d{4}:[^\]]+\] \"", "a web server's access log", _LOGFILE),
    (
        rf"{_DATE} \d\d:\d\d:\d\d\.\d+ (?:[A-Z]{{3,4}} \[\d+\]|.*(?:LOG|ERROR|STATEMENT|DETAIL|FATAL):  )",
        "a log of PostgreSQL",
        _LOGFILE,
    ),
)


def guess(head: bytes) -> str:
    """What the beginning of a file looks like, as the end of a sentence."""
    lines = [line[:1000] for line in head.decode(errors="replace").split("\n") if line.strip()][:20]
    for regex, what, hint in _KINDS:
        if lines and sum(re.match(regex, line) is not None for line in lines) * 2 >= len(lines):
            return f"it looks like {what}: {hint}"
    return f"{_LOGFILE}, or its standard error"
