"""Removes what terminals, crashes and other systems put between the bytes of a log, and keeps the offsets."""

import re
from bisect import bisect_right

# Colour and cursor codes (a pty, ODOO_PY_COLORS, werkzeug 2 in Odoo 14 and 15), the NULs that a crash
# leaves in a file, the CR of CRLF.
_NOISE = re.compile(rb"\x1b\[[0-9;:?]*[ -/]*[@-~]|\x00+|\r+(?=\n)")
_BOM = b"\xef\xbb\xbf"


class Text:
    """Whole lines without noise.

    data: the clean bytes.
    plain: there was no noise.
    raw(position): where the byte at `position` of `data` stood before cleaning.
    until(end): the first `end` bytes of it.
    """

    __slots__ = ("_positions", "_removed", "data", "plain")

    def __init__(self, data: bytes, positions: list[int], removed: list[int]) -> None:
        self.data = data
        self.plain = not positions
        self._positions = positions
        self._removed = removed

    def raw(self, position: int) -> int:
        """The offset of a clean byte in the bytes that `clean` was given."""
        index = bisect_right(self._positions, position)
        return position + self._removed[index - 1] if index else position

    def until(self, end: int) -> "Text":
        """The same up to the clean byte `end`."""
        return Text(self.data[:end], self._positions, self._removed)


def clean(data: bytes, *, head: bool = False) -> Text:
    """`data` (whole lines) without noise; `head`: it is the beginning of a file, which may hold a BOM."""
    bom = head and data.startswith(_BOM)
    # A search for one byte takes a tenth of the time that one for two takes, and most logs hold no CR.
    crlf = b"\r" in data and b"\r\n" in data
    if not bom and not crlf and b"\x1b" not in data and b"\x00" not in data:
        return Text(data, [], [])
    positions: list[int] = []
    removed: list[int] = []
    parts: list[bytes] = []
    start = total = length = 0
    if bom:
        start = total = len(_BOM)
        positions.append(0)
        removed.append(total)
    for match in _NOISE.finditer(data, start):
        parts.append(data[start : match.start()])
        length += match.start() - start
        start = match.end()
        total += start - match.start()
        positions.append(length)
        removed.append(total)
    parts.append(data[start:])
    return Text(b"".join(parts), positions, removed)
