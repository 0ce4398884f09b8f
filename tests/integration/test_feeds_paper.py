"""The feeds on the real paper exchange, over sockets that break."""

from __future__ import annotations

from collections import Counter
from typing import Literal

import pytest

from cryptotrader.core.orders import OrderType, Side, TimeInForce
from cryptotrader.exchange.accounts import PaperAccount
from cryptotrader.exchange.engine.accounts import FillQuery
from cryptotrader.exchange.engine.orders import CancelOrder, NewOrder, Order
from cryptotrader.exchange.market.rules_data import rules_for
from cryptotrader.exchange.market.synthetic import SyntheticSource
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.feeds import DEPTH, UserEvent
from cryptotrader.net import SystemClock
from tests.support.live_world import ChangeReader
from tests.support.paper import units
from tests.support.paper_feeds import PaperFeeds, paper_feeds
from tests.support.waiting import eventually

SYMBOL = "BTCUSDT"
ACCOUNT = PaperAccount().id


def moving_venue() -> PaperVenue:
    return PaperVenue(
        rules_for(("BTCUSDT", "ETHUSDT")),
        [SyntheticSource(seed=3, symbols=("BTCUSDT", "ETHUSDT"))],
        clock=SystemClock(),
    )


class Listener:
    """A client of the user feed."""

    def __init__(self, feeds: PaperFeeds) -> None:
        self.events: list[UserEvent] = []
        feeds.user.topic.subscribe(self.events.append)
        self.lease = feeds.user.lease()

    def reports(self, kind: str) -> list[tuple[int, int]]:
        return [
            (event.data["i"], event.data["t"])
            for event in self.events
            if event.kind == "executionReport" and event.data["x"] == kind
        ]


def market(venue: PaperVenue, side: Side, qty: str = "0.01") -> Order:
    order = NewOrder(
        symbol=SYMBOL,
        side=side,
        type=OrderType.MARKET,
        qty=units(qty),
        self_trade_prevention_mode="EXPIRE_MAKER",
    )
    return venue.submit(ACCOUNT, order)


def resting(venue: PaperVenue, price: str = "20000") -> Order:
    order = NewOrder(
        symbol=SYMBOL,
        side=Side.BUY,
        type=OrderType.LIMIT,
        qty=units("0.01"),
        price=units(price),
        time_in_force=TimeInForce.GTC,
        self_trade_prevention_mode="EXPIRE_MAKER",
    )
    return venue.submit(ACCOUNT, order)


async def test_ten_cuts_leave_equal_books_every_fill_once_and_nothing_behind() -> None:
    venue = moving_venue()
    async with paper_feeds(venue) as feeds:
        reader = ChangeReader()
        feed = feeds.live.depth(SYMBOL)
        feed.topic.subscribe(reader.on_change)
        feeds.live.lease(SYMBOL, DEPTH)
        listener = Listener(feeds)
        await feed.wait_ready(10)
        await eventually(lambda: feeds.user.is_live, 10)
        jobs: list[int] = []
        for _ in range(10):
            market(venue, Side.BUY)
            feeds.proxy.cut()
            cancelled = resting(venue)
            market(venue, Side.SELL)
            resting(venue)
            venue.cancel(ACCOUNT, CancelOrder(SYMBOL, order_id=cancelled.order_id))
            await eventually(lambda: not feeds.user.is_live and not feed.is_ready)
            market(venue, Side.BUY)
            feeds.proxy.mend()
            await eventually(lambda: feeds.user.is_live and feed.is_ready, 20)
            jobs.append(feeds.live.job_count + feeds.user.job_count)
        venue.cancel_all(ACCOUNT, SYMBOL)
        await check_user(venue, listener)
        await check_book(venue, feeds, reader)
        assert max(jobs) <= min(jobs) + 3
        await eventually(lambda: feeds.proxy.open_count <= 2 + 10)


async def check_user(venue: PaperVenue, listener: Listener) -> None:
    orders = venue.orders(ACCOUNT, SYMBOL, limit=1_000)
    fills = {(fill.order_id, fill.trade_id) for fill in venue.engine.fills(ACCOUNT, SYMBOL, FillQuery(limit=1_000))}
    assert len(fills) >= 30
    await eventually(lambda: set(listener.reports("TRADE")) >= fills, 10)
    ids = {order.order_id for order in orders}
    await eventually(lambda: {number for number, _ in listener.reports("NEW")} >= ids)
    cancelled = {order.order_id for order in orders if order.status == "CANCELED"}
    assert len(cancelled) == 20
    await eventually(lambda: {number for number, _ in listener.reports("CANCELED")} >= cancelled)
    assert Counter(listener.reports("TRADE")) == Counter(fills)
    assert Counter(number for number, _ in listener.reports("NEW")) == Counter(ids)
    assert Counter(number for number, _ in listener.reports("CANCELED")) == Counter(cancelled)
    last: dict[str, tuple[int, int]] = {}
    for event in listener.events:
        if event.kind == "outboundAccountPosition":
            last |= {row["a"]: (units(row["f"]), units(row["l"])) for row in event.data["B"]}
    truth = {asset: (free, locked) for asset, free, locked in venue.balances(ACCOUNT)}
    assert last == {asset: truth[asset] for asset in last}
    assert {"BTC", "USDT"} <= last.keys()


