"""Why a record is not believed, in words (docs/trust.md)."""

REASONS = {
    "inside": "they stand inside the message of another record",
    "unfinished": "they lack the end that Odoo's formatter writes in this log",
    "echo": "the same text stood inside a message before",
    "time": "their time is far from that of the records around them",
    "role": "the process that they name cannot have written them",
    "orphan": "they answer for jobs that nobody dispatched",
}
"""By the reason under which they are counted."""
