"""The subset of RE2: what it takes, google-re2 takes too, and both engines of ours match as it does."""

import re

import pytest
import re2
import regex
from hypothesis import assume, given
from hypothesis import strategies as st

from logparse.match.load import read_builtin
from logparse.match.re2 import Regex, RegexError, check
from logparse.record.parse import parse_line

BUILTIN = read_builtin()


@pytest.mark.parametrize(
    ("source", "position", "says"),
    [
        ("a(?=b)", 1, "lookahead"),
        ("a(?!b)", 1, "negative lookahead"),
        ("(?<=a)b", 0, "lookbehind"),
        ("(?<!a)b", 0, "negative lookbehind"),
        ("(?>a+)b", 0, "atomic"),
        ("a(?(1)b|c)", 1, "conditional"),
        (r"(a)\1", 3, "backreference"),
        ("(?P<a>x)(?P=a)", 8, "backreference"),
        ("a(?#b)", 1, "comment"),
        ("a++", 2, "possessive"),
        ("a*+b", 2, "possessive"),
        ("a**", 2, "repeat of a repeat"),
        ("a{2}{3}", 4, "repeat of a repeat"),
        ("(?i)a", 0, "flags"),
        ("a(?s:b)", 1, "flags"),
        ("(?<name>a)", 0, "flags"),
        ("(?P<Name>a)", 0, "name"),
        ("(?P<a>x)(?P<a>y)", 8, "two groups named a"),
        (r"a\Z", 1, r"\Z"),
        (r"a\z", 1, r"\z"),
        (r"\Aa", 0, r"\A"),
        (r"a\B", 1, r"\B"),
        (r"\h", 0, r"\h"),
        (r"\pL", 0, "Unicode"),
        (r"\u00e9", 0, r"\u"),
        (r"\x{41}", 0, r"\x"),
        (r"\xff", 0, r"\x"),
        (r"\Qa\E", 0, r"\Q"),
        (r"\07", 0, "octal"),
        (r"\é", 0, "escape"),
        ("a\\", 1, "lone backslash"),
        ("a{1001}", 1, "out of range"),
        ("a{3,2}", 1, "out of range"),
        ("(?:a{100}){11}", 10, "repeats within repeats"),
        ("a{,3}", 1, "counts nothing"),
        ("a{x", 1, "counts nothing"),
        ("*a", 0, "repeats nothing"),
        ("^*", 1, "repeats nothing"),
        (r"\b+", 2, "repeats nothing"),
        ("(a*)*", 4, "can be empty"),
        ("(?:|a)+", 6, "can be empty"),
        ("(?P<x>a|b)*", 10, "captures inside a repeat"),
        ("((?P<x>a)b){2}", 11, "captures inside a repeat"),
        ("a]", 1, "closes with ]"),
        ("a}", 1, "closes with }"),
        ("a)", 1, "closes a group"),
        ("(a", 0, "nothing closes"),
        ("[a", 0, "nothing closes"),
        ("[]", 0, "empty class"),
        ("[^]", 0, "empty class"),
        ("[[:alpha:]]", 1, "[ inside a class"),
        ("[a&&b]", 2, "&& inside a class"),
        ("[a--b]", 3, "backwards"),
        ("[--b]", 1, "-- inside a class"),
        (r"[\S]", 1, r"\S inside a class"),
        (r"[\b]", 1, r"\b inside a class"),
        ("[z-a]", 3, "backwards"),
        (r"[\w-z]", 3, "a range from a class"),
        (r"[a-\w]", 3, "backwards or to a class"),
        ("[a-c-e]", 4, "range of a range"),
        ("a\nb", 1, "holds"),
        ("a\0", 1, "holds"),
        ("a\udcff", 1, "holds"),
        ("a" * 5000, 4000, "longer than"),
        ("(?:[a-z]{10}){100}" * 11, 0, "expands"),
        ("(" * 60 + "a" + ")" * 60, 51, "nests"),
    ],
)
def test_refused(source: str, position: int, says: str) -> None:
    with pytest.raises(RegexError) as refusal:
        check(source)
    assert refusal.value.position == position
    assert says in refusal.value.message
    assert refusal.value.hint


@pytest.mark.parametrize(
    ("source", "prefix", "literals"),
    [
        ("^asking (?P<a>x+) on$", "asking x", ("asking x", "x on")),
        ("^a(?:b|c)d", "a", ("a", "d")),
        ("^ab|cd", "", ()),
        ("abc", "", ("abc",)),
        ("^(?P<x>ab)c?d", "ab", ("ab", "d")),
        (r"^\(\[a\]", "([a]", ("([a]",)),
        ("^a{3}b", "aaab", ("aaab",)),
        ("^a{2,}b", "a", ("a", "b")),
        ("^(?:ab)+c", "ab", ("ab", "abc")),
        ("^[a]b", "ab", ("ab",)),
        ("^.a", "", ("a",)),
        ("(?:^a)b", "", ("ab",)),
        (r"\bab", "", ("ab",)),
        ("", "", ()),
    ],
)
def test_what_is_learnt(source: str, prefix: str, literals: tuple[str, ...]) -> None:
    regex = check(source)
    assert regex.prefix == prefix
    assert regex.literals == literals


