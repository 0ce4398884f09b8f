"""Filters with Binance's codes and texts (filters.md, errors.md) and the shape of exchangeInfo (S0-9, S0-25)."""

from __future__ import annotations

import msgspec
import pytest

from cryptotrader.core.orders import OrderType, Side
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.orders import NewOrder, Stop
from cryptotrader.exchange.engine.rules import SymbolRules
from tests.support.engine_kit import NOW_MS, RULES, SYMBOL, limit, maker, market, market_engine, p, trade


def refusal_of(new: NewOrder, rules: SymbolRules = RULES) -> tuple[int, str]:
    """What both ``submit`` and ``check`` say to an order; the state stays as it was."""
    engine = market_engine(rules)
    engine.on_trade(trade(1, "100", "1", sells=True), NOW_MS)
    before = engine.state()
    with pytest.raises(Refusal) as checked:
        engine.check("alice", new, NOW_MS)
    with pytest.raises(Refusal) as caught:
        engine.submit("alice", new, NOW_MS)
    assert engine.state() == before
    assert (checked.value.code, checked.value.message) == (caught.value.code, caught.value.message)
    return caught.value.code, caught.value.message


@pytest.mark.parametrize(
    ("new", "name"),
    [
        (limit("BUY", "100.005", "1"), "PRICE_FILTER"),
        (limit("BUY", "0", "1"), "PRICE_FILTER"),
        (limit("BUY", "1000000.01", "1"), "PRICE_FILTER"),
        (limit("BUY", "500.01", "1"), "PERCENT_PRICE_BY_SIDE"),
        (limit("BUY", "19.99", "1"), "PERCENT_PRICE_BY_SIDE"),
        (limit("SELL", "500.01", "1"), "PERCENT_PRICE_BY_SIDE"),
        (limit("SELL", "19.99", "1"), "PERCENT_PRICE_BY_SIDE"),
        (limit("BUY", "100", "0.0005"), "LOT_SIZE"),
        (limit("BUY", "100", "0.0015"), "LOT_SIZE"),
        (limit("BUY", "100", "9000.001"), "LOT_SIZE"),
        (limit("BUY", "100", "0"), "LOT_SIZE"),
        (limit("BUY", "100", "0.049"), "NOTIONAL"),
        (limit("BUY", "1001", "9000"), "PERCENT_PRICE_BY_SIDE"),
        (maker("BUY", "99", "0.001"), "NOTIONAL"),
        (market("BUY", "0.0015"), "LOT_SIZE"),
        (market("BUY", "100.001"), "MARKET_LOT_SIZE"),
        (market("BUY", "0.049"), "NOTIONAL"),
        (market("BUY", quote="4.99"), "NOTIONAL"),
    ],
)
def test_an_order_that_breaks_a_filter_is_refused_with_its_name(new: NewOrder, name: str) -> None:
    assert refusal_of(new) == (-1013, f"Filter failure: {name}")


@pytest.mark.parametrize(
    "new",
    [limit("BUY", "20", "1"), limit("SELL", "500", "1"), limit("BUY", "100", "0.050"), market("BUY", "0.050")],
)
def test_an_order_on_the_very_bound_of_a_filter_passes(new: NewOrder) -> None:
    engine = market_engine()
    engine.on_trade(trade(1, "100", "1", sells=True), NOW_MS)
    engine.check("alice", new, NOW_MS)
    engine.submit("alice", new, NOW_MS)


def test_a_maximum_notional_and_percent_price_hold_where_the_symbol_has_them() -> None:
    rules = msgspec.structs.replace(
        RULES, max_notional=p("200"), apply_max_to_market=True, multiplier_up=p("1.3"), multiplier_down=p("0.7")
    )
    assert refusal_of(limit("BUY", "100", "2.001"), rules) == (-1013, "Filter failure: NOTIONAL")
    assert refusal_of(market("BUY", "2.001"), rules) == (-1013, "Filter failure: NOTIONAL")
    assert refusal_of(limit("BUY", "131", "1"), rules) == (-1013, "Filter failure: PERCENT_PRICE")
    assert refusal_of(limit("BUY", "69", "1"), rules) == (-1013, "Filter failure: PERCENT_PRICE")


def test_a_minimum_notional_that_does_not_apply_to_market_orders_is_not_applied() -> None:
    rules = msgspec.structs.replace(RULES, apply_min_to_market=False)
    market_engine(rules).submit("alice", market("BUY", "0.001"), NOW_MS)


def test_at_most_the_allowed_number_of_orders_is_open() -> None:
    engine = market_engine(msgspec.structs.replace(RULES, max_num_orders=2))
    for _ in range(2):
        engine.submit("alice", limit("BUY", "90", "1"), NOW_MS)
    with pytest.raises(Refusal) as caught:
        engine.submit("alice", limit("BUY", "90", "1"), NOW_MS)
    assert (caught.value.code, caught.value.message) == (-1013, "Filter failure: MAX_NUM_ORDERS")
    engine.submit("bob", limit("BUY", "90", "1"), NOW_MS)


