"""The passive half of a mirror: ids only grow, and books are kept as far as they were handed over."""

from __future__ import annotations

import pytest

from cryptotrader.core.errors import ConfigError
from cryptotrader.core.events import BookSnapshot, BookTicker, DepthDiff, Trade
from cryptotrader.exchange.market import mirror
from cryptotrader.exchange.market.control import Player
from cryptotrader.exchange.market.mirror import MirrorHistory, MirrorSource
from cryptotrader.exchange.market.source import FedSource, MarketEvent
from cryptotrader.market.book import OrderBook

BOOK = BookSnapshot("BTCUSDT", 100, ((10, 1), (9, 1)), ((11, 1), (12, 1)))


def trade(trade_id: int) -> Trade:
    return Trade("BTCUSDT", trade_id, 10, 1, trade_id, False, trade_id)


def diff(first: int, last: int, bids: tuple[tuple[int, int], ...] = ()) -> DepthDiff:
    return DepthDiff("BTCUSDT", first, last, bids, (), last)


def mirrored(*, checkpoint: bytes | None = None, at: int = 100, past_trade: int = 50) -> tuple[MirrorSource, OrderBook]:
    live = OrderBook("BTCUSDT")
    live.load(BookSnapshot("BTCUSDT", at, BOOK.bids, BOOK.asks))
    source = MirrorSource("venue", {"BTCUSDT": live}, MirrorHistory({}, {"BTCUSDT": [trade(past_trade)]}))
    if checkpoint is None:
        source.start(0)
    else:
        source.resume(checkpoint, 0)
    return source, live


def drained(source: MirrorSource) -> list[MarketEvent]:
    return source.advance(0, 100)


def test_what_the_venue_tells_is_handed_over_as_it_is() -> None:
    source, _ = mirrored()
    wakes: list[bool] = []
    source.call_when_due(lambda: wakes.append(True))
    assert source.next_due_ns() is None
    source.on_diff(diff(101, 103, ((10, 5),)))
    source.on_trade(trade(51))
    assert source.next_due_ns() == 0
    assert len(wakes) == 2
    assert source.snapshot("BTCUSDT").last_id == 100
    first, top, second = drained(source)
    assert (first, second) == (diff(101, 103, ((10, 5),)), trade(51))
    assert top == BookTicker("BTCUSDT", 103, 10, 5, 11, 1)
    assert source.snapshot("BTCUSDT") == BookSnapshot("BTCUSDT", 103, ((10, 5), (9, 1)), BOOK.asks)
    assert isinstance(source, FedSource)
    assert isinstance(source, Player)


def test_a_top_that_was_told_is_told_once_and_never_goes_back() -> None:
    source, _ = mirrored()
    ahead = BookTicker("BTCUSDT", 105, 10, 7, 11, 1)
    for top in (ahead, ahead, BookTicker("BTCUSDT", 104, 10, 6, 11, 1)):
        source.on_top(top)
    source.on_diff(diff(101, 103, ((10, 5),)))
    source.on_diff(diff(104, 106, ((10, 7),)))
    assert [event for event in drained(source) if isinstance(event, BookTicker)] == [ahead]


def test_ids_that_went_back_are_shifted() -> None:
    source, _ = mirrored()
    source.on_diff(diff(101, 110))
    source.on_trade(trade(51))
    source.on_whole_book(BookSnapshot("BTCUSDT", 5, BOOK.bids, BOOK.asks))
    source.on_diff(diff(6, 8))
    source.on_trade(trade(3))
    source.on_trade(trade(4))
    events = [event for event in drained(source) if not isinstance(event, BookTicker)]
    ids = [event.last_id if not isinstance(event, Trade) else event.trade_id for event in events]
    assert ids == [110, 51, 111, 114, 52, 53]
    assert isinstance(events[3], DepthDiff)
    assert events[3].first_id == 112


def test_ids_grow_across_a_restart() -> None:
    source, _ = mirrored()
    source.on_diff(diff(101, 110))
    source.on_trade(trade(60))
    again, _ = mirrored(checkpoint=source.checkpoint(), at=40, past_trade=20)
    assert again.snapshot("BTCUSDT").last_id == 111
    again.on_trade(trade(21))
    (event,) = drained(again)
    assert isinstance(event, Trade)
    assert event.trade_id == 61
    again.resume(again.checkpoint(), 0)
    assert again.snapshot("BTCUSDT").last_id == 111
    with pytest.raises(ConfigError, match="checkpoint"):
        mirrored(checkpoint=b"junk")


def test_too_much_to_hand_over_becomes_one_whole_book(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "MAX_WAITING", 3)
    source, live = mirrored()
    for last in range(101, 106):
        live.apply(((10, last),), (), last)
        source.on_diff(diff(last, last, ((10, last),)))
    events = [event for event in drained(source) if not isinstance(event, BookTicker)]
    assert isinstance(events[0], BookSnapshot)
    assert events[0].bids[0] == (10, 104)
    assert isinstance(events[1], DepthDiff)
    assert events[1].first_id == events[0].last_id + 1
    assert source.snapshot("BTCUSDT").bids[0] == (10, 105)


def test_nothing_can_be_controlled() -> None:
    source, _ = mirrored()
    for refused in (source.pause, source.play):
        with pytest.raises(ValueError, match="as its venue goes"):
            refused(0)
    assert source.state(0).is_live
