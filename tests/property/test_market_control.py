"""Whatever is done to a market while it runs, ids and times only grow and books continue from their snapshots."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from cryptotrader.core.clock import NS_PER_MS, NS_PER_S
from cryptotrader.core.events import BookTicker, DepthDiff, Trade
from cryptotrader.exchange.market.synthetic import SyntheticSource
from cryptotrader.exchange.market.tape import TapeSource
from cryptotrader.market.book import OrderBook
from tests.support.recordings import small_recording

START_NS = 1_790_000_000 * NS_PER_S

Source = SyntheticSource | TapeSource

ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(1, 3_000)),
        st.tuples(st.just("wait"), st.integers(1, 300)),
        st.tuples(st.just("pause"), st.just(0)),
        st.tuples(st.just("play"), st.just(0)),
        st.tuples(st.just("step"), st.integers(1, 30)),
        st.tuples(st.just("speed"), st.sampled_from([1, 5, 40, 1_000, 2_000])),
        st.tuples(st.just("jump"), st.integers(0, 599)),
        st.tuples(st.just("restart"), st.integers(0, 2_000)),
    ),
    max_size=12,
)


def make(kind: str) -> Source:
    if kind == "tape":
        return TapeSource(small_recording(), loop=True)
    return SyntheticSource(seed=3, symbols=["BTCUSDT"])


class Follower:
    """Takes everything that a source hands over, as the exchange does."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.now_ns = START_NS
        source.start(START_NS)
        self.book = OrderBook("BTCUSDT")
        self.newest_id = 0
        self.trade_id = 0
        self.event_ms = {DepthDiff: 0, Trade: 0}
        self.look()

    def look(self) -> None:
        """Load the source's book."""
        snapshot = self.source.snapshot("BTCUSDT")
        assert snapshot.last_id >= self.newest_id
        self.book.load(snapshot)
        self.newest_id = snapshot.last_id

    def drain(self) -> None:
        """Take what is due."""
        while events := self.source.advance(self.now_ns, 64):
            for event in events:
                if isinstance(event, BookTicker):
                    continue
                assert isinstance(event, DepthDiff | Trade)
                assert event.event_ms >= self.event_ms[type(event)]
                self.event_ms[type(event)] = event.event_ms
                if isinstance(event, Trade):
                    assert event.trade_id > self.trade_id
                    self.trade_id = event.trade_id
                elif event.last_id > self.book.last_id:
                    assert event.first_id <= self.book.last_id + 1
                    self.book.apply(event.bids, event.asks, event.last_id)
                    self.newest_id = event.last_id
                    assert not self.book.is_crossed

    def act(self, action: str, number: int, kind: str) -> None:
        """One thing that a user does."""
        source, now_ns = self.source, self.now_ns
        match action:
            case "wait":
                self.now_ns += number * NS_PER_MS
            case "pause":
                source.pause(now_ns)
            case "play":
                source.play(now_ns)
            case "step":
                if source.state(now_ns).is_paused:
                    source.step(number, now_ns)
            case "speed":
                source.set_speed(Fraction(number, 100), now_ns)
            case "jump":
                if isinstance(source, TapeSource):
                    source.seek(number * NS_PER_MS, now_ns)
                else:
                    source.reseed(number, now_ns)
                self.look()
            case _:
                self.now_ns += number * NS_PER_MS
                again = make(kind)
                again.resume(source.checkpoint(), self.now_ns)
                self.source = again
                self.look()
        self.drain()


@settings(max_examples=60, deadline=None)
@given(kind=st.sampled_from(["tape", "synthetic"]), actions=ACTIONS)
def test_ids_and_times_only_grow(kind: str, actions: list[tuple[str, int]]) -> None:
    follower = Follower(make(kind))
    for action, number in actions:
        follower.act(action, number, kind)
