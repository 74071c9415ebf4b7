"""Odoo's own `--syslog` formatter: `Odoo Server 16.0:db:LEVEL:logger:message` (odoo/netsvc.py)."""

import re
from datetime import UTC, datetime

from logparse.record.parse import LEVELS
from logparse.record.wrappers.wrapper import Context, Format, canonical

# The product is that of odoo/release.py; rebranded servers have another. rsyslog writes newlines as #012.
_RECORD = re.compile(
    r"\S+ Server (?P<version>\d+\.\d+\S*?):(?P<db>[^:]*):(?P<level>[A-Z]+):"
    r"(?P<logger>[\w.\-]+):(?P<message>.*)",
    re.DOTALL,
)


def read(line: bytes, time: int | None, context: Context) -> bytes | None:
    """The record, None where the line is none or nothing told its time."""
    if time is None or b" Server " not in line[:40]:
        return None
    match = _RECORD.match(line.decode(errors="replace"))
    if match is None or match["level"] not in LEVELS:
        return None
    when = datetime.fromtimestamp(time // 1000, UTC)
    text = f"{when:%Y-%m-%d %H:%M:%S},{time % 1000:03d}"
    message = match["message"].replace("#012", "\n").replace("#011", "\t")
    return canonical(text, "", "", match["level"], match["db"], match["logger"], message)


_FORMAT = Format(
    name="Odoo's syslog format",
    read=read,
    samples=(),
    not_samples=(b"rsyslogd: start", b"2026-11-24 03:59:13,964 7 ERROR prod odoo.addons.x: two"),
    loses="the process and the numbers of each request: no durations, no starts, tracebacks only where one "
    "job can be meant",
)

FORMATS = (_FORMAT,)
