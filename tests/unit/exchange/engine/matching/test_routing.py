"""Smart order routing (``faqs/sor_faq.md``): its examples, what moves, what may be routed."""

from __future__ import annotations

import msgspec
import pytest

from cryptotrader.core.events import BookSnapshot, Level
from cryptotrader.core.orders import FillReason, OrderStatus, OrderType, Side, TimeInForce
from cryptotrader.exchange.engine.accounts import Fees
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.events import OrderUpdate, TradePrinted
from cryptotrader.exchange.engine.orders import NewOrder
from cryptotrader.exchange.engine.rules import SorGroup, SymbolRules
from tests.support.engine_kit import NOW_MS, RULES, free, levels, locked, of_kind, p

QUOTES = ("USDT", "USDC", "USDP")
GROUP = SorGroup("BTC", tuple(f"BTC{quote}" for quote in QUOTES))
ASKS = {
    "USDT": levels(("30500", "3"), ("30800", "3")),
    "USDC": levels(("28000", "1"), ("30000", "1")),
    "USDP": levels(("29000", "1"), ("35000", "1")),
}
BIDS = {
    "USDT": levels(("29500", "5")),
    "USDC": levels(("35000", "5"), ("30000", "5")),
    "USDP": levels(("28000", "5")),
}


def rules_of(quote: str) -> SymbolRules:
    return msgspec.structs.replace(RULES, symbol=f"BTC{quote}", quote=quote)


def an_engine(
    bids: dict[str, tuple[Level, ...]], asks: dict[str, tuple[Level, ...]], fees: Fees | None = None
) -> Engine:
    engine = Engine([rules_of(quote) for quote in QUOTES], [GROUP])
    engine.open_account("alice", {"BTC": p("20"), "USDT": p("1000000")}, fees or Fees(0, 0))
    engine.open_account("bob", {"BTC": p("20"), "USDC": p("1000000")}, Fees(0, 0))
    for quote in QUOTES:
        shown = BookSnapshot(f"BTC{quote}", 1, bids.get(quote, ()), asks.get(quote, ()))
        engine.on_snapshot(shown, NOW_MS)
    return engine


def routed(side: str, qty: str, price: str = "", tif: str = "GTC") -> NewOrder:
    return NewOrder(
        symbol="BTCUSDT",
        side=Side(side),
        type=OrderType.LIMIT if price else OrderType.MARKET,
        time_in_force=TimeInForce(tif),
        price=p(price) if price else 0,
        qty=p(qty),
        use_sor=True,
    )


