"""The sink that writes the report as a page."""

from collections.abc import Sequence

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
    """Sees tracebacks go by, and where the log goes on in another file."""

    def __init__(self, source: Source, blame: Blame, timeline: Timeline) -> None:
        self._pipe = source.pipe
        self._blame = blame
        self._timeline = timeline
        self._ended: str | None = None

    def chunk(self, chunk: Chunk) -> None:
        if self._ended is not None and chunk.file != self._ended:
            last = self._pipe.tally.last
            if last is not None:
                self._timeline.rotated(last, f"{shown(self._ended)} to {shown(chunk.file)}")
            self._ended = None
        if chunk.last:
            self._ended = chunk.file

    def fact(self, fact: Fact, *, believed: bool) -> None:
        self._blame.fact(fact, believed=believed)
