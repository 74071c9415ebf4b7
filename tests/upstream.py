"""Compares the patterns with the log calls in queue_job's newest releases on PyPI (`make upstream`).

It downloads the newest wheel of each Odoo series, finds every call of a logger in it, fills its message with
words that such messages hold, and prints those that no pattern recognises. Exit status: 1 where there is one.

    python tests/upstream.py [SERIES…]     such as 17.0 18.0; all by default
"""

import ast
import itertools
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from logparse.match.load import load_patterns
from logparse.match.matcher import Matcher
from logparse.record.record import Record

SERIES = ("11.0", "12.0", "13.0", "14.0", "15.0", "16.0", "17.0", "18.0", "19.0")
ADDONS = ("queue-job", "queue-job-cron-jobrunner")
LEVELS = {
    "debug": "DEBUG",
    "info": "INFO",
    "warning": "WARNING",
    "warn": "WARNING",
    "error": "ERROR",
    "exception": "ERROR",
    "critical": "CRITICAL",
}
UUID = "8eb07891-f7d0-4a19-8a53-3ffa1694941e"
# What may stand where a message has a placeholder.
WORDS = (
    UUID,
    "res.partner(1,)",
    f"<Job {UUID}, priority:10>",
    f"<ChannelJob {UUID}>",
    "prod",
    "7",
    "pending",
    "cancelled",
    "root.sub(C:1,Q:0,R:1,F:0)",
    "root.sub",
    "threaded server",
    "could not acquire master runner lock on prod",
    "<res.partner>.sync",
    "QUEUE_JOB__NO_DELAY",
    f"http://localhost:8069/queue_job/runjob?job_uuid={UUID}",
    "Traceback (most recent call last):",
)
_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[-+ 0#]*\d*(?:\.\d+)?([a-zA-Z])|%%")
_MOST = 200_000  # ways to fill a message that are tried


class Call(NamedTuple):
    """A call of a logger. message: with placeholders as `%s` and the like; None where no text tells it."""

    release: str
    logger: str
    level: str
    message: str | None
    place: str


def download(addon: str, series: str, directory: Path) -> Path | None:
    """The newest wheel of an addon for a series; None where PyPI serves none."""
    major = series.partition(".")[0]
    prefix = "odoo" if int(major) >= 15 else f"odoo{major}"
    wanted = f"{prefix}-addon-{addon}=={series}.*"
    target = directory / f"{addon}-{series}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(target), wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [
            "ERROR: no reason"
        ]
        print(f"{wanted}: not downloaded: {reason[-1].removeprefix('ERROR: ')}", file=sys.stderr)
        return None
    return next(target.glob("*.whl"))


def calls(wheel: Path) -> Iterator[Call]:
    """The calls of loggers in a wheel's addon, tests aside."""
    release = wheel.name.split("-")[1]
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            parts = name.removesuffix(".py").split("/")
            if not name.endswith(".py") or "addons" not in parts or "tests" in parts or "migrations" in parts:
                continue
            if parts[-1] == "__init__":
                parts.pop()
            logger = ".".join(("odoo", "addons", *parts[parts.index("addons") + 1 :]))
            for node in ast.walk(ast.parse(archive.read(name))):
                if isinstance(node, ast.Call) and (level := _level(node)) and node.args:
                    yield Call(release, logger, level, text_of(node.args[0]), f"{name}:{node.lineno}")


def _level(call: ast.Call) -> str | None:
    function = call.func
    if not isinstance(function, ast.Attribute) or not isinstance(function.value, ast.Name):
        return None
    return LEVELS.get(function.attr) if "log" in function.value.id.lower() else None


def text_of(node: ast.expr) -> str | None:
    """The message, with `%s` where anything may stand; None where the code does not say."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            part.value.replace("%", "%%")
            if isinstance(part, ast.Constant) and isinstance(part.value, str)
            else "%s"
            for part in node.values
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = text_of(node.left), text_of(node.right)
        return None if None in parts else "".join(map(str, parts))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return text_of(node.left)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        text = text_of(node.func.value)
        return None if text is None else re.sub(r"\{[^{}]*\}", "%s", text)
    return None


def fillings(message: str | None) -> Iterator[str]:
    """The message with words in its places, in every way that is likely. Without a text: each word alone."""
    if message is None:
        yield from WORDS
        return
    kinds = [match[1] for match in _PLACEHOLDER.finditer(message) if match[1]]
    choices = [
        {"d": ("7",), "i": ("7",), "f": ("0.50",), "r": ("(1,)", "{}", *WORDS[:4])}.get(kind, WORDS)
        for kind in kinds
    ]
    for words in itertools.islice(itertools.product(*choices), _MOST):
        following = iter(words)
        yield _PLACEHOLDER.sub(lambda match: next(following) if match[1] else "%", message)  # noqa: B023


def is_covered(call: Call, matcher: Matcher) -> bool:
    """Whether a pattern recognises the message, with or without a database."""
    for text in fillings(call.message):
        first, _, body = text.partition("\n")
        for db in (None, "prod"):
            record = Record(0, 7, call.level, db, call.logger, first.rstrip(" "), body, "odoo.log", 0)
            if matcher(record) is not None:
                return True
    return False


def main(names: list[str]) -> int:
    """Print what no pattern covers; 1 where there is any, or nothing could be compared."""
    matcher = Matcher(load_patterns())
    missing: dict[tuple[str, str, str | None], list[Call]] = {}
    read = found = 0
    with tempfile.TemporaryDirectory() as directory:
        for addon, series in itertools.product(ADDONS, names or SERIES):
            wheel = download(addon, series, Path(directory))
            if wheel is None:
                continue
            read += 1
            for call in calls(wheel):
                found += 1
                if not is_covered(call, matcher):
                    missing.setdefault((call.logger, call.level, call.message), []).append(call)
    for (logger, level, message), where in missing.items():
        releases = ", ".join(dict.fromkeys(call.release for call in where))
        print(f"{level} {logger}: {message!r}\n    in {releases}; {where[-1].place}")
    print(f"{read} releases, {found} log calls, {len(missing)} messages without a pattern")
    return 1 if missing or not read else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
