"""What clients see of positions: marks, protections, differences from balances (S1-14, C-27)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from cryptotrader.core.errors import InvalidParams, VenueAuthError, VenueTimeout, VenueUnreachable
from cryptotrader.core.events import Trade
from cryptotrader.core.scaled import SCALE, parse_scaled
from cryptotrader.portfolio.positions import FillRow
from cryptotrader.portfolio.protections import Phase
from cryptotrader.testing.simulation import SimulatedClock, run_simulated
from cryptotrader.trading.positions.ports import Change, NoPosition
from tests.support.position_desk import Bench

HALF = SCALE // 2


def fill(number: int, *, buys: bool = True, qty: int = HALF, price: str = "42650", **more: object) -> FillRow:
    scaled = parse_scaled(price)
    row = FillRow(
        symbol="BTCUSDT", trade_id=number, order_id=number, is_buyer=buys, price=scaled, qty=qty,
        quote_qty=scaled * qty // SCALE, commission=0, commission_asset="USDT", time_ms=1_000 * number,
    )  # fmt: skip

    return msgspec.structs.replace(row, **more)


def simulated(test: Callable[[Bench], Awaitable[None]]) -> None:
    """Run a test on virtual time, with half a coin bought at 42,650."""

    async def main() -> None:
        bench = Bench(SimulatedClock())
        bench.venue.fills.append(fill(1))
        bench.venue.holds = "0.5"
        await bench.start()
        await test(bench)
        await bench.stop()
        assert bench.stream.leases == bench.market.leases == []
        assert bench.stream.topic.reader_count == 0

    run_simulated(main)


def test_the_documented_position_is_shown_with_a_present_price() -> None:
    """S1-14: half a coin of 21,325 that is worth 125 more: 0.58 percent."""

    async def test(bench: Bench) -> None:
        (view,) = await bench.keeper.all()
        assert (view.amount, view.cost, view.average_price) == (HALF, parse_scaled("21325"), parse_scaled("42650"))
        assert (view.unrealised_pnl, view.unrealised_percent) == (parse_scaled("125"), parse_scaled("0.58"))
        assert (view.stop_loss, view.take_profit, view.trailing_stop) == (None, None, None)
        assert bench.keeper.current() == [view]
        with pytest.raises(NoPosition):
            await bench.keeper.one("BNBUSDT")

    simulated(test)


def test_a_fill_is_told_at_once_and_a_mark_once_a_second_to_whoever_watches() -> None:
    """S1-14."""

    async def test(bench: Bench) -> None:
        ticker = bench.market.ticker("BTCUSDT")
        bench.views.clear()
        ticker.tell("BTCUSDT", parse_scaled("43000"), 1)
        assert bench.views == []
        bench.keeper.watch()
        for number in range(100):
            ticker.tell("BTCUSDT", parse_scaled("43000") + number * SCALE, 10_000 + number)
            await asyncio.sleep(0.1)
        assert 9 <= len(bench.views) <= 11
        bench.views.clear()
        fills = [fill(2, qty=SCALE), fill(3, qty=SCALE)]
        bench.venue.fills += fills
        await bench.tell(fills)
        assert [view.amount for view in bench.views] == [3 * HALF, 5 * HALF]
        bench.keeper.unwatch()
        bench.views.clear()
        ticker.tell("BTCUSDT", parse_scaled("50000"), 30_000)
        assert bench.views == []

    simulated(test)


def test_all_positions_are_watched_also_new_ones_until_they_are_sold() -> None:
    async def test(bench: Bench) -> None:
        bench.keeper.watch()
        assert len(bench.market.leases) == 1
        await bench.tell([fill(1, symbol="BNBUSDT")])
        assert len(bench.market.leases) == 2
        await bench.tell([fill(2, symbol="BNBUSDT", buys=False)])
        assert len(bench.market.leases) == 1
        bench.keeper.watch("BTCUSDT")
        bench.keeper.unwatch()
        assert len(bench.market.leases) == 1
        bench.keeper.unwatch("BTCUSDT")

    simulated(test)


def test_prices_of_many_positions_are_asked_for_at_once_and_an_old_one_is_better_than_none() -> None:
    async def test(bench: Bench) -> None:
        await bench.tell([fill(1, symbol="BNBUSDT")])
        bench.venue.calls.clear()
        assert [view.mark for view in await bench.keeper.all()] == [bench.venue.bnb_price, bench.venue.btc_price]
        assert [name for name, _ in bench.venue.calls] == ["ticker.price"]
        bench.venue.failure = VenueUnreachable("no route")
        assert [view.mark for view in await bench.keeper.all()] == [bench.venue.bnb_price, bench.venue.btc_price]

    simulated(test)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        (Change(stop_loss=parse_scaled("42900")), "stop_loss"),
        (Change(take_profit=parse_scaled("42900")), "take_profit"),
        (Change(trailing_stop=100 * SCALE), "trailing_stop"),
        (Change(stop_loss=0), "stop_loss"),
        (Change(stop_loss=None), "stop_loss"),
    ],
)
def test_terms_that_would_fire_at_once_or_cannot_be_kept_are_refused(change: Change, param: str) -> None:
    """C-27."""

    async def test(bench: Bench) -> None:
        with pytest.raises(InvalidParams) as caught:
            await bench.keeper.protect("BTCUSDT", change)
        assert caught.value.param == param
        assert bench.store.protections("default") == []

    simulated(test)


def test_terms_are_changed_one_by_one_and_taken_away() -> None:
    """C-27: what is not named stays; null takes one away."""

    async def test(bench: Bench) -> None:
        view = await bench.keeper.protect("BTCUSDT", Change(stop_loss=40_000 * SCALE, trailing_stop=5 * SCALE))
        assert (view.stop_loss, view.take_profit, view.trailing_stop) == (40_000 * SCALE, None, 5 * SCALE)
        view = await bench.keeper.protect("BTCUSDT", Change(stop_loss=None, take_profit=50_000 * SCALE))
        assert (view.stop_loss, view.take_profit, view.trailing_stop) == (None, 50_000 * SCALE, 5 * SCALE)
        view = await bench.keeper.protect("BTCUSDT", Change(take_profit=None, trailing_stop=None))
        assert (view.stop_loss, view.take_profit, view.trailing_stop, view.protection) == (None,) * 4
        await bench.keeper.protect("BTCUSDT", Change(stop_loss=40_000 * SCALE))
        view = await bench.keeper.unprotect("BTCUSDT")
        assert view.protection is None
        assert bench.events == []
        with pytest.raises(NoPosition):
            await bench.keeper.protect("ETHBTC", Change(stop_loss=1))

    simulated(test)


def test_a_protection_outlives_a_restart_with_what_its_trail_has_seen() -> None:
    """C-27."""

    async def test(bench: Bench) -> None:
        await bench.keeper.protect("BTCUSDT", Change(trailing_stop=5 * SCALE))
        now_ms = bench.clock.now_ms() + 2
        await asyncio.sleep(1)
        bench.market.trades("BTCUSDT").tell(Trade("BTCUSDT", 1, 60_000 * SCALE, SCALE, now_ms, False, now_ms))
        await asyncio.sleep(1)
        before = bench.keeper.protections.of("BTCUSDT")
        await bench.stop()
        await bench.start()
        assert before is not None
        assert before.high == 60_000 * SCALE
        assert bench.keeper.protections.of("BTCUSDT") == before

    simulated(test)


def test_a_protection_of_a_position_that_is_sold_otherwise_ends_and_says_so() -> None:
    """C-27."""

    async def test(bench: Bench) -> None:
        await bench.keeper.protect("BTCUSDT", Change(stop_loss=SCALE))
        await bench.tell([fill(2, buys=False)])
        (event,) = bench.events
        assert (event.event, event.status, event.account) == ("protection_done", "gone", "default")
        view = await bench.keeper.one("BTCUSDT")
        assert view.protection is not None
        assert view.protection.phase is Phase.GONE
        assert view.stop_loss is None

    simulated(test)


def test_without_live_trading_a_protection_that_fires_is_refused() -> None:
    """DESIGN 4.7: real money only where that was switched on."""

    async def main() -> None:
        bench = Bench(SimulatedClock(), may_trade=False)
        bench.venue.fills.append(fill(1))
        bench.venue.holds = "0.5"
        await bench.start()
        await bench.keeper.protect("BTCUSDT", Change(stop_loss=42_000 * SCALE))
        now_ms = bench.clock.now_ms() + 2
        await asyncio.sleep(1)
        bench.market.trades("BTCUSDT").tell(Trade("BTCUSDT", 1, 41_000 * SCALE, SCALE, now_ms, False, now_ms))
        await asyncio.sleep(1)
        assert [event.event for event in bench.events] == ["protection_triggered", "protection_refused"]
        assert bench.events[-1].detail == "live trading is switched off"
        assert bench.venue.count("order.place") == 0
        await bench.stop()

    run_simulated(main)


def test_a_balance_that_is_no_longer_what_it_was_is_reported_once_and_so_is_its_return() -> None:
    """C-27: differences are reported, not hidden; what was there before anyone looked is only shown."""

    async def test(bench: Bench) -> None:
        assert bench.keeper.reconciliation() == []
        await asyncio.sleep(60)
        bench.tell_balance("0.7")
        (row,) = bench.keeper.reconciliation()
        assert (row.asset, row.positions, row.balance, row.difference) == ("BTC", HALF, 7 * SCALE // 10, SCALE // 5)
        bench.venue.holds = "0.7"
        await asyncio.sleep(400)
        assert [(event.event, event.status) for event in bench.events] == [("position_mismatch", "untracked")]
        await bench.stop()
        await bench.start()
        await asyncio.sleep(400)
        assert len(bench.events) == 1
        bench.venue.holds = "0.4"
        await asyncio.sleep(400)
        bench.venue.holds = "0.5"
        await asyncio.sleep(400)
        assert [event.status for event in bench.events] == ["untracked", "missing", "resolved"]
        assert bench.events[0].detail == "BTC: balance 0.70000000, positions 0.50000000"

    simulated(test)


def test_what_trades_cost_and_pay_elsewhere_is_no_mismatch() -> None:
    """Commissions in BNB, and coins that others are bought with, leave a position's balance for a known reason."""

    async def test(bench: Bench) -> None:
        await asyncio.sleep(20)
        spent = fill(2, symbol="ETHBTC", price="0.05", qty=2 * SCALE, commission=SCALE // 1_000, commission_asset="BTC")
        await bench.tell([spent])
        bench.tell_balance("0.399")
        bench.venue.fills.append(spent)
        bench.venue.holds = "0.399"
        (row,) = [row for row in bench.keeper.reconciliation() if row.asset == "BTC"]
        assert row.difference == parse_scaled("-0.101")
        bench.events.clear()
        await asyncio.sleep(700)
        assert [event for event in bench.events if "BTC:" in str(event.detail)] == []

    simulated(test)


def test_a_fill_that_no_stream_told_is_found_when_the_balance_is_compared() -> None:
    async def test(bench: Bench) -> None:
        bench.venue.fills.append(fill(2))
        bench.venue.holds = "1"
        await asyncio.sleep(400)
        position = bench.position("BTCUSDT")
        assert position is not None
        assert position.amount == SCALE
        assert bench.events == []

    simulated(test)


def test_a_long_history_is_read_page_by_page_and_once() -> None:
    """Also where both sides of an own trade lie on two pages."""

    async def main() -> None:
        bench = Bench(SimulatedClock())
        bench.venue.holds = "1000"
        sides = [fill(1_000, order_id=1), fill(1_000, order_id=2, buys=False)]
        bench.venue.fills = [*(fill(number) for number in range(1, 1_000)), *sides]
        bench.venue.fills += [fill(number) for number in range(1_001, 1_500)]
        await bench.start()
        position = bench.position("BTCUSDT")
        assert position is not None
        assert position.amount == (999 + 1 - 1 + 499) * HALF
        read = bench.venue.count("myTrades")
        await bench.stop()
        await bench.start()
        assert bench.venue.count("myTrades") == read + 1
        await bench.stop()

    run_simulated(main)


def test_a_venue_that_was_wiped_is_noticed_and_read_anew() -> None:
    """Binance's test network begins anew each month, and so do its ids."""

    async def test(bench: Bench) -> None:
        await bench.stop()
        bench.venue.fills = [fill(1, qty=SCALE, time_ms=9_000_000, order_id=77), fill(2, qty=SCALE, time_ms=9_000_001)]
        bench.venue.fills = [row for row in bench.venue.fills if row.trade_id != 1]
        await bench.start()
        position = bench.position("BTCUSDT")
        assert position is not None
        assert position.amount == SCALE

    simulated(test)


def test_clients_are_told_why_positions_are_not_there() -> None:
    """S0-54, S0-55."""

    async def main() -> None:
        bench = Bench(SimulatedClock())
        for failure in (VenueAuthError("no"), VenueUnreachable("no route"), VenueTimeout("silence")):
            bench.venue.failure = failure
            await bench.start(reads=False)
            with pytest.raises(type(failure)):
                await bench.keeper.all()
            await bench.stop()
        bench.venue.failure = None
        await bench.start()
        assert await bench.keeper.all() == []
        await bench.stop()

    run_simulated(main)
