"""What container runtimes put around each line: compose and Kubernetes prefixes."""

import re
from datetime import datetime

from logparse.record.wrappers.wrapper import Context, Line, Wrapper

_COMPOSE = re.compile(rb"(?P<name>[a-zA-Z0-9][\w.\-]{0,99}?)\s*\| ?(?P<text>.*)", re.DOTALL)
_STAMP = rb"(?P<when>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) "
_CRI = re.compile(_STAMP + rb"(?:stdout|stderr) (?P<flag>[FP])(?::[^ ]*)? ?(?P<text>.*)", re.DOTALL)
_STAMPED = re.compile(_STAMP + rb"(?P<text>.*)", re.DOTALL)


def unwrap_compose(line: bytes, context: Context) -> Line | None:
    """`docker compose logs`: the container's name, padded, and a bar."""
    match = _COMPOSE.match(line)
    return Line(match["text"], key=match["name"]) if match else None


def unwrap_cri(line: bytes, context: Context) -> Line | None:
    """A file of the container runtime interface; `P` is a part of a long line, `F` its last part."""
    match = _CRI.match(line)
    if match is None:
        return None
    return Line(match["text"], milliseconds_of(match["when"]), partial=match["flag"] == b"P")


def unwrap_stamped(line: bytes, context: Context) -> Line | None:
    """`kubectl logs --timestamps`, `docker logs --timestamps`."""
    match = _STAMPED.match(line)
    if match is None:
        return None
    return Line(match["text"], milliseconds_of(match["when"]))


def milliseconds_of(stamp: bytes) -> int | None:
    """An RFC 3339 time as ms since the epoch; None where it is none."""
    text = stamp.decode()
    if "." in text:
        # Python reads six digits at the most; runtimes write nine.
        whole, _, rest = text.partition(".")
        digits = re.match(r"\d+", rest)
        count = digits.end() if digits else 0
        text = f"{whole}.{rest[:count][:6]}{rest[count:]}"
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000 + 0.5)
    except ValueError:
        return None


WRAPPERS = (
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
