"""How a log shows that it goes on in another form: with other things around its lines, or with none."""

import re

from logparse.record.closing import HEADER
from logparse.record.origin import TO_FORM
from logparse.record.unwrap import Found, Layers, find, without_noise
from logparse.record.wrappers.wrapper import Context

# How many lines in a row of other layers show that the log changed to them. Lines with something around
# them can be the text of a message; half as many other lines may be between.
_TO_LAYERS = 20
_FEW = 64
_JSON_RECORD = re.compile(rb'(?:\A|\n)\{"[^\n]{0,4000}?"(?:levelname|level|severity)"')


def may_change(data: bytes, context: Context) -> bool:
    """Whether a plain log may be none from here on: it has records of another form, or ends in layers."""
    if _begins_json(data) and _JSON_RECORD.search(data):
        return True
    lines = data[-8192:].split(b"\n")[1:-1][-_TO_LAYERS:]
    if len(lines) < _TO_LAYERS or any(HEADER.match(without_noise(line)) for line in lines):
        return False
    return any(find(line, context) is not None for line in lines)


def _begins_json(data: bytes) -> bool:
    """Whether a line begins as an object of JSON does.

    One byte is searched for at ten times the speed of three, and in most logs it is rare.
    """
    at = -1
    for _ in range(_FEW):
        at = data.find(b"{", at + 1)
        if at < 0:
            return False
        if data[at + 1 : at + 2] == b'"' and (at == 0 or data[at - 1] == 10):
            return True
    return b'\n{"' in data[at:]


class Held:
    """Lines in a row of which the first is of another form than the log: it changed, or they are just text.

    lines: with their places. layers: of the last that was of another form. found: how many were.
    """

    def __init__(self) -> None:
        self.lines: list[tuple[bytes, int]] = []
        self.layers: Layers = ()
        self.found = 0

    def add(self, line: bytes, place: int, found: Found | None) -> bool | None:
        """The next; found: of which other form it is. Whether the log has changed; None: not known yet."""
        self.lines.append((line, place))
        if found is None:
            return False if len(self.lines) > 10 * _TO_LAYERS else None
        self.layers = found.layers
        self.found += 1
        return True if self.found >= (TO_FORM if found.form else _TO_LAYERS) else None

    def release(self) -> list[tuple[bytes, int]]:
        """The lines, which are not held any more."""
        lines, self.lines, self.found = self.lines, [], 0
        return lines
