"""A form of record that the user gives as the format of Python's logging: `%(asctime)s|%(levelname)s|…`."""

import re

from logparse.record.parse import LEVELS
from logparse.record.wrappers.wrapper import Context, Format, Line, asctime, stamp

_FIELD = re.compile(r"%(?:\((?P<key>\w+)\)(?P<width>[-#0+ ]*\d*)(?:\.\d+)?[sdifrxX]|(?P<percent>%))")
_NEEDED = ("asctime", "levelname", "name", "message")
_TIME = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
_KNOWN = {
    "asctime": _TIME,
    "msecs": r"\d{1,3}(?:\.\d+)?",
    "levelname": "[A-Z]+",
    "process": r"\d+",
    "name": r"[\w.\-]+",
    "request_id": r"[\w\-]+",
}
_SAME = {"pid": "process", "db": "dbname", "database": "dbname"}


def template(text: str) -> Format:
    """The form of the records that a server with this log format writes.

    text: what the server gives to `logging.Formatter`, with `%`. asctime, levelname, name and message must be
        in it; process (or pid), dbname, perf_info and request_id are read where they are; others are passed
        over. The message must be the last but for perf_info and fixed text.

    Raises ValueError, with a sentence for the person who wrote it.
    """
    regex = re.compile(_regex(text), re.DOTALL)

    def read(line: bytes, around: Line, context: Context) -> bytes | None:
        found = regex.fullmatch(line.decode(errors="surrogateescape"))
        if found is None:
            return None
        part = found.groupdict(default="")
        level = part["levelname"]
        when = part["asctime"]
        if part.get("msecs") and "," not in when and "." not in when:
            when += f".{int(float(part['msecs'])):03d}"
        time = stamp(when, context)
        if level not in LEVELS or time is None:
            return None
        who = part.get("process") or around.pid or "-"
        if part.get("request_id", "").replace("-", ""):
            who += f"/{part['request_id']}"
        db = part.get("dbname", "").strip() or "?"
        perf = f" {part['perf_info']}" if part.get("perf_info") else ""
        record = f"{asctime(time)} {who} {level} {db} {part['name']}: {part['message']}{perf}\n"
        return record.encode(errors="surrogateescape")

    return Format("the given format", read, (), (), whole=False)


def _regex(text: str) -> str:
    keys = [_SAME.get(match["key"], match["key"]) for match in _FIELD.finditer(text) if match["key"]]
    if not keys:
        raise ValueError(f"{text!r} has no fields; write it as Odoo's is written: {_EXAMPLE}")
    if missing := [key for key in _NEEDED if key not in keys]:
        raise ValueError(f"it lacks %({missing[0]})s, without which a record cannot be read")
    if unread := re.search(r"%(?!%)", _FIELD.sub("", text)):
        raise ValueError(f"what follows its % at {unread.start()} is no field; write %% for a per cent sign")
    after = keys[keys.index("message") + 1 :]
    if set(after) - {"perf_info"}:
        raise ValueError(f"%({after[0]})s follows the message, so that where a message ends cannot be told")
    out, end = "", 0
    done: set[str] = set()
    for match in _FIELD.finditer(text):
        out += re.escape(text[end : match.start()])
        end = match.end()
        if match["percent"]:
            out += "%"
            continue
        key = _SAME.get(match["key"], match["key"])
        if key == "message":
            out += "(?P<message>.*?)(?:"  # the end of a message of several lines is on another line
            continue
        stop = text[end : end + 1]
        regex = _KNOWN.get(key, f"[^{re.escape(stop)}\n]*" if stop not in ("", "%") else r"[^\n]*?")
        if key not in done:
            regex = f"(?P<{key}>{regex})"
            done.add(key)
        out += rf" *{regex} *" if match["width"] else regex
    return out + re.escape(text[end:]) + ")?"


_EXAMPLE = "%(asctime)s %(process)d %(levelname)s %(dbname)s %(name)s: %(message)s"
