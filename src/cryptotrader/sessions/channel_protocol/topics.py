"""What can be delivered to many clients at once: topics, and the sources behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from cryptotrader.core.clock import NS_PER_S, Clock
from cryptotrader.dialects.channels.messages import ChannelName
from cryptotrader.dialects.channels.protocol import Pair
from cryptotrader.sessions.ws.timer import SharedTimer
from cryptotrader.transport.fanout import Broadcaster
from cryptotrader.transport.frames import Frame

EVERY = "*"
"""Stands for all symbols of an account; no symbol is spelt like that."""


class SourceKey(NamedTuple):
    """What one source serves: a channel of a symbol, or of an account."""

    channel: ChannelName
    exchange: str
    subject: str
    """A symbol; for a private channel the account; empty for system events."""


class ChannelTopic(NamedTuple):
    """Everybody who is subscribed to it gets the same bytes."""

    source: SourceKey
    detail: str
    """Levels of a book; for a private channel the symbol or ``EVERY``; for system events the account."""

    @property
    def name(self) -> str:
        """As the broadcaster knows it: ``orderbook/binance/BTCUSDT/10``."""
        return "/".join([*self.source, self.detail])


def topics_of(pairs: Iterable[tuple[Pair, int]], account: str) -> dict[ChannelTopic, Pair]:
    """The topics that bring a client what it subscribed to, each thing once."""
    found: dict[ChannelTopic, Pair] = {}
    for pair, depth in pairs:
        detail = ""
        if pair.channel is ChannelName.SYSTEM_EVENTS:
            source, detail = SourceKey(pair.channel, "", ""), account
        elif pair.channel.is_private:
            source = SourceKey(pair.channel, pair.exchange, account)
            detail = pair.symbol or EVERY
        else:
            source = SourceKey(pair.channel, pair.exchange, pair.symbol)
            if pair.channel is ChannelName.ORDERBOOK:
                detail = str(depth)
        found[ChannelTopic(source, detail)] = pair
    # Whoever gets all symbols of an account gets each of them with it.
    return {
        topic: pair
        for topic, pair in found.items()
        if topic.detail == EVERY
        or not topic.source.channel.is_private
        or ChannelTopic(topic.source, EVERY) not in found
    }


class Outlet:
    """Where sources put their messages, each encoded once.

    Args:
        broadcaster: Sends. Its items are the keys under which a newer message takes the place of an older one for a
            client that is behind; None keeps every message.
        clock: The time.
        timer: Shared by all sessions.
    """

    def __init__(self, broadcaster: Broadcaster[str | None], clock: Clock, timer: SharedTimer) -> None:
        self.clock = clock
        self._broadcaster = broadcaster
        self._timer = timer
        self._last_ns: dict[str, int] = {}

    def wants(self, topic: str) -> bool:
        """Whether anybody listens."""
        return self._broadcaster.has_listeners(topic)

    def publish(self, topic: str, frame: Frame, *, key: str | None = None) -> None:
        """Send to all who are subscribed to ``topic`` now."""
        if self._broadcaster.has_listeners(topic):
            self._last_ns[topic] = self.clock.monotonic_ns()
            self._broadcaster.publish(topic, frame, key)

    def later(self, delay_s: float, job: Callable[[], None]) -> None:
        """Run ``job`` in about ``delay_s`` seconds; whether it still matters is for the job to notice."""
        self._timer.at(self.clock.monotonic_ns() + int(delay_s * NS_PER_S), job)

    def last_ns(self, topic: str) -> int:
        """When something was last sent to a topic's subscribers (monotonic); 0 where nothing was."""
        return self._last_ns.get(topic, 0)

    def forget(self, topic: str) -> None:
        """Nobody is subscribed any more."""
        self._last_ns.pop(topic, None)


class Source(Protocol):
    """Publishes the messages of one channel of one symbol or account."""

    def first(self, topic: ChannelTopic, now_ms: int) -> list[Frame]:
        """What a new subscriber of ``topic`` gets at once; empty where nothing is known yet."""
        ...

    def close(self) -> None:
        """Nobody wants it any more."""
        ...


class _Entry:
    __slots__ = ("leavings", "source", "users")

    def __init__(self, source: Source) -> None:
        self.source = source
        self.users = 0
        self.leavings = 0


class SourceRegistry:
    """Opens a source with its first user and closes it a while after its last one.

    Args:
        build: Opens a source; raises CryptotraderError where it cannot be had.
        outlet: Where sources publish.
        linger_s: How long a source outlives its last user, in seconds.
    """

    def __init__(self, build: Callable[[SourceKey], Source], outlet: Outlet, *, linger_s: float) -> None:
        self._build = build
        self._outlet = outlet
        self._linger_s = linger_s
        self._entries: dict[SourceKey, _Entry] = {}
        self._users: dict[str, int] = {}

    @property
    def open_count(self) -> int:
        """Sources that are open."""
        return len(self._entries)

    def take(self, topic: ChannelTopic) -> Source:
        """Use a topic; raises what ``build`` raises."""
        entry = self._entries.get(topic.source)
        if entry is None:
            entry = self._entries[topic.source] = _Entry(self._build(topic.source))
        entry.users += 1
        self._users[topic.name] = self._users.get(topic.name, 0) + 1
        return entry.source

    def give_back(self, topic: ChannelTopic) -> None:
        """Use it no more."""
        name = topic.name
        self._users[name] -= 1
        if not self._users[name]:
            del self._users[name]
            self._outlet.forget(name)
        entry = self._entries[topic.source]
        entry.users -= 1
        if entry.users == 0:
            entry.leavings += 1
            leavings = entry.leavings
            self._outlet.later(self._linger_s, lambda: self._close_unused(topic.source, entry, leavings))

    def close(self) -> None:
        """Close every source."""
        for entry in self._entries.values():
            entry.source.close()
        self._entries.clear()

    def _close_unused(self, key: SourceKey, entry: _Entry, leavings: int) -> None:
        is_unused = entry.users == 0 and entry.leavings == leavings
        if is_unused and self._entries.get(key) is entry:
            del self._entries[key]
            entry.source.close()
