"""The one error of this stage: a log that cannot be read."""

from logparse.source.url import without_secrets


class SourceError(Exception):
    """A log cannot be read, or not to its end; what was read until then has been delivered.

    The message is one sentence: which file, why, and what would help. `status` is the exit status
    that a command should end with.
    """

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


def shown(path: str) -> str:
    """Return the path as it can be printed: control characters and undecodable bytes are escaped.

    Of a URL, what is secret is left out.
    """
    if "://" in path:
        path = without_secrets(path)
    return path if path and path.isprintable() else repr(path)


def named(path: str) -> str:
    """What a log is called in a sentence."""
    return "standard input" if path == "-" else shown(path)
