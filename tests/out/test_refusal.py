"""Which entries an answer of Loki's is about. The texts are Loki's own, of releases from 2.9 to 3.7."""

from itertools import chain

import pytest

from logparse.lifecycle.event import Event
from logparse.out.loki import Entries, Entry
from logparse.out.refusal import refused

AT = 1795489422_000  # 2026-11-24T03:03:42Z, ms
MAKER = Entries({"job": "logparse"})


def entry(seconds: float, event: str = "failed", uuid: str = "a", db: str | None = "prod") -> Entry:
    made = MAKER.entry(Event(AT + round(seconds * 1000), event, db, uuid))
    assert made is not None
    return made


def meant(batch: list[Entry], text: str) -> dict[str, list[int]] | None:
    told = refused(batch, text)
    if told is None:
        return None
    numbers = {id(one): number for number, one in enumerate(batch)}
    found = {reason: [numbers[id(one)] for one in entries] for reason, entries in told.entries.items()}
    assert sorted([*chain.from_iterable(found.values()), *(numbers[id(one)] for one in told.rest)]) == [
        *range(len(batch))
    ]
    return found


STREAM = '{db="prod", event="failed", job="logparse", service_name="logparse"}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f"entry for stream '{STREAM}' has timestamp too old: 2026-11-24T03:03:32Z, oldest acceptable "
            "timestamp is: 2026-11-24T03:03:42Z",
            {"too_old": [0, 1]},
        ),
        # The bound's fraction of a second is not told: refused again, the entry in that second is meant.
        (
            f"entry for stream '{STREAM}' has timestamp too old: 2026-11-24T03:03:42Z, oldest acceptable "
            "timestamp is: 2026-11-24T03:03:22Z",
            {"too_old": [0]},
        ),
        (f"entry for stream '{STREAM}' has timestamp too new: 2026-11-24T03:03:42Z", {"too_new": [2, 3, 4]}),
        (
            "entry with timestamp 2026-11-24 03:03:32 +0000 UTC ignored, reason: 'entry too far behind, "
            "entry timestamp is: 2026-11-24T03:03:32Z, oldest acceptable timestamp is: "
            "2026-11-24T04:03:41+01:00',\n"
            f"user 'fake', total ignored: 1 out of 4 for stream: {STREAM}",
            {"too_far_behind": [0]},
        ),
        (
            "entry with timestamp 2026-11-24 03:03:43.5 +0000 UTC ignored, reason: 'entry out of order' for "
            f"stream: {STREAM},\nuser 'fake', total ignored: 1 out of 4 for stream: {STREAM}",
            {"out_of_order": [4]},
        ),
        (
            f"Max entry size '10' bytes exceeded for stream '{STREAM}' while adding an entry with "
            "length '400' bytes",
            {"too_long": [0, 1, 2, 3, 4]},
        ),
        ("<html>400 The plain HTTP request was sent to HTTPS port</html>", None),
        ("loghttp.PushRequest.Streams: []loghttp.LogProtoStream: unmarshalerDecoder", None),
        (f"stream '{STREAM}' has label value too long: 'x'", None),
        ("", None),
    ],
)
def test_who_is_meant(text: str, expected: dict[str, list[int]] | None) -> None:
    batch = [entry(-20), entry(-10, "done"), entry(0), entry(0.25, "done"), entry(1.5)]
    assert meant(batch, text) == expected


def test_a_database_may_be_called_anything() -> None:
    batch = [entry(-10, db='a"b\\c'), entry(-10, db="other")]
    text = (
        "entry with timestamp … ignored, reason: 'entry too far behind, entry timestamp is: x, "
        "oldest acceptable timestamp is: 2026-11-24T03:03:42Z',\nuser 'fake', total ignored: 1 out of 1 "
        "for stream: "
        r'{db="a\"b\\c", event="failed", job="logparse"}'
    )
    assert meant(batch, text) == {"too_far_behind": [0]}


def test_the_last_second_before_the_bound() -> None:
    text = "has timestamp too old: 2026-11-24T03:03:42Z, oldest acceptable timestamp is: 2026-11-24T03:03:42Z"
    assert meant([entry(0.25), entry(2)], text) == {"too_old": [0]}


@pytest.mark.parametrize("text", ["oldest acceptable timestamp is: never", "has timestamp too new: 99999-1"])
def test_nonsense_is_about_nobody(text: str) -> None:
    assert meant([entry(0)], text) is None
