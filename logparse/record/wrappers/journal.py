"""journald's entries as JSON objects: `journalctl -o json`."""

from typing import Any

import msgspec

from logparse.record.wrappers.wrapper import Context, Line, Wrapper

_decode = msgspec.json.Decoder(dict[str, Any]).decode
# Of the process that wrote to the socket; what went to standard output has the pid of the service.
_OF_THE_WRITER = ("syslog", "journal")
_SOURCE = ("CONTAINER_NAME", "_SYSTEMD_UNIT", "SYSLOG_IDENTIFIER")


def unwrap_journal(line: bytes, context: Context) -> Line | None:
    """An entry: its MESSAGE, as text or as an array of bytes; it may have several lines."""
    if not line.startswith(b"{") or b'"__REALTIME_TIMESTAMP"' not in line:
        return None
    try:
        entry = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    message, stamp = entry.get("MESSAGE"), entry.get("__REALTIME_TIMESTAMP")
    if isinstance(message, str):
        content = message.encode(errors="replace")
    elif isinstance(message, list) and all(isinstance(byte, int) and 0 <= byte < 256 for byte in message):
        content = bytes(message)
    else:
        return None  # null: longer than journalctl prints without --all
    if not isinstance(stamp, str) or not stamp.isascii() or not stamp.isdecimal() or len(stamp) > 17:
        return None
    pid = entry.get("_PID") if entry.get("_TRANSPORT") in _OF_THE_WRITER else None
    host = entry.get("_HOSTNAME")
    names = [host] if isinstance(host, str) else []
    names += [name for field in _SOURCE if isinstance(name := entry.get(field), str)][:1]
    return Line(
        content.removesuffix(b"\n"),
        (int(stamp) + 500) // 1000,
        " ".join(names).encode(errors="replace"),
        pid=pid if isinstance(pid, str) and pid.isascii() and pid.isdecimal() and len(pid) < 19 else "",
    )


WRAPPERS = (
    Wrapper(
        "journalctl -o json",
        unwrap_journal,
        (
            (b'{"__REALTIME_TIMESTAMP":"1795490702597396","MESSAGE":"x","_PID":"7"}', b"x"),
            (b'{"MESSAGE":[97,27,10,98],"__REALTIME_TIMESTAMP":"1795490702597396"}', b"a\x1b\nb"),
        ),
        (
            b'{"MESSAGE":null,"__REALTIME_TIMESTAMP":"1795490702597396"}',
            b'{"MESSAGE":"x"}',
            b'{"MESSAGE":[300],"__REALTIME_TIMESTAMP":"1795490702597396"}',
        ),
        loses="messages that are longer than journalctl prints without --all",
    ),
)
