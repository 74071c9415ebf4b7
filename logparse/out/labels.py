"""Which texts of the log become label values, so that their number is bounded whatever the log says."""

from collections.abc import Collection

from logparse.out.label import cleaned, is_cut
from logparse.out.state import LIMITED, State

OTHER = "other"
"""The label value of everything beyond a limit."""


class Labels:
    """The databases and channels that have a label value of their own; who comes first has one.

    overflow: by label, how often a text was cut, or became `other`.
    """

    def __init__(self, max_databases: int, max_channels: int) -> None:
        self.max_databases = max_databases
        self.max_channels = max_channels
        self.overflow = dict.fromkeys(LIMITED, 0)
        self._dbs: set[str] = set()
        self._channels: set[str] = set()

    def db(self, name: str | None) -> str:
        """The label value for a database."""
        return self.admitted("db", name, self._dbs, self.max_databases)

    def channel(self, name: str | None) -> str:
        """The label value for a channel."""
        return self.admitted("channel", name, self._channels, self.max_channels)

    def enter(self, db: str, channel: str) -> None:
        """These label values exist now."""
        self._dbs.add(db)
        self._channels.add(channel)

    def admitted(self, label: str, value: str | None, known: Collection[str], most: int) -> str:
        """The label value for a text of the log, given those that exist; `other` beyond the limit."""
        if not value:
            return ""
        if value in known:
            return value
        text = cleaned(value)
        if is_cut(value):
            self.overflow[label] += 1
        if text in known:
            return text
        if len(known) - ("" in known) - (OTHER in known) < most or text == OTHER:
            return text
        self.overflow[label] += 1
        return OTHER

    def from_state(self, state: State) -> None:
        """Go on from what another run had."""
        self._dbs = {series.db for series in state.series} | {channel.db for channel in state.channels}
        self._channels = {series.channel for series in state.series}
        self._channels |= {channel.channel for channel in state.channels}
        self.overflow = {**self.overflow, **state.overflow}


def label_among(known: Collection[str], value: str | None) -> str:
    """The label value under which a text was counted, of those that exist."""
    if not value or value in known:
        return value or ""
    text = cleaned(value)
    return text if text in known else OTHER
