"""The part of RE2's syntax that patterns may use, checked here, and what can be learnt from a regex.

Promtail, Alloy, mtail and lnav run the same regexes as logparse does, in Go's or C++'s RE2 or in PCRE.
So a pattern may use only what all of them read alike; docs/patterns.md lists it.
"""

import re
from typing import NamedTuple

from logparse.match.re2_characters import Characters, Part, RegexError

__all__ = ["MAX_LENGTH", "MAX_REPEAT", "MAX_SIZE", "Regex", "RegexError", "check"]

# RE2 counts at most this often, also where one repeat stands inside another (re2/parse.cc, max_repeat).
MAX_REPEAT = 1000
# Both keep a regex of ours far below RE2's default memory budget (8 MiB).
MAX_LENGTH = 4000
MAX_SIZE = 10_000

_NAME = re.compile(r"\(\?P<([a-z_][a-z0-9_]*)>")
_COUNT = re.compile(r"\{(\d{1,9})(?:(,)(\d{0,9}))?\}")
_GROUPS = {
    "(?=": "a lookahead",
    "(?!": "a negative lookahead",
    "(?<=": "a lookbehind",
    "(?<!": "a negative lookbehind",
    "(?>": "an atomic group",
    "(?(": "a conditional",
    "(?P=": "a backreference",
    "(?P>": "a recursion",
    "(?#": "a comment",
    "(?|": "a branch reset",
}


class Regex(NamedTuple):
    """What a checked regex says of itself.

    python: the same regex for Python's `re` (with re.ASCII), where it means what `source` means in RE2.
    names: its named groups, in order; `python` captures nothing else.
    optional: those that a match may leave out.
    anchored: every match is at the message's beginning.
    prefix: the text with which every message that matches begins, or "".
    literals: runs of text of which each is in every match.
    pieces: `python`, cut where it may end and still be a regex; one piece where it is an alternation.
    """

    source: str
    python: str
    names: tuple[str, ...]
    optional: tuple[str, ...]
    anchored: bool
    prefix: str
    literals: tuple[str, ...]
    pieces: tuple[str, ...]


def check(source: str) -> Regex:
    """Parse `source`; RegexError where it leaves the subset."""
    if len(source) > MAX_LENGTH:
        raise RegexError(f"longer than {MAX_LENGTH} characters", MAX_LENGTH, "split it into two patterns")
    for position, char in enumerate(source):
        if "\ud800" <= char <= "\udfff" or char in "\n\r\0":
            raise RegexError(f"holds {char!a}", position, "no message holds it: write what its line shows")
    parser = _Parser(source)
    part = parser.alternatives(0)
    if parser.at < len(source):
        raise RegexError("closes a group that none opened", parser.at, r"write \) for the character")
    if part.size > MAX_SIZE:
        raise RegexError(f"expands to more than {MAX_SIZE} pieces", 0, "lower its repeats")
    runs: list[str] = []
    run = ""
    for piece in (*part.text, None):
        if piece is not None:
            run += piece
        elif run:
            runs.append(run)
            run = ""
    anchored = parser.anchored
    prefix = runs[0] if anchored and part.text and part.text[0] is not None else ""
    pieces = tuple(parser.pieces) if parser.pieces else (part.python,)
    return Regex(
        source, part.python, tuple(parser.names), part.optional, anchored, prefix, tuple(runs), pieces
    )