async def check_book(venue: PaperVenue, feeds: PaperFeeds, reader: ChangeReader) -> None:
    feed = feeds.live.depth(SYMBOL)
    expected: dict[int, tuple[object, object]] = {}

    def note(event: object) -> None:
        book = venue.engine.book(SYMBOL)
        expected[venue.engine.last_id(SYMBOL)] = (book.levels(Side.BUY, None), book.levels(Side.SELL, None))

    subscription = venue.market.subscribe(note)
    same: list[bool] = []

    def compare(change: object) -> None:
        known = expected.get(feed.book.last_id)
        if known is not None:
            same.append(known == (feed.book.bids(), feed.book.asks()))
            snapshot = reader.book.snapshot()
            same.append(known == (list(snapshot.bids), list(snapshot.asks)))

    feed.topic.subscribe(compare)
    await eventually(lambda: len(same) >= 6, 10)
    subscription.close()
    assert all(same)


@pytest.mark.parametrize("mode", ["auto", "signature", "listenkey"])
async def test_orders_arrive_without_polling(mode: Literal["auto", "signature", "listenkey"]) -> None:
    """S0-46, S0-47, S0-48."""
    venue = moving_venue()
    async with paper_feeds(venue, mode=mode) as feeds:
        listener = Listener(feeds)
        await eventually(lambda: feeds.user.is_live, 10)
        market(venue, Side.BUY)
        await eventually(lambda: listener.reports("TRADE") and listener.events[-1].kind == "outboundAccountPosition")
        kinds = [event.data.get("x", event.kind) for event in listener.events]
        assert kinds[0] == "NEW"
        assert all("recovered" not in event.data for event in listener.events)


async def test_the_stream_is_released_after_the_last_client_left() -> None:
    venue = moving_venue()
    async with paper_feeds(venue, mode="listenkey") as feeds:
        listener = Listener(feeds)
        await eventually(lambda: feeds.user.is_live, 10)
        listener.lease.close()
        await eventually(lambda: not feeds.stream.is_connected, 10)
        await eventually(lambda: len(feeds.server.operations.desk.listen_keys) == 0)


async def test_a_shutdown_notice_of_the_exchange_interrupts_nothing() -> None:
    venue = moving_venue()
    async with paper_feeds(venue) as feeds:
        listener = Listener(feeds)
        reader = ChangeReader()
        feed = feeds.live.depth(SYMBOL)
        feed.topic.subscribe(reader.on_change)
        await feed.wait_ready(10)
        await eventually(lambda: feeds.user.is_live, 10)
        accepted = feeds.proxy.accepted
        feeds.server.websockets.announce_shutdown()
        await eventually(lambda: feeds.proxy.accepted >= accepted + 2, 10)
        for _ in range(5):
            market(venue, Side.BUY)
            seen = len(reader.kinds)
            await eventually(lambda before=seen: len(reader.kinds) > before + 2)  # type: ignore[misc]
        fills = {(fill.order_id, fill.trade_id) for fill in venue.engine.fills(ACCOUNT, SYMBOL, FillQuery(limit=1_000))}
        await eventually(lambda: set(listener.reports("TRADE")) == fills)
        assert Counter(listener.reports("TRADE")) == Counter(fills)
        assert set(reader.kinds) == {"restart", "diff"}
        assert feed.is_ready


async def test_seeded_feeds_hold_the_newest_at_once() -> None:
    venue = moving_venue()
    async with paper_feeds(venue) as feeds:
        ticker, trades = feeds.live.ticker(SYMBOL), feeds.live.trades(SYMBOL)
        candles = feeds.live.candles(SYMBOL, "1m")
        await eventually(lambda: ticker.is_fresh and trades.is_fresh and candles.is_fresh, 10)
        assert ticker.latest is not None
        assert ticker.latest.symbol == SYMBOL
        assert len(trades.tape) > 0
        assert len(candles.series) > 100
        feeds.proxy.cut()
        await eventually(lambda: not trades.is_fresh and not candles.is_fresh)
        for _ in range(5):
            market(venue, Side.BUY)
        feeds.proxy.mend()
        await eventually(lambda: trades.is_fresh and candles.is_fresh, 20)
        ids = [trade.trade_id for trade in trades.tape.latest()]
        assert ids == list(range(ids[0], ids[0] + len(ids)))
