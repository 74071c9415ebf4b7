"""The sink that writes the report as a page."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import PurePath

from logparse.lifecycle.event import Event, Output
from logparse.match.fact import Fact
from logparse.out.page.blame import Blame
from logparse.out.page.render import page
from logparse.out.page.stories import Stories
from logparse.out.sink import Sink, Source
from logparse.out.summed import Summed
from logparse.out.timeline import Timeline
from logparse.out.whole import WholeFile
from logparse.pipe import Tap
from logparse.source.chunk import Chunk
from logparse.source.error import shown


class Page(Sink):
    """Writes an HTML page. summed, timeline: sinks before it, whose numbers it shows.

    texts: whether messages and tracebacks of exceptions are shown, too. size: bytes that were written.

    Raises OSError: the file cannot be written.
    """

    def __init__(self, path: str, summed: Summed, timeline: Timeline, *, texts: bool = False) -> None:
        self.writes: str = path
        self.size = 0
        self._file: WholeFile | None = None
        self._summed = summed
        self._timeline = timeline
        self._texts = texts
        self._stories = Stories(summed.summary)

    def open(self, source: Source) -> None:
        self._file = WholeFile(self.writes)
        self._blame = Blame(source.pipe, texts=self._texts)
        self.tap = _Watch(source, self._blame, self._timeline)

    def add(self, outputs: Sequence[Output]) -> None:
        story, blame, counts = self._stories.add, self._blame.add, self._summed.summary.counts
        for output in outputs:
            if isinstance(output, Event) and (uuid := output.uuid) is not None:
                story(output, uuid)
                if output.event == "failed":
                    blame(output, counts.labels(output.db, output.channel)[0])

    def finish(self) -> None:
        content = page(
            self._summed.report,
            self._timeline,
            self._blame.groups(),
            self._stories,
            texts=self._texts,
        )
        self.size = len(content)
        if self._file is not None:
            self._file.write(content)
            self._file.commit()

    def discard(self) -> None:
        if self._file is not None:
            self._file.discard()


class _Watch(Tap):
    """Sees tracebacks go by, and where the log of a server goes on in another file."""

    def __init__(self, source: Source, blame: Blame, timeline: Timeline) -> None:
        self._pipe = source.pipe
        self._blame = blame
        self._timeline = timeline
        self._next = {file: after for files in source.streams for file, after in pairwise(files)}
        # file -> the one that it follows, and when that ended
        self._ended: dict[str, tuple[str, int]] = {}

    def chunk(self, chunk: Chunk) -> None:
        last = self._pipe.tally.last
        if (before := self._ended.pop(chunk.file, None)) is not None:
            file, ended = before
            self._timeline.rotated(ended, f"{_name(file)} to {_name(chunk.file)}")
        if chunk.last and last is not None and (after := self._next.get(chunk.file)) is not None:
            self._ended[after] = (chunk.file, last)

    def fact(self, fact: Fact, *, believed: bool) -> None:
        self._blame.fact(fact, believed=believed)


def _name(path: str) -> str:
    return shown(PurePath(path).name)
