"""How the source's book and trades meet users' orders, and what the public sees of it (issue: paper exchange, tape)."""

from __future__ import annotations

from cryptotrader.core.events import BookTicker, DepthDiff, Trade
from cryptotrader.core.orders import OrderStatus, Side
from cryptotrader.exchange.engine.accounts import Fees
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.events import DepthChanged, Event, OrderUpdate, TopChanged, TradePrinted
from cryptotrader.exchange.engine.orders import CancelOrder
from tests.support.engine_kit import (
    NOW_MS,
    SYMBOL,
    diff,
    levels,
    limit,
    market,
    market_engine,
    of_kind,
    p,
    snapshot,
    ticker,
    trade,
)


def executed(engine: Engine, account: str, order_id: int) -> int:
    """How much of an order was filled."""
    return engine.order(account, SYMBOL, order_id=order_id).executed


def printed(events: list[Event]) -> list[Trade]:
    """Public trades."""
    return [event.trade for event in events if isinstance(event, TradePrinted)]


# With no users


def test_without_users_everything_is_passed_on_as_the_very_same_object() -> None:
    engine = market_engine()
    change = DepthDiff(SYMBOL, 101, 105, levels(("98", "0"), ("97.5", "3")), levels(("101", "0.5")), NOW_MS - 7)
    top = ticker(105, ("99", "1"), ("101", "0.5"))
    public = trade(77, "99", "0.25", sells=True)
    (depth,) = engine.on_depth(change, NOW_MS)
    (best,) = engine.on_book_ticker(top, NOW_MS)
    (tape,) = engine.on_trade(public, NOW_MS)
    assert isinstance(depth, DepthChanged)
    assert depth.diff is change
    assert isinstance(best, TopChanged)
    assert best.ticker is top
    assert isinstance(tape, TradePrinted)
    assert tape.trade is public
    assert engine.last_id(SYMBOL) == 105
    assert engine.book(SYMBOL).levels(Side.BUY) == [(p("99"), p("1")), (p("97.5"), p("3"))]


def test_an_order_that_came_and_went_between_two_diffs_leaves_the_next_one_plain_but_for_its_price() -> None:
    engine = market_engine()
    order, _ = engine.submit("alice", limit("BUY", "100", "1"), NOW_MS)
    engine.cancel("alice", CancelOrder(SYMBOL, order_id=order.order_id), NOW_MS)
    (shown, _) = engine.on_depth(diff(101, bids=levels(("98", "4"))), NOW_MS)
    assert shown.diff.bids == levels(("100", "0"), ("98", "4"))  # type: ignore[union-attr]
    change = diff(102, bids=levels(("98", "5")))
    assert engine.on_depth(change, NOW_MS) == [DepthChanged(change)]


# Queue ahead


def test_an_order_waits_behind_the_quantity_that_its_price_showed() -> None:
    engine = market_engine()
    engine.submit("alice", limit("BUY", "99", "1"), NOW_MS)
    events = engine.on_trade(trade(10, "99", "0.75", sells=True), NOW_MS)
    assert printed(events) == [trade(10, "99", "0.75", sells=True)]
    events = engine.on_trade(trade(11, "99", "0.5", sells=True), NOW_MS)
    assert executed(engine, "alice", 1) == p("0.25")
    assert [(each.trade_id, each.qty, each.buyer_is_maker) for each in printed(events)] == [
        (11, p("0.25"), True),
        (12, p("0.25"), True),
    ]


def test_a_later_order_at_the_price_waits_for_the_earlier_one() -> None:
    engine = market_engine()
    engine.submit("alice", limit("BUY", "99", "1"), NOW_MS)
    engine.on_depth(diff(101, bids=levels(("99", "2"))), NOW_MS)
    engine.submit("bob", limit("BUY", "99", "1"), NOW_MS)
    engine.on_trade(trade(10, "99", "2.5", sells=True), NOW_MS)
    assert (executed(engine, "alice", 1), executed(engine, "bob", 2)) == (p("1"), 0)
    engine.on_trade(trade(11, "99", "1", sells=True), NOW_MS)
    assert executed(engine, "bob", 2) == p("0.5")


def test_a_smaller_external_quantity_shortens_the_queue_and_a_larger_one_does_not_lengthen_it() -> None:
    engine = market_engine()
    engine.submit("alice", limit("BUY", "99", "1"), NOW_MS)
    engine.on_depth(diff(101, bids=levels(("99", "0.25"))), NOW_MS)
    engine.on_depth(diff(102, bids=levels(("99", "9"))), NOW_MS)
    engine.on_trade(trade(10, "99", "1", sells=True, time_ms=NOW_MS + 1), NOW_MS)
    assert executed(engine, "alice", 1) == p("0.75")


