"""The account's own events as typed values."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Protocol

from cryptotrader.services.binance.models.user_events import UserDataEvent, read_user_event


class BareEvents(Protocol):
    """What ``BinanceWebSocketConnection.user_data()`` gives: events as they came, without an envelope."""

    def __aiter__(self) -> AsyncIterator[Mapping[str, Any]]:
        """Itself."""
        ...

    async def __anext__(self) -> Mapping[str, Any]:
        """The next event."""
        ...

    async def start(self) -> None:
        """Subscribe."""
        ...

    async def close(self) -> None:
        """Want no more events."""
        ...


class UserData:
    """Typed events from a connection's user data: ``async with UserData(connection.user_data()) as events``.

    The subscription below is made anew after a reconnect. It holds a bounded number of events; where some may be
    missing, because the connection was lost or the reader was too slow, a ``StreamGap`` stands in their place. An event
    that has no type here is an ``OtherEvent``.

    Args:
        events: Bare events.
    """

    def __init__(self, events: BareEvents) -> None:
        self._events = events

    def __aiter__(self) -> UserData:
        return self

    async def __anext__(self) -> UserDataEvent:
        return read_user_event(await self._events.__anext__())

    async def __aenter__(self) -> UserData:
        await self._events.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Want no more events."""
        await self._events.close()

    async def for_each(self, callback: Callable[[UserDataEvent], Awaitable[None]]) -> None:
        """Await ``callback`` for every event, one at a time, until the events end."""
        async for event in self:
            await callback(event)