class _Parser(Characters):
    """Recursive descent over one regex, alternatives down to single characters."""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.names: list[str] = []
        self.anchored = False
        self.pieces: list[str] = []

    def alternatives(self, depth: int) -> Part:
        if depth > 50:
            raise RegexError("nests more than 50 groups", self.at, "split it into two patterns")
        parts = [self.sequence(depth)]
        while self.peek() == "|":
            self.at += 1
            parts.append(self.sequence(depth))
        if len(parts) == 1:
            return parts[0]
        if depth == 0:
            self.anchored = False
            self.pieces = []
        return Part(
            "|".join(part.python for part in parts),
            (None,),
            any(part.empty for part in parts),
            sum(part.size for part in parts) + len(parts),
            max(part.repeat for part in parts),
            tuple(name for part in parts for name in part.captures),
            tuple(name for part in parts for name in part.captures),
        )

    def sequence(self, depth: int) -> Part:
        parts: list[Part] = []
        while self.peek() not in ("", "|", ")"):
            start = self.at
            if depth == 0 and start == 0 and self.peek() == "^":
                self.anchored = True
            part, repeatable = self.atom(depth)
            if self.peek() in ("*", "+", "?", "{") and self.peek():
                if not repeatable:
                    raise RegexError("repeats nothing", self.at, "put a character or a group before it")
                part = self.repeated(part)
                if self.peek() in ("*", "+", "?", "{") and self.peek():
                    kind = "a possessive repeat" if self.peek() == "+" else "a repeat of a repeat"
                    raise RegexError(f"{kind} is not in the subset", self.at, "leave one of them")
            parts.append(part)
        if depth == 0:
            self.pieces = [part.python for part in parts]
        return Part(
            "".join(part.python for part in parts),
            tuple(piece for part in parts for piece in part.text),
            all(part.empty for part in parts),
            sum(part.size for part in parts),
            max((part.repeat for part in parts), default=1),
            tuple(name for part in parts for name in part.captures),
            tuple(name for part in parts for name in part.optional),
        )

    def repeated(self, part: Part) -> Part:
        start = self.at
        char = self.peek()
        if char == "{":
            match = _COUNT.match(self.source, start)
            if match is None:
                raise RegexError("a { that counts nothing", start, r"write \{, or {2}, {2,} or {2,5}")
            low = int(match[1])
            high = low if match[2] is None else int(match[3]) if match[3] else None
            self.at = match.end()
            if low > MAX_REPEAT or (high or 0) > MAX_REPEAT or (high is not None and high < low):
                hint = f"count from 0 to at most {MAX_REPEAT}, the smaller number first"
                raise RegexError("a repeat out of range", start, hint)
        else:
            low, high = {"*": (0, None), "+": (1, None), "?": (0, 1)}[char]
            self.at += 1
        if self.peek() == "?":
            self.at += 1
        times = max(1, low if high is None else high)
        repeat = part.repeat * (times if char == "{" else 1)
        if repeat > MAX_REPEAT:
            raise RegexError(f"repeats within repeats, more than {MAX_REPEAT} in all", start, "lower them")
        once = (low, high) in ((0, 1), (1, 1))
        if part.empty and not once:
            hint = "engines disagree on it: let each round take at least one character"
            raise RegexError("repeats what can be empty", start, hint)
        if part.captures and not once:
            hint = "put the group around the repeat: (?P<name>(?:...)+)"
            raise RegexError("captures inside a repeat", start, hint)
        text: tuple[str | None, ...]
        if low == 0:
            text = (None,)
        elif low == high and None not in part.text and low * len(part.text) <= 64:
            text = part.text * low
        else:
            text = (*part.text, None, *part.text) if low == 1 else (*part.text, None)
        if low == 1 and high == 1:
            text = part.text
        written = part.python + self.source[start : self.at]
        return Part(
            written,
            text,
            part.empty or low == 0,
            part.size * times + 1,
            repeat,
            part.captures,
            part.captures if low == 0 else part.optional,
        )

    def atom(self, depth: int) -> tuple[Part, bool]:
        """One piece, and whether a repeat may follow it."""
        char = self.peek()
        if char == "(":
            return self.group(depth), True
        if char == "[":
            return self.char_class(), True
        if char == "\\":
            return self.escape()
        if char in "*+?{":
            raise RegexError("repeats nothing", self.at, f"write \\{char} for the character")
        if char in "]}":
            raise RegexError(f"closes with {char} what none opened", self.at, f"write \\{char}")
        self.at += 1
        if char == "^":
            return Part("^", (), True, 1, 1), False
        if char == "$":
            # Python's $ also matches before a last newline, RE2's does not.
            return Part(r"\Z", (), True, 1, 1), False
        if char == ".":
            return Part(".", (None,), False, 1, 1), True
        return Part(re.escape(char), (char,), False, 1, 1), True

    def group(self, depth: int) -> Part:
        start = self.at
        captures: tuple[str, ...] = ()
        if self.source.startswith("(?:", start):
            self.at += 3
            opened = "(?:"
        elif self.source.startswith("(?P<", start):
            match = _NAME.match(self.source, start)
            if match is None:
                hint = "small letters, digits and _: (?P<name>...)"
                raise RegexError("a group's name that is none", start, hint)
            if match[1] in self.names:
                raise RegexError(f"two groups named {match[1]}", start, "name one of them differently")
            self.names.append(match[1])
            captures = (match[1],)
            self.at = match.end()
            opened = match[0]
        elif self.source.startswith("(?", start):
            for form, name in _GROUPS.items():
                if self.source.startswith(form, start):
                    hint = "say what must match instead; (?: and (?P<name> are the groups that there are"
                    raise RegexError(f"{name} is not in RE2's subset", start, hint)
            hint = "write (?:...) or (?P<name>...); for either case, write [Aa]"
            raise RegexError("flags are not in the subset", start, hint)
        else:
            self.at += 1
            opened = "(?:"
        inner = self.alternatives(depth + 1)
        if self.peek() != ")":
            raise RegexError("a group that nothing closes", start, r"add ), or write \( for the character")
        self.at += 1
        return Part(
            f"{opened}{inner.python})",
            inner.text,
            inner.empty,
            inner.size + 1,
            inner.repeat,
            captures + inner.captures,
            inner.optional,
        )
