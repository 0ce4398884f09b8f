"""The paper exchange as a whole: market, statistics, accounts and topics behind one door."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.core.errors import ConfigError
from cryptotrader.core.events import BookTicker, DepthDiff, Trade
from cryptotrader.core.orders import OrderStatus, OrderType, Side
from cryptotrader.exchange.accounts import ApiKey, KeyKind, PaperAccount
from cryptotrader.exchange.driver import BATCH_EVENTS, IDLE_S, MarketClock, MarketDriver
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.events import BalancesChanged, DepthChanged, MarketEvent, OrderUpdate, TradePrinted
from cryptotrader.exchange.engine.orders import NewOrder
from cryptotrader.exchange.store import StoreBroken
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.net import Supervisor, SystemClock
from tests.support.paper import BTC, START_MS, QuietSource, TestClock, paper_venue, units
from tests.support.waiting import eventually

BUY = NewOrder(symbol="BTCUSDT", side=Side.BUY, type=OrderType.LIMIT, price=units("44000"), qty=units("0.1"))
TAKE = NewOrder(symbol="BTCUSDT", side=Side.BUY, type=OrderType.MARKET, qty=units("0.1"))


def trades(count: int) -> list[Trade]:
    return [
        Trade("BTCUSDT", 101 + n, units("45000.50"), units("0.01"), START_MS, False, START_MS) for n in range(count)
    ]


async def test_what_happens_is_published_to_the_market_and_to_the_user() -> None:
    """S0-46, S0-47, S0-48."""
    venue = paper_venue(clock=TestClock())
    public: list[MarketEvent] = []
    private: list[tuple[str, object]] = []
    venue.market.subscribe(public.append)
    venue.user.subscribe(private.append)
    order = venue.submit("default", TAKE)
    await venue.committed()
    assert order.status is OrderStatus.FILLED
    assert [type(event) for event in public][:1] == [TradePrinted]
    assert [type(event) for _, event in private] == [OrderUpdate, OrderUpdate, BalancesChanged]
    assert {account for account, _ in private} == {"default"}
    tape = venue.statistics("BTCUSDT").tape
    assert tape.last is not None
    assert tape.last.trade_id == order.fills[0].trade_id == 101
    assert venue.last_price("BTCUSDT") == units("45001")
    assert venue.updated_ms("default") == START_MS


async def test_the_best_bid_and_ask_are_those_of_the_book_before_the_market_moves_again() -> None:
    """In a market that stands still nothing else would tell what users took and offer."""
    venue = paper_venue(clock=TestClock())
    venue._emit("market", venue.engine.on_book_ticker(_told_top(venue), START_MS))
    venue.submit("default", msgspec.structs.replace(BUY, price=units("45000.50")))
    assert venue.top("BTCUSDT").bid == venue.engine.book("BTCUSDT").levels(Side.BUY, 1)[0][0] == units("45000.50")
    before = venue.top("BTCUSDT").ask_qty
    venue.submit("default", TAKE)
    assert venue.top("BTCUSDT").ask_qty == before - TAKE.qty


def _told_top(venue: PaperVenue) -> BookTicker:
    (bid, bid_qty), *_ = venue.engine.book("BTCUSDT").levels(Side.BUY, 1)
    (ask, ask_qty), *_ = venue.engine.book("BTCUSDT").levels(Side.SELL, 1)
    return BookTicker("BTCUSDT", venue.engine.last_id("BTCUSDT"), bid, bid_qty, ask, ask_qty)


async def test_an_exchange_that_failed_midway_takes_nothing_any_more_and_starts_with_what_it_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half a command is worse than none: money that moved on one side only would be traded with and kept."""
    clock, path = TestClock(), tmp_path / "x.db"
    venue = paper_venue(clock=clock, store_path=path)
    kept = venue.submit("default", BUY)
    await venue.committed()
    before = venue.engine.state_hash()
    monkeypatch.setattr("cryptotrader.exchange.engine.engine.enter", lambda *_: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        venue.submit("default", TAKE)
    monkeypatch.undo()
    shown: list[MarketEvent] = []
    venue.market.subscribe(shown.append)
    for _ in range(2):
        with pytest.raises(StoreBroken):
            venue.submit("default", TAKE)
        venue._on_market(trades(1)[0], START_MS)
    assert shown == []
    assert capsys.readouterr().err.count("start it again") == 1
    await venue.close()
    again = paper_venue(clock=clock, store_path=path)
    assert again.engine.state_hash() == before
    assert [order.order_id for order in again.open_orders("default", "BTCUSDT")] == [kept.order_id]
    assert again.submit("default", TAKE).status is OrderStatus.FILLED
    await again.close()


async def test_the_market_runs_until_it_is_stopped() -> None:
    source = QuietSource()
    source.queue.extend(trades(10 * BATCH_EVENTS))
    venue = paper_venue(source, clock=SystemClock())
    seen: list[MarketEvent] = []
    venue.market.subscribe(seen.append)
    async with Supervisor("test") as jobs:
        jobs.start("market", venue.run)
        await eventually(lambda: len(seen) == 10 * BATCH_EVENTS)
        source.queue.append(DepthDiff("BTCUSDT", 1_001, 1_001, ((units("45000"), 0),), (), START_MS))
        venue.watch("BTCUSDT")
        await eventually(lambda: isinstance(seen[-1], DepthChanged))
    assert source.released == ["BTCUSDT"]
    assert venue.top("BTCUSDT").bid == units("44999")


def test_a_market_as_fast_as_it_can_leaves_time_for_others() -> None:
    """A slice of market ends after a few milliseconds, however much is due."""

    class Hurried(TestClock):
        def monotonic_ns(self) -> int:
            self.ns += 1_000_000
            return self.ns

    source = QuietSource()
    source.queue.extend(trades(100 * BATCH_EVENTS))
    driver = MarketDriver([source], Hurried())
    fed: list[object] = []
    assert driver.advance(lambda event, now_ms: fed.append(event))
    assert 0 < len(fed) < 100 * BATCH_EVENTS
    assert driver.idle_s() == 0
    source.queue.clear()
    assert not driver.advance(lambda event, now_ms: fed.append(event))
    assert driver.idle_s() == IDLE_S
    assert not driver.release("NOPE")


def test_the_market_goes_on_where_the_clock_is_set_back() -> None:
    """S0-40, S0-41: no pause as long as the step; the market slows down until the clock has caught up with it."""

    class Wall(TestClock):
        step_ns = 0

        def now_ns(self) -> int:
            return self.ns + self.step_ns

        def monotonic_ns(self) -> int:
            return self.ns

    clock = Wall()
    market = MarketClock(clock)
    before_ns = market.now_ns()
    clock.step_ns = -3_600 * NS_PER_S
    seen = []
    for _ in range(7_200):
        clock.ns += NS_PER_S
        seen.append(market.now_ns())
    assert seen == sorted(seen)
    assert seen[9] == before_ns + 5 * NS_PER_S
    assert seen[-1] == clock.now_ns()
    clock.ns += NS_PER_S
    assert market.now_ns() == clock.now_ns()
    clock.step_ns = 0
    assert market.now_ns() == clock.now_ns()


def test_a_symbol_needs_rules_and_a_key_needs_an_account() -> None:
    with pytest.raises(ConfigError, match="BTCUSDT"):
        PaperVenue([], [QuietSource()], clock=TestClock())
    stray = ApiKey(id="k", account="nobody", kind=KeyKind.HMAC, secret="s")
    with pytest.raises(ConfigError, match="nobody"):
        paper_venue(keys=[stray])
    with pytest.raises(ConfigError):
        paper_venue(accounts=[PaperAccount(), PaperAccount(id="other")]).open_account(PaperAccount(id="other"))
    with pytest.raises(Refusal, match="-2015"):
        paper_venue().account("nobody")
    assert BTC.symbol in paper_venue().rules


def test_accounts_do_not_see_each_other() -> None:
    venue = paper_venue(accounts=[PaperAccount(), PaperAccount(id="other", uid=2, balances={"USDT": units("10000")})])
    mine = venue.submit("default", BUY)
    venue.submit("other", BUY)
    assert [order.order_id for order in venue.open_orders("default")] == [mine.order_id]
    with pytest.raises(Refusal, match="-2013"):
        venue.order("other", "BTCUSDT", order_id=mine.order_id)
    assert venue.balances("other") == (("BTC", 0, 0), ("USDT", units("5600"), units("4400"))) or venue.balances(
        "other"
    ) == (("USDT", units("5600"), units("4400")),)


async def test_when_the_disk_fails_nothing_is_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    venue = paper_venue(store_path=tmp_path / "x.db")
    told: list[object] = []
    venue.user.subscribe(told.append)

    def full(payloads: Sequence[bytes]) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(venue._keeper.journal, "append", full)
    venue.submit("default", BUY)
    with pytest.raises(StoreBroken):
        await venue.committed()
    with pytest.raises(StoreBroken):
        venue.require_store()
    with pytest.raises(StoreBroken):
        venue.submit("default", BUY)
    assert len(venue.open_orders("default")) == 1, "the refused one changed nothing"
    await asyncio.sleep(0)
    assert told == []
    await venue.close()


async def test_balances_come_back_as_they_were_and_not_as_they_were_opened(tmp_path: Path) -> None:
    venue = paper_venue(store_path=tmp_path / "x.db")
    venue.submit("default", TAKE)
    venue.deposit("default", "USDC", units("5"))
    before = venue.balances("default")
    counters = venue.engine.counters()
    await venue.close()
    again = paper_venue(store_path=tmp_path / "x.db")
    assert again.balances("default") == before
    assert again.engine.counters() == counters
    assert again.orders("default", "BTCUSDT")[0].status is OrderStatus.FILLED
    await again.close()
