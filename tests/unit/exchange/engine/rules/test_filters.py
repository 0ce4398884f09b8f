"""Each filter of filters.md just inside and just outside of its bounds, for each type of order that it holds for."""

from __future__ import annotations

import msgspec
import pytest

from cryptotrader.core.orders import OrderType, PegPriceType, Side, TimeInForce
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.orders import NewOrder, Peg, Stop
from cryptotrader.exchange.engine.rules import SymbolRules
from cryptotrader.exchange.engine.rules.execution_rules import ReferenceRule
from tests.support.engine_kit import NOW_MS, RULES, SYMBOL, limit, market, market_engine, p, trade

WIDE = msgspec.structs.replace(
    RULES, market_max_qty=0, min_notional=0, max_notional=0, bid_multiplier_up=0, max_num_algo_orders=0
)
"""No filter but PRICE_FILTER and LOT_SIZE."""


def rules(**changes: object) -> SymbolRules:
    return msgspec.structs.replace(WIDE, **changes)


def engine_of(symbol_rules: SymbolRules) -> Engine:
    """The last price and the average are 100."""
    engine = market_engine(symbol_rules)
    engine.on_trade(trade(1, "100", "1", sells=True), NOW_MS)
    return engine


def refusal(symbol_rules: SymbolRules, new: NewOrder) -> tuple[int, str] | None:
    """What ``order/test`` says to an order; None where it passes."""
    try:
        engine_of(symbol_rules).check("alice", new, NOW_MS)
    except Refusal as refused:
        return refused.code, refused.message
    return None


def failure(name: str) -> tuple[int, str]:
    return -1013, f"Filter failure: {name}"


def stop(
    kind: str, side: str, qty: str = "1", *, at: str = "0", price: str = "0", delta: int = 0, shown: str = "0"
) -> NewOrder:
    """An order that waits: ``at`` is its stop price, ``price`` that of a limit, ``shown`` of an iceberg."""
    return NewOrder(
        symbol=SYMBOL,
        side=Side(side),
        type=OrderType(kind),
        qty=p(qty),
        price=p(price),
        stop=Stop(price=p(at), trailing_delta=delta),
        iceberg_qty=p(shown),
    )


def iceberg(qty: str, shown: str, tif: str = "GTC") -> NewOrder:
    return msgspec.structs.replace(limit("BUY", "100", qty, tif), iceberg_qty=p(shown))


