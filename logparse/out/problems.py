"""What is wrong with a log: what makes its check fail, and what is only noted."""

from collections.abc import Sequence

import msgspec

from logparse.out.report import Input
from logparse.out.shape import Shape
from logparse.out.visible import Visibility
from logparse.source.error import SourceError


class Problem(msgspec.Struct, frozen=True):
    """kind: `unread`, `blind` or `unmatched` (these make the check fail), `foreign`, `loses`, `clock`, `cut`,
    `utf8`.

    text: one sentence. fails: whether the check fails by it.
    """

    kind: str
    text: str
    fails: bool


def problems_of(
    read: Input,
    sees: Visibility,
    shapes: Sequence[Shape],
    foreign: int,
    failures: Sequence[SourceError],
) -> list[Problem]:
    """Those that make the check fail, then the notes. foreign: lines of another form.

    failures: why files were read only in part, or not.
    """
    found = [Problem("unread", f"not all of it could be read: {failure}", True) for failure in failures]
    if sees.blind is not None:
        found.append(Problem("blind", f"how jobs end is not fully visible: {sees.blind}", True))
    unmatched = sum(read.unmatched.values())
    if unmatched:
        lines = "1 record" if unmatched == 1 else f"{unmatched:,} records"
        text = f"{lines} of queue_job's loggers are not recognised: an upgrade may have changed a message"
        found.append(Problem("unmatched", text, True))
    losses = dict.fromkeys(text for shape in shapes for text in shape.loses)
    found += [Problem("loses", f"a log so kept does not show this: {text}", False) for text in losses]
    if foreign:
        text = f"{foreign:,} lines have another form than the rest of their file, and were passed over"
        found.append(Problem("foreign", text, False))
    if read.clock_steps_back:
        text = f"the log's clock was set back {read.clock_steps_back:,} times: durations across it are wrong"
        found.append(Problem("clock", text, False))
    if read.truncated:
        text = f"{read.truncated:,} records are longer than the limit, and were read in part"
        found.append(Problem("cut", text, False))
    if read.decode_errors:
        text = (
            f"{read.decode_errors:,} records hold bytes that are not UTF-8; they were read with U+FFFD there"
        )
        found.append(Problem("utf8", text, False))
    return found
