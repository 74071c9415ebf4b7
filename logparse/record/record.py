"""A record: one entry of an Odoo log, with its continuation lines."""

import msgspec


class Record(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One entry of the log, as Odoo's formatter wrote it (odoo/netsvc.py, init_logger).

    time: milliseconds since the epoch, UTC (Odoo sets TZ=UTC on POSIX).
    pid: of the process that wrote it; None where the format has none (syslog).
    level: DEBUG, INFO, WARNING, ERROR or CRITICAL.
    db: the database of the record; None for Odoo's `?` and `None`.
    logger: the logger's dotted name.
    message: the first line, without colour codes and without the blank that Odoo 12 and later put at
        its end. An access line keeps its numbers (queries, seconds in SQL, other seconds).
    body: the continuation lines, joined by newlines; filled only for loggers of which a pattern wants it.
    file, offset: where the record starts (byte of the uncompressed file).
    request: of an HTTP request, one id for all its records, where the log has it (JSON).
    server: which of several servers in one file wrote it; None for the only one.
    """

    time: int
    pid: int | None
    level: str
    db: str | None
    logger: str
    message: str
    body: str
    file: str
    offset: int
    request: str | None = None
    server: str | None = None
