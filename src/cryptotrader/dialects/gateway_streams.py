"""Source 0's market streams: events in, JSON text out. Pure.

Depth (one message per book change)::

    {"e":"depthUpdate","E":1609459200000,"s":"BTCUSDT","U":157,"u":160,
     "b":[["44990.00000000","0.50000000"],...],"a":[["45000.00000000","0.80000000"],...]}

``b[0]`` and ``a[0]`` are always the best levels of the book after the change (S0-42): an unchanged best level is
stated again in front, and levels that go (quantity zero) come last. Both are harmless to who builds a book, since
quantities are absolute. ``U`` and ``u`` are contiguous within a connection (S0-43).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from cryptotrader.core.errors import SequenceGap
from cryptotrader.core.events import DepthDiff, Level, Ticker24h
from cryptotrader.core.scaled import SCALE, SCALE_DIGITS

DEPTH_MERGE_CAPACITY = 100_000
"""Prices that a merged change may hold. Reason: far above what ten seconds of a busy book touch (about 5,000)."""


EventTime = Annotated[int, Meta(description="When it happened, epoch milliseconds")]
SymbolName = Annotated[str, Meta(description="Symbol, as BTCUSDT")]
PriceLevel = tuple[str, str]
"""[price, quantity]; a quantity of zero takes the price out of the book."""


class TickerMessage(msgspec.Struct, frozen=True, gc=False):
    """``24hrTicker``: the documented thirteen keys and, between them, the rest of Binance's (S0-40)."""

    e: Literal["24hrTicker"]
    E: EventTime
    s: SymbolName
    p: Annotated[str, Meta(description="Change of the price")]
    P: Annotated[str, Meta(description="Change of the price in percent")]
    w: Annotated[str, Meta(description="Weighted average price")]
    x: Annotated[str, Meta(description="Last price before these 24 hours")]
    c: Annotated[str, Meta(description="Last price")]
    Q: Annotated[str, Meta(description="Last quantity")]
    b: Annotated[str, Meta(description="Best bid")]
    B: Annotated[str, Meta(description="Quantity of the best bid")]
    a: Annotated[str, Meta(description="Best ask")]
    A: Annotated[str, Meta(description="Quantity of the best ask")]
    o: Annotated[str, Meta(description="Open")]
    h: Annotated[str, Meta(description="High")]
    l: Annotated[str, Meta(description="Low")]  # noqa: E741
    v: Annotated[str, Meta(description="Volume in the base asset")]
    q: Annotated[str, Meta(description="Volume in the quote asset")]
    O: Annotated[int, Meta(description="Begin of the 24 hours, epoch milliseconds")]  # noqa: E741
    C: Annotated[int, Meta(description="Their end, epoch milliseconds")]
    F: Annotated[int, Meta(description="First trade id")]
    L: Annotated[int, Meta(description="Last trade id")]
    n: Annotated[int, Meta(description="Number of trades")]


class DepthMessage(msgspec.Struct, frozen=True, gc=False):
    """``depthUpdate`` (S0-41 to S0-43), as a reader gets it; written by ``encode_depth`` and ``encode_snapshot``."""

    e: Literal["depthUpdate"]
    E: EventTime
    s: SymbolName
    U: Annotated[int, Meta(description="First update id in it: the last message's u + 1")]
    u: Annotated[int, Meta(description="Last update id in it")]
    b: Annotated[list[PriceLevel], Meta(description="Bids as [price, quantity], the best first, those that go last")]
    a: Annotated[list[PriceLevel], Meta(description="Asks as [price, quantity], the best first, those that go last")]
    snapshot: Annotated[Literal[True], Meta(description="There in a snapshot only: the whole book")] | UnsetType = UNSET


class ErrorMessage(msgspec.Struct, frozen=True, gc=False):
    """What every error looks like (S0-56)."""

    error: str
    status: int


_encoder = msgspec.json.Encoder()


def encode_ticker(ticker: Ticker24h) -> bytes:
    """One ``24hrTicker`` message. Numbers are the venue's exact text (C-14)."""
    return _encoder.encode(
        TickerMessage(
            e="24hrTicker",
            E=ticker.event_ms,
            s=ticker.symbol,
            p=ticker.price_change,
            P=ticker.price_change_percent,
            w=ticker.weighted_avg_price,
            x=ticker.prev_close_price,
            c=ticker.last_price,
            Q=ticker.last_qty,
            b=ticker.bid_price,
            B=ticker.bid_qty,
            a=ticker.ask_price,
            A=ticker.ask_qty,
            o=ticker.open_price,
            h=ticker.high_price,
            l=ticker.low_price,
            v=ticker.volume,
            q=ticker.quote_volume,
            O=ticker.open_ms,
            C=ticker.close_ms,
            F=ticker.first_trade_id,
            L=ticker.last_trade_id,
            n=ticker.trade_count,
        )
    )


