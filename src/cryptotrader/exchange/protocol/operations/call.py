"""One request on its way through the exchange, and the tie between a request's spec and what answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from cryptotrader.core.errors import InvalidParams
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.latency import Roads
from cryptotrader.exchange.protocol.faults import FaultBook
from cryptotrader.exchange.protocol.limits import LimitPolicy, OrderCounter, WeightMeter
from cryptotrader.exchange.protocol.listen_keys import ListenKeys
from cryptotrader.exchange.protocol.operations.refusals import refusal_of
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.services.binance.registry import AnySpec
from cryptotrader.services.binance.request import Params, RequestSpec
from cryptotrader.services.binance.validate import parse_params

P = TypeVar("P", bound=Params)
R = TypeVar("R")


@dataclass
class Desk:
    """What requests are answered with; one per exchange.

    Attributes:
        venue: The exchange itself.
        listen_keys: Keys of user data streams.
        limits: How much is allowed.
        weights: Request weight per address.
        orders: Unfilled orders per account.
        faults: Faults that wait for a request to befall.
        roads: How long the requests of accounts are on their way.
    """

    venue: PaperVenue
    listen_keys: ListenKeys
    limits: LimitPolicy = field(default_factory=LimitPolicy)
    weights: WeightMeter = field(init=False)
    orders: OrderCounter = field(init=False)
    faults: FaultBook = field(default_factory=FaultBook)
    roads: Roads = field(init=False)

    def __post_init__(self) -> None:
        self.roads = Roads(self.venue.clock)
        self.weights = WeightMeter(self.limits)
        self.orders = OrderCounter(self.limits)


class Call(msgspec.Struct, frozen=True):
    """One request."""

    desk: Desk
    account: str
    """Whose request it is; empty where that does not matter."""
    now_ms: int

    @property
    def venue(self) -> PaperVenue:
        """The exchange."""
        return self.desk.venue

    @property
    def told_ms(self) -> int:
        """The time that the exchange tells, which a fault may have moved. Unit: epoch milliseconds."""
        return self.now_ms + self.desk.faults.skew_ms(self.now_ms)


@dataclass(frozen=True)
class Endpoint:
    """A request and what answers it."""

    spec: AnySpec
    answer: Callable[[Call, Mapping[str, Any]], object]
    """Takes the parameters as they came, gives what goes out as JSON."""


def endpoint(spec: RequestSpec[P, R], handler: Callable[[Call, P], object]) -> Endpoint:
    """Tie a handler to a request; parameters are checked before it is called."""

    def answer(call: Call, given: Mapping[str, Any]) -> object:
        try:
            params = parse_params(spec, given)
        except InvalidParams as error:
            raise refusal_of(spec, given, error) from None
        return handler(call, params)

    return Endpoint(spec=spec, answer=answer)


def known_symbol(call: Call, symbol: str) -> str:
    """The symbol, provided that the exchange has it.

    Raises:
        Refusal: -1121.
    """
    if symbol not in call.venue.rules:
        raise Refusal(-1121, "Invalid symbol.")
    return symbol


def chosen_symbols(call: Call, *, symbol: str | None, symbols: list[str] | None, status: str | None) -> list[str]:
    """The symbols that a request with ``symbol``, ``symbols`` or neither is about.

    Of several, those that are in another ``status`` are left out; one that is named alone must be in it.

    Raises:
        Refusal: -1105, -1121, -1151 or -1220.
    """
    if symbol is not None:
        name = known_symbol(call, symbol)
        if status is not None and status_of(call, name) != status:
            raise Refusal(-1220, "The symbol's status does not match the requested symbolStatus.")
        return [name]
    if symbols is None:
        names = list(call.venue.rules)
    elif not symbols:
        raise Refusal(-1105, "Parameter 'symbols' was empty.")
    elif len(set(symbols)) != len(symbols):
        raise Refusal(-1151, "Symbol is present multiple times in the list.")
    else:
        names = [known_symbol(call, name) for name in symbols]
    return [name for name in names if status is None or status_of(call, name) == status]


def status_of(call: Call, symbol: str) -> str:
    """Where a symbol stands at this moment: ``TRADING``, ``HALT``, ..."""
    return call.venue.engine.rules(symbol).status
