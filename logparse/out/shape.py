"""The shape of a log's lines: as Odoo writes them, or wrapped by what carried them."""

import re
from collections import Counter

import msgspec

from logparse.source.chunk import Chunk

_LOOKED_AT = 64 * 1024
"""Bytes at the beginning of each chunk (of 1 MiB) of which the lines are looked at."""

_DATE = rb"\d{4}-\d\d-\d\d"
_TIME = rb"\d\d:\d\d:\d\d"
_ANSI = rb"(?:\x1b\[[0-9;]*m)*"
_HEAD = _DATE + rb" " + _TIME + rb",\d{3} "
_SYSLOG = (
    rb"(?:<\d+>)?(?:[A-Z][a-z]{2} [ \d]\d " + _TIME + rb"|" + _DATE + rb"T\S+) \S+ [^\s:\[]+(?:\[\d+\])?: "
)


class Shape(msgspec.Struct, frozen=True):
    """How many of the lines that were looked at look so. read: whether logparse reads such lines."""

    name: str
    lines: int
    read: bool
    hint: str


class _Kind(msgspec.Struct, frozen=True):
    name: str
    regex: re.Pattern[bytes]
    read: bool
    hint: str


_KINDS = (
    _Kind("plain text", re.compile(_HEAD + rb"\d+ [A-Z]+ "), True, ""),
    _Kind(
        "colours",
        re.compile(_ANSI + _HEAD + _ANSI + rb"\d+ " + _ANSI + rb"[A-Z]+"),
        True,
        "",
    ),
    _Kind(
        "JSON records (logging_json)",
        re.compile(rb'\s*\{.*"(?:levelname|asctime)"\s*:'),
        False,
        "let Odoo write plain text to its --logfile",
    ),
    _Kind(
        "Docker's json-file",
        re.compile(rb'\{"log":'),
        False,
        "give what `docker logs CONTAINER` prints",
    ),
    _Kind(
        "docker compose logs",
        re.compile(_ANSI + rb"\S+ +\| +" + _ANSI + _HEAD),
        False,
        "use `docker compose logs --no-log-prefix`",
    ),
    _Kind(
        "a Kubernetes container log (CRI)",
        re.compile(_DATE + rb"T[\d:.]+(?:Z|[+-]\d\d:\d\d) (?:stdout|stderr) [FP] "),
        False,
        "give what `kubectl logs` prints",
    ),
    _Kind(
        "kubectl or docker logs with timestamps",
        re.compile(_DATE + rb"T[\d:.]+(?:Z|[+-]\d\d:\d\d) " + _ANSI + _HEAD),
        False,
        "leave out --timestamps",
    ),
    _Kind(
        "syslog or journalctl",
        re.compile(_SYSLOG),
        False,
        "give Odoo's own log file (--logfile), or what `journalctl -o cat -u odoo` prints",
    ),
)


class Shapes:
    """Counts the lines of each shape in samples of the chunks. Lines of no shape go on with another line."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._crlf = 0

    def look(self, chunk: Chunk) -> None:
        """Look at the first lines of a chunk; the one that is cut at either end is left out."""
        data = chunk.data[:_LOOKED_AT]
        start = data.find(b"\n") + 1 if chunk.offset else 0
        end = data.rfind(b"\n")
        if end < start:
            return
        for line in data[start:end].split(b"\n"):
            for kind in _KINDS:
                if kind.regex.match(line):
                    self._counts[kind.name] += 1
                    self._crlf += line.endswith(b"\r")
                    break

    def result(self) -> list[Shape]:
        """The shapes that were seen, the most frequent first."""
        by_name = {kind.name: kind for kind in _KINDS}
        shapes = [
            Shape(name, count, by_name[name].read, by_name[name].hint)
            for name, count in self._counts.most_common()
        ]
        if self._crlf:
            shapes.append(Shape("CR LF line ends", self._crlf, True, ""))
        return shapes
