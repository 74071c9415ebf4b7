"""Tells what a text that is not Odoo's log may be, and what would help."""

import re

EXPECTED = "2026-11-24 03:05:01,123 4711 INFO mydb odoo.modules.loading: …"
"""How a record of Odoo's log begins."""

_DATE = r"\d{4}-\d\d-\d\d"
_KINDS = (
    (r"\s*[\[{]", "JSON", "logparse reads the text that Odoo itself writes"),
    (
        rf"\S+ +\| +(?:\x1b\[[0-9;]*m)*{_DATE} ",
        "Odoo's log with a prefix of docker compose",
        "use `docker compose logs --no-log-prefix`",
    ),
    (
        rf"{_DATE}T[\d:.]+(?:Z|[+-]\d\d:\d\d) (?:stdout|stderr) [FP] ",
        "a container's log of Kubernetes",
        "give what `kubectl logs` prints",
    ),
    (
        rf"(?:<\d+>)?(?:[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d|{_DATE}T\S+) \S+ \S+?(?:\[\d+\])?: ",
        "syslog or journalctl output",
        "give Odoo's own log file, or what `journalctl -o cat -u odoo` prints",
    ),
    (
        r"\S+ \S+ \S+ \[\d\d/[A-Z][a-z]{2}/\d{4}:[^\]]+\] \"",
        "a web server's access log",
        "give Odoo's own log file (its --logfile)",
    ),
    (
        rf"{_DATE} \d\d:\d\d:\d\d(?:\.\d+)? [A-Z]+ \[\d+\]|{_DATE} \d\d:\d\d:\d\d\.\d+ ",
        "a log of PostgreSQL",
        "give Odoo's own log file (its --logfile)",
    ),
)


def guess(head: bytes) -> str:
    """What the beginning of a file looks like, as the end of a sentence."""
    lines = [line for line in head.decode(errors="replace").splitlines() if line.strip()][:20]
    for regex, what, hint in _KINDS:
        if lines and sum(re.match(regex, line) is not None for line in lines) * 2 >= len(lines):
            return f"it looks like {what}: {hint}"
    return "give the file that Odoo writes (its --logfile), or its standard error"
