"""Logs that grow, read through one lifecycle."""

from collections.abc import Iterator
from pathlib import Path

from logparse.cli.foreign import EXPECTED
from logparse.cli.options import Reading
from logparse.cli.run import open_patterns, open_pipe
from logparse.lifecycle.event import Output
from logparse.lifecycle.lifecycle import Lifecycle
from logparse.pipe import Pipe
from logparse.source.error import SourceError, shown
from logparse.source.follow import Follower, Start
from logparse.source.position import Position, offset_file, save

# A file of which so many bytes hold no record of Odoo is not its log.
_JUDGED = 1 << 16
# Without a new byte: after this a last line is taken for whole, and after that a traceback too.
_QUIET_SECONDS, _LONG_QUIET_SECONDS = 1.0, 5.0


class Live:
    """One followed file: its follower, the pipe that its lines go through, and where its position is kept."""

    def __init__(self, follower: Follower, pipe: Pipe, kept: Path | None) -> None:
        self.follower = follower
        self.pipe = pipe
        self.kept = kept
        self.judged = False
        self.rotations = 0
        self.error: str | None = None


class Following:
    """Follows the files of a Reading; one thread's.

    Each file has a scanner of its own and all share one lifecycle: they are the logs of one installation.

    state: the directory where positions are saved; None for nowhere.
    """

    def __init__(self, reading: Reading, start: Start, state: Path | None = None) -> None:
        self.reading = reading
        self.notes: list[tuple[str, str]] = []
        """(`info` or `warning`, a sentence) on what happens to the files, to be shown and cleared."""
        patterns = open_patterns(reading)
        first = open_pipe(reading, patterns=patterns)
        self.patterns = patterns
        self.lifecycle: Lifecycle = first.lifecycle
        self.live: list[Live] = []
        for path in self._distinct(reading.files):
            kept = None if state is None else offset_file(state, path)
            follower = Follower(path, start=start, offset_file=kept)
            pipe = open_pipe(reading, self.lifecycle, patterns) if self.live else first
            self.live.append(Live(follower, pipe, kept))

    def poll(self) -> tuple[bool, list[Output]]:
        """Whether something new was read, and what it proves (and is wanted).

        While several logs are behind, the one whose records are the oldest goes on first, so that what
        happened in one order is read in about that order.
        """
        read = False
        out: list[Output] = []
        behind = [one for one in self.live if one.follower.lag_bytes > _JUDGED]
        if len(behind) > 1:
            behind = [min(behind, key=lambda one: one.pipe.tally.last or 0)]
        for one in behind or self.live:
            for chunk in one.follower.poll():
                read = read or bool(chunk.data)
                out += one.pipe.feed(chunk)
            self._note(one)
        return read, self._wanted(out)

    def quiet(self, seconds: float) -> list[Output]:
        """What the last lines prove, when nothing has come for `seconds`: to be called at every idle poll."""
        if seconds < _QUIET_SECONDS:
            return []
        long = seconds >= _LONG_QUIET_SECONDS
        return self._wanted([output for one in self.live for output in one.pipe.quiet(long=long)])

    def save(self) -> None:
        """Save the positions. Raises SourceError where one cannot be saved."""
        for one in self.live:
            follower = one.follower
            if one.kept is not None and follower.inode is not None:
                # What the scanner still holds is to be read again.
                at = follower.position - one.pipe.reader.pending
                save(one.kept, Position(follower.inode, at))

    def close(self) -> None:
        """Close the files."""
        for one in self.live:
            one.follower.close()

    def _wanted(self, out: list[Output]) -> list[Output]:
        wants = self.reading.selection.wants
        return [output for output in out if wants(output)]

    def _note(self, one: Live) -> None:
        follower, tally = one.follower, one.pipe.tally
        name = shown(follower.path)
        if follower.error != one.error:
            self.notes.append(
                ("warning", follower.error) if follower.error else ("info", f"{name} can be read again")
            )
            one.error = follower.error
        if (rotations := follower.rotations.total()) != one.rotations:
            one.rotations = rotations
            self.notes.append(("info", f"{name} was rotated"))
        self.notes += (("warning", warning) for warning in follower.warnings)
        follower.warnings.clear()
        if not one.judged and tally.bytes > _JUDGED:
            one.judged = True
            if not tally.headers:
                sentence = (
                    f"{name} does not look like an Odoo server log: no line of it begins like `{EXPECTED}`"
                )
                self.notes.append(("warning", sentence))

    def _distinct(self, paths: tuple[str, ...]) -> Iterator[str]:
        seen: set[tuple[int, int] | str] = set()
        for path in paths:
            if path == "-":
                raise SourceError(
                    "standard input cannot be followed: name the file, or read it with `logparse events -`"
                )
            identity: tuple[int, int] | str
            try:
                info = Path(path).stat()
                identity = (info.st_dev, info.st_ino)
            except (OSError, ValueError):
                identity = str(Path(path).absolute())
            if identity in seen:
                self.notes.append(("warning", f"{shown(path)} was given twice; it is read once"))
                continue
            seen.add(identity)
            yield path
