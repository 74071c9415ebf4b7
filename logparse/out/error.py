"""What an output can fail of, beside what the system refuses."""


class TracesError(Exception):
    """Traces cannot be sent; the message says why, in one sentence."""
