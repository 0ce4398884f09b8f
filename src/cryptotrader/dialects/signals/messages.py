"""Messages of the signal protocol (source 3; S3-1 to S3-9). Times are epoch milliseconds, numbers JSON numbers.

These structs are the protocol's description too: ``/asyncapi.json`` is made from them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Number = Annotated[float, Meta(description="An exact decimal, written as a JSON number")]

Timestamp = Annotated[int, Meta(description="Epoch milliseconds")]


class Channel(StrEnum):
    """What of a symbol is wanted (C-9)."""

    PRICE = "price"
    ORDERBOOK = "orderbook"
    SIGNALS = "signals"


DEFAULT_CHANNELS = (Channel.PRICE, Channel.SIGNALS)
"""What a client gets that names none: the documented clients do not (C-9)."""


# From the client


class Subscribe(msgspec.Struct, frozen=True, tag_field="type", tag="subscribe"):
    """Begin to send symbols (S3-2). ``assets`` is another name for ``symbols``, ``channel`` one of ``channels``."""

    symbols: list[str] | None = None
    assets: list[str] | None = None
    channels: list[Channel] | None = None
    channel: Channel | None = None


class Unsubscribe(msgspec.Struct, frozen=True, tag_field="type", tag="unsubscribe"):
    """Stop sending them (S3-2); without channels all of them."""

    symbols: list[str] | None = None
    assets: list[str] | None = None
    channels: list[Channel] | None = None
    channel: Channel | None = None


class Ping(msgspec.Struct, frozen=True, tag_field="type", tag="ping"):
    """Keeps the connection alive (S3-3)."""


ClientMessage = Subscribe | Unsubscribe | Ping


# From the server


class Subscribed(msgspec.Struct, frozen=True):
    """An acknowledgement; clients that do not know it leave it alone (C-9)."""

    type: Literal["subscribed", "unsubscribed"]
    symbols: list[str]
    channels: list[Channel]


class PriceUpdate(msgspec.Struct, frozen=True):
    """The price over all sources (S3-4): ``change_24h`` in percent, ``volume_24h`` in the quote currency (C-16)."""

    symbol: str
    price: Number
    change_24h: Number
    volume_24h: Number
    timestamp: Timestamp
    type: Literal["price_update"] = "price_update"


class BookLevel(msgspec.Struct, frozen=True):
    """One price of the merged book."""

    price: Number
    quantity: Number


class OrderBookUpdate(msgspec.Struct, frozen=True):
    """The merged book, best levels first (S3-5)."""

    symbol: str
    bids: list[BookLevel]
    asks: list[BookLevel]
    timestamp: Timestamp
    type: Literal["orderbook_update"] = "orderbook_update"


class SignalUpdate(msgspec.Struct, frozen=True):
    """One indicator's signal (S3-6)."""

    symbol: str
    indicator: str
    signal: Literal["strong_buy", "buy", "neutral", "sell", "strong_sell"]
    value: Number
    confidence: Annotated[float, Meta(ge=0, le=1)]
    timestamp: Timestamp
    type: Literal["signal_update"] = "signal_update"


class ServerStatus(msgspec.Struct, frozen=True):
    """How the server is (S3-7)."""

    connected_peers: int
    active_sources: int
    symbols_tracked: int
    uptime_seconds: int
    type: Literal["server_status"] = "server_status"


class Pong(msgspec.Struct, frozen=True):
    """S3-3."""

    timestamp: Timestamp
    type: Literal["pong"] = "pong"


class ErrorMessage(msgspec.Struct, frozen=True):
    """S3-8, S3-9."""

    code: Literal["invalid_message", "invalid_symbol", "rate_limited", "subscription_limit", "internal_error"]
    message: str
    type: Literal["error"] = "error"
