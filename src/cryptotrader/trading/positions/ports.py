"""What positions offer to sessions and routes, and what they need from the rest of the product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from cryptotrader.bus import Topic
from cryptotrader.core.errors import InvalidParams
from cryptotrader.core.events import SystemEvent, Ticker24h, Trade
from cryptotrader.portfolio.protections import Protection, Terms
from cryptotrader.services.binance.models.exchange_info import ExchangeInfo, SymbolInfo
from cryptotrader.services.binance.request import Params, RequestSpec

P = TypeVar("P", bound=Params)
R = TypeVar("R")

TICKER = "ticker"
TRADES = "trades"


class PositionView(msgspec.Struct, frozen=True, kw_only=True):
    """A position as clients see it (S1-14). All numbers are scaled."""

    symbol: str
    base: str
    quote: str
    event_ms: int
    """Of the fill or the mark that changed it last."""
    amount: int
    cost: int
    average_price: int
    mark: int
    """Price that the unrealised part is reckoned with; 0 while nobody knows one: then that part is 0 too."""
    unrealised_pnl: int
    unrealised_percent: int
    realised_pnl: int
    fees: tuple[tuple[str, int], ...] = ()
    """(asset, sum of all commissions)."""
    untracked_sold: int = 0
    """Sold beyond the position: it came from a deposit or from before the known history."""
    protection: Protection | None = None
    """The latest; its ``phase`` says whether it still watches."""

    @property
    def terms(self) -> Terms:
        """What watches the position now; empty where nothing does."""
        if self.protection is None or self.protection.phase.is_over:
            return Terms()
        return self.protection.terms

    @property
    def stop_loss(self) -> int | None:
        """None where none is set."""
        return self.terms.stop_loss

    @property
    def take_profit(self) -> int | None:
        """None where none is set."""
        return self.terms.take_profit

    @property
    def trailing_stop(self) -> int | None:
        """A scaled percentage; None where none is set."""
        return self.terms.trailing_stop


class NoPosition(InvalidParams):
    """The account holds nothing in this symbol."""


class Discrepancy(msgspec.Struct, frozen=True, kw_only=True):
    """What the balance of an asset has more (or, negative, less) than the positions in it, scaled."""

    asset: str
    positions: int
    balance: int
    """Free and locked."""

    @property
    def difference(self) -> int:
        """Balance less positions: above zero it came from a deposit or from before the known history; below zero it
        was withdrawn, or spent as quote or commission of another symbol."""
        return self.balance - self.positions


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """New terms of a protection, scaled: what is unset stays, None takes a term away."""

    stop_loss: int | UnsetType | None = UNSET
    take_profit: int | UnsetType | None = UNSET
    trailing_stop: int | UnsetType | None = UNSET

    def applied_to(self, terms: Terms) -> Terms:
        """The terms that result."""
        given = {name: getattr(self, name) for name in self.__struct_fields__ if getattr(self, name) is not UNSET}
        return msgspec.structs.replace(terms, **given)


class PositionDesk(Protocol):
    """What routes ask of the positions of an account. Every method waits for the first rebuild, for some seconds.

    Each raises CryptotraderError where the venue does not tell what is needed.
    """

    @property
    def is_ready(self) -> bool:
        """Whether the venue's history was read once in this process."""
        ...

    async def all(self) -> Sequence[PositionView]:
        """Positions that hold something, with present prices, by symbol; where not ``is_ready``, those known so far."""
        ...

    async def one(self, symbol: str) -> PositionView:
        """One position, also of nothing any more; raises NoPosition where nothing was ever traded."""
        ...

    def reconciliation(self) -> Sequence[Discrepancy]:
        """Assets of which the balance is not what the positions say."""
        ...

    async def protect(self, symbol: str, change: Change) -> PositionView:
        """Set, change or take away terms; raises NoPosition, or InvalidParams naming the term that cannot be kept."""
        ...

    async def unprotect(self, symbol: str) -> PositionView:
        """Take every term away; raises NoPosition, or InvalidParams where it has fired."""
        ...


