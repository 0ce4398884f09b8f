"""Smart order routing: which other books an order may trade with (``faqs/sor_faq.md``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cryptotrader.core.orders import OrderType
from cryptotrader.exchange.engine.errors import UNSUPPORTED_COMBINATION_TEXT, rejected
from cryptotrader.exchange.engine.matching.market import SymbolMarket
from cryptotrader.exchange.engine.orders import NewOrder
from cryptotrader.exchange.engine.rules import SorGroup

NO_ROUTE_TEXT = "SOR is not supported for this symbol."
"""Binance's documents name no text for it; this one is made like its neighbours."""


def routes_of(groups: Iterable[SorGroup], markets: Mapping[str, SymbolMarket]) -> dict[str, tuple[SymbolMarket, ...]]:
    """The other markets of each routed symbol's group, in the group's order.

    Raises:
        ValueError: A group names a symbol that does not trade here, that is of another base asset, or that another
            group names too.
    """
    routes: dict[str, tuple[SymbolMarket, ...]] = {}
    for group in groups:
        for symbol in group.symbols:
            market = markets.get(symbol)
            if market is None or market.rules.base != group.base or symbol in routes:
                raise ValueError(f"{symbol} can't be in the SOR group of {group.base}")
            routes[symbol] = tuple(markets[other] for other in group.symbols if other != symbol and other in markets)
    return routes


def route(routes: Mapping[str, tuple[SymbolMarket, ...]], new: NewOrder) -> tuple[SymbolMarket, ...]:
    """The other markets that a routed order may trade with now.

    Raises:
        Refusal: Routing does not do such orders, or not this symbol.
    """
    if new.type not in (OrderType.LIMIT, OrderType.MARKET) or new.quote_order_qty:
        raise rejected(UNSUPPORTED_COMBINATION_TEXT)
    others = routes.get(new.symbol)
    if not others:
        raise rejected(NO_ROUTE_TEXT)
    return tuple(market for market in others if market.rules.status == "TRADING")
