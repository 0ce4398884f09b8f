"""Small words for tests of the matching engine: a symbol, an engine with a book, orders in plain text numbers."""

from __future__ import annotations

from typing import TypeVar

from cryptotrader.core.events import BookSnapshot, BookTicker, DepthDiff, Level, Trade
from cryptotrader.core.orders import OrderType, Side, TimeInForce
from cryptotrader.core.scaled import parse_scaled
from cryptotrader.exchange.engine.accounts import Fees
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.events import Event
from cryptotrader.exchange.engine.orders import NewOrder
from cryptotrader.exchange.engine.rules import SymbolRules

SYMBOL = "BTCUSDT"
NOW_MS = 1_700_000_000_000
"""The time at which tests begin, epoch ms."""

E = TypeVar("E")


def p(text: str) -> int:
    """A plain decimal as a scaled number."""
    return parse_scaled(text)


RULES = SymbolRules(
    symbol=SYMBOL,
    base="BTC",
    quote="USDT",
    tick=p("0.01"),
    min_price=p("0.01"),
    max_price=p("1000000"),
    step=p("0.001"),
    min_qty=p("0.001"),
    max_qty=p("9000"),
    market_max_qty=p("100"),
    min_notional=p("5"),
    max_notional=p("9000000"),
    bid_multiplier_up=p("5"),
    bid_multiplier_down=p("0.2"),
    ask_multiplier_up=p("5"),
    ask_multiplier_down=p("0.2"),
)


def levels(*pairs: tuple[str, str]) -> tuple[Level, ...]:
    """Levels from (price, quantity) texts."""
    return tuple((p(price), p(quantity)) for price, quantity in pairs)


def snapshot(bids: tuple[Level, ...], asks: tuple[Level, ...], last_id: int = 100) -> BookSnapshot:
    """A whole external book."""
    return BookSnapshot(SYMBOL, last_id, bids, asks)


def diff(
    last_id: int, bids: tuple[Level, ...] = (), asks: tuple[Level, ...] = (), *, event_ms: int = NOW_MS
) -> DepthDiff:
    """An external change with one update id."""
    return DepthDiff(SYMBOL, last_id, last_id, bids, asks, event_ms)


def trade(trade_id: int, price: str, qty: str, *, sells: bool, time_ms: int = NOW_MS) -> Trade:
    """An external trade; ``sells``: the aggressor sold."""
    return Trade(SYMBOL, trade_id, p(price), p(qty), time_ms, sells, time_ms)


def ticker(update_id: int, bid: tuple[str, str], ask: tuple[str, str]) -> BookTicker:
    """An external best bid and ask."""
    return BookTicker(SYMBOL, update_id, p(bid[0]), p(bid[1]), p(ask[0]), p(ask[1]))


def market_engine(rules: SymbolRules = RULES, fees: Fees | None = None) -> Engine:
    """Accounts ``alice`` and ``bob`` (10 BTC and 10,000 USDT each) and a book of two levels a side around 100."""
    engine = Engine([rules])
    for account in ("alice", "bob"):
        engine.open_account(account, {"BTC": p("10"), "USDT": p("10000")}, fees)
    bids = levels(("99", "1"), ("98", "2"))
    asks = levels(("101", "1"), ("102", "2"))
    assert engine.on_snapshot(snapshot(bids, asks), NOW_MS) == []
    return engine


def limit(side: str, price: str, qty: str, tif: str = "GTC", *, client_id: str = "") -> NewOrder:
    """A LIMIT order."""
    return NewOrder(
        symbol=SYMBOL,
        side=Side(side),
        type=OrderType.LIMIT,
        time_in_force=TimeInForce(tif),
        price=p(price),
        qty=p(qty),
        client_order_id=client_id,
    )


def maker(side: str, price: str, qty: str) -> NewOrder:
    """A LIMIT_MAKER order."""
    return NewOrder(symbol=SYMBOL, side=Side(side), type=OrderType.LIMIT_MAKER, price=p(price), qty=p(qty))


def market(side: str, qty: str = "", *, quote: str = "") -> NewOrder:
    """A MARKET order by quantity or by amount of the quote asset."""
    return NewOrder(
        symbol=SYMBOL,
        side=Side(side),
        type=OrderType.MARKET,
        qty=p(qty) if qty else 0,
        quote_order_qty=p(quote) if quote else 0,
    )


def of_kind(events: list[Event], kind: type[E]) -> list[E]:
    """The events of one class."""
    return [event for event in events if isinstance(event, kind)]


def free(engine: Engine, account: str, asset: str) -> int:
    """Free balance."""
    return next(amount for name, amount, _ in engine.balances(account) if name == asset)


def locked(engine: Engine, account: str, asset: str) -> int:
    """Locked balance."""
    return next(amount for name, _, amount in engine.balances(account) if name == asset)
