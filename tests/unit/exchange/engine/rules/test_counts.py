"""Filters that count: on a symbol, on the exchange, per asset (filters.md); each at its limit and one beyond."""

from __future__ import annotations

import msgspec
import pytest

from cryptotrader.core.events import BookSnapshot
from cryptotrader.core.orders import OrderType, Side
from cryptotrader.exchange.engine.accounts import Account, Fees, Wallet
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.order_lists import ListKind, NewOrderList
from cryptotrader.exchange.engine.orders import NewOrder, Order, Stop
from cryptotrader.exchange.engine.rules import (
    AssetLimit,
    ExchangeRules,
    SymbolRules,
    Terms,
    check_amend,
    check_list,
    check_new,
)
from tests.support.engine_kit import NOW_MS, RULES, SYMBOL, levels, limit, market, p

STOP = NewOrder(symbol=SYMBOL, side=Side.SELL, type=OrderType.STOP_LOSS, qty=p("0.1"), stop=Stop(price=p("90")))
ICEBERG = msgspec.structs.replace(limit("BUY", "90", "1"), iceberg_qty=p("0.1"))
OTHER = msgspec.structs.replace(RULES, symbol="ETHUSDT", base="ETH")
AVERAGE = p("100")


def elsewhere(new: NewOrder) -> NewOrder:
    """The same order on another symbol."""
    return msgspec.structs.replace(new, symbol="ETHUSDT")


def engine_of(symbol_rules: SymbolRules) -> Engine:
    other = msgspec.structs.replace(OTHER, exchange=symbol_rules.exchange)
    engine = Engine([symbol_rules, other])
    for account in ("alice", "bob"):
        engine.open_account(account, {"BTC": p("10"), "ETH": p("10"), "USDT": p("10000")})
    for each in (symbol_rules, other):
        engine.on_snapshot(BookSnapshot(each.symbol, 100, levels(("99", "5")), levels(("101", "5"))), NOW_MS)
        # Stops need a last price.
        engine.submit("bob", msgspec.structs.replace(market("BUY", "0.1"), symbol=each.symbol), NOW_MS)
    return engine


def refused(engine: Engine, new: NewOrder) -> str:
    with pytest.raises(Refusal) as caught:
        engine.submit("alice", new, NOW_MS)
    assert caught.value.code == -1013
    return caught.value.message.removeprefix("Filter failure: ")


@pytest.mark.parametrize(
    ("changes", "first", "name"),
    [
        ({"max_num_orders": 2}, limit("BUY", "90", "1"), "MAX_NUM_ORDERS"),
        ({"max_num_algo_orders": 2}, STOP, "MAX_NUM_ALGO_ORDERS"),
        ({"max_num_iceberg_orders": 2}, ICEBERG, "MAX_NUM_ICEBERG_ORDERS"),
    ],
)
def test_an_account_has_at_most_so_many_orders_open_on_a_symbol(
    changes: dict[str, int], first: NewOrder, name: str
) -> None:
    engine = engine_of(msgspec.structs.replace(RULES, **changes))
    for _ in range(2):
        engine.submit("alice", first, NOW_MS)
    assert refused(engine, first) == name
    engine.submit("bob", first, NOW_MS)
    engine.submit("alice", elsewhere(first), NOW_MS)


def test_plain_orders_do_not_count_as_algo_or_iceberg_orders() -> None:
    engine = engine_of(msgspec.structs.replace(RULES, max_num_algo_orders=1, max_num_iceberg_orders=1))
    for _ in range(3):
        engine.submit("alice", limit("BUY", "90", "1"), NOW_MS)
    engine.submit("alice", STOP, NOW_MS)
    engine.submit("alice", ICEBERG, NOW_MS)


@pytest.mark.parametrize(
    ("exchange", "first", "name"),
    [
        (ExchangeRules(max_num_orders=2), limit("BUY", "90", "1"), "EXCHANGE_MAX_NUM_ORDERS"),
        (ExchangeRules(max_num_algo_orders=2), STOP, "EXCHANGE_MAX_NUM_ALGO_ORDERS"),
        (ExchangeRules(max_num_iceberg_orders=2), ICEBERG, "EXCHANGE_MAX_NUM_ICEBERG_ORDERS"),
    ],
)
def test_an_account_has_at_most_so_many_orders_open_on_the_exchange(
    exchange: ExchangeRules, first: NewOrder, name: str
) -> None:
    engine = engine_of(msgspec.structs.replace(RULES, exchange=exchange))
    engine.submit("alice", first, NOW_MS)
    engine.submit("alice", elsewhere(first), NOW_MS)
    assert refused(engine, first) == name
    assert refused(engine, elsewhere(first)) == name
    engine.submit("bob", first, NOW_MS)


