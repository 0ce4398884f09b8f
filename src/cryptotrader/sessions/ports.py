"""What the streams need from the rest of the product, as small ports that tests fill with fakes."""

from __future__ import annotations

from collections.abc import Set
from typing import Protocol

from cryptotrader.bus import Topic
from cryptotrader.core.events import Ticker24h, Trade
from cryptotrader.feeds.depth import DepthChange
from cryptotrader.feeds.user import UserEvent
from cryptotrader.market.book import OrderBook
from cryptotrader.services.binance.models.exchange_info import SymbolInfo
from cryptotrader.sessions.keys import KeyLimits, Principal


class WhoIs(Protocol):
    """A client that proved who it is."""

    @property
    def key_id(self) -> str:
        """Public id of its key."""
        ...

    @property
    def scopes(self) -> Set[str]:
        """What the key allows: ``read``, ``trade``, ``admin``."""
        ...

    @property
    def account(self) -> str:
        """Whose orders and balances it deals with."""
        ...

    @property
    def limits(self) -> KeyLimits:
        """Limits of its own."""
        ...


class Authenticates(Protocol):
    """Knows the bearer tokens."""

    on_revoked: Topic[str]
    """Ids of keys that have just become useless, or changed."""

    def authenticate(
        self, authorization: str | None, query_token: str | None = None, *, client: str | None = None
    ) -> WhoIs:
        """Who comes from the address ``client``; raises NotAuthenticated with the text for the client."""
        ...


class LogsIn(Protocol):
    """Checks signed logins."""

    def login(
        self, api_key: str, timestamp_ms: int, signature: str, *, now_ms: int, client: str | None = None
    ) -> WhoIs:
        """Who signed; raises NotAuthenticated (C-4)."""
        ...


class ListenKeys(Protocol):
    """Listen keys that the gateway has issued."""

    on_closed: Topic[str]
    """Ids of the keys whose listen key is no longer valid."""

    def holder_of(self, key: str) -> Principal | None:
        """Whose listen key this is; None where it is unknown or no longer valid."""
        ...


class Catalogue(Protocol):
    """Which symbols exist."""

    async def require(self, symbol_text: str) -> str:
        """Any spelling to the venue's own; raises UnknownSymbol."""
        ...

    def known(self, symbol: str) -> SymbolInfo | None:
        """What is known now of a symbol in the venue's spelling, without asking the venue."""
        ...


class Lease(Protocol):
    """Keeps something subscribed upstream until it is closed."""

    def close(self) -> None:
        """Not wanted any more."""
        ...


class DepthFeed(Protocol):
    """The live order book of a symbol."""

    topic: Topic[DepthChange]
    """Every change."""
    event_ms: int
    """The venue's time of the newest event, in milliseconds; 0 before the first."""

    @property
    def is_ready(self) -> bool:
        """Whether the book is known to be right now."""
        ...

    @property
    def book(self) -> OrderBook:
        """The book; to be read only while ``is_ready`` or in a change."""
        ...

    async def wait_ready(self, timeout_s: float) -> None:
        """Return when ``is_ready``; raises VenueTimeout."""
        ...


class TickerFeed(Protocol):
    """The live 24-hour statistics of a symbol."""

    topic: Topic[Ticker24h]
    """Every update."""

    @property
    def latest(self) -> Ticker24h | None:
        """The newest, if any arrived."""
        ...

    @property
    def is_active(self) -> bool:
        """Whether the venue would tell if anything changed."""
        ...


class TradeFeed(Protocol):
    """The live public trades of a symbol."""

    topic: Topic[Trade]
    """Every trade, once, in order."""


class LiveMarket(Protocol):
    """Live market state, subscribed upstream as long as a lease is held."""

    def lease(self, symbol: str, kind: str) -> Lease:
        """Keep a kind of data of ``symbol`` alive."""
        ...

    def depth(self, symbol: str) -> DepthFeed:
        """The order book of ``symbol``."""
        ...

    def ticker(self, symbol: str) -> TickerFeed:
        """The statistics of ``symbol``."""
        ...

    def trades(self, symbol: str) -> TradeFeed:
        """The public trades of ``symbol``."""
        ...


class UserFeed(Protocol):
    """The user's own orders and balances."""

    topic: Topic[UserEvent]
    """Every event, once."""

    def lease(self) -> Lease:
        """Keep the user stream open."""
        ...
