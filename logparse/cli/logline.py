"""What a service says on standard error: one line for each thing that an operator may want to know."""

import json
import sys
from datetime import UTC, datetime


def log(level: str, message: str, **fields: object) -> None:
    """Write one line in logfmt, as Prometheus' own programs do; never raises.

    level: `info`, `warning` or `error`. fields: written as key=value, quoted where they need it.
    """
    if sys.stderr is None:
        return
    time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    words = [f"ts={time}", f"level={level}", f"msg={json.dumps(message)}"]
    words += [f"{key}={_value(str(value))}" for key, value in fields.items()]
    try:
        sys.stderr.write(" ".join(words) + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return


def _value(text: str) -> str:
    plain = text.isascii() and text.isprintable() and not set(text) & set(' "=')
    return text if plain and text else json.dumps(text)
