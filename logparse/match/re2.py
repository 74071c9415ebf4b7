"""The part of RE2's syntax that patterns may use, checked here, and what can be learnt from a regex.

Promtail, Alloy, mtail and lnav run the same regexes as logparse does, in Go's or C++'s RE2 or in PCRE.
So a pattern may use only what all of them read alike; docs/patterns.md lists it.
"""

import re
from typing import NamedTuple

# RE2 counts at most this often, also where one repeat stands inside another (re2/parse.cc, max_repeat).
MAX_REPEAT = 1000
# Both keep a regex of ours far below RE2's default memory budget (8 MiB).
MAX_LENGTH = 4000
MAX_SIZE = 10_000

_NAME = re.compile(r"\(\?P<([a-z_][a-z0-9_]*)>")
_COUNT = re.compile(r"\{(\d{1,9})(?:(,)(\d{0,9}))?\}")
_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_CONTROL = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v"}
# RE2's \s has no vertical tab, Python's has; so both are written out.
_SPACE = r"\t\n\f\r "
_CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": _SPACE}
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
_ESCAPES = {
    "A": ("an anchor that not all engines have", "write ^"),
    "Z": ("not in RE2", "write $: it is the very end of the message"),
    "z": ("not in Python", "write $: it is the very end of the message"),
    "B": ("read differently by the engines where the text is empty", "say what must stand there instead"),
    "h": ("not in RE2", "write [ \\t]"),
    "K": ("not in RE2", "name the part that you want: (?P<name>...)"),
    "p": ("a Unicode class; engines differ in their Unicode versions", "list the characters"),
    "P": ("a Unicode class; engines differ in their Unicode versions", "list the characters"),
    "u": ("not in RE2", "write the character itself"),
    "x": ("needs exactly two hexadecimal digits, below 80", "write the character itself"),
    "Q": ("not in Python", "escape each character"),
    "C": ("not in Python", "write ."),
}


