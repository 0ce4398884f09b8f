"""Positions equal what somebody reckons naively in decimals, for any fills (S1-13, S1-14, C-27)."""

from __future__ import annotations

import decimal
from decimal import ROUND_DOWN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptotrader.core.scaled import SCALE, mul_scaled, parse_scaled, to_decimal
from cryptotrader.portfolio.positions import FillRow, Position, fold

EMPTY = Position(symbol="BTCUSDT", base="BTC", quote="USDT")
UNIT = Decimal("0.00000001")

fills = st.lists(
    st.tuples(
        st.booleans(),
        st.integers(1, 100_000 * SCALE),
        st.integers(1, 1_000 * SCALE),
        st.sampled_from(["BTC", "USDT", "BNB"]),
        st.integers(0, 100),
        st.none() | st.integers(0, SCALE),
    ),
    max_size=60,
)


def rows(drawn: list[tuple[bool, int, int, str, int, int | None]]) -> list[FillRow]:
    """Fills whose commissions are some basis points of the quantity or the amount."""
    made = []
    for trade_id, (is_buyer, price, qty, asset, bps, value) in enumerate(drawn):
        quote_qty = mul_scaled(price, qty)
        whole = {"BTC": qty, "USDT": quote_qty, "BNB": SCALE}[asset]
        made.append(
            FillRow(
                symbol="BTCUSDT",
                trade_id=trade_id,
                order_id=trade_id,
                is_buyer=is_buyer,
                price=price,
                qty=qty,
                quote_qty=quote_qty,
                commission=whole * bps // 10_000,
                commission_asset=asset,
                commission_value=value,
                time_ms=trade_id,
            )
        )
    return made


class Naive:
    """The same account in decimals, step by step as one would on paper."""

    def __init__(self) -> None:
        self.amount = self.cost = self.realised = self.untracked = Decimal(0)
        self.paid = self.shares = Decimal(0)

    def add(self, fill: FillRow) -> None:
        fee = to_decimal(fill.commission)
        worth = to_decimal(fill.commission_value or 0)
        base_fee = fee if fill.commission_asset == "BTC" else Decimal(0)
        quote_fee = {"BTC": Decimal(0), "USDT": fee, "BNB": worth}[fill.commission_asset]
        qty, money = to_decimal(fill.qty), to_decimal(fill.quote_qty)
        if fill.is_buyer:
            self.amount += qty - base_fee
            self.cost += money + quote_fee
            self.paid += money + quote_fee
            return
        given, got = qty + base_fee, money - quote_fee
        known = min(given, self.amount)
        share = (self.cost * known / self.amount).quantize(UNIT, ROUND_DOWN) if self.amount else Decimal(0)
        if known == given:
            part = got
        else:
            # Floors, so that what is negative is cut downwards as integers are.
            part = (got * known / given).quantize(UNIT, "ROUND_FLOOR")
        self.amount -= known
        self.cost -= share
        self.shares += share
        self.untracked += given - known
        if known:
            self.realised += part - share


@given(fills)
def test_a_position_equals_the_naive_computation_in_exact_decimals(
    drawn: list[tuple[bool, int, int, str, int, int | None]],
) -> None:
    position, naive = EMPTY, Naive()
    with decimal.localcontext(prec=80):
        for fill in rows(drawn):
            position = fold(position, fill)
            naive.add(fill)
            assert to_decimal(position.amount) == naive.amount
            assert to_decimal(position.cost) == naive.cost
            assert to_decimal(position.realised_pnl) == naive.realised
            assert to_decimal(position.untracked_sold) == naive.untracked
            assert naive.cost + naive.shares == naive.paid
            assert position.amount >= 0
            assert position.cost >= 0


@given(fills, st.data())
def test_a_fill_told_again_changes_nothing(
    drawn: list[tuple[bool, int, int, str, int, int | None]], data: st.DataObject
) -> None:
    told = rows(drawn)
    position = EMPTY
    for index, fill in enumerate(told):
        position = fold(position, fill)
        again = told[data.draw(st.integers(0, index))]
        assert fold(position, again) == position


def test_the_documented_position_comes_out_to_the_cent() -> None:
    """S1-14: half a coin at 42,650 costs 21,325; 125 gained are 0.58 percent, cut and not rounded."""
    bought = FillRow(
        symbol="BTCUSDT",
        trade_id=1,
        order_id=1,
        is_buyer=True,
        price=parse_scaled("42650"),
        qty=parse_scaled("0.5"),
        quote_qty=parse_scaled("21325"),
        commission=0,
        commission_asset="BNB",
        time_ms=1,
    )
    position = fold(EMPTY, bought)
    assert position.cost == parse_scaled("21325")
    assert position.average_price == parse_scaled("42650")
    mark = parse_scaled("42900")
    assert position.unrealised_pnl(mark) == parse_scaled("125")
    assert position.unrealised_percent(mark) == parse_scaled("0.58")
    assert position.unrealised_percent(parse_scaled("42400")) == parse_scaled("-0.58")


def test_both_sides_of_an_accounts_own_trade_count() -> None:
    sides = [
        FillRow(
            symbol="BTCUSDT",
            trade_id=7,
            order_id=order_id,
            is_buyer=is_buyer,
            price=SCALE,
            qty=SCALE,
            quote_qty=SCALE,
            commission=0,
            commission_asset="BTC",
            time_ms=1,
        )
        for order_id, is_buyer in ((1, True), (2, False))
    ]
    position = fold(fold(EMPTY, sides[0]), sides[1])
    assert (position.bought, position.sold, position.amount) == (SCALE, SCALE, 0)
    assert fold(position, sides[0]) == position


def test_a_fill_of_another_symbol_is_refused() -> None:
    other = rows([(True, SCALE, SCALE, "BTC", 0, None)])[0]
    with pytest.raises(ValueError, match="none of"):
        fold(Position(symbol="ETHUSDT", base="ETH", quote="USDT"), other)
