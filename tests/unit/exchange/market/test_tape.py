"""Playing recordings. Must-hold 3: books from the tape equal the recorded bookTicker at every equal update id."""

from __future__ import annotations

from fractions import Fraction

import pytest

from cryptotrader.core.clock import NS_PER_MS, NS_PER_S
from cryptotrader.core.errors import ConfigError
from cryptotrader.core.events import BookTicker, DepthDiff, Level, Trade
from cryptotrader.exchange.market.recordings.raw import read_raw
from cryptotrader.exchange.market.source import MarketEvent, MarketSource
from cryptotrader.exchange.market.spec import open_market
from cryptotrader.exchange.market.tape import SEAM_PAUSE_NS, TapeSource
from cryptotrader.market.book import OrderBook
from tests.support.recording import FILES, needs_recording
from tests.support.recordings import small_recording

START_NS = 1_790_000_000 * NS_PER_S
LOOP_NS = 500 * NS_PER_MS + SEAM_PAUSE_NS


class Consumer:
    """Follows Binance's recipe over a source's output and compares its book with the tops of equal id."""

    def __init__(self, source: MarketSource) -> None:
        self.source = source
        self.symbol = source.symbols[0]
        self.book = OrderBook(self.symbol)
        self.book.load(source.snapshot(self.symbol))
        self.tops: dict[int, tuple[Level, Level]] = {}
        self.seen: dict[int, tuple[Level | None, Level | None]] = {}
        self.newest_top_id = 0
        self.agreements = 0
        """Diffs that arrive while the newest top bears their id, and agree with it."""
        self.last_depth_id: int | None = None
        self.last_trade_id: int | None = None
        self.times_ms: dict[type, list[int]] = {DepthDiff: [], Trade: []}

    def take(self, events: list[MarketEvent]) -> None:
        for event in events:
            match event:
                case DepthDiff():
                    assert self.last_depth_id is None or event.first_id == self.last_depth_id + 1
                    self.last_depth_id = event.last_id
                    self.times_ms[DepthDiff].append(event.event_ms)
                    if event.last_id > self.book.last_id:
                        self.book.apply(event.bids, event.asks, event.last_id)
                        assert not self.book.is_crossed
                        best = self.seen[event.last_id] = self.book.best_bid, self.book.best_ask
                        self.agreements += event.last_id == self.newest_top_id and best == self.tops[event.last_id]
                case Trade():
                    assert self.last_trade_id is None or event.trade_id == self.last_trade_id + 1
                    self.last_trade_id = event.trade_id
                    self.times_ms[Trade].append(event.event_ms)
                    assert event.time_ms <= event.event_ms
                case BookTicker():
                    self.newest_top_id = event.update_id
                    self.tops[event.update_id] = (event.bid, event.bid_qty), (event.ask, event.ask_qty)
                case _:
                    raise AssertionError(event)

    def drain(self, now_ns: int) -> int:
        count = 0
        while events := self.source.advance(now_ns, 1000):
            self.take(events)
            count += len(events)
        return count

    def equal_ids(self) -> tuple[int, int]:
        """(equal books, equal ids)."""
        both = [self.seen[update_id] == top for update_id, top in self.tops.items() if update_id in self.seen]
        return sum(both), len(both)

    def check_times(self) -> None:
        for times in self.times_ms.values():
            assert times == sorted(times)


def small(**options: bool | Fraction | None) -> TapeSource:
    return TapeSource(small_recording(), **options)  # type: ignore[arg-type]


@needs_recording
def test_a_book_from_the_recording_equals_the_recorded_top_at_all_1059_equal_update_ids() -> None:
    source = TapeSource(read_raw(FILES))
    source.start(START_NS)
    consumer = Consumer(source)
    assert consumer.drain(START_NS + 651 * NS_PER_S) == 99_573
    assert consumer.agreements == 1059
    # Thirteen more tops have the id of a diff but were followed by a newer top before that diff came.
    assert consumer.equal_ids() == (1072, 1072)
    assert source.next_due_ns() is None
    assert consumer.last_trade_id is not None
    consumer.check_times()


def test_the_shipped_tape_loops_with_contiguous_ids_and_equal_books_across_the_seam() -> None:
    source = open_market()[0]
    source.start(START_NS)
    consumer = Consumer(source)
    consumer.drain(START_NS + 299 * NS_PER_S)
    once, ids = consumer.equal_ids()
    assert once == ids > 400
    consumer.drain(START_NS + 700 * NS_PER_S)
    equal, ids = consumer.equal_ids()
    assert equal == ids > 2 * once
    consumer.check_times()
    assert source.snapshot("BTCUSDT") == consumer.book.snapshot()


