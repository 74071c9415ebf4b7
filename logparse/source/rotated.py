"""The pieces of a log that was rotated: found by their names, told apart by content, in order of time."""

import os
import re
from heapq import merge

from logparse.source.place import Fit, Piece, Place, fits, look
from logparse.source.position import Position, RotatedFile

COMPRESSED = re.compile(r"\.(?:gz|zst|zstd|bz2|xz|Z)\Z")
# logrotate's and savelog's `.1`.
_NUMBER = re.compile(r"[.-](\d{1,4})\Z")
# logrotate's dateext (also with a format of its own), TimedRotatingFileHandler's `.2026-11-24`.
_DATE = re.compile(r"[._-](\d{4}-?\d\d(?:[-_.T:]?\d+)*)\Z")
# logrotate's `-2026112420.backup`: the file that a program made anew before logrotate's `create` could.
_BACKUP = re.compile(r"-(\d{8,14})\.backup\Z")

# Kubernetes' `0.log`, the first of a container, and `0.log.20261124-080000`, a piece of it.
_CONTAINER = re.compile(r"(\d{1,4})\.log(?:\.(\d{8}-\d{6}))?")

# (path, the base name that it may be a rotation of, inode)
Candidate = tuple[str, str, int]
_LOOKS = 20


class Family:
    """All that can be read of a log now: the pieces, the oldest first, and the file itself.

    path: the log's. pieces: without the file itself, each content once. live: the file, None where it is
    missing. others: files of a like name that need not be pieces of it (a copy that somebody made).
    closed: a file of such a name that may not be read; its error.
    """

    def __init__(self, path: str, place: Place | None = None) -> None:
        self.path = path
        for _ in range(_LOOKS):
            before = _candidates(path, place)
            self._look_at(before, place)
            # A rotation renames the files one after the other: in the midst of it one may be overlooked.
            if _candidates(path, place) == before:
                break

    def _look_at(self, candidates: list[Candidate], place: Place | None) -> None:
        self.closed: OSError | None = None
        self.live = self._look(self.path)
        named: dict[str, tuple[str, tuple[int, ...]]] = {}
        others: list[str] = []
        for candidate, base, _ in candidates:
            rank = rank_of(os.path.basename(candidate), base)  # noqa: PTH119
            if rank is not None:
                named[candidate] = rank
            elif os.path.basename(candidate).startswith(base):  # noqa: PTH119
                others.append(candidate)
        found = [piece for name in named if (piece := self._look(name)) is not None and piece.size]
        found.sort(key=lambda piece: (named[piece.path][1], piece.modified))
        kinds = {name: kind for name, (kind, _) in named.items()}
        self.pieces = self._distinct(_in_order(found, kinds), place)
        known = {(piece.device, piece.inode) for piece in found}
        if self.live is not None:
            known.add((self.live.device, self.live.inode))
        self.others = [
            piece
            for name in others
            if (piece := self._look(name)) is not None and (piece.device, piece.inode) not in known
        ]

    def find(self, place: Place, *, at_path: bool = True) -> tuple[Piece | None, Fit]:
        """The piece that the place is in, and where reading goes on in it; None where it is not found.

        at_path: it may be the file at the log's path.
        """
        candidates = [*self.pieces, *self.others]
        if self.live is not None and at_path:
            candidates.insert(0, self.live)
        candidates.sort(key=lambda piece: (piece.inode != place.inode, piece.kind is not None))
        best: Piece | None = None
        most = Fit(0)
        for piece in candidates:
            fit = fits(piece, place)
            if fit is not None and fit.offset == place.offset and not fit.doubtful:
                return piece, fit
            if fit is not None and fit.offset > most.offset:
                best, most = piece, fit
        if best is None and not place.head_size and place.inode:
            # What pygtail would take, of a place that is its own.
            name = RotatedFile(self.path, Position(place.inode, place.offset)).find()
            for piece in self.pieces:
                if piece.path == name and piece.kind is None and piece.size >= place.offset:
                    return piece, Fit(place.offset)
        return best, most

    def after(self, piece: Piece | None, place: Place) -> Piece | None:
        """The piece, or the file itself, that follows `piece`; the file itself follows all.

        piece: None where it is gone: what was last written after the place was is then later.
        """
        if piece is not None and piece is self.live:
            return None
        if piece is not None and piece in self.pieces:
            later = self.pieces[self.pieces.index(piece) + 1 :]
        else:
            since = place.modified if piece is None else piece.modified
            known = piece is not None or since
            later = [other for other in self.pieces if other.modified > since] if known else []
        return later[0] if later else self.live

    def since(self, time: int) -> Piece | None:
        """The first piece that was written to at that time (ms since the epoch) or later."""
        return next((piece for piece in self.pieces if piece.modified >= time * 1_000_000), self.live)

    def _look(self, path: str) -> Piece | None:
        try:
            return look(path)
        except OSError as error:
            if path != self.path:
                self.closed = error
                return None
            raise

    def _distinct(self, found: list[Piece], place: Place | None) -> list[Piece]:
        """Each content once: while a piece is being compressed or copied it is there twice."""
        kept: list[Piece] = []
        live = self.live
        for piece in found:
            if live is not None and (
                (piece.device, piece.inode) == (live.device, live.inode) or piece.copies(live)
            ):
                continue
            twin = next((other for other in kept if _same(other, piece)), None)
            if twin is None:
                kept.append(piece)
            elif _better(piece, twin, place):
                kept[kept.index(twin)] = piece
        return kept


