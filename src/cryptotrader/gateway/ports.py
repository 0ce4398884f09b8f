"""What the HTTP gateway needs from the rest of the product, as small ports that tests fill with fakes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cryptotrader.core.clock import Clock
from cryptotrader.core.events import Candle, Level, Ticker24h, Trade
from cryptotrader.core.limits import WindowLimit
from cryptotrader.gateway.listen_keys import ListenKeys
from cryptotrader.sessions.auth import Principal
from cryptotrader.trading.orders import OrderDesk
from cryptotrader.trading.ports import Upstream
from cryptotrader.trading.positions.ports import PositionDesk


class Catalogue(Protocol):
    """Which symbols exist."""

    async def require(self, symbol_text: str) -> str:
        """Any spelling to the venue's own; raises UnknownSymbol."""
        ...

    async def load(self) -> object:
        """Have the venue's list at hand; raises VenueError where it cannot be had."""
        ...

    @property
    def symbols(self) -> Sequence[str]:
        """All that are known now, without asking the venue."""
        ...


class BookView(Protocol):
    """A local order book."""

    @property
    def last_id(self) -> int:
        """Update id of the last change in it."""
        ...

    def bids(self, limit: int | None = None) -> Sequence[Level]:
        """Best first."""
        ...

    def asks(self, limit: int | None = None) -> Sequence[Level]:
        """Best first."""
        ...


class DepthView(Protocol):
    """The live order book of a symbol."""

    @property
    def is_fresh(self) -> bool:
        """Whether the book is known to be right, and the stream behind it is alive now."""
        ...

    @property
    def book(self) -> BookView:
        """The book itself."""
        ...

    @property
    def complete_levels(self) -> int:
        """How many levels per side are known without a hole."""
        ...


class TickerView(Protocol):
    """The live 24-hour statistics of a symbol."""

    @property
    def latest(self) -> Ticker24h | None:
        """The newest, if any arrived."""
        ...

    @property
    def is_fresh(self) -> bool:
        """Whether the stream behind it is alive now."""
        ...


class TapeView(Protocol):
    """Recent trades."""

    @property
    def last(self) -> Trade | None:
        """The newest trade."""
        ...

    def latest(self, limit: int) -> Sequence[Trade]:
        """At most ``limit`` newest trades, oldest first."""
        ...

    def __len__(self) -> int: ...


class TradesView(Protocol):
    """The live trades of a symbol."""

    @property
    def tape(self) -> TapeView:
        """Trades without a hole, up to its capacity."""
        ...

    @property
    def is_fresh(self) -> bool:
        """Whether the stream behind it is alive now."""
        ...


class SeriesView(Protocol):
    """Candles of one interval."""

    def latest(self, limit: int) -> Sequence[Candle]:
        """At most ``limit`` newest candles, oldest first."""
        ...


class CandlesView(Protocol):
    """The live candles of a symbol and interval."""

    @property
    def series(self) -> SeriesView:
        """Candles without a hole, the open one last."""
        ...

    @property
    def is_fresh(self) -> bool:
        """Whether the stream behind it is alive now."""
        ...


class Live(Protocol):
    """Live market state. Asking never waits: it subscribes for a while, and a view that is not fresh yet says so.

    Every method raises SubscriptionLimit where no more can be subscribed.
    """

    def depth(self, symbol: str) -> DepthView:
        """The symbol's order book."""
        ...

    def ticker(self, symbol: str) -> TickerView:
        """The symbol's 24-hour statistics."""
        ...

    def trades(self, symbol: str) -> TradesView:
        """The symbol's trades."""
        ...

    def candles(self, symbol: str, interval: str) -> CandlesView:
        """The symbol's candles."""
        ...


class Authenticates(Protocol):
    """Knows the bearer tokens."""

    def authenticate(
        self, authorization: str | None, query_token: str | None = None, *, client: str | None = None
    ) -> Principal:
        """Who comes from the address ``client``; raises NotAuthenticated."""
        ...


@dataclass(frozen=True)
class AccountServices:
    """What the routes use of one account at the venue.

    Attributes:
        upstream: The venue's REST client, signing for the account.
        orders: Its order path.
        positions: What it holds; None where nobody keeps that.
    """

    upstream: Upstream
    orders: OrderDesk
    positions: PositionDesk | None = None


@dataclass(frozen=True)
class GatewayServices:
    """Everything that the gateway's routes use, built once by the composition root.

    Attributes:
        upstream: The venue's REST client, for what belongs to no account.
        accounts: An account by its name, opened when it is first asked for; raises VenueAuthError where there are no
            credentials for it.
        live: Live market state.
        catalogue: Symbols of the venue.
        authenticator: Bearer tokens.
        limits: Requests per minute and token (S0-52), for tokens without a limit of their own.
        listen_keys: Listen keys that this gateway issues (C-23).
        clock: The time.
        mode: ``paper``, ``testnet`` or ``live``; named in every order answer.
        may_trade: False where orders would use real money and that was not switched on.
        started_ns: Monotonic time of the start.
        exchange: What clients call the venue.
    """

    upstream: Upstream
    accounts: Callable[[str], AccountServices]
    live: Live
    catalogue: Catalogue
    authenticator: Authenticates
    limits: WindowLimit
    listen_keys: ListenKeys
    clock: Clock
    mode: str
    may_trade: bool
    started_ns: int
    exchange: str = "binance"
