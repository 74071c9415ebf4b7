"""Sends a trace of each job by OpenTelemetry's exporters: to a collector, or into a file of JSON lines."""

import io
import logging
import re
from collections.abc import Sequence
from typing import IO, BinaryIO, cast
from urllib.parse import urlsplit

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.json.file.trace_exporter import FileSpanExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from logparse import __version__
from logparse.lifecycle.event import Event, Output
from logparse.match.traceback import raised
from logparse.out.error import TracesError
from logparse.out.sink import NEVER, Sink, Source
from logparse.out.texts import Texts
from logparse.out.traces import Attributes, Span, Traces
from logparse.out.whole import WholeFile
from logparse.source.error import shown

_BATCH = 512
_NS = 1_000_000  # in a millisecond
_FIRST_TIMEOUT = 3.0
_SERVICE = "odoo"
_REASON = re.compile(r" code: (?:(?P<code>\d+)|None), reason: (?P<reason>.*)")
# So often (ms of the log) what was told is handed on, so that no more texts come before than are kept.
_OFTEN = 10_000


class Otlp(Sink):
    """A job's trace is sent when the job ends, or the log does; nothing is kept of it then.

    to: a URL (http or https), or the path of a file. texts: whether messages and tracebacks of exceptions
    are sent, too. most: jobs that are held at once. spans: how many were sent.

    Raises TracesError, OSError.
    """

    def __init__(self, to: str, *, texts: bool = False, most: int = 200_000) -> None:
        self.spans = 0
        self._to = to
        self._traces = Traces(most)
        self._texts = Texts() if texts else None
        self.tap = self._texts
        self.due = 0 if texts else NEVER
        self._said = _Said()
        self._ids = _Ids()
        self._made: list[ReadableSpan] = []
        self._target: WholeFile | None = None
        self._exporter: SpanExporter | None = None
        self._stream: _Stream | None = None
        self._shown = shown(to)
        if not is_url(to):
            self.writes = to

    def open(self, source: Source) -> None:
        self._pipe = source.pipe
        # Always the same: other detectors would find the machine that replays, and a random instance.
        resource = Resource({"service.name": _SERVICE}).merge(OTELResourceDetector().detect())
        provider = TracerProvider(ALWAYS_ON, resource, shutdown_on_exit=False, id_generator=self._ids)
        provider.add_span_processor(_Collecting(self._made))
        self._tracer = provider.get_tracer("logparse", __version__)
        if is_url(self._to):
            endpoint = endpoint_of(self._to)
            self._shown = shown(_without_password(endpoint))
            self._send(OTLPSpanExporter(endpoint, timeout=_FIRST_TIMEOUT), [])  # is somebody there?
            self._exporter = OTLPSpanExporter(endpoint)
        else:
            self._target = WholeFile(self._to)
            self._stream = _Stream(self._target.file)
            self._exporter = FileSpanExporter(stream=cast("IO[str]", self._stream))

    def add(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            if isinstance(output, Event) and output.uuid is not None:
                self._take(self._traces.add(output, self._text_of(output)))

    def _text_of(self, event: Event) -> Attributes:
        text = self._texts.of(event, self._pipe) if self._texts is not None else None
        if text is None:
            return {}
        if event.event != "failed":
            return {"odoo.job.message": text}
        first, _, rest = text.partition("\n")
        found = raised(first, rest)
        message: Attributes = {"exception.message": found.text} if found is not None else {}
        return {**message, "exception.stacktrace": text}

    def look(self, time: int) -> None:
        self.due = time + _OFTEN

    def finish(self) -> None:
        for spans in self._traces.rest(self._pipe.lifecycle.now):
            self._take(spans)
        self._export()
        if self._target is not None:
            self._target.commit()
        self._said.close()

    def discard(self) -> None:
        if self._target is not None:
            self._target.discard()
        self._said.close()

    def _take(self, spans: Sequence[Span]) -> None:
        for span in spans:
            self._make(span)
        if len(self._made) >= _BATCH:
            self._export()

    def _make(self, span: Span) -> None:
        parent = None
        if span.parent is not None:
            parent = set_span_in_context(NonRecordingSpan(_context(span.trace, span.parent)), Context())
        self._ids.trace, self._ids.span = span.trace, span.id
        made = self._tracer.start_span(
            span.name,
            context=parent or Context(),
            kind=SpanKind.CONSUMER if span.kind == "attempt" else SpanKind.INTERNAL,
            attributes=_unicode(span.attributes),
            links=[Link(_context(span.trace, link)) for link in span.links],
            start_time=_ns(span.start),
        )
        for moment in span.moments:
            made.add_event(moment.name, _unicode(moment.attributes), _ns(moment.time))
        if span.error is not None:
            made.set_status(Status(StatusCode.ERROR, _clean(span.error)))
        elif span.ok:
            made.set_status(Status(StatusCode.OK))
        made.end(_ns(span.end))

    def _export(self) -> None:
        spans = self._made[:]
        self._made.clear()
        if spans and self._exporter is not None:
            self._send(self._exporter, spans)
            self.spans += len(spans)

    def _send(self, exporter: SpanExporter, spans: Sequence[ReadableSpan]) -> None:
        if exporter.export(spans) is SpanExportResult.SUCCESS:
            return
        if self._stream is not None and self._stream.error is not None:
            error = self._stream.error
            raise OSError(error.errno, error.strerror, self._to)
        if not spans:
            raise TracesError(
                f"{self._shown} does not take traces: {self._said.why}; give the address of an OpenTelemetry "
                "collector (OTLP over HTTP, usually port 4318)"
            )
        raise TracesError(
            f"{self._shown} took {self.spans:,} spans and then no more: {self._said.why}; another replay "
            "sends them again, under the same ids"
        )


def is_url(to: str) -> bool:
    """Whether it names a collector; else a file."""
    return to.startswith(("http://", "https://"))


def endpoint_of(url: str) -> str:
    """Where traces are sent: the URL, or for one without a path OTLP's own. Raises TracesError."""
    try:
        parts = urlsplit(url)
        if not parts.hostname or parts.port == 0:
            raise ValueError
    except ValueError as error:
        raise TracesError(f"{shown(url)} is no URL; write it like http://127.0.0.1:4318") from error
    return url if parts.path not in ("", "/") else parts._replace(path="/v1/traces").geturl()


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


class _Ids(IdGenerator):
    """Gives the ids that were set: those of the job."""

    def __init__(self) -> None:
        self.trace = self.span = 1

    def generate_trace_id(self) -> int:
        return self.trace

    def generate_span_id(self) -> int:
        return self.span


class _Collecting(SpanProcessor):
    """Puts spans that have ended into a list."""

    def __init__(self, made: list[ReadableSpan]) -> None:
        self._made = made

    def on_end(self, span: ReadableSpan) -> None:
        self._made.append(span)


class _Stream(io.TextIOBase):
    """Text into a file of bytes; error: why it could not be written, which the exporter does not tell."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self.error: OSError | None = None
        self._file = file

    def write(self, text: str) -> int:
        try:
            return self._file.write(text.encode())
        except OSError as error:
            self.error = error
            raise


class _Said(logging.Handler):
    """What OpenTelemetry logs, instead of on standard error."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._last = ""
        self._logger = logging.getLogger("opentelemetry")
        self._propagated = self._logger.propagate
        self._logger.propagate = False
        self._logger.addHandler(self)

    @property
    def why(self) -> str:
        """Why the last export failed."""
        found = _REASON.search(self._last)
        if found is None:
            return "nobody answers" if "retries" in self._last else self._last
        return f"it answers {found['code']} {found['reason']}" if found["code"] else found["reason"]

    def emit(self, record: logging.LogRecord) -> None:
        self._last = record.getMessage().partition("\n")[0].rstrip(".")

    def close(self) -> None:
        self._logger.removeHandler(self)
        self._logger.propagate = self._propagated
        super().close()


def _context(trace: int, span: int) -> SpanContext:
    return SpanContext(trace, span, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _ns(ms: int) -> int:
    return max(ms, 0) * _NS


def _unicode(attributes: Attributes) -> Attributes:
    return {name: _clean(value) if isinstance(value, str) else value for name, value in attributes.items()}


def _clean(text: str) -> str:
    """Without lone surrogates, which come from bytes that were no UTF-8."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
