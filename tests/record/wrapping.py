"""Wraps a real log in what other programs put around its lines, as they do."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from logparse.record.closing import HEADER
from logparse.record.parse import parse_header

Wrap = Callable[[list[bytes]], list[bytes]]


def lines_of(log: bytes) -> list[bytes]:
    """The lines of a log, without their ends."""
    lines = log.split(b"\n")
    return lines[:-1] if not lines[-1] else lines


def times(lines: list[bytes]) -> Iterator[tuple[bytes, datetime]]:
    """Each line, and when it was written: what follows a record was written with it."""
    when = datetime(2026, 11, 24, tzinfo=UTC)
    for line in lines:
        if HEADER.match(line):
            when = datetime.fromisoformat(line[:23].decode()).replace(tzinfo=UTC)
        yield line, when


def stamp(when: datetime) -> bytes:
    """As container runtimes write it, with nine digits."""
    return f"{when:%Y-%m-%dT%H:%M:%S.%f}123Z".encode()


def compose(lines: list[bytes], name: bytes = b"odoo-1") -> list[bytes]:
    return [name + b"  | " + line for line in lines]


def compose_coloured(lines: list[bytes]) -> list[bytes]:
    return [b"\x1b[36modoo-1  | \x1b[0m" + line for line in lines]


def compose_stamped(lines: list[bytes]) -> list[bytes]:
    return compose(stamped(lines))


def stamped(lines: list[bytes]) -> list[bytes]:
    return [stamp(when) + b" " + line for line, when in times(lines)]


def kubectl(lines: list[bytes]) -> list[bytes]:
    return [b"[pod/odoo-5d9c7b/odoo] " + line for line in stamped(lines)]


def cri(lines: list[bytes], longest: int = 16384) -> list[bytes]:
    out = []
    for line, when in times(lines):
        parts = [line[at : at + longest] for at in range(0, len(line), longest)] or [b""]
        for index, part in enumerate(parts):
            flag = b"F" if index == len(parts) - 1 else b"P"
            out.append(stamp(when) + b" stderr " + flag + b" " + part)
    return out


def docker(lines: list[bytes], longest: int = 16384) -> list[bytes]:
    out = []
    for line, when in times(lines):
        whole = line.decode(errors="replace") + "\n"
        for at in range(0, len(whole), longest):
            text = whole[at : at + longest]
            entry = {"log": text, "stream": "stderr", "time": stamp(when).decode()}
            out.append(json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode())
    return out


def docker_short(lines: list[bytes]) -> list[bytes]:
    """All lines in parts of 100 bytes."""
    return docker(lines, 100)


def syslog_old(lines: list[bytes]) -> list[bytes]:
    return [f"{when:%b %e %H:%M:%S} vm odoo[811]: ".encode() + line for line, when in times(lines)]


def syslog_new(lines: list[bytes]) -> list[bytes]:
    return [
        f"{when:%Y-%m-%dT%H:%M:%S.%f}+00:00 vm odoo[811]: ".encode() + line for line, when in times(lines)
    ]


def rfc5424(lines: list[bytes]) -> list[bytes]:
    out = []
    for line, when in times(lines):
        frame = f'<30>1 {when:%Y-%m-%dT%H:%M:%S.%f}Z vm odoo 811 - [a@1 b="c\\]d"] '.encode() + line
        out.append(str(len(frame)).encode() + b" " + frame)
    return out


def records(lines: list[bytes]) -> list[list[bytes]]:
    """The lines, each record's together. A header inside a message begins a record here, too."""
    out: list[list[bytes]] = []
    for line in lines:
        if HEADER.match(line) or not out:
            out.append([])
        out[-1].append(line)
    return out


def journal_short(lines: list[bytes]) -> list[bytes]:
    """A message of several lines is one entry, whose further lines are indented."""
    out = []
    for (first, *more), (_, when) in zip(
        records(lines), times([record[0] for record in records(lines)]), strict=True
    ):
        head = f"{when:%b %d %H:%M:%S} vm odoo[811]: ".encode()
        out.append(head + first)
        out += [b" " * len(head) + line for line in more]
    return out


def journal_iso(lines: list[bytes]) -> list[bytes]:
    return [f"{when:%Y-%m-%dT%H:%M:%S}+0000 vm odoo[811]: ".encode() + line for line, when in times(lines)]


def journal_unix(lines: list[bytes]) -> list[bytes]:
    return [f"{when.timestamp():.6f} vm odoo[811]: ".encode() + line for line, when in times(lines)]