def test_exchange_filters_are_shown_where_there_are_any() -> None:
    assert ExchangeRules().filters() == []
    assert ExchangeRules(max_num_orders=1000, max_num_order_lists=20).filters() == [
        {"filterType": "EXCHANGE_MAX_NUM_ORDERS", "maxNumOrders": 1000},
        {"filterType": "EXCHANGE_MAX_NUM_ORDER_LISTS", "maxNumOrderLists": 20},
    ]


def test_max_position_counts_what_is_held_and_what_open_orders_would_buy() -> None:
    """10 BTC held, 1 of them locked by an order to sell, and 2 to be bought."""
    engine = engine_of(msgspec.structs.replace(RULES, max_position=p("13")))
    engine.submit("alice", limit("SELL", "200", "1"), NOW_MS)
    engine.submit("alice", limit("BUY", "90", "2"), NOW_MS)
    engine.check("alice", limit("BUY", "90", "1"), NOW_MS)
    assert refused(engine, limit("BUY", "90", "1.001")) == "MAX_POSITION"
    assert refused(engine, market("BUY", "1.001")) == "MAX_POSITION"
    engine.submit("alice", limit("SELL", "200", "5"), NOW_MS)
    engine.submit("alice", elsewhere(limit("BUY", "90", "5")), NOW_MS)


@pytest.mark.parametrize(
    ("asset", "inside", "outside"),
    [
        ("BTC", limit("BUY", "99", "2"), limit("BUY", "99", "2.001")),
        ("BTC", market("SELL", "2"), market("SELL", "2.001")),
        ("USDT", limit("SELL", "200", "0.01"), limit("SELL", "200", "0.011")),
        ("USDT", market("BUY", quote="2"), market("BUY", quote="2.01")),
        ("ETH", limit("BUY", "99", "2"), None),
    ],
)
def test_max_asset_bounds_quantity_or_value_of_one_order(
    asset: str, inside: NewOrder, outside: NewOrder | None
) -> None:
    engine = engine_of(msgspec.structs.replace(RULES, min_notional=0))
    engine.set_terms("alice", Terms(asset_limits=(AssetLimit(asset, p("2")),)))
    engine.check("alice", inside, NOW_MS)
    if outside is not None:
        assert refused(engine, outside) == "MAX_ASSET"
        engine.check("bob", outside, NOW_MS)


def test_max_asset_is_shown_for_the_symbols_that_it_concerns() -> None:
    terms = Terms(asset_limits=(AssetLimit("USDT", p("42")), AssetLimit("JPY", p("1"))))
    assert terms.asset_filters(RULES) == [{"filterType": "MAX_ASSET", "asset": "USDT", "limit": "42.00000000"}]


def account_with(*orders: Order) -> Account:
    account = Account("alice", Wallet({"BTC": p("10"), "USDT": p("10000")}), Fees())
    for order in orders:
        account.history(order.symbol).add(order)
    return account


def leg_of(order_id: int, list_id: int, symbol: str = SYMBOL) -> Order:
    """An open order that belongs to a list."""
    new = limit("SELL", "200", "1")
    return Order(
        order_id=order_id,
        client_order_id=str(order_id),
        account="alice",
        symbol=symbol,
        side=new.side,
        type=new.type,
        time_in_force=new.time_in_force,
        price=new.price,
        qty=new.qty,
        time_ms=NOW_MS,
        update_ms=NOW_MS,
        working_ms=NOW_MS,
        order_list_id=list_id,
    )


OCO = NewOrderList(
    symbol=SYMBOL,
    kind=ListKind.OCO,
    legs=(msgspec.structs.replace(limit("SELL", "110", "0.1"), type=OrderType.LIMIT_MAKER), STOP),
)
OPO = NewOrderList(
    symbol=SYMBOL,
    kind=ListKind.OPO,
    legs=(limit("BUY", "90", "1"), msgspec.structs.replace(limit("SELL", "110", "1"), qty=0)),
)


def list_refusal(rules: SymbolRules, account: Account, new: NewOrderList = OCO) -> tuple[int, str] | None:
    try:
        check_list(rules, account, new, AVERAGE)
    except Refusal as caught:
        return caught.code, caught.message
    return None


