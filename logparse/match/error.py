"""The refusal of a pattern: where, why, and what would help."""


class PatternError(Exception):
    """A pattern file that is refused.

    file, line: where (line 0: the file as a whole). message: what is wrong. hint: what would help, or "".
    text: the offending text, one line. column: the index in it at which it offends, None for none.
    """

    def __init__(
        self, file: str, line: int, message: str, *, hint: str = "", text: str = "", column: int | None = None
    ) -> None:
        super().__init__(message)
        self.file = file
        self.line = line
        self.message = message
        self.hint = hint
        self.text = text
        self.column = column

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        out = [f"{where}: {self.message}"]
        if self.text:
            out += pointed(self.text, self.column)
        if self.hint:
            out.append(f"  hint: {self.hint}")
        return "\n".join(out)


def pointed(text: str, column: int | None) -> list[str]:
    """`text` as one line of at most 120 characters, and a caret under the one at `column`."""
    start = max(0, (column or 0) - 60)
    shown = "".join(char if char.isprintable() else "·" for char in text[start : start + 120])
    lines = [f"    {'…' if start else ''}{shown}"]
    if column is not None:
        lines.append(f"    {' ' * (column - start + bool(start))}^")
    return lines
