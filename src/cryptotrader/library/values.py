"""What the library hands out: prices and quantities as exact decimals."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal, NamedTuple

import msgspec

from cryptotrader.core.events import Level
from cryptotrader.core.scaled import to_decimal


class Quote(NamedTuple):
    """One price level."""

    price: Decimal
    quantity: Decimal
    """0 in a change means that the level is gone."""


class TopOfBook(msgspec.Struct, frozen=True):
    """Best bid and ask after one update."""

    symbol: str
    bid: Quote | None
    """None where nobody buys."""
    ask: Quote | None
    """None where nobody sells."""
    update_id: int
    event_ms: int
    """The venue's time. Unit: milliseconds since 1970-01-01 UTC."""


class BookChange(msgspec.Struct, frozen=True):
    """What to do to a copy of the book to keep it equal. Quantities are absolute.

    Consecutive changes are contiguous: ``first_id`` is the previous ``last_id`` + 1, except for a snapshot.
    """

    symbol: str
    kind: Literal["snapshot", "diff", "resync"]
    """``snapshot``: forget the copy, this is the whole book. ``diff``: what the venue sent. ``resync``: computed after
    messages were lost upstream; apply it like a diff."""
    first_id: int
    last_id: int
    bids: tuple[Quote, ...]
    asks: tuple[Quote, ...]
    event_ms: int
    """The venue's time of the newest event in it. Unit: milliseconds since 1970-01-01 UTC."""
    merged: int = 1
    """How many changes are folded into this one, because they came faster than they were read."""


def quote(level: Level | None) -> Quote | None:
    """A level with scaled numbers as decimals."""
    return None if level is None else Quote(to_decimal(level[0]), to_decimal(level[1]))


def quotes(levels: Iterable[Level]) -> tuple[Quote, ...]:
    """Levels with scaled numbers as decimals."""
    return tuple([Quote(to_decimal(price), to_decimal(quantity)) for price, quantity in levels])
