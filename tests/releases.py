"""The releases of queue_job whose logs differ, and which lines of the catalogue each of them writes."""

import json
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

_LINES = Path(__file__).parent.parent / "fixtures" / "catalogue" / "lines.json"

# Every release of queue_job (until 9.0: of connector) in which something of its log has changed, and the
# newest of its series (the catalogue's chronology).
RELEASES = {
    7: ["7.0.2.3.0"],
    8: ["8.0.3.1.0", "8.0.3.2.0", "8.0.3.3.0"],
    9: ["9.0.1.0.4", "9.0.1.2.0"],
    10: ["10.0.1.0.0", "10.0.1.1.0"],
    11: ["11.0.1.0.0", "11.0.1.4.0"],
    12: [
        "12.0.1.0.0",
        "12.0.1.0.1",
        "12.0.1.1.2",
        "12.0.1.2.0",
        "12.0.2.3.0",
        "12.0.3.1.0",
        "12.0.4.0.0",
        "12.0.4.1.1",
    ],
    13: ["13.0.1.2.0", "13.0.1.3.0", "13.0.1.6.3", "13.0.1.6.5", "13.0.3.11.3"],
    14: [
        "14.0.1.1.0",
        "14.0.2.0.0",
        "14.0.2.3.0",
        "14.0.3.0.0",
        "14.0.3.1.5",
        "14.0.3.15.1",
        "14.0.3.16.0",
    ],
    15: ["15.0.1.0.0", "15.0.1.1.0", "15.0.2.0.0", "15.0.2.1.2", "15.0.2.3.13.2"],
    16: [
        "16.0.1.1.0",
        "16.0.2.0.0",
        "16.0.2.3.1",
        "16.0.2.9.0",
        "16.0.2.10.0",
        "16.0.2.11.0",
        "16.0.2.12.0",
        "16.0.2.13.0",
        "16.0.3.0.2.2",
    ],
    17: ["17.0.1.1.0", "17.0.1.2.0", "17.0.1.3.0", "17.0.1.5.0", "17.0.1.5.4"],
    18: [
        "18.0.1.1.0",
        "18.0.1.3.0",
        "18.0.1.7.2",
        "18.0.2.0.0",
        "18.0.2.0.4",
        "18.0.2.0.8",
        "18.0.2.1.1",
        "18.0.3.0.0",
        "18.0.4.1.2.2",
    ],
    19: ["19.0.1.0.2", "19.0.2.0.0", "19.0.2.0.2", "19.0.2.4.0.1"],
}
# Where it can be seen that a job was cancelled (catalogue, section 5): [from, to) of each series.
_CANCELLED_IS_ERROR = {
    12: ("12.0.3.1.0", "13"),
    14: ("14.0.2.0.0", "14.0.3.1.5"),
    15: ("15.0.1.1.0", "15.0.2.1.2"),
    16: ("16.0.2.0.0", "16.0.2.3.1"),
}
# `requeued_dead` of 14.0 was ported after the catalogue was written; it was seen in real logs.
_ADDED = {("runner.requeued_dead", 14): "14.0.3.16.0"}


class Release(NamedTuple):
    """A release of queue_job, or of connector before 10.0; its first number is Odoo's series."""

    name: str

    @property
    def series(self) -> int:
        return int(self.name.partition(".")[0])

    def writes(self, line: str) -> bool:
        """Whether this release has that line of the catalogue."""
        first = _ADDED.get((line, self.series))
        if first is not None and version(self.name) >= version(first):
            return True
        return any(
            _series(entry["series"]) in (self.series, None)
            and (entry["first"] is None or version(self.name) >= self._bound(entry["first"]))
            and (entry["last"] is None or version(self.name)[:5] <= self._bound(entry["last"])[:5])
            for entry in catalogue()[line]["ranges"]
        )

    def _bound(self, text: str) -> tuple[int, ...]:
        found = re.match(r"\d+(?:\.\d+)+", text)
        if found is None:  # "after 2022-11-15": before every release here
            return ()
        bound = version(found[0])
        return bound if bound[0] == self.series and len(bound) > 3 else (self.series, 0, *bound)

    def is_from(self, name: str) -> bool:
        """Whether this release is that one of its series, or later."""
        return version(self.name) >= version(name)

    @property
    def cancelled(self) -> str:
        """What a cancellation writes: `error`, `done` (as if the job were done), or `` (there is none)."""
        first, end = _CANCELLED_IS_ERROR.get(self.series, ("0", "0"))
        if self.series >= 17:
            return "done"
        if self.series < 12 or not self.is_from(first) or first == "0":
            return ""
        return "error" if version(self.name) < version(end) else "done"

    @property
    def old(self) -> bool:
        """Whether it is connector: other loggers, another path."""
        return self.series < 10


def version(name: str) -> tuple[int, ...]:
    """A version, to be compared."""
    return tuple(int(part) for part in re.findall(r"\d+", name))


@cache
def catalogue() -> dict[str, dict]:  # type: ignore[type-arg]
    """The catalogue's lines, by their names."""
    return {entry["id"]: entry for entry in json.loads(_LINES.read_text())}


def _series(text: str) -> int | None:
    """The number of `connector 8.0`, `Odoo 12.0` or `16.0`; None for `any`."""
    found = re.search(r"(\d+)\.0", text)
    return int(found[1]) if found else None