@pytest.mark.parametrize(
    ("source", "optional"),
    [
        ("(?P<a>x)y", ()),
        ("(?P<a>x|y)z?", ()),
        ("(?P<a>x)?y", ("a",)),
        ("(?:(?P<a>x)|-)y(?P<b>z)", ("a",)),
        ("(?:(?P<a>x)(?P<b>y)?){1}", ("b",)),
        ("(?P<a>x(?P<b>y)?)", ("b",)),
        ("(?P<a>x)|(?P<b>y)", ("a", "b")),
    ],
)
def test_optional_groups(source: str, optional: tuple[str, ...]) -> None:
    assert check(source).optional == optional


# Small texts on which engines like to differ: line ends, blanks of all kinds, letters beyond ASCII.
ALPHABET = "aab0_- .\n\t\r\x0b\x0c\x1c\x85é∞K"
TEXTS = st.text(st.sampled_from(ALPHABET), max_size=12)

_ATOMS = st.one_of(
    st.sampled_from(["a", "b", "0", "_", "-", " ", "é", "∞", "."]),
    st.sampled_from([r"\d", r"\w", r"\s", r"\D", r"\W", r"\S", r"\.", r"\-", r"\t", r"\x41", r"\v", r"\n"]),
    st.sampled_from(["[a]", "[^a]", r"[\w-]", r"[^\s]", "[a-c0]", "[é-ü]", "[-a]", r"[^\d\]]", "[a^]"]),
)


def _extend(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    repeat = st.sampled_from(["*", "+", "?", "{2}", "{1,}", "{0,2}", "*?", "+?", "??", "{1,3}?"])
    return st.one_of(
        st.builds("".join, st.lists(inner, min_size=1, max_size=4)),
        st.builds("(?:{})".format, inner),
        st.builds("(?P<g{}>{})".format, st.integers(0, 9), inner),
        st.builds("({})".format, inner),
        st.builds("(?:{}){}".format, inner, repeat),
        st.builds("{}{}".format, _ATOMS, repeat),
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("{}|{}".format, inner, inner),
        st.builds("^{}".format, inner),
        st.builds("{}$".format, inner),
        st.builds(r"{}\b".format, inner),
    )


REGEXES = st.recursive(_ATOMS, _extend, max_leaves=10)
# Also pure noise: whatever our parser takes of it must be a regex to RE2.
NOISE = st.text(st.sampled_from(r"ab0^$.|()[]{}?*+\,-:=!<>P&~idwsDWSbBAZzxnt1∞é"), max_size=10)


def _checked(source: str) -> Regex | None:
    try:
        return check(source)
    except RegexError:
        return None


@given(REGEXES, st.lists(TEXTS, min_size=1, max_size=5))
def test_same_as_google_re2(source: str, texts: list[str]) -> None:
    checked = _checked(source)
    assume(checked is not None)
    assert checked is not None
    _compare(checked, texts)


@given(NOISE, st.lists(TEXTS, min_size=1, max_size=3))
def test_noise(source: str, texts: list[str]) -> None:
    checked = _checked(source)
    if checked is not None:
        _compare(checked, texts)


def _compare(checked: Regex, texts: list[str]) -> None:
    theirs = re2.compile(checked.source)
    ours = re.compile(checked.python, re.ASCII)
    users = regex.compile(checked.python, regex.ASCII | regex.VERSION0)
    for text in texts:
        mine, other, user = ours.search(text), theirs.search(text), users.search(text)
        assert (mine is None) is (user is None), (checked, text)
        if mine is not None:
            assert user.span() == mine.span(), (checked, text)
            assert user.groupdict() == mine.groupdict(), (checked, text)
        assert (mine is None) is (other is None), (checked, text)
        if mine is None or other is None:
            continue
        assert mine.span() == other.span(), (checked, text)
        numbers = other.re.groupindex
        assert {n: mine.span(n) for n in checked.names} == {n: other.span(numbers[n]) for n in checked.names}
        assert all(literal in mine[0] for literal in checked.literals), (checked, text)
        if checked.anchored:
            assert mine.start() == 0
            assert text.startswith(checked.prefix)
            assert ours.match(text) is not None
        assert mine.groupdict().keys() == set(checked.names)
        left_out = {name for name, value in mine.groupdict().items() if value is None}
        assert left_out <= set(checked.optional)


@given(REGEXES)
def test_pieces_are_regexes(source: str) -> None:
    checked = _checked(source)
    assume(checked is not None)
    assert checked is not None
    assert "".join(checked.pieces) == checked.python
    for end in range(len(checked.pieces) + 1):
        re.compile("".join(checked.pieces[:end]), re.ASCII)


@pytest.mark.parametrize("pattern", BUILTIN, ids=lambda p: p.id)
def test_builtin_regexes_match_alike(pattern) -> None:  # type: ignore[no-untyped-def]
    """Every sample and not_sample, in both engines, with the same spans."""
    checked = check(pattern.regex)
    lines = [sample.line for sample in pattern.samples] + list(pattern.not_samples)
    records = [parse_line(line) for line in lines]
    _compare(checked, [record.message for record in records if record is not None])


@given(st.sampled_from(BUILTIN), st.data())
def test_builtin_regexes_match_alike_on_made_messages(pattern, data) -> None:  # type: ignore[no-untyped-def]
    message = data.draw(st.from_regex(re.compile(pattern.python, re.ASCII)))
    assume(not any("\ud800" <= char <= "\udfff" for char in message))
    cut = data.draw(st.integers(0, len(message)))
    _compare(check(pattern.regex), [message, message[:cut], message[cut:], message + "x", message + "\n"])
