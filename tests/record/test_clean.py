"""What comes off the bytes of a log, and that every byte that stays knows where it stood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logparse.record.clean import clean

BOM = b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    ("raw", "data"),
    [
        (b"", b""),
        (b"plain\n", b"plain\n"),
        (b"\x1b[1;32m\x1b[1;49mINFO \x1b[0m\n", b"INFO \n"),
        (b'"\x1b[35m\x1b[1mGET / HTTP/1.1\x1b[0m" 500\n', b'"GET / HTTP/1.1" 500\n'),
        (b"a\x1b[2Kb\x1b[?25hc\n", b"abc\n"),
        (b"a\r\nb\r\r\nc", b"a\nb\nc"),
        (b"a\rb\n", b"a\rb\n"),  # a lone CR is text
        (b"\x00\x00\x00a\x00\n", b"a\n"),
        (b"a\x1bb\n", b"a\x1bb\n"),  # no code
        (b"a\x1b[", b"a\x1b["),  # one that is cut off
        (b"\xff\xfe\n", b"\xff\xfe\n"),
    ],
)
def test_noise(raw: bytes, data: bytes) -> None:
    text = clean(raw)
    assert text.data == data
    assert text.plain == (raw == data)


def test_a_byte_order_mark_is_one_at_the_head_of_a_file_only() -> None:
    assert clean(BOM + b"a", head=True).data == b"a"
    assert clean(BOM + b"a", head=True).raw(0) == 3
    assert clean(BOM + b"a").data == BOM + b"a"
    assert clean(BOM, head=True).data == b""
    assert clean(BOM + b"\x00a\r\n", head=True).raw(1) == 6


PART = st.sampled_from(
    [b"\x1b[1;32m", b"\x1b[0m", b"\x00", b"\r\n", b"\n", b"\r", b"ab", b"\x1b", b"[", b"m", BOM]
)


@given(st.lists(PART, max_size=30).map(b"".join), st.booleans())
def test_every_byte_knows_its_place(raw: bytes, head: bool) -> None:
    text = clean(raw, head=head)
    places = [text.raw(position) for position in range(len(text.data))]
    assert bytes(raw[place] for place in places) == text.data
    assert places == sorted(set(places))
    assert text.raw(len(text.data)) <= len(raw)
    assert text.data.count(b"\n") == raw.count(b"\n")