def test_a_list_counts_once_however_many_of_its_orders_are_open() -> None:
    open_lists = account_with(leg_of(1, 7), leg_of(2, 7), leg_of(3, 8), leg_of(4, 9, "ETHUSDT"))
    on_symbol = msgspec.structs.replace(RULES, max_num_order_lists=3)
    assert list_refusal(on_symbol, open_lists) is None
    full = msgspec.structs.replace(RULES, max_num_order_lists=2)
    assert list_refusal(full, open_lists) == (-1013, "Filter failure: MAX_NUM_ORDER_LISTS")
    everywhere = msgspec.structs.replace(RULES, exchange=ExchangeRules(max_num_order_lists=4))
    assert list_refusal(everywhere, open_lists) is None
    full = msgspec.structs.replace(RULES, exchange=ExchangeRules(max_num_order_lists=3))
    assert list_refusal(full, open_lists) == (-1013, "Filter failure: EXCHANGE_MAX_NUM_ORDER_LISTS")


def test_every_order_of_a_list_counts_before_any_of_them_enters() -> None:
    """CHANGELOG.md, 2025-08-27: no list that exceeds the order count filters is accepted."""
    one_left = account_with(leg_of(1, -1))
    assert list_refusal(msgspec.structs.replace(RULES, max_num_orders=3), one_left) is None
    full = msgspec.structs.replace(RULES, max_num_orders=2)
    assert list_refusal(full, one_left) == (-1013, "Filter failure: MAX_NUM_ORDERS")
    two_stops = NewOrderList(symbol=SYMBOL, kind=ListKind.OTO, legs=(STOP, STOP))
    assert list_refusal(msgspec.structs.replace(RULES, max_num_algo_orders=2), one_left, two_stops) is None
    full = msgspec.structs.replace(RULES, max_num_algo_orders=1)
    assert list_refusal(full, one_left, two_stops) == (-1013, "Filter failure: MAX_NUM_ALGO_ORDERS")


def test_every_order_of_a_list_must_keep_to_the_filters() -> None:
    off_tick = msgspec.structs.replace(OCO, legs=(OCO.legs[0], msgspec.structs.replace(STOP, stop=Stop(price=1))))
    assert list_refusal(RULES, account_with(), off_tick) == (-1013, "Filter failure: PRICE_FILTER")


def test_what_a_pending_order_sells_is_not_known_before_it_was_bought() -> None:
    assert list_refusal(RULES, account_with(), OPO) is None
    as_oto = msgspec.structs.replace(OPO, kind=ListKind.OTO)
    assert list_refusal(RULES, account_with(), as_oto) == (-1013, "Filter failure: LOT_SIZE")


@pytest.mark.parametrize(
    ("flag", "new", "text"),
    [
        ("oco_allowed", OCO, "OCO orders are not supported for this symbol"),
        ("oto_allowed", OPO, "OTO orders are not supported for this symbol."),
        ("opo_allowed", OPO, "OPO orders are not supported for this symbol."),
    ],
)
def test_a_symbol_may_do_without_lists(flag: str, new: NewOrderList, text: str) -> None:
    assert list_refusal(msgspec.structs.replace(RULES, **{flag: False}), account_with(), new) == (-2010, text)


def amend_refusal(rules: SymbolRules, qty: str, *, amends: int = 0, shown: str = "0") -> tuple[int, str] | None:
    order = leg_of(1, -1)
    order.amends, order.iceberg_qty = amends, p(shown)
    try:
        check_amend(rules, account_with(order), order, p(qty))
    except Refusal as caught:
        return caught.code, caught.message
    return None


def test_an_order_is_amended_at_most_so_many_times() -> None:
    rules = msgspec.structs.replace(RULES, max_num_order_amends=10)
    assert amend_refusal(rules, "0.5", amends=9) is None
    assert amend_refusal(rules, "0.5", amends=10) == (-2038, "Filter failure: MAX_NUM_ORDER_AMENDS")


def test_what_is_left_by_an_amendment_must_keep_to_the_filters() -> None:
    assert amend_refusal(RULES, "0.025") is None
    assert amend_refusal(RULES, "0.024") == (-1013, "Filter failure: NOTIONAL")
    assert amend_refusal(RULES, "0.0255") == (-1013, "Filter failure: LOT_SIZE")
    parts = msgspec.structs.replace(RULES, iceberg_parts=2)
    assert amend_refusal(parts, "0.2", shown="0.1") is None
    assert amend_refusal(parts, "0.201", shown="0.1") == (-1013, "Filter failure: ICEBERG_PARTS")
    closed = msgspec.structs.replace(RULES, status="HALT")
    assert amend_refusal(closed, "0.5") == (-1013, "Market is closed.")
    never = msgspec.structs.replace(RULES, amend_allowed=False)
    assert amend_refusal(never, "0.5") == (-2038, "Order amend is not supported for this symbol.")


def test_a_plain_order_is_checked_like_that_of_a_list() -> None:
    check_new(RULES, account_with(), limit("BUY", "99", "1"), AVERAGE)
