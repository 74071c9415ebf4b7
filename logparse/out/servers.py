"""Counts what is told of the installation: runners, killed workers, and how channels stand."""

from collections.abc import Mapping, Sequence

import msgspec

from logparse.lifecycle.event import ChannelEvent, Event
from logparse.out.labels import OTHER, Labels, label_among
from logparse.out.state import Channel, Server, State

_UP = {
    "runner_started": 1,
    "runner_ready": 1,
    "runner_standby": 1,
    "runner_stopped": 0,
    "runner_error": 0,
}
_RUNNER = frozenset({*_UP, "channel_configured", "channel_state", "backpressure"})
_MOST_REASONS = 20
_EXACT = 2**53


class Servers:
    """What is known of each server and of each channel, by their label values.

    labels: of databases and channels. channels: by database, channel and server.
    """

    def __init__(self, labels: Labels, max_servers: int, max_channels: int) -> None:
        self.max_servers = max_servers
        self.servers: dict[str, Server] = {}
        self.channels: dict[tuple[str, str, str], Channel] = {}
        self._labels = labels
        self._max_channels = max_channels

    def without_states(self, events: Sequence[Event]) -> Sequence[Event]:
        """What is left to `add` once the last numbers of each channel are taken, where all are known.

        At DEBUG most events are such numbers, of which the next ones take the place.
        """
        states = [event for event in events if isinstance(event, ChannelEvent)]
        if not states or not self._stand(states):
            return events
        return [event for event in events if not isinstance(event, ChannelEvent)]

    def _stand(self, states: Sequence[ChannelEvent]) -> bool:
        """Take the last numbers of each channel; False, and nothing taken, where there is more to do."""
        latest: dict[tuple[str, str, str], ChannelEvent] = {}
        newest: dict[str, int] = {}
        for event in states:
            server = event.server or ""
            latest[event.db or "", event.channel or "", server] = event
            if server not in newest or event.ts > newest[server]:
                newest[server] = event.ts
        if not (
            self.channels.keys() >= latest.keys()
            and all(map(_is_plausible, latest.values()))
            and {(event.event, event.evidence) for event in states} == {("channel_state", "observed")}
        ):
            return False
        for key, event in latest.items():
            self.channels[key] = _standing(key, event)
        for name, ts in newest.items():
            self.servers[name].activity = max(self.servers[name].activity, ts)
        return True

    def add(self, event: Event) -> bool:
        """Count one event of the installation; whether it shows the numbers that a channel has."""
        word = event.event
        name = self._labels.admitted("server", event.server, self.servers, self.max_servers)
        if word in _RUNNER:
            server = self.servers.setdefault(name, Server())
            server.activity = max(server.activity, event.ts)
            if word == "runner_started":
                server.starts += 1
            elif word == "runner_error":
                server.errors += 1
            # A database that is misconfigured is left out by a runner that goes on.
            if word in _UP and not (word == "runner_error" and event.reason == "misconfigured"):
                server.up = _UP[word]
                if server.up:
                    server.up_since = max(server.up_since, event.ts)
        elif word == "worker_killed":
            kills = self.servers.setdefault(name, Server()).kills
            reason = self._labels.admitted("reason", event.reason or "unknown", kills, _MOST_REASONS)
            kills[reason] = kills.get(reason, 0) + 1
        elif word in ("server_started", "server_stopped"):
            # A start of the server is told once it listens, which may be after its runner started.
            known = self.servers.get(name)
            if known is not None and known.up is not None and event.ts >= known.up_since:
                known.up = 0
        return isinstance(event, ChannelEvent) and self._channel(event, name)

    def _channel(self, event: ChannelEvent, server: str) -> bool:
        if not _is_plausible(event):
            return False
        labels = self._labels
        key = (event.db or "", event.channel or "", server)
        if key not in self.channels:
            db, channel = labels.db(event.db), labels.channel(event.channel)
            key = (db, channel, server)
        if key not in self.channels:
            if OTHER in key or len(self.channels) >= self._max_channels:
                # The numbers of several channels, one over the other, would be those of none.
                labels.overflow["channel"] += OTHER not in key
                return False
            labels.enter(db, channel)
        self.channels[key] = _standing(key, event)
        # A configuration that is printed shows zeros, and they stay where no line shows what is there.
        return event.event == "channel_state"

    def label(self, server: str | None) -> str:
        """The label value that stands for a server of the log; no overflow is counted."""
        overflow = self._labels.overflow
        before = overflow["server"]
        label = self._labels.admitted("server", server, self.servers, self.max_servers)
        overflow["server"] = before
        self.servers.setdefault(label, Server())
        return label

    def kill_label(self, server: str, reason: str | None) -> str:
        """The label value under which such a kill was counted; server: a label value, too."""
        known = self.servers.get(server)
        return label_among(known.kills if known is not None else (), reason or "unknown")

    def from_state(self, state: State) -> None:
        """Go on from what another run had."""
        self.channels = {(channel.db, channel.channel, channel.server): channel for channel in state.channels}
        self.servers = copies(state.servers)


def copies(servers: Mapping[str, Server]) -> dict[str, Server]:
    """Of these, so that what one counts the other does not."""
    return {
        name: msgspec.structs.replace(server, kills=dict(server.kills)) for name, server in servers.items()
    }


def _is_plausible(event: ChannelEvent) -> bool:
    return (
        0 <= event.pending < _EXACT
        and 0 <= event.running < _EXACT
        and 0 <= event.failed < _EXACT
        and (event.capacity is None or 0 <= event.capacity < _EXACT)
    )


def _standing(key: tuple[str, str, str], event: ChannelEvent) -> Channel:
    return Channel(*key, event.capacity, event.pending, event.running, event.failed)
