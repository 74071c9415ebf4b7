"""What container runtimes put around each line: Docker's files, compose and Kubernetes prefixes."""

import re

import msgspec

from logparse.record.wrappers.wrapper import Context, Line, Wrapper, stamp

_COMPOSE = re.compile(rb"(?P<name>[a-zA-Z0-9][\w.\-]{0,99}?)\s*\| ?(?P<text>.*)", re.DOTALL)
_KUBECTL = re.compile(
    rb"\[(?:pod/)?(?P<name>[a-z0-9][a-z0-9.\-]{0,252}/[a-z0-9\-]{1,63})\] (?P<text>.*)", re.DOTALL
)
_STAMP = rb"(?P<when>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) "
_CRI = re.compile(_STAMP + rb"(?:stdout|stderr) (?P<flag>[FP])(?::[^ ]*)? ?(?P<text>.*)", re.DOTALL)
_STAMPED = re.compile(_STAMP + rb"(?P<text>.*)", re.DOTALL)


class _Entry(msgspec.Struct):
    log: str
    stream: str
    time: str


_decode = msgspec.json.Decoder(_Entry).decode


def unwrap_docker(line: bytes, context: Context) -> Line | None:
    """A file of Docker's `json-file` driver; a part of a line of over 16 KiB has no newline at its end."""
    if not line.startswith(b"{") or b'"log"' not in line:
        return None
    try:
        entry = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    time = stamp(entry.time, context)
    if time is None:
        return None
    text = entry.log.encode(errors="replace")
    return Line(text.removesuffix(b"\n").removesuffix(b"\r"), time, partial=not text.endswith(b"\n"))


def unwrap_compose(line: bytes, context: Context) -> Line | None:
    """`docker compose logs`: the container's name, padded, and a bar."""
    match = _COMPOSE.match(line)
    return Line(match["text"], key=match["name"]) if match else None


def unwrap_kubectl(line: bytes, context: Context) -> Line | None:
    """`kubectl logs --prefix`: the pod and the container in brackets."""
    match = _KUBECTL.match(line)
    return Line(match["text"], key=match["name"]) if match else None


def unwrap_cri(line: bytes, context: Context) -> Line | None:
    """A file of the container runtime interface; `P` is a part of a long line, `F` its last part."""
    match = _CRI.match(line)
    if match is None:
        return None
    return Line(match["text"], stamp(match["when"].decode(), context), partial=match["flag"] == b"P")


def unwrap_stamped(line: bytes, context: Context) -> Line | None:
    """`kubectl logs --timestamps`, `docker logs --timestamps`."""
    match = _STAMPED.match(line)
    if match is None:
        return None
    return Line(match["text"], stamp(match["when"].decode(), context))


WRAPPERS = (
    Wrapper(
        "Docker's json-file",
        unwrap_docker,
        (
            (
                b'{"log":"2026-11-24 02:54:42,000 7 INFO ? odoo: \\"x\\"\\n","stream":"stderr",'
                b'"time":"2026-11-24T02:54:42.000123456Z"}',
                b'2026-11-24 02:54:42,000 7 INFO ? odoo: "x"',
            ),
            (b'{"log":"\\n","stream":"stdout","attrs":{"a":"b"},"time":"2026-11-24T02:54:42Z"}', b""),
        ),
        (
            b'{"log":"x\\n"}',
            b'{"log": {"level": "x"}, "stream": "a", "time": "2026-11-24T02:54:42Z"}',
            b'{"asctime": "2026-11-24 02:54:42,000", "message": "\\"log\\""}',
        ),
    ),
    Wrapper(
        "docker compose logs",
        unwrap_compose,
        (
            (
                b"odoo-1  | 2026-11-24 02:54:42,000 7 INFO ? odoo: x",
                b"2026-11-24 02:54:42,000 7 INFO ? odoo: x",
            ),
            (b"odoo_1 | Traceback", b"Traceback"),
            (b"odoo-1  | ", b""),
        ),
        (b"2026-11-24 02:54:42,000 7 INFO ? odoo: a | b",),
    ),
    Wrapper(
        "kubectl logs --prefix",
        unwrap_kubectl,
        ((b"[pod/odoo-7c9f-x2/odoo] Traceback", b"Traceback"),),
        (b"[odoo] x", b"2026-11-24 02:54:42,000 7 INFO ? odoo: [a/b] x"),
    ),
    Wrapper(
        "Kubernetes (CRI)",
        unwrap_cri,
        (
            (b"2026-11-24T02:54:42.647123456Z stderr F Traceback", b"Traceback"),
            (b"2026-11-24T02:54:42.647+01:00 stdout P half", b"half"),
        ),
        (b"2026-11-24T02:54:42.647Z Traceback",),
    ),
    Wrapper(
        "time stamps (--timestamps)",
        unwrap_stamped,
        ((b"2026-11-24T02:54:42.647123456Z Traceback", b"Traceback"),),
        (b"2026-11-24 02:54:42,000 7 INFO ? odoo: x",),
    ),
)
