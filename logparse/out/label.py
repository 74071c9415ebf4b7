"""Makes a text of the log safe to stand as the value of a label."""

import re

LONGEST = 200
"""Characters of a label value; the rest is cut."""

# A NUL ends Prometheus' scan of the page, a carriage return splits a line for some readers, and a
# lone surrogate (from a byte that was no UTF-8) cannot be written at all.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def cleaned(text: str) -> str:
    """The text without control characters and surrogates (U+FFFD instead), at most LONGEST long."""
    return _UNSAFE.sub("\ufffd", text[:LONGEST])


def is_cut(text: str) -> bool:
    """Whether `cleaned` cuts the text."""
    return len(text) > LONGEST
