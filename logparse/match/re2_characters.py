"""The characters of a regex: escapes and classes, and what Python must read for what RE2 means by them."""

import re
from typing import NamedTuple

_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_CONTROL = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v"}
# RE2's \s has no vertical tab, Python's has; so both are written out.
_SPACE = r"\t\n\f\r "
_CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": _SPACE}
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


class Part(NamedTuple):
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


class Characters:
    """A cursor over a regex that reads one character or class. at: index of the next character."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0

    def peek(self) -> str:
        return self.source[self.at : self.at + 1]

    def escape(self) -> tuple[Part, bool]:
        """What a backslash stands for, and whether a repeat may follow it."""
        start = self.at
        char = self.source[start + 1 : start + 2]
        if char in _CLASSES and char:
            self.at += 2
            return Part(f"[{_CLASSES[char]}]", (None,), False, 1, 1), True
        if char.lower() in _CLASSES and char:
            self.at += 2
            return Part(f"[^{_CLASSES[char.lower()]}]", (None,), False, 1, 1), True
        if char == "b":
            self.at += 2
            return Part(r"\b", (), True, 1, 1), False
        literal = self.escaped_char()
        return Part(re.escape(literal), (literal,), False, 1, 1), True

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

    def char_class(self) -> Part:
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
        return Part(written, (text,), False, 1 + len(out), 1)

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