BOUGHT = (("28000", "1"), ("29000", "1"), ("30000", "1"), ("30500", "2"))
EXAMPLES = {
    "1": (routed("BUY", "0.5", "31000"), "FILLED", "14000", (("28000", "0.5"),)),
    "2": (routed("BUY", "5", "31000"), "FILLED", "148000", BOUGHT),
    "3": (
        routed("BUY", "11"),
        "EXPIRED",
        "305900",
        (*BOUGHT[:3], ("30500", "3"), ("30800", "3"), ("35000", "1")),
    ),
    "4": (routed("SELL", "10", "29000"), "FILLED", "325000", (("35000", "5"), ("30000", "5"))),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_of_the_faq(name: str) -> None:
    new, status, quote_qty, fills = EXAMPLES[name]
    engine = an_engine(BIDS, {}) if name == "4" else an_engine({}, ASKS)
    order, _ = engine.submit("alice", new, NOW_MS)
    assert (order.status, order.quote_executed, order.working_floor) == (status, p(quote_qty), "SOR")
    assert [(fill.price, fill.qty) for fill in order.fills] == [(p(price), p(qty)) for price, qty in fills]
    assert [(fill.trade_id, fill.allocation_id) for fill in order.fills] == [(-1, at) for at in range(len(fills))]
    assert {fill.why for fill in order.fills} == {FillReason.ALLOCATION}
    assert engine.allocations("alice", "BTCUSDT") == list(order.fills)
    sign = 1 if new.side is Side.BUY else -1
    assert free(engine, "alice", "USDT") == p("1000000") - sign * p(quote_qty)
    assert free(engine, "alice", "BTC") == p("20") + sign * order.executed


def test_what_is_left_rests_on_the_book_of_the_order_itself() -> None:
    engine = an_engine({}, ASKS)
    order, _ = engine.submit("alice", routed("BUY", "3", "28500"), NOW_MS)
    assert (order.status, order.executed, order.working_floor) == (OrderStatus.PARTIALLY_FILLED, p("1"), "EXCHANGE")
    assert engine.book("BTCUSDT").levels(Side.BUY) == [(p("28500"), p("2"))]
    assert locked(engine, "alice", "USDT") == p("57000")


def test_users_on_other_books_trade_there_in_their_own_quote_asset() -> None:
    """The exchange stands between: the maker trades, the taker gets an allocation."""
    engine = an_engine({}, ASKS)
    mine = msgspec.structs.replace(routed("SELL", "2", "27000"), symbol="BTCUSDC", use_sor=False)
    resting, _ = engine.submit("bob", mine, NOW_MS)
    order, events = engine.submit("alice", routed("BUY", "1", "31000"), NOW_MS)
    assert (order.quote_executed, free(engine, "alice", "USDT")) == (p("27000"), p("973000"))
    assert (free(engine, "bob", "USDC"), locked(engine, "bob", "BTC")) == (p("1027000"), p("1"))
    (trade,) = of_kind(events, TradePrinted)
    assert (trade.trade.symbol, trade.trade.buyer_is_maker) == ("BTCUSDC", False)
    fills = [event.fill for event in of_kind(events, OrderUpdate) if event.fill is not None]
    assert [(fill.symbol, fill.order_id, fill.is_maker) for fill in fills] == [
        ("BTCUSDT", order.order_id, False),
        ("BTCUSDC", resting.order_id, True),
    ]
    assert fills[1].trade_id == trade.trade.trade_id


def test_self_trades_are_prevented_on_other_books_too() -> None:
    engine = an_engine({}, {})
    mine = msgspec.structs.replace(routed("SELL", "2", "27000"), symbol="BTCUSDC", use_sor=False)
    engine.submit("alice", mine, NOW_MS)
    new = msgspec.structs.replace(routed("BUY", "1", "31000"), self_trade_prevention_mode="EXPIRE_MAKER")
    order, _ = engine.submit("alice", new, NOW_MS)
    (record,) = order.prevented_matches
    assert (record.symbol, record.maker_symbol, order.status) == ("BTCUSDT", "BTCUSDC", OrderStatus.NEW)
    assert engine.order("alice", "BTCUSDC", order_id=1).status is OrderStatus.EXPIRED_IN_MATCH
    assert engine.book("BTCUSDC").levels(Side.SELL) == []


def test_a_routed_transfer_is_paid_in_each_orders_own_quote_asset() -> None:
    """Binance is silent: as in a trade, the exchange stands between the two."""
    engine = an_engine({}, {})
    for account in ("alice", "bob"):
        engine.set_trade_group(account, 5)
    changes = {"symbol": "BTCUSDC", "use_sor": False, "self_trade_prevention_mode": "TRANSFER"}
    engine.submit("bob", msgspec.structs.replace(routed("SELL", "2", "27000"), **changes), NOW_MS)
    new = msgspec.structs.replace(routed("BUY", "1", "31000"), self_trade_prevention_mode="TRANSFER")
    order, _ = engine.submit("alice", new, NOW_MS)
    assert order.status is OrderStatus.EXPIRED_IN_MATCH
    assert (free(engine, "alice", "BTC"), free(engine, "alice", "USDT")) == (p("21"), p("973000"))
    assert (free(engine, "bob", "USDC"), locked(engine, "bob", "BTC")) == (p("1027000"), p("1"))


def test_fill_or_kill_counts_all_books() -> None:
    engine = an_engine({}, ASKS)
    order, _ = engine.submit("alice", routed("BUY", "10", "31000", "FOK"), NOW_MS)
    assert (order.status, order.executed) == (OrderStatus.EXPIRED, 0)
    order, _ = engine.submit("alice", routed("BUY", "9", "30800", "FOK"), NOW_MS)
    assert order.status is OrderStatus.FILLED


def test_only_limit_and_market_by_quantity_on_a_symbol_of_a_group_are_routed() -> None:
    """``rest-api.md``, "New order using SOR"."""
    engine = an_engine({}, ASKS)
    for new in (
        msgspec.structs.replace(routed("BUY", "1", "31000"), type=OrderType.LIMIT_MAKER),
        msgspec.structs.replace(routed("BUY", "1"), qty=0, quote_order_qty=p("100")),
    ):
        with pytest.raises(Refusal, match="Unsupported order combination"):
            engine.submit("alice", new, NOW_MS)
    alone = Engine([RULES])
    alone.open_account("alice", {"USDT": p("100000")})
    for ask in (alone.submit, alone.check):
        with pytest.raises(Refusal, match="SOR is not supported for this symbol"):
            ask("alice", routed("BUY", "1", "31000"), NOW_MS)


def test_a_group_must_be_of_symbols_that_trade_here_with_one_base() -> None:
    for group in (SorGroup("ETH", ("BTCUSDT",)), SorGroup("BTC", ("BTCEUR",)), SorGroup("BTC", ("BTCUSDT", "BTCUSDT"))):
        with pytest.raises(ValueError, match="SOR group"):
            Engine([RULES], [group])


def test_allocations_are_found_by_order_and_from_an_id_on_and_counted_on_after_a_restart() -> None:
    engine = an_engine({}, ASKS)
    engine.submit("alice", routed("BUY", "2", "31000"), NOW_MS)
    engine.submit("alice", routed("BUY", "1", "31000"), NOW_MS + 1)
    assert [fill.allocation_id for fill in engine.allocations("alice", "BTCUSDT", order_id=2)] == [2]
    assert [fill.allocation_id for fill in engine.allocations("alice", "BTCUSDT", from_id=1, limit=1)] == [1]
    twin = Engine([rules_of(quote) for quote in QUOTES], [GROUP])
    twin.restore(engine.state())
    assert twin.state() == engine.state()
    order, _ = twin.submit("alice", routed("BUY", "1"), NOW_MS + 2)
    assert order.status is OrderStatus.EXPIRED
    assert twin.counters().symbols[0].next_allocation_id == 3


def test_the_taker_fee_is_paid_in_what_is_received() -> None:
    engine = an_engine(BIDS, {}, Fees(0, 10))
    order, _ = engine.submit("alice", routed("SELL", "1", "29000"), NOW_MS)
    (fill,) = order.fills
    assert (fill.commission, fill.commission_asset) == (p("35"), "USDT")