def journal_full(lines: list[bytes]) -> list[bytes]:
    return [f"{when:%a %Y-%m-%d %H:%M:%S} UTC vm odoo[811]: ".encode() + line for line, when in times(lines)]


def journal_json(lines: list[bytes]) -> list[bytes]:
    """Each line an entry; what is no text, as an array of bytes."""
    out = []
    for line, when in times(lines):
        message: str | list[int] = line.decode(errors="replace")
        if re.search(rb"[^\x20-\x7e]", line):
            message = list(line)
        entry = {
            "_HOSTNAME": "vm",
            "__REALTIME_TIMESTAMP": str(round(when.timestamp() * 1_000_000)),
            "_TRANSPORT": "stdout",
            "_PID": "811",
            "SYSLOG_IDENTIFIER": "odoo",
            "MESSAGE": message,
        }
        out.append(json.dumps(entry).encode())
    return out


def json_records(lines: list[bytes]) -> list[bytes]:
    """As camptocamp's logging_json: one object a record."""
    out = []
    for record in records(lines):
        header = parse_header(record[0].decode(errors="replace"))
        if header is None:
            continue
        _, pid, level, db, logger, message, _ = header
        message = "\n".join([message, *(line.decode(errors="replace") for line in record[1:])])
        perf = ""
        if found := re.search(r" (\d+ \d+\.\d+ \d+\.\d+|- - -)$", message):
            message, perf = message[: found.start()], found[1]
        entry = {
            "asctime": record[0][:23].decode(),
            "pid": pid,
            "levelname": level,
            "dbname": db or "?",
            "name": logger,
            "message": message,
            "perf_info": perf,
        }
        out.append(json.dumps(entry).encode())
    return out


def quoted(lines: list[bytes]) -> list[bytes]:
    return [b"> " + line for line in lines]


def indented(lines: list[bytes]) -> list[bytes]:
    return [b"\t" + line for line in lines]


def ticked(lines: list[bytes]) -> list[bytes]:
    return [b"`" + line + b"`" for line in lines]


def listed(lines: list[bytes]) -> list[bytes]:
    return [b'"' + line + b'",' for line in lines]


def commas(lines: list[bytes]) -> list[bytes]:
    return [line + b"," for line in lines]


def utc(lines: list[bytes]) -> list[bytes]:
    return [line[:23] + b" UTC" + line[23:] if HEADER.match(line) else line for line in lines]


def fenced(lines: list[bytes]) -> list[bytes]:
    return [b"Hello,", b"this is my log:", b"```", *lines, b"```", b"Thanks!"]


def bars(lines: list[bytes]) -> list[bytes]:
    """A custom format: `%(asctime)s|%(process)d|%(levelname)s|%(dbname)s|%(name)s|%(message)s`."""
    out = []
    for line in lines:
        header = parse_header(line.decode(errors="replace"))
        if header is None:
            out.append(line)
            continue
        words = line.split(b" ", 6)
        date, clock, pid, level, db, logger, message = words
        out.append(b"|".join([date + b" " + clock, pid, level, db, logger[:-1], message]))
    return out


BARS = "%(asctime)s|%(process)d|%(levelname)s|%(dbname)s|%(name)s|%(message)s"

WRAPS: dict[str, Wrap] = {
    "compose": compose,
    "compose, coloured": compose_coloured,
    "compose --timestamps": compose_stamped,
    "--timestamps": stamped,
    "kubectl --prefix --timestamps": kubectl,
    "CRI": cri,
    "CRI, in parts": lambda lines: cri(lines, 100),
    "json-file": docker,
    "json-file, in parts": docker_short,
    "syslog, RFC 3164": syslog_old,
    "syslog, RFC 3339": syslog_new,
    "syslog, RFC 5424": rfc5424,
    "journalctl": journal_short,
    "journalctl -o short-iso": journal_iso,
    "journalctl -o short-unix": journal_unix,
    "journalctl -o short-full": journal_full,
    "journalctl -o json": journal_json,
    "quoted": quoted,
    "quoted twice": lambda lines: quoted(quoted(lines)),
    "indented": indented,
    "back-ticks": ticked,
    "a list of strings": listed,
    "commas": commas,
    "UTC": utc,
    "fenced": fenced,
    "CRLF": lambda lines: [line + b"\r" for line in lines],
    "syslog around compose": lambda lines: syslog_old(compose(lines)),
    "json-file around CRI": lambda lines: docker(cri(lines)),
    "quoted compose --timestamps": lambda lines: quoted(compose_stamped(lines)),
}
"""By what they are called; the events of a log wrapped by one of these are those of the bare log."""
