"""Messages of the price feed (source 2; S2-1 to S2-11). Times are ISO 8601 in UTC with milliseconds and a ``Z``.

These structs are the protocol's description too: ``/asyncapi.json`` is made from them.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Number = Annotated[float, Meta(description="An exact decimal, written as a JSON number")]

IsoTime = Annotated[str, Meta(description="ISO 8601, UTC, milliseconds: 2025-10-10T14:30:00.000Z")]


# From the client


class Subscribe(msgspec.Struct, frozen=True, tag_field="type", tag="subscribe"):
    """Begin to send prices of 1 to 10 symbols (S2-5)."""

    symbols: Annotated[list[str], Meta(min_length=1)]


class Unsubscribe(msgspec.Struct, frozen=True, tag_field="type", tag="unsubscribe"):
    """Stop sending them; without ``symbols`` all (S2-6)."""

    symbols: list[str] | None = None


class Ping(msgspec.Struct, frozen=True, tag_field="type", tag="ping"):
    """Asks for a pong (S2-9)."""


ClientMessage = Subscribe | Unsubscribe | Ping


# From the server


class Subscribed(msgspec.Struct, frozen=True):
    """S2-5, S2-6."""

    type: Literal["subscribed", "unsubscribed"]
    symbols: list[str]
    timestamp: IsoTime


class PriceUpdate(msgspec.Struct, frozen=True):
    """One price of one exchange (S2-7); ``volume`` as that exchange reports it, or null (C-16)."""

    symbol: str
    price: Number
    volume: Number | None
    timestamp: IsoTime
    source: str
    type: Literal["price_update"] = "price_update"


class Pong(msgspec.Struct, frozen=True):
    """S2-9: answers a ping, and comes by itself every 30 s."""

    timestamp: IsoTime
    type: Literal["pong"] = "pong"


class ErrorMessage(msgspec.Struct, frozen=True):
    """S2-10."""

    message: str
    code: Literal[
        "VALIDATION_ERROR",
        "UNAUTHORIZED",
        "SUBSCRIPTION_LIMIT",
        "UNKNOWN_SYMBOL",
        "RATE_LIMIT_EXCEEDED",
        "CONNECTION_LIMIT",
        "INTERNAL_ERROR",
    ]
    timestamp: IsoTime
    type: Literal["error"] = "error"
