"""The synthetic market: always moving, never crossed, the same for the same seed."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import pytest

from cryptotrader.core.clock import NS_PER_MS, NS_PER_S
from cryptotrader.core.errors import ConfigError
from cryptotrader.core.events import BookTicker, DepthDiff, Trade
from cryptotrader.core.scaled import SCALE
from cryptotrader.exchange.market.profiles import PROFILES
from cryptotrader.exchange.market.source import MarketEvent
from cryptotrader.exchange.market.synthetic import SyntheticSource
from cryptotrader.exchange.market.table import ROWS
from cryptotrader.market.book import OrderBook

START_NS = 1_790_000_000 * NS_PER_S + 456_789_012
MINUTE_NS = 60 * NS_PER_S


def started(seed: int = 1, **options: list[str]) -> SyntheticSource:
    source = SyntheticSource(seed=seed, **options)
    source.start(START_NS)
    return source


def drained(source: SyntheticSource, now_ns: int, chunk: int = 10_000) -> list[MarketEvent]:
    events: list[MarketEvent] = []
    while found := source.advance(now_ns, chunk):
        events += found
    return events


def test_sixty_symbols_move_at_plausible_prices_with_deep_uncrossed_books_on_their_ticks_and_lots() -> None:
    source = started()
    books: dict[str, OrderBook] = {}
    trade_ids = {}
    for symbol in source.symbols:
        books[symbol] = OrderBook(symbol)
        books[symbol].load(source.snapshot(symbol))
        trade_ids[symbol] = source.history.trades(symbol, 1)[-1].trade_id
    times: dict[str, list[int]] = defaultdict(list)
    for event in drained(source, START_NS + 2 * MINUTE_NS):
        book, profile = books[event.symbol], PROFILES[event.symbol]
        match event:
            case DepthDiff():
                assert event.first_id == book.last_id + 1
                assert event.bids or event.asks
                assert list(event.bids) == sorted(event.bids, reverse=True)
                assert list(event.asks) == sorted(event.asks)
                book.apply(event.bids, event.asks, event.last_id)
                assert not book.is_crossed
                for price, quantity in event.bids + event.asks:
                    assert price > 0
                    assert price % profile.tick == 0
                    assert quantity % profile.lot == 0
            case Trade():
                assert event.trade_id == trade_ids[event.symbol] + 1
                trade_ids[event.symbol] += 1
                assert event.price % profile.tick == event.qty % profile.lot == 0
                assert event.qty > 0
                assert event.time_ms <= event.event_ms
                times[event.symbol].append(event.time_ms)
            case BookTicker():
                assert (book.best_bid, book.best_ask) == ((event.bid, event.bid_qty), (event.ask, event.ask_qty))
                assert event.update_id == book.last_id
            case _:
                raise AssertionError(event)
    for symbol, book in books.items():
        profile = PROFILES[symbol]
        is_busy = profile.trades_per_s >= 1.5
        assert book.level_count > (300 if is_busy else 100)
        assert book.best_bid is not None
        assert book.best_ask is not None
        assert abs(book.best_bid[0] / profile.price - 1) < 0.01
        assert book.best_ask[0] - book.best_bid[0] <= 2 * profile.tick
        gaps = [later - earlier for earlier, later in pairwise(times[symbol])]
        assert min(gaps) >= 0
        assert max(gaps) <= (2000 if is_busy else 30_000)


def test_events_depend_on_the_seed_but_not_on_how_time_is_cut_up() -> None:
    at_once = drained(started(), START_NS + 20 * NS_PER_S)
    source = started()
    in_pieces: list[MarketEvent] = []
    for step in range(0, 20_000, 37):
        in_pieces += drained(source, START_NS + step * NS_PER_MS, chunk=7)
    in_pieces += drained(source, START_NS + 20 * NS_PER_S)
    assert in_pieces == at_once
    assert drained(started(seed=2), START_NS + 20 * NS_PER_S) != at_once


def test_a_symbol_moves_alike_whichever_others_are_there() -> None:
    alone = drained(started(symbols=["ADAUSDT"]), START_NS + 9 * NS_PER_S)
    together = drained(started(), START_NS + 9 * NS_PER_S)
    assert alone == [event for event in together if event.symbol == "ADAUSDT"]


def test_events_come_when_due_and_times_never_go_back() -> None:
    source = started()
    source.advance(START_NS, 10_000)
    due_ns = source.next_due_ns()
    assert due_ns is not None
    assert START_NS < due_ns <= START_NS + 100 * NS_PER_MS
    assert source.advance(due_ns - 1, 10) == []
    assert len(source.advance(due_ns, 1)) == 1
    assert source.next_due_ns() == 0
    stamps = [event.event_ms for event in drained(source, START_NS + NS_PER_S) if isinstance(event, DepthDiff | Trade)]
    assert stamps == sorted(stamps)


@pytest.mark.parametrize("away_ns", [0, 300 * NS_PER_MS, 5 * NS_PER_S, 5000 * MINUTE_NS])
def test_after_a_kill_ids_and_paths_go_on(away_ns: int) -> None:
    source = started()
    events = drained(source, START_NS + MINUTE_NS)
    resumed = SyntheticSource(seed=1)
    resumed.resume(source.checkpoint(), START_NS + MINUTE_NS + away_ns)
    snapshots = {symbol: resumed.snapshot(symbol) for symbol in source.symbols}
    live = drained(resumed, START_NS + 2 * MINUTE_NS + away_ns)
    for symbol in source.symbols:
        last = source.snapshot(symbol)
        assert snapshots[symbol].last_id >= last.last_id
        last_trade = [event for event in events if isinstance(event, Trade) and event.symbol == symbol][-1]
        past = resumed.history.trades(symbol, 10)
        assert past[-1].trade_id >= last_trade.trade_id
        first = next(event for event in live if isinstance(event, Trade) and event.symbol == symbol)
        assert first.trade_id == past[-1].trade_id + 1
        diff = next(event for event in live if isinstance(event, DepthDiff) and event.symbol == symbol)
        assert diff.first_id == snapshots[symbol].last_id + 1
        if away_ns < MINUTE_NS:
            assert abs(snapshots[symbol].bids[0][0] / last.bids[0][0] - 1) < 0.005


def test_a_resumed_market_agrees_with_its_own_past() -> None:
    source = started()
    before = source.history.candles("ETHUSDT", "1m", limit=50)
    resumed = SyntheticSource(seed=1)
    resumed.resume(source.checkpoint(), START_NS + 10 * MINUTE_NS)
    after = resumed.history.candles("ETHUSDT", "1m", start_ms=before[0].open_ms, limit=60)
    assert after[:49] == before[:49]
    assert len(after) >= 59


def test_an_unreadable_checkpoint_is_refused_and_one_of_another_seed_means_a_fresh_start() -> None:
    with pytest.raises(ConfigError, match="checkpoint"):
        SyntheticSource().resume(b"junk", START_NS)
    source = SyntheticSource(seed=1)
    source.resume(started(seed=5).checkpoint(), START_NS)
    assert source.snapshot("BTCUSDT") == started(seed=1).snapshot("BTCUSDT")


def test_an_unknown_symbol_is_refused() -> None:
    with pytest.raises(ConfigError, match="PEPEUSDT"):
        SyntheticSource(symbols=["PEPEUSDT"])


def usdt_price(source: SyntheticSource, asset: str) -> float:
    return 1.0 if asset == "USDT" else source.snapshot(f"{asset}USDT").bids[0][0] / SCALE


@pytest.mark.parametrize("after_ns", [0, 30 * MINUTE_NS, 3_000 * MINUTE_NS, 80_000 * MINUTE_NS])
def test_the_price_of_one_asset_in_another_fits_their_prices_in_dollars(after_ns: int) -> None:
    """Within a thousandth at the start and two hundredths ever after: each symbol has highs and lows of its own."""
    source = started()
    source.resume(source.checkpoint(), START_NS + after_ns)
    for row in ROWS:
        expected = usdt_price(source, row.base) / usdt_price(source, row.quote)
        units = [
            PROFILES[f"{each}USDT"].tick / SCALE / usdt_price(source, each) for each in (row.base,) if each != "USDT"
        ]
        allowed = expected * ((0.02 if after_ns else 0.001) + 2 * sum(units)) + 2 * row.tick / SCALE
        assert abs(source.snapshot(row.symbol).bids[0][0] / SCALE - expected) <= allowed, row.symbol


def test_what_is_quoted_in_two_kinds_of_dollars_costs_about_the_same() -> None:
    source = started()
    source.resume(source.checkpoint(), START_NS + 20_000 * MINUTE_NS)
    for row in ROWS:
        if row.quote == "USDC":
            expected = usdt_price(source, row.base)
            allowed = expected * 0.004 + 2 * PROFILES[f"{row.base}USDT"].tick / SCALE
            assert abs(source.snapshot(row.symbol).bids[0][0] / SCALE - expected) <= allowed, row.symbol
