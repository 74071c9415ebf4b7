"""lnav's log format: all records, those of jobs with their fields, and a job's uuid as the operation."""

import json

from logparse.export.line import DATABASE, NO_DATABASE, OLD_END, header, message_of, renamed, unnamed
from logparse.export.signal import CATCHERS, Signal

FORMAT = "odoo_queue_job"
"""The format's name, and its table's."""

_TIME = r"(?P<timestamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) (?P<pid>\d+) "
# What may follow a message's first line: lnav finds a record by it, and reads fields in the whole.
_REST = r" ?\r?(?:\n(?s:.*))?$"
_EXCEPTION = (
    rf" ?\r?(?:\n(?:(?s:.*?)  File {CATCHERS}[^\n]*\n(?:(?:[ \t\r][^\n]*)?\n)*"
    r"(?P<exception>[A-Za-z_][\w.<>]*)[ \t\r]*(?:[:\n](?s:.*))?|(?s:.*)))?$"
)
_RULE = {"none": "", "any": "", "job": rf"(?!{NO_DATABASE} )"}
# Names of fields that SQL would not take, or that say too little in a table.
_COLUMNS = {"uuid": "job_uuid", "from": "from_state", "to": "to_state"}
_KINDS = {
    "queries": "integer",
    "status": "integer",
    "sql_seconds": "float",
    "other_seconds": "float",
    "seconds": "float",
}


def log_format(signals: tuple[Signal, ...]) -> str:
    """The format file, as JSON. Each signal is a column of its event's name that holds the message, or NULL.

    lnav tries first the regex that took the line before. So the one for all other records excludes those that
    another one takes, by a lookahead, which PCRE has.
    """
    patterns: dict[str, dict[str, str]] = {}
    others: list[str] = []
    names = {"exception"}
    samples: list[str] = []
    for signal in signals:
        for pattern in signal.patterns:
            db = f"{_RULE[pattern.db]}(?P<record_db>{DATABASE})"
            head = header(pattern, prefix=_TIME, database=db, names=True)
            message = message_of(pattern, "")
            for name, column in _COLUMNS.items():
                message = message.replace(f"(?P<{name}>", f"(?P<{column}>")
            end = _REST if pattern.regex.endswith("$") else "(?s:.*)$"
            if signal.end(pattern) == OLD_END:
                end = end.removeprefix(" ?")
            rest = _EXCEPTION if signal.label == "exception" else end
            patterns[pattern.id.replace(".", "_")] = {
                "pattern": renamed(f"{head}(?P<body>(?P<{signal.event}>{message})){rest}")
            }
            bare = header(pattern, prefix="", database=_RULE[pattern.db] + DATABASE)
            others.append(unnamed(f"{bare[1:]}{message}{end}"))
            names |= {_COLUMNS.get(name, name) for name in pattern.names}
            samples += [_first(sample.line) for sample in pattern.samples]
    other = (
        rf"^{_TIME}(?!{'|'.join(others)})(?P<level>[A-Z]+) (?P<record_db>{DATABASE})"
        r" (?P<logger>[A-Za-z_][\w.\-]*): (?P<body>(?s:.*))$"
    )
    patterns["other"] = {"pattern": renamed(other)}
    samples.append("2026-11-24 03:00:18,770 25516 INFO ? odoo.modules.loading: 58 modules loaded in 0.52s ")
    values: dict[str, dict[str, object]] = {
        "pid": {"kind": "integer", "foreign-key": True},
        "record_db": {"kind": "string", "identifier": True},
        "logger": {"kind": "string", "identifier": True},
        **{name: _value(name) for name in sorted(names)},
        **{signal.event: {"kind": "string", "hidden": True} for signal in signals},
    }
    definition = {
        "title": "Odoo with queue_job",
        "description": "Odoo's server log, with what happens to OCA queue_job's jobs.",
        "url": "https://github.com/OCA/queue",
        "regex": patterns,
        "timestamp-format": ["%Y-%m-%d %H:%M:%S,%L"],
        "level-field": "level",
        "level": {level.lower(): f"^{level}$" for level in ("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG")},
        "opid-field": "job_uuid",
        "body-field": "body",
        "multiline": True,
        "value": values,
        "sample": [{"line": line} for line in dict.fromkeys(samples)],
    }
    schema = "https://lnav.org/schemas/format-v1.schema.json"
    return json.dumps({"$schema": schema, FORMAT: definition}, indent=2, ensure_ascii=False) + "\n"


def _first(sample: str) -> str:
    return sample.partition("\n")[0]


def _value(name: str) -> dict[str, object]:
    kind = _KINDS.get(name, "string")
    return {"kind": kind, "identifier": True} if kind == "string" else {"kind": kind}
