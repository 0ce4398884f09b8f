"""The channel ``system_events``: what an operator wants to know of every exchange's connections and more (S1-15)."""

from __future__ import annotations

from typing import NamedTuple

from cryptotrader.bus import Subscription, Topic
from cryptotrader.core.clock import to_ms
from cryptotrader.core.events import LinkChange, SystemEvent
from cryptotrader.dialects.channels.encode import encode_link, encode_system
from cryptotrader.dialects.channels.messages import SystemData
from cryptotrader.sessions.channel_protocol.topics import ChannelTopic, Outlet, SourceKey
from cryptotrader.sessions.keys import DEFAULT_ACCOUNT
from cryptotrader.transport.frames import Frame

USER_LINK = "user"
"""Name of the connection with the default account's own events; another account's is ``user:<account>``."""


def _account_of(link: str) -> str | None:
    kind, _, account = link.partition(":")
    return (account or DEFAULT_ACCOUNT) if kind == USER_LINK else None


class LinkNews(NamedTuple):
    """A connection to an exchange changed."""

    exchange: str
    change: LinkChange
    account: str | None
    """Whose connection it is; None where it is everybody's."""


class SystemNews(NamedTuple):
    """Anything else that happened at an exchange."""

    exchange: str
    event: SystemEvent

    @property
    def account(self) -> str | None:
        """Whose affair it is; None where it is everybody's."""
        return self.event.account


News = LinkNews | SystemNews


class SystemJournal:
    """Gathers what the parts of the product tell about themselves, and knows how every connection is now."""

    def __init__(self) -> None:
        self.topic: Topic[News] = Topic("system events")
        self._links: dict[tuple[str, str | None, str], LinkNews] = {}
        self._subscriptions: list[Subscription] = []

    def follow_links(self, exchange: str, links: Topic[LinkChange]) -> None:
        """Tell every change of an exchange's connections; one with user data is its account's own affair."""

        def on_change(change: LinkChange) -> None:
            news = LinkNews(exchange, change, _account_of(change.link))
            self._links[exchange, news.account, change.link] = news
            self.topic.publish(news)

        self._subscriptions.append(links.subscribe(on_change))

    def follow(self, exchange: str, events: Topic[SystemEvent]) -> None:
        """Tell everything else that an exchange's parts report."""
        self._subscriptions.append(events.subscribe(lambda event: self.topic.publish(SystemNews(exchange, event))))

    def links(self, account: str) -> list[LinkNews]:
        """How the connections are that concern an account."""
        return [news for news in self._links.values() if news.account in (None, account)]

    def close(self) -> None:
        """Follow nothing any more."""
        for subscription in self._subscriptions:
            subscription.close()


class SystemSource:
    """One topic per account; what concerns everybody goes to all of them, encoded once."""

    def __init__(self, key: SourceKey, journal: SystemJournal, outlet: Outlet) -> None:
        self._journal = journal
        self._outlet = outlet
        self._topics: dict[str, str] = {}
        """Topic by account."""
        self._subscription = journal.topic.subscribe(self._on_news)

    def first(self, topic: ChannelTopic, now_ms: int) -> list[Frame]:
        """How every connection is now."""
        account = topic.detail
        self._topics[account] = topic.name
        return [self._frame(news, now_ms) for news in self._journal.links(account)]

    def close(self) -> None:
        """Nobody wants it any more."""
        self._subscription.close()

    def _on_news(self, news: News) -> None:
        self._topics = {account: name for account, name in self._topics.items() if self._outlet.wants(name)}
        topics = [name for account, name in self._topics.items() if news.account in (None, account)]
        if not topics:
            return
        frame = self._frame(news, to_ms(self._outlet.clock.now_ns()))
        for name in topics:
            self._outlet.publish(name, frame)

    @staticmethod
    def _frame(news: News, now_ms: int) -> Frame:
        if isinstance(news, LinkNews):
            change = news.change
            link = change.link.partition(":")[0]
            detail = f"{link}: {change.reason}" if change.reason else link
            data = encode_link(news.exchange, change.state, event_ms=change.at_ms, now_ms=now_ms, detail=detail)
        else:
            event = news.event
            told = SystemData(news.exchange, event.status, event.at_ms, symbol=event.symbol, detail=event.detail)
            data = encode_system(event.event, told, now_ms=now_ms)
        return Frame.text(data)
