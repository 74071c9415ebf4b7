"""The metrics of logparse itself by name: what it has read and understood, and what it holds."""

from typing import Literal

from logparse.out.family import Family, Kind


def _tool(
    name: str,
    kind: Kind,
    labels: tuple[str, ...],
    help: str,
    unit: Literal["", "seconds", "bytes"] = "",
) -> Family:
    return Family("logparse_" + name, kind, labels, help, "any", unit)


OWN_FAMILIES: tuple[Family, ...] = (
    _tool(
        "build",
        "info",
        ("version", "patterns", "digest"),
        "The version of logparse, and the version and digest of its set of patterns.",
    ),
    _tool("lines_total", "counter", ("file",), "Lines read of the file, all its rotated pieces together."),
    _tool(
        "bytes_total",
        "counter",
        ("file",),
        "Bytes read of the file, all its rotated pieces together.",
        "bytes",
    ),
    _tool(
        "lag_bytes",
        "gauge",
        ("file",),
        "Bytes that stand in the file and are not read yet.",
        "bytes",
    ),
    _tool(
        "last_record_timestamp_seconds",
        "gauge",
        ("file",),
        "Time of the newest accepted record of the file (Unix time of the log's clock).",
        "seconds",
    ),
    _tool("facts_total", "counter", ("pattern",), "Records that the pattern recognised."),
    _tool(
        "unmatched_records_total",
        "counter",
        ("logger",),
        "Records of a queue_job logger that no pattern recognised: an upgrade may have changed a message.",
    ),
    _tool(
        "rejected_records_total",
        "counter",
        ("reason",),
        "Records that were recognised and not believed, because they were forged or time jumped.",
    ),
    _tool(
        "rotations_total",
        "counter",
        ("file", "kind"),
        "Rotations of the file that were followed, by kind.",
    ),
    _tool(
        "lines_lost_total",
        "counter",
        ("file",),
        "Lines that were gone before they could be read, as far as that can be known.",
    ),
    _tool(
        "truncated_records_total",
        "counter",
        (),
        "Records that were longer than the limit, of which the rest was passed over.",
    ),
    _tool("decode_errors_total", "counter", (), "Records with bytes that are not UTF-8."),
    _tool(
        "clock_skew_total",
        "counter",
        (),
        "Records that were older than a record before them by more than the processes' usual disorder.",
    ),
    _tool("tracked_jobs", "gauge", (), "Jobs that are held in memory."),
    _tool(
        "evicted_jobs_total",
        "counter",
        (),
        "Jobs that were dropped from memory because the limit of tracked jobs was reached.",
    ),
    _tool(
        "label_overflow_total",
        "counter",
        ("label",),
        "How often a label's value was cut or put under `other` because a limit was reached.",
    ),
    _tool(
        "inferred_events_total",
        "counter",
        ("event",),
        "Events that no line states and that follow from others by a documented rule.",
    ),
    _tool(
        "outcome_visible",
        "gauge",
        ("db",),
        "1 where the log shows how the database's attempts end, 0 where its access lines are missing.",
    ),
    _tool(
        "resident_memory_bytes",
        "gauge",
        (),
        "Memory that logparse holds, as Linux counts it.",
        "bytes",
    ),
    _tool(
        "snapshot_timestamp_seconds",
        "gauge",
        (),
        "When the state was last saved (Unix time of this machine's clock).",
        "seconds",
    ),
    _tool("snapshot_errors_total", "counter", (), "Failures to save the state."),
)
