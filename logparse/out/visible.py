"""The words for what a log can show, and which setting of Odoo would show it."""

from typing import Literal

import msgspec

Shown = Literal["yes", "inferred", "partly", "no"]

MEASURES = ("duration", "dispatch_delay", "queue_wait", "exception", "channel", "runner", "worker")
"""What else of jobs and installation a log may show."""


class Setting(msgspec.Struct, frozen=True):
    """A setting of Odoo that makes it log more: as an option of its command, and as a line of odoo.conf."""

    option: str
    conf: str


class Visible(msgspec.Struct, frozen=True):
    """Whether a log shows something.

    what: of JOB_EVENTS or MEASURES. shown: `yes` (a line states it), `inferred` (it follows from others),
    `partly` (some of them; `why` tells which) or `no`. why: one sentence. setting: what would show more.
    """

    what: str
    shown: Shown
    why: str
    setting: Setting | None = None


class Visibility(msgspec.Struct, frozen=True):
    """What a log can show.

    level: the log level that its lines prove for queue_job: `debug`, `partly debug`, `info`, `warning`;
        None where it holds no line that tells. blind: why the outcomes of jobs are not visible, None
        where they are (or where there is no job whose outcome could be).
    """

    level: str | None
    blind: str | None
    items: tuple[Visible, ...]

    def __getitem__(self, what: str) -> Visible:
        for item in self.items:
            if item.what == what:
                return item
        raise KeyError(what)

    def shows(self, what: str) -> bool:
        """Whether the lack of such an event means that there was none."""
        return self[what].shown in ("yes", "inferred")
