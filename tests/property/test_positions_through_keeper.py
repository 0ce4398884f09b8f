"""The keeper's positions equal a naive computation, however fills are told, and across restarts (S1-14, C-27)."""

from __future__ import annotations

import decimal
from collections.abc import Iterator
from decimal import ROUND_DOWN, Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from cryptotrader.core.scaled import SCALE, mul_scaled, to_decimal
from cryptotrader.portfolio.positions import FillRow, Position
from cryptotrader.testing.simulation import SimulatedClock, run_simulated
from cryptotrader.trading.positions.store import PositionStore
from tests.support.position_desk import Bench

UNIT = Decimal("0.00000001")

drawn_fills = st.lists(
    st.tuples(
        st.booleans(),
        st.booleans(),
        st.integers(1, 100_000 * SCALE),
        st.integers(1, 100 * SCALE),
        st.sampled_from(["BTC", "USDT", "BNB"]),
        st.integers(0, 100),
    ),
    max_size=25,
)
Drawn = list[tuple[bool, bool, int, int, str, int]]


def rows(drawn: Drawn, start_ms: int) -> list[FillRow]:
    """Fills in the order in which they happened; some are allocations, with ids of their own."""
    made, trades, allocations = [], 0, 0
    for index, (is_buyer, is_allocation, price, qty, asset, bps) in enumerate(drawn):
        quote_qty = mul_scaled(price, qty)
        whole = {"BTC": qty, "USDT": quote_qty, "BNB": SCALE}[asset]
        trades, allocations = trades + (not is_allocation), allocations + is_allocation
        made.append(
            FillRow(
                symbol="BTCUSDT",
                trade_id=-1 if is_allocation else 100 + trades,
                order_id=500 + index,
                is_buyer=is_buyer,
                price=price,
                qty=qty,
                quote_qty=quote_qty,
                commission=whole * bps // 10_000,
                commission_asset=asset,
                time_ms=start_ms + 1_000 * index,
                allocation_id=allocations if is_allocation else -1,
            )
        )
    return made


def naive(fills: list[FillRow], bnb: Decimal) -> Iterator[tuple[Decimal, Decimal, Decimal, Decimal]]:
    """Amount, cost, realised profit and untracked sales after each fill, as one would reckon on paper."""
    amount = cost = realised = untracked = Decimal(0)
    for fill in fills:
        fee = to_decimal(fill.commission)
        base_fee = fee if fill.commission_asset == "BTC" else Decimal(0)
        quote_fee = {"BTC": Decimal(0), "USDT": fee, "BNB": (fee * bnb).quantize(UNIT, ROUND_DOWN)}[
            fill.commission_asset
        ]
        qty, money = to_decimal(fill.qty), to_decimal(fill.quote_qty)
        if fill.is_buyer:
            amount, cost = amount + qty - base_fee, cost + money + quote_fee
        else:
            given, got = qty + base_fee, money - quote_fee
            known = min(given, amount)
            share = (cost * known / amount).quantize(UNIT, ROUND_DOWN) if amount else Decimal(0)
            part = got if known == given else (got * known / given).quantize(UNIT, "ROUND_FLOOR")
            realised += part - share if known else 0
            amount, cost, untracked = amount - known, cost - share, untracked + given - known
        yield amount, cost, realised, untracked


def reckoned(position: Position | None) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    if position is None:
        return (Decimal(0), Decimal(0), Decimal(0), Decimal(0))
    values = (position.amount, position.cost, position.realised_pnl, position.untracked_sold)
    return (to_decimal(values[0]), to_decimal(values[1]), to_decimal(values[2]), to_decimal(values[3]))


@settings(max_examples=60, deadline=None)
@given(drawn_fills, st.data())
def test_positions_equal_the_naive_computation_and_outlive_restarts(drawn: Drawn, data: st.DataObject) -> None:
    """S1-14, C-27: fills come live, doubled, out of order, or only from the history; the process may die any time."""

    async def main() -> None:
        clock = SimulatedClock()
        store = PositionStore(":memory:")
        fills = rows(drawn, clock.now_ms() - 60_000)
        bench = Bench(clock, store)
        bench.venue.holds = "100000000"
        bnb = to_decimal(bench.venue.bnb_price)
        await bench.start()
        known: list[FillRow] = []
        waiting = list(fills)
        while waiting:
            batch = waiting[: data.draw(st.integers(1, 4), "batch")]
            del waiting[: len(batch)]
            bench.venue.fills += batch
            known += batch
            way = data.draw(st.sampled_from(["live", "shuffled", "doubled", "lost", "while dead"]), "way")
            if way == "while dead":
                await bench.stop()
                await bench.start()
            elif way == "lost":
                await bench.reconnect()
            else:
                told = list(batch) * (2 if way == "doubled" else 1)
                if way == "shuffled":
                    told = data.draw(st.permutations(told), "order")
                await bench.tell(told)
            with decimal.localcontext(prec=80):
                assert reckoned(bench.position("BTCUSDT")) == list(naive(known, bnb))[-1]
        before = bench.position("BTCUSDT")
        await bench.stop()
        await bench.start(reads=False)
        if drawn:
            assert bench.position("BTCUSDT") == before
        await bench.stop()
        # Not even the store is needed: the venue's history gives the same again.
        bench.store = PositionStore(":memory:")
        await bench.start()
        if drawn:
            assert bench.position("BTCUSDT") == before
        await bench.stop()

    run_simulated(main)


def test_a_store_on_disk_holds_what_it_was_given(tmp_path: Path) -> None:
    """C-27: opened again, it is as it was; it is its owner's alone."""
    path = tmp_path / "positions.sqlite"
    fills = rows([(True, False, SCALE, SCALE, "BTC", 1), (False, True, SCALE, SCALE, "BNB", 1)], 1_000)
    store = PositionStore(path)
    assert store.add("me", ("BTC", "USDT"), fills) == fills
    assert store.add("me", ("BTC", "USDT"), fills) == []
    store.close()
    assert path.stat().st_mode & 0o077 == 0
    store = PositionStore(path)
    assert store.fills("me", "BTCUSDT") == fills
    assert store.symbols("me") == {"BTCUSDT": ("BTC", "USDT")}
    assert store.fills("you", "BTCUSDT") == []
    store.close()