class RegexError(ValueError):
    """A regex outside the subset: what is wrong, where (an index into the regex), and what to write."""

    def __init__(self, message: str, position: int, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.hint = hint


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


class _Part(NamedTuple):
    """A parsed piece.

    text: what it surely holds, in order, None for anything unknown in between. empty: it can match nothing.
    size, repeat: pieces when written out, rounds of its repeats. captures: the groups in it; optional: those
    of them that a match may leave out.
    """

    python: str
    text: tuple[str | None, ...]
    empty: bool
    size: int
    repeat: int
    captures: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


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


class _Parser:
    """Recursive descent over one regex. at: index of the next character."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.names: list[str] = []
        self.anchored = False
        self.pieces: list[str] = []

    def peek(self) -> str:
        return self.source[self.at : self.at + 1]

    def alternatives(self, depth: int) -> _Part:
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
        return _Part(
            "|".join(part.python for part in parts),
            (None,),
            any(part.empty for part in parts),
            sum(part.size for part in parts) + len(parts),
            max(part.repeat for part in parts),
            tuple(name for part in parts for name in part.captures),
            tuple(name for part in parts for name in part.captures),
        )

    def sequence(self, depth: int) -> _Part:
        parts: list[_Part] = []
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
        return _Part(
            "".join(part.python for part in parts),
            tuple(piece for part in parts for piece in part.text),
            all(part.empty for part in parts),
            sum(part.size for part in parts),
            max((part.repeat for part in parts), default=1),
            tuple(name for part in parts for name in part.captures),
            tuple(name for part in parts for name in part.optional),
        )

    def repeated(self, part: _Part) -> _Part:
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
        return _Part(
            written,
            text,
            part.empty or low == 0,
            part.size * times + 1,
            repeat,
            part.captures,
            part.captures if low == 0 else part.optional,
        )

    def atom(self, depth: int) -> tuple[_Part, bool]:
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
            return _Part("^", (), True, 1, 1), False
        if char == "$":
            # Python's $ also matches before a last newline, RE2's does not.
            return _Part(r"\Z", (), True, 1, 1), False
        if char == ".":
            return _Part(".", (None,), False, 1, 1), True
        return _Part(re.escape(char), (char,), False, 1, 1), True

    def group(self, depth: int) -> _Part:
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
        return _Part(
            f"{opened}{inner.python})",
            inner.text,
            inner.empty,
            inner.size + 1,
            inner.repeat,
            captures + inner.captures,
            inner.optional,
        )

    def escape(self) -> tuple[_Part, bool]:
        start = self.at
        char = self.source[start + 1 : start + 2]
        if char in _CLASSES and char:
            self.at += 2
            return _Part(f"[{_CLASSES[char]}]", (None,), False, 1, 1), True
        if char.lower() in _CLASSES and char:
            self.at += 2
            return _Part(f"[^{_CLASSES[char.lower()]}]", (None,), False, 1, 1), True
        if char == "b":
            self.at += 2
            return _Part(r"\b", (), True, 1, 1), False
        literal = self.escaped_char()
        return _Part(re.escape(literal), (literal,), False, 1, 1), True

    def escaped_char(self) -> str:
        """The one character that an escape stands for."""
        start = self.at
        char = self.source[start + 1 : start + 2]
        if char == "":
            raise RegexError("ends in a lone backslash", start, r"write \\ for the character")
        if char in _PUNCTUATION:
            self.at += 2
            return char
        if char in _CONTROL:
            self.at += 2
            return _CONTROL[char]
        if char == "x":
            digits = self.source[start + 2 : start + 4]
            if re.fullmatch(r"[0-7][0-9A-Fa-f]", digits):
                self.at += 4
                return chr(int(digits, 16))
        if char in "0123456789":
            raise RegexError("a backreference or octal number", start, r"write \xHH, or repeat the text")
        what, hint = _ESCAPES.get(char, ("an escape that engines read differently", "write it without \\"))
        raise RegexError(f"\\{char} is {what}" if char != "x" else f"\\x {what}", start, hint)

    def char_class(self) -> _Part:
        start = self.at
        self.at += 1
        negated = self.peek() == "^"
        if negated:
            self.at += 1
        out: list[str] = []
        single: list[str | None] = []
        while True:
            char = self.peek()
            if char == "":
                hint = r"add ], or write \[ for the character"
                raise RegexError("a class that nothing closes", start, hint)
            if char == "]":
                break
            low = self.class_item(out)
            if low is None:
                single.append(None)
                if self.peek() == "-" and self.source[self.at + 1 : self.at + 2] != "]":
                    raise RegexError("a range from a class", self.at, r"write \- for the character")
                continue
            if self.peek() == "-" and self.source[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                begin = self.at
                high = self.class_item([])
                if high is None or high < low or low == "-":
                    raise RegexError("a range that runs backwards or to a class", begin, "write it as [a-z]")
                if self.peek() == "-" and self.source[self.at + 1 : self.at + 2] != "]":
                    raise RegexError("a range of a range", self.at, r"write \- for the character")
                out.append(f"{_in_class(low)}-{_in_class(high)}")
                single.append(None)
            else:
                out.append(_in_class(low))
                single.append(low)
        if not single:
            hint = r"list characters in it; for the character ], write \]"
            raise RegexError("an empty class", start, hint)
        self.at += 1
        text = single[0] if len(single) == 1 and not negated else None
        written = f"[{'^' if negated else ''}{''.join(out)}]"
        return _Part(written, (text,), False, 1 + len(out), 1)

    def class_item(self, out: list[str]) -> str | None:
        """One character of a class, or None where it was a class itself (then written to `out`)."""
        char = self.peek()
        start = self.at
        if char == "[":
            raise RegexError("a [ inside a class", start, r"write \[; for [:alpha:] write a-zA-Z")
        if char in "&~|-" and self.source.startswith(char * 2, start):
            raise RegexError(f"{char}{char} inside a class", start, "some engines read it as set arithmetic")
        if char != "\\":
            self.at += 1
            return char
        name = self.source[start + 1 : start + 2]
        if name and name in _CLASSES:
            self.at += 2
            out.append(_CLASSES[name])
            return None
        if name and name.lower() in _CLASSES:
            raise RegexError(f"\\{name} inside a class", start, "list what may stand there")
        if name == "b":
            raise RegexError("\\b inside a class", start, "it is a backspace to some engines: leave it out")
        return self.escaped_char()


def _in_class(char: str) -> str:
    return f"\\{char}" if char in "\\]^-[&~|" else re.escape(char) if char in "\t\n\r\f\v" else char
