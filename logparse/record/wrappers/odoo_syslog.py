"""Odoo's own `--syslog` formatter: `Odoo Server 16.0:db:LEVEL:logger:message` (odoo/netsvc.py)."""

import re

from logparse.record.parse import LEVELS
from logparse.record.wrappers.wrapper import Context, Format, Line, asctime, canonical

# The product is that of odoo/release.py; rebranded servers have another. rsyslog writes newlines as #012.
_RECORD = re.compile(
    r"\S+ Server (?P<version>\d+\.\d+\S*?):(?P<db>[^:]*):(?P<level>[A-Z]+):"
    r"(?P<logger>[\w.\-]+):(?P<message>.*)",
    re.DOTALL,
)


def read(line: bytes, around: Line, context: Context) -> bytes | None:
    """The record, None where the line is none or nothing told its time.

    Such a line went through a socket of the syslog, so a pid around it is that of its process.
    """
    if around.time is None or b" Server " not in line[:40]:
        return None
    match = _RECORD.match(line.decode(errors="replace"))
    if match is None or match["level"] not in LEVELS:
        return None
    message = match["message"].replace("#012", "\n").replace("#011", "\t").removesuffix("#000")
    return canonical(
        asctime(around.time), around.pid, "", match["level"], match["db"], match["logger"], message
    )


_FORMAT = Format(
    name="Odoo's syslog format",
    read=read,
    samples=(
        (
            b"Odoo Server 16.0:prod:INFO:odoo.addons.queue_job.jobrunner.runner:asking Odoo to run job",
            b"2026-11-24 03:25:02,597 - INFO prod odoo.addons.queue_job.jobrunner.runner: "
            b"asking Odoo to run job \n",
        ),
        (
            b"Odoo Server 12.0:?:ERROR:odoo.http:x#012Traceback (most recent call last):#012E: y",
            b"2026-11-24 03:25:02,597 - ERROR ? odoo.http: x\n"
            b"\x01Traceback (most recent call last):\n\x01E: y\n \n",
        ),
    ),
    not_samples=(b"rsyslogd: start", b"2026-11-24 03:59:13,964 7 ERROR prod odoo.addons.x: two"),
    loses="the process and the numbers of each request: no durations, no starts, tracebacks only where one "
    "job can be meant",
    around=Line(b"", 1_795_490_702_597),
)

FORMATS = (_FORMAT,)
