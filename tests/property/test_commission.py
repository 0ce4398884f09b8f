"""Commission beside a naive twin that reckons in fractions (faqs/commission_faq.md)."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from math import floor

from hypothesis import given
from hypothesis import strategies as st

from cryptotrader.core.orders import OrderType, Side
from cryptotrader.core.scaled import SCALE, mul_scaled
from cryptotrader.exchange.engine.accounts import FillQuery
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.orders import NewOrder
from cryptotrader.exchange.engine.rules import SymbolRules
from cryptotrader.exchange.engine.rules.commission import Charge, Fees, Rates, SymbolFees, Trade, charge, no_prices

RATE = st.integers(0, SCALE // 20)
RATES = st.builds(Rates, RATE, RATE, RATE, RATE)
SYMBOL_FEES = st.builds(SymbolFees, standard=RATES, special=RATES, tax=RATES, discount_enabled=st.booleans())
AMOUNT = st.integers(1, 10**14)
PRICE = st.none() | st.integers(0, 10**13)
ASSETS = st.sampled_from([("BTC", "USDT"), ("ETH", "BTC"), ("BNB", "USDT"), ("SOL", "BNB")])


@st.composite
def trades(draw: st.DrawFn) -> Trade:
    base, quote = draw(ASSETS)
    price, qty = draw(AMOUNT), draw(AMOUNT)
    return Trade(base + quote, base, quote, draw(st.booleans()), draw(st.booleans()), qty, mul_scaled(price, qty))


def in_bnb(asset: str, amount: int, known: dict[str, int | None]) -> Fraction | None:
    if asset == "BNB":
        return Fraction(amount)
    direct, inverse = known.get("BNB" + asset), known.get(asset + "BNB")
    if direct:
        return Fraction(amount) * SCALE / direct
    return Fraction(amount) * inverse / SCALE if inverse else None


def naive(fees: SymbolFees, discount: int, trade: Trade, *, known: dict[str, int | None], bnb: int) -> Charge:
    """As the document says it, step by step."""

    def rate(rates: Rates) -> Fraction:
        parts = (rates.maker if trade.is_maker else rates.taker, rates.buyer if trade.is_buyer else rates.seller)
        return Fraction(sum(parts), SCALE)

    asset, received = (trade.base, trade.qty) if trade.is_buyer else (trade.quote, trade.quote_qty)
    if fees.discount_enabled:
        worth = in_bnb(asset, received, known)
        if worth is None:
            worth = in_bnb(trade.quote, trade.quote_qty, known)
        if worth is not None:
            reduced = rate(fees.standard) * Fraction(discount, SCALE)
            due = floor(worth * (reduced + rate(fees.tax) + rate(fees.special)))
            if due <= bnb + (received if asset == "BNB" else 0):
                return Charge("BNB", due)
    return Charge(asset, floor(received * (rate(fees.standard) + rate(fees.tax) + rate(fees.special))))


@given(
    fees=SYMBOL_FEES,
    discount=st.integers(0, SCALE),
    trade=trades(),
    known=st.dictionaries(st.sampled_from(["BNBUSDT", "BNBBTC", "BNBETH", "ETHBNB", "SOLBNB"]), PRICE),
    bnb=st.integers(0, 10**12),
)
def test_what_a_fill_costs_is_what_the_document_reckons(
    fees: SymbolFees, discount: int, trade: Trade, known: dict[str, int | None], bnb: int
) -> None:
    paying = Fees(by_symbol=((trade.symbol, fees),), pays_in_discount_asset=True, discount=discount)
    assert charge(paying, trade, prices=known.get, available=bnb) == naive(fees, discount, trade, known=known, bnb=bnb)


@given(maker=st.integers(0, 1000), taker=st.integers(0, 1000), trade=trades())
def test_plain_fees_in_basis_points_are_the_same_as_their_rates(maker: int, taker: int, trade: Trade) -> None:
    plain = Fees(maker_bps=maker, taker_bps=taker)
    spelt_out = Fees(by_symbol=((trade.symbol, plain.on(trade.symbol)),))
    assert charge(plain, trade, prices=no_prices, available=0) == charge(
        spelt_out, trade, prices=no_prices, available=0
    )


SYMBOL = "BNBUSDT"
RULES = SymbolRules(
    symbol=SYMBOL,
    base="BNB",
    quote="USDT",
    tick=SCALE,
    min_price=SCALE,
    max_price=0,
    step=SCALE // 100,
    min_qty=SCALE // 100,
    max_qty=0,
)
QTY = st.integers(1, 300).map(lambda lots: lots * RULES.step)


@st.composite
def orders(draw: st.DrawFn) -> tuple[str, NewOrder]:
    side = draw(st.sampled_from(Side))
    account = draw(st.sampled_from(["alice", "bob"]))
    match draw(st.sampled_from(["limit", "limit", "market", "amount"])):
        case "limit":
            price = draw(st.integers(98, 102)) * SCALE
            return account, NewOrder(symbol=SYMBOL, side=side, type=OrderType.LIMIT, price=price, qty=draw(QTY))
        case "market":
            return account, NewOrder(symbol=SYMBOL, side=side, type=OrderType.MARKET, qty=draw(QTY))
        case _:
            amount = draw(st.integers(1, 300)) * SCALE
            return account, NewOrder(symbol=SYMBOL, side=side, type=OrderType.MARKET, quote_order_qty=amount)


@given(st.lists(orders(), max_size=60), st.integers(0, 10**9), st.integers(0, SCALE // 50))
def test_fees_in_the_asset_that_is_traded_never_overdraw_and_nothing_is_lost(
    commands: list[tuple[str, NewOrder]], held: int, rate: int
) -> None:
    """Users trade with each other alone, so what fees take is all that leaves."""
    engine = Engine([RULES])
    symbol_fees = SymbolFees(standard=Rates(rate, rate, 0, rate))
    fees = Fees(by_symbol=((SYMBOL, symbol_fees),), pays_in_discount_asset=True)
    start = {"BNB": held, "USDT": 1000 * SCALE}
    for account in ("alice", "bob"):
        engine.open_account(account, start, fees)
    for number, (account, new) in enumerate(commands):
        with suppress(Refusal):
            engine.submit(account, new, number)
    left = dict.fromkeys(start, 0)
    for account in ("alice", "bob"):
        for asset, free, locked in engine.balances(account):
            assert free >= 0
            assert locked >= 0
            left[asset] += free + locked
        for fill in engine.fills(account, SYMBOL, FillQuery(limit=1000)):
            left[fill.commission_asset] += fill.commission
    assert left == {asset: 2 * amount for asset, amount in start.items()}
