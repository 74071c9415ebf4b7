"""mtail's program: the same signals, counted line by line."""

from logparse.export.line import COLOUR, DATABASE, PREFIX, any_of, coloured, header, message_of, unnamed
from logparse.export.signal import ACCESS, BUCKETS, CATCHERS, Signal
from logparse.export.signal import PREFIX as METRICS
from logparse.match.interest import interest
from logparse.match.pattern import Pattern, PatternSet

_DB = f"(?P<record_db>{DATABASE})"


def program(signals: tuple[Signal, ...], *, http: bool = False) -> str:
    """The whole program. http: also counts every access line."""
    lines = [
        *_declarations(signals, http=http),
        "",
        "# Where a job's traceback is, line by line. head: one began; own: in the frames of the job's own;",
        "# cause: in those of another; after: behind the class of that one.",
        "hidden text traceback by file",
        "hidden text traceback_db by file",
        "hidden text traceback_class by file",
        "",
        f"/^{PREFIX}/ {{",
        "  # A record begins. Of a traceback that did not show whose it is, the last class counts.",
        '  traceback[getfilename()] != "" {',
        f"    {METRICS}failed_total[traceback_db[getfilename()]][traceback_class[getfilename()]]++",
        '    traceback[getfilename()] = ""',
        "  }",
    ]
    if http:
        lines += _http()
    patterns = tuple(pattern for signal in signals for pattern in signal.patterns)
    gates = interest(PatternSet(patterns, "", "")).literals
    rules = [line for signal in signals for pattern in signal.patterns for line in _rule(signal, pattern)]
    lines += [f"  /{_slashed('|'.join(any_of((gate.decode(),)) for gate in gates))}/ {{"]
    lines += [f"  {line}" for line in rules]
    lines += ["  }", "} else {", *_traceback(), "}"]
    return "\n".join(lines) + "\n"


def _declarations(signals: tuple[Signal, ...], *, http: bool) -> list[str]:
    buckets = ", ".join(f"{bucket:g}" for bucket in BUCKETS)
    lines = []
    for signal in signals:
        labels = [*(["db"] if signal.db else []), *([signal.label] if signal.label else [])]
        by = f" by {', '.join(labels)}" if labels else ""
        lines += [f"# {signal.help}", f"counter {METRICS}{signal.metric}{by}"]
        # mtail refuses a variable that nothing uses.
        if any(_seconds(set(pattern.names)) for pattern in signal.patterns):
            lines += [
                "# Seconds that Odoo took to answer the runner, of Odoo 12 and later.",
                f"histogram {METRICS}runjob_response_seconds by db buckets {buckets}",
            ]
    if http:
        lines += [
            "# HTTP requests that Odoo answered, and their seconds, of Odoo 12 and later.",
            f"counter {METRICS}http_requests_total by db, method, status",
            f"histogram {METRICS}http_request_seconds by db buckets {buckets}",
        ]
    return lines


def _rule(signal: Signal, pattern: Pattern) -> list[str]:
    """One pattern: the line's regex, and what is counted."""
    names: set[str] = {
        name for name in ("db", "status", "sql_seconds", "other_seconds", "seconds") if name in pattern.names
    }
    if signal.db != "db":
        names.discard("db")
    regex = header(pattern, database=_DB, colour=COLOUR) + unnamed(
        coloured(message_of(pattern, signal.end(pattern))), keep=names
    )
    body: list[str] = []
    if signal.label == "exception":
        body = [
            'traceback[getfilename()] = "head"',
            "traceback_db[getfilename()] = $record_db",
            'traceback_class[getfilename()] = "unknown"',
        ]
    else:
        keys = [f"[${signal.db if signal.db in names else 'record_db'}]"] if signal.db else []
        if signal.label == "status":
            keys.append("[$status]")
        if signal.label == "reason":
            keys.append(f'["{signal.reasons[pattern.kind]}"]')
        body = [f"{METRICS}{signal.metric}{''.join(keys)}++"]
    if pattern.db == "job":
        body = [
            '$record_db != "?" && $record_db != "None" && $record_db != "False" {',
            *(f"  {line}" for line in body),
            "}",
        ]
    rules = [
        f"  # {signal.event}: {pattern.id}",
        f"  /{_slashed(regex)}/ {{",
        *(f"    {line}" for line in body),
        "  }",
    ]
    for seconds in _seconds(names):
        rules += _histogram(regex, "runjob_response_seconds", seconds)
    return rules


def _seconds(names: set[str]) -> list[str]:
    if "sql_seconds" in names:
        return ["$sql_seconds + $other_seconds"]
    return ["$seconds"] if "seconds" in names else []


def _histogram(regex: str, metric: str, seconds: str) -> list[str]:
    """mtail cannot add what a group did not take part in: here all that may be missing must be there."""
    timed = regex
    for name in ("sql_seconds", "other_seconds"):
        timed = timed.replace(rf"(?:(?P<{name}>-?\d+\.\d+)|-)", rf"(?P<{name}>\d+\.\d+)")
    return [
        f"  /{_slashed(timed)}/ {{",
        f"    {METRICS}{metric}[$record_db] = {seconds}",
        "  }",
    ]


def _http() -> list[str]:
    regex = f"^{PREFIX}{COLOUR}INFO{COLOUR} {_DB} werkzeug: {ACCESS[1:-1]} ?\\r?$"
    return [
        "  # http: every access line",
        f"  /{_slashed(regex)}/ {{",
        f"    {METRICS}http_requests_total[$record_db][$method][$status]++",
        "  }",
        *_histogram(regex, "http_request_seconds", "$sql_seconds + $other_seconds"),
    ]


def _traceback() -> list[str]:
    """The class stands on the first line after a traceback's frames that is not indented.

    Of the tracebacks of a chain, the job's own is the one whose first frame is where queue_job catches it.
    """
    state = "traceback[getfilename()]"
    return [
        f'  {state} == "own" || {state} == "cause" {{',
        r"    /^(?P<exception>[A-Za-z_][\w.<>]*)\s*(?::|$)/ {",
        f'      {state} == "own" {{',
        f"        {METRICS}failed_total[traceback_db[getfilename()]][$exception]++",
        f'        {state} = ""',
        "      } else {",
        "        traceback_class[getfilename()] = $exception",
        f'        {state} = "after"',
        "      }",
        "    }",
        "  }",
        f'  {state} == "head" {{',
        f"    /^  File {_slashed(CATCHERS)}/ {{",
        f'      {state} = "own"',
        "    } else {",
        f'      {state} = "cause"',
        "    }",
        "  }",
        f'  {state} == "after" {{',
        r"    /^Traceback \(most recent call last\):\r?$/ {",
        f'      {state} = "head"',
        "    }",
        "  }",
    ]


def _slashed(regex: str) -> str:
    """A slash ends a regex of mtail's."""
    return regex.replace("/", r"\/")