class Protections(Protocol):
    """Stop loss, take profit and trailing stop of an account's positions."""

    topic: Topic[SystemEvent]
    """``protection_triggered``, ``protection_done``, ``protection_partial``, ``protection_refused``,
    ``position_mismatch``; each with its account."""


class Positions(Protocol):
    """The positions of one account."""

    topic: Topic[PositionView]
    """Every change by a fill or a protection at once; changes by the mark at most once a second and symbol, and only of
    symbols that somebody watches."""

    @property
    def protections(self) -> Protections:
        """Where protections report."""
        ...

    def current(self) -> Sequence[PositionView]:
        """Positions that hold something, as known now, by symbol."""
        ...

    def watch(self, symbol: str | None = None) -> None:
        """Follow the mark of a symbol, or of all positions, until ``unwatch``; calls are counted."""
        ...

    def unwatch(self, symbol: str | None = None) -> None:
        """The opposite of one ``watch`` with the same argument."""
        ...


class Venue(Protocol):
    """Requests to the venue in the name of the account."""

    async def call(self, spec: RequestSpec[P, R], params: P) -> R:
        """Send a request; raises VenueError."""
        ...

    def venue_now_ms(self) -> int:
        """The venue's time as far as it is known. Unit: epoch milliseconds."""
        ...


class Instruments(Protocol):
    """Which symbols exist, and their rules."""

    async def load(self) -> ExchangeInfo:
        """The venue's list; raises VenueError where it cannot be had."""
        ...

    async def info(self, symbol_text: str) -> SymbolInfo:
        """The rules of a symbol; raises UnknownSymbol."""
        ...

    def known(self, symbol: str) -> SymbolInfo | None:
        """What is known now, without asking."""
        ...


class Lease(Protocol):
    """Keeps something up until it is closed."""

    def close(self) -> None:
        """Not wanted any more."""
        ...


class AccountEvent(Protocol):
    """One event of the account's stream."""

    @property
    def kind(self) -> str:
        """``executionReport``, ``outboundAccountPosition``, ..."""
        ...

    @property
    def data(self) -> dict[str, Any]:
        """The event, decoded."""
        ...


class AccountStream(Protocol):
    """The account's events, each once."""

    @property
    def topic(self) -> Topic[Any]:
        """Of ``AccountEvent``."""
        ...

    @property
    def is_live(self) -> bool:
        """Whether events flow and nothing is missing."""
        ...

    def lease(self) -> Lease:
        """Want the events until the lease is closed."""
        ...


class Tape(Protocol):
    """Recent trades without a hole."""

    def latest(self, limit: int) -> Sequence[Trade]:
        """At most ``limit`` newest, oldest first."""
        ...


class TradeStream(Protocol):
    """The live trades of a symbol."""

    @property
    def topic(self) -> Topic[Trade]:
        """Every trade, in order."""
        ...

    @property
    def tape(self) -> Tape:
        """The newest of them."""
        ...

    @property
    def is_fresh(self) -> bool:
        """Whether the tape holds the newest without a hole."""
        ...


class TickerStream(Protocol):
    """The live 24-hour statistics of a symbol."""

    @property
    def topic(self) -> Topic[Ticker24h]:
        """Every update."""
        ...

    @property
    def latest(self) -> Ticker24h | None:
        """The newest, if any arrived."""
        ...

    @property
    def is_fresh(self) -> bool:
        """Whether it is recent."""
        ...


class Market(Protocol):
    """Live market state. Every method raises SubscriptionLimit where no more can be subscribed."""

    def lease(self, symbol: str, kind: str) -> Lease:
        """Keep ``TICKER`` or ``TRADES`` of a symbol up."""
        ...

    def ticker(self, symbol: str) -> TickerStream:
        """Its statistics."""
        ...

    def trades(self, symbol: str) -> TradeStream:
        """Its trades."""
        ...