def test_events_come_unmodified_but_in_the_present() -> None:
    source = small()
    source.start(START_NS)
    assert source.snapshot("BTCUSDT") == small_recording().opening
    assert source.advance(START_NS - 1, 10) == []
    first, top = source.advance(START_NS + 99 * NS_PER_MS, 10)
    start_ms = START_NS // NS_PER_MS
    assert first == DepthDiff("BTCUSDT", 9, 10, ((98, 1),), (), start_ms)
    assert top == BookTicker("BTCUSDT", 10, 100, 5, 101, 7)
    assert source.next_due_ns() == START_NS + 100 * NS_PER_MS
    assert source.advance(START_NS + 100 * NS_PER_MS, 10) == [
        Trade("BTCUSDT", 70, 101, 2, start_ms + 99, False, start_ms + 100)
    ]


def test_each_loop_shifts_ids_by_a_constant_and_begins_with_a_diff_back_to_the_opening_book() -> None:
    source = small(loop=True)
    source.start(START_NS)
    consumer = Consumer(source)
    consumer.drain(START_NS + LOOP_NS - 1)
    assert source.next_due_ns() == START_NS + LOOP_NS
    seam, top = source.advance(START_NS + LOOP_NS, 10)
    assert isinstance(seam, DepthDiff)
    assert (seam.first_id, seam.last_id) == (21, 21)
    assert seam.bids == ((100, 5),)
    assert seam.asks == ((101, 7), (103, 0))
    assert top == BookTicker("BTCUSDT", 21, 100, 5, 101, 7)
    assert source.snapshot("BTCUSDT").bids == small_recording().opening.bids
    consumer.take([seam, top])
    consumer.drain(START_NS + 5 * LOOP_NS)
    assert consumer.last_depth_id == 20 + 4 * 11 + 1
    assert consumer.last_trade_id == 79
    consumer.check_times()


def test_speed_divides_distances_in_time() -> None:
    source = small(speed=Fraction(5, 2))
    source.start(START_NS)
    source.advance(START_NS, 10)
    assert source.next_due_ns() == START_NS + 4 * NS_PER_MS
    events = source.advance(START_NS + 200 * NS_PER_MS, 10)
    assert isinstance(events[-1], DepthDiff)
    assert events[-1].event_ms == START_NS // NS_PER_MS + 200


def test_speed_max_gives_as_much_as_asked_stamped_with_now() -> None:
    source = small(speed=None, loop=True)
    source.start(START_NS)
    consumer = Consumer(source)
    for step in range(50):
        events = source.advance(START_NS + step * NS_PER_MS, 100)
        assert len(events) == 100
        consumer.take(events)
    assert source.next_due_ns() == 0
    consumer.check_times()
    assert consumer.times_ms[DepthDiff][-1] == START_NS // NS_PER_MS + 49
    other = small(speed=None, loop=True)
    other.resume(source.checkpoint(), START_NS)
    assert other.snapshot("BTCUSDT").last_id > source.snapshot("BTCUSDT").last_id == consumer.book.last_id
    again = Consumer(other)
    again.take(other.advance(START_NS, 500))
    assert again.last_trade_id is not None
    assert consumer.last_trade_id is not None
    assert again.last_trade_id > consumer.last_trade_id


def test_a_paused_tape_stays_where_it_was_after_a_kill() -> None:
    source = small()
    source.start(START_NS)
    source.advance(START_NS + 210 * NS_PER_MS, 10)
    source.pause(START_NS + 210 * NS_PER_MS)
    resumed = small()
    resumed.resume(source.checkpoint(), START_NS + NS_PER_S)
    assert resumed.snapshot("BTCUSDT") == source.snapshot("BTCUSDT")
    assert resumed.next_due_ns() is None


def test_a_held_tape_waits_until_somebody_watches() -> None:
    source = small(hold=True)
    source.start(START_NS)
    assert source.next_due_ns() is None
    assert source.advance(START_NS + NS_PER_S, 10) == []
    source.release("ETHUSDT", START_NS + NS_PER_S)
    assert source.next_due_ns() is None
    source.release("BTCUSDT", START_NS + NS_PER_S)
    assert source.next_due_ns() == START_NS + NS_PER_S
    assert len(source.advance(START_NS + 2 * NS_PER_S, 10)) == 7


