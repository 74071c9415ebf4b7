"""What a wrapper is: a form in which other programs keep the lines, or the records, of an Odoo log."""

from collections.abc import Callable
from datetime import UTC, tzinfo

import msgspec

# The mark at the start of a continuation line of which the form proves that it is none but that: whatever
# it holds, it is no record.
SEAL = b"\x01"


class Context(msgspec.Struct, frozen=True):
    """What the user told of the log, or the file system of the file.

    year: of a time that is written without one; 0 where it is not known. zone: of one without a zone.
    """

    year: int = 0
    zone: tzinfo = UTC


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line without the wrapper.

    content: what was wrapped. time: the wrapper's own, ms since the epoch, UTC; None where it has none.
    key: which of several sources the line is from (a container); b"" for the only one.
    partial: the line goes on in the next one of this key.
    """

    content: bytes
    time: int | None = None
    key: bytes = b""
    partial: bool = False


class Wrapper(msgspec.Struct, frozen=True):
    """Something around each line, told by its form.

    name: as `logparse check` says it. loses: what a log so wrapped does not show; "" for nothing.
    unwrap: the line without it, None where the line is not so wrapped.
    samples: wrapped lines and what is in them; not_samples: lines that are not so wrapped.
    """

    name: str
    unwrap: Callable[[bytes, Context], Line | None]
    samples: tuple[tuple[bytes, bytes], ...]
    not_samples: tuple[bytes, ...]
    loses: str = ""


class Format(msgspec.Struct, frozen=True):
    """A form of record other than Odoo's own lines; one line is exactly one record.

    read: the record as Odoo's formatter would have written it (see `canonical`), None where the line is
        no such record. The second argument is the time of the wrapper around it, ms, or None.
    samples: lines, and what `read` makes of them.
    """

    name: str
    read: Callable[[bytes, int | None, Context], bytes | None]
    samples: tuple[tuple[bytes, bytes], ...]
    not_samples: tuple[bytes, ...]
    loses: str = ""


def canonical(
    time: str,
    pid: str,
    request: str,
    level: str,
    db: str,
    logger: str,
    message: str,
    perf: str = "",
    more: str = "",
) -> bytes:
    """A record of another form as Odoo 12 and later would write it, its continuation lines sealed.

    time: `2026-11-24 03:03:42,576`, UTC. pid, request: "" where unknown. more: an exception's text.
    """
    first, *rest = message.split("\n")
    rest += more.split("\n") if more else []
    who = (pid or "-") + (f"/{request}" if request else "")
    head = f"{time} {who} {level} {db or '?'} {logger}: {first}"
    if not rest:
        return f"{head} {perf}\n".encode(errors="replace")
    # The end of a message of several lines, as the formatter marks it.
    end = "" if more else "\n "
    first_end = " " if more else ""
    sealed = "\n".join(SEAL.decode() + line for line in rest)
    return f"{head}{first_end}\n{sealed}{end}\n".encode(errors="replace")
