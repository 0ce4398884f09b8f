"""From the exchange's events to the connections that listen: which streams are wanted, when each speaks, to whom."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import assert_never

from cryptotrader.bus import Topic
from cryptotrader.core.clock import Clock, to_ms
from cryptotrader.exchange.engine.events import DepthChanged, MarketEvent, TopChanged, TradePrinted
from cryptotrader.exchange.protocol.faults import FaultBook
from cryptotrader.exchange.protocol.faults.streams import StreamFaults
from cryptotrader.exchange.protocol.stream_names import StreamKind, StreamName, parse_stream_name
from cryptotrader.exchange.protocol.streams import payloads
from cryptotrader.exchange.protocol.streams.delays import Delays
from cryptotrader.exchange.protocol.streams.paced import MarketView, Pulse
from cryptotrader.exchange.protocol.streams.pulses import DepthPulse, make_pulse
from cryptotrader.exchange.protocol.streams.shared import SharedEvent
from cryptotrader.market.blocks import BlockTrade
from cryptotrader.transport.fanout import Broadcaster, Member

TICK_MS = 100
"""How often paced streams are looked at. Unit: milliseconds. Reason: the fastest pace that Binance offers."""

_STATE_KINDS = frozenset(
    {
        StreamKind.PARTIAL_DEPTH,
        StreamKind.TICKER,
        StreamKind.MINI_TICKER,
        StreamKind.BOOK_TICKER,
        StreamKind.AVG_PRICE,
        StreamKind.WINDOW_TICKER,
        StreamKind.REFERENCE_PRICE,
    }
)
"""Streams whose newest event makes all before it worthless, so a client that is behind gets only that one."""


@dataclass(frozen=True)
class Variant:
    """How a connection wants its events."""

    combined: bool
    unit: int

    def topic(self, name: str) -> str:
        """The broadcaster's topic of a stream in this form."""
        return f"{'c' if self.combined else 'r'}{self.unit}:{name}"

    def frame_key(self, name: str) -> str | None:
        """``stream`` of the envelope, None where there is none."""
        return name if self.combined else None


_VARIANTS = tuple(Variant(combined, unit) for combined in (False, True) for unit in (payloads.MILLIS, payloads.MICROS))

StreamMember = Member[StreamName]
"""A connection; what it misses comes with the name of its stream."""


@dataclass
class _Channel:
    name: StreamName
    pulse: Pulse | None
    due_ms: int = 0
    listeners: int = 0


@dataclass
class _Seat:
    names: frozenset[str] = field(default_factory=frozenset)
    variant: Variant | None = None


