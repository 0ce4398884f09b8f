"""Messages of the channel protocol (source 1; S1-1 to S1-20). Times are epoch milliseconds, numbers JSON numbers.

These structs are the protocol's description too: ``/asyncapi.json`` is made from them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw

Number = Annotated[float, Meta(description="An exact decimal, written as a JSON number")]
"""On the way out the digits come from scaled integers; a float is only what a reader may take them for."""

PriceLevel = tuple[Number, Number]
"""[price, quantity]"""

Timestamp = Annotated[int, Meta(description="Epoch milliseconds")]


class ChannelName(StrEnum):
    """What can be subscribed to (S1-8)."""

    MARKET_DATA = "market_data"
    ORDERBOOK = "orderbook"
    TRADES = "trades"
    ORDERS = "orders"
    POSITIONS = "positions"
    SYSTEM_EVENTS = "system_events"

    @property
    def is_private(self) -> bool:
        """Whether it tells of an account."""
        return self in (ChannelName.ORDERS, ChannelName.POSITIONS)

    @property
    def needs_symbols(self) -> bool:
        """Whether a subscription must name symbols; private ones without any mean all of the account's."""
        return self in (ChannelName.MARKET_DATA, ChannelName.ORDERBOOK, ChannelName.TRADES)


# From the client


class Authenticate(msgspec.Struct, frozen=True, tag_field="action", tag="authenticate"):
    """The first message of a connection (S1-2, C-4)."""

    api_key: Annotated[str, Meta(description="Id of the key, or a token of the settings")]
    timestamp: Annotated[int, Meta(description="Epoch milliseconds, at most 30 seconds from the server's")]
    signature: Annotated[str, Meta(description="Of the text GET\\n/ws\\n{timestamp}\\n")]

    def __repr__(self) -> str:
        return f"Authenticate(timestamp={self.timestamp})"


class Subscribe(msgspec.Struct, frozen=True, tag_field="action", tag="subscribe"):
    """Begin to send channels (S1-6)."""

    channels: list[str]
    params: Raw = Raw(b"{}")


class Unsubscribe(msgspec.Struct, frozen=True, tag_field="action", tag="unsubscribe"):
    """Stop sending channels (S1-7)."""

    channels: list[str]
    params: Raw = Raw(b"{}")


class Pong(msgspec.Struct, frozen=True, tag_field="action", tag="pong"):
    """The answer to a ping (S1-17)."""

    timestamp: int | None = None


ClientMessage = Authenticate | Subscribe | Unsubscribe | Pong


class SubscriptionParams(msgspec.Struct, frozen=True):
    """``params`` of a subscription; what it does not know it leaves alone."""

    exchange: str | None = None
    symbols: list[str] | None = None
    type: Literal["ticker"] = "ticker"
    depth: Annotated[int, Meta(ge=1, le=100)] = 10


# From the server


class Authenticated(msgspec.Struct, frozen=True):
    """S1-3."""

    timestamp: Timestamp
    event: Literal["authenticated"] = "authenticated"
    success: Literal[True] = True


class Subscribed(msgspec.Struct, frozen=True):
    """The echo of a subscription (S1-6)."""

    channels: list[str]
    params: Raw
    timestamp: Timestamp
    event: Literal["subscribed", "unsubscribed"] = "subscribed"


class ErrorMessage(msgspec.Struct, frozen=True):
    """S1-16."""

    message: str
    code: int
    timestamp: Timestamp
    event: Literal["error"] = "error"


class Ping(msgspec.Struct, frozen=True):
    """S1-17."""

    timestamp: Timestamp
    event: Literal["ping"] = "ping"


class CloseMessage(msgspec.Struct, frozen=True):
    """Comes before a close of the server's (S1-18)."""

    message: str
    code: int
    timestamp: Timestamp
    event: Literal["close"] = "close"


