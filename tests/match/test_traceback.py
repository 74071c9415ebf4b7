"""The exception of a traceback: held to what Python itself prints, and to texts that imitate it."""

import sys
import traceback
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logparse.match.traceback import raised

HEAD = "Traceback (most recent call last):"
FRAME = '  File "/opt/odoo/addons/x.py", line 9, in job\n    raise it\n'
CATCH = '  File "/opt/odoo/queue_job/controllers/main.py", line 159, in _runjob\n    self._try(env, job)\n'
DURING = "During handling of the above exception, another exception occurred:"
CAUSED = "The above exception was the direct cause of the following exception:"


def _printed(run: Callable[[], object]) -> str:
    try:
        run()
    except BaseException:
        return traceback.format_exc()
    raise AssertionError("nothing was raised")


class LocalError(Exception):
    """Its module is that of the tests, so its printed name is dotted."""


def _plain() -> None:
    raise ValueError("boom")


def _several_lines() -> None:
    raise LocalError(f"first\n\n{HEAD}\n{FRAME}KeyError: inner\n2026-01-01 00:00:00,000 1 INFO x odoo: y")


def _chained() -> None:
    try:
        raise KeyError("inner")
    except KeyError:
        raise LocalError("outer") from None


def _during() -> None:
    try:
        raise KeyError("inner: 1\nValueError: 2")
    except KeyError:
        raise LocalError("outer")  # noqa: B904


def _caused() -> None:
    try:
        _during()
    except LocalError as error:
        raise RuntimeError("last") from error


def _no_text() -> None:
    raise LocalError


def _syntax() -> None:
    compile("selec * from x", "<query>", "exec")


def _deep() -> None:
    def down(n: int) -> None:
        if n == 0:
            raise RecursionError("too deep")
        down(n - 1)

    down(30)


def _group() -> None:
    raise ExceptionGroup("several", [ValueError("one"), LocalError("two")])


def _group_during() -> None:
    try:
        _group()
    except ExceptionGroup:
        raise LocalError("after a group")  # noqa: B904


def _group_last() -> None:
    try:
        _plain()
    except ValueError:
        _group()


def _local_class() -> None:
    class Inner(Exception):
        pass

    raise Inner("in a function")


def _noted() -> None:
    error = ValueError("with notes")
    error.add_note("KeyError: a note")
    raise error


def _exit() -> None:
    sys.exit(3)


THIS = __name__


@pytest.mark.parametrize(
    ("run", "name", "text"),
    [
        (_plain, "ValueError", "boom"),
        (_several_lines, f"{THIS}.LocalError", "first"),
        (_chained, f"{THIS}.LocalError", "outer"),
        (_during, f"{THIS}.LocalError", "outer"),
        (_caused, "RuntimeError", "last"),
        (_no_text, f"{THIS}.LocalError", ""),
        (_syntax, "SyntaxError", "invalid syntax"),
        (_deep, "RecursionError", "too deep"),
        (_group, "ExceptionGroup", "several (2 sub-exceptions)"),
        (_group_during, f"{THIS}.LocalError", "after a group"),
        (_group_last, "ExceptionGroup", "several (2 sub-exceptions)"),
        (_local_class, f"{THIS}._local_class.<locals>.Inner", "in a function"),
        (_noted, "ValueError", "with notes"),
        (_exit, "SystemExit", "3"),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
def test_what_python_prints(run: Callable[[], object], name: str, text: str) -> None:
    printed = _printed(run)
    # As exc_info of a record, and as the message itself, which is how queue_job logs it.
    assert raised("Exception during request handling.", printed) == (name, text)
    first, _, rest = printed.partition("\n")
    if first == HEAD:
        assert raised(HEAD, rest + " ") == (name, text)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"{HEAD}\n{FRAME}ValueError: boom - - -", ("ValueError", "boom")),
        (f"{HEAD}\n{FRAME}Exception: plain failure 11 100 0.130 0.188", ("Exception", "plain failure 11")),
        (f"{HEAD}\n{FRAME}odoo.UserError: a 7 0.001 0.002 ro->rw", ("odoo.UserError", "a")),
        (f"{HEAD}\n{FRAME}ValueError - - -", ("ValueError", "")),
        (f"{HEAD}\n{FRAME}ValueError: - - - - - -", ("ValueError", "- - -")),
        (f"{HEAD}\n{FRAME}ValueError: of - - -\nmore lines - - -", ("ValueError", "of - - -")),
    ],
)  # fmt: skip
def test_numbers_at_the_end_of_a_werkzeug_record(body: str, expected: tuple[str, str]) -> None:
    assert raised("Error on request:", body) == expected