def test_a_trade_that_the_last_diff_already_holds_is_not_counted_twice() -> None:
    engine = market_engine()
    engine.submit("alice", limit("BUY", "99", "1"), NOW_MS)
    engine.on_depth(diff(101, bids=levels(("99", "0.25")), event_ms=NOW_MS + 100), NOW_MS)
    engine.on_trade(trade(10, "99", "0.75", sells=True, time_ms=NOW_MS + 50), NOW_MS)
    assert executed(engine, "alice", 1) == 0
    engine.on_trade(trade(11, "99", "0.5", sells=True, time_ms=NOW_MS + 60), NOW_MS)
    assert executed(engine, "alice", 1) == p("0.25")


def test_a_trade_of_buyers_at_a_bids_price_does_not_fill_the_bid() -> None:
    engine = market_engine()
    engine.submit("alice", limit("BUY", "99.5", "1"), NOW_MS)
    engine.on_trade(trade(10, "99.5", "5", sells=False), NOW_MS)
    assert executed(engine, "alice", 1) == 0


def test_a_trade_through_the_price_fills_at_the_orders_own_price_before_the_rest_is_printed() -> None:
    engine = market_engine(fees=Fees(0, 0))
    engine.submit("alice", limit("SELL", "100", "1"), NOW_MS)
    events = engine.on_trade(trade(10, "100.5", "3", sells=False), NOW_MS)
    assert executed(engine, "alice", 1) == p("1")
    assert engine.order("alice", SYMBOL, order_id=1).quote_executed == p("100")
    assert [(each.trade_id, each.price, each.qty) for each in printed(events)] == [
        (1, p("100"), p("1")),
        (11, p("100.5"), p("2")),
    ]


# Trade ids


def test_every_trade_of_users_shifts_the_ids_of_later_external_trades_by_one() -> None:
    engine = market_engine()
    engine.on_trade(trade(500, "99", "1", sells=True), NOW_MS)
    _, events = engine.submit("alice", market("BUY", "1.5"), NOW_MS)
    assert [each.trade_id for each in printed(events)] == [501, 502]
    events = engine.on_trade(trade(501, "99", "1", sells=True), NOW_MS)
    assert [each.trade_id for each in printed(events)] == [503]


def test_an_external_trade_that_users_filled_whole_gives_its_id_to_them() -> None:
    engine = market_engine()
    engine.on_trade(trade(500, "99", "1", sells=True), NOW_MS)
    engine.submit("alice", limit("BUY", "99.5", "2"), NOW_MS)
    events = engine.on_trade(trade(501, "99.5", "1", sells=True), NOW_MS)
    assert [(each.trade_id, each.qty) for each in printed(events)] == [(501, p("1"))]
    events = engine.on_trade(trade(502, "99.6", "1", sells=True), NOW_MS)
    assert [each.trade_id for each in printed(events)] == [502]


def test_priming_with_the_last_trade_before_the_start_prints_nothing_but_sets_id_and_price() -> None:
    engine = market_engine()
    engine.prime(trade(900, "98", "1", sells=True))
    assert engine.last_price(SYMBOL) == p("98")
    _, events = engine.submit("alice", market("BUY", "1"), NOW_MS)
    assert [each.trade_id for each in printed(events)] == [901]


# Crossing liquidity


def test_external_liquidity_that_crosses_an_order_fills_it_at_its_own_price_and_is_consumed() -> None:
    engine = market_engine(fees=Fees(0, 0))
    engine.submit("alice", limit("BUY", "100", "2"), NOW_MS)
    events = engine.on_depth(diff(101, asks=levels(("99.5", "0.5"), ("100", "0.25"))), NOW_MS)
    order = engine.order("alice", SYMBOL, order_id=1)
    assert (order.executed, order.quote_executed) == (p("0.75"), p("75"))
    (shown,) = of_kind(events, DepthChanged)
    assert shown.diff.asks == levels(("99.5", "0"), ("100", "0"))
    assert shown.diff.bids == levels(("100", "1.25"))
    assert isinstance(events[0], TradePrinted)
    assert of_kind(events, OrderUpdate)[0].fill is not None


def test_crossing_liquidity_goes_to_the_better_and_older_orders_first() -> None:
    engine = market_engine()
    engine.submit("alice", limit("SELL", "100.5", "1"), NOW_MS)
    engine.submit("bob", limit("SELL", "100", "1"), NOW_MS)
    engine.submit("alice", limit("SELL", "100", "1"), NOW_MS)
    engine.on_depth(diff(101, bids=levels(("100.5", "1.5"))), NOW_MS)
    assert [executed(engine, *each) for each in (("alice", 1), ("bob", 2), ("alice", 3))] == [0, p("1"), p("0.5")]


