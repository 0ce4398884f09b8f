"""What fills cost: faqs/commission_faq.md."""

from __future__ import annotations

import msgspec
import pytest

from cryptotrader.core.events import BookSnapshot
from cryptotrader.core.events import Trade as CoreTrade
from cryptotrader.core.orders import OrderStatus, Side
from cryptotrader.core.scaled import SCALE
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.orders import Fill
from cryptotrader.exchange.engine.rules.commission import (
    Charge,
    Fees,
    OrderRates,
    Rates,
    SymbolFees,
    Trade,
    charge,
    describe_discount,
    for_order,
    no_prices,
)
from tests.support.engine_kit import NOW_MS, RULES, SYMBOL, free, levels, limit, market, p

FAQ = Fees(
    by_symbol=(
        (
            SYMBOL,
            SymbolFees(
                standard=Rates(p("0.00000010"), p("0.00000020"), p("0.00000030"), p("0.00000040")),
                special=Rates(p("0.01"), p("0.02"), p("0.03"), p("0.04")),
                tax=Rates(p("0.00000112"), p("0.00000114"), p("0.00000118"), p("0.00000116")),
            ),
        ),
    ),
    pays_in_discount_asset=True,
    discount=p("0.25"),
)
"""The rates of the document's example."""

SALE = Trade(SYMBOL, "BTC", "USDT", False, False, p("0.49975"), p("17491.25"))
"""The trade of the document's example: 0.49975 BTC sold at 35,000 by a MARKET order."""


def prices(**known: str) -> dict[str, int]:
    return {symbol: p(price) for symbol, price in known.items()}


def test_the_documents_example_comes_to_its_sum_in_the_discount_asset() -> None:
    paid = charge(FAQ, SALE, prices=prices(BNBUSDT="260").get, available=p("5"))
    # The document adds rounded parts to 4.036607129; exactly it is 4.03660712(6).
    assert paid == Charge("BNB", p("4.03660712"))


def test_the_documents_example_comes_to_the_sum_of_its_parts_in_the_asset_received() -> None:
    """0.01049475 + 0.040229875 + 1049.475, where there is not enough of the discount asset."""
    expected = Charge("USDT", p("1049.52572462"))
    assert charge(FAQ, SALE, prices=prices(BNBUSDT="260").get, available=p("4.03660711")) == expected
    assert charge(FAQ, SALE, prices=prices(BNBUSDT="260").get, available=p("4.03660712")).asset == "BNB"


@pytest.mark.parametrize("known", [{}, {"BNBEUR": "200"}, {"BNBUSDT": "0"}])
def test_without_a_price_to_convert_at_the_asset_received_pays(known: dict[str, str]) -> None:
    assert charge(FAQ, SALE, prices=prices(**known).get, available=p("1000")).asset == "USDT"
    assert charge(FAQ, SALE, prices=no_prices, available=p("1000")).asset == "USDT"


def test_a_purchase_pays_by_quantity_and_a_sale_by_value() -> None:
    fees = Fees(maker_bps=5, taker_bps=10)
    bought = Trade(SYMBOL, "BTC", "USDT", True, True, p("2"), p("200"))
    assert charge(fees, bought, prices=no_prices, available=0) == Charge("BTC", p("0.001"))
    sold = Trade(SYMBOL, "BTC", "USDT", False, False, p("2"), p("200"))
    assert charge(fees, sold, prices=no_prices, available=0) == Charge("USDT", p("0.2"))
    assert charge(fees, sold._replace(quote_qty=1999), prices=no_prices, available=0) == Charge("USDT", 1)


def test_nobody_pays_more_than_the_trade_gives() -> None:
    fees = Fees(special=Rates(taker=2 * SCALE))
    assert charge(fees, SALE, prices=no_prices, available=0) == Charge("USDT", SALE.quote_qty)


def test_what_is_bought_is_converted_by_its_own_market_or_through_the_quote_asset() -> None:
    fees = Fees(pays_in_discount_asset=True)
    bought = Trade("ETHUSDT", "ETH", "USDT", True, False, p("1"), p("3000"))
    direct = charge(fees, bought, prices=prices(BNBETH="0.2", BNBUSDT="500").get, available=p("9"))
    assert direct == Charge("BNB", p("0.00375"))
    assert charge(fees, bought, prices=prices(ETHBNB="5").get, available=p("9")) == Charge("BNB", p("0.00375"))
    through = charge(fees, bought, prices=prices(BNBUSDT="500").get, available=p("9"))
    assert through == Charge("BNB", p("0.0045"))


def test_who_buys_the_discount_asset_can_pay_with_it_at_once() -> None:
    fees = Fees(pays_in_discount_asset=True)
    bought = Trade("BNBUSDT", "BNB", "USDT", True, False, p("2"), p("1000"))
    assert charge(fees, bought, prices=no_prices, available=0) == Charge("BNB", p("0.0015"))