def _in_order(found: list[Piece], kinds: dict[str, str]) -> list[Piece]:
    """Pieces that are in the order of their names, in that of time.

    Where another way of naming them, or another compressor, was chosen some day, names tell the order among
    those of one way only: the old numbers stay where they are, and the new ones begin again. Between them it
    is told by when they were last written.
    """
    ways: dict[tuple[str, str], list[Piece]] = {}
    for piece in found:
        compressed = COMPRESSED.search(piece.path)
        number = kinds[piece.path] == "number"
        way = (kinds[piece.path], compressed[0] if compressed and number else "")
        ways.setdefault(way, []).append(piece)
    # What is not compressed yet goes with the others, where all are compressed alike.
    if len({kind for kind, _ in ways}) == 1 and len([way for way in ways if way[1]]) <= 1:
        return found
    return list(merge(*ways.values(), key=lambda piece: piece.modified))


def rank_of(name: str, base: str) -> tuple[str, tuple[int, ...]] | None:
    """How `name` is made of the log's name `base` by a rotation: (kind, what sorts); None: it is not.

    A date may stand before the log's extension (`odoo-20261124.log`). Of a container that Kubernetes starts
    anew the log `0.log` goes on in `1.log`.
    """
    bare = COMPRESSED.sub("", name)
    if _CONTAINER.fullmatch(base) is not None:
        found = _CONTAINER.fullmatch(bare)
        return None if found is None else ("container", (int(found[1]), *_numbers(found[2] or "99999999")))
    stem, dot, extension = base.rpartition(".")
    if bare.startswith(base):
        tag = bare[len(base) :]
    elif dot and bare.startswith(stem) and bare.endswith(dot + extension):
        tag = bare[len(stem) : -len(extension) - 1]
        if _NUMBER.fullmatch(tag):
            return None
    else:
        return None
    if (number := _NUMBER.fullmatch(tag)) is not None:
        return "number", (-int(number[1]),)
    if (date := _DATE.fullmatch(tag)) is not None:
        return "date", _numbers(date[1])
    if (backup := _BACKUP.fullmatch(tag)) is not None:
        return "backup", _numbers(backup[1])
    return None


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))


def _candidates(path: str, place: Place | None) -> list[Candidate]:
    """The files that lie beside the log."""
    bases = {os.path.abspath(path): None, os.path.realpath(path): None}  # noqa: PTH100
    if place is not None and place.path:
        bases[place.path] = None
    found: dict[str, Candidate] = {}
    for base in bases:
        folder, name = os.path.split(base)
        # All logs of a container have a number for a name.
        stem = "" if _CONTAINER.fullmatch(name) else name.rpartition(".")[0] or name
        try:
            with os.scandir(folder) as entries:
                beside = [(entry.name, entry.inode()) for entry in entries if entry.name.startswith(stem)]
        except OSError:
            continue
        for other, inode in sorted(beside):
            whole = os.path.join(folder, other)  # noqa: PTH118
            if whole != os.path.abspath(path):  # noqa: PTH100
                found.setdefault(whole, (whole, name, inode))
    return list(found.values())


def _same(one: Piece, other: Piece) -> bool:
    return (one.device, one.inode) == (other.device, other.inode) or one.copies(other)


def _better(one: Piece, other: Piece, place: Place | None) -> bool:
    if place is not None and (one.inode == place.inode) != (other.inode == place.inode):
        return one.inode == place.inode
    if (one.kind is None) != (other.kind is None):
        return one.kind is None
    return one.size > other.size