class StreamHub:
    """All market streams of the exchange. Lives in one event loop.

    Args:
        view: What to ask about the exchange.
        market: Its public events.
        clock: Wall-clock time.
        broadcaster: Delivers frames.
        faults: What befalls messages.
    """

    def __init__(
        self,
        view: MarketView,
        market: Topic[MarketEvent],
        clock: Clock,
        *,
        broadcaster: Broadcaster[StreamName] | None = None,
        faults: FaultBook | None = None,
    ) -> None:
        self._view = view
        self._clock = clock
        self._broadcaster: Broadcaster[StreamName] = broadcaster or Broadcaster()
        self._channels: dict[str, _Channel] = {}
        self._live: dict[tuple[StreamKind, str], list[_Channel]] = {}
        self._paced: list[_Channel] = []
        self._seats: dict[StreamMember, _Seat] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._to_lose: dict[str, int] = {}
        self._aggregates: dict[str, int] = {}
        self._to_aggregate: set[str] = set()
        self._faults = StreamFaults(faults or FaultBook())
        self.delays = Delays(clock)
        self._subscription = market.subscribe(self.on_event)

    @property
    def channel_count(self) -> int:
        """Streams that somebody listens to."""
        return len(self._channels)

    def close(self) -> None:
        """Listen to the exchange no more."""
        self._subscription.close()
        self.delays.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def seat(self, member: StreamMember, names: tuple[str, ...], variant: Variant) -> None:
        """Give ``member`` exactly these streams from now on; names that mean nothing are left out."""
        known = frozenset(name for name in names if self._channel(name) is not None)
        before = self._seats.get(member) or _Seat()
        for name in known - before.names:
            self._add_listener(name)
        for name in before.names - known:
            self._drop_listener(name)
        self._forget_idle(names)
        if (known, variant) == (before.names, before.variant):
            return
        if not known:
            self._seats.pop(member, None)
            self._broadcaster.leave(member)
            return
        self._seats[member] = _Seat(known, variant)
        self._broadcaster.join(member, [variant.topic(name) for name in known])
        for symbol in sorted({self._channels[name].name.symbol for name in known - before.names}):
            self._view.watch(symbol)

    def unseat(self, member: StreamMember) -> None:
        """The connection is gone."""
        seat = self._seats.pop(member, None)
        self._broadcaster.leave(member)
        for name in seat.names if seat else ():
            self._drop_listener(name)

    def on_event(self, event: MarketEvent) -> None:
        """Hand an event of the exchange to the streams that want it at once."""
        match event:
            case TradePrinted(trade=trade):
                self._tell(StreamKind.TRADE, trade.symbol, partial(payloads.trade, trade))
                if trade.symbol in self._aggregates:
                    self._aggregate(trade.symbol)
            case TopChanged(ticker=top):
                self._tell(StreamKind.BOOK_TICKER, top.symbol, lambda unit: payloads.book_ticker(top))
            case DepthChanged(diff=diff):
                if self._is_lost(diff.symbol):
                    return
                for channel in self._live.get((StreamKind.DEPTH, diff.symbol), ()):
                    if isinstance(channel.pulse, DepthPulse):
                        channel.pulse.absorb(diff)
                self._tell(StreamKind.DEPTH, diff.symbol, partial(payloads.depth_update, diff))
            case _:
                assert_never(event)

    def on_block(self, block: BlockTrade) -> None:
        """Hand over a block trade."""
        event_ms = to_ms(self._clock.now_ns())
        self._tell(StreamKind.BLOCK_TRADE, block.symbol, partial(payloads.block_trade, block, event_ms))

    def _aggregate(self, symbol: str) -> None:
        """Tell of aggregates once everything that happens at this moment has happened."""
        if not self._to_aggregate:
            asyncio.get_running_loop().call_soon(self._tell_aggregates)
        self._to_aggregate.add(symbol)

    def _tell_aggregates(self) -> None:
        symbols, self._to_aggregate = self._to_aggregate, set()
        for symbol in sorted(symbols & self._aggregates.keys()):
            for done in self._view.aggregates_since(symbol, self._aggregates[symbol]):
                self._aggregates[symbol] = done.agg_id
                self._tell(StreamKind.AGG_TRADE, symbol, partial(payloads.agg_trade, done))

    def lose_depth(self, symbol: str, count: int) -> None:
        """Tell nobody of the next ``count`` changes of a book: a fault on demand."""
        self._to_lose[symbol] = count

    def _is_lost(self, symbol: str) -> bool:
        left = self._to_lose.get(symbol, 0)
        if left > 1:
            self._to_lose[symbol] = left - 1
        else:
            self._to_lose.pop(symbol, None)
        return left > 0

    def poll(self, now_ms: int) -> None:
        """Let the paced streams speak whose time has come."""
        for channel in tuple(self._paced):
            # A time further away than one beat means that the clock was set back; then the beat starts anew.
            if channel.pulse is None or now_ms < channel.due_ms <= now_ms + channel.name.pace_ms:
                continue
            for render in channel.pulse.poll(now_ms):
                self._publish(channel.name, SharedEvent(render))
            channel.due_ms = channel.pulse.due_ms(now_ms)

    def _tell(self, kind: StreamKind, symbol: str, render: Callable[[int], bytes]) -> None:
        channels = self._live.get((kind, symbol))
        if channels is None:
            return
        event = SharedEvent(render)
        for channel in channels:
            if channel.pulse is None:
                self._publish(channel.name, event)

    def _publish(self, name: StreamName, event: SharedEvent) -> None:
        if self._faults.is_idle and self.delays.is_idle:
            self._deliver(name, event)
            return
        fate = self._faults.judge(name, event, to_ms(self._clock.now_ns()))
        for _ in range(fate.copies):
            self.delays.send(name.text, fate.delay_ms, partial(self._deliver, name, fate.event))

    def _deliver(self, name: StreamName, event: SharedEvent) -> None:
        for variant in _VARIANTS:
            topic = variant.topic(name.text)
            if self._broadcaster.has_listeners(topic):
                frame = event.stream_frame(variant.frame_key(name.text), variant.unit)
                self._broadcaster.publish(topic, frame, name)

    def _channel(self, text: str) -> _Channel | None:
        channel = self._channels.get(text)
        if channel is None:
            name = parse_stream_name(text)
            if name is None or (name.symbol and name.symbol not in self._view.symbols):
                return None
            channel = self._channels[text] = _Channel(name, make_pulse(name, self._view))
        return channel

    def _add_listener(self, text: str) -> None:
        channel = self._channels[text]
        channel.listeners += 1
        if channel.pulse is not None:
            channel.pulse.refresh()
        if channel.listeners > 1:
            return
        self._live.setdefault((channel.name.kind, channel.name.symbol), []).append(channel)
        if channel.name.kind is StreamKind.AGG_TRADE:
            self._aggregates[channel.name.symbol] = self._view.last_aggregate_id(channel.name.symbol)
        if channel.pulse is not None:
            channel.due_ms = channel.pulse.due_ms(to_ms(self._clock.now_ns()))
            self._paced.append(channel)
            self._schedule()

    def _drop_listener(self, text: str) -> None:
        channel = self._channels[text]
        channel.listeners -= 1
        if channel.listeners:
            return
        del self._channels[text]
        self._faults.forget(text)
        if channel.name.kind is StreamKind.AGG_TRADE:
            self._aggregates.pop(channel.name.symbol, None)
        key = (channel.name.kind, channel.name.symbol)
        self._live[key].remove(channel)
        if not self._live[key]:
            del self._live[key]
        if channel.pulse is not None:
            self._paced.remove(channel)

    def _forget_idle(self, names: tuple[str, ...]) -> None:
        """A name that was only looked up leaves nothing behind."""
        for name in names:
            channel = self._channels.get(name)
            if channel is not None and not channel.listeners:
                del self._channels[name]

    def _schedule(self) -> None:
        if self._timer is None:
            now_ms = self._clock.now_ns() / 1_000_000
            wait_s = (TICK_MS - now_ms % TICK_MS) / 1_000
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self._paced:
            self._schedule()
        self.poll(to_ms(self._clock.now_ns()))


def conflation_key(name: StreamName) -> str | None:
    """Under which key a missed event replaces the one before it; None where every event counts."""
    return name.text if name.kind in _STATE_KINDS else None