def test_an_amount_too_small_for_one_lot_breaks_lot_size() -> None:
    rules = msgspec.structs.replace(RULES, min_notional=0)
    engine = market_engine(rules)
    with pytest.raises(Refusal) as caught:
        engine.submit("alice", market("BUY", quote="0.1"), NOW_MS)
    assert (caught.value.code, caught.value.message) == (-1013, "Filter failure: LOT_SIZE")


def test_an_amount_on_a_book_thinner_than_one_lot_is_refused_with_the_documents_words() -> None:
    """errors.md, table of messages for -2010."""
    rules = msgspec.structs.replace(RULES, min_qty=p("4"))
    with pytest.raises(Refusal) as caught:
        market_engine(rules).submit("alice", market("BUY", quote="5000"), NOW_MS)
    assert caught.value.code == -2010
    assert caught.value.message == "Order book liquidity is less than `LOT_SIZE` filter minimum quantity."


def test_what_the_symbol_does_not_do_is_refused_with_binances_words() -> None:
    closed = msgspec.structs.replace(RULES, status="BREAK")
    assert refusal_of(limit("BUY", "100", "1"), closed) == (-1013, "Market is closed.")
    no_market = msgspec.structs.replace(RULES, order_types=(OrderType.LIMIT,))
    text = "Market orders are not supported for this symbol."
    assert refusal_of(market("BUY", "1"), no_market) == (-2010, text)
    stop = NewOrder(symbol=SYMBOL, side=Side.SELL, type=OrderType.STOP_LOSS, qty=p("1"), stop=Stop(price=p("90")))
    text = "Stop loss orders are not supported for this symbol."
    assert refusal_of(stop, no_market) == (-2010, text)
    prevented = msgspec.structs.replace(limit("BUY", "100", "1"), self_trade_prevention_mode="EXPIRE_TAKER")
    alone = msgspec.structs.replace(RULES, allowed_stp_modes=("NONE",))
    text = "This symbol does not allow the specified self-trade prevention mode."
    assert refusal_of(prevented, alone) == (-1013, text)
    no_amounts = msgspec.structs.replace(RULES, quote_order_qty_allowed=False)
    text = "Quote order qty market orders are not support for this symbol."
    assert refusal_of(market("BUY", quote="10"), no_amounts) == (-2010, text)


def test_percent_price_uses_the_volume_weighted_average_of_the_last_minutes() -> None:
    engine = market_engine()
    engine.on_trade(trade(1, "100", "3", sells=True), NOW_MS)
    engine.on_trade(trade(2, "200", "1", sells=True), NOW_MS)
    assert engine.avg_price(SYMBOL) == p("125")
    assert engine.last_price(SYMBOL) == p("200")
    assert engine.avg_price(SYMBOL, NOW_MS + 4 * 60_000) == p("125")
    later_ms = NOW_MS + 5 * 60_000 + 10_000
    assert engine.avg_price(SYMBOL, later_ms) == p("200")


def test_without_any_trade_the_middle_of_the_book_stands_in_for_the_average() -> None:
    assert market_engine().avg_price(SYMBOL) == p("100")


def test_exchange_info_has_the_full_shape_with_the_price_filter_first() -> None:
    """rest-api.md, "Exchange information" as of 2026."""
    info = RULES.exchange_info()
    assert list(info) == [
        "symbol",
        "status",
        "baseAsset",
        "baseAssetPrecision",
        "quoteAsset",
        "quotePrecision",
        "quoteAssetPrecision",
        "baseCommissionPrecision",
        "quoteCommissionPrecision",
        "orderTypes",
        "icebergAllowed",
        "ocoAllowed",
        "otoAllowed",
        "opoAllowed",
        "quoteOrderQtyMarketAllowed",
        "allowTrailingStop",
        "cancelReplaceAllowed",
        "amendAllowed",
        "pegInstructionsAllowed",
        "isSpotTradingAllowed",
        "isMarginTradingAllowed",
        "filters",
        "permissions",
        "permissionSets",
        "defaultSelfTradePreventionMode",
        "allowedSelfTradePreventionModes",
    ]
    filters = RULES.filters()
    assert filters[0] == {
        "filterType": "PRICE_FILTER",
        "minPrice": "0.01000000",
        "maxPrice": "1000000.00000000",
        "tickSize": "0.01000000",
    }
    by_side = next(each for each in filters if each["filterType"] == "PERCENT_PRICE_BY_SIDE")
    assert (by_side["bidMultiplierUp"], by_side["askMultiplierDown"]) == ("5", "0.2")