class TickerData(msgspec.Struct, frozen=True):
    """24-hour statistics; ``volume`` is in the base asset."""

    price: Number
    volume: Number
    timestamp: Timestamp
    bid: Number
    ask: Number
    high: Number
    low: Number


class TickerMessage(msgspec.Struct, frozen=True):
    """S1-9."""

    exchange: str
    symbol: str
    data: TickerData
    timestamp: Timestamp
    channel: Literal["market_data"] = "market_data"
    type: Literal["ticker"] = "ticker"


class BookData(msgspec.Struct, frozen=True):
    """The best levels of both sides, best first."""

    bids: list[PriceLevel]
    asks: list[PriceLevel]
    timestamp: Timestamp


class BookMessage(msgspec.Struct, frozen=True):
    """S1-10."""

    exchange: str
    symbol: str
    data: BookData
    timestamp: Timestamp
    channel: Literal["orderbook"] = "orderbook"


class TradeData(msgspec.Struct, frozen=True):
    """One public trade; ``side`` is the aggressor's."""

    id: str
    price: Number
    amount: Number
    side: Literal["buy", "sell"]
    timestamp: Timestamp


class TradeMessage(msgspec.Struct, frozen=True):
    """S1-11."""

    exchange: str
    symbol: str
    data: TradeData
    timestamp: Timestamp
    channel: Literal["trades"] = "trades"


class Fee(msgspec.Struct, frozen=True):
    """``cost`` is filled * price * rate in the quote asset (S1-13)."""

    cost: Number
    currency: str
    rate: Number


class OrderData(msgspec.Struct, frozen=True):
    """One order; ``cost`` is that of the whole order (S1-13)."""

    id: str
    symbol: str
    exchange: str
    timestamp: Timestamp
    type: Annotated[str, Meta(description="The exchange's word in small letters: limit, market, stop_loss_limit")]
    side: Literal["buy", "sell"]
    amount: Number
    price: Annotated[float, Meta(description="The limit; without one the average that was paid, 0 before a fill")]
    cost: Number
    filled: Number
    remaining: Number
    status: Annotated[str, Meta(description="The exchange's word in small letters: new, partially_filled, filled")]
    fee: Fee


class OrderMessage(msgspec.Struct, frozen=True):
    """S1-12."""

    exchange: str
    symbol: str
    data: OrderData
    timestamp: Timestamp
    channel: Literal["orders"] = "orders"
    event: Literal["update"] = "update"


class PositionData(msgspec.Struct, frozen=True):
    """One position; percentages are percents, ``unrealized_pnl_percentage`` cut to two places (S1-14)."""

    symbol: str
    exchange: str
    timestamp: Timestamp
    type: Literal["spot"]
    side: Literal["long"]
    amount: Number
    cost: Number
    average_price: Number
    unrealized_pnl: Number
    unrealized_pnl_percentage: Number
    liquidation_price: None
    stop_loss: Number | None
    take_profit: Number | None
    trailing_stop: Number | None


class PositionMessage(msgspec.Struct, frozen=True):
    """S1-14."""

    exchange: str
    symbol: str
    data: PositionData
    timestamp: Timestamp
    channel: Literal["positions"] = "positions"
    event: Literal["update"] = "update"


class SystemData(msgspec.Struct, frozen=True, omit_defaults=True):
    """What changed. Events other than a connection's say what it is about."""

    exchange: str
    status: Annotated[str, Meta(description="Of a connection: connecting, connected or disconnected")]
    timestamp: Timestamp
    symbol: str | None = None
    detail: Annotated[str, Meta(description="Which connection, or what happened, in words")] | None = None


class SystemMessage(msgspec.Struct, frozen=True):
    """S1-15."""

    event: Annotated[
        str,
        Meta(
            description="exchange_connection_status, orderbook_resync, stream_stale, rate_limit, position_mismatch,"
            " protection_triggered, protection_done, protection_partial, protection_refused"
        ),
    ]
    data: SystemData
    timestamp: Timestamp
    channel: Literal["system_events"] = "system_events"
