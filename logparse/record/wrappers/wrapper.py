"""What a wrapper is: a form in which other programs keep the lines, or the records, of an Odoo log."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo

import msgspec

# The mark at the start of a continuation line of which the form proves that it is none but that: whatever
# it holds, it is no record.
SEAL = b"\x01"
_FRACTION = re.compile(r"[.,](\d+)")
# So much earlier than the line before a line may be, in ms: lines of several processes.
_BACK = 10_000


class Context(msgspec.Struct, frozen=True):
    """What the user told of the log, or the file system of the file.

    zone: of times that are written without one. year: of the first time that is written without one; 0
    where it is not known. dates: when a file was last written, by its path, ms since the epoch. latest: no
    such time is later than this, ms; None: not known.
    near: about when the line before was written, once a line told; then it counts, and neither of them.
    forms: forms of records that the user gave.
    """

    zone: tzinfo = UTC
    year: int = 0
    dates: Mapping[str, int] = msgspec.field(default_factory=dict)
    latest: int | None = None
    near: int | None = None
    forms: "tuple[Format, ...]" = ()

    @property
    def utc(self) -> bool:
        """Whether times without a zone are UTC, as Odoo's."""
        return self.zone is UTC


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line without the wrapper.

    content: what was wrapped. time: the wrapper's own, ms since the epoch, UTC; None where it has none.
    key: which of several sources the line is from (a container); b"" for the only one.
    partial: the line goes on in the next one of this key. pid: the wrapper's, of the process that wrote
    the line to a syslog socket; "" where it has none, or another program's.
    """

    content: bytes
    time: int | None = None
    key: bytes = b""
    partial: bool = False
    pid: str = ""


BARE = Line(b"")
"""Around a line that has nothing around it."""


class Wrapper(msgspec.Struct, frozen=True):
    """Something around each line, told by its form.

    name: as `logparse check` says it. loses: what a log so wrapped does not show; "" for nothing.
    unwrap: the line without it, None where the line is not so wrapped.
    samples: wrapped lines and what is in them; not_samples: lines that are not so wrapped.
    measure: the wrapper as this line has it, where it differs from log to log (an indentation); its first
        sample has it, too.
    indents: the further lines of a message are indented as far as its text, and have nothing else around.
    """

    name: str
    unwrap: Callable[[bytes, Context], Line | None]
    samples: tuple[tuple[bytes, bytes], ...]
    not_samples: tuple[bytes, ...]
    loses: str = ""
    measure: "Callable[[bytes], Wrapper] | None" = None
    indents: bool = False


class Format(msgspec.Struct, frozen=True):
    """A form of record other than Odoo's own lines.

    read: the record as Odoo's formatter would have written it (see `canonical`), None where the line is
        no such record. The second argument is what was around the line.
    samples: lines, and what `read` makes of them, where `around` is around them.
    whole: one line is exactly one record; else continuation lines follow it as they are.
    """

    name: str
    read: Callable[[bytes, Line, Context], bytes | None]
    samples: tuple[tuple[bytes, bytes], ...]
    not_samples: tuple[bytes, ...]
    loses: str = ""
    whole: bool = True
    around: Line = BARE


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


def asctime(time: int) -> str:
    """The time (ms since the epoch) as Odoo writes it, UTC."""
    when = datetime.fromtimestamp(time // 1000, UTC)
    return f"{when:%Y-%m-%d %H:%M:%S},{time % 1000:03d}"


def stamp(text: str, context: Context) -> int | None:
    """A time in ISO 8601 as ms since the epoch; in the context's zone, where it has none; None: it is none.

    Of the digits of a second more than six are left out.
    """
    digits = _FRACTION.search(text)
    if digits is not None:
        text = f"{text[: digits.start()]}.{digits[1][:6]:<06}{text[digits.end() :]}"
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment(when, context)


def moment(when: datetime, context: Context) -> int | None:
    """The time as ms since the epoch. None where it lies out of all bounds.

    A time without a zone is one of the context's zone; of the two that it has when clocks are set back, the
    first that is not before the line before.
    """
    try:
        if when.tzinfo is not None:
            return round(when.timestamp() * 1000)
        first = round(when.replace(tzinfo=context.zone).timestamp() * 1000)
        if context.utc or context.near is None or first >= context.near - _BACK:
            return first
        return round(when.replace(tzinfo=context.zone, fold=1).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return None