def test_a_symbol_without_discount_takes_the_asset_received() -> None:
    own = SymbolFees(standard=Rates(taker=p("0.001")), discount_enabled=False)
    fees = Fees(by_symbol=((SYMBOL, own),), pays_in_discount_asset=True)
    assert charge(fees, SALE, prices=prices(BNBUSDT="260").get, available=p("9")).asset == "USDT"
    assert describe_discount(fees, SYMBOL)["enabledForSymbol"] is False
    assert describe_discount(fees, "ETHUSDT")["enabledForSymbol"] is True


def test_the_rates_of_an_order_include_its_side() -> None:
    standard = FAQ.on(SYMBOL).standard
    assert for_order(standard, Side.SELL) == OrderRates(maker=p("0.0000005"), taker=p("0.0000006"))
    assert for_order(standard, Side.BUY) == OrderRates(maker=p("0.0000004"), taker=p("0.0000005"))


def fill_of(engine: Engine, side: str) -> Fill:
    order, _ = engine.submit("alice", market(side, "0.1"), NOW_MS)
    return order.fills[0]


def test_the_engine_takes_the_discount_asset_while_it_lasts_and_then_the_asset_received() -> None:
    engine = Engine([RULES])
    fees = Fees(taker_bps=100, pays_in_discount_asset=True)
    engine.open_account("alice", {"BTC": p("1"), "USDT": p("1000"), "BNB": p("0.1")}, fees)
    engine.on_snapshot(BookSnapshot(SYMBOL, 100, levels(("99", "5")), levels(("101", "5"))), NOW_MS)
    engine.book(SYMBOL).prices = prices(BNBUSDT="1").get
    first = fill_of(engine, "SELL")
    assert (first.commission_asset, first.commission) == ("BNB", p("0.07425"))
    assert free(engine, "alice", "BNB") == p("0.02575")
    assert free(engine, "alice", "USDT") == p("1009.9")
    second = fill_of(engine, "SELL")
    assert (second.commission_asset, second.commission) == ("USDT", p("0.099"))
    assert free(engine, "alice", "BNB") == p("0.02575")
    assert free(engine, "alice", "USDT") == p("1019.701")


BNB_RULES = msgspec.structs.replace(RULES, symbol="BNBUSDT", base="BNB")


@pytest.mark.parametrize(
    ("held", "paid_in"), [("2", ["USDT", "USDT"]), ("2.0007", ["USDT", "USDT"]), ("2.0015", ["BNB", "BNB"])]
)
def test_no_fee_is_taken_from_what_the_order_itself_is_still_to_pay(held: str, paid_in: list[str]) -> None:
    """Two BNB sold by MARKET in two fills of one, at 0.00075 BNB each."""
    engine = Engine([BNB_RULES])
    engine.open_account("alice", {"BNB": p(held)}, Fees(pays_in_discount_asset=True))
    engine.on_snapshot(BookSnapshot("BNBUSDT", 100, levels(("100", "1"), ("99.99", "1")), levels(("101", "5"))), NOW_MS)
    engine.prime(CoreTrade("BNBUSDT", 1, p("100"), p("1"), NOW_MS, True, NOW_MS))
    order, _ = engine.submit("alice", msgspec.structs.replace(market("SELL", "2"), symbol="BNBUSDT"), NOW_MS)
    assert [fill.commission_asset for fill in order.fills] == paid_in


def test_who_trades_with_themselves_pays_both_fees_and_never_more_than_there_is() -> None:
    engine = Engine([BNB_RULES])
    engine.open_account("alice", {"BNB": p("2"), "USDT": p("1000")}, Fees(pays_in_discount_asset=True))
    engine.on_snapshot(BookSnapshot("BNBUSDT", 100, levels(("90", "1")), levels(("120", "5"))), NOW_MS)
    engine.prime(CoreTrade("BNBUSDT", 1, p("100"), p("1"), NOW_MS, True, NOW_MS))
    for price in ("100", "99"):
        bid = msgspec.structs.replace(limit("BUY", price, "1"), symbol="BNBUSDT")
        engine.submit("alice", bid, NOW_MS)
    order, _ = engine.submit("alice", msgspec.structs.replace(market("SELL", "2"), symbol="BNBUSDT"), NOW_MS)
    assert order.status is OrderStatus.FILLED
    fills = engine.fills("alice", "BNBUSDT")
    fees = {
        asset: sum(each.commission for each in fills if each.commission_asset == asset) for asset in ("BNB", "USDT")
    }
    assert free(engine, "alice", "BNB") == p("2") - fees["BNB"]
    assert free(engine, "alice", "USDT") == p("1000") - fees["USDT"]
