"""The short way to accept a plain order against the long one that knows all filters."""

from __future__ import annotations

import msgspec
from hypothesis import event, given
from hypothesis import strategies as st

from cryptotrader.core.orders import OrderType, PegPriceType, Side
from cryptotrader.core.scaled import SCALE
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.orders import NewOrder, Peg, Stop
from cryptotrader.exchange.engine.rules import SymbolRules
from cryptotrader.exchange.engine.rules.filters import check_order, is_plain_and_fits

BOUND = st.sampled_from([0, 1, 5, 10, 100, 1000])
SMALL = BOUND.map(lambda number: number * SCALE // 10)


@st.composite
def symbol_rules(draw: st.DrawFn) -> SymbolRules:
    ratio = st.sampled_from([0, SCALE // 2, SCALE, 2 * SCALE])
    bounds = {
        name: draw(SMALL)
        for name in ("min_price", "max_price", "tick", "min_qty", "max_qty", "step", "min_notional", "max_notional")
    }
    ratios = {
        name: draw(ratio)
        for name in ("bid_multiplier_up", "bid_multiplier_down", "ask_multiplier_up", "ask_multiplier_down")
    }
    fixed = SymbolRules(
        symbol="AB",
        base="A",
        quote="B",
        tick=0,
        min_price=0,
        max_price=0,
        step=0,
        min_qty=0,
        max_qty=0,
        order_types=draw(st.sampled_from([(OrderType.LIMIT,), (OrderType.MARKET,), tuple(OrderType)])),
        allowed_stp_modes=draw(st.sampled_from([("NONE",), ("DECREMENT",)])),
        multiplier_up=draw(st.sampled_from([0, 0, SCALE])),
        plain_min_notional=draw(st.sampled_from([0, 0, SCALE])),
    )
    return msgspec.structs.replace(fixed, **bounds, **ratios)


ORDERS = st.builds(
    NewOrder,
    symbol=st.just("AB"),
    side=st.sampled_from(Side),
    type=st.sampled_from([OrderType.LIMIT, OrderType.LIMIT, OrderType.LIMIT_MAKER, OrderType.MARKET]),
    price=st.integers(0, 1100).map(lambda number: number * SCALE // 10),
    qty=st.integers(0, 1100).map(lambda number: number * SCALE // 10),
    quote_order_qty=st.sampled_from([0, 0, 0, SCALE]),
    stop=st.sampled_from([None, None, None, Stop(price=SCALE)]),
    iceberg_qty=st.sampled_from([0, 0, 0, SCALE]),
    peg=st.sampled_from([None, None, None, Peg(PegPriceType.PRIMARY_PEG)]),
)
AVERAGE = st.none() | st.integers(1, 2000).map(lambda number: number * SCALE // 10)


@given(symbol_rules(), ORDERS, AVERAGE)
def test_what_passes_the_short_way_passes_the_long_one(rules: SymbolRules, new: NewOrder, average: int | None) -> None:
    if is_plain_and_fits(rules, new, average):
        event("short")
        check_order(rules, new, average=average)


@given(ORDERS, AVERAGE.filter(bool))
def test_a_plain_order_on_a_symbol_as_they_are_goes_the_short_way(new: NewOrder, average: int) -> None:
    rules = SymbolRules(
        symbol="AB",
        base="A",
        quote="B",
        tick=SCALE // 2,
        min_price=SCALE // 2,
        max_price=100 * SCALE,
        step=SCALE // 5,
        min_qty=SCALE // 5,
        max_qty=90 * SCALE,
        min_notional=5 * SCALE,
        max_notional=5000 * SCALE,
        bid_multiplier_up=2 * SCALE,
        bid_multiplier_down=SCALE // 2,
        ask_multiplier_up=2 * SCALE,
        ask_multiplier_down=SCALE // 2,
    )
    plain = msgspec.structs.replace(new, type=OrderType.LIMIT, quote_order_qty=0, stop=None, iceberg_qty=0, peg=None)
    try:
        check_order(rules, plain, average=average)
    except Refusal:
        assert not is_plain_and_fits(rules, plain, average)
    else:
        assert is_plain_and_fits(rules, plain, average)