def test_numbers_are_left_to_other_records() -> None:
    assert raised("exception in GET x", f"{HEAD}\n{FRAME}ValueError: a - - -") == ("ValueError", "a - - -")


def test_a_text_that_quotes_a_chain() -> None:
    """A job's own traceback begins where queue_job caught it; what its text quotes does not count."""
    quoted = f"\n\n{DURING}\n\n{HEAD}\n{FRAME}KeyError: forged\n"
    assert raised(HEAD, f"{CATCH}{FRAME}ValueError: it said:{quoted} ") == ("ValueError", "it said:")
    cause = f"{FRAME}KeyError: cause\n\n{CAUSED}\n\n{HEAD}\n"
    assert raised(HEAD, f"{cause}{CATCH}{FRAME}ValueError: it said:{quoted} ") == ("ValueError", "it said:")


@pytest.mark.parametrize(
    "text",
    [
        f"x\n{DURING}\n{HEAD}\n{FRAME}KeyError: no blank lines",
        f"x\n\n{DURING}\n\nno head follows",
        f"x\n\n {DURING}\n\n{HEAD}\n{FRAME}KeyError: indented",
        f"x\n\n{DURING}",
        f"x\n{HEAD}\n{FRAME}KeyError: no link at all",
    ],
)
def test_a_text_that_is_no_chain(text: str) -> None:
    assert raised(HEAD, f"{FRAME}ValueError: {text}\n ") == ("ValueError", "x")


@pytest.mark.parametrize(
    ("message", "body"),
    [
        ("Exception during request handling.", ""),
        ("Exception during request handling.", "NoneType: None"),
        ("Exception during request handling.", "None"),
        ("exception in GET x", "ValueError: without a traceback"),
        (HEAD, ""),
        (HEAD, FRAME),
        (HEAD, f"{FRAME}this is no class: at all"),
        (HEAD, f"{FRAME}: nothing"),
        (HEAD, f"{FRAME}12: a number"),
    ],
)
def test_none(message: str, body: str) -> None:
    assert raised(message, body) is None


def test_python_2_and_windows() -> None:
    assert raised(HEAD, f"{FRAME}RetryableJobError: later\r") == ("RetryableJobError", "later")
    windows = CATCH.replace("/", "\\")
    quoted = f"\n\n{DURING}\n\n{HEAD}\n{FRAME}KeyError: forged\n"
    assert raised(HEAD, f"{windows}ValueError: a{quoted}") == ("ValueError", "a")


LINES = st.sampled_from(
    [HEAD, DURING, CAUSED, "", " ", "  | ", "  + Exception Group " + HEAD, "ValueError: x", "ValueError",
     *FRAME.splitlines(), *CATCH.splitlines(), "  | ValueError: y", "x - - -", "\x0b", "é∞"]
)  # fmt: skip


@given(st.sampled_from([HEAD, "Error on request:", "x"]), st.lists(LINES | st.text(max_size=20), max_size=30))
def test_anything(message: str, lines: list[str]) -> None:
    found = raised(message, "\n".join(lines))
    assert found is None or (found.name and "\n" not in found.name + found.text)


@given(st.lists(LINES, max_size=10), st.sampled_from([DURING, CAUSED]))
def test_what_follows_the_class_line_changes_nothing(lines: list[str], _link: str) -> None:
    """Of a traceback that begins at the catcher, the text has no say in the class."""
    body = "\n".join((f"{CATCH}{FRAME}my.Error: text", *lines))
    assert raised(HEAD, body) == ("my.Error", "text")


def test_linear() -> None:
    """A million lines of openings and links are one pass: quadratic work here would not end."""
    body = "\n".join([*FRAME.splitlines(), "E: x"] + ["", DURING, "", HEAD] * 100_000 + ["  | "] * 300_000)
    assert raised(HEAD, body) == ("E", "x")
    many = f"{FRAME}E: x\n\n{DURING}\n\n{HEAD}\n" * 50_000 + f"{FRAME}Last: y"
    assert raised(HEAD, many) == ("Last", "y")