def test_a_best_price_that_crosses_before_the_book_shows_it_fills_once() -> None:
    engine = market_engine()
    engine.submit("alice", limit("BUY", "100", "2"), NOW_MS)
    events = engine.on_book_ticker(ticker(105, ("99", "1"), ("100", "0.5")), NOW_MS)
    assert executed(engine, "alice", 1) == p("0.5")
    (top,) = of_kind(events, TopChanged)
    assert top.ticker == BookTicker(SYMBOL, 105, p("100"), p("1.5"), p("101"), p("1"))
    engine.on_book_ticker(ticker(106, ("99", "1"), ("100", "0.5")), NOW_MS)
    assert executed(engine, "alice", 1) == p("0.5")
    engine.on_depth(diff(110, asks=levels(("100", "0.5"))), NOW_MS)
    assert executed(engine, "alice", 1) == p("0.5")
    engine.on_depth(diff(111, asks=levels(("100", "0.75"))), NOW_MS)
    assert executed(engine, "alice", 1) == p("0.75")


def test_early_consumption_is_forgotten_where_the_level_was_gone_before_the_book_could_show_it() -> None:
    engine = market_engine()
    order, _ = engine.submit("alice", limit("BUY", "100", "2"), NOW_MS)
    engine.on_book_ticker(ticker(105, ("99", "1"), ("100", "0.5")), NOW_MS)
    engine.cancel("alice", CancelOrder(SYMBOL, order_id=order.order_id), NOW_MS)
    engine.on_depth(diff(106), NOW_MS)
    change = diff(107, asks=levels(("100", "0.5")))
    assert engine.on_depth(change, NOW_MS) == [DepthChanged(change)]


# Consumption


def test_what_users_took_stays_taken_until_the_source_takes_the_level_away() -> None:
    engine = market_engine()
    engine.submit("alice", market("BUY", "0.75"), NOW_MS)
    shown = of_kind(engine.on_depth(diff(101, bids=levels(("98", "3"))), NOW_MS), DepthChanged)[0]
    assert shown.diff.asks == levels(("101", "0.25"))
    shown = of_kind(engine.on_depth(diff(102, asks=levels(("101", "2"))), NOW_MS), DepthChanged)[0]
    assert shown.diff.asks == levels(("101", "1.25"))
    shown = of_kind(engine.on_depth(diff(103, asks=levels(("101", "0.5"))), NOW_MS), DepthChanged)[0]
    assert shown.diff.asks == levels(("101", "0"))
    engine.on_depth(diff(104, asks=levels(("101", "0"))), NOW_MS)
    change = diff(105, asks=levels(("101", "2")))
    assert engine.on_depth(change, NOW_MS) == [DepthChanged(change)]


# What is displayed


def test_users_orders_are_shown_with_the_next_diff_inside_its_own_ids() -> None:
    engine = market_engine()
    engine.submit("alice", limit("BUY", "99", "1"), NOW_MS)
    engine.submit("alice", limit("SELL", "101.5", "1"), NOW_MS)
    change = DepthDiff(SYMBOL, 101, 109, levels(("98", "1")), (), NOW_MS - 3)
    shown = of_kind(engine.on_depth(change, NOW_MS), DepthChanged)[0].diff
    assert (shown.first_id, shown.last_id, shown.event_ms) == (101, 109, NOW_MS - 3)
    assert shown.bids == levels(("99", "2"), ("98", "1"))
    assert shown.asks == levels(("101.5", "1"))


def test_a_level_that_the_source_takes_away_still_shows_users_orders() -> None:
    engine = market_engine()
    engine.submit("alice", limit("BUY", "99", "0.5"), NOW_MS)
    (shown,) = of_kind(engine.on_depth(diff(101, bids=levels(("99", "0"))), NOW_MS), DepthChanged)
    assert shown.diff.bids == levels(("99", "0.5"))


def test_the_best_prices_include_users_orders() -> None:
    engine = market_engine()
    engine.submit("alice", limit("BUY", "99.5", "1"), NOW_MS)
    (top,) = of_kind(engine.on_book_ticker(ticker(101, ("99", "3"), ("101", "1")), NOW_MS), TopChanged)
    assert top.ticker == ticker(101, ("99.5", "1"), ("101", "1"))
    engine.submit("bob", limit("SELL", "101", "2"), NOW_MS)
    (top,) = of_kind(engine.on_book_ticker(ticker(102, ("99.5", "3"), ("101", "1")), NOW_MS), TopChanged)
    assert top.ticker == ticker(102, ("99.5", "4"), ("101", "3"))