@pytest.mark.parametrize(("price", "fails"), [("10", False), ("9.99", True), ("500", False), ("500.01", True)])
@pytest.mark.parametrize("kind", ["LIMIT", "LIMIT_MAKER", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"])
def test_price_filter_bounds_the_price_of_every_order_that_has_one(kind: str, price: str, fails: bool) -> None:
    bounded = rules(min_price=p("10"), max_price=p("500"))
    new = msgspec.structs.replace(
        limit("BUY", price, "1"),
        type=OrderType(kind),
        stop=Stop(price=p("100")) if "STOP" in kind or "TAKE" in kind else None,
    )
    assert refusal(bounded, new) == (failure("PRICE_FILTER") if fails else None)


@pytest.mark.parametrize(
    ("at", "fails"), [("10", False), ("9.99", True), ("500", False), ("500.01", True), ("99.995", True)]
)
@pytest.mark.parametrize("kind", ["STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"])
def test_price_filter_bounds_the_stop_price_too(kind: str, at: str, fails: bool) -> None:
    bounded = rules(min_price=p("10"), max_price=p("500"))
    new = stop(kind, "SELL", at=at, price="100" if kind.endswith("LIMIT") else "0")
    assert refusal(bounded, new) == (failure("PRICE_FILTER") if fails else None)


def test_a_price_off_the_tick_breaks_price_filter_and_a_zero_switches_a_bound_off() -> None:
    assert refusal(rules(), limit("BUY", "100.005", "1")) == failure("PRICE_FILTER")
    unbounded = rules(tick=0, min_price=0, max_price=0)
    assert refusal(unbounded, limit("BUY", "100.00000001", "1")) is None
    assert refusal(unbounded, limit("BUY", "99999999", "1")) is None


@pytest.mark.parametrize(("price", "fails"), [("130", False), ("130.01", True), ("70", False), ("69.99", True)])
@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_percent_price_bounds_the_limit_and_not_the_stop_price(side: str, price: str, fails: bool) -> None:
    bounded = rules(multiplier_up=p("1.3"), multiplier_down=p("0.7"))
    expected = failure("PERCENT_PRICE") if fails else None
    assert refusal(bounded, limit(side, price, "1")) == expected
    assert refusal(bounded, stop("STOP_LOSS_LIMIT", side, at="300", price=price)) == expected
    assert refusal(bounded, stop("STOP_LOSS", side, at="300")) is None


@pytest.mark.parametrize(
    ("side", "price", "fails"),
    [
        ("BUY", "120", False),
        ("BUY", "120.01", True),
        ("BUY", "20", False),
        ("BUY", "19.99", True),
        ("SELL", "500", False),
        ("SELL", "500.01", True),
        ("SELL", "80", False),
        ("SELL", "79.99", True),
    ],
)
def test_percent_price_by_side_has_bounds_for_each_side(side: str, price: str, fails: bool) -> None:
    bounded = rules(
        bid_multiplier_up=p("1.2"), bid_multiplier_down=p("0.2"), ask_multiplier_up=p("5"), ask_multiplier_down=p("0.8")
    )
    expected = failure("PERCENT_PRICE_BY_SIDE") if fails else None
    assert refusal(bounded, limit(side, price, "1")) == expected
    assert refusal(bounded, stop("TAKE_PROFIT_LIMIT", side, at="100", price=price)) == expected


@pytest.mark.parametrize(
    ("qty", "fails"), [("0.002", False), ("0.001", True), ("9", False), ("9.001", True), ("1.0005", True)]
)
def test_lot_size_bounds_the_quantity_of_every_type(qty: str, fails: bool) -> None:
    bounded = rules(min_qty=p("0.002"), max_qty=p("9"))
    expected = failure("LOT_SIZE") if fails else None
    assert refusal(bounded, limit("BUY", "100", qty)) == expected
    assert refusal(bounded, market("BUY", qty)) == expected
    assert refusal(bounded, stop("STOP_LOSS", "SELL", qty, at="90")) == expected
    assert refusal(bounded, stop("TAKE_PROFIT_LIMIT", "SELL", qty, at="110", price="110")) == expected


@pytest.mark.parametrize(("shown", "fails"), [("0.002", False), ("0.001", True), ("0.0025", True)])
def test_lot_size_bounds_what_an_iceberg_shows(shown: str, fails: bool) -> None:
    bounded = rules(min_qty=p("0.002"))
    assert refusal(bounded, iceberg("0.1", shown)) == (failure("LOT_SIZE") if fails else None)


@pytest.mark.parametrize(
    ("qty", "fails"), [("0.01", False), ("0.009", True), ("5", False), ("5.001", True), ("1.005", True)]
)
def test_market_lot_size_bounds_what_executes_as_a_market_order(qty: str, fails: bool) -> None:
    bounded = rules(market_min_qty=p("0.01"), market_max_qty=p("5"), market_step=p("0.01"))
    qty = "0.02" if qty == "0.01" else qty
    expected = failure("MARKET_LOT_SIZE") if fails else None
    assert refusal(bounded, market("BUY", qty)) == expected
    assert refusal(bounded, stop("STOP_LOSS", "SELL", qty, at="90")) == expected
    assert refusal(bounded, limit("BUY", "100", qty)) is None
    assert refusal(bounded, stop("STOP_LOSS_LIMIT", "SELL", qty, at="90", price="90")) is None


@pytest.mark.parametrize(("qty", "fails"), [("0.1", False), ("0.099", True)])
def test_min_notional_holds_for_price_times_quantity_and_at_the_average_for_market_orders(
    qty: str, fails: bool
) -> None:
    bounded = rules(plain_min_notional=p("10"))
    expected = failure("MIN_NOTIONAL") if fails else None
    assert refusal(bounded, limit("BUY", "100", qty)) == expected
    assert refusal(bounded, market("BUY", qty)) == expected
    assert refusal(bounded, stop("STOP_LOSS", "SELL", qty, at="50")) == expected
    assert refusal(bounded, market("BUY", quote="9.99" if fails else "10")) == expected
    assert refusal(rules(plain_min_notional=p("10"), apply_plain_min_to_market=False), market("BUY", qty)) is None


@pytest.mark.parametrize(("qty", "fails"), [("0.1", False), ("0.099", True), ("3", False), ("3.001", True)])
def test_notional_bounds_the_value_from_both_sides(qty: str, fails: bool) -> None:
    bounded = rules(min_notional=p("10"), max_notional=p("300"), apply_min_to_market=True, apply_max_to_market=True)
    expected = failure("NOTIONAL") if fails else None
    assert refusal(bounded, limit("BUY", "100", qty)) == expected
    assert refusal(bounded, stop("STOP_LOSS_LIMIT", "SELL", qty, at="90", price="100")) == expected
    assert refusal(bounded, market("SELL", qty)) == expected
    free = rules(min_notional=p("10"), max_notional=p("300"), apply_min_to_market=False)
    assert refusal(free, market("SELL", qty)) is None


def test_a_price_times_quantity_that_comes_to_nothing_is_refused_in_the_documents_words() -> None:
    tiny = rules(tick=1, min_price=1, step=1, min_qty=1)
    assert refusal(tiny, limit("BUY", "0.00000001", "0.00000001")) == (-2010, "Price * QTY is zero or less.")


@pytest.mark.parametrize(("qty", "fails"), [("1", False), ("1.001", True)])
def test_iceberg_parts_counts_a_last_smaller_part(qty: str, fails: bool) -> None:
    assert refusal(rules(iceberg_parts=10), iceberg(qty, "0.1")) == (failure("ICEBERG_PARTS") if fails else None)


def test_an_iceberg_must_be_allowed_rest_and_show_no_more_than_it_has() -> None:
    text = "Iceberg orders are not supported for this symbol."
    assert refusal(rules(iceberg_allowed=False), iceberg("1", "0.1")) == (-2010, text)
    assert refusal(rules(), iceberg("1", "1.001")) == (-2010, "IcebergQty exceeds QTY.")
    assert refusal(rules(), iceberg("1", "1")) is None
    assert refusal(rules(), iceberg("1", "0.1", "IOC")) == (-2010, "Unsupported order combination")
    assert refusal(rules(), msgspec.structs.replace(market("BUY", "1"), iceberg_qty=p("0.1"))) == (
        -2010,
        "Unsupported order combination",
    )
    waiting = stop("STOP_LOSS_LIMIT", "SELL", at="90", price="90", shown="0.1")
    assert refusal(rules(), waiting) is None
    hasty = msgspec.structs.replace(waiting, time_in_force=TimeInForce.FOK)
    assert refusal(rules(), hasty) == (-2010, "Unsupported order combination")


ABOVE = [("STOP_LOSS", "BUY"), ("STOP_LOSS_LIMIT", "BUY"), ("TAKE_PROFIT", "SELL"), ("TAKE_PROFIT_LIMIT", "SELL")]
BELOW = [("STOP_LOSS", "SELL"), ("STOP_LOSS_LIMIT", "SELL"), ("TAKE_PROFIT", "BUY"), ("TAKE_PROFIT_LIMIT", "BUY")]


@pytest.mark.parametrize(
    ("kind", "side", "least", "most"),
    [(kind, side, 10, 100) for kind, side in ABOVE] + [(kind, side, 20, 200) for kind, side in BELOW],
)
def test_trailing_delta_has_bounds_above_and_below_the_market(kind: str, side: str, least: int, most: int) -> None:
    bounded = rules(
        min_trailing_above_delta=10,
        max_trailing_above_delta=100,
        min_trailing_below_delta=20,
        max_trailing_below_delta=200,
    )
    price = "100" if kind.endswith("LIMIT") else "0"
    for delta, fails in ((least, False), (least - 1, True), (most, False), (most + 1, True)):
        found = refusal(bounded, stop(kind, side, price=price, delta=delta))
        assert found == (failure("TRAILING_DELTA") if fails else None)
        assert refusal(bounded, stop(kind, side, at="99.995", price=price, delta=delta)) == failure("PRICE_FILTER")


def test_what_a_symbol_does_not_allow_is_said_in_the_documents_words() -> None:
    """errors.md, messages for -2010."""
    only_limit = rules(order_types=(OrderType.LIMIT,))
    for kind, words in (
        ("STOP_LOSS", "Stop loss"),
        ("STOP_LOSS_LIMIT", "Stop loss limit"),
        ("TAKE_PROFIT", "Take profit"),
        ("TAKE_PROFIT_LIMIT", "Take profit limit"),
    ):
        new = stop(kind, "SELL", at="90", price="90")
        assert refusal(only_limit, new) == (-2010, f"{words} orders are not supported for this symbol.")
    trailing = stop("STOP_LOSS", "SELL", delta=100)
    text = "Trailing stop orders are not supported for this symbol."
    assert refusal(rules(trailing_allowed=False), trailing) == (-2010, text)
    pegged = msgspec.structs.replace(limit("BUY", "100", "1"), price=0, peg=Peg(PegPriceType.PRIMARY_PEG))
    text = "Pegged orders are not supported for this symbol."
    assert refusal(rules(peg_allowed=False), pegged) == (-2010, text)
    assert refusal(rules(), msgspec.structs.replace(market("BUY", "1"), peg=pegged.peg)) == (
        -2010,
        "This order type may not use pegged price.",
    )
    maker = msgspec.structs.replace(pegged, type=OrderType.LIMIT_MAKER, peg=Peg(PegPriceType.MARKET_PEG))
    assert refusal(rules(), maker) == (-2010, "This price peg cannot be used with this order type.")


@pytest.mark.parametrize(
    "new",
    [
        msgspec.structs.replace(stop("STOP_LOSS", "SELL", at="90"), stop=None),
        msgspec.structs.replace(limit("BUY", "100", "1"), stop=Stop(price=p("90"))),
        msgspec.structs.replace(market("BUY", quote="10"), qty=p("1")),
        msgspec.structs.replace(limit("BUY", "100", "1"), quote_order_qty=p("10")),
    ],
)
def test_parts_that_do_not_go_together_are_an_unsupported_combination(new: NewOrder) -> None:
    assert refusal(rules(), new) == (-2010, "Unsupported order combination")


def test_filters_go_by_the_reference_price_where_there_is_one() -> None:
    """CHANGELOG.md, 2026-05-08. The trades of 100 and 300 have a plain mean of 200 and a weighted one of 120."""
    bounds = {"multiplier_up": p("1.3"), "multiplier_down": p("0.7"), "plain_min_notional": p("10")}
    for reference, middle in ((ReferenceRule(), "200"), (None, "120")):
        engine = market_engine(rules(reference=reference, **bounds))
        engine.on_trade(trade(1, "100", "9", sells=True), NOW_MS)
        engine.on_trade(trade(2, "300", "1", sells=True), NOW_MS)
        engine.check("alice", limit("BUY", middle, "1"), NOW_MS)
        with pytest.raises(Refusal, match="PERCENT_PRICE"):
            engine.check("alice", limit("BUY", "120" if reference else "200", "1"), NOW_MS)
        engine.check("alice", market("BUY", "0.084"), NOW_MS)
        if reference is None:
            with pytest.raises(Refusal, match="MIN_NOTIONAL"):
                engine.check("alice", market("BUY", "0.083"), NOW_MS)
        else:
            engine.check("alice", market("BUY", "0.05"), NOW_MS)


def test_without_a_price_known_no_filter_that_needs_one_stands_in_the_way() -> None:
    bare = Engine([rules(plain_min_notional=p("10"), multiplier_up=p("1.1"), multiplier_down=p("0.9"))])
    bare.open_account("alice", {"USDT": p("1000")})
    bare.check("alice", market("BUY", "0.001"), NOW_MS)
    bare.check("alice", limit("BUY", "1000", "1"), NOW_MS)