@pytest.mark.parametrize("elapsed_ms", [0, 90, 200, 250, 500, 599, 600, 650, 800, 1100, 6_000_123])
def test_a_killed_tape_goes_on_where_it_would_have_been(elapsed_ms: int) -> None:
    undisturbed, killed = small(loop=True), small(loop=True)
    undisturbed.start(START_NS)
    killed.start(START_NS)
    killed.advance(START_NS, 1)
    now_ns = START_NS + elapsed_ms * NS_PER_MS
    consumer = Consumer(undisturbed)
    consumer.drain(now_ns)
    resumed = small(loop=True)
    resumed.resume(killed.checkpoint(), now_ns)
    assert resumed.snapshot("BTCUSDT") == undisturbed.snapshot("BTCUSDT")
    assert resumed.next_due_ns() == undisturbed.next_due_ns()
    assert resumed.advance(now_ns + NS_PER_S, 50) == undisturbed.advance(now_ns + NS_PER_S, 50)


def test_a_clock_that_was_set_back_makes_a_resumed_tape_wait_at_its_beginning() -> None:
    source = small(loop=True)
    source.start(START_NS)
    resumed = small(loop=True)
    resumed.resume(source.checkpoint(), START_NS - 5 * NS_PER_S)
    assert resumed.advance(START_NS - NS_PER_MS, 10) == []
    assert resumed.snapshot("BTCUSDT").last_id == 12


def test_a_resumed_tape_has_past_trades_that_end_right_before_the_next_live_one() -> None:
    source = small(loop=True)
    source.start(START_NS)
    resumed = small(loop=True)
    resumed.resume(source.checkpoint(), START_NS + 3 * LOOP_NS + 150 * NS_PER_MS)
    past = resumed.history.trades("BTCUSDT", 3)
    assert [trade.trade_id for trade in past] == [74, 75, 76]
    live = [event for event in resumed.advance(START_NS + 5 * LOOP_NS, 99) if isinstance(event, Trade)]
    assert live[0].trade_id == 77


def test_an_unreadable_checkpoint_is_refused_and_one_of_another_recording_means_a_fresh_start() -> None:
    source = small()
    for data in (b"{}", b"nonsense"):
        with pytest.raises(ConfigError, match="checkpoint"):
            source.resume(data, START_NS)
    other = open_market()[0]
    other.start(START_NS)
    source.resume(other.checkpoint(), START_NS)
    assert source.snapshot("BTCUSDT") == small_recording().opening
    assert source.next_due_ns() == START_NS


def test_pause_step_play_and_speed_keep_the_place() -> None:
    source = small()
    source.start(START_NS)
    source.advance(START_NS + 50 * NS_PER_MS, 10)
    source.pause(START_NS + 50 * NS_PER_MS)
    assert source.advance(START_NS + NS_PER_S, 10) == []
    assert source.next_due_ns() is None
    source.step(1, START_NS + NS_PER_S)
    assert source.next_due_ns() == 0
    (trade,) = source.advance(START_NS + NS_PER_S, 10)
    assert isinstance(trade, Trade)
    assert trade.event_ms == (START_NS + NS_PER_S) // NS_PER_MS
    assert source.state(START_NS).is_paused
    source.play(START_NS + 2 * NS_PER_S)
    with pytest.raises(ValueError, match="paused"):
        source.step(1, START_NS + 2 * NS_PER_S)
    assert source.next_due_ns() == START_NS + 2 * NS_PER_S + 150 * NS_PER_MS
    source.set_speed(Fraction(10), START_NS + 2 * NS_PER_S)
    assert source.next_due_ns() == START_NS + 2 * NS_PER_S + 15 * NS_PER_MS
    source.set_speed(None, START_NS + 3 * NS_PER_S)
    assert len(source.advance(START_NS + 3 * NS_PER_S, 2)) == 2
    source.set_speed(Fraction(1), START_NS + 3 * NS_PER_S)
    assert source.next_due_ns() == START_NS + 3 * NS_PER_S


def test_seeking_never_lets_ids_go_back() -> None:
    source = small(loop=True)
    source.start(START_NS)
    source.advance(START_NS + 300 * NS_PER_MS, 10)
    source.seek(100 * NS_PER_MS, START_NS + NS_PER_S)
    assert source.snapshot("BTCUSDT").last_id == 21
    source.seek(200 * NS_PER_MS, START_NS + NS_PER_S)
    assert source.snapshot("BTCUSDT").last_id == 25
    with pytest.raises(ValueError, match="no such place"):
        source.seek(LOOP_NS, START_NS)
    once = small()
    once.start(START_NS)
    once.advance(START_NS + 300 * NS_PER_MS, 10)
    with pytest.raises(ValueError, match="behind"):
        once.seek(0, START_NS)


def test_a_symbol_that_is_not_on_the_tape_has_no_book() -> None:
    with pytest.raises(KeyError):
        small().snapshot("ETHUSDT")