def test_a_diff_that_shows_a_users_new_best_price_is_followed_by_the_best_prices() -> None:
    engine = market_engine()
    engine.on_book_ticker(ticker(100, ("99", "1"), ("101", "1")), NOW_MS)
    engine.submit("alice", limit("BUY", "100", "1"), NOW_MS)
    (top,) = of_kind(engine.on_depth(diff(101), NOW_MS), TopChanged)
    assert top.ticker == ticker(101, ("100", "1"), ("101", "1"))


def test_the_best_prices_of_an_update_id_are_told_once() -> None:
    """The source tells them by its diff and by its best bid and ask: clients at Binance see no copies."""
    engine = market_engine()
    engine.on_book_ticker(ticker(100, ("99", "1"), ("101", "1")), NOW_MS)
    engine.submit("alice", limit("BUY", "100", "1"), NOW_MS)
    assert len(of_kind(engine.on_depth(diff(101), NOW_MS), TopChanged)) == 1
    assert engine.on_book_ticker(ticker(101, ("99", "1"), ("101", "1")), NOW_MS) == []
    assert len(of_kind(engine.on_book_ticker(ticker(102, ("99", "1"), ("101", "1")), NOW_MS), TopChanged)) == 1


def test_at_one_update_id_the_best_prices_are_those_of_the_book_that_users_changed() -> None:
    """A best bid and ask that the source told before its book is corrected where users' traces differ."""
    engine = market_engine()
    engine.submit("alice", market("BUY", "0.75"), NOW_MS)
    engine.on_book_ticker(ticker(105, ("99", "1"), ("100.5", "2")), NOW_MS)
    events = engine.on_depth(diff(105, asks=levels(("100.5", "2"), ("101", "0.5"))), NOW_MS)
    assert of_kind(events, TopChanged) == []
    engine.submit("alice", market("BUY", "2"), NOW_MS)
    (top,) = of_kind(engine.on_book_ticker(ticker(106, ("99", "1"), ("100.5", "3")), NOW_MS), TopChanged)
    assert (top.ticker.ask, top.ticker.ask_qty) == (p("100.5"), p("1"))
    (top,) = of_kind(engine.on_depth(diff(106, asks=levels(("100.5", "0"))), NOW_MS), TopChanged)
    assert (top.ticker.ask, top.ticker.ask_qty) == (p("102"), p("2"))


# Seams


def test_a_snapshot_across_a_seam_becomes_one_contiguous_diff_and_users_orders_stay() -> None:
    engine = market_engine()
    engine.submit("alice", limit("BUY", "98", "1"), NOW_MS)
    engine.on_depth(diff(101), NOW_MS)
    events = engine.on_snapshot(snapshot(levels(("99", "1"), ("98", "1")), levels(("103", "1")), 150), NOW_MS)
    (shown,) = of_kind(events, DepthChanged)
    assert (shown.diff.first_id, shown.diff.last_id) == (102, 150)
    assert shown.diff.bids == levels(("98", "2"))
    assert shown.diff.asks == levels(("101", "0"), ("102", "0"), ("103", "1"))
    assert engine.open_orders("alice")[0].status is OrderStatus.NEW


def test_a_snapshot_across_a_seam_that_crosses_an_order_fills_it() -> None:
    engine = market_engine()
    engine.submit("alice", limit("SELL", "100", "1"), NOW_MS)
    events = engine.on_snapshot(snapshot(levels(("105", "9")), levels(("106", "1")), 150), NOW_MS)
    assert executed(engine, "alice", 1) == p("1")
    (shown,) = of_kind(events, DepthChanged)
    assert shown.diff.bids == levels(("105", "8"), ("99", "0"), ("98", "0"))


def test_a_snapshot_with_an_id_that_is_not_newer_is_told_with_the_next_diff() -> None:
    engine = market_engine()
    assert engine.on_snapshot(snapshot(levels(("99", "1")), levels(("101", "1")), 100), NOW_MS) == []
    (shown,) = of_kind(engine.on_depth(diff(101), NOW_MS), DepthChanged)
    assert shown.diff.bids == levels(("98", "0"))
    assert shown.diff.asks == levels(("102", "0"))


def test_a_diff_across_a_seam_keeps_users_orders_too() -> None:
    engine = market_engine()
    engine.submit("alice", limit("BUY", "98", "1"), NOW_MS)
    seam = diff(101, levels(("99", "0"), ("98", "0"), ("90", "1")), levels(("101", "0"), ("102", "0"), ("110", "1")))
    (shown,) = of_kind(engine.on_depth(seam, NOW_MS), DepthChanged)
    assert shown.diff.bids == levels(("99", "0"), ("98", "1"), ("90", "1"))
    assert engine.book(SYMBOL).levels(Side.BUY) == list(levels(("98", "1"), ("90", "1")))
