"""The channel ``positions`` of one account: those it has at once, then every change (S1-14)."""

from __future__ import annotations

from cryptotrader.core.clock import to_ms
from cryptotrader.dialects.channels import encode
from cryptotrader.sessions.channel_protocol.topics import EVERY, ChannelTopic, Outlet, SourceKey
from cryptotrader.trading.positions.ports import Positions, PositionView
from cryptotrader.transport.frames import Frame


def view_of(exchange: str, position: PositionView) -> encode.PositionView:
    """A position as this protocol shows it."""
    return encode.PositionView(
        exchange=exchange,
        symbol=position.symbol,
        event_ms=position.event_ms,
        amount=position.amount,
        cost=position.cost,
        average_price=position.average_price,
        unrealised_pnl=position.unrealised_pnl,
        unrealised_percent=position.unrealised_percent,
        stop_loss=position.stop_loss,
        take_profit=position.take_profit,
        trailing_stop=position.trailing_stop,
    )


class PositionSource:
    """Positions of one account at one exchange. Who is behind gets the newest of each symbol."""

    def __init__(self, key: SourceKey, positions: Positions, outlet: Outlet) -> None:
        self._key = key
        self._positions = positions
        self._outlet = outlet
        self._every = ChannelTopic(key, EVERY).name
        self._watched: dict[str, ChannelTopic] = {}
        self._subscription = positions.topic.subscribe(self._on_change)

    def first(self, topic: ChannelTopic, now_ms: int) -> list[Frame]:
        """The positions as they are."""
        if topic.detail not in self._watched:
            self._watched[topic.detail] = topic
            self._positions.watch(_symbol(topic.detail))
        return [
            self._frame(position, now_ms)
            for position in self._positions.current()
            if topic.detail in (EVERY, position.symbol)
        ]

    def close(self) -> None:
        """Nobody wants it any more."""
        self._subscription.close()
        for detail in self._watched:
            self._positions.unwatch(_symbol(detail))
        self._watched.clear()

    def _on_change(self, position: PositionView) -> None:
        own = ChannelTopic(self._key, position.symbol).name
        if self._outlet.wants(own) or self._outlet.wants(self._every):
            frame = self._frame(position, to_ms(self._outlet.clock.now_ns()))
            self._outlet.publish(own, frame, key=own)
            self._outlet.publish(self._every, frame, key=own)
        self._unwatch_unwanted()

    def _unwatch_unwanted(self) -> None:
        gone = [detail for detail, topic in self._watched.items() if not self._outlet.wants(topic.name)]
        for detail in gone:
            del self._watched[detail]
            self._positions.unwatch(_symbol(detail))

    def _frame(self, position: PositionView, now_ms: int) -> Frame:
        return Frame.text(encode.encode_position(view_of(self._key.exchange, position), now_ms=now_ms))


def _symbol(detail: str) -> str | None:
    return None if detail == EVERY else detail