def encode_depth(diff: DepthDiff, best_bid: Level | None, best_ask: Level | None) -> bytes:
    """One ``depthUpdate`` message.

    Args:
        diff: What changed.
        best_bid: Best bid of the book after the change; None where that side is empty.
        best_ask: Best ask of the book after the change.
    """
    bids = _render(best_first(diff.bids, best_bid, is_bid=True))
    asks = _render(best_first(diff.asks, best_ask, is_bid=False))
    return _message(diff.symbol, diff.event_ms, (diff.first_id, diff.last_id), (bids, asks))


def encode_snapshot(symbol: str, *, last_id: int, bids: Sequence[Level], asks: Sequence[Level], event_ms: int) -> bytes:
    """The whole book as one ``depthUpdate`` with ``U == u`` and ``"snapshot":true``; levels come best first."""
    return _message(symbol, event_ms, (last_id, last_id), (_render(bids), _render(asks)), extra=',"snapshot":true')


def encode_error(text: str, status: int) -> bytes:
    """The body that every error has (S0-56)."""
    return _encoder.encode(ErrorMessage(text, status))


def best_first(levels: Iterable[Level], best: Level | None, *, is_bid: bool) -> list[Level]:
    """Changed levels with the current best in front, the others best first, those that go last."""
    changed: list[Level] = []
    gone: list[Level] = []
    for level in levels:
        (changed if level[1] else gone).append(level)
    changed.sort(reverse=is_bid)
    if best is not None and (not changed or changed[0] != best):
        changed = [best, *(level for level in changed if level[0] != best[0])]
    return changed + gone


def _render(levels: Iterable[Level]) -> str:
    """``["price","quantity"]`` pairs, eight places each."""
    pairs = []
    for price, quantity in levels:
        whole, part = divmod(price, SCALE)
        if quantity:
            units, rest = divmod(quantity, SCALE)
            pairs.append(f'["{whole}.{part:08d}","{units}.{rest:08d}"]')
        else:
            pairs.append(f'["{whole}.{part:08d}","0.00000000"]')
    return ",".join(pairs)


assert SCALE_DIGITS == 8, "the format strings above write eight places"


def _message(symbol: str, event_ms: int, ids: tuple[int, int], sides: tuple[str, str], *, extra: str = "") -> bytes:
    first_id, last_id = ids
    bids, asks = sides
    return (
        f'{{"e":"depthUpdate","E":{event_ms},"s":"{symbol}","U":{first_id},"u":{last_id},'
        f'"b":[{bids}],"a":[{asks}]{extra}}}'
    ).encode()


class DepthMerger:
    """Consecutive changes of one book, folded into one that does the same (C-22): no book-builder loses anything."""

    def __init__(self) -> None:
        self._symbol = ""
        self._first_id = 0
        self._last_id = 0
        self._event_ms = 0
        self._bids: dict[int, int] = {}
        self._asks: dict[int, int] = {}
        self.count = 0
        """Changes folded so far."""

    @property
    def is_full(self) -> bool:
        """Whether it touches more prices than ``DEPTH_MERGE_CAPACITY``; a snapshot is shorter then."""
        return len(self._bids) + len(self._asks) > DEPTH_MERGE_CAPACITY

    def add(self, diff: DepthDiff) -> None:
        """Fold in the next change.

        Raises:
            SequenceGap: It does not begin right after the last one.
        """
        if self.count == 0:
            self._symbol, self._first_id = diff.symbol, diff.first_id
        elif diff.first_id != self._last_id + 1:
            raise SequenceGap(f"{diff.symbol}: {diff.first_id} does not follow {self._last_id}")
        self._last_id = diff.last_id
        self._event_ms = diff.event_ms
        self._bids.update(diff.bids)
        self._asks.update(diff.asks)
        self.count += 1

    def take(self) -> DepthDiff:
        """The merged change, levels best first; the merger is empty afterwards.

        Raises:
            ValueError: Nothing was added.
        """
        if not self.count:
            raise ValueError("nothing to merge")
        merged = DepthDiff(
            symbol=self._symbol,
            first_id=self._first_id,
            last_id=self._last_id,
            bids=tuple(sorted(self._bids.items(), reverse=True)),
            asks=tuple(sorted(self._asks.items())),
            event_ms=self._event_ms,
        )
        self.clear()
        return merged

    def clear(self) -> None:
        """Forget everything."""
        self._bids.clear()
        self._asks.clear()
        self.count = 0
