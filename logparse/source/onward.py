"""Where a log is read on: in the piece that the place is in, in the next one, or with what is left."""

import os
from typing import NamedTuple

import msgspec

from logparse.source.place import Fit, Piece, Place
from logparse.source.rotated import Family

_SOON = 1_000_000_000  # ns: so late the file before may still be written to when a new one is there
# A rotation renames several files one after the other: what is missing in one look is there in another.
_LOOKS = 5


class Onward(NamedTuple):
    """Reading goes on in `piece` at `offset`.

    breaks: what was read before does not go on there. kind: of the rotation that this shows. gone: what
    followed the place cannot be found. cut: how much is left of the file at the log's path, which was cut.
    next_one: another piece begins.
    """

    piece: Piece
    offset: int
    breaks: bool = False
    kind: str | None = None
    gone: bool = False
    cut: Fit | None = None
    next_one: bool = False


def onward(path: str, at: Place) -> Onward:
    """From a place in the log at `path`; what was read to its end goes on in the piece after it.

    Raises OSError: it cannot be told now.
    """
    for _ in range(_LOOKS):
        family = Family(path, at)
        piece, fit = family.find(at)
        if piece is not None or at.finished:
            break
    live = family.live
    if not (at.finished or at.offset or at.head_size):
        # It was empty. By its inode it is known again, but not what was copied of it since.
        later = family.after(None, msgspec.structs.replace(at, modified=at.modified + _SOON))
        if later is not None and later is not live:
            return Onward(later, 0)
    if at.finished:
        return _after(family, piece, at)
    if piece is None:
        if live is not None and family.closed is not None:
            raise family.closed
        following = _after(family, None, at)
        kind = "truncate" if live is not None and live.inode == at.inode else "rename"
        return following._replace(breaks=True, kind=kind, gone=True)
    breaks = fit.offset != at.offset
    cut = fit if breaks and piece is live else None
    truncated = live is not None and live.inode == at.inode and piece is not live
    return Onward(piece, fit.offset, breaks, "truncate" if truncated or cut is not None else None, cut=cut)


def _after(family: Family, piece: Piece | None, at: Place) -> Onward:
    if family.live is None:
        raise FileNotFoundError(2, os.strerror(2))
    following = family.after(piece, at)
    if following is None:
        # What was read to its end is the file itself: it came back.
        return Onward(family.live, at.offset)
    return Onward(following, 0, next_one=True)
