"""What is told of a log that is followed: how often it was rotated, and what could not be read."""

from collections import Counter

from logparse.source.error import shown
from logparse.source.place import Fit, Place


class Account:
    """Of one log.

    rotations: how many were seen, by kind: `rename`, and `truncate` (copied before, or not).
    lost, lost_bytes: how often something was lost that was written and not read, and how many bytes of it
        are known.
    warnings: sentences on what was lost or not understood, for the caller to show and clear.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.rotations: Counter[str] = Counter()
        self.lost = 0
        self.lost_bytes = 0
        self.warnings: list[str] = []
        self._counted = False  # the rotation by which what is read came off the path

    def _count(self, kind: str) -> None:
        if not self._counted:
            self.rotations[kind] += 1
        self._counted = True

    def _lose(self, known: int, sentence: str) -> None:
        self.lost += 1
        self.lost_bytes += known
        self.warnings.append(sentence)

    def _lose_rest(self, at: Place, how: str) -> None:
        known = max(0, at.size - at.offset)
        much = f" ({known} bytes of it were seen)" if known else ""
        self._lose(
            known,
            f"{shown(self.path)} {how}: what the old one held after byte {at.offset} is lost{much}; "
            "reading goes on with what was written later",
        )

    def _was_cut(self, at: Place, fit: Fit) -> None:
        if at.size > at.offset:
            self._lose_rest(at, "was cut short")
        if fit.doubtful:
            self._lose(
                fit.doubtful,
                f"{shown(self.path)} was cut so far back that it is not known where it goes on: up to "
                f"{fit.doubtful} bytes before byte {fit.offset} are not read, and may be lost",
            )

    def _was_late(self, size: int) -> None:
        self._lose(
            size,
            f"{size} bytes were written to the rotated file of {shown(self.path)} after it was left: a "
            "program writes to it still. They are not read",
        )

    def _was_damaged(self, real: str, offset: int, damage: str) -> None:
        piece = f"{shown(real)}, a piece of {shown(self.path)},"
        self._lose(0, f"{piece} can be read only up to its byte {offset}: {damage}")
